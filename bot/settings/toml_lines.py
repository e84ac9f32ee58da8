"""Where a value stands in a TOML file, which the parser does not tell."""

import re

_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\-\s\"']+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"\s*([\w.\-\s\"']+?)\s*=")


def line_of(text: str, where: tuple[int | str, ...]) -> int:
    """Return the line, from 1, of the deepest part of a value's location that has one; else 0.

    `where`: keys, and for a list the number of the item: `("discord", "rules", 1, "channel")`.
    """
    lines = _lines(text)
    for length in range(len(where), 0, -1):
        if found := lines.get(where[:length]):
            return found
    return 0


def _lines(text: str) -> dict[tuple[int | str, ...], int]:
    """Return the first line of every key and section. Texts of several lines may add some."""
    found: dict[tuple[int | str, ...], int] = {}
    counts: dict[tuple[int | str, ...], int] = {}
    section: tuple[int | str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.fullmatch(line):
            section = _parts(header[2])
            if header[1] == "[[":
                index = counts[section] = counts.get(section, -1) + 1
                found.setdefault(section, number)
                section = (*section, index)
            elif section[:-1] in counts:  # a section within the last item of a list
                section = (*section[:-1], counts[section[:-1]], section[-1])
            found.setdefault(section, number)
        elif key := _KEY.match(line):
            found.setdefault((*section, *_parts(key[1])), number)
    return found


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
