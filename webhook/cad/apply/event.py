"""What the CAD's events change, by their type; most are only journalled.

Pushes are not numbered, rarely carry a time and arrive in any order, some twice. So they are stored
in such a way that the order of arrival matters as little as the events allow.

Every function returns the subjects of its event.
"""

from functools import singledispatch

from webhook.cad.arrival import Arrival
from webhook.cad.events.event import CadEvent
from webhook.protocol.context import Change
from webhook.protocol.events import Subject


@singledispatch
async def apply(event: CadEvent, change: Change, arrival: Arrival) -> list[Subject]:
    """Store what an event changes and return its subjects; most events are only journalled."""
    return []
