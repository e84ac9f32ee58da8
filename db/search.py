"""Searching: text is folded once when it is written, so that a search compares bytes."""

import re
import unicodedata

_WORD = re.compile(r"\w+")


def folded(*parts: object) -> str:
    """Fold what a search looks through: case and compatibility forms go, É and é are one.

    Line feeds keep the parts apart, as no search text that a person types holds one.
    """
    return unicodedata.normalize("NFKC", "\n".join(map(str, parts))).casefold()


MATCHES = "(instr(searched, ?) OR instr(id, ?))"
"""Condition on a row with a `searched` text; takes the folded search text twice."""


def words(text: str) -> list[str]:
    """Return the words of a text, folded: what is neither letter nor digit parts them."""
    return _WORD.findall(folded(text))
