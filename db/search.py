"""Searching: text is folded once when it is written, so that a search compares bytes.

Longer texts are found through an index of all groups of three characters (`properties_index`, …),
and compared all the same; that of a word's beginning begins with two blanks.
"""

import re
import unicodedata
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from db.database import Reader

T = TypeVar("T")

_WORD = re.compile(r"\w+")
_WHOLE_WORD = re.compile(r"(?<=\W)\w+(?=\W)")
_GROUP = 3
_MOST_GROUPS = 64
_LAST = "\U0010ffff"

FIRST = 1_000
"""Rows that are looked through before an index is asked: what many hold, some of these do."""


def fold_case(*parts: object) -> str:
    """Fold what a search looks through: case and compatibility forms go, É and é are one.

    Line feeds keep the parts apart, as no search text that a person types holds one. What follows
    a NUL would not be indexed.
    """
    text = unicodedata.normalize("NFKC", "\n".join(map(str, parts))).casefold()
    return text.replace("\0", "\ufffd")


def is_indexed(search: str) -> bool:
    """Tell whether the index finds this folded text: it holds groups of three characters."""
    return len(search) >= _GROUP


def holding(search: str) -> str:
    """Return the question to an index for rows that hold a folded text; see `is_indexed`."""
    return f"text : {_quoted(search)}"


async def question(sql: Reader, index: str, search: str) -> str | None:
    """Return the question to an index for rows that may hold a folded text, None if it is no help.

    A text that is shorter than a group is in those rows that have a group that begins with it.
    """
    if is_indexed(search):
        return holding(search)
    groups = await sql.all(
        str,
        f"SELECT term FROM {index}_groups WHERE term BETWEEN ? AND ? LIMIT ?",
        search,
        search + _GROUP * _LAST,
        _MOST_GROUPS + 1,
    )
    if len(groups) > _MOST_GROUPS:
        return None
    return f"text : ({' OR '.join(map(_quoted, groups)) or _quoted('')})"


def beginning(named: Iterable[str]) -> str:
    """Return the question to an index for names that hold these words, the last one's beginning."""
    return f"words : {_quoted('  ' + '  '.join(named))}"


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def span(prefix: str) -> tuple[str, str]:
    """Return between which texts those stand that begin with this one."""
    return prefix, prefix + _LAST


def words(text: str) -> list[str]:
    """Return the words of a text, folded: what is neither letter nor digit parts them."""
    return _WORD.findall(fold_case(text))


def whole_words(search: str) -> list[str]:
    """Return those words of a folded text that are words of whatever holds it."""
    return _WHOLE_WORD.findall(search)


def may_be_code(word: str) -> bool:
    """Tell whether a word may be a postal code or a house number, which few have."""
    return any(character.isdigit() for character in word)


async def best_first(
    limit: int, key: Callable[[T], object], *stages: Callable[[int], Awaitable[list[T]]]
) -> list[T]:
    """Ask stage after stage, the best first, until enough different rows are found.

    Each stage is asked for `limit` rows, as it may find those of the stages before it again.
    """
    found: dict[object, T] = {}
    for stage in stages:
        for row in await stage(limit):
            found.setdefault(key(row), row)
        if len(found) >= limit:
            break
    return list(found.values())[:limit]
