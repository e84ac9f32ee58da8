"""Which pushes only repeat what we asked the CAD for ourselves.

The documents contradict each other about what the CAD pushes after a change over its API, and in
which order. So no push is waited for and none is trusted to stay away: one that says nothing beyond
what our own success has stored is a confirmation. It is no event.
"""

from db import cad_requests
from db.cad_requests import CadRequest
from webhook.cad.arrival import REORDER_WINDOW
from webhook.cad.events.calls import (
    Call911,
    DispatchClosed,
    DispatchNew,
    DispatchNote,
    Removed911,
    UnitAttach,
    UnitDetach,
)
from webhook.cad.events.event import CadEvent
from webhook.cad.events.units import UNIT_STATUS, UnitPanic, UnitStatus
from webhook.cad.events.values import NOTE_LIMIT, choice
from webhook.cad.own.news import news_of
from webhook.protocol.clean_text import clean_text
from webhook.protocol.context import Change
from webhook.queries.cad.requests import note_change, note_done

ECHO_WINDOW = 120_000
"""Milliseconds after a request within which the CAD may still push what it did."""

_KINDS: dict[type[CadEvent], tuple[str, ...]] = {
    Call911: ("create-911",),
    Removed911: ("remove-911",),
    DispatchNew: ("create-dispatch",),
    DispatchNote: ("note",),
    DispatchClosed: ("close",),
    UnitAttach: ("attach", "create-dispatch"),
    UnitDetach: ("detach", "close"),
    UnitStatus: ("status",),
    UnitPanic: ("panic",),
}
"""The kinds of requests after which an event may be an echo."""

_UNDONE_BY: dict[type[CadEvent], tuple[str, ...]] = {
    UnitAttach: ("detach", "close"),
    UnitDetach: ("attach",),
    UnitStatus: ("status",),
}
"""The kinds of requests that undo what an event reports."""


async def is_echo(event: CadEvent, change: Change, cad: str) -> bool:
    """Return whether a pushed event only confirms a request.

    One whose answer is still missing, or was lost, is known to be done then.
    """
    kinds = _KINDS.get(type(event))
    if kinds is None:
        return False
    since = change.received - ECHO_WINDOW
    requests = [
        request
        for request in await cad_requests.recent(change.sql, cad, kinds, since)
        if _is_about(request, event)
    ]
    if not requests:
        return False
    news = await news_of(event, change, cad, requests[0].asked_at)
    for request in requests:
        await _confirm(request, event, change)
    return news is None or await _is_undone(event, requests, change, cad)


def _is_about(request: CadRequest, event: CadEvent) -> bool:
    """Return whether an event may be what a request did: by its mark, its call, or its units."""
    if isinstance(event, Call911 | DispatchNew):
        return event.meta_data.get("uuid") == request.id
    if isinstance(event, DispatchNote):
        asked = request.asked
        text = clean_text(asked["note"], NOTE_LIMIT)
        return asked["callId"] == event.call_id and text == event.note.content
    return True


async def _confirm(request: CadRequest, event: CadEvent, change: Change) -> None:
    if not isinstance(event, Call911 | DispatchNew | DispatchNote):
        return  # what has no mark of ours may be somebody else's
    effect = cad_requests.effect_text(event.call_id)
    if request.state == "sent" and not request.answer:
        await cad_requests.note_answer(change.sql, request.id, effect)
        await note_change(change, request.id, "sent")
    elif request.state == "unknown":
        await cad_requests.confirm(change.sql, request.id, change.received, effect)
        await note_done(change, request)


async def _is_undone(event: CadEvent, requests: list[CadRequest], change: Change, cad: str) -> bool:
    """Return whether an event is the late echo of a request that something has undone since.

    An officer who presses the button again just after a panic was ended has that panic go on.
    """
    if not isinstance(event, UnitAttach | UnitDetach | UnitStatus | UnitPanic):
        return False
    since = change.received - REORDER_WINDOW
    done = [
        request.seq
        for request in requests
        if request.ended_at is not None and request.ended_at >= since and _did(request, event)
    ]
    if not done or isinstance(event, UnitPanic):
        return bool(done)
    undoing = await cad_requests.recent(change.sql, cad, _UNDONE_BY[type(event)], since)
    return any(request.seq > done[0] and _may_concern(request, event) for request in undoing)


def _did(request: CadRequest, event: UnitAttach | UnitDetach | UnitStatus | UnitPanic) -> bool:
    """Return whether a request that is done did what an event reports."""
    asked = request.asked
    if isinstance(event, UnitPanic):
        return event.is_panic == asked["isPanic"] and set(event.idents) <= set(asked["identIds"])
    if isinstance(event, UnitStatus) and choice(asked["status"], UNIT_STATUS) != event.status:
        return False
    if isinstance(event, UnitAttach) and event.call_id not in (None, request.call_id):
        return False
    return set(event.idents) <= set(request.idents or [])


def _may_concern(request: CadRequest, event: UnitAttach | UnitDetach | UnitStatus) -> bool:
    """Return whether a request may be about units of an event; before its answer, any may."""
    return request.idents is None or not set(event.idents).isdisjoint(request.idents)
