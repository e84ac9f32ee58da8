"""What can go wrong with a message, as one small tree.

Each class has an error code of docs/protocol.md. The edges map them once: the session to an error
frame, HTTP to a status, the slash commands to a private reply. Sentences are lower-case and without
a full stop, because commands and logs put them into sentences of their own.
"""

from typing import ClassVar


class SentinelError(Exception):
    """A message that could not be carried out; its text may be shown to the caller.

    The values are kept apart from the sentence, so that it can be translated. People read the name
    behind a `property` or a `drone`, and what a `status` means.
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


class WrongFormat(BadJson):
    """The document is not JSON but another, recognised format; the message says what to do."""


class BadMessage(SentinelError):
    """JSON, but not a message: without a type, or with data that is not an object."""

    code = "bad-message"


class UnknownType(SentinelError):
    code = "unknown-type"


class FieldProblem:
    """An invalid field and what is wrong with it, as a sentence that can be translated."""

    def __init__(self, field: str, sentence: str, /, **values: object) -> None:
        self.field = field
        self.sentence = sentence
        self.values = values
        self.problem = sentence.format(**values) if values else sentence


class RawProblem(FieldProblem):
    """A problem in the words of the validator, for programs; people read that it is not valid."""


class InvalidValue(ValueError):
    """What a validator of ours raises: a sentence that can be translated."""

    def __init__(self, sentence: str, /, **values: object) -> None:
        self.sentence = sentence
        self.values = values
        super().__init__(sentence.format(**values) if values else sentence)


class InvalidData(SentinelError):
    """Data that does not match the query; names every invalid field."""

    code = "invalid-data"

    def __init__(self, *fields: FieldProblem) -> None:
        faults = "; ".join(f"{field.field}: {field.problem}" for field in fields)
        super().__init__("{faults}", faults=faults)
        self.fields = fields


class NotFound(SentinelError):
    code = "not-found"


class PropertyGone(NotFound):
    """A property that was removed; by whom and when, in milliseconds since 1970."""

    def __init__(self, number: int, location: str, by: str, at: int) -> None:
        super().__init__("property {property} was removed", property=number)
        self.location = location
        self.by = by
        self.at = at


class Conflict(SentinelError):
    """A rule of the domain forbids it, for example no free drone."""

    code = "conflict"


class Forbidden(SentinelError):
    """The caller has no permission; `scope` is the one that is missing, if that is the reason."""

    code = "forbidden"

    def __init__(self, sentence: str, /, scope: str | None = None, **values: object) -> None:
        super().__init__(sentence, **values)
        self.scope = scope


class RateLimited(SentinelError):
    """Too many messages from this caller; the same one may succeed later."""

    code = "rate-limited"


class TooLarge(SentinelError):
    """More bytes than one message may have."""

    code = "too-large"


class KeyReused(SentinelError):
    """The key belongs to another message."""

    code = "key-reused"


class Unavailable(SentinelError):
    """Storage is unavailable; the same message may succeed later."""

    code = "unavailable"
