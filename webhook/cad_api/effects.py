"""What a request that was done has changed, as the events that the CAD would have pushed."""

from collections.abc import Mapping, Sequence
from typing import Any

from webhook.cad.events.event import CadEvent, InvalidPush, UnhandledType
from webhook.cad.events.registry import parse
from webhook.cad_api.client import idents_of


def effects_of(kind: str, body: Mapping[str, Any], answer: Any) -> Sequence[CadEvent]:
    """Return the events of a request that was done, from what was asked and the CAD's answer."""
    push = _push_of(kind, body, answer if isinstance(answer, dict) else {})
    if push is None:
        return []
    try:
        return parse({"type": push[0], "data": push[1]})
    except (InvalidPush, UnhandledType):
        return []  # an answer without ids: the CAD's pushes and the next reading have to tell


def _push_of(
    kind: str, body: Mapping[str, Any], answer: Mapping[str, Any]
) -> tuple[str, dict[str, Any]] | None:
    idents = idents_of(answer)
    if kind == "attach":
        push = {"callId": body["callId"], "idents": idents}
        return ("EVENT_DISPATCH_UNIT_ATTACH", push) if idents else None
    if kind == "detach":
        return ("EVENT_DISPATCH_UNIT_DETACH", {"idents": idents}) if idents else None
    if kind == "close":
        return "EVENT_DISPATCH_CLOSED", {"callIds": body["callIds"]}
    if kind == "remove-911":
        return "EVENT_REMOVE_911", {"callIds": [body["callId"]]}
    if kind == "note":
        note = {"time": "", "label": body["label"], "type": "text", "content": body["note"]}
        return "EVENT_DISPATCH_NOTE", {"callId": body["callId"], "note": note}
    if kind == "status":
        push = {"identIds": idents, "status": body["status"]}
        return ("EVENT_UNIT_STATUS", push) if idents else None
    if kind == "panic":
        return "EVENT_UNIT_PANIC", {"identIds": body["identIds"], "isPanic": body["isPanic"]}
    if kind == "create-911":
        return "EVENT_911", {"call": _made(body, answer)}
    if kind == "create-dispatch":
        return "EVENT_DISPATCH_NEW", {"dispatch": _made(body, answer)}
    return None


def _made(body: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call that was made: what the CAD says of it, and else what was asked."""
    asked = {name: value for name, value in body.items() if name not in ("discord", "accounts")}
    given = {name: value for name, value in answer.items() if value is not None}
    answered = given.get("metaData")
    meta = {**body.get("metaData", {}), **(answered if isinstance(answered, dict) else {})}
    idents = idents_of(given)
    units = {} if idents is None else {"idents": idents}
    return {**asked, **given, **units, "metaData": meta}
