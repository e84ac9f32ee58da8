"""The command line: `cad-sentinel [run]` and the other commands."""

import argparse
import asyncio
import gc
import logging
import sys
from collections.abc import Coroutine
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from bot import secrets
from bot.app import run, stop_signal
from bot.backup import backup, list_backups, restore, way_back
from bot.certificate import BadCertificate
from bot.check import check
from bot.client import InstanceClient, InstanceError
from bot.config import ConfigError, load
from bot.locks import AlreadyRunning
from bot.logs import start_logging
from bot.offline_commands import forget_setup, route
from bot.query import listen, query
from bot.settings import Settings
from bot.simulate import simulate
from db.errors import InvalidDatabase, StorageError

T = TypeVar("T")

EX_CONFIG = 78
"""Exit code for a bad configuration, as sysexits.h has it."""

SHORTEST_SECRET = 8

log = logging.getLogger(__name__)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments; long values are not repeated: secrets are long."""
        for given in sorted(sys.argv[1:], key=len, reverse=True):
            value = given.partition("=")[2] if given.startswith("-") else given
            if len(value) >= SHORTEST_SECRET:
                message = message.replace(repr(value)[1:-1], "…").replace(value, "…")
        super().error(message)


def main() -> None:
    """Run the command that was asked for and exit with its code."""
    # The Windows console may not know every character that a player can write.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    arguments = _parser().parse_args()
    try:
        settings = load(arguments.config)
    except ConfigError as problem:
        for fault in problem.faults:
            print(fault, file=sys.stderr)
        sys.exit(EX_CONFIG)
    try:
        sys.exit(arguments.command(settings, arguments))
    except KeyboardInterrupt:
        sys.exit(130)


def _run(settings: Settings, _: argparse.Namespace) -> int:
    try:
        made = [secrets.cad_key(settings), secrets.client_token(settings)]
    except (OSError, UnicodeError) as fault:
        print(f"cannot keep secrets: {fault}", file=sys.stderr)
        return 1
    for name, secret in zip(("CAD key", "client token"), made, strict=True):
        if secret.is_new:
            print(f"A {name} was made up and is kept in {secret.file}: {secret.value}", flush=True)
        elif secret.file is not None:
            print(f"The {name} is kept in {secret.file}", flush=True)

    async def run_until_signal() -> None:
        await run(settings, stop_signal())

    start_logging(settings.log.format, settings.log.level, _all_secrets(settings, made))
    # What was imported stays: the collector, which stops everything, need not look at it again.
    gc.freeze()
    try:
        _wait_for(run_until_signal())
    except BadCertificate as fault:
        print(f"http.certificate: {fault}", file=sys.stderr)
        return EX_CONFIG
    except (StorageError, AlreadyRunning, OSError, UnicodeError) as fault:
        # UnicodeError: http.host is no name
        mend = f"; {way_back(settings)}" if isinstance(fault, InvalidDatabase) else ""
        print(f"cannot start: {fault}{mend}", file=sys.stderr)
        return 1
    except Exception:
        # Python's own report would not go through the log, which keeps secrets back.
        log.exception("ended by a fault")
        return 1
    return 0


def _check(settings: Settings, arguments: argparse.Namespace) -> int:
    return _wait_for(check(settings, arguments.config, print))


def _query(settings: Settings, arguments: argparse.Namespace) -> int:
    async def ask() -> int:
        async with InstanceClient.from_settings(settings) as instance:
            return await query(
                instance,
                arguments.name,
                " ".join(arguments.data) or None,
                as_json=arguments.json,
                say=print,
            )

    return _talk(ask())


def _listen(settings: Settings, arguments: argparse.Namespace) -> int:
    async def hear() -> int:
        async with InstanceClient.from_settings(settings) as instance:
            return await listen(instance, arguments.events, as_json=arguments.json, say=print)

    return _talk(hear())


def _route(settings: Settings, arguments: argparse.Namespace) -> int:
    data = " ".join(arguments.data) or None
    return _wait_for(route(settings, arguments.event, data, say=print))


def _backup(settings: Settings, arguments: argparse.Namespace) -> int:
    return backup(settings, arguments.file, force=arguments.force, say=print)


def _backups(settings: Settings, _: argparse.Namespace) -> int:
    return list_backups(settings, say=print)


def _restore(settings: Settings, arguments: argparse.Namespace) -> int:
    return restore(settings, arguments.file, say=print)


def _forget_setup(settings: Settings, _: argparse.Namespace) -> int:
    return _wait_for(forget_setup(settings, print))


def _simulate(settings: Settings, arguments: argparse.Namespace) -> int:
    async def play() -> int:
        async with InstanceClient.from_settings(settings) as instance:
            return await simulate(instance, speed=arguments.speed, say=print)

    return _talk(play())


def _talk(conversation: Coroutine[Any, Any, int]) -> int:
    """Talk to a running instance; say readably why that fails."""
    try:
        return _wait_for(conversation)
    except InstanceError as fault:
        print(fault, file=sys.stderr)
        return 1


def _wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine, on uvloop where that exists."""
    with asyncio.Runner(loop_factory=_new_event_loop) as runner:
        return runner.run(work)


def _new_event_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _all_secrets(settings: Settings, made: list[secrets.Secret]) -> list[str]:
    """Return everything that must not stand in the log."""
    return [
        settings.discord.token,
        settings.cad.api_key,
        *(key.key for key in settings.cad.keys),
        *(client.token for client in settings.websocket.clients),
        *(secret.value for secret in made),
    ]


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="cad-sentinel",
        description="Bridges Sonoran CAD, in-game scripts and Discord for one community.",
    )
    parser.add_argument("--version", action="version", version=version("cad-sentinel"))
    _add_config(parser, default=None)
    parser.set_defaults(command=_run)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, command: object, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        # Given before or after the command; a default here would undo the former.
        _add_config(added, default=argparse.SUPPRESS)
        added.set_defaults(command=command)
        return added

    add("run", _run, "run the bot (the default)")
    add("check", _check, "tell what is wrong with the set-up and how to mend it")
    asking = add("query", _query, "ask a running bot, for example: query get-tiers")
    asking.add_argument("name", help="the query's name")
    # The Windows shell splits what stands in single quotes; joined again, the mistake is named.
    asking.add_argument("data", nargs="*", help="its data as JSON")
    asking.add_argument("--json", action="store_true", help="print the answer as it came")
    hearing = add("listen", _listen, "print a running bot's events as they come")
    hearing.add_argument("events", nargs="*", help="event names; without any, all")
    hearing.add_argument("--json", action="store_true", help="print the events as they came")
    routing = add("route", _route, "explain which rule sends an event where, and why")
    routing.add_argument("event", help="number of a stored event, or a name like EVENT_911")
    routing.add_argument("data", nargs="*", help="for a name: the event's data as JSON")
    backing = add("backup", _backup, "back the database up to a file, whether the bot runs or not")
    backing.add_argument("file", type=Path, help="the file to write")
    backing.add_argument("--force", action="store_true", help="replace the file if it exists")
    add("backups", _backups, "list the backups, and say whether each is sound")
    restoring = add("restore", _restore, "put a backup in the database's place; stop the bot first")
    restoring.add_argument("file", type=Path, help="the backup")
    add("forget-setup", _forget_setup, "forget what /setup chose; stop the bot first")
    playing = add("simulate", _simulate, "play an evening against a running bot, as a drill")
    playing.add_argument(
        "--speed", type=_speed, default=10.0, help="times faster than life (10); 0: at once"
    )
    return parser


def _add_config(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument(
        "--config", type=Path, default=default, help="the configuration file (config.toml)"
    )


def _speed(text: str) -> float:
    speed = float(text)
    if not speed >= 0:
        raise ValueError
    return speed
