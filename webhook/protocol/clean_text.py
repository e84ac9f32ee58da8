"""Removes invisible characters from text that comes from outside."""

import re
import unicodedata
from collections.abc import Iterator

_ALLOWED_CONTROLS = frozenset("\n\t")
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0d\uffa0\ufff0-\ufff8"
    "\U00016fe4\U0001d159\U000e0000-\U000e0fff]"
)
"""Invisible letters, marks and unassigned characters; not U+FE0F, which makes signs emoji."""

_UNWANTED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me"})
_MAX_MARKS = 4
"""Combining marks per letter: more than any language needs; further ones are removed."""


def clean_text(text: str, limit: int | None = None) -> str:
    """Remove invisible characters: controls, bidi marks, zero-width and private ones.

    Of the marks on one letter only the first few stay. Line feeds and tabs stay; `limit` counts
    characters and bounds the work on huge input.
    """
    if not text:
        return ""
    if limit is not None:
        text = text[: limit * 2]
    if text.isascii() and text.isprintable():
        return text.strip()[:limit].rstrip()
    return "".join(_visible(text)).strip()[:limit].rstrip()


def _visible(text: str) -> Iterator[str]:
    """Yield the visible characters; a mark needs a letter before it."""
    marks = _MAX_MARKS
    for character in _INVISIBLE.sub("", text):
        category = unicodedata.category(character)
        if category in _MARKS:
            marks += 1
            if marks <= _MAX_MARKS:
                yield character
        elif character in _ALLOWED_CONTROLS or category not in _UNWANTED_CATEGORIES:
            marks = _MAX_MARKS if character.isspace() else 0
            yield character
