"""`cad-sentinel check`: what is wrong with the set-up, and how to mend it."""

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import discord

from bot.certificate import BadCertificate, Certificate, read_certificate
from bot.discord_pipeline import point_discord_at
from bot.discord_settings import apply_setup, layout_of
from bot.secrets import CAD_KEY_FILE, CLIENT_TOKEN_FILE
from bot.settings import DiscordSettings, HttpSettings, Settings
from cogs.pictures.backdrop import BackdropError
from cogs.routing.bot_permissions import POSTABLE_CHANNELS, can_mention, missing_permissions
from cogs.routing.layout import Layout, choices
from db.database import open_read_only
from db.errors import StorageError
from db.integrity import full_check

MEND = "choose another one with /setup, or correct its id in the file"

SOON = timedelta(days=14)
"""A certificate that ends within this time should have been renewed by now."""


class Report:
    """Says what is well and what is not, line by line."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.faults = 0

    def good(self, sentence: str) -> None:
        """Say that something is well."""
        self._say(f"ok    {sentence}")

    def note(self, sentence: str) -> None:
        """Say what is worth knowing."""
        self._say(f"note  {sentence}")

    def fault(self, sentence: str, mend: str) -> None:
        """Say what is wrong and how to mend it."""
        self.faults += 1
        self._say(f"FAULT {' '.join(sentence.split())}\n      {mend}")


async def check(settings: Settings, config: Path | None, say: Callable[[str], None]) -> int:
    """Check the set-up; return 0 if nothing is wrong."""
    report = Report(say)
    report.good("the configuration can be read")
    _check_database(settings.database.path, report)
    files = [config, settings.database.path, settings.http.private_key, *_secret_files(settings)]
    _check_readable(files, report)
    _check_access(settings, report)
    _check_certificate(settings.http, report)
    _check_map(settings, report)
    if settings.discord.token:
        chosen = await _chosen(settings.database.path)
        _tell_choices(layout_of(settings.discord), chosen, report)
        discord_now = apply_setup(settings.discord, chosen)
        await _check_discord(discord_now, settings.alarms.supervisor, report)
    else:
        report.note("Discord is off: [discord] has no token; cards are written to the log")
    say("nothing is wrong" if not report.faults else f"{report.faults} to mend")
    return 1 if report.faults else 0


def _secret_files(settings: Settings) -> list[Path]:
    return [settings.database.path.parent / name for name in (CAD_KEY_FILE, CLIENT_TOKEN_FILE)]


def _check_database(path: Path, report: Report) -> None:
    if not path.exists() or (path.is_file() and not path.stat().st_size):
        report.note(f"{path} does not exist yet; it is made at the first start")
        return
    try:
        full_check(path)
    except StorageError as fault:
        report.fault(
            f"the database {path} failed its check: {fault}",
            "stop the bot, then restore a backup or move the file away",
        )
    else:
        report.good(f"the database {path} is sound")


def _check_readable(files: list[Path | None], report: Report) -> None:
    """Warn of secrets that other users of the machine can read; Windows keeps no such bits."""
    found = [file for file in files if os.name != "nt" and file is not None and file.exists()]
    for file in found:
        if file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            report.note(f"{file} can be read by other users of this machine: chmod 600 {file}")
    for folder in dict.fromkeys(file.absolute().parent for file in found):
        if folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            report.note(f"files in {folder} can be replaced by other users: chmod go-w {folder}")


def _check_access(settings: Settings, report: Report) -> None:
    if not settings.cad.keys:
        report.note("no CAD key is configured: pushes need the generated one")
    if not settings.websocket.clients:
        report.note("no websocket client is configured: only programs on this machine may connect")
        if settings.http.trusted_proxies:
            report.note("so nothing but pushes gets in through the trusted proxies")


def _check_certificate(settings: HttpSettings, report: Report) -> None:
    if settings.certificate is None:
        return
    try:
        Certificate.of(settings)
        certificate = read_certificate(settings.certificate)
    except BadCertificate as fault:
        report.fault(fault.sentence, fault.mend)
        return
    now = datetime.now(UTC)
    ends = certificate.not_valid_after_utc
    if now < certificate.not_valid_before_utc:
        report.fault(
            f"the certificate is valid only from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M}",
            "set this machine's clock right, or wait",
        )
    elif ends - now < SOON:
        report.fault(
            f"the certificate {'ended' if ends < now else 'ends'} on {ends:%Y-%m-%d}",
            "renew it, with certbot: certbot renew; the running bot takes it up within a minute",
        )
    else:
        report.good(f"the certificate fits its key and is valid until {ends:%Y-%m-%d}")


def _check_map(settings: Settings, report: Report) -> None:
    """Read the whole map image, and say what it shows so that wrong points stand out."""
    backdrop = settings.map.backdrop()
    if backdrop is None:
        return
    try:
        width, height = backdrop.decode()
    except BackdropError as fault:
        report.fault(str(fault), "or take [map] out: maps then have a plain grid")
        return
    west, north = backdrop.position(0, 0)
    east, south = backdrop.position(width, height)
    report.good(
        f"the map image is {width} × {height} pixels;"
        f" it reaches from x {west:.0f} to {east:.0f} and from y {south:.0f} to {north:.0f}"
    )
    across, down = backdrop.metres_per_pixel()
    if max(across, down) > 1.2 * min(across, down):
        report.note(
            f"a pixel of the map image is {across:.2f} m wide and {down:.2f} m high: unless the"
            " image is stretched, one of [map] points is wrong"
        )


async def _chosen(path: Path) -> Layout:
    """Return what /setup chose; nothing if the database cannot be read, which is told above."""
    try:
        async with open_read_only(path) as sql:
            return await choices(sql)
    except StorageError:
        return {}


def _tell_choices(file: Layout, chosen: Layout, report: Report) -> None:
    """Say where /setup chose something else than the file says."""
    for what, ids in file.items():
        if what in chosen:
            by_file, by_setup = (
                ", ".join(map(str, some)) or "none" for some in (ids, chosen[what])
            )
            report.note(
                f"{what}: the file says {by_file}, /setup says {by_setup}, which counts;"
                " Back to the file's, in /setup, ends that, or cad-sentinel forget-setup"
            )


async def _check_discord(settings: DiscordSettings, supervisors: list[int], report: Report) -> None:
    point_discord_at(settings)
    async with discord.Client(intents=discord.Intents(guilds=True)) as client:
        try:
            await client.login(settings.token)
        except discord.LoginFailure:
            report.fault(
                "Discord refuses the token",
                "make a new one in the Developer Portal under Bot, and put it into [discord] token",
            )
            return
        except (discord.HTTPException, aiohttp.ClientError, OSError) as fault:
            report.fault(f"Discord cannot be reached: {fault}", "try again later")
            return
        report.good(f"Discord knows the bot as {client.user}")
        channels = {name: number for name, number in settings.channels if number}
        if not channels:
            report.fault(
                "no channel is configured",
                "type /setup in Discord, or put channel ids into [discord.channels]",
            )
        guilds: dict[int, discord.Guild] = {}
        channels |= {
            f"of rule {rule.name}": rule.channel for rule in settings.rules if rule.channel
        }
        for name, number in channels.items():
            await _check_channel(client, name, number, guilds, report)
        for guild in guilds.values():
            await _check_guild(client, guild, settings, supervisors, report)


async def _check_channel(
    client: discord.Client,
    name: str,
    number: int,
    guilds: dict[int, discord.Guild],
    report: Report,
) -> None:
    try:
        channel = await client.fetch_channel(number)
    except discord.NotFound:
        report.fault(f"channel {name} ({number}) does not exist", MEND)
        return
    except discord.Forbidden:
        report.fault(
            f"channel {name} ({number}) is closed to the bot",
            "give the bot's role View Channel in the channel's permissions",
        )
        return
    if not isinstance(channel, POSTABLE_CHANNELS):
        report.fault(f"channel {name} ({number}) is no text channel", MEND)
        return
    guild = guilds.get(channel.guild.id)
    if guild is None:
        guild = guilds[channel.guild.id] = await client.fetch_guild(channel.guild.id)
    # Its own guild, without a gateway, has no roles, from which the rights follow.
    channel.guild = guild
    assert client.user is not None  # noqa: S101 - logged in
    missing = missing_permissions(channel, await guild.fetch_member(client.user.id))
    if missing:
        report.fault(
            f"channel {name} (#{channel.name}): the bot lacks {', '.join(missing)}",
            "give the bot's role these in the channel's permissions",
        )
    else:
        report.good(f"channel {name} is #{channel.name}, and the bot may post there")


async def _check_guild(
    client: discord.Client,
    guild: discord.Guild,
    settings: DiscordSettings,
    supervisors: list[int],
    report: Report,
) -> None:
    if settings.guild_id not in (0, guild.id):
        report.fault(
            f"channels lie in guild {guild.id}, but guild_id is {settings.guild_id}",
            "correct guild_id or the channel ids",
        )
    known = {role.id: role for role in guild.roles}
    for name, ids in [*settings.roles, ("supervisor", supervisors)]:
        for role_id in ids:
            if role_id not in known:
                report.fault(f"role {name} ({role_id}) does not exist", MEND)
    for rule in settings.rules:
        if rule.mention and rule.mention not in known:
            report.fault(
                f"the role that rule {rule.name} mentions ({rule.mention}) does not exist",
                "correct its id",
            )
    if settings.panic_role and settings.panic_role not in known:
        report.fault(f"panic_role ({settings.panic_role}) does not exist", MEND)
    elif settings.panic_role:
        await _check_call(client, guild, known[settings.panic_role], report)
    if not settings.roles.approver:
        report.note("no approver role: only people who manage the server can approve")
    try:
        await discord.app_commands.CommandTree(client).fetch_commands(guild=guild)
        report.good(f"the bot may register its commands in {guild.name}")
    except discord.Forbidden:
        report.fault(
            f"the bot may not register commands in {guild.name}",
            "invite it again with the scopes bot and applications.commands",
        )


async def _check_call(
    client: discord.Client, guild: discord.Guild, role: discord.Role, report: Report
) -> None:
    assert client.user is not None  # noqa: S101 - logged in
    if not can_mention(role, await guild.fetch_member(client.user.id)):
        report.fault(
            f"the bot cannot mention the panic role {role.name}",
            "give the bot's role Mention @everyone, @here, and All Roles",
        )
