"""Whether the program gets what it needs: storage, Discord, its channels, the CAD, the game."""

from collections.abc import Callable, Iterator, Mapping

from cogs.commands.status import RuntimeStatus
from cogs.i18n.language import _, plural
from cogs.routing.troubles import Trouble
from webhook.protocol.game_servers import GameServers


class ProgramHealth:
    """Says what the program lacks. `silent_cads`: since when each has been, in milliseconds."""

    def __init__(
        self,
        status: RuntimeStatus,
        is_writable: Callable[[], bool],
        silent_cads: Callable[[], Mapping[str, int]],
    ) -> None:
        self._status = status
        self._is_writable = is_writable
        self._silent_cads = silent_cads

    def troubles(self) -> Iterator[Trouble]:
        """Return what is wrong."""
        if not self._is_writable():
            sentence = _("The database could not be written; pushes are rejected until it can be.")
            yield Trouble("disk", sentence, _("Check whether the disk is full."))
        yield from _discord(self._status.discord())
        yield from _closed_channels(self._status.channels, self._status.closed)
        yield from _cads(self._silent_cads())
        yield from _game_servers(self._status.game_servers)


def _discord(state: str) -> Iterator[Trouble]:
    """Say that Discord is away, of which no message in Discord can tell."""
    if state == "refused":
        sentence = _("Discord rejects the bot; the log says why. Messages wait.")
        yield Trouble("discord.refused", sentence, "", is_told=False)
    elif state == "connecting":
        sentence = _("The bot is not connected to Discord. Messages wait.")
        yield Trouble("discord.connecting", sentence, "", is_told=False)


def _closed_channels(channels: Mapping[str, int], closed: Mapping[int, str]) -> Iterator[Trouble]:
    """Say which of the channels took no message when the bot tried last."""
    names: dict[int, list[str]] = {}
    for name, number in channels.items():
        names.setdefault(number, []).append(name)
    for number in closed.keys() & names.keys():
        named = ", ".join(filter(str.isalpha, names[number]))
        text = _("The bot may not post in the channel {name}, or it is gone; its messages wait.")
        sentence = text.format(name=named or _("of a rule"))
        cure = _("`cad-sentinel check` says what is missing.")
        yield Trouble(f"channel.{names[number][0]}", sentence, cure, number)


def _cads(silent: Mapping[str, int]) -> Iterator[Trouble]:
    for cad, since in silent.items():
        sentence = _("Nothing comes from the CAD {cad}, although units are on duty.")
        cure = _(
            "If the CAD is in use, check that it still pushes to this address with the right key."
        )
        yield Trouble(f"cad-silent.{cad}", sentence.format(cad=cad), cure, since=since)


def _game_servers(servers: GameServers) -> Iterator[Trouble]:
    """Say which game server's resource is gone, and which has messages that were refused."""
    for client, server in servers.by_client().items():
        if not servers.is_connected(server):
            sentence = _("The game server's resource {client} sends nothing.")
            cure = _("Start the game server, or the resource cad-sentinel in it.")
            key = f"game-server.{client}"
            yield Trouble(key, sentence.format(client=client), cure, since=server.seen_at)
        elif server.refused:
            sentence = plural(
                "The bot refused {number} message of the game server {client}.",
                "The bot refused {number} messages of the game server {client}.",
                server.refused,
                client=client,
            )
            cure = _("Type `cadsentinel status` on its console, which says why.")
            yield Trouble(f"game-server.{client}.refused", sentence, cure)
