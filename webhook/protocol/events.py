"""The events of the protocol: their names, data and subjects.

Scripts receive them as `events.<name>`. The names and fields are those of docs/protocol.md.
"""

import re
from collections.abc import Collection
from typing import ClassVar, NamedTuple

from webhook.protocol.wire import ExternalData, PositionData, Wire

ALL = "all"
"""The subscription to every event."""

CAD = "cad"
"""The subscription to every push event of the CAD; each is named `cad.<TYPE>`."""

ALL_WITH_CAD = "all+cad"
"""The subscription to every event of a session that asked for those of the CAD as well."""


class Subject(NamedTuple):
    """What events are about and a card may show: `flight:12`."""

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"

    @classmethod
    def parse(cls, text: str) -> "Subject":
        kind, _, key = text.partition(":")
        return cls(kind, key)

    @property
    def number(self) -> int:
        """The number in the key, which the CAD may follow: `7@cad`."""
        return int(self.key.partition("@")[0].partition(".")[0])

    @property
    def occurrence(self) -> int:
        """Which call of its number it is: 2 in `7.2@cad`, the first without it."""
        return int(self.key.partition("@")[0].partition(".")[2] or 1)

    @property
    def cad(self) -> str:
        """The CAD in the key, blank without one."""
        return self.key.partition("@")[2]


class BaseEvent(Wire):
    """Base of all events: a name, and data of which only the fields that were given are sent.

    `changed` is given, and false, where a query set what was set already.
    """

    name: ClassVar[str]

    def dump(self) -> bytes:
        return self.model_dump_json(by_alias=True, exclude_unset=True).encode()


class Event(BaseEvent):
    """Base of the events that scripts can subscribe to.

    `external` is added to those of a property that has one when they are emitted.
    """

    external: ExternalData | None = None

    @property
    def property_number(self) -> int | None:
        """The id of the property that the event is about, if it is about one."""
        number = getattr(self, "property_id", None)
        return None if number is None else int(number)


class SystemEvent(BaseEvent):
    """Base of the events about this program itself, which only Discord receives."""


class CardsOutdated(BaseEvent):
    """What these subjects' cards show has changed without an event; for the cards alone."""

    name = "sentinel.cards-outdated"
    subjects: list[str]


class MemberLinked(BaseEvent):
    """Somebody typed a member's code in the game; for the member's private message alone."""

    name = "sentinel.member-linked"
    member_id: str
    user_id: str


class CadRequestChanged(BaseEvent):
    """What became of a request to the CAD; for its worker, who waits for it, and these cards."""

    name = "sentinel.cad-request"
    request_id: str
    state: str
    subjects: list[str]


class TroubleChanged(SystemEvent):
    """Something is wrong, is worded differently, or is over.

    `key`: its kind and what it is about, like `cad-silent.county`. `member_id`: who is told by a
    private message, 0 for the log channel.
    """

    name = "sentinel.trouble"
    id: int
    key: str
    member_id: int = 0


class Daily(SystemEvent):
    """The numbers of the day that ended on a date; `problems` are warnings in the log."""

    name = "sentinel.daily"
    day: str
    pushes: int
    emergencies: int
    dispatches: int
    panics: int
    alarms: int
    visits: int
    flights: int
    messages: int
    problems: int


class AlertRaised(Event):
    """An alert was raised at a property."""

    name = "alerts"
    property_id: str
    user: str
    alert_id: int
    alarm_id: int
    timestamp: str


class AlarmChanged(Event):
    """An alarm changed, by somebody or, without `by`, on its own.

    `previous`: who handled it until it was taken over or released.
    """

    name = "alarm-changed"
    alarm_id: int
    property_id: int
    action: str
    by: str | None = None
    previous: str | None = None


class IncidentChanged(Event):
    """Somebody did something in Discord about a 911 call, a dispatch call or a panic."""

    name = "incident-changed"
    kind: str
    number: int
    cad: str | None = None
    action: str
    by: str
    text: str | None = None


class VisitRecorded(Event):
    """Somebody visited a property, as one of its cameras or a script reported."""

    name = "visits"
    property_id: int
    client_id: str
    camera_id: int | None = None


class Scanned(Event):
    """Somebody was scanned at a property; sent with every visit."""

    name = "scanned"
    property_id: str
    client_id: str


class Crime(Event):
    """A crime was reported, at a property or elsewhere."""

    name = "crimes"
    property_id: int | None = None
    client_id: str | None = None
    crime_id: int


class AuthEntryRecorded(Event):
    """Somebody identified themselves at a property's door."""

    name = "auth-entries"
    property_id: str
    client_id: str
    allowed: bool
    reason: str | None = None
    method: str | None = None


class AllowedUsersChanged(Event):
    """A user may enter a property from now on, or no longer."""

    name = "allowed-users-changed"
    property_id: int
    user_id: str
    allowed: bool


class PropertyAdded(Event):
    """A property was added; it waits for approval."""

    name = "property-added"
    id: int
    owner: str
    location: str
    tier: int
    x: int
    y: int
    position: PositionData | None = None
    description: str
    client_id: str

    @property
    def property_number(self) -> int:
        return self.id


class PropertyRemoved(Event):
    """A property was removed without a request."""

    name = "property-removed"
    property_id: int


class PropertyStatusChange(Event):
    """A property's status was set; `cause`: the event that explains it, sent just before."""

    name = "property-status-change"
    property_id: int
    status: str
    previous: str
    changed: bool | None = None
    cause: str | None = None


class PropertyOwnerChange(Event):
    """A property has another owner."""

    name = "property-owner-change"
    property_id: int
    owner: str
    previous: str


class PropertyDetailsChanged(Event):
    """A property's location or description changed; only what changed is there."""

    name = "property-details-changed"
    property_id: int
    location: str | None = None
    description: str | None = None


class PropertyEquipmentChange(Event):
    """Equipment was added to a property (with type and description) or removed from it."""

    name = "property-equipment-change"
    property_id: int
    equipment_id: int
    equipment_type: int | None = None
    description: str | None = None


class RequestedRemoveProperty(Event):
    """Somebody requested the removal of a property."""

    name = "requested-remove-property"
    property_id: int
    user_id: str | None = None
    reason: str | None = None


class ApprovedRemoveProperty(Event):
    """A requested removal was approved; the property is removed."""

    name = "approved-remove-property"
    property_id: int


class DeniedRemoveProperty(Event):
    """A requested removal was denied; the property got its earlier status back."""

    name = "denied-remove-property"
    property_id: int
    reason: str | None = None


class ApprovalGiven(Event):
    """Somebody approved, and `missing` further approvals are needed."""

    name = "approval-given"
    property_id: int
    missing: int


class PropertyRestored(Event):
    """A removed property was restored, with its earlier status."""

    name = "property-restored"
    property_id: int
    status: str


class WithdrawnRemoveProperty(Event):
    """A requested removal was withdrawn; the property got its earlier status back."""

    name = "withdrawn-remove-property"
    property_id: int


class DroneDispatched(Event):
    """A drone was sent out."""

    name = "drone-dispatched"
    property_id: int
    drone_id: int


class DroneRecalled(Event):
    """A drone was called back."""

    name = "drone-recalled"
    property_id: int
    drone_id: int


class PropertyCoordinatesChanged(Event):
    """A property was moved on the map."""

    name = "property-coordinates-changed"
    property_id: int
    x: int
    y: int
    position: PositionData | None = None
    changed: bool | None = None


class PropertySizeChanged(Event):
    """A property's rectangle changed; `size` is its area in square metres."""

    name = "property-size-changed"
    property_id: int
    width: int
    height: int
    size: int
    changed: bool | None = None


class PropertyTierChanged(Event):
    """A property's tier changed."""

    name = "property-tier-changed"
    property_id: int
    tier: int
    changed: bool | None = None


EVENTS: dict[str, type[Event]] = {event.name: event for event in Event.__subclasses__()}
"""The events of the property protocol by name; those of the CAD are named by their push type."""

SYSTEM_EVENTS: dict[str, type[SystemEvent]] = {
    event.name: event for event in SystemEvent.__subclasses__()
}
"""The events about this program itself by name; scripts do not receive them."""


_PUSH_TYPE = re.compile(rf"{CAD}\.[A-Z0-9][A-Z0-9_]{{0,63}}")


def is_event_name(name: str, declared: Collection[str]) -> bool:
    """Return whether events of a name can exist; the CAD may have any push type."""
    return name in declared or _PUSH_TYPE.fullmatch(name) is not None


def read_event_name(text: str) -> str:
    """Return an event's name without its prefix, and without `*`s at the end."""
    return text.strip().rstrip("*").rstrip(".").removeprefix("events.")
