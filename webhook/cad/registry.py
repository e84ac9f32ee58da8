"""The CAD's events, each declared once beside its model; everything else follows from here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from webhook.cad.events import CadEvent, Members

_Model = TypeVar("_Model", bound=CadEvent)
_Reader = TypeVar("_Reader", bound=Callable[[Members], Sequence[CadEvent]])


@dataclass(frozen=True, slots=True)
class EventDeclaration:
    """What the program does with a type of event.

    Cards, feeds and channels are names that the Discord side looks up:

    - `card`: the kind of card that shows the event; blank: it has none.
    - `feed`: the channel whose feed shows the event; blank: it is in none.
    - `names_card`: routing rules know every card of the kind by this event's type, whichever
      event about it comes first.
    - `on_board`: whether it may change what the board shows.
    """

    push_type: str
    model: type[CadEvent]
    card: str = ""
    feed: str = ""
    names_card: bool = False
    on_board: bool = False


DECLARATIONS: dict[str, EventDeclaration] = {}
"""Every declared event by its canonical type."""

READERS: dict[str, Callable[[Members], Sequence[CadEvent]]] = {}
"""What reads a data object of a push, by each type that pushes have or had."""


def cad_event(
    push_type: str,
    *earlier_types: str,
    card: str = "",
    feed: str = "",
    names_card: bool = False,
    on_board: bool = False,
) -> Callable[[type[_Model]], type[_Model]]:
    """Declare an event: its push type, the names that pushes had earlier, and where it is shown."""

    def declare(model: type[_Model]) -> type[_Model]:
        if push_type in DECLARATIONS:
            raise ValueError(f"{push_type} is declared twice")
        model.type = push_type
        DECLARATIONS[push_type] = EventDeclaration(
            push_type, model, card, feed, names_card, on_board
        )
        READERS.update(dict.fromkeys((push_type, *earlier_types), model.read))
        return model

    return declare


def earlier_push(push_type: str) -> Callable[[_Reader], _Reader]:
    """Declare what reads a type of push from an earlier year that is no event by itself."""

    def declare(read: _Reader) -> _Reader:
        READERS[push_type] = read
        return read

    return declare
