"""What all normalised CAD events share, and why a push becomes none.

`model_dump(by_alias=True)` of an event is the data of `events.cad.<TYPE>` and what the journal
stores: camelCase, JSON and nothing else, at most a mebibyte once written.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Self

from pydantic import SerializerFunctionWrapHandler, model_serializer

from db.calls import CallKey
from webhook.protocol.clean_text import clean_text
from webhook.protocol.errors import SentinelError
from webhook.protocol.events import Subject
from webhook.protocol.wire import Wire

_SKIPPED: ContextVar[list[str] | None] = ContextVar("skipped", default=None)


class UnhandledType(SentinelError):
    """An authentic push of a type that nobody handles."""

    code: ClassVar[str] = "unknown-type"

    def __init__(self, type: str) -> None:  # noqa: A002 - Sonoran's own word
        self.type = " ".join(clean_text(type, 64).split())
        super().__init__(f"nobody handles pushes of type '{self.type}'")


class InvalidPush(SentinelError):
    """A known type whose envelope or ids make no sense.

    The reason names members and never repeats their values: a push contains the API key.
    """

    code: ClassVar[str] = "invalid-data"


class PlaceholderId(InvalidPush):
    """A push with -1 for the id of what it is about, as the CAD's documents print them."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} (-1, as in the printed examples)")


@contextmanager
def collect_skipped() -> Iterator[list[str]]:
    """Collect the names of members of which a part is skipped within the block, one for each."""
    parts: list[str] = []
    token = _SKIPPED.set(parts)
    try:
        yield parts
    finally:
        _SKIPPED.reset(token)


def note_skipped(member: str) -> None:
    """Note that a part of a member cannot be read, as far as somebody collects them."""
    parts = _SKIPPED.get()
    if parts is not None:
        parts.append(member)


Members = Mapping[str, Any]
"""The members of one JSON object."""


@dataclass(frozen=True, slots=True)
class ReadBy:
    """Annotates a field that is read from the member of its written name.

    `read` returns None for what cannot be read: the member then counts as absent.
    """

    read: Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class ReadFrom:
    """Annotates a field that is read from all members, as ids are that had several names.

    `read` returns None where the members have no value for the field.
    """

    read: Callable[[Members], object]


class Pushed(Wire):
    """Base of what pushes describe; its fields are annotated with how they are read."""

    @classmethod
    def read_members(cls, given: Members) -> dict[str, Any]:
        """Return what the members of a push hold for the fields, by their written names.

        Raises:
            InvalidPush: an id is missing or invalid.
        """
        found = {}
        for name, reader in _readers(cls):
            value = given.get(name) if isinstance(reader, ReadBy) else given
            if value is not None and (readable := reader.read(value)) is not None:
                found[name] = readable
        return found


@cache
def _readers(model: type[Pushed]) -> list[tuple[str, ReadBy | ReadFrom]]:
    return [
        (str(field.alias), annotation)
        for field in model.model_fields.values()
        for annotation in field.metadata
        if isinstance(annotation, ReadBy | ReadFrom)
    ]


@cache
def _required(model: type[Pushed]) -> list[str]:
    return [str(field.alias) for field in model.model_fields.values() if field.is_required()]


class CadEvent(Pushed):
    """One thing that the CAD reported, in the one shape that the rest of the program knows."""

    type: ClassVar[str]
    """The canonical push type, for example `EVENT_911`, whatever the push called itself."""

    card: ClassVar[str]
    """The kind of card that shows the event; blank: it has none."""

    feed: ClassVar[str]
    """The channel whose feed shows the event; blank: it is in none."""

    names_card: ClassVar[bool]
    """Whether routing rules know every card of the kind by this type, whatever came first."""

    on_board: ClassVar[bool]
    """Whether it may change what the board shows."""

    any_of: ClassVar[tuple[str, ...]] = ()
    """Members of which a push must have one."""

    @classmethod
    def read(cls, data: Members) -> list[Self]:
        """Return the events in one data object of a push of this type, in the shape of any year.

        Without the ids of anything that it is about, a push is no event.

        Raises:
            InvalidPush: an id is missing or invalid.
        """
        if cls.any_of and all(data.get(name) is None for name in cls.any_of):
            raise InvalidPush(f"{cls.any_of[0]}: missing")
        found = cls.read_members(data)
        if any(found.get(name) == [] for name in _required(cls)):
            return []
        return [cls.model_validate(found)]


class Coordinates(Wire):
    """A point of the game world; `z` is 0 where the CAD knows no height."""

    x: float
    y: float
    z: float


class Partial(Pushed):
    """A description of which the push may have had only a part.

    What it did not have is not in `model_fields_set` and is left out of the written form, so that
    the stored description is never blanked, not even after a turn through the journal.
    """

    described: ClassVar[frozenset[str]] = frozenset({"id"})
    """The fields that identify what is described."""

    def changes(self) -> dict[str, Any]:
        """Return what the push had, by the Python names of the fields."""
        changed = self.model_fields_set - self.described
        return {name: getattr(self, name) for name in type(self).model_fields if name in changed}

    @model_serializer(mode="wrap")
    def _without_absent(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        fields = type(self).model_fields
        absent = fields.keys() - self.model_fields_set
        aliases = {fields[name].alias for name in absent}
        return {name: value for name, value in written.items() if name not in absent | aliases}


def emergency_subject(call: CallKey) -> Subject:
    return Subject("emergency", str(call))


def dispatch_subject(call: CallKey) -> Subject:
    return Subject("dispatch", str(call))


def call_of(subject: Subject) -> CallKey:
    """Return which call a subject of these two kinds is."""
    return CallKey(subject.cad, subject.number, subject.occurrence)


def panic_subject(panic_id: int) -> Subject:
    return Subject("panic", str(panic_id))


def notice_subject(notice_id: int) -> Subject:
    """A notice is a page, a station alert or a callout."""
    return Subject("notice", str(notice_id))


def unit_subjects(cad: str, idents: list[int]) -> list[Subject]:
    return [Subject("unit", f"{ident}@{cad}") for ident in idents]
