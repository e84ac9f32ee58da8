"""Creates missing channels and roles, each stored before the next, and lets roles see channels.

Existing ones of the same name are used: Discord may have created them without answering.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from functools import partial

import discord

from cogs.i18n.language import _
from cogs.routing.layout import CATEGORY, Layout, single_id
from cogs.routing.setup_health import NEEDED_PERMISSIONS
from cogs.routing.visibility import (
    STAFF,
    CalledRole,
    audience,
    by_role,
    hidden_channels,
    writable_channels,
)
from cogs.setup.keys import CHANNELS, PINGS
from webhook.protocol.errors import Conflict

NAME = "CAD Sentinel"
"""The category's name, and the start of the roles' names."""

UNWANTED = ("create_public_threads", "create_private_threads")
"""What nobody but the bot does in its channels, besides writing. People write in its threads."""

WANTED = ("create_public_threads", "send_messages_in_threads", "manage_threads", "pin_messages")
"""What the bot gives itself in its channels if it has it."""

StoreChoice = Callable[[str, int], Awaitable[None]]
"""Stores the channel or role of a layout's key."""

Overwrites = dict[discord.Role | discord.Member | discord.Object, discord.PermissionOverwrite]


async def create_roles(
    guild: discord.Guild, missing: Sequence[str], store: StoreChoice, reason: str
) -> None:
    """Create roles without permissions of their own in Discord.

    Raises:
        Conflict: a role of that name exists and has permissions.
        discord.HTTPException: Discord refuses.
    """
    found = {role.name: role for role in await guild.fetch_roles()}
    for key in missing:
        name = f"{NAME} {key.rpartition('.')[2]}"
        role = found.get(name)
        if role is not None and (role.permissions.value or role.managed):
            raise Conflict(
                "a role named “{name}” with permissions of its own already exists: choose it "
                "in the menu, or rename it",
                name=name,
            )
        if role is None:
            role = await guild.create_role(
                name=name, permissions=discord.Permissions.none(), reason=reason
            )
        await store(key, role.id)


async def create_channels(
    guild: discord.Guild,
    layout: Layout,
    missing: Mapping[str, Collection[str]],
    store: StoreChoice,
    reason: str,
) -> None:
    """Create channels, by name with what is posted there, in which nobody but the bot writes.

    They are in a category that the staff and the bot can see. What is not for all of the staff, or
    calls somebody else, has permissions of its own.

    Raises:
        discord.HTTPException: Discord refuses.
    """
    existing = await guild.fetch_channels()
    # The gateway may not have told yet of those that were just created.
    roles = {role.id: role for role in await guild.fetch_roles()}
    category = await _category(guild, existing, layout, roles, store, reason)
    inside = {
        channel.name: channel
        for channel in existing
        if isinstance(channel, discord.TextChannel) and channel.category_id == category.id
    }
    for name, keys in missing.items():
        channel = inside.get(name)
        if channel is None:
            seen_by = {group for key in keys for group in (*audience(key), *_called_in(key))}
            channel = await guild.create_text_channel(
                name,
                category=category,
                topic=_topic(keys),
                overwrites=_overwrites(guild, layout, roles, seen_by),
                reason=reason,
            )
        for key in keys:
            await store(key, channel.id)


async def let_roles_see(
    guild: discord.Guild,
    layout: Layout,
    called_roles: Iterable[CalledRole],
    reason: str,
    only: Collection[str] = (),
) -> None:
    """Let roles see their channels, or only the roles of these keys.

    A role of the staff is let into the category first, if all channels that follow it are for the
    role, and then into those channels that it still does not see.

    Raises:
        discord.HTTPException: Discord refuses.
    """
    called = list(called_roles)
    roles = {role.id: role for role in await guild.fetch_roles()}
    wanted = {number for key in only for number in layout.get(key, ())}
    staff = {number for group in STAFF for number in layout.get(group, ())}
    category_id = single_id(layout, CATEGORY)
    for into_category in (True, False):
        channels = {channel.id: channel for channel in await guild.fetch_channels()}
        find = partial(_channel_of, guild, channels)
        hidden = hidden_channels(find, layout, called, lambda _channel, number: roles.get(number))
        category = channels.get(category_id)
        for role, of_role in by_role(hidden).items():
            if only and role.id not in wanted:
                continue
            targets = [one.channel for one in of_role]
            if into_category:
                following = _synced(channels.values(), category)
                is_for_all = role.id in staff and following and following <= {*targets}
                targets = [category] if category is not None and is_for_all else []
            for target in targets:
                rights = {"view_channel": True, "read_message_history": True}
                await _change(target, role, rights, reason)


async def let_only_the_bot_write(guild: discord.Guild, layout: Layout, reason: str) -> None:
    """Let nobody else write in the category and in those of its channels that do not follow it.

    Raises:
        discord.HTTPException: Discord refuses.
    """
    roles = {role.id: role for role in await guild.fetch_roles()}
    for into_category in (True, False):
        channels = {channel.id: channel for channel in await guild.fetch_channels()}
        find = partial(_channel_of, guild, channels)
        writable = writable_channels(find, layout, lambda _channel, number: roles.get(number))
        category = channels.get(single_id(layout, CATEGORY))
        targets: list[discord.abc.GuildChannel] = [*writable]
        if into_category:
            targets = [category] if category is not None and writable else []
        for target in targets:
            # First itself: what everybody is denied, the bot's roles are denied too.
            await _change(target, guild.me, dict.fromkeys(NEEDED_PERMISSIONS, True), reason)
            await _change(
                target, guild.default_role, {"send_messages": False, **_unwanted(guild)}, reason
            )
            kept = {guild.default_role, *guild.me.roles}
            writers = [one for one, held in target.overwrites.items() if held.send_messages]
            for subject in writers:
                if isinstance(subject, discord.Role) and subject not in kept:
                    await _change(target, subject, {"send_messages": None}, reason)


async def _change(
    channel: discord.abc.GuildChannel,
    subject: discord.Role | discord.Member,
    rights: Mapping[str, bool | None],
    reason: str,
) -> None:
    """Allow, deny or leave open some rights; the others stay as they are."""
    overwrite = channel.overwrites_for(subject)
    overwrite.update(**rights)
    await channel.set_permissions(subject, overwrite=overwrite, reason=reason)


def _unwanted(guild: discord.Guild) -> dict[str, bool]:
    """Return what nobody else does, of what the bot can give and take."""
    return {right: False for right in UNWANTED if getattr(guild.me.guild_permissions, right)}


def _synced(
    channels: Iterable[discord.abc.GuildChannel], category: discord.abc.GuildChannel | None
) -> set[discord.abc.GuildChannel]:
    """Return the channels that follow what their category allows: theirs is the same."""
    return {
        channel
        for channel in channels
        if category is not None
        and channel.category_id == category.id
        and channel.overwrites == category.overwrites
    }


def _channel_of(
    guild: discord.Guild, channels: Mapping[int, discord.abc.GuildChannel], number: int
) -> discord.abc.GuildChannel | None:
    """Return a channel, or the one that a thread is in."""
    thread = guild.get_thread(number)
    return channels.get(thread.parent_id if thread is not None else number)


async def _category(
    guild: discord.Guild,
    existing: Sequence[discord.abc.GuildChannel],
    layout: Layout,
    roles: Mapping[int, discord.Role],
    store: StoreChoice,
    reason: str,
) -> discord.CategoryChannel:
    categories = [one for one in existing if isinstance(one, discord.CategoryChannel)]
    chosen = single_id(layout, CATEGORY)
    for category in categories:
        if category.id == chosen or (not chosen and category.name == NAME):
            break
    else:
        category = await guild.create_category(
            NAME, overwrites=_overwrites(guild, layout, roles, STAFF), reason=reason
        )
    await store(CATEGORY, category.id)
    return category


def _overwrites(
    guild: discord.Guild,
    layout: Layout,
    roles: Mapping[int, discord.Role],
    groups: Iterable[str],
) -> Overwrites:
    """Let these roles read and only the bot write; the bot can give and take what it has itself."""
    held = guild.me.guild_permissions
    ids = {number for group in groups for number in layout.get(group, ())}
    own = {right: True for right in WANTED if getattr(held, right)}
    return {
        **{
            roles[number]: discord.PermissionOverwrite(view_channel=True, read_message_history=True)
            for number in sorted(ids & roles.keys())
        },
        guild.default_role: discord.PermissionOverwrite(
            view_channel=guild.id in ids, send_messages=False, **_unwanted(guild)
        ),
        guild.me: discord.PermissionOverwrite(**dict.fromkeys(NEEDED_PERMISSIONS, True), **own),
    }


def _called_in(key: str) -> list[str]:
    """Return the keys of the roles that are called in a channel of the layout."""
    called = {
        "channels.panic": ["panic_role"],
        "channels.emergency": ["emergency_role"],
        "channels.alerts": [ping for ping in PINGS if ping.startswith("alarm")],
    }
    return called.get(key, [])


def _topic(keys: Collection[str]) -> str:
    return ", ".join(_(CHANNELS[key]) for key in keys)
