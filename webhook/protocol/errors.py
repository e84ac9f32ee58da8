"""What can go wrong with a message, as one small tree.

Each class carries the error code of docs/protocol.md. The edges map them once: the session to an
error frame, the HTTP API to a status, the slash commands to a private sentence.
"""

from dataclasses import dataclass
from typing import ClassVar


class SentinelError(Exception):
    """A message that could not be carried out; its text is fit to be shown to the asker.

    The values stand apart from the sentence, so that it can be said in other languages.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, sentence: str, /, **values: object) -> None:
        self.sentence = sentence
        self.values = values
        self.message = sentence.format(**values) if values else sentence
        super().__init__(self.message)


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
        faults = "; ".join(f"{fault.field}: {fault.problem}" for fault in fields)
        super().__init__("{faults}", faults=faults)
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

    def __init__(self, sentence: str, /, scope: str | None = None, **values: object) -> None:
        super().__init__(sentence, **values)
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
