"""Who may enter a property, and who identified themselves at its door."""

from typing import Annotated, Any, NamedTuple

from pydantic import Field, StringConstraints

from db import access, users
from db.access import AuthEntry
from db.properties import Property
from db.users import User
from webhook.protocol.catalogue import Catalogue, operation
from webhook.protocol.context import Context, Scope, Share
from webhook.protocol.errors import NotFound
from webhook.protocol.events import AuthEntryRecorded
from webhook.protocol.wire import TEXT, Flag, Reply, Success, timestamp
from webhook.queries.models import (
    Changed,
    OfProperty,
    PropertyLongList,
    PropertyPage,
    UserAtProperty,
    existing_property,
    is_none,
    property_subject,
    publish_allowed,
)

table = Catalogue()


class AllowedUsers(Reply):
    """Full names by user id."""

    allowed_users: dict[str, str]


class NewAuthEntry(UserAtProperty):
    """Who identified themselves at a property, by what, and whether the script let them in.

    `allowed`: what the script decided; without it, whether they own the property or may enter it.
    """

    allowed: Flag | None = None
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), TEXT] = ""
    method: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64), TEXT] = ""


class AuthEntryData(Reply):
    """Who identified themselves, when and by what, and whether they were let in."""

    user_id: Annotated[str, Field(alias="user_id")]
    timestamp: str
    allowed: bool
    reason: Annotated[str | None, Field(exclude_if=is_none)]
    method: Annotated[str | None, Field(exclude_if=is_none)]


class AuthEntries(Reply):
    """Who identified themselves at a property, newest first."""

    auth_entries: list[AuthEntryData]


class AccessList(NamedTuple):
    """A property and who may enter it, besides its owner."""

    property_: Property
    users: list[User]


@table.query("get-allowed-users", scope=Scope.READ, share=Share.OWNER)
async def get_allowed_users(context: Context, ask: PropertyLongList) -> AllowedUsers:
    """List who may enter a property, besides its owner."""
    await existing_property(context.read, ask.property_id)
    allowed = await access.allowed_users(context.read, ask.property_id, ask.limit, ask.offset)
    return AllowedUsers(allowed_users={user.id: user.full_name for user in allowed})


@table.query("add-allowed-user", scope=Scope.WRITE, share=Share.OWNER)
async def add_allowed_user(context: Context, ask: UserAtProperty) -> Changed:
    """Allow a user to enter a property; a second time changes nothing."""
    async with context.change() as change:
        await existing_property(change.sql, ask.property_id)
        await users.add_seen(change.sql, ask.user_id)
        is_new = await access.allow(change.sql, ask.property_id, ask.user_id)
        if is_new:
            await publish_allowed(change, ask.property_id, ask.user_id, allowed=True)
            await change.audit(
                "add-allowed-user",
                property_subject(ask.property_id),
                after={"allowed": ask.user_id},
            )
    return Changed(changed=is_new)


@table.query("remove-allowed-user", scope=Scope.WRITE, share=Share.OWNER)
async def remove_allowed_user(context: Context, ask: UserAtProperty) -> Changed:
    """Take a user off the list of those who may enter a property; a second time changes nothing."""
    async with context.change() as change:
        await existing_property(change.sql, ask.property_id)
        if not await access.disallow(change.sql, ask.property_id, ask.user_id):
            if context.caller.is_person:
                raise NotFound(
                    "user “{user}” is not on the list of property {property}",
                    user=ask.user_id,
                    property=ask.property_id,
                )
            return Changed(changed=False)
        await publish_allowed(change, ask.property_id, ask.user_id, allowed=False)
        await change.audit(
            "remove-allowed-user",
            property_subject(ask.property_id),
            before={"allowed": ask.user_id},
        )
    return Changed(changed=True)


@table.query("get-auth-entries", scope=Scope.READ, share=Share.OWNER)
async def get_auth_entries(context: Context, ask: PropertyLongList) -> AuthEntries:
    """List who identified themselves at a property, newest first."""
    await existing_property(context.read, ask.property_id)
    entries = await access.entries(context.read, ask.property_id, ask.limit, ask.offset)
    return AuthEntries(
        auth_entries=[
            AuthEntryData(
                user_id=entry.user_id,
                timestamp=timestamp(entry.at),
                allowed=bool(entry.allowed),
                reason=entry.reason or None,
                method=entry.method or None,
            )
            for entry in entries
        ]
    )


@table.query("add-auth-entry", scope=Scope.WRITE)
async def add_auth_entry(context: Context, ask: NewAuthEntry) -> Success:
    """Record that somebody identified themselves at a property, and whether they were let in."""
    async with context.change() as change:
        stored = await existing_property(change.sql, ask.property_id)
        await users.add_seen(change.sql, ask.user_id)
        allowed = ask.allowed
        if allowed is None:
            allowed = stored.owner == ask.user_id or await access.is_allowed(
                change.sql, ask.property_id, ask.user_id
            )
        entry = AuthEntry(ask.user_id, change.happened, allowed, ask.reason, ask.method)
        await access.add_entry(change.sql, ask.property_id, entry)
        given: dict[str, Any] = {"reason": ask.reason, "method": ask.method}
        event = AuthEntryRecorded(
            property_id=str(ask.property_id),
            client_id=ask.user_id,
            allowed=allowed,
            **{name: text for name, text in given.items() if text},
        )
        await change.emit(event, property_subject(ask.property_id))
    return Success()


@operation(scope=Scope.READ, share=Share.OWNER)
async def get_access_list(context: Context, ask: OfProperty) -> AccessList:
    property_ = await existing_property(context.read, ask.property_id)
    return AccessList(property_, await access.allowed_users(context.read, property_.id))


@operation(scope=Scope.READ, share=Share.OWNER)
async def list_auth_entries(context: Context, ask: PropertyPage) -> list[AuthEntry]:
    """Return who identified themselves at a property and whether they may enter, newest first."""
    await existing_property(context.read, ask.property_id)
    return await access.entries(context.read, ask.property_id, ask.limit, ask.offset)
