"""What an alarm's card, its calls and the owner's message read like in every state."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from cogs.cards import render
from cogs.commands.alerts import history
from cogs.delivery.rest.messenger import as_text
from cogs.ui.embeds import MessageContent
from db import alarm_steps, links
from tests.cogs.alarm_harness import EXPIRY, TO_DISPATCHERS, TO_SUPERVISORS, AlarmHarness
from tests.golden import check_golden
from tests.webhook.harness import MINUTE, AppHarness
from webhook.protocol.context import Scope
from webhook.protocol.events import Subject
from webhook.queries.alarms import OfAlarm, TakeOver, release_alarm, take_alarm

Act = Callable[[AlarmHarness], Awaitable[object]]


async def _nothing(_: AlarmHarness) -> None:
    return


async def _acknowledged(alarms: AlarmHarness) -> None:
    await alarms.harness.ask("acknowledge-alarm", alarmId=1)


async def _snoozed(alarms: AlarmHarness) -> None:
    await alarms.harness.ask("snooze-alarm", alarmId=1, minutes=15)


async def _snooze_over(alarms: AlarmHarness) -> None:
    await _snoozed(alarms)
    await alarms.after(15 * MINUTE)


async def _escalated(alarms: AlarmHarness) -> None:
    await alarms.after(TO_DISPATCHERS)
    await alarms.after(TO_SUPERVISORS)


async def _resolved(alarms: AlarmHarness) -> None:
    await alarms.harness.ask("dispatch-drone", propertyId=1)
    for number in range(5):
        await alarms.harness.ask("note-alarm", alarmId=1, text=f"note {number}")
    await alarms.harness.ask("settle-alarm", alarmId=1, outcome="resolved")


async def _false(alarms: AlarmHarness) -> None:
    await alarms.harness.ask("settle-alarm", alarmId=1, outcome="false")


async def _quiet(alarms: AlarmHarness) -> None:
    await alarms.after(EXPIRY)


async def _removed(alarms: AlarmHarness) -> None:
    await alarms.harness.ask("remove-property", propertyId=1)


async def _answered(alarms: AlarmHarness) -> None:
    """Snoozed and acknowledged after an escalation each, then taken over and released."""
    await alarms.after(TO_DISPATCHERS)
    await alarms.harness.ask("snooze-alarm", alarmId=1, minutes=15)
    await alarms.after(15 * MINUTE)
    await alarms.after(TO_DISPATCHERS + MINUTE)
    await alarms.harness.ask("acknowledge-alarm", alarmId=1)
    dispatcher = alarms.harness.context(Scope.WRITE, "discord:8")
    await take_alarm(dispatcher, TakeOver(alarm_id=1))
    await release_alarm(dispatcher, OfAlarm(alarm_id=1))


STATES: dict[str, Act] = {
    "waiting": _nothing,
    "acknowledged": _acknowledged,
    "snoozed": _snoozed,
    "snooze-ended": _snooze_over,
    "escalated": _escalated,
    "answered": _answered,
    "resolved": _resolved,
    "false": _false,
    "expired": _quiet,
    "removed": _removed,
}


def _colour(content: MessageContent) -> int:
    colour = content.embeds[0].colour
    return colour.value if colour is not None else 0


async def _shown(harness: AppHarness, act: Act) -> str:
    """Raise the alarm three times within two minutes, act, and return what everybody reads."""
    await harness.ask("add-user", userId="license:owner", fullName="Wren Halloway")
    await harness.add_equipment(await harness.add_property(), 3, "Roof")
    alarms = AlarmHarness(harness)
    for _ in range(3):
        await alarms.raise_at(1)
        harness.clock.now += MINUTE
    await act(alarms)
    shown = []
    for subject in ("alarm:1", "alarm-call:1-1", "alarm-call:1-2", "alarm-owner:1"):
        content = await render(harness.database.read, Subject.parse(subject))
        if content is not None:
            shown.append(f"({subject} #{_colour(content):06x})\n{as_text(content)}")
    return "\n".join(shown) + "\n"


@pytest.mark.parametrize("state", STATES)
async def test_alarm_cards_match_their_golden_files(harness: AppHarness, state: str) -> None:
    path = Path(__file__).parent / "golden" / f"alarm-{state}.txt"
    check_golden(path, await _shown(harness, STATES[state]))


async def test_alerts_of_one_moment_are_counted_without_a_span(harness: AppHarness) -> None:
    await harness.add_property()
    alarms = AlarmHarness(harness)
    for _ in range(2):
        await alarms.raise_at(1)
    card = await render(harness.database.read, Subject.parse("alarm:1"))
    assert card is not None
    assert " · 2 times, the last by u" in as_text(card)


async def test_a_former_owner_gets_no_more_updates_of_an_alarm(harness: AppHarness) -> None:
    await harness.add_property(clientId="license:old")
    await AlarmHarness(harness).raise_at(1)
    subject = Subject("alarm-owner", "1@7")
    async with harness.database.write() as sql:
        await links.put(sql, 7, "license:old", "test", harness.clock.now)
    shown = await render(harness.database.read, subject)
    assert shown is not None
    assert "Alerts: Once" in as_text(shown)
    await harness.ask("change-property-owner", propertyId=1, owner="license:new")
    shown = await render(harness.database.read, subject)
    assert shown is not None
    assert as_text(shown) == "ALARM OVER · FORUM DR\nThis property is not yours any more."
    assert shown.only_edits


async def test_the_owner_sees_the_alerts_note_but_not_the_dispatchers_notes(
    harness: AppHarness,
) -> None:
    await harness.add_property(clientId="license:owner")
    note = "Two men in the garden. ".ljust(1_999, "x") + "!"
    await harness.ask("add-alert", propertyId=1, userId="u", note=note)
    await harness.ask("note-alarm", alarmId=1, text="The owner is a suspect")
    shown = await render(harness.database.read, Subject("alarm-owner", "1@7"))
    assert shown is not None
    assert "not yours" in as_text(shown)
    async with harness.database.write() as sql:
        await links.put(sql, 7, "license:owner", "test", harness.clock.now)
    shown = await render(harness.database.read, Subject("alarm-owner", "1@7"))
    assert shown is not None
    assert note in as_text(shown)
    assert "suspect" not in as_text(shown)


async def test_of_very_many_notes_the_newest_are_shown_and_the_others_counted(
    harness: AppHarness,
) -> None:
    await harness.add_property(clientId="license:owner")
    await AlarmHarness(harness).raise_at(1)
    async with harness.database.write() as sql:
        await links.put(sql, 7, "license:owner", "test", harness.clock.now)
        for number in range(260):
            text = f"{number} {'*_~|`' * 390}"  # escaped, twice as long
            await alarm_steps.add(sql, 1, harness.clock.now, "script", "noted", text, 1)
    shown = await render(harness.database.read, Subject.parse("alarm:1"))
    assert shown is not None
    assert len(shown.embeds[0]) < 5_900
    assert "script: 259 " in as_text(shown)
    assert "Show all" in [button.label for button in shown.buttons]
    told = await render(harness.database.read, Subject("alarm-owner", "1@7"))
    assert told is not None
    assert "and 259 more" in as_text(told)
    page = await history.page(harness.context(Scope.WRITE, "discord:8"), "1")
    assert page.rows[0].text == "60 earlier steps"
