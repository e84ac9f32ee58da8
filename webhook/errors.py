"""What can go wrong with a message, as one small tree.

Each class carries the error code of docs/protocol.md. The edges map them once: the session to an
error frame, the HTTP API to a status, the slash commands to a private sentence.
"""

from dataclasses import dataclass
from typing import ClassVar


class SentinelError(Exception):
    """A message that could not be carried out; its text is fit to be shown to the asker."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadJson(SentinelError):
    """The bytes are not one JSON document."""

    code = "bad-json"


class BadMessage(SentinelError):
    """JSON, but not a message: no type, or data that is no object."""

    code = "bad-message"


class UnknownType(SentinelError):
    """A message type that nobody handles."""

    code = "unknown-type"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field of the asker's data and what is wrong with it."""

    field: str
    problem: str


class InvalidData(SentinelError):
    """Data whose fields do not fit the query; names every one of them."""

    code = "invalid-data"

    def __init__(self, *fields: FieldProblem) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.problem}" for fault in fields))
        self.fields = fields


class NotFound(SentinelError):
    """The thing asked for does not exist."""

    code = "not-found"


class Conflict(SentinelError):
    """A rule of the domain says no, for example no free drone."""

    code = "conflict"


class Forbidden(SentinelError):
    """The asker may not do this."""

    code = "forbidden"

    def __init__(self, message: str, scope: str | None = None) -> None:
        super().__init__(message)
        self.scope = scope
        """The scope that the asker lacks, where that is the reason."""


class RateLimited(SentinelError):
    """Too many messages from this asker; later is fine."""

    code = "rate-limited"


class TooLarge(SentinelError):
    """More bytes than one message may have."""

    code = "too-large"


class Unavailable(SentinelError):
    """Storage cannot be written right now; the same message may succeed later."""

    code = "unavailable"
