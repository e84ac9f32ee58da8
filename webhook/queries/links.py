"""Links: which member of the Discord server is which user of the game.

A game that knows players by their Discord id needs no links: `discord:` and the id is that member.
"""

import secrets
from dataclasses import replace
from typing import Annotated, NamedTuple

from pydantic import StringConstraints

from db import links, private_answers, properties, users
from db.database import Reader
from db.links import Link
from db.private_answers import PrivateAnswer
from webhook.protocol.catalogue import Catalogue, operation
from webhook.protocol.context import Change, Context, Scope
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.events import MemberLinked
from webhook.protocol.wire import Id, Reply, Request, Success, UserId
from webhook.queries.models import ListPage, member_subject

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


class Identity(NamedTuple):
    """Who a member is in the game, and about what they get private messages.

    `link`: None without one; `full_name`: of its user, blank if none is known. `discord_user`:
    their Discord id as the game has it, None if the game does not know them by it.
    """

    link: Link | None
    full_name: str
    discord_user: str | None
    wants_alarms: bool
    wants_news: bool


class Plan(NamedTuple):
    """What linking a member and a user would change: links of either end, and a user never seen."""

    member_before: Link | None
    user_before: Link | None
    is_new_user: bool


@table.query("confirm-link", scope=Scope.WRITE)
async def confirm_link(context: Context, ask: CodeConfirmation) -> Linked:
    """Link the user who typed a code with the member to whom /link code gave it."""
    async with context.change() as change:
        member_id = await links.take_code(change.sql, ask.code, change.received)
        if member_id is None:
            raise NotFound("this code is wrong or expired; get a new one with /link code")
        await _link(change, member_id, ask.client_id, context.caller.name)
        await change.note(MemberLinked(member_id=str(member_id), user_id=ask.client_id))
    return Linked(member_id=str(member_id))


@table.query("link-user", scope=Scope.ADMIN)
async def link_user(context: Context, ask: NewLink) -> Success:
    """Link a member and a user without a code; this ends other links of both."""
    async with context.change() as change:
        await _link(change, ask.member_id, ask.user_id, context.caller.name)
    return Success()


@table.query("unlink-user", scope=Scope.ADMIN)
async def unlink_user(context: Context, ask: OfMember) -> Success:
    """End the link of a member."""
    if not await _end_link(context, ask.member_id):
        identity = await _identity(context.read, ask.member_id)
        if identity.discord_user is not None:
            raise Conflict("the game knows this member by their Discord id; that is no link to end")
        raise NotFound("this member is not linked to a game user")
    return Success()


@operation(scope=Scope.NONE)
async def make_code(context: Context) -> LinkCode:
    """Make a code for the caller to type in the game; their earlier one becomes invalid."""
    member_id = context.caller.must_be_member()
    code = "".join(secrets.choice(_CODE_LETTERS) for _ in range(6))
    async with context.change() as change:
        await links.put_code(
            change.sql, code, member_id, change.received + CODE_TIMEOUT, change.received
        )
    return LinkCode(code=code, seconds=CODE_TIMEOUT // 1000)


def code_answer(member_id: int) -> str:
    """Return the key of the private answer that shows a member their code."""
    return f"code:{member_id}"


@operation(scope=Scope.NONE)
async def store_code_answer(context: Context, message_id: int, token: str) -> None:
    """Store where the caller reads their code, to be edited once it was typed in the game."""
    async with context.change() as change:
        member_id = context.caller.must_be_member()
        answer = PrivateAnswer(
            code_answer(member_id), member_id, message_id, token, change.received
        )
        await private_answers.put(change.sql, answer)


@operation(scope=Scope.NONE)
async def end_own_link(context: Context) -> None:
    if not await _end_link(context, context.caller.must_be_member()):
        if (await get_identity(context)).discord_user is not None:
            raise Conflict("the game knows you by your Discord id; that is no link to end")
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
async def want_messages(
    context: Context, *, alarms: bool | None = None, news: bool | None = None
) -> None:
    """Set about what the caller gets private messages; None stays as it is.

    `alarms`: those at their properties; `news`: what else happens to their properties, and what
    becomes of their requests.
    """
    member_id = context.caller.must_be_member()
    async with context.change() as change:
        identity = await _identity(change.sql, member_id)
        is_known = identity.link is not None or identity.discord_user is not None
        if alarms is not None and not is_known and not await knows_discord_ids(change.sql):
            raise Conflict("link your game user first, with /link code")
        await links.want(change.sql, member_id, change.received, alarms=alarms, news=news)


@operation(scope=Scope.NONE)
async def get_identity(context: Context) -> Identity:
    """Return who the caller is in the game."""
    return await _identity(context.read, context.caller.must_be_member())


@operation(scope=Scope.ADMIN)
async def get_identity_of(context: Context, ask: OfMember) -> Identity:
    """Return who a member is in the game."""
    return await _identity(context.read, ask.member_id)


@operation(scope=Scope.NONE)
async def find_user_of(context: Context, ask: OfMember) -> str:
    """Return the game user who a member is: by their link, else by their Discord id.

    Raises:
        Conflict: they are not linked, and the game does not know players by their Discord id.
    """
    link = await links.of_member(context.read, ask.member_id)
    discord_user = links.discord_user(ask.member_id)
    if link is not None and link.user_id != discord_user:
        return link.user_id
    if await knows_discord_ids(context.read):
        return discord_user
    raise Conflict(
        "this member is not linked to a game user; they can link themselves with /link code"
    )


@operation(scope=Scope.NONE)
async def list_user_ids(context: Context, ask: OfMember) -> tuple[str, ...]:
    """Return the ids by which the game may know a member, the surest first."""
    return await links.game_ids(context.read, ask.member_id)


@operation(scope=Scope.ADMIN)
async def plan_link(context: Context, ask: NewLink) -> Plan:
    """Return what linking would change, for somebody to confirm.

    Raises:
        Conflict: the user is a Discord id, which is its own member's.
    """
    _check_discord_user(ask.member_id, ask.user_id)
    member_before = await links.of_member(context.read, ask.member_id)
    user_before = await links.of_user(context.read, ask.user_id)
    if member_before is not None and member_before.user_id == links.discord_user(ask.member_id):
        member_before = None
    return Plan(member_before, user_before, await users.get(context.read, ask.user_id) is None)


@operation(scope=Scope.ADMIN)
async def list_links(context: Context, ask: ListPage) -> tuple[list[Link], int]:
    """Return links, the newest first, and how many there are."""
    found = await links.page(context.read, ask.limit, ask.offset)
    return found, await links.count(context.read)


@operation(scope=Scope.NONE)
async def with_linked_user(context: Context) -> Context:
    """Return a copy whose caller also has the id of the user they are linked with."""
    ids = await links.game_ids(context.read, context.caller.must_be_member())
    return context.of(replace(context.caller, user_ids=ids))


async def knows_discord_ids(sql: Reader) -> bool:
    """Return whether the game knows players by their Discord ids."""
    return await users.has_any(sql, "discord:[0-9]*")


async def _identity(sql: Reader, member_id: int) -> Identity:
    link = await links.of_member(sql, member_id)
    discord_user = links.discord_user(member_id)
    ids = [discord_user, str(member_id)]
    known = None
    for user_id in ids:
        if known is None and await users.get(sql, user_id) is not None:
            known = user_id
    if known is None and await properties.held_by(sql, ids, "", 1):
        known = discord_user
    is_link = link is not None and link.user_id != discord_user
    user = await users.get(sql, link.user_id) if link is not None and is_link else None
    is_named = user is not None and user.full_name != user.id
    return Identity(
        link if is_link else None,
        user.full_name if user is not None and is_named else "",
        known,
        link is not None and bool(link.wants_alarms),
        link is None or bool(link.wants_news),
    )


async def _link(change: Change, member_id: int, user_id: str, by: str) -> None:
    if _check_discord_user(member_id, user_id):
        return  # as good as linked
    before = await links.of_member(change.sql, member_id)
    taken = await links.of_user(change.sql, user_id)
    if before is not None and before.user_id == user_id:
        return
    await users.add_seen(change.sql, user_id)
    await links.put(change.sql, member_id, user_id, by, change.received)
    was_linked = before is not None and before.user_id != links.discord_user(member_id)
    await change.audit(
        "link-user",
        member_subject(member_id),
        before={"userId": before.user_id} if before is not None and was_linked else None,
        after={"userId": user_id},
    )
    if taken is not None:
        await change.audit(
            "unlink-user",
            member_subject(taken.member_id),
            before={"userId": user_id},
            after={"linkedTo": str(member_id)},
        )


def _check_discord_user(member_id: int, user_id: str) -> bool:
    """Return whether the user is the member by their Discord id, so that no link is needed.

    Raises:
        Conflict: it is the Discord id of another member, whose properties a link would give away.
    """
    owner = links.member_of_discord_user(user_id)
    if owner not in (None, member_id):
        raise Conflict("user {user} is another member, by their Discord id", user=user_id)
    return owner is not None
