"""Searching: texts are folded when they are written, and found through an index of trigrams.

SQLite's FTS5 answers `LIKE '%…%'` from an index of all groups of three characters. So that shorter
texts are found too, what is indexed ends in all its parts of one and two characters, padded to
three. LIKE may find too much, as `%` and `_` are wildcards and the index holds more than a row
shows: every statement compares the row's own text as well.
"""

import re
import unicodedata

_WORD = re.compile(r"\w+")
_PLAIN_WORD = re.compile(r"[^\W_]+")
_GROUP = 3
_PADDING = "\x01"
_UNSEARCHABLE = str.maketrans({"\0": "\ufffd", _PADDING: "\ufffd"})
_WILDCARDS = re.compile("[%_]")


def fold_case(*parts: object) -> str:
    """Fold what a search compares: case and compatibility forms go, É and é are one.

    Line feeds keep the parts apart, as no search text that a person types holds one. FTS5 would
    ignore what follows a NUL.
    """
    text = unicodedata.normalize("NFKC", "\n".join(map(str, parts))).casefold()
    return text.translate(_UNSEARCHABLE)


def words(text: str) -> list[str]:
    """Return the words of a text, folded: what is neither letter nor digit parts them."""
    return _WORD.findall(fold_case(text))


def may_be_code(word: str) -> bool:
    """Tell whether a word may be a postal code or a house number, which few have."""
    return any(character.isdigit() for character in word)


def indexed(text: str) -> str:
    """Return what the index of a row holds, of lines of folded text."""
    parts = {text[start : start + size] for size in (1, 2) for start in range(len(text))}
    return text + "".join(sorted(part.rjust(_GROUP, _PADDING) for part in parts))


def holding_word(word: str) -> str:
    """Return the FTS5 query for the rows whose index has all groups of a word between blanks.

    Unlike LIKE with a parameter, MATCH does not make SQLite prepare the statement anew each time.
    """
    spaced = f" {word} "
    groups = (spaced[start : start + _GROUP] for start in range(len(word)))
    return " AND ".join(f'"{group}"' for group in groups)


def like(search: str) -> str:
    """Return the pattern by which an index finds the rows that may contain a folded text.

    Of an address its longest code is enough, which few rows have; the rest is in many.
    """
    found = _PLAIN_WORD.findall(search)
    codes = [word for word in found if len(word) >= _GROUP and may_be_code(word)]
    part = max(codes or _WILDCARDS.split(search), key=len)
    return f"%{part and part.rjust(_GROUP, _PADDING)}%"
