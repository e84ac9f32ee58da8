"""What people and rules ask of a CAD: note, close, panic over, a status, a 911 call.

Nothing is sent here: each function writes a request in the transaction of what caused it, and
webhook/cad_api carries it out.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import uuid4

import orjson
from pydantic import Field, StringConstraints

from db import cad_requests, private_answers, settings, units
from db.cad_requests import LONGEST, CadRequest
from db.database import Reader, Transaction
from db.private_answers import PrivateAnswer
from webhook.protocol.catalogue import operation
from webhook.protocol.context import Change, Context, Scope
from webhook.protocol.errors import Conflict, RateLimited
from webhook.protocol.events import CadRequestChanged, Subject
from webhook.protocol.postals import MAX_CODE
from webhook.protocol.wire import TEXT, Request
from webhook.queries.cad.incidents import (
    Incident,
    NewIncidentNote,
    OfIncident,
    note_incident,
    open_incident,
)
from webhook.queries.models import member_subject

API_CADS = "cad.api"
GAME_CADS = "cad.game"
"""The settings that hold the names of the CADs that can be asked, with blanks between: those that
the bot has an API key of, and those that a game server asks."""

LANES = {
    "panic": 0,
    "attach": 1,
    "detach": 1,
    "close": 2,
    "note": 2,
    "status": 2,
    "remove-911": 2,
    "create-911": 3,
    "create-dispatch": 3,
    "calls": 4,
    "units": 4,
}
"""The kinds of requests, and which go first: those of lane 0 before all others."""

MINUTE = 60_000

PERSON_WAITS = 5 * MINUTE
"""Milliseconds after which what a person waits for is not done any more."""

NOBODY_WAITS = 15 * MINUTE
"""The same for what a rule asked for."""

EMERGENCIES_PER_MINUTE = 2
"""911 calls that one member may place in a minute."""

MAX_CAD_NUMBER = 2**31 - 1
"""The CAD counts its calls from 1; a drill's have far greater numbers."""

LABEL = "Discord"
"""Whose the CAD says a note is, if nothing better is known."""

LINE_LENGTH = 200
CALL_LENGTH = 1_500
"""Characters of where a 911 call is, and of what it says."""

Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LINE_LENGTH), TEXT
]
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=CALL_LENGTH), TEXT
]


class NewEmergency(Request):
    """A 911 call, or a 311 call if it is no emergency."""

    location: Line
    description: Text
    postal: Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_CODE)] = ""
    caller: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""
    is_emergency: bool = True


class NewUnitStatus(Request):
    """The status of a unit, by the CAD's number: from unavailable to on scene."""

    status: Annotated[int, Field(ge=0, le=4)]


async def store_api_cads(sql: Transaction, names: Sequence[str]) -> None:
    await settings.put(sql, API_CADS, " ".join(names))


async def store_game_cads(sql: Transaction, names: Sequence[str]) -> None:
    await settings.put(sql, GAME_CADS, " ".join(names))


async def game_cads(sql: Reader) -> list[str]:
    """Return the names of the CADs that game servers ask for us."""
    return (await settings.get(sql, GAME_CADS) or "").split()


async def api_cads(sql: Reader) -> list[str]:
    """Return the names of the CADs that can be asked for something, those with a key first."""
    with_key = (await settings.get(sql, API_CADS) or "").split()
    return list(dict.fromkeys(with_key + await game_cads(sql)))


async def can_ask(sql: Reader, cad: str) -> bool:
    return cad in await api_cads(sql)


async def ask_cad(
    change: Change,
    cad: str,
    kind: str,
    body: Mapping[str, Any],
    *,
    about: Subject | None = None,
    after: str | None = None,
    within: int | None = PERSON_WAITS,
) -> str:
    """Write a request into the outbox and return its id.

    `after`: a request that makes the call that this one is about. `within`: milliseconds after
    which it is given up; None: never.
    """
    request_id = str(uuid4())
    if kind.startswith("create-"):
        meta = {**body.get("metaData", {}), "uuid": request_id, "source": "cad-sentinel"}
        body = {**body, "metaData": meta}
    await cad_requests.add(
        change.sql,
        id=request_id,
        cad=cad,
        kind=kind,
        lane=LANES[kind],
        body=orjson.dumps(body).decode(),
        subject="" if about is None else str(about),
        asked_by=change.caller.name,
        after=after,
        now=change.received,
        deadline=None if within is None else change.received + within,
    )
    await note_change(change, request_id, "new", "" if about is None else str(about))
    return request_id


async def note_change(change: Change, request_id: str, state: str, *subjects: str) -> None:
    """Tell the worker, those who wait, and the cards that show it what became of a request."""
    shown = [subject for subject in subjects if subject]
    await change.note(CadRequestChanged(request_id=request_id, state=state, subjects=shown))


async def note_done(change: Change, request: CadRequest) -> None:
    """Tell that a request was done; remove the 911 call that has become a dispatch call by it."""
    await note_change(change, request.id, "done", request.subject)
    origin = request.asked.get("metaData", {}).get("origin911")
    if request.kind == "create-dispatch" and origin is not None:
        gone = {"callId": int(origin)}
        await ask_cad(change, request.cad, "remove-911", gone, within=LONGEST)


@operation(scope=Scope.READ)
async def why_kept_here(context: Context, ask: OfIncident) -> str:
    """Return why the CAD is not told of an act: `way`, there is none; `call`, it has no such call.

    Blank for a drill.
    """
    cad = await cad_of(context.read, await open_incident(context.read, ask.subject))
    if not cad:
        return ""
    return "call" if await can_ask(context.read, cad) else "way"


@operation(scope=Scope.WRITE)
async def note_call(context: Context, ask: NewIncidentNote, label: str = LABEL) -> str | None:
    """Add a note to an incident, and to its dispatch call in the CAD.

    Return the id of the request; None if there is no such call, or the CAD cannot be asked.
    `label`: whose the CAD says it is.
    """
    async with context.change() as change:
        await note_incident(context.joining(change.sql), ask)
        incident = await open_incident(change.sql, ask.subject)
        cad = await cad_of(change.sql, incident)
        call = next((call for call in incident.dispatches if call.closed_at is None), None)
        if call is None or not await can_ask(change.sql, cad):
            return None
        body = note_body(call.call_id, ask.text, label)
        return await ask_cad(change, cad, "note", body, about=incident.subject)


async def cad_of(sql: Reader, incident: Incident) -> str:
    """Return the CAD that an incident is in; blank for a drill."""
    if _is_of_drill(incident):
        return ""
    if incident.subject.kind != "panic":
        return incident.subject.cad
    start = await units.panic_start(sql, incident.subject.number)
    return "" if start is None else start.cad


@operation(scope=Scope.READ)
async def set_own_status(context: Context, cad: str, ask: NewUnitStatus) -> str:
    """Set the status of the caller's unit."""
    async with context.change() as change:
        await _must_ask(change.sql, cad)
        return await ask_cad(
            change,
            cad,
            "status",
            {"discord": str(context.caller.must_be_member()), "status": ask.status},
        )


@operation(scope=Scope.WRITE)
async def close_call(context: Context, ask: OfIncident) -> str:
    """Close the dispatch call of an incident, or remove its 911 call.

    Raises:
        Conflict: it is over, or the CAD cannot be asked.
    """
    async with context.change() as change:
        incident = await open_incident(change.sql, ask.subject)
        cad = await cad_of(change.sql, incident)
        await _must_ask(change.sql, cad)
        await change.audit("close-call", incident.subject)
        numbers = [call.call_id for call in incident.dispatches if call.closed_at is None]
        if numbers:
            body = {"callIds": numbers}
            return await ask_cad(change, cad, "close", body, about=incident.subject)
        for call in incident.emergencies:
            if call.is_open:
                gone = {"callId": call.call_id}
                return await ask_cad(change, cad, "remove-911", gone, about=incident.subject)
        raise Conflict("this is a panic; press Panic over on its card")


@operation(scope=Scope.APPROVE)
async def end_panic(context: Context, ask: OfIncident) -> str:
    """End a panic for all of its units."""
    async with context.change() as change:
        incident = await open_incident(change.sql, ask.subject)
        cad = await cad_of(change.sql, incident)
        await _must_ask(change.sql, cad)
        members = [
            unit
            for panic in incident.open_panics
            for unit in await units.panic_units(change.sql, panic)
        ]
        idents = [unit.ident for unit in members if unit.cleared_at is None]
        if not idents:
            raise Conflict("this panic is over")
        await change.audit("panic-over", incident.subject)
        body = {"identIds": idents, "isPanic": False}
        return await ask_cad(change, cad, "panic", body, about=incident.subject)


@operation(scope=Scope.READ)
async def place_emergency(context: Context, cad: str, ask: NewEmergency) -> str:
    """Place a 911 call in the CAD.

    Raises:
        RateLimited: the caller has just placed others.
    """
    caller = context.caller.name
    async with context.change() as change:
        await _must_ask(change.sql, cad)
        since = change.received - MINUTE
        placed = await cad_requests.asked_since(change.sql, cad, caller, "create-911", since)
        if placed >= EMERGENCIES_PER_MINUTE:
            raise RateLimited("you have just placed 911 calls, wait a minute")
        request_id = await ask_cad(change, cad, "create-911", emergency_body(ask))
        about = member_subject(context.caller.must_be_member())
        await change.audit("place-911", about, after={"location": ask.location})
        return request_id


def note_body(call_id: int, text: str, label: str = LABEL) -> dict[str, Any]:
    """Return what the CAD is told of a note on a dispatch call."""
    return {"callId": call_id, "note": text, "noteType": "text", "label": label}


def emergency_body(ask: NewEmergency, meta_data: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what the CAD is told of a 911 call; metadata are texts there."""
    meta = {**({"postal": ask.postal} if ask.postal else {}), **(meta_data or {})}
    return {
        "isEmergency": ask.is_emergency,
        "caller": ask.caller,
        "location": ask.location,
        "description": ask.description,
        "metaData": meta,
    }


@operation(scope=Scope.NONE)
async def store_answer(
    context: Context, request_id: str, message_id: int, token: str, said: str, locale: str
) -> None:
    """Store the private answer of a member that is edited when their request has ended.

    `said`: what it goes on saying.
    """
    async with context.change() as change:
        request = await cad_requests.get(change.sql, request_id)
        if request is None or request.asked_by != context.caller.name:
            return
        member_id, key = context.caller.must_be_member(), str(request_subject(request_id))
        await private_answers.put(
            change.sql,
            PrivateAnswer(key, member_id, message_id, token, change.received, said, locale),
        )
        if not request.is_open:
            await note_change(change, request_id, request.state)


def request_subject(request_id: str) -> Subject:
    """Return the subject of the private answer to a request."""
    return Subject("asked", request_id)


async def _must_ask(sql: Reader, cad: str) -> None:
    if not await can_ask(sql, cad):
        raise cannot_ask()


def cannot_ask() -> Conflict:
    return Conflict(
        "the bot cannot ask the CAD for this yet; an admin can set that up on the last page of"
        " /setup"
    )


def place_metadata(x: float | None, y: float | None, z: float | None = None) -> dict[str, str]:
    """Return the metadata of a place: the CAD takes texts alone."""
    if x is None or y is None:
        return {}
    return {"x": f"{x:.2f}", "y": f"{y:.2f}"} | ({} if z is None else {"z": f"{z:.2f}"})


def _is_of_drill(incident: Incident) -> bool:
    """Return whether an incident is of a drill, whose calls the CAD does not have."""
    return any(part.kind != "panic" and part.number > MAX_CAD_NUMBER for part in incident.subjects)
