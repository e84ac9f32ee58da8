"""A model of what Discord's clients make of a text: what a person reads, and what does something.

It follows the rules of their parser (escapes before all, blocks at the beginning of a line, then
the inline rules in their order) and knows nothing of how `cogs.ui.text` escapes. Where clients
differ it is the strictest: what is alive on one of them is alive here.
"""

import re
from typing import NamedTuple

from tests.cogs.hostile_texts import invisible


class Look(NamedTuple):
    """What a person reads, and what does something: its kind and its source."""

    text: str
    alive: list[tuple[str, str]]


_INSIDE = r"((?:\\[\s\S]|[^\\])+?)"

_BLOCK = re.compile(
    r"(?P<heading>[^\S\n]*#{1,3}[^\S\n])|(?P<subtext>[^\S\n]*-#[^\S\n])"
    r"|(?P<quote>[^\S\n]*>(?:>>)?[^\S\n])|(?P<list>[^\S\n]*(?:[-*+]|\d+\.)[^\S\n])"
)

_INLINE = re.compile(
    r"\\(?P<escaped>[^0-9A-Za-z\s])"
    r"|(?P<code>```[\s\S]*?```|(?P<ticks>`+)[\s\S]*?[^`](?P=ticks)(?!`))"
    r"|(?P<time><t:-?\d+(?::[A-Za-z])?>)"
    r"|(?P<user><@!?\d+>)"
    r"|(?P<mention><@&\d+>|<#\d+>|@everyone|@here|<id:\w+>|</[^>]+:\d+>)"
    r"|(?P<emoji><a?:\w+:\d+>|:[^\s:\\]+:)"
    r"|(?P<address><[^\s>]+:[^\s>]+>|<[^\s>]+@[^\s>]+>|<\+[\d ()-]+>|[A-Za-z]{2,}://[^\s<]"
    r"|\b(?:mailto|tel|sms):[^\s\\])"
    r"|\[(?P<label>(?:\\.|[^\]\\])*)\]\((?P<target>[^)]*)\)"
    rf"|\*\*(?P<strong>{_INSIDE})\*\*(?!\*)|__(?P<underline>{_INSIDE})__(?!_)"
    r"|~~(?P<strike>[\s\S]+?)~~|\|\|(?P<spoiler>[\s\S]+?)\|\|"
    rf"|\*(?=\S)(?P<star>{_INSIDE})\*|_(?P<em>{_INSIDE})_",
    re.IGNORECASE,
)

_INVITE = re.compile(
    r"\b(?:discord(?:app)?\.com/(?:invite|template|gifts|events)|discord\.(?:gg|gift|new))/\w",
    re.IGNORECASE,
)
"""Clients look for these in the source, without an address's scheme."""

OWN_LINK = "https://discord.com/channels/"


def look(source: str) -> Look:
    """Read a text as Discord shows it."""
    alive = [("invite", found.group()) for found in _INVITE.finditer(source)]
    shown = "\n".join(_line_by_line(source, alive))
    alive += [("unseen", character) for character in invisible(shown)]
    return Look(shown, alive)


def _line_by_line(source: str, alive: list[tuple[str, str]]) -> list[str]:
    # What spans lines (fences, spoilers) is found first; blocks are looked for in every line.
    for line in source.split("\n"):
        block = _BLOCK.match(line)
        if block is not None:
            alive.append((str(block.lastgroup), block.group()))
    return _inline(source, alive).split("\n")


def _inline(source: str, alive: list[tuple[str, str]]) -> str:
    shown: list[str] = []
    at = 0
    while at < len(source):
        found = _INLINE.match(source, at)
        if found is None:
            shown.append(source[at])
            at += 1
            continue
        shown.append(_node(found, alive))
        at = found.end()
    return "".join(shown)


def _node(found: re.Match[str], alive: list[tuple[str, str]]) -> str:
    """Note what is alive and return what a person reads of it."""
    parts = {name: text for name, text in found.groupdict().items() if text is not None}
    if "escaped" in parts:
        return parts["escaped"]
    if "label" in parts:
        alive.append(("link", parts["target"]))
        return _inline(parts["label"], alive)
    for kind in ("strong", "underline", "strike", "spoiler", "star", "em"):
        if kind in parts:
            alive.append((kind, found.group()))
            return _inline(parts[kind], alive)
    kind = next(iter(parts))
    alive.append((kind, found.group()))
    return found.group()


def foreign(source: str) -> list[tuple[str, str]]:
    """Return what is alive in a text of ours beside our own markup.

    That is bold print, times, members by their mention and links to our own messages.
    """
    return [
        (kind, text)
        for kind, text in look(source).alive
        if kind not in ("strong", "time", "user")
        and not (kind == "link" and text.startswith(OWN_LINK))
    ]
