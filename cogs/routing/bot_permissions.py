"""What the bot may do in Discord, and which permissions it lacks."""

from collections.abc import Iterable

import discord

NEEDED_PERMISSIONS = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "embed_links": "Embed Links",
    "attach_files": "Attach Files",
    "read_message_history": "Read Message History",
}
"""The permissions that the bot needs in a channel, as Discord's settings call them."""

POSTABLE_CHANNELS = (discord.TextChannel, discord.VoiceChannel, discord.StageChannel)
"""The kinds of channels that the bot can post to."""


def missing_permissions(channel: discord.abc.GuildChannel, me: discord.Member) -> list[str]:
    """Return the names of the permissions that the bot lacks in a channel."""
    granted = channel.permissions_for(me)
    return [label for name, label in NEEDED_PERMISSIONS.items() if not getattr(granted, name)]


def can_mention(role: discord.Role, me: discord.Member) -> bool:
    """Tell whether a mention of the role by the bot reaches anybody."""
    return role.mentionable or me.guild_permissions.mention_everyone


def find_channel(
    guilds: Iterable[discord.Guild], channel_id: int
) -> discord.abc.GuildChannel | None:
    """Return a channel of one of the servers."""
    found = (guild.get_channel(channel_id) for guild in guilds)
    return next((channel for channel in found if channel is not None), None)


def find_role(guilds: Iterable[discord.Guild], role_id: int) -> discord.Role | None:
    """Return a role of one of the servers."""
    found = (guild.get_role(role_id) for guild in guilds)
    return next((role for role in found if role is not None), None)
