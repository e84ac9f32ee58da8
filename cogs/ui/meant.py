"""What somebody meant by what they typed into an option: its id, or its name."""

import re

from cogs.ui.options import SEARCH
from db import access, community, equipment, users
from db.equipment import Equipment
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, NotFound

_NEW_USER = re.compile(r"[a-z]+:\S+|[0-9]{5,}|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}")
"""What an id of a game user looks like that nobody has met yet."""


async def resolve_tier(context: Context, typed: str) -> int:
    """Return the id of a tier by its id or its name.

    Raises:
        NotFound: none on offer has it.
    """
    context.caller.must(Scope.READ)
    for tier in await community.tiers(context.read):
        if _is_meant(typed, tier.id, tier.name):
            return tier.id
    raise NotFound("there is no tier {id}", id=typed[:SEARCH])


async def resolve_equipment_type(context: Context, typed: str) -> int:
    """Return the id of an equipment type by its id or its name.

    Raises:
        NotFound: none on offer has it.
    """
    context.caller.must(Scope.READ)
    for kind in await community.equipment_types(context.read):
        if _is_meant(typed, kind.id, kind.name):
            return kind.id
    raise NotFound("there is no equipment type {type}", type=typed[:SEARCH])


async def resolve_equipment(
    context: Context, property_id: int, typed: str, kind: int | None = None
) -> Equipment:
    """Return a piece of equipment of a property by its id or its description.

    Raises:
        NotFound: the property has none such.
        Conflict: it has several.
    """
    there = await equipment.of_property(context.read, property_id)
    found = [
        row
        for row in there
        if kind in (None, row.type) and _is_meant(typed, row.id, row.description)
    ]
    exact = [row for row in found if str(row.id) == typed.strip()] or found
    if not exact:
        raise NotFound(
            "property {id} has no equipment {equipment}", id=property_id, equipment=typed[:SEARCH]
        )
    if len(exact) > 1:
        raise Conflict(
            "several pieces of equipment are called {typed!r}; choose one from the list",
            typed=typed[:SEARCH],
        )
    return exact[0]


async def resolve_user(context: Context, typed: str) -> str:
    """Return the id of a game user by their id, which may be a new one, or their full name.

    Raises:
        NotFound: nobody has the name, and it does not look like an id.
        Conflict: several have the name.
        Forbidden: it is a name, which those without a role are not told of.
    """
    typed = typed.strip()[:SEARCH]
    if context.caller.scope < Scope.READ and _NEW_USER.fullmatch(typed):
        return typed
    context.caller.must(Scope.READ)
    if await users.get(context.read, typed) is not None:
        return typed
    found = await users.suggest(context.read, typed, 100) if typed else []
    named = [user for user in found if user.full_name.casefold() == typed.casefold()]
    if len(named) > 1:
        raise Conflict("several people are called {typed!r}; choose one from the list", typed=typed)
    if named:
        return named[0].id
    if _NEW_USER.fullmatch(typed):
        return typed
    raise NotFound(
        "nobody is known as {typed!r}; choose somebody from the list, or give their id"
        " as the game does, like license:41aa90be",
        typed=typed,
    )


async def resolve_allowed_user(context: Context, property_id: int, typed: str) -> str:
    """Return the id of a user on a property's list by their id or name, else what was typed."""
    for user in await access.allowed_users(context.read, property_id):
        if _is_meant(typed, user.id, user.full_name):
            return user.id
    return typed.strip()[:64]


def _is_meant(typed: str, number: object, name: str) -> bool:
    typed = typed.strip().casefold()
    return typed in (str(number).casefold(), name.casefold())
