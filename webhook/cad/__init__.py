"""What Sonoran CAD pushes, normalised; docs/cad.md describes every event."""

from webhook.cad import calls, notices, records, units  # noqa: F401 - each declares its events
from webhook.cad.events import CadEvent, InvalidPush, Partial, UnhandledType
from webhook.cad.registry import ACKNOWLEDGED, DECLARATIONS, READERS, parse
from webhook.protocol.events import ALL, CAD
from webhook.protocol.events import EVENTS as OWN_EVENTS

EVENTS: dict[str, type[CadEvent]] = {
    push_type: declaration.model for push_type, declaration in DECLARATIONS.items()
}
"""Every normalised event by its canonical type."""

EVENT_NAMES = frozenset({ALL, CAD, *OWN_EVENTS, *(f"{CAD}.{kind}" for kind in EVENTS)})
"""Every name that scripts can subscribe to."""

HANDLED_TYPES = frozenset(READERS) | ACKNOWLEDGED
"""Every push type that `parse` knows."""

__all__ = [
    "DECLARATIONS",
    "EVENTS",
    "EVENT_NAMES",
    "HANDLED_TYPES",
    "CadEvent",
    "InvalidPush",
    "Partial",
    "UnhandledType",
    "parse",
]
