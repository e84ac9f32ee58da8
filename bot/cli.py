"""The command line: `cad-sentinel [run]` and the other commands.

Every command imports what it needs when it runs, so that `--help` and `query` start quickly.
"""

import argparse
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from bot.commands.client import InstanceClient
    from bot.settings import Settings

EX_CONFIG = 78
"""Exit code for a bad configuration, as sysexits.h has it."""

SHORTEST_SECRET = 8


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments; long values are not repeated: secrets are long."""
        for argument in sorted(sys.argv[1:], key=len, reverse=True):
            value = argument.partition("=")[2] if argument.startswith("-") else argument
            if len(value) >= SHORTEST_SECRET:
                message = message.replace(repr(value)[1:-1], "…").replace(value, "…")
        super().error(message)


def main() -> None:
    """Run the command of the arguments and exit with its code."""
    _have_standard_streams()
    arguments = _parser().parse_args()
    if arguments.version:
        from importlib.metadata import version

        print(version("cad-sentinel"))
        sys.exit(0)
    from bot.settings.config import ConfigError, load

    try:
        settings = load(arguments.config)
    except ConfigError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        sys.exit(EX_CONFIG)
    try:
        sys.exit(arguments.command(settings, arguments))
    except KeyboardInterrupt:
        sys.exit(130)
    except PermissionError as error:
        print(f"{error.filename}: {error.strerror}; run this as the bot's user", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:  # what read the output, like `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def _have_standard_streams() -> None:
    """Let everything be printed, whatever the console knows and whether there is one.

    pythonw and some supervisors start a program with none; a connection or a file that is opened
    later would then take the number of standard output.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - until the end
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - until the end
    for stream in (sys.stdout, sys.stderr):
        # The Windows console may not know every character that a player can write.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _run(settings: "Settings", arguments: argparse.Namespace) -> int:
    from bot.run import run_until_signal

    return run_until_signal(settings, arguments.config)


def _check(settings: "Settings", arguments: argparse.Namespace) -> int:
    import asyncio

    from bot.commands.check import check

    return asyncio.run(check(settings, arguments.config, print))


def _query(settings: "Settings", arguments: argparse.Namespace) -> int:
    if arguments.name is None:
        from webhook.queries import CATALOGUE

        for one in sorted(CATALOGUE.queries, key=lambda one: one.name):
            print(f"{one.name:34} {one.summary}")
        return 0
    from bot.commands.query import query

    data = " ".join(arguments.data) or None
    return _with_client(
        settings,
        lambda client: query(client, arguments.name, data, as_json=arguments.json, say=print),
    )


def _listen(settings: "Settings", arguments: argparse.Namespace) -> int:
    from bot.commands.query import listen

    say = partial(print, flush=True)  # a pipe or a file must get each event at once
    return _with_client(
        settings,
        lambda client: listen(client, arguments.events, as_json=arguments.json, say=say),
    )


def _simulate(settings: "Settings", arguments: argparse.Namespace) -> int:
    from bot.commands.simulate import clean, simulate

    if arguments.clean:
        return _with_client(settings, lambda client: clean(client, print))
    return _with_client(
        settings,
        lambda client: simulate(client, speed=arguments.speed, pings=arguments.pings, say=print),
    )


def _route(settings: "Settings", arguments: argparse.Namespace) -> int:
    import asyncio

    from bot.commands.offline import route

    data = " ".join(arguments.data) or None
    return asyncio.run(route(settings, arguments.event, data, say=print))


def _backup(settings: "Settings", arguments: argparse.Namespace) -> int:
    from bot.backup import backup

    return backup(settings, arguments.file, force=arguments.force, say=print)


def _backups(settings: "Settings", _: argparse.Namespace) -> int:
    from bot.backup import list_backups

    return list_backups(settings, say=print)


def _restore(settings: "Settings", arguments: argparse.Namespace) -> int:
    from bot.backup import restore

    return restore(settings, arguments.file, say=print)


def _register(settings: "Settings", _: argparse.Namespace) -> int:
    import asyncio

    from bot.commands.offline import register

    return asyncio.run(register(settings, print))


def _forget_setup(settings: "Settings", _: argparse.Namespace) -> int:
    import asyncio

    from bot.commands.offline import forget_setup

    return asyncio.run(forget_setup(settings, print))


def _with_client(settings: "Settings", command: "Callable[[InstanceClient], int]") -> int:
    """Run a command against the running bot; say readably why that fails."""
    import signal

    from bot.commands.client import InstanceClient, InstanceError

    if sys.platform == "win32":
        # Python itself would notice Ctrl-C only after the answer that is waited for.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return command(InstanceClient.from_settings(settings))
    except InstanceError as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="cad-sentinel",
        description="Bridges Sonoran CAD, in-game scripts and Discord for one community.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    _add_config(parser, default=None)
    parser.set_defaults(command=_run)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, command: object, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        # It may stand before or after the command; a default here would undo the former.
        _add_config(added, default=argparse.SUPPRESS)
        added.set_defaults(command=command)
        return added

    add("run", _run, "run the bot (the default)")
    add("check", _check, "say what is wrong with the set-up and how to fix it")
    query = add("query", _query, "send a query to a running bot, for example: query get-tiers")
    query.add_argument("name", nargs="?", help="the query's name; without it, all are listed")
    # The Windows shell splits what stands in single quotes; joined again, the mistake is named.
    query.add_argument("data", nargs="*", default=[], help="its data as JSON")
    query.add_argument("--json", action="store_true", help="print the answer as it came")
    listen = add("listen", _listen, "print a running bot's events as they come")
    listen.add_argument("events", nargs="*", help="event names; without any, all")
    listen.add_argument("--json", action="store_true", help="print the events as they came")
    route = add("route", _route, "explain which rule sends an event where, and why")
    route.add_argument("event", help="number of a stored event, or a name like EVENT_911")
    route.add_argument("data", nargs="*", default=[], help="for a name: the event's data as JSON")
    backup = add("backup", _backup, "back the database up to a file, whether the bot runs or not")
    backup.add_argument("file", type=Path, help="the file to write")
    backup.add_argument("--force", action="store_true", help="replace the file if it exists")
    add("backups", _backups, "list the backups and check each of them")
    restore = add("restore", _restore, "put a backup in the database's place; stop the bot first")
    restore.add_argument("file", type=Path, help="the backup")
    add("register", _register, "register the slash commands in Discord anew")
    add("forget-setup", _forget_setup, "delete the choices made in /setup; stop the bot first")
    simulate = add("simulate", _simulate, "play an evening against a running bot, as a drill")
    simulate.add_argument(
        "--speed", type=_speed, default=10.0, help="times faster than life (10); 0: at once"
    )
    simulate.add_argument(
        "--pings", action="store_true", help="mention the roles that the real thing would"
    )
    simulate.add_argument(
        "--clean", action="store_true", help="only remove what drills left that were broken off"
    )
    return parser


def _add_config(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument(
        "--config", type=Path, default=default, help="the configuration file (config.toml)"
    )


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a number") from None
    if not speed >= 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return speed
