"""/audit tells in sentences, by the names that people know, who changed what."""

import re
from typing import get_args

import orjson
import pytest

from cogs.commands.admin.audit import changes
from cogs.feeds.audit_sentences import SENTENCES, sentence
from cogs.i18n.language import using_locale
from db.audit import AuditRecord
from tests.end_to_end.environment import BotEnvironment
from tests.fake_discord import render
from tests.webhook.harness import AppHarness
from webhook.protocol.audit_actions import AuditAction

ACTIONS = get_args(AuditAction)

VALUES: dict[str, object] = {
    "owner": "license:1",
    "fullName": "Lina",
    "location": "Pier",
    "channel": "panic",
    "missing": 1,
    "until": 1_795_339_800_123,
    "handler": "discord:801",
    "linkedTo": "802",
}
"""Everything that a sentence may name."""

SUBJECTS = {
    "add-user": "user:license:1",
    "remove-user": "user:license:1",
    "link-user": "member:801",
    "unlink-user": "member:801",
    "place-911": "member:801",
    "close-call": "dispatch:12@cad",
    "panic-over": "panic:1",
    "approve": "approval:1",
    "redact": "emergency:12@cad",
    "undo-redact": "alarm:1",
    "setup": "setup:community",
    "begin-drill": "drill:1",
    "pause": "pause:all",
    "add-equipment": "equipment:1",
    "remove-equipment": "equipment:1",
    "dispatch-drone": "equipment:1",
    "recall-drone": "equipment:1",
    "begin-simulation": "simulation:1",
    "end-simulation": "simulation:1",
    "add-rule": "rule:smoke",
    "remove-rule": "rule:smoke",
}
"""What an action is about that is not about a property or its alarm."""


async def told(harness: AppHarness, argument: str = "/") -> list[str]:
    """Return the sentences of /audit, oldest first."""
    page = await changes.page(harness.context(), argument)
    return [re.sub(r"^<t:[0-9]+:f> ", "", row.text) for row in reversed(page.rows)]


async def test_changes_are_described_by_name(harness: AppHarness) -> None:
    villa = {"propertyId": await harness.add_property(location="Vespucci *7*")}
    await harness.ask("add-user", userId="license:1", fullName="Lina Ked")
    await harness.ask("change-property-tier", **villa, tier=2)
    await harness.ask("add-allowed-user", **villa, userId="license:1")
    await harness.ask("reject-property", **villa, reason="No *permit*")
    where = r"**Vespucci \*7\*** (#1)"
    assert await told(harness) == [
        f"tester added {where}.",
        "tester named the game user license:1 Lina Ked.",
        f"tester changed {where}: tier Basic → Premium",
        f"tester let Lina Ked enter {where}.",
        rf"tester rejected {where}. “No \*permit\*”",
    ]
    with using_locale("de"):
        assert (await told(harness))[2] == f"tester hat {where} geändert: Stufe Basic → Premium"


async def test_a_moved_link_names_both_members(harness: AppHarness) -> None:
    await harness.ask("link-user", memberId="801", userId="license:1")
    await harness.ask("link-user", memberId="802", userId="license:1")
    assert await told(harness) == [
        "tester linked <@801> to license:1.",
        "tester linked <@802> to license:1.",
        "tester moved the link to license:1 from <@801> to <@802>.",
    ]


@pytest.mark.parametrize("locale", ["en-GB", "de"])
async def test_every_action_has_a_sentence(harness: AppHarness, locale: str) -> None:
    property_id = await harness.add_property(location="Villa")
    await harness.add_equipment(property_id, 3)
    await harness.ask("add-alert", propertyId=property_id, userId="license:1")
    said = []
    with using_locale(locale):
        for action in ACTIONS:
            usual = "alarm:1" if action.startswith("alarm-") else "property:1"
            told_of = record(action, SUBJECTS.get(action, usual))
            said.append(await sentence(harness.database.read, told_of))
    assert set(SENTENCES) == set(ACTIONS)
    assert len(set(said)) == len(ACTIONS)
    assert all(each.startswith("tester ") for each in said)
    assert not [each for each in said if re.search(r"[{}]|None|  | \.", each)]


async def test_an_action_of_another_version_is_shown_as_stored(harness: AppHarness) -> None:
    told_of = await sentence(harness.database.read, record("paint-house", "house:*7*"))
    assert told_of == r"tester · paint-house · house:\*7\*"


async def test_details_are_shown_after_a_restart(env: BotEnvironment) -> None:
    boss = env.guild.add_member("Boss", env.guild.add_role("Owner", "manage_guild"))
    async with env.bot_running():
        await env.wait_for_commands()
        await env.add_property("Villa")
        await env.query("change-property-size", propertyId=1, width=30, height=20)
        listed = await env.fake.slash(boss, "audit")
        await env.fake.until(lambda: "changed **Villa** (#1): width" in render(listed))
    async with env.bot_running():
        await env.fake.wait_connected()
        shown = await env.fake.click(boss, listed, "Details")
        await env.fake.until(lambda: "Width: 0 → 30" in render(shown))


def record(action: str, subject: str) -> AuditRecord:
    return AuditRecord(1, 0, "tester", action, subject, "{}", orjson.dumps(VALUES).decode())
