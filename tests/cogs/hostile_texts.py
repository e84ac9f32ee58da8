"""Texts as the worst player would write them, and a small reader of what Discord makes of a text.

The reader knows nothing of how `cogs.ui.text` escapes: it goes through a text as Discord does and
names what comes alive in it.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

SNIPPETS = [
    "@everyone",
    "@here",
    "<@123456789012345678>",
    "<@&123456789012345678>",
    "<#123456789012345678>",
    "<:smile:123456789012345678>",
    "</drone list:123456789012345678>",
    "<t:1795339800:R>",
    "https://b.example/?q=1",
    "<https://b.example>",
    "[a](https://b.example)",
    "**x**",
    "__x__",
    "~~x~~",
    "||x||",
    "`x`",
    "```\nx```",
    "# x",
    "-# x",
    "> x",
    ">>> x",
    "- x",
    "* x",
    "12. x",
    "\\",
    "\n",
    "\r\n",
    "\n\n  ",
    "\u00a0",
    "\u202e",
    "\u200b",
    "\u2066",
    "\u3164",
    "\x00",
    "\x1b[31m",
    "\ufdfd",
    "\U0001f468\u200d\U0001f469",
    "\U0001f1e9\U0001f1ea",
    "e\u0301",
    "\ud800",
]

texts = st.one_of(
    st.text(st.characters(exclude_categories=())),
    st.lists(st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=3)), max_size=30).map("".join),
)
"""Any text, with the ones more often that do something in Discord."""

wire_texts = texts.map(lambda text: text.encode(errors="replace").decode())
"""The same, as far as JSON can carry it."""

_ALIVE = re.compile(
    r"(?P<emphasis>[*_~`|])|(?P<mention>[<@])|(?P<link>[\[\]]|://)"
    r"|(?P<block>(?:(?<=\n)|^)[^\S\n]*(?:[#>-]|\d+\.))"
)
_GONE = "\ue000"
"""Stands for an escaped character, which does nothing."""


def alive(text: str) -> list[str]:
    """Return what comes alive in a text, by what it is; empty for one that is only shown."""
    shown = re.sub(r"\\([!-/:-@\[-`{-~])", _GONE, text)
    found = [kind for match in _ALIVE.finditer(shown) if (kind := match.lastgroup)]
    if "\\" in shown.removesuffix("\\"):
        return found  # before a letter it is only shown
    return [*found, "half an escape"] if shown.endswith("\\") else found


def invisible(text: str) -> list[str]:
    """Return what nobody sees in a text, or what turns it around; not what joins two letters."""
    text = re.sub("(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])", "", text)
    unseen = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    return [c for c in text if c not in "\n\t" and unicodedata.category(c) in unseen]


def unescaped(text: str) -> str:
    """Return what a person reads."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)


def units(text: str) -> int:
    """Count UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Return every text in JSON with the names that lead to it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    elif isinstance(value, str):
        yield path, value
