"""What the CAD's announcements change: a callout that comes again replaces itself."""

from db import notices
from webhook.cad.apply.event import apply
from webhook.cad.arrival import DUPLICATE_WINDOW, Arrival
from webhook.cad.events.event import notice_subject
from webhook.cad.events.notices import Callout, PagerMessage, StationAlert
from webhook.protocol.context import Change
from webhook.protocol.events import Subject

_NOTICE_KINDS: dict[str, notices.Kind] = {
    PagerMessage.type: "pager",
    StationAlert.type: "station",
    Callout.type: "callout",
}


@apply.register
async def store_notice(
    event: PagerMessage | StationAlert | Callout, change: Change, arrival: Arrival
) -> list[Subject]:
    key = _callout_key(event) if isinstance(event, Callout) else ""
    data = event.model_dump_json(by_alias=True)
    kind = _NOTICE_KINDS[event.type]
    since = change.happened - (arrival.window or DUPLICATE_WINDOW)
    notice_id = await notices.put(
        change.sql, arrival.cad, kind, key, data, change.received, change.age, since=since
    )
    return [notice_subject(notice_id)]


def _callout_key(callout: Callout) -> str:
    """Return what tells callouts apart: the id is only their kind ("armed_suspect")."""
    if not callout.id:
        return ""
    return " ".join([callout.id, *(f"{at.x:.0f},{at.y:.0f}" for at in callout.locations)])
