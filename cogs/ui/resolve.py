"""What the text of an option names: its id, or its name; and the one thing that it means.

Properties and users are found by operations (`find_property`, `find_user`).
"""

from webhook.protocol.context import Context
from webhook.protocol.errors import Conflict, NotFound
from webhook.queries.access import get_access_list
from webhook.queries.community import EquipmentTypeData, get_equipment_types, get_tiers
from webhook.queries.equipment import EquipmentData, get_equipment
from webhook.queries.models import MAX_SEARCH, OfProperty


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
    equipment = (await get_equipment(context, OfProperty(property_id=property_id))).equipment
    found = [
        row
        for row in equipment
        if kind in (None, row.type) and _names(typed, row.id, row.description)
    ]
    matches = [row for row in found if str(row.id) == typed.strip()] or found
    if not matches:
        raise NotFound(
            "property {id} has no equipment {equipment}",
            id=property_id,
            equipment=typed[:MAX_SEARCH],
        )
    if len(matches) > 1:
        raise Conflict(
            "several pieces of equipment are called {typed!r}; choose one from the list",
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
