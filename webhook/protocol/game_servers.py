"""The connected game servers: their resource identifies itself with every request."""

import re
from collections.abc import Callable
from typing import NamedTuple

from webhook.protocol.context import now

HEADER = "X-Sentinel-Resource"
"""`cad-sentinel/1.0.0; waiting=0; refused=0`, sent at least once a minute."""

SILENT_AFTER = 150_000
"""Milliseconds without a request after which a game server counts as gone."""

_HEADER = re.compile(r"([\w.-]{1,64})/([\w.+-]{1,32})(?:;.*)?", re.ASCII | re.DOTALL)
_NUMBER = re.compile(r";\s*(waiting|refused)=([0-9]{1,9})\s*(?=;|$)")


class GameServer(NamedTuple):
    """A game server's resource, as its last request described it.

    `waiting`: messages that it has yet to send; `refused`: messages that the bot refused.
    `seen_at`: the time of that request, in milliseconds since 1970. `version` is blank while it is
    only expected.
    """

    resource: str
    version: str
    waiting: int
    refused: int
    seen_at: int


class GameServers:
    """Remembers the game servers since the start, each by the client whose token it has."""

    def __init__(self, clock: Callable[[], int] = now) -> None:
        self._clock = clock
        self._by_client: dict[str, GameServer] = {}
        self._subscribers: list[Callable[[], None]] = []

    def subscribe(self, subscriber: Callable[[], None]) -> None:
        """Call `subscriber` whenever a game server connects, for the first time or again."""
        self._subscribers.append(subscriber)

    def expect(self, client: str, seen_at: int) -> None:
        """Go on missing a game server that was gone when the program stopped."""
        self._by_client[client] = GameServer("cad-sentinel", "", 0, 0, seen_at)

    def note(self, client: str, header: str | None) -> None:
        """Record a client's request; other programs do not send this header."""
        found = _HEADER.fullmatch(header) if header is not None else None
        if header is None or found is None:
            return
        before = self._by_client.get(client)
        is_back = before is None or not self.is_connected(before)
        numbers = {name: int(number) for name, number in _NUMBER.findall(header)}
        self._by_client[client] = GameServer(
            found[1],
            found[2],
            numbers.get("waiting", 0),
            numbers.get("refused", 0),
            self._clock(),
        )
        if is_back:
            for subscriber in self._subscribers:
                subscriber()

    def by_client(self) -> dict[str, GameServer]:
        return dict(self._by_client)

    def silence(self, server: GameServer) -> int:
        """Return for how many milliseconds a game server has sent nothing."""
        return max(0, self._clock() - server.seen_at)

    def is_connected(self, server: GameServer) -> bool:
        return self.silence(server) <= SILENT_AFTER
