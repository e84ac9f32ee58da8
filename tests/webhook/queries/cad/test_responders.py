"""Who responds to an incident, what they note, and what becomes of both."""

from collections.abc import Awaitable, Callable

import pytest

from db import incidents, responders
from tests.webhook.harness import DAY, AppHarness
from webhook.cad.retention import Retention, forget_old
from webhook.cad.store import store_push
from webhook.protocol.context import Caller, Context, Scope
from webhook.protocol.errors import Conflict, Forbidden, NotFound
from webhook.protocol.events import Subject
from webhook.queries.cad.incidents import (
    NewIncidentNote,
    OfIncident,
    find_incident,
    get_notes,
    note_incident,
)
from webhook.queries.cad.responders import is_responding, leave_call, respond_to_call

CALL, DISPATCH = OfIncident(subject="emergency:1@cad"), OfIncident(subject="dispatch:10@cad")
PANIC = OfIncident(subject="panic:1")
PRESSED = "Unit 7K-22 has pressed their panic button!"


async def push(harness: AppHarness, kind: str, data: object) -> None:
    harness.clock.now += 1_000
    await store_push(harness.context(), "cad", {"type": kind, "data": data})


def member(harness: AppHarness, number: int, scope: Scope = Scope.READ) -> Context:
    name = f"discord:{number}"
    return harness.context().of(Caller(name, scope, (name,)))


async def open_call(harness: AppHarness) -> None:
    call = {"callId": 1, "isEmergency": True, "description": "Smoke"}
    await push(harness, "EVENT_911", {"call": call})


async def become_dispatch(harness: AppHarness) -> None:
    made = {"callId": 10, "title": "Fire", "metaData": {"origin911": "1"}}
    await push(harness, "EVENT_DISPATCH_NEW", {"dispatch": made})


async def responding(harness: AppHarness, ask: OfIncident) -> list[str]:
    incident = await find_incident(harness.database.read, Subject.parse(ask.subject))
    assert incident is not None
    subjects = [str(subject) for subject in incident.subjects]
    found = await responders.of_subjects(harness.database.read, subjects)
    return [response.caller for response in found]


async def test_responding_is_stored_and_published(harness: AppHarness) -> None:
    await open_call(harness)
    harness.take_events()
    await respond_to_call(member(harness, 7), CALL)
    await respond_to_call(member(harness, 8), CALL)
    await leave_call(member(harness, 7), CALL)
    assert await responding(harness, CALL) == ["discord:8"]
    told = {"kind": "emergency", "number": 1}
    assert harness.take_events() == [
        ("incident-changed", told | {"action": action, "by": f"discord:{by}"})
        for action, by in (("responding", 7), ("responding", 8), ("left", 7))
    ]


async def test_a_second_press_changes_nothing(harness: AppHarness) -> None:
    await open_call(harness)
    await respond_to_call(member(harness, 7), CALL)
    with pytest.raises(Conflict):
        await respond_to_call(member(harness, 7), CALL)
    await leave_call(member(harness, 7), CALL)
    with pytest.raises(Conflict):
        await leave_call(member(harness, 7), CALL)
    await respond_to_call(member(harness, 7), CALL)
    assert await responding(harness, CALL) == ["discord:7"]


async def test_responders_and_notes_stay_when_a_911_call_becomes_a_dispatch_call(
    harness: AppHarness,
) -> None:
    await open_call(harness)
    await respond_to_call(member(harness, 7), CALL)
    await note_incident(
        member(harness, 8, Scope.WRITE), NewIncidentNote(subject=CALL.subject, text="Red van")
    )
    await become_dispatch(harness)
    assert await responding(harness, DISPATCH) == ["discord:7"]
    assert [note.text for note in await get_notes(member(harness, 7), DISPATCH)] == ["Red van"]
    with pytest.raises(Conflict):
        await respond_to_call(member(harness, 7), DISPATCH)
    await respond_to_call(member(harness, 9), CALL)  # with the button of the old card
    assert await responding(harness, DISPATCH) == ["discord:7", "discord:9"]
    await leave_call(member(harness, 7), DISPATCH)
    assert not await is_responding(member(harness, 7), CALL)


async def test_a_panic_and_its_own_call_are_one_incident(harness: AppHarness) -> None:
    unit = {"id": 61, "data": {"unitNum": "7K-22"}}
    await push(harness, "EVENT_UNIT_LOGIN", {"unit": unit})
    await push(harness, "EVENT_911", {"call": {"callId": 1, "description": PRESSED}})
    await respond_to_call(member(harness, 7), CALL)
    await push(harness, "EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True})
    assert await responding(harness, PANIC) == ["discord:7"]


async def remove(harness: AppHarness) -> None:
    await push(harness, "EVENT_REMOVE_911", {"callIds": [1]})


async def close(harness: AppHarness) -> None:
    await become_dispatch(harness)
    await push(harness, "EVENT_DISPATCH_CLOSED", {"callIds": [10]})


@pytest.mark.parametrize("end", [remove, close])
async def test_nobody_responds_to_a_call_that_is_over(
    harness: AppHarness, end: Callable[[AppHarness], Awaitable[None]]
) -> None:
    await open_call(harness)
    await respond_to_call(member(harness, 7), CALL)
    await end(harness)
    with pytest.raises(Conflict):
        await respond_to_call(member(harness, 8), CALL)
    with pytest.raises(Conflict):
        await note_incident(
            member(harness, 8, Scope.WRITE), NewIncidentNote(subject=CALL.subject, text="Late")
        )
    incident = await find_incident(harness.database.read, Subject.parse(CALL.subject))
    assert incident is not None
    assert not incident.is_open


@pytest.mark.parametrize(
    "subject", ["emergency:2@cad", "dispatch:1@cad", "panic:1", "alarm:1", "x", ""]
)
async def test_an_unknown_incident_is_not_found(harness: AppHarness, subject: str) -> None:
    await open_call(harness)
    with pytest.raises(NotFound):
        await respond_to_call(member(harness, 7), OfIncident(subject=subject))


async def test_who_may_respond_and_note(harness: AppHarness) -> None:
    await open_call(harness)
    with pytest.raises(Forbidden):
        await respond_to_call(member(harness, 7, Scope.NONE), CALL)
    with pytest.raises(Forbidden):
        await note_incident(
            member(harness, 7), NewIncidentNote(subject=CALL.subject, text="Red van")
        )


async def test_responders_and_notes_are_deleted_with_the_call(harness: AppHarness) -> None:
    await open_call(harness)
    await respond_to_call(member(harness, 7), CALL)
    await note_incident(
        member(harness, 7, Scope.WRITE), NewIncidentNote(subject=CALL.subject, text="Red van")
    )
    await remove(harness)
    harness.clock.now += DAY + 1_000
    await forget_old(harness.context(), Retention(over=DAY), 100)
    assert await responders.of_subjects(harness.database.read, [CALL.subject]) == []
    assert await incidents.notes(harness.database.read, [CALL.subject]) == []
