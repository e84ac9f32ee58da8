"""Which events touch the board, and that everything it shows fits."""

import pytest

from cogs.cards.board import EVENTS as ON_BOARD
from cogs.cards.notes import in_order
from cogs.ui.text import fitting, length
from db.dispatches import CallNote
from webhook import cad
from webhook.protocol.events import CAD, EVENTS

SHOWN = {"drone-dispatched", "drone-recalled"}

NOT_SHOWN = {
    "EVENT_CHAR_SELECTED",
    "EVENT_COMMUNITY_LINK_VERIFIED",
    "EVENT_DISPATCH_TOGGLE_BODYCAM",
    "EVENT_NEW_CALLOUT",
    "EVENT_PAGER_REBORN",
    "EVENT_PRINT_RECORD",
    "EVENT_RECORD_ADD",
    "EVENT_RECORD_EDIT",
    "EVENT_RECORD_REMOVE",
    "EVENT_STATION_ALERT",
    "EVENT_STREETSIGN_UPDATED",
    "EVENT_TONE",
    "EVENT_UNIT_GROUP_ADD",
    "EVENT_UNIT_GROUP_CHANGE_NAME",
    "EVENT_UNIT_GROUP_REMOVE",
}


def test_every_event_is_known_to_change_the_board_or_not() -> None:
    assert EVENTS.keys() & ON_BOARD == SHOWN
    assert {kind for kind in cad.EVENTS if f"{CAD}.{kind}" not in ON_BOARD} == NOT_SHOWN


@pytest.mark.parametrize("limit", [30, 100, 1000])
def test_lines_that_do_not_fit_are_counted(limit: int) -> None:
    texts = [f"text {number} \U0001f692" for number in range(50)]
    shown = fitting(texts, ", ", limit)
    assert length(shown) <= limit
    left_out = [text for text in texts if text not in shown.split(", ")]
    assert (f"and {len(left_out)} more" in shown) is bool(left_out)


def test_rows_that_are_not_written_out_are_counted_too() -> None:
    assert fitting(["a", "b"], "\n", 100, 7) == "a\nb\nand 5 more"
    assert fitting([], "\n", 100, 0) == ""


def note(time: str, content: str) -> CallNote:
    return CallNote(time, "7K-22", content)


@pytest.mark.parametrize(
    "times",
    [
        ["21:07:44", "21:07:45", "22:00:00"],
        ["23:58:00", "00:02:10", "01:00:00"],
        ["9:58 AM", "11:59 am", "12:02 PM", "1:00 pm"],
        ["2026-08-21T21:07:44.123Z", "2026-08-21T21:09:00Z"],
        ["12:00"],
    ],
)
def test_notes_are_in_the_order_of_their_clock_times(times: list[str]) -> None:
    notes = [note(time, str(number)) for number, time in enumerate(times)]
    assert in_order(notes[::-1]) == notes


def test_notes_without_a_time_come_first_as_they_arrived() -> None:
    written = [note("", "b"), note("00:00:00", "c"), note("99:99", "a"), note("21:07", "d")]
    assert in_order([written[3], *written[:3]]) == written
