"""A property's picture fits into Discord's limits and pings nobody, whatever the game wrote."""

import discord
import pytest

from cogs.commands.crimes import crimes_by_day
from cogs.commands.open_card import property_card
from cogs.commands.properties.visitors import days_of, week_of
from db import properties
from tests.fake_discord.errors import Problems
from tests.fake_discord.validation import check_message
from tests.webhook.harness import AppHarness
from webhook.protocol.context import Scope
from webhook.protocol.errors import NotFound
from webhook.queries.properties.visitors import DayRange


@pytest.mark.parametrize("text", ["*😀" * 1_000, "@everyone <@&1> ", "\n# x" * 500])
async def test_hostile_texts_fit_and_stay_text(harness: AppHarness, text: str) -> None:
    user = f"u{text.strip()}"[:64]
    property_id = await harness.add_property(
        location=text[:200], description=text[:2000], clientId=user, width=1, height=1
    )
    await harness.ask("add-user", userId=user, fullName=text[:200])
    for kind in (1, 3) * 30:
        await harness.add_equipment(property_id, kind, text[:2000])
    for number in range(30):
        await harness.ask("add-allowed-user", propertyId=property_id, userId=f"{number}{user}"[:64])
        await harness.ask("add-alert", propertyId=property_id, userId=user)
        await harness.ask("add-visitor", propertyId=property_id, userId=user, cameraId=1)
        await harness.ask("dispatch-drone", propertyId=property_id, reason=text[:2000])
    await harness.ask("request-remove-property", propertyId=property_id, reason=text[:2000])
    stored = await properties.get(harness.database.read, property_id)
    assert stored is not None
    context = harness.context()
    today = "2026-11-22"
    span = DayRange.model_validate({"propertyId": property_id, "from": today, "to": today})
    for content in (
        await property_card(context, property_id),
        await week_of(context, stored),
        await days_of(context, stored, span),
        await crimes_by_day(context, stored, 50, 31),
    ):
        view = content.view()
        body = {
            "embeds": [embed.to_dict() for embed in content.embeds],
            "components": view.to_components() if view is not None else [],
            "allowed_mentions": discord.AllowedMentions.none().to_dict(),
        }
        problems = Problems()
        check_message(body, 0, problems)
        problems.raise_if_any()
        for embed in content.embeds:
            shown = str(embed.to_dict())
            assert " @everyone" not in shown.replace("\\\\@", "")
            assert " <@&1>" not in shown


async def test_an_unknown_property_has_no_card(harness: AppHarness) -> None:
    with pytest.raises(NotFound):
        await property_card(harness.context(Scope.READ), 99)
