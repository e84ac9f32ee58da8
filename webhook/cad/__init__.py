"""What Sonoran CAD pushes, normalised; docs/cad.md describes every event."""

from webhook.cad.events import calls, notices, records, units  # noqa: F401 - each declares its events
from webhook.cad.events.event import CadEvent, InvalidPush, Partial, UnhandledType
from webhook.cad.events.registry import ACKNOWLEDGED, EVENTS, READERS, parse
from webhook.protocol.events import ALL, CAD
from webhook.protocol.events import EVENTS as OWN_EVENTS

EVENT_NAMES = frozenset({ALL, CAD, *OWN_EVENTS, *(f"{CAD}.{kind}" for kind in EVENTS)})
"""Every name that scripts can subscribe to."""

HANDLED_TYPES = frozenset(READERS) | ACKNOWLEDGED
"""Every push type that `parse` knows."""

__all__ = [
    "EVENTS",
    "EVENT_NAMES",
    "HANDLED_TYPES",
    "CadEvent",
    "InvalidPush",
    "Partial",
    "UnhandledType",
    "parse",
]
