"""Users of the game: names, properties, removal."""

import re
from functools import partial
from typing import Annotated

from pydantic import Field

from db import access, properties, users
from db.users import User
from webhook.protocol.catalogue import Catalogue, operation
from webhook.protocol.context import Change, Context, Scope
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.wire import TEXT, Reply, Request, Success, UserId
from webhook.queries.models import (
    MAX_ROWS,
    MAX_SEARCH,
    LongList,
    OfUser,
    PageReply,
    PropertyFields,
    RowReply,
    SearchPage,
    count_rows,
    is_none,
    page_fields,
    property_fields,
    publish_allowed,
    user_subject,
)

table = Catalogue()

_USER_ID = re.compile(r"[a-z]+:\S+|[0-9]{5,}|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}")
"""The form of the id of a user who is not stored yet."""


class NamedUser(Request):
    """A user and their name."""

    user_id: UserId
    full_name: Annotated[str, Field(min_length=1, max_length=200), TEXT]


class UserData(RowReply):
    """A user as scripts see them."""

    id: str
    full_name: str


class FoundUser(Reply):
    """A user as scripts see them; if there is none, only that."""

    found: bool
    id: Annotated[str | None, Field(exclude_if=is_none)] = None
    full_name: Annotated[str | None, Field(exclude_if=is_none)] = None


class UserList(PageReply):
    """Some of the users."""

    users: list[UserData]


class OwnedProperty(PropertyFields):
    """A property of a user; its id is text, its value the price of its tier."""

    id: str
    property_id: int
    name: str
    value: str


class UserLongList(OfUser, LongList):
    """Which part of a list that a user has."""


class OwnedProperties(Reply):
    """A user's properties."""

    owner: str
    properties: list[OwnedProperty]


@table.query("get-user", scope=Scope.READ)
async def get_user(context: Context, ask: OfUser) -> FoundUser:
    """Return a user's name, or that there is no such user."""
    user = await users.get(context.read, ask.user_id)
    if user is None:
        return FoundUser(found=False)
    return FoundUser(found=True, id=user.id, full_name=user.full_name)


@table.query("get-users", scope=Scope.READ)
async def get_users(context: Context, ask: SearchPage) -> UserList:
    """List users by id; the search looks through names and ids."""
    page = await users.page(context.read, ask.search, ask.limit, ask.offset)
    total = await count_rows(ask, page, partial(users.count, context.read, ask.search))
    return UserList(users=[UserData.of(user) for user in page], **page_fields(ask, total))


@table.query("get-user-properties", scope=Scope.READ)
async def get_user_properties(context: Context, ask: UserLongList) -> OwnedProperties:
    """List a user's properties, with the price of each one's tier."""
    owned = await properties.of_owner(context.read, ask.user_id, ask.limit, ask.offset)
    return OwnedProperties(
        owner=ask.user_id,
        properties=[
            OwnedProperty(
                **property_fields(row) | {"id": str(row.id)},
                property_id=row.id,
                name=row.location,
                value=price,
            )
            for row, price in owned
        ],
    )


@table.query("add-user", scope=Scope.WRITE)
async def add_user(context: Context, ask: NamedUser) -> Success:
    """Add a user, or rename them."""
    async with context.change() as change:
        user = await users.get(change.sql, ask.user_id)
        if user is None or user.full_name != ask.full_name:
            await users.put(change.sql, ask.user_id, ask.full_name)
            await change.audit(
                "add-user",
                user_subject(ask.user_id),
                before={} if user is None else {"fullName": user.full_name},
                after={"fullName": ask.full_name},
            )
    return Success()


@table.query("remove-user", scope=Scope.ADMIN)
async def remove_user(context: Context, ask: OfUser) -> Success:
    """Remove a user's name, and the user from every list of allowed users."""
    async with context.change() as change:
        user = await users.get(change.sql, ask.user_id)
        if user is None:
            raise NotFound("there is no user {id!r}", id=ask.user_id)
        await forget_user(change, user)
    return Success()


async def forget_user(change: Change, user: User) -> None:
    await users.remove(change.sql, user.id)
    allowed = await access.disallow_everywhere(change.sql, user.id)
    for property_id in allowed:
        await publish_allowed(change, property_id, user.id, allowed=False)
    await change.audit(
        "remove-user",
        user_subject(user.id),
        before={"fullName": user.full_name, "allowedAt": allowed},
    )


@operation(scope=Scope.READ)
async def suggest_users(context: Context, ask: SearchPage) -> list[User]:
    return await users.suggest(context.read, ask.search, ask.limit)


@operation(scope=Scope.NONE)
async def find_user(context: Context, text: str) -> str:
    """Return the id of the user with this full name, or with this id, which may be new.

    Raises:
        NotFound: nobody has this name, or the caller may not read names, and it is no id.
        Conflict: several users have this name.
    """
    text = text.strip()[:MAX_SEARCH]
    is_id = _USER_ID.fullmatch(text) is not None
    if is_id and context.caller.scope < Scope.READ:
        return text
    if context.caller.scope < Scope.READ:  # names are for those who may read them all
        raise NotFound(
            "“{typed}” is no id of a user; give it as the game does, like license:41aa90be",
            typed=text,
        )
    if await users.get(context.read, text) is not None:
        return text
    found = await users.suggest(context.read, text, MAX_ROWS) if text else []
    matches = [user for user in found if user.full_name.casefold() == text.casefold()]
    if len(matches) > 1:
        raise Conflict("several users match “{typed}”; choose one from the list", typed=text)
    if matches:
        return matches[0].id
    if is_id:
        return text
    raise NotFound(
        "no user matches “{typed}”; choose one from the list, or give their id"
        " as the game does, like license:41aa90be",
        typed=text,
    )
