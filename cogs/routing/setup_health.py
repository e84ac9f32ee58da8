"""Whether Discord still is as it was set up: what was deleted, what the bot may not do."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import discord

from cogs.i18n.language import ENGLISH, _, using_locale
from cogs.routing.layout import Layout, single_id

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

log = logging.getLogger(__name__)


class CalledRole(NamedTuple):
    """A role that messages mention, and the ids of the channels in which they may do so.

    `what` is a name of the layout, `alarms.supervisor`, or `rules.` and the name of a rule.
    """

    what: str
    role_id: int
    channels: tuple[int, ...]


class SetupHealth:
    """Says what is no longer as it was set up, in sentences that say how to fix it.

    `layout` and `called_roles` are what counts now. Nothing can be checked while Discord has an
    outage.
    """

    def __init__(self, guilds: Callable[[], Sequence[discord.Guild]]) -> None:
        self.layout: Layout = {}
        self.called_roles: Sequence[CalledRole] = ()
        self._guilds = guilds
        self._logged: set[str] = set()

    def sentences(self, *, channels: bool = True) -> list[str]:
        """Return what is wrong; nothing if all is well. Without `channels` they are left out."""
        guilds = self._guilds()
        if any(guild.unavailable for guild in guilds):
            return []
        return list(self._wrong(guilds, channels=channels))

    def log_changes(self) -> None:
        """Log what went wrong since the last time, once, and what was fixed."""
        with using_locale(ENGLISH):
            wrong = dict.fromkeys(self.sentences())
        for sentence in wrong:
            if sentence not in self._logged:
                log.warning("%s", sentence)
        for sentence in sorted(self._logged - wrong.keys()):
            log.info("fixed: %s", sentence)
        self._logged = set(wrong)

    def _wrong(self, guilds: Sequence[discord.Guild], *, channels: bool) -> Iterator[str]:
        if not guilds:
            yield _("The bot is in no Discord server: invite it again. Its messages wait.")
            return
        wanted = single_id(self.layout, "guild_id")
        if wanted and all(guild.id != wanted for guild in guilds):
            text = _("The bot is not in the Discord server {id}: invite it again.")
            yield text.format(id=wanted)
        for what, ids in self.layout.items():
            if what.startswith("channels.") and not channels:
                continue
            for number in ids:
                if problem := problem_of(guilds, what, number):
                    text = _("{what} ({id}): {problem}. Fix it with /setup.")
                    yield text.format(what=_label(what), id=number, problem=problem)
        yield from self._silent_roles(guilds)

    def _silent_roles(self, guilds: Sequence[discord.Guild]) -> Iterator[str]:
        for called in self.called_roles:
            is_of_layout = called.role_id in self.layout.get(called.what, ())
            if problem := call_problem(guilds, called):
                text = _("{what} ({id}): {problem}.")
                yield text.format(what=_label(called.what), id=called.role_id, problem=problem)
            elif not is_of_layout and find_role(guilds, called.role_id) is None:
                text = _("{what} ({id}): {problem}. Correct it in the configuration file.")
                problem = _("it was deleted, or the bot is not in its server")
                yield text.format(what=_label(called.what), id=called.role_id, problem=problem)


def missing_permissions(channel: discord.abc.GuildChannel, me: discord.Member) -> list[str]:
    granted = channel.permissions_for(me)
    return [label for name, label in NEEDED_PERMISSIONS.items() if not getattr(granted, name)]


def can_mention(role: discord.Role, channel: discord.abc.GuildChannel, me: discord.Member) -> bool:
    """Tell whether a mention of the role by the bot in this channel reaches anybody.

    Discord calls @everyone only by its name, not by the id of its role.
    """
    allowed = role.mentionable or channel.permissions_for(me).mention_everyone
    return allowed and not role.is_default()


def call_problem(guilds: Sequence[discord.Guild], called: CalledRole) -> str:
    """Say why a mention of a role reaches nobody; blank if it does.

    A role or a channel that is gone, or a channel that the bot cannot post to, is another problem.
    """
    role = find_role(guilds, called.role_id)
    if role is None:
        return ""
    if role.is_default():
        return _("@everyone cannot be mentioned as a role, choose another one")
    me = role.guild.me
    silent = [
        f"#{channel.name}"
        for channel in map(role.guild.get_channel, called.channels)
        if channel is not None
        and not missing_permissions(channel, me)
        and not can_mention(role, channel, me)
    ]
    if not silent:
        return ""
    text = _(
        "a mention in {channels} reaches nobody: allow the bot Mention @everyone, @here, and All"
        " Roles there, or allow anyone to mention the role"
    )
    return text.format(channels=", ".join(silent))


def find_channel(
    guilds: Iterable[discord.Guild], channel_id: int
) -> discord.abc.GuildChannel | None:
    found = (guild.get_channel(channel_id) for guild in guilds)
    return next((channel for channel in found if channel is not None), None)


def find_role(guilds: Iterable[discord.Guild], role_id: int) -> discord.Role | None:
    found = (guild.get_role(role_id) for guild in guilds)
    return next((role for role in found if role is not None), None)


def problem_of(guilds: Sequence[discord.Guild], what: str, number: int) -> str:
    """Say why a channel or a role of the layout is of no use; blank if it is well."""
    if what == "guild_id":
        return ""
    if not what.startswith("channels."):
        gone = find_role(guilds, number) is None
        return _("it was deleted, or the bot is not in its server") if gone else ""
    channel = find_channel(guilds, number)
    if channel is None:
        return _("it was deleted, or the bot is not in its server")
    if not isinstance(channel, POSTABLE_CHANNELS):
        return _("it is not a text channel")
    missing = missing_permissions(channel, channel.guild.me)
    return (
        _("the bot lacks {permissions}").format(permissions=", ".join(missing)) if missing else ""
    )


def _label(what: str) -> str:
    group, _dot, name = what.partition(".")
    name = name or group
    if group == "channels":
        return _("The channel {name}").format(name=name)
    if group == "rules":
        return _("The role that the rule {name} mentions").format(name=name)
    return _("The {name} role").format(name=name.removesuffix("_role"))
