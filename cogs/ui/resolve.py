"""What the text in an option of a command means: an id, or the name of one thing."""

from cogs.ui.options import search_page
from db.search import fold_case
from webhook.protocol.context import Context
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.wire import validate
from webhook.queries.alarms import OfAlarm, list_open_alarms
from webhook.queries.community import EquipmentTypeData, get_equipment_types, get_tiers
from webhook.queries.models import MAX_SEARCH, OfProperty, PropertyLongList
from webhook.queries.properties.access import get_access_list
from webhook.queries.properties.approvals import list_restorable
from webhook.queries.properties.drones import OfDrone, suggest_drones_out
from webhook.queries.properties.equipment import EquipmentData, get_equipment


async def resolve_alarm(context: Context, typed: str) -> int:
    """Return the number of an alarm by itself, or of the open one at a place.

    Raises:
        NotFound: no alarm is open there.
        Conflict: several are.
    """
    typed = typed.strip()
    if typed.isascii() and typed.isdigit():
        return validate(OfAlarm, {"alarmId": typed}).alarm_id
    wanted = fold_case(typed)
    found = {alarm.id: fold_case(alarm.location) for alarm in await list_open_alarms(context)}
    matches = [number for number, where in found.items() if where == wanted]
    matches = matches or [number for number, where in found.items() if wanted in where]
    shown = typed[:MAX_SEARCH]
    return _only(
        matches,
        NotFound("no open alarm matches “{typed}”", typed=shown),
        Conflict("several alarms match “{typed}”; choose one", typed=shown),
    )


async def resolve_drone(context: Context, typed: str) -> int:
    """Return the id of a drone by itself, or of the one that is out under this description.

    Raises:
        NotFound: none such is out.
        Conflict: several are.
    """
    if (number := typed.strip()).isdecimal():
        return validate(OfDrone, {"droneId": number}).drone_id
    out = await suggest_drones_out(context, search_page(typed))
    shown = typed[:MAX_SEARCH]
    return _only(
        [flight.drone_id for flight in out if _names(typed, "", flight.description)],
        NotFound("no drone that is out is called “{typed}”", typed=shown),
        Conflict(
            "several drones that are out are called “{typed}”; choose one from the list",
            typed=shown,
        ),
    )


async def resolve_removed(context: Context, typed: str) -> int:
    """Return the id of a property by itself, or of the one there that can be restored.

    Raises:
        NotFound: none was removed there.
        Conflict: several were.
    """
    if (number := typed.strip()).isdecimal():
        return validate(OfProperty, {"propertyId": number}).property_id
    shown = typed[:MAX_SEARCH]
    return _only(
        [row.id for row in await list_restorable(context) if _names(typed, "", row.location)],
        NotFound("no property matches “{typed}”", typed=shown),
        Conflict("several properties match “{typed}”; choose one from the list", typed=shown),
    )


def _only(found: list[int], nothing: NotFound, several: Conflict) -> int:
    if len(found) == 1:
        return found[0]
    raise several if found else nothing


async def resolve_tier(context: Context, typed: str) -> int:
    """Return the id of a tier by its id or its name.

    Raises:
        NotFound: none on offer has it.
    """
    for tier in (await get_tiers(context)).tiers:
        if _names(typed, tier.id, tier.name):
            return tier.id
    raise NotFound("there is no tier {id}", id=typed[:MAX_SEARCH])


async def resolve_equipment_type(context: Context, typed: str) -> EquipmentTypeData:
    """Return an equipment type by its id or its name.

    Raises:
        NotFound: none on offer has it.
    """
    for kind in (await get_equipment_types(context)).equipment_types:
        if _names(typed, kind.type, kind.name):
            return kind
    raise NotFound("there is no equipment type {type}", type=typed[:MAX_SEARCH])


async def resolve_equipment(
    context: Context, property_id: int, typed: str, kind: int | None = None
) -> EquipmentData:
    """Return a piece of equipment of a property by its id or its description.

    Raises:
        NotFound: the property has none such.
        Conflict: it has several.
    """
    equipment = (await get_equipment(context, PropertyLongList(property_id=property_id))).equipment
    found = [
        row
        for row in equipment
        if kind in (None, row.type) and _names(typed, row.id, row.description)
    ]
    matches = [row for row in found if str(row.id) == typed.strip()] or found
    if not matches:
        raise NotFound(
            "property {property} has no equipment {equipment}",
            property=property_id,
            equipment=typed[:MAX_SEARCH],
        )
    if len(matches) > 1:
        raise Conflict(
            "several pieces of equipment are called “{typed}”; choose one from the list",
            typed=typed[:MAX_SEARCH],
        )
    return matches[0]


async def resolve_allowed_user(context: Context, property_id: int, typed: str) -> str:
    """Return the id of a user on a property's list by their id or name, else what was typed."""
    allowed = await get_access_list(context, OfProperty(property_id=property_id))
    for user in allowed.users:
        if _names(typed, user.id, user.full_name):
            return user.id
    return typed.strip()[:64]


def _names(typed: str, number: object, name: str) -> bool:
    typed = typed.strip().casefold()
    return typed in (str(number).casefold(), name.casefold())
