"""Names of units, calls, properties, users, CADs and statuses, as cards and answers show them."""

import re
from collections.abc import Mapping
from contextvars import ContextVar

from cogs.i18n.language import N_, _, plural
from cogs.ui.embeds import HEADLINE
from cogs.ui.text import count_more, fitting, inert, inert_line, plain_line, who
from db import cards, community, equipment, flights, links, properties, users
from db.database import Reader
from db.properties import ACTIVE, PENDING, REJECTED, REMOVED, Property
from db.units import Unit
from webhook.cad.status_names import StatusNames
from webhook.protocol.events import Subject
from webhook.queries.cad.lookup import configured_cads
from webhook.queries.guilds import home_guild

UNIT = 24
"""Characters of a unit's number, at most."""

STATUSES = {
    "ON_SCENE": N_("On scene"),
    "ENROUTE": N_("En route"),
    "BUSY": N_("Busy"),
    "AVAILABLE": N_("Available"),
    "UNAVAILABLE": N_("Unavailable"),
    "OFFLINE": N_("Offline"),
    "PENDING": N_("Pending"),
    "ACTIVE": N_("Active"),
    "CLOSED": N_("Closed"),
}
"""The CAD's own statuses: units' before calls', the most urgent first."""

PROPERTY_STATUSES = {
    PENDING: N_("waiting for approval"),
    ACTIVE: N_("active"),
    REJECTED: N_("rejected"),
    REMOVED: N_("removal requested"),
}
"""What the statuses mean that the bot itself gives to properties."""

POSTAL = 19
"""Characters of a postal code behind a place, with its brackets."""

_POSTAL = re.compile(r"\s*\[([^\[\]\s]{1,16})\]\s*")
"""How the game writes a postal code before a street: `[3014] Paleto Blvd`."""

_LONG_ID = re.compile(r"([a-z0-9_]{0,24}:)?([0-9a-zA-Z-]{16,})")

_NO_NAMES = StatusNames()
_STATUS_NAMES: ContextVar[StatusNames] = ContextVar("status names", default=_NO_NAMES)


async def cad_suffix(sql: Reader, cad: str) -> str:
    """Return the CAD's name as a suffix; blank if there is only one CAD."""
    return f" · {inert_line(cad, 40)}" if len(await configured_cads(sql)) > 1 else ""


async def linked_name(sql: Reader, subject: Subject, name: str) -> str:
    """Return a name, as a link to the subject's card if that is posted."""
    card = await cards.of_subject(sql, str(subject))
    guild = await home_guild(sql)
    if guild is None or card is None or not card.channel_id or not card.message_id:
        return name
    return f"[{name}](https://discord.com/channels/{guild}/{card.channel_id}/{card.message_id})"


def set_status_names(names: StatusNames) -> None:
    """Set the community's names of statuses and codes, here and in tasks started from here."""
    _STATUS_NAMES.set(names)


def status_name(status: str, limit: int = 40) -> str:
    """Name a unit's status as the community does, else translate the CAD's own."""
    return inert_line(plain_status_name(status), limit)


def plain_status_name(status: str) -> str:
    """Do the same where nothing is interpreted as markup."""
    name = _STATUS_NAMES.get().unit(status)
    if not name and status.isdecimal():
        return _("Status {number}").format(number=status)
    return name or (_(STATUSES[status]) if status in STATUSES else status)


def call_status_name(status: str, status_id: str = "") -> str:
    """Name a call's status; one of a custom layout that has no name by its id as well."""
    names = _STATUS_NAMES.get()
    if name := names.call(status, status_id):
        return inert_line(name, 64)
    name = inert_line(_(STATUSES.get(status, status)), 40)
    return f"{name} ({inert_line(status_id, 40)})" if status_id else name


def code_name(code: str, limit: int) -> str:
    """Show a code, with the community's name for it."""
    name = _STATUS_NAMES.get().code(code)
    return inert_line(f"{code} · {name}" if name else code, limit, blank="")


def property_status(status: str) -> str:
    """Say what a property's status means; one of the community's own is shown as it is."""
    return inert_line(plain_property_status(status), 32)


def plain_property_status(status: str) -> str:
    """Do the same where nothing is interpreted as markup."""
    meaning = PROPERTY_STATUSES.get(status.upper())
    return _(meaning) if meaning else status


def read_property_status(typed: str) -> str:
    """Return the status that somebody means who wrote one as it is shown."""
    wanted = typed.strip().casefold()
    meant = (one for one, text in PROPERTY_STATUSES.items() if _(text).casefold() == wanted)
    return next(meant, typed)


def unit_name(ident: int, unit: Unit | None) -> str:
    """Return a unit's number, else its name, else its ident."""
    name = inert_line(unit.unit_num or unit.name, UNIT, blank="") if unit is not None else ""
    return name or _("unit {ident}").format(ident=ident)


def unit_names(idents: list[int], units: dict[int, Unit], most: int) -> str:
    """List units in one line; those beyond `most` are counted."""
    names = [unit_name(ident, units.get(ident)) for ident in idents[:most]]
    if len(idents) > most:
        names.append(count_more(len(idents) - most))
    return ", ".join(names)


async def user_name(sql: Reader, user_id: str, limit: int = 200) -> str:
    """Return who a game user is: the linked member, else their name, else their id, shortened."""
    member = await links.member_of(sql, user_id)
    return await game_name(sql, user_id, limit) if member is None else f"<@{member}>"


async def game_name(sql: Reader, user_id: str, limit: int = 200) -> str:
    """Return a game user's name, else their id, shortened, whoever they are in Discord."""
    user = await users.get(sql, user_id)
    if user is None or user.full_name == user_id:
        return inert_line(short_id(user_id), min(limit, 100))
    return inert_line(user.full_name, limit)


async def whole_user_name(sql: Reader, user_id: str) -> str:
    """Return a game user's name and whole id, for staff; a Discord id as a mention."""
    user = await users.get(sql, user_id)
    if user is None or user.full_name == user_id:
        return who(user_id)
    return f"{inert_line(user.full_name, 200)} ({inert_line(user_id, 128)})"


def short_id(user_id: str) -> str:
    """Shorten the ids by which a game knows its players: `license:41aa…be`."""
    found = _LONG_ID.fullmatch(user_id)
    return user_id if found is None else f"{found[1]}{found[2][:4]}…{found[2][-2:]}"


def place(location: str, postal: str, limit: int) -> str:
    """Write where something is, with its postal code behind it: `Paleto Blvd (3014)`."""
    found = _POSTAL.match(location)
    code = postal.strip() or (found[1] if found else "")
    if found and found[1] == code:
        location = location[found.end() :]
    shown = inert_line(location, limit - POSTAL, blank="")
    code = inert_line(code, POSTAL - 3, blank="")
    if not code or code in shown:
        return shown
    return f"{shown} ({code})" if shown else code


def headline(*parts: str) -> str:
    """Join what a phone shows of a message; blank parts are left out."""
    return fitting([part for part in parts if part], " · ", HEADLINE)


async def property_facts(sql: Reader, property_: Property) -> str:
    """Say in one line of which tier a property is, whose, and how many drones are free there."""
    free = len(await flights.free_drones(sql, property_.id))
    return " · ".join(
        [
            await tier_name(sql, property_.tier),
            _("owner {name}").format(name=await user_name(sql, property_.owner)),
            free_drones(free),
        ]
    )


def free_drones(number: int) -> str:
    drones = plural("{number} drone free", "{number} drones free", number)
    return drones if number else _("no drone free")


def external_name(property_: Property) -> str:
    """Show a property's external id; blank if it has none."""
    external = property_.external
    if external is None:
        return ""
    return f"{inert_line(external.id, 128)} · {inert_line(external.source, 64)}"


async def property_label(sql: Reader, property_id: int, limit: int = 200) -> str:
    """Name a property, which may be removed, in an answer about it: `**Villa** (#3)`."""
    return f"**{await location_of(sql, property_id, limit)}** (#{property_id})"


async def drone_label(sql: Reader, drone_id: int) -> str:
    """Name a drone, which may be removed: `7 (back yard)`."""
    return inert(await _plain_drone(sql, drone_id), 300)


async def plain_values(sql: Reader, values: Mapping[str, object]) -> dict[str, object]:
    """Return the values of an error for people, where nothing is interpreted as markup."""
    found = dict(values)
    if isinstance(number := values.get("property"), int):
        property_ = await properties.get_even_removed(sql, number)
        if property_ is not None:
            found["property"] = f"{plain_line(property_.location, 200)} (#{number})"
    if isinstance(number := values.get("drone"), int):
        found["drone"] = await _plain_drone(sql, number)
    for name in ("status", "expected"):
        if name in values:
            found[name] = plain_property_status(str(values[name]))
    return found


async def _plain_drone(sql: Reader, drone_id: int) -> str:
    found = await equipment.get_even_removed(sql, drone_id)
    description = plain_line(found.description, 200) if found is not None else ""
    return f"{drone_id} ({description})" if description else str(drone_id)


async def tier_name(sql: Reader, tier_id: int) -> str:
    """Return a tier's name, also if it is retired."""
    return inert_line(await plain_tier_name(sql, tier_id), 100)


async def plain_tier_name(sql: Reader, tier_id: int) -> str:
    """Do the same where nothing is interpreted as markup."""
    tier = await community.get_tier(sql, tier_id)
    return plain_line(tier.name if tier is not None else "", 100) or str(tier_id)


async def property_of_call(sql: Reader, property_id: int | None, *, is_open: bool) -> str:
    """Describe the property that a call is at; with its free drones while the call is open."""
    property_ = property_id and await properties.get_even_removed(sql, property_id)
    if not property_:
        return ""
    location = inert_line(property_.location, 200)
    text = f"{location} #{property_.id}"
    if property_.removed_at is not None:
        return f"{text} · {_('removed')}"
    if not is_open:
        return text
    return f"{text} · {free_drones(len(await flights.free_drones(sql, property_.id)))}"


async def equipment_name(sql: Reader, equipment_id: int, limit: int) -> str:
    """Name a piece of equipment, which may be removed: `Camera 8 (back door)`."""
    found = await equipment.get_even_removed(sql, equipment_id)
    if found is None:
        return _("equipment {id}").format(id=equipment_id)
    name = f"{inert_line(found.name, limit)} {equipment_id}"
    description = inert_line(found.description, limit, blank="")
    return f"{name} ({description})" if description else name


async def location_of(sql: Reader, property_id: int, limit: int = 60) -> str:
    """Return the location of a property, which may be removed."""
    property_ = await properties.get_even_removed(sql, property_id)
    return inert_line(property_.location, limit) if property_ is not None else str(property_id)
