"""What Sonoran CAD pushes, normalised; docs/cad.md describes every event."""

from webhook.cad import alerts, calls, units  # noqa: F401 - each declares its events
from webhook.cad.events import MAX_EVENT_BYTES, CadEvent, InvalidPush, Partial, UnhandledType
from webhook.cad.registry import ACKNOWLEDGED, DECLARATIONS, READERS, parse

EVENTS: dict[str, type[CadEvent]] = {
    push_type: declaration.model for push_type, declaration in DECLARATIONS.items()
}
"""Every normalised event by its canonical type."""

HANDLED_TYPES = frozenset(READERS) | ACKNOWLEDGED
"""Every push type that `parse` knows."""

__all__ = [
    "DECLARATIONS",
    "EVENTS",
    "HANDLED_TYPES",
    "MAX_EVENT_BYTES",
    "CadEvent",
    "InvalidPush",
    "Partial",
    "UnhandledType",
    "parse",
]
