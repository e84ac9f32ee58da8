"""Members' units on calls of the CAD: put onto the call of an incident, and taken off it again."""

from itertools import chain

from db import cad_requests, dispatches, units
from db.cad_requests import CadRequest
from db.calls import CallKey
from db.database import Reader
from db.emergencies import EmergencyCall
from webhook.protocol.clean_text import clean_text
from webhook.protocol.context import Change
from webhook.protocol.events import Subject
from webhook.queries.cad.incidents import Incident
from webhook.queries.cad.requests import ask_cad, cad_of, can_ask, place_metadata

TITLE_LENGTH = 100
"""Characters of the title of a dispatch call."""


async def attach_caller(change: Change, incident: Incident) -> str | None:
    """Ask for the caller's unit on an incident; a 911 call becomes a dispatch call first.

    Return the id of the request whose end the caller waits for; None if the CAD cannot be asked.
    """
    cad = await cad_of(change.sql, incident)
    if not await can_ask(change.sql, cad):
        return None
    member, about = str(change.caller.must_be_member()), incident.subject
    for call in incident.dispatches:
        if call.closed_at is None:
            return await _attach(change, call.key, member, about)
    for emergency in incident.emergencies:
        if emergency.is_open and emergency.seen:
            return await _respond_to_emergency(change, emergency, member, about)
    if incident.open_panics:
        return await _respond_to_panic(change, cad, incident.open_panics[0], member, about)
    return None


async def detach_caller(change: Change, incident: Incident) -> str | None:
    """Ask to take the caller's unit off its call, if the bot has put it onto this one."""
    cad = await cad_of(change.sql, incident)
    if not await can_ask(change.sql, cad):
        return None
    asked = await _own_attachments(change.sql, incident, change.caller.name)
    own = {ident for request in asked for ident in request.idents or []}
    on_calls = [await dispatches.units(change.sql, *call.key) for call in incident.dispatches]
    if not any(request.is_open for request in asked) and own.isdisjoint(chain(*on_calls)):
        return None
    body = {"discord": str(change.caller.must_be_member())}
    return await ask_cad(change, cad, "detach", body, about=incident.subject)


async def has_failed(sql: Reader, incident: Incident, caller: str) -> bool:
    """Return whether the CAD did not put a caller's unit onto an incident, so they try again."""
    asked = await _own_attachments(sql, incident, caller)
    return bool(asked) and asked[-1].state in ("refused", "unknown")


async def _own_attachments(sql: Reader, incident: Incident, caller: str) -> list[CadRequest]:
    """Return what a caller asked for to be put onto an incident, oldest first."""
    found = [
        request
        for subject in incident.subjects
        for request in await cad_requests.of_subject(sql, str(subject))
        if request.asked_by == caller and request.kind in ("attach", "create-dispatch")
    ]
    return sorted(found, key=lambda request: request.seq)


async def _respond_to_emergency(
    change: Change, call: EmergencyCall, member: str, about: Subject
) -> str:
    """Attach to the dispatch call of a 911 call; make it if there is none."""
    if call.dispatch_key is not None:
        return await _attach(change, call.dispatch_key, member, about)
    for request in await cad_requests.unfinished_of_kind(change.sql, call.cad, "create-dispatch"):
        if request.asked["metaData"].get("origin911") == str(call.call_id):
            return await _attach_after(change, request, member, about)
    meta = {"origin911": str(call.call_id), "createdFromId": str(call.call_id)}
    postal = {"postal": call.postal} if call.postal else {}
    body = {
        "status": 1,
        "priority": 1 if call.is_emergency else 3,
        "title": _title(call),
        "address": call.location,
        "postal": call.postal,
        "description": call.description,
        "metaData": meta | place_metadata(call.x, call.y) | postal,
        "discord": member,
    }
    return await ask_cad(change, call.cad, "create-dispatch", body, about=about)


async def _respond_to_panic(
    change: Change, cad: str, panic_id: int, member: str, about: Subject
) -> str:
    """Attach to the dispatch call that was made for a panic; make it if there is none."""
    for request in await cad_requests.of_subject(change.sql, str(about)):
        if request.kind == "create-dispatch" and request.state in ("new", "sent", "done"):
            return await _attach_after(change, request, member, about)
    members = await units.panic_units(change.sql, panic_id)
    idents = [unit.ident for unit in members if unit.cleared_at is None]
    known = await units.by_ident(change.sql, cad, idents)
    numbers = ", ".join(known[i].unit_num if i in known else str(i) for i in idents)
    location = next((unit.location for unit in known.values() if unit.location), "")
    body = {
        "status": 1,
        "priority": 1,
        "title": clean_text(f"PANIC {numbers}", TITLE_LENGTH),
        "address": location,
        "metaData": {},
        "discord": member,
    }
    return await ask_cad(change, cad, "create-dispatch", body, about=about)


async def _attach(change: Change, call: CallKey, member: str, about: Subject) -> str:
    body = {"callId": call.call_id, "discord": member}
    return await ask_cad(change, call.cad, "attach", body, about=about)


async def _attach_after(change: Change, made: CadRequest, member: str, about: Subject) -> str:
    """Attach to a call that is being made; who has it made is attached by that, if they stayed."""
    is_own = made.asked_by == change.caller.name
    if made.is_open and is_own and not await _leaves(change.sql, made):
        return made.id
    body = {"discord": member}
    return await ask_cad(change, made.cad, "attach", body, about=about, after=made.id)


async def _leaves(sql: Reader, made: CadRequest) -> bool:
    """Return whether who has a call made asked to be taken off it meanwhile."""
    leaving = await cad_requests.unfinished_of_kind(sql, made.cad, "detach")
    return any(one.asked_by == made.asked_by and one.seq > made.seq for one in leaving)


def _title(call: EmergencyCall) -> str:
    first = next(iter(call.description.splitlines()), "").strip()
    return clean_text(
        first or f"{'911' if call.is_emergency else '311'} {call.call_id}", TITLE_LENGTH
    )
