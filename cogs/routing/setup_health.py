"""Whether Discord still is as it was set up: what was deleted, what the bot may not do."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import discord

from cogs.i18n.language import N_, _
from cogs.routing.layout import CATEGORY, GUILD, PRESET, Layout, channel_ids, single_id
from cogs.routing.troubles import Trouble
from cogs.routing.visibility import CalledRole, HiddenChannel, by_role, hidden_channels
from cogs.ui.home import home_guild, several_servers
from cogs.ui.text import inert_line

PERMISSIONS = {
    "view_channel": N_("View Channel"),
    "send_messages": N_("Send Messages"),
    "embed_links": N_("Embed Links"),
    "attach_files": N_("Attach Files"),
    "read_message_history": N_("Read Message History"),
    "send_messages_in_threads": N_("Send Messages in Threads"),
    "create_public_threads": N_("Create Public Threads"),
    "manage_threads": N_("Manage Threads"),
    "manage_channels": N_("Manage Channels"),
    "manage_roles": N_("Manage Roles"),
}
"""Permissions as Discord's settings call them, which are in the member's language too."""

NEEDED_PERMISSIONS = (
    "view_channel",
    "send_messages",
    "embed_links",
    "attach_files",
    "read_message_history",
)
"""The permissions that the bot needs in a channel."""

IN_THREADS = "send_messages_in_threads"
"""What it needs in a thread instead of `send_messages`, and in a forum besides."""

TO_OPEN_THREADS = ("create_public_threads", IN_THREADS)
"""What it needs in a channel whose messages get threads."""

PostableChannel = (
    discord.TextChannel
    | discord.VoiceChannel
    | discord.StageChannel
    | discord.Thread
    | discord.ForumChannel
)
"""The kinds of channels that the bot can post to; announcements are text, media are forums."""


AnyChannel = discord.abc.GuildChannel | discord.Thread


class SetupHealth:
    """Says what is no longer as it was set up, and how to mend it.

    `layout` and `called_roles` are what counts now. `rule_channels`: the names of the rules that
    post to channels of their own, by the channels' ids, `thread_rules` of those that open threads
    there. `guilds` returns the servers that the bot
    is in, None while it is not connected.
    """

    def __init__(self, guilds: Callable[[], Sequence[discord.Guild] | None]) -> None:
        self.layout: Layout = {}
        self.called_roles: Sequence[CalledRole] = ()
        self.rule_channels: Mapping[int, str] = {}
        self.thread_rules: Mapping[int, str] = {}
        self.threads: set[int] = set()
        """Threads that something is posted to; discord.py forgets those that are archived."""
        self._guilds = guilds

    @property
    def channels(self) -> list[int]:
        """Return the ids of all channels that something is posted to."""
        layout = [ids for what, ids in self.layout.items() if what.startswith("channels.")]
        return list(dict.fromkeys([*(id_ for ids in layout for id_ in ids), *self.rule_channels]))

    def troubles(self) -> list[Trouble] | None:
        """Return what is wrong; None while Discord has an outage, so that nothing can be said."""
        guilds = self._guilds()
        if guilds is None or any(guild.unavailable for guild in guilds):
            return None
        return list(self._wrong(guilds))

    def _wrong(self, guilds: Sequence[discord.Guild]) -> Iterator[Trouble]:
        if not guilds:
            sentence = _("The bot is in no Discord server. Its messages wait.")
            yield Trouble("guild", sentence, _("Invite it again."))
            return
        wanted = single_id(self.layout, GUILD)
        if home_guild(guilds, wanted, channel_ids(self.layout)) is None:
            sentence = _("The bot is in several servers, and nothing says which one is its own.")
            cure = several_servers([(guild.id, guild.name) for guild in guilds])
            yield Trouble("guild.several", sentence, cure)
        if wanted and all(guild.id != wanted for guild in guilds):
            sentence = _("The bot is not in the Discord server that it is for.")
            cure = _("Invite it again, or put the guild_id of another one into config.toml.")
            yield Trouble("guild.wanted", sentence, cure, wanted)
        yield from self._wrong_with_channels(guilds)
        yield from self._closed_to_threads(guilds)
        yield from self._missing_roles(guilds)
        yield from self._silent_roles(guilds)
        yield from self._blind_roles(guilds)

    def _wrong_with_channels(self, guilds: Sequence[discord.Guild]) -> Iterator[Trouble]:
        """Check each channel once, whatever is posted in it; those alike are one trouble."""
        uses: dict[int, list[str]] = {}
        for what, ids in self.layout.items():
            group, _dot, name = what.rpartition(".")
            if group == "channels":
                for number in ids:
                    uses.setdefault(number, []).append(name)
        forgotten = {one for one in self.threads if find_channel(guilds, one) is None}
        alike: dict[str, list[int]] = {}
        for number in uses:
            if number not in forgotten and (problem := problem_of(guilds, "channels.", number)):
                is_there = find_channel(guilds, number) is not None
                alike.setdefault(problem if is_there else str(number), []).append(number)
        for numbers in alike.values():
            names = ", ".join(name for number in numbers for name in uses[number])
            key, cure = f"channel.{uses[numbers[0]][0]}", _("Fix it with /setup.")
            problem = problem_of(guilds, "channels.", numbers[0])
            if len(numbers) == 1:
                sentence = f"{_label(f'channels.{names}')}: {problem}."
                yield Trouble(key, sentence, cure, numbers[0])
            else:
                sentence = f"{_('The channels {names}').format(names=names)}: {problem}."
                several = {f"channel.{uses[number][0]}": number for number in numbers}
                yield Trouble(key, sentence, cure, several=several)
        for number, rule in self.rule_channels.items():
            if number not in {*uses, *forgotten} and (
                problem := problem_of(guilds, "channels.", number)
            ):
                text = _("The channel of the rule {name}: {problem}.")
                sentence = text.format(name=rule, problem=problem)
                cure = _("Give the bot what it needs there, or correct the rule.")
                yield Trouble(f"channel.{number}", sentence, cure, number)

    def _closed_to_threads(self, guilds: Sequence[discord.Guild]) -> Iterator[Trouble]:
        for number, rule in self.thread_rules.items():
            channel = find_channel(guilds, number)
            if channel is None or not (missing := missing_for_threads(channel, channel.guild.me)):
                continue
            text = _("The rule {name} cannot open threads: the bot lacks {permissions}.")
            sentence = text.format(name=rule, permissions=", ".join(missing))
            cure = _("Give the bot what it needs there, or correct the rule.")
            yield Trouble(f"channel.{number}.threads", sentence, cure, number)

    def _missing_roles(self, guilds: Sequence[discord.Guild]) -> Iterator[Trouble]:
        for what, ids in self.layout.items():
            if not what.startswith("channels.") and what not in (GUILD, CATEGORY, PRESET):
                for number in ids:
                    if problem := problem_of(guilds, what, number):
                        sentence = f"{_label(what)}: {problem}."
                        cure = _("Fix it with /setup.")
                        yield Trouble(f"role.{what}.{number}", sentence, cure, number)

    def _silent_roles(self, guilds: Sequence[discord.Guild]) -> Iterator[Trouble]:
        for called in self.called_roles:
            key = f"role.{called.what}.{called.role_id}"
            is_of_layout = called.role_id in self.layout.get(called.what, ())
            if problem := call_problem(guilds, called):
                sentence = f"{_label(called.what)}: {_('a mention of it reaches nobody')}."
                cure = f"{problem[:1].upper()}{problem[1:]}."
                yield Trouble(f"{key}.silent", sentence, cure, called.role_id)
            elif not is_of_layout and find_role(guilds, called.role_id) is None:
                problem = _("it was deleted, or the bot is not in its server")
                sentence = f"{_label(called.what)}: {problem}."
                cure = _("Correct it in the configuration file.")
                yield Trouble(key, sentence, cure, called.role_id)

    def _blind_roles(self, guilds: Sequence[discord.Guild]) -> Iterator[Trouble]:
        hidden = hidden_channels(partial(find_channel, guilds), self.layout, self.called_roles)
        for role, of_role in by_role(hidden).items():
            sentence = _("A role cannot see channels that are for it.")
            if any(one.is_called for one in of_role):
                sentence = _("A role is called in channels that it cannot see.")
            cure = _("{problem}. Fix it with /setup: “Let these roles see the channels”.")
            cure = cure.format(problem=hidden_problem(role, of_role))
            yield Trouble(f"role.blind.{role.id}", sentence, cure, role.id)


def missing_permissions(
    channel: AnyChannel, me: discord.Member, parent: discord.abc.GuildChannel | None = None
) -> list[str]:
    """Return what the bot lacks to post there.

    A thread has the permissions of its `parent`, which must be given if nothing is cached.
    """
    needed = list(NEEDED_PERMISSIONS)
    if isinstance(channel, discord.Thread | discord.ForumChannel):
        needed.append(IN_THREADS)
    if isinstance(channel, discord.Thread):
        needed.remove("send_messages")
    return lacking((parent or channel).permissions_for(me), needed)


def lacking(granted: discord.Permissions, needed: Iterable[str]) -> list[str]:
    """Return the names of the permissions that are needed and not granted."""
    return [_(PERMISSIONS[one]) for one in needed if not getattr(granted, one)]


def missing_for_threads(channel: AnyChannel, me: discord.Member) -> list[str]:
    """Return what the bot lacks to open threads there; what is posted in a forum is one anyway."""
    if not isinstance(channel, discord.TextChannel):
        return []
    return lacking(channel.permissions_for(me), TO_OPEN_THREADS)


def can_mention(role: discord.Role, channel: AnyChannel, me: discord.Member) -> bool:
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
        f"#{inert_line(channel.name, 100)}"
        for channel in map(role.guild.get_channel_or_thread, called.channels)
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


def hidden_problem(role: discord.Role, hidden: Sequence[HiddenChannel]) -> str:
    """Say which channels a role cannot see, and whether it is called there."""
    names = ", ".join(f"#{inert_line(one.channel.name, 100)}" for one in hidden)
    text = _("The role {role} cannot see {channels}")
    if any(one.is_called for one in hidden):
        text = _("The role {role} is called in channels that it cannot see: {channels}")
    return text.format(role=inert_line(role.name, 100), channels=names)


def find_channel(guilds: Iterable[discord.Guild], channel_id: int) -> AnyChannel | None:
    """Return a channel or an open thread; the bot opens those that it posts to."""
    found = (guild.get_channel_or_thread(channel_id) for guild in guilds)
    return next((channel for channel in found if channel is not None), None)


def find_role(guilds: Iterable[discord.Guild], role_id: int) -> discord.Role | None:
    found = (guild.get_role(role_id) for guild in guilds)
    return next((role for role in found if role is not None), None)


def problem_of(guilds: Sequence[discord.Guild], what: str, number: int) -> str:
    """Say why a channel or a role of the layout is of no use; blank if it is well."""
    if what in (GUILD, CATEGORY, PRESET):
        return ""
    if not what.startswith("channels."):
        gone = find_role(guilds, number) is None
        return _("it was deleted, or the bot is not in its server") if gone else ""
    channel = find_channel(guilds, number)
    if channel is None:
        return _("it was deleted, or the bot is not in its server")
    if not isinstance(channel, PostableChannel):
        return _("it is not a text channel, thread or forum")
    if isinstance(channel, discord.Thread) and channel.locked:
        granted = channel.permissions_for(channel.guild.me)
        if not granted.manage_threads:
            text = _("the thread is locked: unlock it, or allow the bot {permission}")
            return text.format(permission=_(PERMISSIONS["manage_threads"]))
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
