"""`[cad.api]`: what the bot asks of the CADs."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
)

from bot.settings.fields import Section, Token

RENAMED = {"api_key": "key", "server_id": "server", "api_url": "url"}
"""What stood in `[cad]` before there was `[cad.api]`, and its name here."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _text(value: Any) -> Any:
    """Take a key of digits for a text: in the environment it looks like a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise ValueError("an address like 'https://api.sonorancad.com'")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise ValueError("write https://: the API key is sent there")
    return text.rstrip("/")


CadName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$", max_length=32)]
ServerNumber = Annotated[int, Field(ge=1)]

OneOrEach = Discriminator(lambda value: "…" if isinstance(value, dict) else "")
"""One value for all CADs, or a table with one for each; a fault is told of what is meant."""


class ApiSettings(Section):
    """How the CADs are asked; without a key they are not.

    With several CADs, `server` and maybe `key` are tables by the names in `[cad] keys`. `origin` is
    that of dispatch calls that the bot opens.
    """

    key: Annotated[
        Annotated[Token, Tag("")] | Annotated[dict[CadName, Token], Tag("…")],
        OneOrEach,
        BeforeValidator(_text),
    ] = ""
    server: Annotated[
        Annotated[ServerNumber, Tag("")] | Annotated[dict[CadName, ServerNumber], Tag("…")],
        OneOrEach,
    ] = 1
    url: Annotated[str, AfterValidator(_url)] = "https://api.sonorancad.com"
    origin: Annotated[int, Field(ge=0, le=99)] = 0

    def named(self) -> set[str]:
        """Return the names of CADs that the tables have."""
        return {
            name for table in (self.key, self.server) if isinstance(table, dict) for name in table
        }

    def key_of(self, cad: str) -> str:
        """Return the key of a CAD; blank if it has none."""
        return self.key.get(cad, "") if isinstance(self.key, dict) else self.key

    def server_of(self, cad: str) -> int | None:
        """Return the number of a CAD's server; None if it is not known."""
        return self.server.get(cad) if isinstance(self.server, dict) else self.server
