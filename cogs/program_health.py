"""Whether the program gets what it needs: storage, Discord, its channels, the CAD, the game."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from cogs.commands.admin.status import RuntimeStatus
from cogs.delivery.rest.clock import WORTH_TELLING
from cogs.delivery.rest.codes import cure_of
from cogs.delivery.rest.errors import Hindrance
from cogs.i18n.language import N_, _, plural
from cogs.routing.troubles import Trouble
from cogs.ui.text import duration
from webhook.cad_api.progress import CadProgress
from webhook.protocol.context import now
from webhook.protocol.game_servers import GameServers

GAME_SERVER = "game-server."
"""How the keys begin of troubles with a game server's resource; the client's name follows."""

LITTLE_SPACE = 200 * 1024**2
"""Bytes of free space below which a disk is nearly full."""

LITTLE_SHARE = 50
"""The same as a part of the disk, a fiftieth, up to so many bytes:"""

MOST_NEEDED = 1024**3


class ProgramHealth:
    """Says what the program lacks.

    `folder`: where the database is. `silent_cads`: since when each has been, in milliseconds.
    `refused`: how many messages Discord refused for good.
    """

    def __init__(
        self,
        status: RuntimeStatus,
        folder: Path,
        is_writable: Callable[[], bool],
        silent_cads: Callable[[], Mapping[str, int]],
        refused: Callable[[], int],
    ) -> None:
        self._status = status
        self._folder = folder
        self._is_writable = is_writable
        self._silent_cads = silent_cads
        self._refused = refused

    def troubles(self) -> Iterator[Trouble]:
        """Return what is wrong."""
        if not self._is_writable():
            sentence = _("The database could not be written; pushes are rejected until it can be.")
            yield Trouble("disk", sentence, _("Check whether the disk is full."))
        yield from _disk(self._folder)
        yield from _discord(self._status.discord())
        yield from _hindered_channels(self._status.channels, self._status.hindered)
        yield from _refused(self._refused())
        yield from _clock(self._status.clock.error())
        yield from _cads(self._silent_cads())
        yield from _game_servers(self._status.game_servers)
        if self._status.outbox is not None:
            yield from _asking(self._status.outbox.progress.values(), now())


def _disk(folder: Path) -> Iterator[Trouble]:
    """Say that the disk will soon be full, while there is room left to say it."""
    try:
        disk = shutil.disk_usage(folder)
    except OSError:
        return
    if disk.free < max(LITTLE_SPACE, min(disk.total // LITTLE_SHARE, MOST_NEEDED)):
        sentence = _("The disk that the database is on is nearly full.")
        cure = _("Delete what is not needed there, such as old logs and backups, before it is.")
        yield Trouble("disk.space", sentence, cure)


def _discord(state: str) -> Iterator[Trouble]:
    """Say that Discord is away, of which no message in Discord can tell."""
    if state == "refused":
        sentence = _("Discord rejects the bot; the log says why. Messages wait.")
        yield Trouble("discord.refused", sentence, "", is_told=False)
    elif state == "connecting":
        sentence = _("The bot is not connected to Discord. Messages wait.")
        yield Trouble("discord.connecting", sentence, "", is_told=False)


def _hindered_channels(
    channels: Mapping[str, int], hindered: Mapping[int, Hindrance]
) -> Iterator[Trouble]:
    """Say in which channels messages wait, as Discord did not take them when the bot tried last."""
    names: dict[int, list[str]] = {}
    for name, number in channels.items():
        names.setdefault(number, []).append(name)
    for number in hindered.keys() & names.keys():
        named = ", ".join(filter(str.isalpha, names[number])) or _("of a rule")
        text = _("The bot may not post in the channel {name}, or it is gone; its messages wait.")
        if not hindered[number].is_closed:
            text = _("Discord does not take a message for the channel {name} now; it waits.")
        cure = cure_of(hindered[number].code)
        cure = f"{cure[:1].upper()}{cure[1:]} ({hindered[number].reason})."
        yield Trouble(f"channel.{names[number][0]}", text.format(name=named), cure, number)


def _refused(number: int) -> Iterator[Trouble]:
    if number:
        sentence = plural(
            "Discord refused {number} message for good.",
            "Discord refused {number} messages for good.",
            number,
        )
        yield Trouble("messages", sentence, _("See why in /status, and press Post again."))


def _clock(error: float) -> Iterator[Trouble]:
    """Say that this machine's clock is wrong; `error`: seconds that it is ahead of Discord's."""
    if abs(error) < WORTH_TELLING:
        return
    by = duration(max(1, round(abs(error) / 60)) * 60_000)
    text = _("The clock of the bot's machine is {duration} fast.")
    if error < 0:
        text = _("The clock of the bot's machine is {duration} slow.")
    yield Trouble("clock", text.format(duration=by), _("Have its system set the time by itself."))


def _cads(silent: Mapping[str, int]) -> Iterator[Trouble]:
    for cad, since in silent.items():
        sentence = _("Nothing comes from the CAD {cad}, although units are on duty.")
        cure = _(
            "If the CAD is in use, check that it still pushes to this address with the right key."
        )
        yield Trouble(f"cad-silent.{cad}", sentence.format(cad=cad), cure, since=since)


_REFUSALS = {
    "key": (
        N_("The CAD {cad} rejects the API key with which it is asked."),
        N_("Copy it again into `[cad.api] key`, or into the settings of the game's resource."),
    ),
    "no-key": (
        N_("Requests wait for the CAD {cad}, which nobody asks: no API key, and no game server."),
        N_("Add `[cad.api] key`, or start the game server; else they are refused in some minutes."),
    ),
    "server": (
        N_("The CAD {cad} has no server of the number with which it is asked."),
        N_("Correct `[cad.api] server`."),
    ),
    "plan": (
        N_("The plan of the CAD {cad} does not include what is asked of it."),
        N_("Its owner can change the plan in Sonoran CAD."),
    ),
    "forbidden": (
        N_("The API key of the CAD {cad} does not allow what is asked of it."),
        N_("Use another key in `[cad.api] key`."),
    ),
}
"""What is wrong until somebody does something, and what that is."""


def _asking(found: Iterable[CadProgress], now: int) -> Iterator[Trouble]:
    """Say which CAD does not do what is asked of it."""
    for progress in found:
        if not progress.is_stuck(now):
            continue
        sentence, cure = _REFUSALS.get(
            progress.problem,
            (
                N_("The CAD {cad} does not answer what is asked of it; requests wait."),
                N_("See /setup, CAD, and whether Sonoran CAD works."),
            ),
        )
        text = _(sentence).format(cad=progress.cad)
        yield Trouble(f"cad-api.{progress.cad}", text, _(cure), since=progress.failing_since)


def _game_servers(servers: GameServers) -> Iterator[Trouble]:
    """Say which game server's resource is gone, and which has messages that were refused."""
    for client, server in servers.by_client().items():
        if not servers.is_connected(server):
            sentence = _("The game server's resource {client} sends nothing.")
            cure = _("Start the game server, or the resource cad-sentinel in it.")
            key = f"{GAME_SERVER}{client}"
            yield Trouble(key, sentence.format(client=client), cure, since=server.seen_at)
        elif server.refused:
            sentence = plural(
                "The bot refused {number} message of the game server {client}.",
                "The bot refused {number} messages of the game server {client}.",
                server.refused,
                client=client,
            )
            cure = _("Type `cadsentinel status` on its console, which says why.")
            yield Trouble(f"{GAME_SERVER}{client}.refused", sentence, cure)
