"""How asking a CAD goes: what it answered last, what is wrong, and how much waits."""

from typing import Any, Literal

from db.cad_requests import WaitingRequests
from webhook.cad_api.endpoints import ENDPOINTS
from webhook.cad_api.game_server import GameServerTransport
from webhook.cad_api.transport import CadTransport
from webhook.protocol.clean_text import clean_text

WORTH_TELLING = 2 * 60_000
"""Milliseconds without an answer after which people are told."""

_FOR_A_TIME = frozenset({"unreachable", "limit"})
_FOR_ALL = frozenset({"key", "server"}) | _FOR_A_TIME
"""Problems of all requests; the others are of their kind."""

LASTING = frozenset({"key", "server", "plan", "forbidden"})
"""Problems that somebody has to mend."""

Way = Literal["key", "game"]


class CadProgress:
    """What is known of asking one CAD since the start; times in milliseconds since 1970.

    `waiting`: requests of people and rules that are not done yet, `waiting_since` the oldest.
    """

    def __init__(self, cad: str, transport: CadTransport) -> None:
        self.cad = cad
        self.way: Way = "game" if isinstance(transport, GameServerTransport) else "key"
        self.answered_at: int | None = None
        self.failing_since: int | None = None
        self.version = ""
        self.waiting = 0
        self.waiting_since: int | None = None
        self._transport = transport
        self._problems: dict[str, str] = {}

    @property
    def is_there(self) -> bool:
        return self._transport.is_there

    @property
    def problem(self) -> str:
        """A word for what is wrong, one that lasts before others; blank if nothing is."""
        if self.waiting and not self.is_there:
            return "no-key"
        found = sorted(self._problems.values(), key=lambda why: why not in LASTING)
        return found[0] if found else ""

    @property
    def limited(self) -> list[str]:
        """The kinds of requests that must wait, as they were used often in the last minute."""
        if not self.is_there:
            return []
        return [kind for kind in ENDPOINTS if self._transport.wait(kind) > 0]

    def is_stuck(self, now: int) -> bool:
        """Return whether people should be told: it fails for good, or for some time."""
        is_late = self.waiting_since is not None and self.waiting_since + WORTH_TELLING <= now
        return self.problem in LASTING or is_late or self.has_failed_for(WORTH_TELLING, now)

    def has_failed_for(self, milliseconds: int, now: int) -> bool:
        """Return whether there has been no answer for so long."""
        return self.failing_since is not None and self.failing_since + milliseconds <= now

    def note_answer(self, kind: str, now: int) -> None:
        """Note that the CAD did what was asked."""
        self.answered_at, self.failing_since = now, None
        self._problems = {
            of_kind: why
            for of_kind, why in self._problems.items()
            if of_kind != kind and why not in _FOR_ALL
        }

    def note_problem(self, kind: str, why: str, now: int) -> None:
        """Note that it did not; a refusal of something about one member or call is none."""
        if why not in LASTING | _FOR_A_TIME:
            self.note_answer(kind, now)
            return
        self._problems[kind] = why
        if why in _FOR_A_TIME:
            self.failing_since = self.failing_since or now
        else:
            self.answered_at, self.failing_since = now, None

    def note_version(self, data: Any) -> None:
        """Note what the CAD says of its version."""
        if isinstance(data, dict):
            data = next((data[name] for name in ("version", "apiVersion") if name in data), "")
        self.version = clean_text(str(data), 64) if isinstance(data, str | int | float) else ""

    def note_waiting(self, found: WaitingRequests | None) -> None:
        """Note which requests are not done yet."""
        self.waiting, self.waiting_since = (found.number, found.since) if found else (0, None)
