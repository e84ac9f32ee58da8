"""Cards of /test: over after a minute."""

from cogs.cards import render
from cogs.delivery.rest.messenger import as_text
from db import cards
from tests.webhook.harness import AppHarness
from webhook.protocol.events import Subject
from webhook.queries.drills import DURATION, begin_drill, end_drills


async def test_card_is_over_after_a_minute_and_its_message_is_edited(harness: AppHarness) -> None:
    context = harness.context()
    await begin_drill(context, kind="alerts", channel="alerts", mention=7)
    card = await cards.of_subject(harness.database.read, "drill:1")
    assert card is not None
    assert (card.channel, card.mention) == ("alerts", 7)
    harness.clock.now += DURATION - 1
    await end_drills(context)
    shown = await render(harness.database.read, Subject("drill", "1"))
    assert shown is not None
    assert as_text(shown).startswith("TEST · Alarm\nTEST · ALARM\n")
    harness.clock.now += 1
    await end_drills(context)
    shown = await render(harness.database.read, Subject("drill", "1"))
    assert shown is not None
    assert as_text(shown).startswith("TEST OVER · Alarm\nTEST OVER · ALARM\n")
    assert shown.only_edits
