"""Types of fields that several sections have, and what all sections share."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


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
    r"|https?://(?:\w+\.)?discord(?:app)?\.com/channels/(?:\d+/)?(\d+)/?"  # the link to a channel
)


def _discord_id(value: Any) -> Any:
    """Read an id as Discord lets people copy it: digits, a mention, the link to a channel."""
    if not isinstance(value, str):
        return value
    value = clean_secret(value)
    copied = _ID_AS_COPIED.fullmatch(value)
    if copied is not None:
        return copied[1] or copied[2]
    if value and not value.isdecimal():
        raise ValueError(
            "must be an id: switch on Settings > Advanced > Developer Mode in Discord, right-click"
            " the channel or the role, Copy ID"
        )
    return value or 0


Snowflake = Annotated[int, BeforeValidator(_discord_id), Field(ge=0, lt=2**63)]
"""A Discord id; 0 for none."""

Secret = Annotated[str, BeforeValidator(clean_secret)]

Token = Annotated[Secret, AfterValidator(_token)]
"""A secret that is sent in a header."""


class Section(BaseModel):
    """Base of the sections; an unknown key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)
