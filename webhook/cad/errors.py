"""Why an authentic push becomes no event."""

from typing import ClassVar

from webhook.protocol.errors import SentinelError
from webhook.protocol.wire import clean_text

_TYPE_LIMIT = 64


class UnhandledType(SentinelError):
    """An authentic push of a type that nobody handles."""

    code: ClassVar[str] = "unknown-type"

    def __init__(self, type: str) -> None:  # noqa: A002 - Sonoran's own word
        self.type = " ".join(clean_text(type, _TYPE_LIMIT).split())
        super().__init__(f"nobody handles pushes of type '{self.type}'")


class InvalidPush(SentinelError):
    """A known type whose envelope or ids make no sense.

    The reason names members and never repeats their values: a push contains the API key.
    """

    code: ClassVar[str] = "invalid-data"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
