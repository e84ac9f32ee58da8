"""Links: which member of the Discord server is which user of the game."""

import secrets
from dataclasses import replace
from typing import Annotated

from pydantic import StringConstraints

from db import links, users
from db.links import Link
from webhook.protocol.catalogue import Catalogue, operation
from webhook.protocol.context import Caller, Change, Context, Scope
from webhook.protocol.errors import Conflict, Forbidden, NotFound
from webhook.protocol.wire import Id, Reply, Request, Success, UserId
from webhook.queries.models import member_subject

table = Catalogue()

CODE_TIMEOUT = 10 * 60 * 1000
"""Milliseconds for which a code can be typed in the game."""

_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"
"""No letters that look alike, and no vowels, so that no words come out."""


class CodeConfirmation(Request):
    """A code that was typed in the game, and by whom."""

    code: Annotated[
        str, StringConstraints(strip_whitespace=True, to_upper=True, min_length=1, max_length=32)
    ]
    client_id: UserId


class Linked(Success):
    """The member with whom the user is linked now, and a sentence for the user."""

    member_id: str
    message: str = "You are linked with your Discord account"


class OfMember(Request):
    """One member of the Discord server."""

    member_id: Id


class NewLink(OfMember):
    """A member of the Discord server and a user of the game."""

    user_id: UserId


class LinkCode(Reply):
    """A code, and for how many seconds it is valid."""

    code: str
    seconds: int


@table.query("confirm-link", scope=Scope.WRITE)
async def confirm_link(context: Context, ask: CodeConfirmation) -> Linked:
    """Link the user who typed a code with the member to whom /link code gave it."""
    async with context.change() as change:
        member_id = await links.take_code(change.sql, ask.code, change.received)
        if member_id is None:
            raise NotFound("this code is wrong or expired; get a new one with /link code")
        await _link(change, member_id, ask.client_id, context.caller.name)
    return Linked(member_id=str(member_id))


@table.query("link-user", scope=Scope.ADMIN)
async def link_user(context: Context, ask: NewLink) -> Success:
    """Link a member and a user without a code."""
    async with context.change() as change:
        await _link(change, ask.member_id, ask.user_id, context.caller.name)
    return Success()


@table.query("unlink-user", scope=Scope.ADMIN)
async def unlink_user(context: Context, ask: OfMember) -> Success:
    """End the link of a member."""
    if not await _end_link(context, ask.member_id):
        raise NotFound("this member is not linked to a game user")
    return Success()


@operation(scope=Scope.NONE)
async def make_code(context: Context) -> LinkCode:
    """Make a code for the caller to type in the game; their earlier one becomes invalid."""
    member_id = _member(context.caller)
    code = "".join(secrets.choice(_CODE_LETTERS) for _ in range(6))
    async with context.change() as change:
        await links.put_code(
            change.sql, code, member_id, change.received + CODE_TIMEOUT, change.received
        )
    return LinkCode(code=code, seconds=CODE_TIMEOUT // 1000)


@operation(scope=Scope.NONE)
async def end_own_link(context: Context) -> None:
    if not await _end_link(context, _member(context.caller)):
        raise NotFound("you are not linked to a game user")


async def _end_link(context: Context, member_id: int) -> bool:
    """End a member's link; return whether there was one."""
    async with context.change() as change:
        ended = await links.remove(change.sql, member_id)
        if ended is None:
            return False
        await change.audit(
            "unlink-user", member_subject(member_id), before={"userId": ended.user_id}
        )
    return True


@operation(scope=Scope.NONE)
async def want_alarms(context: Context, *, wanted: bool) -> None:
    """Set whether the caller gets a private message of each alarm at their properties."""
    member_id = _member(context.caller)
    async with context.change() as change:
        if not await links.want_alarms(change.sql, member_id, wanted=wanted):
            raise Conflict("link your game user first, with /link code")


@operation(scope=Scope.NONE)
async def own_link(context: Context) -> Link | None:
    return await links.of_member(context.read, _member(context.caller))


@operation(scope=Scope.NONE)
async def with_linked_user(context: Context) -> Context:
    """Return a copy whose caller also has the id of the user they are linked with."""
    caller = context.caller
    link = await links.of_member(context.read, _member(caller))
    if link is None:
        return context
    return context.of(replace(caller, user_ids=(link.user_id, *caller.user_ids)))


async def _link(change: Change, member_id: int, user_id: str, by: str) -> None:
    before = await links.of_member(change.sql, member_id)
    await users.add_seen(change.sql, user_id)
    await links.put(change.sql, member_id, user_id, by, change.received)
    await change.audit(
        "link-user",
        member_subject(member_id),
        before=None if before is None else {"userId": before.user_id},
        after={"userId": user_id},
    )


def _member(caller: Caller) -> int:
    """Return the caller's Discord id.

    Raises:
        Forbidden: the caller is a program.
    """
    kind, _, member_id = caller.name.partition(":")
    if kind != "discord" or not caller.user_ids:
        raise Forbidden("only members of the Discord server are linked")
    return int(member_id)
