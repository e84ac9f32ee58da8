"""Texts that want something of Discord, and the check that they get nothing: they are only shown.

Every payload has its own marker. Wherever a marker is seen, the whole payload must be seen around
it, up to where a text is cut; what a person reads is told by `tests.cogs.markdown`.
"""

import re
from collections.abc import Iterator
from itertools import cycle

from tests.cogs.hostile_texts import invisible
from tests.cogs.markdown import foreign, look
from webhook.protocol.clean_text import clean_text

_FORMS = [
    "**{}**", "__{}__", "*{}*", "_{}_", "~~{}~~", "||{}||", "`{}`", "```{}\n```", "\\{}\\",
    "{}\n# h1", "{}\n-# sub", "{}\n> quote", "{}\n>>> all", "{}\n- item", "{}\n+ item",
    "{}\n1. one", "# {}", "-# {}", "> {}", "1. {}", "+ {}", "\\\n# {}",
    "[{}](https://b.example)", "[a]({})", "<https://{}.example>", "https://{}.example/?q=1",
    "steam://{}", "discord.gg/{}", "DISCORD.com/invite/{}", "mailto:{}@b.example", "tel:+1{}",
    "<{}@b.example>", "<+1 555 0100> {}", "@everyone {}", "@here {}", "<@1{}>", "<@&12> {}",
    "<#12> {}", "<:a:12> {}", "<a:b:12> {}", ":{}:", ":wave: {}", ":{}", "{}:",
    "</drone list:12> {}",
    "<t:1795339800:R> {}", "<id:browse> {}", "| {} | b |\n|---|---|", "{}\n```\nopen", "||{}",
    "\u202e{}\u2066", "\u200b{}\u200d\ufeff", "{}\U000e0041\U000e007f", "\u034f{}\u3164",
    "{}e" + "\u0301" * 9, "\u0301{}", "{}\ufe0f\ufe0f\ufe0f", "\x1b[31m{}\x1b[0m", "{}\x00\x07\x9b",
    "\U0001f468\u200d\U0001f469 {}", "\ufdfd{}\ufdfd", "\U0001f6a8" * 12 + "{}", "\r\n{}\r",
]  # fmt: skip

PAYLOADS = {f"zq{number:02}x": form.format(f"zq{number:02}x") for number, form in enumerate(_FORMS)}
"""The payloads by their marker."""

SHORTEST_FIELD = 60
"""Characters that every query takes for any text."""

_MARKER = re.compile("|".join(PAYLOADS), re.IGNORECASE)


def words(start: int) -> Iterator[str]:
    """Yield texts of a few payloads each without an end; none is longer than the shortest field."""
    every = list(PAYLOADS.values())
    text = ""
    for payload in cycle(every[start:] + every[:start]):
        if text and len(text) + len(payload) >= SHORTEST_FIELD:
            yield text
            text = ""
        text = f"{text}\n{payload}" if text else payload


def check_inert(source: str, *, cut_in_front: bool = False) -> None:
    """Check a text with markdown: nothing foreign is alive, and every payload is seen whole."""
    assert foreign(source) == [], source
    check_whole(look(source).text, cut_in_front=cut_in_front)


def check_plain(text: str) -> None:
    """Check a text for a place without markdown: one line, nothing unseen, payloads whole."""
    assert invisible(text) == [], text
    assert "\n" not in text
    check_whole(text)


def check_whole(text: str, *, cut_in_front: bool = False) -> None:
    """Check that wherever a marker is seen its payload is."""
    shown = " ".join(text.split())
    for found in _MARKER.finditer(shown):
        wanted = " ".join(clean_text(PAYLOADS[found.group()]).split())
        before, _, behind = wanted.partition(found.group())
        if not cut_in_front:
            assert shown[: found.start()].endswith(before), (wanted, shown)
        rest = shown[found.end() :]
        cut = rest.partition("…")[0] if "…" in rest else rest
        assert rest.startswith(behind) or behind.startswith(cut.rstrip()), (wanted, shown)
