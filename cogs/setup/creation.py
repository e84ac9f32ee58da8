"""Creates the channels and roles that are missing; each is kept before the next is begun.

What is there already under the same name, as when Discord made it without answering, is taken.
"""

from collections.abc import Awaitable, Callable, Sequence

import discord

from cogs.routing.bot_permissions import NEEDED_PERMISSIONS
from cogs.routing.layout import CATEGORY, Layout, single_id
from cogs.setup.pages import CHANNELS
from webhook.protocol.errors import Conflict

NAME = "CAD Sentinel"
"""What the category is called, and how the roles' names begin."""

Keep = Callable[[str, int], Awaitable[None]]
"""Keeps what stands for a thing of the layout from now on."""


async def make_roles(guild: discord.Guild, missing: Sequence[str], keep: Keep, reason: str) -> None:
    """Create roles that may do nothing in Discord itself.

    Raises:
        Conflict: a role is called like one of them and may do something.
        discord.HTTPException: Discord refuses.
    """
    found = {role.name: role for role in await guild.fetch_roles()}
    for what in missing:
        name = f"{NAME} {what.rpartition('.')[2]}"
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
        await keep(what, role.id)


async def make_channels(
    guild: discord.Guild, layout: Layout, missing: Sequence[str], keep: Keep, reason: str
) -> None:
    """Create channels in a category that only the configured roles and the bot see.

    Raises:
        discord.HTTPException: Discord refuses.
    """
    existing = await guild.fetch_channels()
    category = await _category(guild, existing, layout, keep, reason)
    inside = {
        channel.name: channel
        for channel in existing
        if isinstance(channel, discord.TextChannel) and channel.category_id == category.id
    }
    for what in missing:
        name = what.rpartition(".")[2]
        channel = inside.get(name)
        if channel is None:
            channel = await guild.create_text_channel(
                name, category=category, topic=CHANNELS[what], reason=reason
            )
        await keep(what, channel.id)


async def _category(
    guild: discord.Guild,
    existing: Sequence[discord.abc.GuildChannel],
    layout: Layout,
    keep: Keep,
    reason: str,
) -> discord.CategoryChannel:
    categories = [one for one in existing if isinstance(one, discord.CategoryChannel)]
    kept = single_id(layout, CATEGORY)
    for category in categories:
        if category.id == kept or (not kept and category.name == NAME):
            break
    else:
        category = await guild.create_category(
            NAME, overwrites=_overwrites(guild, layout), reason=reason
        )
    await keep(CATEGORY, category.id)
    return category


def _overwrites(
    guild: discord.Guild, layout: Layout
) -> dict[discord.Role | discord.Member | discord.Object, discord.PermissionOverwrite]:
    seen_by = [
        number for what, ids in layout.items() if what.startswith("roles.") for number in ids
    ]
    roles = [role for role in map(guild.get_role, seen_by) if role is not None]
    return {
        guild.default_role: discord.PermissionOverwrite(view_channel=False),
        **{role: discord.PermissionOverwrite(view_channel=True) for role in roles},
        guild.me: discord.PermissionOverwrite(**dict.fromkeys(NEEDED_PERMISSIONS, True)),
    }
