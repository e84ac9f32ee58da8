"""Choices while somebody types, and what was meant by what they typed."""

from discord.app_commands import Choice

from cogs.text import plain_line
from webhook.context import Context, Scope
from webhook.errors import Conflict, NotFound
from webhook.queries.drones import get_dispatched_drones
from webhook.queries.properties import get_properties, own_properties
from webhook.queries.removals import search_removal_properties
from webhook.queries.shapes import Page, PropertyData, PropertyList
from webhook.queries.users import get_users

CHOICES = 25
NAME = 100
SEARCH = 200


def _page(typed: str, limit: int = CHOICES) -> Page:
    return Page(limit=limit, search=typed.strip()[:SEARCH])


def _of(found: PropertyList) -> list[Choice[str]]:
    return [
        Choice(name=plain_line(f"{row.location} ({row.id})", NAME), value=str(row.id))
        for row in found.properties
    ]


async def _matching(context: Context, typed: str, limit: int = CHOICES) -> PropertyList:
    """Return the properties that match; for those without a role only what is theirs."""
    ask = _page(typed, limit)
    if context.caller.scope < Scope.READ:
        return await own_properties(context, ask)
    return await get_properties(context, ask)


async def property_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer properties that match."""
    return _of(await _matching(context, typed))


async def removal_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer properties whose removal is requested."""
    return _of(await search_removal_properties(context, _page(typed)))


async def drone_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer drones that are out."""
    found = await get_dispatched_drones(context, _page(typed))
    return [
        Choice(name=plain_line(f"{drone.id} · {drone.description}", NAME), value=drone.id)
        for drone in found.drones
    ]


async def property_meant(context: Context, typed: str) -> PropertyData:
    """Return the one property that was typed: by its id, or by a part of its location.

    Raises:
        NotFound: none matches.
        Conflict: several do.
        Forbidden: none of theirs matches, and others are not shown to them.
    """
    found = (await _matching(context, typed, limit=100)).properties
    exact = [row for row in found if str(row.id) == typed.strip()] or [
        row for row in found if row.location.casefold() == typed.strip().casefold()
    ]
    if not exact:
        exact = found
    if not exact:
        context.caller.must(Scope.READ)
        raise NotFound("no property matches {typed!r}", typed=typed[:SEARCH])
    if len(exact) > 1:
        raise Conflict(
            "several properties match {typed!r}; choose one from the list", typed=typed[:SEARCH]
        )
    return exact[0]


async def user_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer game users by their name or id."""
    found = (await get_users(context, _page(typed))).users
    return [
        Choice(name=plain_line(f"{row.full_name} ({row.id})", NAME), value=row.id) for row in found
    ]
