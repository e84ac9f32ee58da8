"""A call's notes in the order in which they were written, whatever order they arrived in."""

import re
from itertools import pairwise

from cogs.i18n.language import _
from cogs.ui.embeds import FIELD
from cogs.ui.text import inert_line
from db.dispatches import CallNote

SHOWN = 5
"""Notes that a card shows, the newest."""

READ = 50
"""Notes that are put in order: a call keeps no more."""

DAY = 24 * 60 * 60

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?\s*([ap]\.?m)?", re.IGNORECASE)


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
    """Read when on its day a note was written; scripts write midnight for not knowing."""
    found = _CLOCK.search(note.time)
    if found is None:
        return None
    hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[4]:
        hours = hours % 12 + (12 if found[4][0] in "pP" else 0)
    total = hours * 3600 + minutes * 60 + seconds
    return total if 0 < total < DAY and minutes < 60 and seconds < 60 else None


def _shown_time(note: CallNote) -> str:
    seconds = _seconds(note)
    return "" if seconds is None else f"{seconds // 3600:02}:{seconds // 60 % 60:02} "
