"""Whom a message mentions, and whom of those it really notifies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .errors import JSON, Problems
from .permissions import Permission

if TYPE_CHECKING:
    from .messages import Message
    from .world import Guild, Member, Role, User

USER = re.compile(r"<@!?(\d+)>")
ROLE = re.compile(r"<@&(\d+)>")
EVERYONE = re.compile(r"@(everyone|here)")
CODE = re.compile(r"```.*?```|``.*?``|`[^`\n]*`", re.DOTALL)

KINDS = ("users", "roles", "everyone")
MOST_IDS = 100


def check_allowed_mentions(allowed: JSON | None, problems: Problems) -> None:
    """Note what Discord would refuse in an allowed_mentions object."""
    if allowed is None:
        return
    parse = allowed.get("parse") or []
    for index, kind in enumerate(parse):
        if kind not in KINDS:
            path = ("allowed_mentions", "parse", index)
            problems.add(path, "BASE_TYPE_CHOICES", f"Value must be one of {set(KINDS)}.")
    for kind in ("users", "roles"):
        ids = allowed.get(kind) or []
        if ids and kind in parse:
            message = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            code = "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"
            problems.add(("allowed_mentions",), code, message)
        if len(ids) > MOST_IDS:
            message = f"Must be {MOST_IDS} or fewer in length."
            problems.add(("allowed_mentions", kind), "BASE_TYPE_MAX_LENGTH", message)


def ids_in(pattern: re.Pattern[str], content: str) -> list[int]:
    """The ids the pattern finds outside code, each once, in their order."""
    return list(dict.fromkeys(int(found) for found in pattern.findall(CODE.sub("", content))))


def pings(message: Message) -> list[Member | Role | str]:
    """Whom the creation of the message notifies."""
    guild = message.channel.guild
    allowed = message.allowed_mentions
    found: list[Member | Role | str] = []
    found += _members(guild, message, allowed)
    found += _roles(guild, message, allowed)
    found += _everyone(message, allowed)
    answered = message.message_reference
    if answered is not None and _replied_user(allowed):
        member = guild.find_member(answered.author.id)
        if member is not None and member.user is not message.author and member not in found:
            found.append(member)
    return found


def mentioned(message: Message) -> tuple[list[User], list[Role], bool]:
    """What the message object lists under mentions, mention_roles and mention_everyone."""
    from .world import Member, Role

    users = [one.user for one in message.pings if isinstance(one, Member)]
    roles = [one for one in message.pings if isinstance(one, Role)]
    return users, roles, any(isinstance(one, str) for one in message.pings)


def _members(guild: Guild, message: Message, allowed: JSON | None) -> list[Member]:
    found = (guild.find_member(id_) for id_ in ids_in(USER, message.content))
    return [one for one in found if one and _may_ping("users", one.id, allowed)]


def _roles(guild: Guild, message: Message, allowed: JSON | None) -> list[Role]:
    found = (guild.find_role(id_) for id_ in ids_in(ROLE, message.content))
    anybody = _may_ping_everyone(message)
    return [
        one
        for one in found
        if one and (one.mentionable or anybody) and _may_ping("roles", one.id, allowed)
    ]


def _everyone(message: Message, allowed: JSON | None) -> list[str]:
    if not _may_ping_everyone(message):
        return []
    if allowed is not None and "everyone" not in (allowed.get("parse") or []):
        return []
    words = EVERYONE.findall(CODE.sub("", message.content))
    return [f"@{word}" for word in dict.fromkeys(words)]


def _may_ping_everyone(message: Message) -> bool:
    author = message.channel.guild.find_member(message.author.id)
    return author is not None and Permission.MENTION_EVERYONE in author.permissions_in(
        message.channel
    )


def _may_ping(kind: str, id_: int, allowed: JSON | None) -> bool:
    if allowed is None or kind in (allowed.get("parse") or []):
        return True
    return str(id_) in {str(one) for one in allowed.get(kind) or []}


def _replied_user(allowed: JSON | None) -> bool:
    return allowed is None or bool(allowed.get("replied_user"))
