"""A long text in pieces says all of it, and nothing in it comes alive at a cut."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from cogs.ui.text import inert, length, pieces
from tests.cogs.hostile_texts import wire_texts

LIMIT = 60


@given(wire_texts, st.integers(1, 40))
@example("x" * 1_000, 1)
@example("*", 1_000)
@example("# x - y\n", 40)
@example("😀", 200)
@example("x" * 50 + "@@@@\u00a0", 3)
@example("a\xa0", 200)
@example("a\xa0 ", 200)
def test_pieces_say_all_of_a_text_within_the_limit(text: str, times: int) -> None:
    shown = inert(text * times, 4_000)
    cut = pieces(shown, LIMIT)
    assert all(0 < length(piece) <= LIMIT for piece in cut)
    assert all(piece.startswith("… ") for piece in cut[1:])
    said = "".join(
        piece.removeprefix("… ") if number else piece for number, piece in enumerate(cut)
    )
    assert _without_blanks(said) == _without_blanks(shown)
    assert not any(piece.endswith("\\") and not piece.endswith("\\\\") for piece in cut)


def _without_blanks(text: str) -> str:
    """Leave out what may get lost at a cut: blanks and joiners."""
    return re.sub(r"[ \n\t\u200c\u200d]", "", text)


def test_a_short_text_is_one_piece() -> None:
    assert pieces("Two men.", LIMIT) == ["Two men."]
    assert pieces("", LIMIT) == []
