"""Which role must see which channel, and which ones do not: a role that is called in a channel that
it cannot open is called in vain.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import discord

from cogs.routing.layout import CATEGORY, Layout, single_id

Channel = discord.abc.GuildChannel
FindChannel = Callable[[int], Channel | discord.Thread | None]
FindRole = Callable[[Channel, int], discord.Role | None]

STAFF = ("roles.viewer", "roles.dispatcher", "roles.approver", "roles.admin")

AUDIENCES: Mapping[str, tuple[str, ...]] = {
    "channels.approvals": ("roles.approver", "roles.admin"),
    "channels.log": ("roles.dispatcher", "roles.approver", "roles.admin"),
}
"""Who is to see a channel, by its name in the layout; the others are for all of the staff."""


class CalledRole(NamedTuple):
    """A role that messages mention, and the ids of the channels in which they may do so.

    `what` is a name of the layout, or `rules.` and the name of a rule.
    """

    what: str
    role_id: int
    channels: tuple[int, ...]


class HiddenChannel(NamedTuple):
    """A channel that a role cannot see although it is for it, or calls it."""

    role: discord.Role
    channel: Channel
    is_called: bool


def audience(key: str) -> tuple[str, ...]:
    """Return the roles of the layout that a channel of the layout is for."""
    return AUDIENCES.get(key, STAFF)


def cached_role(channel: Channel, role_id: int) -> discord.Role | None:
    """Return a role of a channel's server, as the gateway told it."""
    return channel.guild.get_role(role_id)


def hidden_channels(
    find: FindChannel,
    layout: Layout,
    called_roles: Iterable[CalledRole],
    find_role: FindRole = cached_role,
) -> list[HiddenChannel]:
    """Return the channels that roles cannot see, by what Discord makes of all their permissions.

    In the category that `/setup` created every role is to see what is for it. Channels that people
    chose may be hidden from some of them on purpose: there it is enough that one of those who may
    do the same sees it. Whoever is called must see the channel, wherever it is.
    """
    found = dict[tuple[int, int], HiddenChannel]()
    for role, channel in _called_in(find, called_roles, find_role):
        if not _sees(role, channel):
            found[role.id, channel.id] = HiddenChannel(role, channel, is_called=True)
    for channel, roles in _meant_for(find, layout, find_role):
        for role in roles:
            found.setdefault((role.id, channel.id), HiddenChannel(role, channel, is_called=False))
    return list(found.values())


def writable_channels(
    find: FindChannel, layout: Layout, find_role: FindRole = cached_role
) -> list[Channel]:
    """Return the channels in the category of `/setup` in which others than the bot write.

    Whoever chose channels of their own may want people to write there.
    """
    category, found = single_id(layout, CATEGORY), dict[int, Channel]()
    ids = [number for key in layout if key.startswith("channels.") for number in layout[key]]
    staff = [number for group in STAFF for number in layout.get(group, ())]
    for channel in _channels(find, ids):
        if channel.category_id != category or not isinstance(channel, discord.TextChannel):
            continue
        roles = [channel.guild.default_role, *(find_role(channel, number) for number in staff)]
        if any(role is not None and _writes(role, channel) for role in roles):
            found[channel.id] = channel
    return list(found.values())


def _called_in(
    find: FindChannel, called_roles: Iterable[CalledRole], find_role: FindRole
) -> Iterator[tuple[discord.Role, Channel]]:
    for called in called_roles:
        for channel in _channels(find, called.channels):
            role = find_role(channel, called.role_id)
            if role is not None and not role.is_default():
                yield role, channel


def _meant_for(
    find: FindChannel, layout: Layout, find_role: FindRole
) -> Iterator[tuple[Channel, list[discord.Role]]]:
    """Yield each channel of the layout with the roles of a group that should see it and do not."""
    category = single_id(layout, CATEGORY)
    for key, ids in layout.items():
        if not key.startswith("channels."):
            continue
        for channel in _channels(find, ids):
            is_ours = bool(category) and channel.category_id == category
            for group in audience(key):
                ids = layout.get(group, ())
                roles = [role for one in ids if (role := find_role(channel, one)) is not None]
                hidden_from = [role for role in roles if not _sees(role, channel)]
                if is_ours or len(hidden_from) == len(roles):
                    # Whoever lets everybody look things up does not open every channel with it.
                    yield channel, [one for one in hidden_from if is_ours or not one.is_default()]


def _channels(find: FindChannel, ids: Iterable[int]) -> Iterator[Channel]:
    """Yield those that exist; who sees a thread is decided by the channel that it is in."""
    for found in map(find, ids):
        channel = found.parent if isinstance(found, discord.Thread) else found
        if channel is not None:
            yield channel


def _sees(role: discord.Role, channel: Channel) -> bool:
    return channel.permissions_for(role).view_channel


def _writes(role: discord.Role, channel: Channel) -> bool:
    allowed = channel.permissions_for(role)
    return allowed.view_channel and allowed.send_messages and not allowed.administrator


def by_role(hidden: Sequence[HiddenChannel]) -> dict[discord.Role, list[HiddenChannel]]:
    """Group what is hidden by the role that it is hidden from."""
    grouped: dict[discord.Role, list[HiddenChannel]] = {}
    for one in hidden:
        grouped.setdefault(one.role, []).append(one)
    return grouped
