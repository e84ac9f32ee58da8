"""Searching: texts are folded when they are written, and found through an index of trigrams.

An FTS5 table finds a text in a row by its groups of three characters. So that shorter texts are
found too, what is indexed ends in all its parts of one and two characters, padded to three. As the
index holds more than a row shows, every statement compares the row's own text as well. They use
MATCH, because LIKE with a parameter makes SQLite prepare the statement anew each time.
"""

import re
import unicodedata
from contextvars import ContextVar

_WORD = re.compile(r"\w+")
_GROUP = 3
_PADDING = "\x01"
_UNSEARCHABLE = str.maketrans({"\0": "\ufffd", _PADDING: "\ufffd"})


FOLDING = 2
"""Which way of folding this is; rows that were folded otherwise are folded anew at the start."""

DOTLESS = frozenset({"tr", "az"})
"""Languages whose i has a dot in capitals too, İ, beside an ı that has none."""

_LANGUAGE: ContextVar[str] = ContextVar("language of searches", default="")


def set_search_language(language: str) -> None:
    """Fold as a language writes capitals, here and in tasks started from here."""
    _LANGUAGE.set(language if language in DOTLESS else "")


def folding() -> str:
    """Return a name of how texts are folded now."""
    return f"{FOLDING} {_LANGUAGE.get()}".strip()


def fold_case(*parts: object) -> str:
    """Fold what a search compares: case and compatibility forms go, É and é are one.

    İ is an i. In Turkish, whose capital of ı looks like that of i elsewhere, ı is one too.

    Line feeds keep the parts apart, as no search text that a person types holds one. FTS5 would
    ignore what follows a NUL.
    """
    text = unicodedata.normalize("NFKC", "\n".join(map(str, parts))).casefold()
    text = text.replace("i\u0307", "i")
    if _LANGUAGE.get():
        text = text.replace("ı", "i")
    return text.translate(_UNSEARCHABLE)


def words(text: str) -> list[str]:
    """Return the words of a text, folded: what is neither letter nor digit parts them."""
    return _WORD.findall(fold_case(text))


def may_be_code(word: str) -> bool:
    """Return whether a word may be a postal code or a house number, which few rows have."""
    return any(character.isdigit() for character in word)


def indexed(text: str) -> str:
    """Return what the index of a row holds, of lines of folded text."""
    parts = {text[start : start + size] for size in (1, 2) for start in range(len(text))}
    return text + "".join(sorted(part.rjust(_GROUP, _PADDING) for part in parts))


def phrase(search: str) -> str:
    """Return the FTS5 query for the rows that may contain a folded text.

    Of an address its longest code is enough, which few rows have; the rest is in many.
    """
    codes = [word for word in _WORD.findall(search) if len(word) >= _GROUP and may_be_code(word)]
    part = max(codes, key=len, default=search)
    return '"' + part.rjust(_GROUP, _PADDING).replace('"', '""') + '"'
