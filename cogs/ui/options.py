"""Choices while somebody types, the likeliest first."""

from collections.abc import Iterable

from discord.app_commands import Choice

from cogs.ui.text import plain_line
from db import access, community, equipment, flights, properties, users
from db.equipment import CAMERA, DRONE, Equipment
from db.properties import ACTIVE, PENDING, REJECTED, REMOVED, Property
from db.search import fold_case
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, NotFound
from webhook.queries.drones import get_dispatched_drones
from webhook.queries.models import SearchPage
from webhook.queries.properties import get_properties
from webhook.queries.property_data import existing_property
from webhook.queries.removals import search_removal_properties

CHOICES = 25
NAME = 100
SEARCH = 200
HOUR = 60 * 60 * 1000
LOOKED_THROUGH = 100
"""Rows that are ranked here, where no index does it."""

_NO_MATCH = 4


def _page(typed: str, limit: int = LOOKED_THROUGH) -> SearchPage:
    return SearchPage(limit=limit, search=typed.strip()[:SEARCH])


def ranked_choices(typed: str, known: Iterable[tuple[object, str]]) -> list[Choice[str]]:
    """Offer what matches of the known (value, name): value, name's beginning, word's, anywhere."""
    wanted = fold_case(typed.strip())
    ranked = sorted(
        ((_rank(wanted, fold_case(value), fold_case(name)), value, name) for value, name in known),
        key=lambda one: one[0],
    )
    return [
        Choice(name=plain_line(name, NAME), value=plain_line(str(value), NAME))
        for rank, value, name in ranked
        if rank < _NO_MATCH
    ][:CHOICES]


def _rank(wanted: str, value: str, name: str) -> int:
    if wanted == value:
        return 0
    if name.startswith(wanted):
        return 1
    if any(word.startswith(wanted) for word in name.split()):
        return 2
    return 3 if wanted in name or wanted in value else _NO_MATCH


async def _suggested(context: Context, typed: str, limit: int) -> list[Property]:
    """Return the properties that match; for those without a role only what is theirs."""
    if context.caller.scope < Scope.READ:
        ids = context.caller.user_ids
        return await properties.held_by(context.read, ids, typed, limit)
    return await properties.suggest(context.read, typed, limit)


async def property_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer properties that match."""
    found = await _suggested(context, typed.strip()[:SEARCH], CHOICES)
    return [_of_property(row.location, row.id) for row in found]


def _of_property(location: str, property_id: int) -> Choice[str]:
    return Choice(name=plain_line(f"{location} ({property_id})", NAME), value=str(property_id))


async def removal_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer properties whose removal is requested."""
    found = (await search_removal_properties(context, _page(typed))).properties
    wanted = fold_case(typed.strip())
    found.sort(key=lambda row: _rank(wanted, fold_case(row.id), fold_case(row.location)))
    return [_of_property(row.location, row.id) for row in found[:CHOICES]]


async def removed_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer the properties that can be restored."""
    context.caller.must(Scope.APPROVE)
    since = context.now() - context.approvals.restore_hours * HOUR
    found = await properties.removed_since(context.read, since, LOOKED_THROUGH)
    return ranked_choices(typed, ((row.id, f"{row.location} ({row.id})") for row in found))


async def drone_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer drones that are out."""
    found = (await get_dispatched_drones(context, _page(typed))).drones
    return ranked_choices(
        typed, ((drone.id, f"{drone.id} · {drone.description}") for drone in found)
    )


async def free_drone_choices(context: Context, typed: str, place: str | None) -> list[Choice[str]]:
    """Offer the free drones of the property that stands in another option."""
    stored = await resolve_property(context, place or "")
    free = await flights.free_drones(context.read, stored.id)
    return ranked_choices(
        typed, ((drone.id, f"{drone.id} · {drone.description}") for drone in free)
    )


async def any_drone_choices(context: Context, typed: str, place: str | None) -> list[Choice[str]]:
    """Offer drones, out or not: those of the property of another option, or of all."""
    context.caller.must(Scope.READ)
    if place:
        return await equipment_choices(context, typed, place, DRONE)
    found = await equipment.suggest(context.read, typed.strip()[:SEARCH], DRONE, CHOICES)
    return [Choice(name=_piece(row), value=str(row.id)) for row in found]


async def camera_choices(context: Context, typed: str, place: str | None) -> list[Choice[str]]:
    """Offer the cameras of the property that stands in another option."""
    return await equipment_choices(context, typed, place, CAMERA)


async def equipment_choices(
    context: Context, typed: str, place: str | None, kind: int | None = None
) -> list[Choice[str]]:
    """Offer the equipment of the property that stands in another option."""
    stored = await resolve_property(context, place or "")
    there = await equipment.of_property(context.read, stored.id)
    wanted = [row for row in there if kind in (None, row.type)]
    return ranked_choices(typed, ((row.id, _piece(row)) for row in wanted))


def _piece(row: Equipment) -> str:
    return plain_line(f"{row.id} · {row.name} · {row.description}", NAME)


async def user_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer game users that match."""
    context.caller.must(Scope.READ)
    found = await users.suggest(context.read, typed.strip()[:SEARCH], CHOICES)
    return [Choice(name=_person(user.id, user.full_name), value=user.id) for user in found]


async def allowed_choices(context: Context, typed: str, place: str | None) -> list[Choice[str]]:
    """Offer who may enter the property that stands in another option."""
    stored = await resolve_property(context, place or "")
    allowed = await access.allowed_users(context.read, stored.id)
    return ranked_choices(typed, ((user.id, _person(user.id, user.full_name)) for user in allowed))


def _person(user_id: str, full_name: str) -> str:
    name = user_id if full_name == user_id else f"{full_name} ({user_id})"
    return plain_line(name, NAME) or "—"


async def tier_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer the tiers on offer."""
    context.caller.must(Scope.READ)
    tiers = await community.tiers(context.read)
    return ranked_choices(typed, ((tier.id, f"{tier.name} · {tier.price}") for tier in tiers))


async def type_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer the equipment types on offer."""
    context.caller.must(Scope.READ)
    kinds = await community.equipment_types(context.read)
    return ranked_choices(typed, ((kind.id, kind.name) for kind in kinds))


async def status_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer the statuses that a property can be given."""
    context.caller.must(Scope.READ)
    known = dict.fromkeys([ACTIVE, PENDING, REJECTED, *await properties.statuses(context.read)])
    return ranked_choices(typed, ((name, name) for name in known if name != REMOVED))


async def resolve_property(context: Context, typed: str) -> Property:
    """Return the one property that was typed: by its id, or by a part of its location.

    Raises:
        NotFound: none matches.
        Conflict: several do.
        Forbidden: none of theirs matches, and others are not shown to them.
    """
    typed = typed.strip()[:SEARCH]
    found = await _suggested(context, typed, LOOKED_THROUGH) if typed else []
    if not found and typed:
        listed = (await get_properties(context, _page(typed))).properties
        found = [await existing_property(context.read, row.id) for row in listed]
    numbered = [row for row in found if str(row.id) == typed]
    exact = [row for row in found if row.location.casefold() == typed.casefold()] or found
    exact = numbered or exact
    if not exact:
        context.caller.must(Scope.READ)
        raise NotFound("no property matches {typed!r}", typed=typed)
    if len(exact) > 1:
        raise Conflict("several properties match {typed!r}; choose one from the list", typed=typed)
    return exact[0]
