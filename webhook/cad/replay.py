"""Applying recent pushes again when a slower transport shows that they were sent in another order.

A push that one transport lost arrives late over the other, and overwrites what newer pushes set.
When the slower transport then delivers its copies of those newer pushes, they are applied again,
with all later ones about the same subject. So is a push that seemed to precede one that the other
transport lost, once its copy comes too long after that one to be out of order.
"""

import logging

import orjson

from db import fingerprints, journal
from webhook.cad.apply import apply
from webhook.cad.arrival import REORDER_WINDOW, Arrival
from webhook.cad.events.calls import DispatchNew
from webhook.cad.events.notices import Callout, PagerMessage, StationAlert
from webhook.cad.events.registry import EVENTS
from webhook.protocol.context import Change
from webhook.protocol.events import CAD, CardsOutdated

_ONLY_FIRST = (DispatchNew, Callout, PagerMessage, StationAlert)
"""Events that only add something; applying them again would change nothing."""

log = logging.getLogger(__name__)


async def replay(change: Change, arrival: Arrival, digest: bytes) -> None:
    """Apply a push again when its copy shows that it was sent later than it seemed."""
    copied = await fingerprints.newest(change.sql, digest, arrival.transport)
    if copied is None:
        return
    if not await fingerprints.delivered_others(
        change.sql,
        copied,
        arrival.transport,
        since=copied.at - REORDER_WINDOW,
        until=change.received - REORDER_WINDOW,
    ):
        return
    log.debug("a push over %s shows that pushes arrived out of order", arrival.transport)
    subjects: dict[str, None] = {}
    for push in await fingerprints.since(change.sql, copied, arrival.transport):
        numbers = range(push.first_event, push.first_event + push.events)
        for entry in await journal.by_id(change.sql, list(numbers)):
            model = EVENTS.get(entry.name.removeprefix(f"{CAD}."))
            if model is not None and not issubclass(model, _ONLY_FIRST):
                event = model.model_validate(orjson.loads(entry.data))
                found = await apply(event, change, arrival.as_replayed())
                subjects |= dict.fromkeys(map(str, found))
    await change.note(CardsOutdated(subjects=list(subjects)))
