"""`cad-sentinel check`: what is wrong with the set-up, and how to fix it."""

import asyncio
import os
import sqlite3
import stat
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.backup import Backups
from bot.certificate import BadCertificate, Certificate, read_certificate
from bot.commands.client import InstanceClient, InstanceError
from bot.secrets import (
    CAD_KEY_FILE,
    CLIENT_TOKEN_FILE,
    UnreadableSecret,
    read_secret,
    sample_secrets,
)
from bot.settings import CadSettings, HttpSettings, NamedKey, Settings
from bot.settings.cad_api import RENAMED
from bot.settings.sources import Location, Sources
from db.errors import InvalidDatabase, StorageError
from db.integrity import full_check, quick_check
from db.sqlite_support import check_sqlite

ANSWER_TIMEOUT = 3.0
"""Seconds within which the running bot must answer."""

SOON = timedelta(days=14)
"""A certificate that ends within this time should have been renewed by now."""


class Report:
    """Prints what is right and what is wrong, line by line, and counts the faults."""

    def __init__(self, say: Callable[[str], None], sources: Sources) -> None:
        self._say = say
        self._sources = sources
        self._chosen: set[Location] = set()
        self.faults = 0

    def chosen_in_setup(self, settings: Iterable[str]) -> None:
        """Tell that these settings, like `discord.channels.log`, come from `/setup`."""
        self._chosen |= {_location(setting) for setting in settings}

    def good(self, sentence: str) -> None:
        self._say(f"ok    {sentence}")

    def note(self, sentence: str) -> None:
        self._say(f"note  {sentence}")

    def fault(self, sentence: str, mend: str, setting: str = "") -> None:
        """Report a fault, and where its setting is written, like `cad.keys.0`."""
        self.faults += 1
        where = _location(setting)
        source = "/setup" if where in self._chosen else self._sources.of(where) if setting else ""
        line = f"{sentence} ({source})" if source else sentence
        self._say(f"FAULT {' '.join(line.split())}\n      {mend}")


def _location(setting: str) -> Location:
    return tuple(int(part) if part.isdecimal() else part for part in setting.split("."))


async def check(settings: Settings, config: Path | None, say: Callable[[str], None]) -> int:
    """Check the set-up; return 0 if nothing is wrong."""
    report = Report(say, Sources(config))
    report.good("the configuration can be read")
    _check_sqlite(report)
    if _check_folders(settings, report):
        await _check_rest(settings, config, report)
    say("nothing is wrong" if not report.faults else f"problems to fix: {report.faults}")
    return 1 if report.faults else 0


async def _check_rest(settings: Settings, config: Path | None, report: Report) -> None:
    is_sound = _check_database(settings.database.path, report)
    files: list[Path | None] = [
        config,
        settings.database.path,
        settings.http.private_key,
        settings.log.file,
    ]
    files += [settings.database.path.parent / name for name in (CAD_KEY_FILE, CLIENT_TOKEN_FILE)]
    _check_readable(files, report)
    _check_access(settings, report)
    _check_keys(settings, report)
    await _check_listening(settings, report)
    _check_certificate(settings.http, report)
    _check_map(settings, report)
    await _check_cad_api(settings.cad, report)
    if is_sound:  # reading a damaged one would leave files beside it
        await _check_waiting_requests(settings, report)
    await asyncio.to_thread(_check_game_servers, settings, report)
    if settings.discord.token:
        from bot.commands.check_discord import check_discord  # discord.py takes long to import

        await check_discord(settings, report)
    else:
        report.note("Discord is off: [discord] has no token; cards are written to the log")


def _check_sqlite(report: Report) -> None:
    try:
        check_sqlite()
    except StorageError as fault:
        sentence, _, mend = str(fault).partition(": ")
        report.fault(sentence, mend)
    else:
        report.good(f"SQLite {sqlite3.sqlite_version} has what the bot needs")


def _check_database(path: Path, report: Report) -> bool:
    """Check the database; return whether there is a sound one."""
    if not path.exists():
        report.note(f"{path} does not exist yet; the first start creates it")
        return False
    is_full = path.is_file() and path.stat().st_size
    try:
        (full_check if is_full else quick_check)(path)
    except StorageError as fault:
        cannot = f"cannot use the database {path}: "
        is_damaged = isinstance(fault, InvalidDatabase)
        report.fault(
            f"{cannot}{str(fault).removeprefix(cannot)}",
            "stop the bot, then restore a backup or move the file away"
            if is_damaged
            else "the file itself may be sound: leave it as it is until that is mended",
            "database.path",
        )
        return False
    report.good(f"the database {path} is undamaged")
    return bool(is_full)


def _check_folders(settings: Settings, report: Report) -> bool:
    """Look whether the bot can write where it will; return whether its data can be seen."""
    written = {"database.path": settings.database.path.parent}
    if settings.database.backup_hours:
        written["database.backup_folder"] = Backups(settings.database).folder
    if settings.log.file is not None:
        written["log.file"] = settings.log.file.parent
        if settings.log.file.is_dir():
            report.fault(f"{settings.log.file} is a folder", "name a file", "log.file")
    for setting, folder in written.items():
        there = _nearest(folder)
        if not there.is_dir():
            report.fault(f"{there} is a file, not a folder", "name another place", setting)
        elif not os.access(there, os.W_OK | os.X_OK):
            report.fault(
                f"the bot may not write into {there}",
                "let this user do that, run check as the bot's user, or name another place",
                setting,
            )
    return os.access(_nearest(settings.database.path.parent), os.X_OK)


def _nearest(folder: Path) -> Path:
    """Return the folder, or the first above it that is there and can be seen."""
    upwards = (folder.absolute(), *folder.absolute().parents)
    return next(path for path in upwards if os.access(path, os.F_OK))


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
        report.note(
            "no CAD key is configured: write your CAD's API key into [cad] keys, or what it pushes"
            " is refused"
        )
    if not settings.websocket.clients:
        report.note(
            "no websocket client is configured: only programs on this machine may connect, and"
            " whoever comes through a tunnel to it (ssh -R, playit.gg, frp); they may do anything"
        )
        if settings.http.trusted_proxies:
            report.note("through a trusted proxy only pushes get in, until a client is configured")


def _check_keys(settings: Settings, report: Report) -> None:
    """Check the secrets: readable, not copied from an example, and each CAD's own."""
    used = [(CAD_KEY_FILE, settings.cad.keys), (CLIENT_TOKEN_FILE, settings.websocket.clients)]
    for name, configured in used:
        file = settings.database.path.parent / name
        if not configured and file.exists():
            try:
                read_secret(file)
            except (UnreadableSecret, OSError) as fault:
                report.fault("a generated secret cannot be read", str(fault))
    for setting, name in sample_secrets(settings).items():
        report.fault(f"{name} is the placeholder of an example", "put the real one there", setting)
    _check_equal_keys(settings.cad.keys, report)
    tokens = Counter(client.token for client in settings.websocket.clients)
    for token, number in tokens.items():
        if number > 1:
            clients = [
                client.name for client in settings.websocket.clients if client.token == token
            ]
            report.fault(
                f"the clients {' and '.join(clients)} have the same token",
                "give each its own: otherwise only the last one's name and scope count",
            )


def _check_equal_keys(keys: list[NamedKey], report: Report) -> None:
    """Check that CADs with the same key, in either case, are told apart by the address."""
    by_key: dict[str, list[NamedKey]] = {}
    for key in keys:
        by_key.setdefault(key.key.casefold(), []).append(key)
    for alike in by_key.values():
        paths = Counter(key.path.casefold() for key in alike)
        names = ", ".join(dict.fromkeys(key.name for key in alike))
        if len({key.name for key in alike}) > 1 and max(paths.values()) > 1:
            report.fault(
                f"the CADs {names} have the same key, so their pushes cannot be told apart",
                'give each but one a path of its own, { name = "county", key = "…", path = "county"'
                " }, and let its game server push to /event/county",
            )


async def _check_listening(settings: Settings, report: Report) -> None:
    """Listen as the bot would, unless it runs already."""
    host, port = settings.http.host, settings.http.port
    try:
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port)
    except (OSError, UnicodeError) as fault:
        from webhook.http.listener import CannotListen  # aiohttp takes long to import

        refusal = CannotListen(host, port, fault)
        if refusal.is_taken and await asyncio.to_thread(_is_running, settings):
            report.good(f"the bot runs, and listens on port {port}")
        else:
            report.fault(str(refusal), refusal.mend, refusal.setting)
    else:
        server.close()
        await server.wait_closed()
        report.good(f"the bot can listen on port {port}")


def _is_running(settings: Settings) -> bool:
    try:
        InstanceClient.from_settings(settings, ANSWER_TIMEOUT).health()
    except InstanceError:
        return False
    return True


def _check_certificate(settings: HttpSettings, report: Report) -> None:
    if settings.certificate is None:
        return
    try:
        Certificate.of(settings)
        certificate = read_certificate(settings.certificate)
    except BadCertificate as fault:
        report.fault(fault.sentence, fault.mend, "http.certificate")
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
            "renew it, with certbot: certbot renew; the running bot uses it within a minute",
        )
    else:
        report.good(f"the certificate fits its key and is valid until {ends:%Y-%m-%d}")


async def _check_cad_api(settings: CadSettings, report: Report) -> None:
    """Prove each API key by asking the CAD for its version."""
    for name in settings.renamed:
        report.note(f"[cad] {name} is now called {RENAMED[name]} in [cad.api]; move it there")
    accesses = settings.accesses()
    if not accesses:
        report.note(
            "[cad.api] has no key: members can act in the CAD only by a game server on which"
            " cad-sentinel and Sonoran's own resource run; docs/cad.md says more"
        )
        return
    from webhook.cad_api.client import open_clients
    from webhook.cad_api.transport import CadFault

    async with open_clients(accesses) as clients:
        for cad, client in clients.items():
            try:
                answer = await client.ask("version", {})
            except CadFault as fault:
                report.fault(
                    f"the API of the CAD {cad} cannot be asked: {fault}",
                    "try again later, or correct [cad.api] url",
                    "cad.api.url",
                )
                continue
            if answer.is_good:
                report.good(f"the CAD {cad} takes its API key")
            elif answer.status < 400:
                report.fault(
                    f"the API of the CAD {cad} is not at its address ({answer.status})",
                    "correct [cad.api] url; the key is not sent elsewhere",
                    "cad.api.url",
                )
            else:
                why = f": {answer.detail}" if answer.detail else ""
                report.fault(
                    f"the CAD {cad} refuses its API key ({answer.status}){why}",
                    "copy it again into [cad.api] key: Sonoran CAD > Administration > Advanced >"
                    " In-Game Integration",
                    "cad.api.key",
                )


async def _check_waiting_requests(settings: Settings, report: Report) -> None:
    """Say what waits for a CAD that the bot has no key of, or no more."""
    from db import cad_requests  # with the driver, takes long to import
    from db.database import open_read_only

    with suppress(StorageError):  # the check of the database says why
        async with open_read_only(settings.database.path, at_rest=True) as sql:
            for cad, number, _since in await cad_requests.waiting(sql):
                if cad not in settings.cad.names:
                    report.note(f"{cad}, for which {number} requests wait, is not in [cad] keys")
                elif cad not in settings.cad.accesses():
                    report.note(
                        f"requests that wait for the CAD {cad}: {number}; there is no API key, so a"
                        " game server has to ask it, or they are refused"
                    )


def _check_game_servers(settings: Settings, report: Report) -> None:
    """Ask the running bot which game servers are there."""
    try:
        found = InstanceClient.from_settings(settings, ANSWER_TIMEOUT).health().get("gameServers")
    except InstanceError as fault:
        report.note(f"cannot tell whether a game server is connected: {fault}")
        return
    servers = found if isinstance(found, list) else []
    if not servers:
        report.note(
            "no game server with the resource cad-sentinel has been there since the bot's start;"
            " fivem/cad-sentinel/README.md says how to install it"
        )
    read_only = {client.name for client in settings.websocket.clients if client.scope == "read"}
    for server in servers:
        name = f"the game server's resource {server['resource']} {server['version']}"
        client, waiting, refused = server["client"], server["waiting"], server["refused"]
        if client in read_only:
            report.fault(
                f"{name} has the token of {client}, whose scope is read: it can report nothing",
                'write scope = "write" there, restart the bot, and type `cadsentinel retry` on the'
                " game server's console",
            )
        if server["connected"]:
            report.good(f"{name} is connected as {client}; messages waiting in it: {waiting}")
        else:
            report.fault(
                f"{name} has sent nothing as {client} for {server['secondsAgo'] // 60} minutes;"
                f" messages that waited in it: {waiting}",
                "type `cadsentinel status` on the game server's console: it says what is wrong",
            )
        if refused:
            report.note(
                f"messages of it that were refused: {refused}; `cadsentinel status` lists them"
            )


def _check_map(settings: Settings, report: Report) -> None:
    """Read the whole map image, and say what it shows so that wrong points stand out."""
    backdrop = settings.map.backdrop()
    if backdrop is None:
        return
    from cogs.pictures.backdrop import BackdropError

    try:
        width, height = backdrop.decode()
    except BackdropError as fault:
        report.fault(str(fault), "or remove [map]: maps then have a plain grid", "map.image")
        return
    west, north = backdrop.position(0, 0)
    east, south = backdrop.position(width, height)
    report.good(
        f"the map image is {width} × {height} pixels;"
        f" it reaches from x {west:.0f} to {east:.0f} and from y {south:.0f} to {north:.0f}"
    )
    across, down = (east - west) / width, (north - south) / height
    if max(across, down) > 1.2 * min(across, down):
        report.note(
            f"a pixel of the map image is {across:.2f} m wide and {down:.2f} m high: unless the"
            " image is stretched, one of [map] points is wrong"
        )
