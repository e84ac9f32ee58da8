"""Channels, roles and overwrites that the bot itself makes, and what Discord refuses about them."""

from __future__ import annotations

from .errors import JSON, DiscordError, Problems, missing_permissions
from .permissions import Permission
from .validation import check_text
from .world import GUILD_CATEGORY, GUILD_TEXT, ROLE_OVERWRITE, Channel, Guild, Overwrite, Role

NAME = 100
TOPIC = 1024
CHANNELS = 500
ROLES = 250


def new_channel(guild: Guild, body: JSON) -> Channel:
    """Make a channel; without overwrites of its own it has those of its category."""
    problems = Problems()
    check_text(body.get("name"), ("name",), NAME, problems, least=1)
    check_text(body.get("topic"), ("topic",), TOPIC, problems)
    kind = int(body.get("type") or GUILD_TEXT)
    category = _category(guild, body, problems)
    problems.raise_if_any()
    if len(guild.channels) >= CHANNELS:
        raise DiscordError(400, 30013, f"Maximum number of server channels reached ({CHANNELS})")
    name = str(body["name"])
    overwrites = _overwrites(guild, body)
    return guild.add_channel(
        name if kind == GUILD_CATEGORY else "-".join(name.lower().split()),
        type=kind,
        topic=body.get("topic"),
        category=category,
        overwrites=category.overwrites if category is not None and not overwrites else overwrites,
    )


def _category(guild: Guild, body: JSON, problems: Problems) -> Channel | None:
    wanted = body.get("parent_id")
    if wanted is None:
        return None
    found = guild.find_channel(int(wanted))
    if found is None or found.type != GUILD_CATEGORY:
        message = "Category does not exist"
        problems.add(("parent_id",), "CHANNEL_PARENT_INVALID", message)
    return found


def _overwrites(guild: Guild, body: JSON) -> dict[int, Overwrite]:
    return {
        int(one["id"]): _overwrite(guild, one) for one in body.get("permission_overwrites") or []
    }


def _overwrite(guild: Guild, body: JSON) -> Overwrite:
    """Return an overwrite; the bot can give and take only what it has itself.

    Only administrators can say in a new overwrite who may manage the permissions of a channel.
    """
    allow, deny = int(body.get("allow") or 0), int(body.get("deny") or 0)
    held = guild.bot_member.permissions
    if (allow | deny) & ~int(held):
        raise missing_permissions()
    if (allow | deny) & Permission.MANAGE_ROLES and Permission.ADMINISTRATOR not in held:
        raise missing_permissions()
    return Overwrite(int(body.get("type") or 0), allow, deny)


def set_overwrite(channel: Channel, subject_id: int, body: JSON) -> None:
    """Change what a channel, or a category with its synced channels, allows a role or a member."""
    kind = int(body.get("type") or 0)
    found = channel.guild.find_role if kind == ROLE_OVERWRITE else channel.guild.find_member
    if found(subject_id) is None:
        raise DiscordError(404, 10009, "Unknown Overwrite")
    channel.change_overwrites({**channel.overwrites, subject_id: _overwrite(channel.guild, body)})


def remove_overwrite(channel: Channel, subject_id: int) -> None:
    """Forget what a channel allows a role or a member."""
    if subject_id not in channel.overwrites:
        raise DiscordError(404, 10009, "Unknown Overwrite")
    left = {id_: one for id_, one in channel.overwrites.items() if id_ != subject_id}
    channel.change_overwrites(left)


def new_role(guild: Guild, body: JSON) -> Role:
    """Make a role, the bot can give it only what it may do itself."""
    problems = Problems()
    name = body.get("name")
    check_text(name, ("name",), NAME, problems)
    problems.raise_if_any()
    allowed = int(body.get("permissions") or 0)
    if allowed & ~int(guild.bot_member.permissions):
        raise missing_permissions()
    if len(guild.roles) >= ROLES:
        raise DiscordError(400, 30005, f"Maximum number of server roles reached ({ROLES})")
    mentionable = bool(body.get("mentionable"))
    return guild.add_role(str(name or "new role"), Permission(allowed), mentionable=mentionable)
