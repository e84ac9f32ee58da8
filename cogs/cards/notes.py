"""A call's notes in the order in which they were written, whatever order they arrived in."""

from datetime import UTC
from itertools import pairwise

from cogs.i18n.language import _
from cogs.ui.embeds import FIELD
from cogs.ui.text import inert_line
from db.dispatches import CallNote
from webhook.cad.times import DAY, seconds_of_day

SHOWN = 5
"""Notes that a card shows, the newest."""

READ = 50
"""Notes that are put in order: a call keeps no more."""


def notes_text(notes: list[CallNote]) -> str:
    share = FIELD // SHOWN - 10
    return "\n".join(
        f"{_shown_time(note)}**{inert_line(note.label, 32, blank=_('note'))}** "
        f"{inert_line(note.content, share - 60)}"
        for note in in_order(notes)[-SHOWN:]
    )


def in_order(notes: list[CallNote]) -> list[CallNote]:
    """Sort notes by the clock times that they carry; those without one, by arrival, come first.

    A time has no date. A call may last over midnight but not all day, so its first note is the one
    behind the longest gap on the clock.
    """
    timed = [(seconds, note) for note in notes if (seconds := _seconds(note)) is not None]
    clocks = sorted({seconds for seconds, _ in timed})
    gaps = [(clock - before) % DAY for before, clock in pairwise([*clocks[-1:], *clocks])]
    first = clocks[gaps.index(max(gaps))] if clocks else 0
    timed.sort(key=lambda entry: ((entry[0] - first) % DAY, entry[1].label, entry[1].content))
    return [note for note in notes if _seconds(note) is None] + [note for _, note in timed]


def _seconds(note: CallNote) -> int | None:
    """Return when on its day a note was written; earlier versions stored only the CAD's text."""
    return seconds_of_day(note.time, UTC, UTC, note.at) if note.clock is None else note.clock


def _shown_time(note: CallNote) -> str:
    seconds = _seconds(note)
    return "" if seconds is None else f"{seconds // 3600:02}:{seconds // 60 % 60:02} "
