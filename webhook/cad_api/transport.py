"""What carries requests to a CAD, and what can become of one."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol


class ApiAnswer(NamedTuple):
    """What the CAD answered; `detail` is its own text about a fault."""

    status: int
    data: Any
    detail: str = ""

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


class CadFault(Exception):
    """The CAD gave no answer to a request."""


class NotSentError(CadFault):
    """The CAD cannot be reached; it has not got the request."""


class AnswerLostError(CadFault):
    """The CAD may have carried the request out or not."""


class TooManyError(CadFault):
    """The CAD takes no more of these for now."""


class CadTransport(Protocol):
    """What carries requests to a CAD: its API, or the game server."""

    @property
    def is_there(self) -> bool:
        """Return whether it can be asked now."""
        ...

    async def ask(self, kind: str, body: Mapping[str, Any]) -> ApiAnswer:
        """Ask once.

        Raises:
            CadFault: there is no answer; its class says what may have happened.
        """
        ...

    def wait(self, kind: str) -> float:
        """Return the seconds until a kind of request may be sent."""
        ...

    def count_earlier(self, kind: str, seconds_ago: float) -> None:
        """Count a request from before the start."""
        ...
