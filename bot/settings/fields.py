"""Types of fields that several sections have, and what all sections share."""

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


Snowflake = Annotated[int, Field(ge=0, lt=2**63)]
"""A Discord id; 0 for none."""

Secret = Annotated[str, BeforeValidator(clean_secret)]

Token = Annotated[Secret, AfterValidator(_token)]
"""A secret that is sent in a header."""


class Section(BaseModel):
    """Base of the sections; an unknown key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)
