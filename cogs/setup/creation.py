"""Creates missing channels and roles; each is stored before the next is created.

Existing ones of the same name are used: Discord may have created them without answering.
"""

from collections.abc import Awaitable, Callable, Sequence

import discord

from cogs.routing.layout import CATEGORY, Layout, single_id
from cogs.routing.setup_health import NEEDED_PERMISSIONS
from cogs.setup.pages import CHANNELS
from webhook.protocol.errors import Conflict

NAME = "CAD Sentinel"
"""The category's name, and the start of the roles' names."""

StoreChoice = Callable[[str, int], Awaitable[None]]
"""Stores the channel or role of a layout's key."""


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
                "a role named {name!r} with permissions of its own already exists: choose it "
                "in the menu, or rename it",
                name=name,
            )
        if role is None:
            role = await guild.create_role(
                name=name, permissions=discord.Permissions.none(), reason=reason
            )
        await store(key, role.id)


async def create_channels(
    guild: discord.Guild, layout: Layout, missing: Sequence[str], store: StoreChoice, reason: str
) -> None:
    """Create channels in a category that only the configured roles and the bot can see.

    Raises:
        discord.HTTPException: Discord refuses.
    """
    existing = await guild.fetch_channels()
    category = await _category(guild, existing, layout, store, reason)
    inside = {
        channel.name: channel
        for channel in existing
        if isinstance(channel, discord.TextChannel) and channel.category_id == category.id
    }
    for key in missing:
        name = key.rpartition(".")[2]
        channel = inside.get(name)
        if channel is None:
            channel = await guild.create_text_channel(
                name, category=category, topic=CHANNELS[key], reason=reason
            )
        await store(key, channel.id)


async def _category(
    guild: discord.Guild,
    existing: Sequence[discord.abc.GuildChannel],
    layout: Layout,
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
            NAME, overwrites=_overwrites(guild, layout), reason=reason
        )
    await store(CATEGORY, category.id)
    return category


def _overwrites(
    guild: discord.Guild, layout: Layout
) -> dict[discord.Role | discord.Member | discord.Object, discord.PermissionOverwrite]:
    seen_by = [number for key, ids in layout.items() if key.startswith("roles.") for number in ids]
    roles = [role for role in map(guild.get_role, seen_by) if role is not None]
    return {
        guild.default_role: discord.PermissionOverwrite(view_channel=False),
        **{role: discord.PermissionOverwrite(view_channel=True) for role in roles},
        guild.me: discord.PermissionOverwrite(**dict.fromkeys(NEEDED_PERMISSIONS, True)),
    }
