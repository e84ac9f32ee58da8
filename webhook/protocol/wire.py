"""The base of all models of the protocol, and the field types that they share."""

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AliasChoices,
    AliasGenerator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, PydanticUseDefault, to_json

from db.user_ids import stored_id
from webhook.protocol.clean_text import clean_text
from webhook.protocol.errors import FieldProblem, InvalidData, InvalidValue, RawProblem

if TYPE_CHECKING:  # the command line reads settings without a database
    from db.database import Reader

MAX_NAME = 64
"""Characters of the name of a tier or a type of equipment."""

MAX_ID = 2**63 - 1
"""The largest id: SQLite's integers have 64 bits with a sign."""

_DIGITS = re.compile(r"([0-9]{1,19})(?:\.0+)?")
_NUMBER = re.compile(r"[+-]?[0-9]{1,19}(?:\.[0-9]{0,30})?")
SYNONYMS = {
    "user_id": ("userId", "user", "clientId"),
    "client_id": ("clientId", "userId", "user"),
    "equipment_type": ("equipmentType", "type"),
}
"""The names under which clients send a field, the documented one first."""

_Model = TypeVar("_Model", bound=BaseModel)


class Wire(BaseModel):
    """Base of all models of the protocol: camelCase names, strict types, unknown fields ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        strict=True,
        frozen=True,
        extra="ignore",
    )


def _sent_names(field: str) -> str | AliasChoices:
    names = SYNONYMS.get(field)
    return to_camel(field) if names is None else AliasChoices(*names)


class Request(Wire):
    """Base of what clients send: a null counts as absent, a field may have synonyms."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(alias=to_camel, validation_alias=_sent_names)
    )

    async def which_property(self, _: "Reader") -> int | None:
        """Return the id of the property that it is about, in which its caller may have a share."""
        return None

    async def resolve(self, _: "Reader") -> Self:
        """Return it with the ids of what it names in a way that storage must look up.

        Raises:
            NotFound: there is no such thing.
            InvalidData: it names two things at once.
        """
        return self

    @model_validator(mode="before")
    @classmethod
    def _leave_nulls_out(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if value is not None}


class Reply(Wire):
    """Base of the answers to queries: the fields of the answer's data."""

    def dump(self) -> bytes:
        return to_json(self, by_alias=True)


class Success(Reply):
    """The answer of a query that changes something."""

    success: Literal[True] = True


class StatusReply(Reply):
    """The answer that is only a sentence."""

    message: str


def leave_empty_out(value: object) -> object:
    """Treat an empty text as absent: forms send it for empty fields."""
    if isinstance(value, str) and not value.strip():
        raise PydanticUseDefault
    return value


def parse_id(value: object) -> int:
    """Read an id from an integer or a string of ASCII digits; the result fits in 64 bits.

    `7.0` is 7, as text too: Lua writes whole numbers so.
    """
    if isinstance(value, str) and (digits := _DIGITS.fullmatch(value)):
        value = int(digits[1])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidValue("must be a number, without anything else")
    if not 0 <= value <= MAX_ID:
        raise InvalidValue("must be {least} or more, and not too large", least=0)
    return value


def parse_id_or_name(value: object) -> int | str:
    """Read an id or a name."""
    if not isinstance(value, str):
        return parse_id(value)
    text = value.strip()
    if not 1 <= len(text) <= MAX_NAME:
        raise InvalidValue("must have 1 to {most} characters", most=MAX_NAME)
    return parse_id(text) if _DIGITS.fullmatch(text) else text


def parse_user_id(value: object) -> object:
    """Read a user or client id in its stored form; a whole number counts as its digits."""
    value = parse_text(value)
    return stored_id(value) if isinstance(value, str) else value


def parse_text(value: object) -> object:
    """Read a text: a whole number counts as its digits."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def parse_number(value: object) -> object:
    """Read a number that may be text; `1174.0` becomes an integer, an empty text the default."""
    value = leave_empty_out(value)
    if isinstance(value, str):
        value = value.strip()
        if _NUMBER.fullmatch(value):
            value = float(value) if "." in value else int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def parse_rounded(value: object) -> object:
    """Read a number as the nearest integer."""
    value = parse_number(value)
    return round(value) if isinstance(value, float) and math.isfinite(value) else value


def parse_external(value: object) -> object:
    """Read an external id or its source: `17`, `17.0`, `"17"` and `"17.0"` are the same.

    Invisible characters and blanks at the ends are removed, and others become single blanks, as
    nobody could tell such ids apart.
    """
    value = parse_text(value)
    if not isinstance(value, str):
        return value
    text = " ".join(clean_text(value).split())
    return digits[1] if (digits := _DIGITS.fullmatch(text)) else text


_IdInput = Annotated[int, Field(ge=0, le=MAX_ID)] | Annotated[str, Field(pattern="^[0-9]{1,19}$")]
_UserIdText = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]

Id = Annotated[
    int,
    BeforeValidator(parse_id, json_schema_input_type=_IdInput),
    BeforeValidator(leave_empty_out),
]
"""Id of a property, drone, piece of equipment, camera or alert."""

IdOrName = Annotated[
    Annotated[int, Field(ge=0, le=MAX_ID)] | _Name, BeforeValidator(parse_id_or_name)
]
"""A tier or a type of equipment, by its id or its name."""

UserId = Annotated[
    _UserIdText, BeforeValidator(parse_user_id, json_schema_input_type=_UserIdText | int)
]
"""Id of a game user or client: `license:…`, `steam:…`, a Discord id, a UUID."""

WHOLE = BeforeValidator(parse_number)
"""Annotates, after its bounds, a whole number, which may be text or have a fraction of zero."""

ROUNDED = BeforeValidator(parse_rounded)
"""Annotates, after its bounds, a number of which the nearest integer is meant."""

Flag = Annotated[bool, Field(strict=False), BeforeValidator(leave_empty_out)]
"""Yes or no; scripts that read it from a database send 1 and 0, and others "true" and "false"."""

TEXT = BeforeValidator(parse_text)
"""Annotates, after its bounds, a text that scripts may send as a number."""

_SourceText = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_ExternalText = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class ExternalId(Request):
    """The external id of a property, as sent: the script's name and the script's own id."""

    source: Annotated[
        _SourceText, BeforeValidator(parse_external, json_schema_input_type=_SourceText)
    ]
    id: Annotated[
        _ExternalText,
        BeforeValidator(parse_external, json_schema_input_type=_ExternalText | int),
    ]


class ExternalData(Wire):
    """The same in answers and events, where both parts are text."""

    source: str
    id: str


class PositionData(Wire):
    """An exact position of the game world; `z` is left out if nobody gave it."""

    x: float
    y: float
    z: Annotated[float | None, Field(exclude_if=lambda z: z is None)] = None


def validate(model: type[_Model], data: object) -> _Model:
    """Check data against a model.

    Raises:
        InvalidData: names every invalid field.
    """
    try:
        return model.model_validate(data)
    except ValidationError as invalid:
        raise InvalidData(
            *(
                field_problem(".".join(map(str, error["loc"])) or "data", error)
                for error in invalid.errors(include_url=False)
                if error["type"] != "default_factory_not_called"  # it follows from another error
            )
        ) from None


def field_problem(field: str, error: ErrorDetails) -> FieldProblem:
    """Describe one of pydantic's errors; those that people meet in words of our own."""
    limits = error.get("ctx", {})
    match error["type"]:
        case "int_type" | "int_parsing" | "int_from_float":
            return FieldProblem(field, "must be a whole number")
        case "float_type" | "float_parsing" | "finite_number":
            return FieldProblem(field, "must be a number")
        case "string_type":
            return FieldProblem(field, "must be a text")
        case "bool_type" | "bool_parsing":
            return FieldProblem(field, "must be true or false")
        case "model_type" | "dict_type":
            return FieldProblem(field, "must be an object")
        case "greater_than_equal":
            return FieldProblem(field, "must be {least} or more", least=parse_number(limits["ge"]))
        case "less_than_equal":
            return FieldProblem(field, "must be {most} or less", most=parse_number(limits["le"]))
        case "string_too_short" | "too_short" if limits["min_length"] == 1:
            return FieldProblem(field, "must not be empty")
        case "string_too_short" | "too_short" if isinstance(error["input"], str):
            least = limits["min_length"]
            return FieldProblem(field, "must have at least {least} characters", least=least)
        case "string_too_long" | "too_long" if isinstance(error["input"], str):
            most = limits["max_length"]
            return FieldProblem(field, "must have at most {most} characters", most=most)
        case "missing":
            return FieldProblem(field, "is required")
        case "value_error" if isinstance(limits.get("error"), InvalidValue):
            return FieldProblem(field, limits["error"].sentence, **limits["error"].values)
        case _:
            return RawProblem(field, error["msg"].removeprefix("Value error, "))


def timestamp(milliseconds: int) -> str:
    """Write a time, in milliseconds since 1970, as ISO 8601 in UTC: `2026-11-22T09:30:00.123Z`."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03}Z"
