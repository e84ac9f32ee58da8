"""The keys of the layout that can be picked: their names, what they are for, on which page."""

from cogs.i18n.language import N_, _
from cogs.routing.layout import SUPERVISOR_ROLES, Layout
from cogs.ui.text import inert_line

ROLES = {
    "roles.viewer": N_("can look everything up"),
    "roles.dispatcher": N_(
        "can also answer alarms, send drones, edit any property, its equipment and access list"
    ),
    "roles.approver": N_("can also approve, deny and restore"),
    "roles.admin": N_("can do everything; Server Settings › Integrations lets them see /setup"),
}
"""What the roles are for."""

PINGS = {
    "panic_role": N_("when somebody presses their panic button"),
    "emergency_role": N_("when a 911 call comes in"),
    "alarm_role": N_("when an alarm begins at a property"),
    SUPERVISOR_ROLES: N_("when nobody has acknowledged an alarm for long"),
}
"""When the roles are mentioned."""

CHANNELS = {
    "channels.emergency": N_("911 and 311 calls"),
    "channels.dispatch": N_("dispatch calls, tones, pages, station alerts"),
    "channels.panic": N_("panic buttons"),
    "channels.board": N_("one message with the units on duty and the open calls"),
    "channels.units": N_("every change of a unit's status"),
    "channels.records": N_("records, bulletins, warrants"),
    "channels.alerts": N_("alarms at properties"),
    "channels.visits": N_("visitors seen by the cameras"),
    "channels.crimes": N_("crimes reported by scripts"),
    "channels.access": N_("who badges in at a door"),
    "channels.properties": N_("changes to properties"),
    "channels.drones": N_("drones in the air"),
    "channels.approvals": N_("new properties and requested removals"),
    "channels.log": N_("messages about the bot itself"),
}
"""What is posted in the channels."""

PURPOSES = ROLES | PINGS | CHANNELS
"""What the keys of the layout are for that can be picked."""

_KEYS = {"roles": ROLES, "channels": CHANNELS, "pings": PINGS}

_NAMES = {
    "panic_role": N_("panic"),
    "emergency_role": N_("911"),
    "alarm_role": N_("alarm"),
    SUPERVISOR_ROLES: N_("supervisor"),
}


def keys_of(page: str, layout: Layout) -> list[str]:
    """Return the layout's keys on a page."""
    return [key for key in _KEYS.get(page, ()) if key in layout]


def page_of(key: str) -> str:
    """Return the page that a key is on."""
    return next(page for page, keys in _KEYS.items() if key in keys)


def takes_one(key: str) -> bool:
    """Tell whether a key of the layout is one role."""
    return key.endswith("_role")


def name_of(key: str) -> str:
    if key in _NAMES:
        return _(_NAMES[key])
    return inert_line(key.rpartition(".")[2], 40)


def purpose_of(key: str) -> str:
    return _(PURPOSES[key])
