"""The part of `cad-sentinel check` that asks Discord: token, channels, roles, permissions."""

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path

import aiohttp
import discord

from bot.called_roles import called_roles
from bot.commands.check import Report
from bot.discord_pipeline import discord_proxy, point_discord_at
from bot.discord_settings import apply_setup, layout_of, threaded_channels, with_rules
from bot.settings import AlarmSettings, DiscordSettings, Settings
from cogs.bot_token import HOW_TO_GET_IT, describe_rejection
from cogs.connection import UNREADABLE
from cogs.delivery.rest.clock import WORTH_TELLING, DiscordClock
from cogs.delivery.rest.errors import trace_answers
from cogs.routing.layout import CATEGORY, PRESET, Layout, choices, merged_layout
from cogs.routing.setup_health import (
    AnyChannel,
    PostableChannel,
    can_mention,
    hidden_problem,
    missing_for_threads,
    missing_permissions,
)
from cogs.routing.stored import StoredRouting, stored_routing
from cogs.routing.visibility import CalledRole, by_role, hidden_channels
from cogs.ui.home import several_servers
from db.database import open_read_only
from db.errors import StorageError
from webhook.queries.guilds import command_ids

TIMEOUT = 60.0
"""Seconds that Discord has for all answers; discord.py tries each request five times."""

LATER = (
    "the rest was not checked: look at this machine's network and at discordstatus.com, try later"
)
STILL_THERE = (
    "the rest was not checked: look whether the bot is still in the server, and invite it again if"
    " not; else try later"
)
SERVER_ERRORS = 500
OF_RULE = "of rule "
GRANT = "give the bot's role these in the channel's permissions"
MEND = "choose another one with /setup, or correct its id in the file"


async def check_discord(settings: Settings, report: Report) -> None:
    """Check what the file and `/setup` say about Discord, by asking Discord."""
    chosen = await setup_choices(settings.database.path)
    _report_choices(layout_of(settings), chosen, report)
    layout = merged_layout(layout_of(settings), chosen)
    stored = await _stored_rules(settings.database.path)
    settings = with_rules(apply_setup(settings, chosen), stored)
    report.chosen_in_setup(f"discord.{name}" for name in chosen)
    point_discord_at(settings.discord)
    proxy = discord_proxy(settings.discord)
    clock = DiscordClock()
    async with discord.Client(
        intents=discord.Intents(guilds=True), proxy=proxy, http_trace=trace_answers(clock)
    ) as client:
        try:
            async with asyncio.timeout(TIMEOUT):
                await client.login(settings.discord.token)
                report.good(f"Discord knows the bot as {client.user}")
                _check_clock(clock.error(), report)
                guilds = await _check_guilds(
                    client, settings.discord, settings.alarms, layout, report
                )
                await _check_commands(client, guilds, settings.database.path, report)
        except discord.LoginFailure:
            rejection = describe_rejection(settings.discord.token)
            report.fault(rejection, HOW_TO_GET_IT, "discord.token")
        except TimeoutError:
            report.fault(f"Discord has not answered everything within {TIMEOUT:g} seconds", LATER)
        except (discord.HTTPException, aiohttp.ClientError, OSError, *UNREADABLE) as fault:
            _report_silence(fault, settings.discord, report)


def _report_silence(fault: Exception, settings: DiscordSettings, report: Report) -> None:
    """Report why Discord did not answer the request."""
    reason, mend, setting = f"Discord cannot be reached: {fault or type(fault).__name__}", LATER, ""
    if isinstance(fault, discord.HTTPException) and fault.status < SERVER_ERRORS:
        reason, mend = f"Discord refuses what was asked: {fault}", STILL_THERE
    elif isinstance(fault, UNREADABLE):
        reason = "Discord cannot be reached: the answer was cut off, or a network's login page"
    elif isinstance(fault, aiohttp.ClientConnectorCertificateError):
        mend = f"is the clock of this machine right? {LATER}"
    if settings.proxy:
        mend, setting = f"is [discord] proxy right? {mend}", "discord.proxy"
    report.fault(reason, mend, setting)


async def setup_choices(path: Path) -> Layout:
    """Return what `/setup` chose; nothing if the database cannot be read, which `check` reports."""
    if not await asyncio.to_thread(path.exists):
        return {}
    try:
        async with open_read_only(path) as sql:
            return await choices(sql)
    except StorageError:
        return {}


async def _stored_rules(path: Path) -> StoredRouting:
    """Return the rules that were made in Discord, like `setup_choices`."""
    if not await asyncio.to_thread(path.exists):
        return StoredRouting()
    try:
        async with open_read_only(path) as sql:
            return await stored_routing(sql)
    except StorageError:
        return StoredRouting()


def _check_clock(error: float, report: Report) -> None:
    """Compare this machine's clock with Discord's; `error`: seconds that it is ahead."""
    if abs(error) < WORTH_TELLING:
        report.good("the clock is right by Discord's")
        return
    report.fault(
        f"the clock of this machine is {abs(error):.0f} s {'fast' if error > 0 else 'slow'}",
        "have the system set the time by itself (NTP)",
    )


def _report_choices(file: Layout, chosen: Layout, report: Report) -> None:
    """Note how much `/setup` chose, and where the file says something else."""
    number = len(chosen.keys() & file.keys() - {CATEGORY, PRESET})
    if not number:
        return
    things = "1 thing is" if number == 1 else f"{number} things are"
    overridden = ", ".join(name for name, ids in file.items() if ids and name in chosen)
    wins = f", which wins over the file's {overridden}" if overridden else ""
    report.note(
        f"{things} from /setup{wins}; it shows them, and undoes them with Reset to the file"
        " (or cad-sentinel forget-setup)"
    )


async def _check_guilds(
    client: discord.Client,
    settings: DiscordSettings,
    alarms: AlarmSettings,
    layout: Layout,
    report: Report,
) -> list[discord.Guild]:
    """Check channels and roles; return the servers that they are in."""
    numbers = {name: number for name, number in settings.channels if number}
    if not numbers:
        report.fault(
            "no channel is configured",
            "type /setup in Discord, or put channel ids into [discord.channels]",
        )
    numbers |= {f"{OF_RULE}{rule.name}": rule.channel for rule in settings.rules if rule.channel}
    own: dict[int, discord.Member] = {}
    channels: dict[int, AnyChannel] = {}
    for name, number in numbers.items():
        channel = await _check_channel(client, name, number, own, report)
        if channel is not None:
            channels[number] = channel
    for me in own.values():
        _check_guild(me.guild, settings, alarms.supervisor, report)
    _check_threads(settings, channels, own, report)
    called = called_roles(alarms, settings)
    for role in called:
        _check_called_role(role, channels, own, report)
    for hidden_from, hidden in by_role(hidden_channels(channels.get, layout, called)).items():
        report.fault(
            hidden_problem(hidden_from, hidden),
            "press “Let these roles see the channels” in /setup, or allow it View Channel there",
        )
    if not settings.guild_id:
        await _check_home(client, own.keys(), report)
    return [me.guild for me in own.values()]


def _check_threads(
    settings: DiscordSettings,
    channels: Mapping[int, AnyChannel],
    own: Mapping[int, discord.Member],
    report: Report,
) -> None:
    for number, rule in threaded_channels(settings).items():
        channel = channels.get(number)
        if channel is None or channel.id != number:  # none can be opened in a thread
            continue
        if missing := missing_for_threads(channel, own[channel.guild.id]):
            report.fault(
                f"rule {rule} cannot open threads in #{channel.name}: the bot lacks"
                f" {', '.join(missing)}",
                GRANT,
            )


async def _check_home(
    client: discord.Client, with_channels: Collection[int], report: Report
) -> None:
    """Check that it is clear in which server managers can do everything."""
    guilds = [(guild.id, guild.name) async for guild in client.fetch_guilds()]
    if len(guilds) > 1 and len(with_channels) != 1:
        sentence = "the bot is in several servers, and nothing says which one is its own"
        report.fault(sentence, several_servers(guilds))
    elif len(guilds) > 1:
        report.note(several_servers(guilds))


async def _check_channel(
    client: discord.Client,
    name: str,
    number: int,
    own: dict[int, discord.Member],
    report: Report,
) -> AnyChannel | None:
    """Return the channel if the bot may post there; of a thread, the one that decides who may.

    `own`: the bot in each server, filled here.
    """
    channel = await _fetch_channel(client, name, number, report)
    if channel is None:
        return None
    me = own.get(channel.guild.id)
    if me is None:
        me = own[channel.guild.id] = await _own_member(client, channel.guild.id)
    # Its own guild, without a gateway, has no roles, from which the rights follow.
    channel.guild = me.guild
    parent: discord.TextChannel | discord.ForumChannel | None = None
    if isinstance(channel, discord.Thread):
        above = await client.fetch_channel(channel.parent_id)
        assert isinstance(above, discord.TextChannel | discord.ForumChannel)  # noqa: S101
        above.guild = me.guild
        parent = above
    missing = missing_permissions(channel, me, parent)
    if missing:
        report.fault(f"channel {name} (#{channel.name}): the bot lacks {', '.join(missing)}", GRANT)
        return None
    report.good(f"channel {name} is #{channel.name}, and the bot may post there")
    return parent or channel


async def _fetch_channel(
    client: discord.Client, name: str, number: int, report: Report
) -> PostableChannel | None:
    setting = "" if name.startswith(OF_RULE) else f"discord.channels.{name}"
    try:
        channel = await client.fetch_channel(number)
    except discord.NotFound:
        report.fault(f"channel {name} ({number}) does not exist", MEND, setting)
        return None
    except discord.Forbidden:
        report.fault(
            f"channel {name} ({number}) is hidden from the bot",
            "give the bot's role View Channel in the channel's permissions",
            setting,
        )
        return None
    if not isinstance(channel, PostableChannel):
        not_one = "is not a text channel, a thread or a forum"
        report.fault(f"channel {name} ({number}) {not_one}", MEND, setting)
        return None
    return channel


def _check_guild(
    guild: discord.Guild,
    settings: DiscordSettings,
    supervisors: list[int],
    report: Report,
) -> None:
    if settings.guild_id not in (0, guild.id):
        report.fault(
            f"channels are in server {guild.id}, but guild_id is {settings.guild_id}",
            "correct guild_id or the channel ids",
            "discord.guild_id",
        )
    known = {role.id for role in guild.roles}
    roles = [(name, f"discord.roles.{name}", ids) for name, ids in settings.roles]
    for name, setting, ids in [*roles, ("supervisor", "alarms.supervisor", supervisors)]:
        for role_id in ids:
            if role_id not in known:
                report.fault(f"role {name} ({role_id}) does not exist", MEND, setting)
    for rule in settings.rules:
        if rule.mention and rule.mention not in known:
            report.fault(
                f"the role that rule {rule.name} mentions ({rule.mention}) does not exist",
                "correct its id",
            )
    for name in ("panic_role", "emergency_role", "alarm_role"):
        role_id = getattr(settings, name)
        if role_id and role_id not in known:
            report.fault(f"{name} ({role_id}) does not exist", MEND, f"discord.{name}")
    if not settings.roles.approver:
        report.note("no approver role: only people who manage the server can approve")


async def _check_commands(
    client: discord.Client, guilds: list[discord.Guild], path: Path, report: Report
) -> None:
    """Compare the commands in Discord with those that the bot registered there last."""
    tree = discord.app_commands.CommandTree(client)
    for guild in guilds:
        try:
            found = {command.name for command in await tree.fetch_commands(guild=guild)}
        except discord.Forbidden:
            report.fault(
                f"the bot may not register commands in {guild.name}",
                "invite it again with the scopes bot and applications.commands",
            )
            continue
        registered = await _registered_commands(path, guild.id)
        if registered and found != registered:
            names = ", ".join(f"/{name}" for name in sorted(found ^ registered))
            report.fault(
                f"the commands in {guild.name} are not those that the bot registered: {names}",
                "start the bot, or run cad-sentinel register",
            )
        else:
            report.good(f"the bot may register its commands in {guild.name}")
    leftovers = [f"/{command.name}" for command in await tree.fetch_commands()]
    if leftovers:
        report.note(
            f"commands of another program or version, which do not work: {', '.join(leftovers)};"
            " cad-sentinel register removes them"
        )


async def _registered_commands(path: Path, guild_id: int) -> set[str]:
    """Return the names of the commands that were registered last; none if that is not known."""
    if not await asyncio.to_thread(path.exists):
        return set()
    try:
        async with open_read_only(path) as sql:
            return set(await command_ids(sql, guild_id))
    except StorageError:
        return set()


def _check_called_role(
    called: CalledRole,
    channels: Mapping[int, AnyChannel],
    own: Mapping[int, discord.Member],
    report: Report,
) -> None:
    """Check that a mention reaches the role's members, in each of its channels."""
    for channel in (channels[number] for number in called.channels if number in channels):
        role = channel.guild.get_role(called.role_id)
        if role is None or can_mention(role, channel, own[channel.guild.id]):
            continue
        mend = "in the channel's permissions, give the bot's role Mention @everyone, @here, and"
        report.fault(
            f"the bot cannot mention {called.what} ({role.name}) in #{channel.name}",
            "choose another role" if role.is_default() else f"{mend} All Roles",
        )


async def _own_member(client: discord.Client, guild_id: int) -> discord.Member:
    assert client.user is not None  # noqa: S101 - logged in
    return await (await client.fetch_guild(guild_id)).fetch_member(client.user.id)
