"""Types of fields: what they must be like, with the reason that people read; the base of sections.

What few configurations need to be checked is imported by its validator: commands start quickly.
"""

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    StringConstraints,
)


def _token(text: str) -> str:
    if not text.isprintable():
        raise ValueError(
            "a token cannot contain line breaks or other control characters; copy it again"
        )
    return text


def clean_secret(value: Any) -> Any:
    """Take from a text what editors and shells add: a byte order mark, blanks, quotes around it."""
    if not isinstance(value, str):
        return value
    value = value.replace("\ufeff", "").strip()
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1].strip() if is_quoted else value


_ID_AS_COPIED = re.compile(
    r"<(?:#|@&?|@!)(\d+)>"  # a mention
    r"|(?:https?://)?(?:\w+\.)?discord(?:app)?\.com/"  # the link to a channel
    r"channels/(?:\d+/)?(\d+)(?:/\d*)?"
)


def _discord_id(value: Any) -> Any:
    """Read an id as Discord lets people copy it: digits, a mention, the link to a channel."""
    if isinstance(value, str):
        value = clean_secret(value)
        copied = _ID_AS_COPIED.fullmatch(value)
        if copied is not None:
            return copied[1] or copied[2]
        if not value or value.isdecimal():
            return value or 0
    if type(value) is int:
        return value
    raise ValueError(
        "must be an id: switch on Settings > Advanced > Developer Mode in Discord, right-click"
        " the channel or the role, Copy ID"
    )


Snowflake = Annotated[int, BeforeValidator(_discord_id), Field(ge=0, lt=2**63)]
"""A Discord id; 0 for none."""

Secret = Annotated[str, BeforeValidator(clean_secret)]

Token = Annotated[Secret, AfterValidator(_token)]
"""A secret that is sent in a header."""


def is_url(text: str) -> bool:
    """Whether a text is an address with a scheme, a host and, if any, a port that exists."""
    try:
        parts = urlsplit(text)
        return bool(parts.scheme and parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        known = available_timezones()
        if not known:
            raise ValueError(
                "this machine has no time zone database: install the package tzdata"
            ) from None
        city = name.strip().rpartition("/")[2].replace(" ", "_").casefold()
        meant = sorted(zone for zone in known if zone.rpartition("/")[2].casefold() == city)
        example = f"did you mean {meant[0]}?" if meant else "write one like 'Europe/Berlin'"
        raise ValueError(f"not a time zone; {example}") from None
    return name


def _language(name: str) -> str:
    from cogs.i18n.language import LANGUAGES, native_name
    from db.search import DOTLESS

    if name not in {*LANGUAGES, *DOTLESS}:
        known = ", ".join(f"{code} ({native_name(code)})" for code in LANGUAGES)
        raise ValueError(f"not a language of the program; choose {known}")
    return name


def _host(host: str) -> str:
    if "/" in host or not host.isprintable() or " " in host:
        raise ValueError("a name or an address without http:// and without a path, like '0.0.0.0'")
    if host.startswith("[") or (host.count(":") == 1):
        raise ValueError(
            "a name or an address alone, like '0.0.0.0' or '::'; the port is another key"
        )
    return host


def _path(path: Path) -> Path:
    if not path.name:
        raise ValueError("must name a file or a folder")
    if min(str(path)) < " ":
        raise ValueError(r"a path cannot contain control characters; write \\ or / between folders")
    return path.expanduser()


def _proxy(network: IPvAnyNetwork) -> IPvAnyNetwork:
    if network.prefixlen == 0:
        raise ValueError("this trusts everybody; name the address of the proxy itself")
    return network


def _origin(text: str) -> str:
    from webhook.http.cors import parse_origin

    return parse_origin(text)


def _time_of_day(text: str) -> str:
    try:
        return f"{datetime.strptime(text, '%H:%M'):%H:%M}" if text else ""  # noqa: DTZ007
    except ValueError:
        raise ValueError(f"{text!r} is not a time of day; write one like '06:00'") from None


TimeZone = Annotated[str, AfterValidator(lambda name: name and _zone(name))]
"""A time zone's name, or blank."""

Language = Annotated[str, AfterValidator(lambda name: name and _language(name))]
"""A language's code, or blank."""

Host = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_host)]

FilePath = Annotated[Path, AfterValidator(_path)]
"""A file or a folder; `~` is the user's own."""

AnyCase = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)

TrustedProxy = Annotated[IPvAnyNetwork, AfterValidator(_proxy)]

Origin = Annotated[str, AfterValidator(_origin)]

TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]
"""Hours and minutes, or blank."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$", max_length=32)]
"""A name that stands in records and logs."""

Minutes = Annotated[int, Field(ge=0, le=60 * 24 * 7)]


class Section(BaseModel):
    """Base of the sections; an unknown key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)
