"""What an alarm's card, its calls and the owner's message read like in every state."""

from collections.abc import Awaitable, Callable

import pytest

from cogs.cards import render
from cogs.delivery.console import render as as_text
from cogs.ui.embeds import MessageContent
from tests.cogs.watched import CALL, QUIET, SUPERVISE, Watched
from tests.webhook.harness import MINUTE, AppHarness
from webhook.protocol.events import Subject

Act = Callable[[Watched], Awaitable[object]]


async def _nothing(_: Watched) -> None:
    return


async def _acknowledged(watched: Watched) -> None:
    await watched.harness.ask("acknowledge-alarm", alarmId=1)


async def _snoozed(watched: Watched) -> None:
    await watched.harness.ask("snooze-alarm", alarmId=1, minutes=15)


async def _snooze_over(watched: Watched) -> None:
    await _snoozed(watched)
    await watched.after(15 * MINUTE)


async def _called(watched: Watched) -> None:
    await watched.after(CALL)
    await watched.after(SUPERVISE)


async def _resolved(watched: Watched) -> None:
    await watched.harness.ask("dispatch-drone", propertyId=1)
    for number in range(5):
        await watched.harness.ask("note-alarm", alarmId=1, text=f"note {number}")
    await watched.harness.ask("settle-alarm", alarmId=1, outcome="resolved")


async def _false(watched: Watched) -> None:
    await watched.harness.ask("settle-alarm", alarmId=1, outcome="false")


async def _quiet(watched: Watched) -> None:
    await watched.after(QUIET)


async def _removed(watched: Watched) -> None:
    await watched.harness.ask("remove-property", propertyId=1)


SHOWN: list[tuple[Act, str]] = [
    (
        _nothing,
        """\
(alarm:1 #d32f2f)
ALARM · FORUM DR
Nobody has acknowledged it. Waiting since 09:30:00 UTC.
Property: 1
Coordinates: 10, -20
Owner: Wren Halloway (license:owner)
Raised by: u
Raised: 09:30:00 UTC
How often: 3 times within 2 min
Last: u, 09:32:00 UTC
( Map of Forum Dr. Property 1 · x 10, y -20; Its size is not known; 1 drone ready: Roof. )
[ Acknowledge ] [ Dispatch drone ] [ Note ] [ Snooze 15 min ] [ Snooze 1 h ] [ False alarm ] [ Resolve ]
(alarm-owner:1 #d32f2f)
ALARM · FORUM DR
Nobody has acknowledged it yet.
Property: 1
Raised: 09:30:00 UTC
How often: 3 times within 2 min
""",
    ),
    (
        _acknowledged,
        """\
(alarm:1 #f57c00)
ALARM ACKNOWLEDGED · FORUM DR
tester sees to it. Acknowledged 09:33:00 UTC.
Property: 1
Coordinates: 10, -20
Owner: Wren Halloway (license:owner)
Raised by: u
Raised: 09:30:00 UTC
How often: 3 times within 2 min
Last: u, 09:32:00 UTC
What was done: 09:33:00 UTC tester acknowledged it
( Map of Forum Dr. Property 1 · x 10, y -20; Its size is not known; 1 drone ready: Roof. )
[ Dispatch drone ] [ Note ] [ False alarm ] [ Resolve ]
(alarm-owner:1 #f57c00)
ALARM ACKNOWLEDGED · FORUM DR
Somebody sees to it.
Property: 1
Raised: 09:30:00 UTC
How often: 3 times within 2 min
""",
    ),
    (
        _snoozed,
        """\
(alarm:1 #1976d2)
ALARM SNOOZED · FORUM DR
tester snoozed it until 09:48:00 UTC. Nobody is called before.
Property: 1
Coordinates: 10, -20
Owner: Wren Halloway (license:owner)
Raised by: u
Raised: 09:30:00 UTC
How often: 3 times within 2 min
Last: u, 09:32:00 UTC
What was done: 09:33:00 UTC tester snoozed it until 09:48:00 UTC
( Map of Forum Dr. Property 1 · x 10, y -20; Its size is not known; 1 drone ready: Roof. )
[ Acknowledge ] [ Dispatch drone ] [ Note ] [ False alarm ] [ Resolve ]
(alarm-owner:1 #1976d2)
ALARM SNOOZED · FORUM DR
It is put off until 09:48:00 UTC.
Property: 1
Raised: 09:30:00 UTC
How often: 3 times within 2 min
""",
    ),
    (
        _snooze_over,
        """\
(alarm:1 #d32f2f)
ALARM · FORUM DR
Nobody has acknowledged it. Waiting since 09:48:00 UTC.
Property: 1
Coordinates: 10, -20
Owner: Wren Halloway (license:owner)
Raised by: u
Raised: 09:30:00 UTC
How often: 3 times within 2 min
Last: u, 09:32:00 UTC
What was done: 09:33:00 UTC tester snoozed it until 09:48:00 UTC
09:48:00 UTC The snooze is over
( Map of Forum Dr. Property 1 · x 10, y -20; Its size is not known; 1 drone ready: Roof. )
[ Acknowledge ] [ Dispatch drone ] [ Note ] [ Snooze 15 min ] [ Snooze 1 h ] [ False alarm ] [ Resolve ]
(alarm-owner:1 #d32f2f)
ALARM · FORUM DR
Nobody has acknowledged it yet.
Property: 1
Raised: 09:30:00 UTC
How often: 3 times within 2 min
""",
    ),
    (
        _called,
        """\
(alarm:1 #d32f2f)
ALARM · FORUM DR
Nobody has acknowledged it. Waiting since 09:30:00 UTC.
Property: 1
Coordinates: 10, -20
Owner: Wren Halloway (license:owner)
Raised by: u
Raised: 09:30:00 UTC
How often: 3 times within 2 min
Last: u, 09:32:00 UTC
What was done: 09:38:00 UTC The dispatchers were called
09:48:00 UTC The supervisor was called
( Map of Forum Dr. Property 1 · x 10, y -20; Its size is not known; 1 drone ready: Roof. )
[ Acknowledge ] [ Dispatch drone ] [ Note ] [ Snooze 15 min ] [ Snooze 1 h ] [ False alarm ] [ Resolve ]
(alarm-call:1-1 #d32f2f)
<@&11> <@&12>
NOBODY HAS ACKNOWLEDGED THE ALARM AT FORUM DR
Since 09:30:00 UTC.
(alarm-call:1-2 #d32f2f)
<@&13>
NOBODY HAS ACKNOWLEDGED THE ALARM AT FORUM DR
Since 09:30:00 UTC.
(alarm-owner:1 #d32f2f)
ALARM · FORUM DR
Nobody has acknowledged it yet.
Property: 1
Raised: 09:30:00 UTC
How often: 3 times within 2 min
""",
    ),
    (
        _resolved,
        """\
(alarm:1 #388e3c)
ALARM RESOLVED · FORUM DR
Resolved by tester, 09:33:00 UTC.
Property: 1
Coordinates: 10, -20
Owner: Wren Halloway (license:owner)
Raised by: u
Raised: 09:30:00 UTC
How often: 3 times within 2 min
Last: u, 09:32:00 UTC
What was done: 2 earlier steps
09:33:00 UTC tester: note 1
09:33:00 UTC tester: note 2
09:33:00 UTC tester: note 3
09:33:00 UTC tester: note 4
09:33:00 UTC tester resolved it
( Map of Forum Dr. Property 1 · x 10, y -20; Its size is not known; 1 drone out: Roof. )
(alarm-owner:1 #388e3c)
ALARM RESOLVED · FORUM DR
It is resolved.
Property: 1
Raised: 09:30:00 UTC
How often: 3 times within 2 min
""",
    ),
    (
        _false,
        """\
(alarm:1 #757575)
FALSE ALARM · FORUM DR
A false alarm, says tester, 09:33:00 UTC.
Property: 1
Coordinates: 10, -20
Owner: Wren Halloway (license:owner)
Raised by: u
Raised: 09:30:00 UTC
How often: 3 times within 2 min
Last: u, 09:32:00 UTC
What was done: 09:33:00 UTC tester: false alarm
( Map of Forum Dr. Property 1 · x 10, y -20; Its size is not known; 1 drone ready: Roof. )
(alarm-owner:1 #757575)
FALSE ALARM · FORUM DR
It was a false alarm.
Property: 1
Raised: 09:30:00 UTC
How often: 3 times within 2 min
""",
    ),
    (
        _quiet,
        """\
(alarm:1 #757575)
ALARM FELL QUIET · FORUM DR
Nothing more happened. It fell quiet 10:33:00 UTC.
Property: 1
Coordinates: 10, -20
Owner: Wren Halloway (license:owner)
Raised by: u
Raised: 09:30:00 UTC
How often: 3 times within 2 min
Last: u, 09:32:00 UTC
What was done: 10:33:00 UTC It fell quiet
( Map of Forum Dr. Property 1 · x 10, y -20; Its size is not known; 1 drone ready: Roof. )
(alarm-owner:1 #757575)
ALARM FELL QUIET · FORUM DR
It fell quiet.
Property: 1
Raised: 09:30:00 UTC
How often: 3 times within 2 min
""",
    ),
    (
        _removed,
        """\
(alarm:1 #757575)
ALARM OVER · FORUM DR
tester removed the property, 09:33:00 UTC.
Property: 1
Coordinates: 10, -20
Owner: Wren Halloway (license:owner)
Raised by: u
Raised: 09:30:00 UTC
How often: 3 times within 2 min
Last: u, 09:32:00 UTC
What was done: 09:33:00 UTC tester removed the property
( Map of Forum Dr. Property 1 · x 10, y -20; Its size is not known; No camera and no drone. )
(alarm-owner:1 #757575)
ALARM OVER · FORUM DR
The property was removed.
Property: 1
Raised: 09:30:00 UTC
How often: 3 times within 2 min
""",
    ),
]


def _colour(content: MessageContent) -> int:
    colour = content.embeds[0].colour
    return colour.value if colour is not None else 0


async def _shown(harness: AppHarness, act: Act) -> str:
    """Raise the alarm three times within two minutes, act, and return what everybody reads."""
    await harness.ask("add-user", userId="license:owner", fullName="Wren Halloway")
    await harness.add_equipment(await harness.add_property(), 3, "Roof")
    watched = Watched(harness)
    for _ in range(3):
        await watched.raise_at(1)
        harness.clock.now += MINUTE
    await act(watched)
    shown = []
    for subject in ("alarm:1", "alarm-call:1-1", "alarm-call:1-2", "alarm-owner:1"):
        content = await render(harness.database.read, Subject.parse(subject))
        if content is not None:
            shown.append(f"({subject} #{_colour(content):06x})\n{as_text(content)}")
    return "\n".join(shown) + "\n"


@pytest.mark.parametrize(("act", "expected"), SHOWN)
async def test_alarms_read_like_this(harness: AppHarness, act: Act, expected: str) -> None:
    assert (await _shown(harness, act)).splitlines() == expected.splitlines()
