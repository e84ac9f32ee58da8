"""Texts of players: whatever is made of them is short, visible, does nothing and reads the same."""

import logging
from collections.abc import Iterator

from bot.logs import CONTINUED, JsonFormatter, TextFormatter
from cogs.ui.text import fitting, inert, inert_line, plain_line
from tests.cogs.hostile_texts import SNIPPETS, invisible, units
from tests.cogs.markdown import look
from webhook.protocol.clean_text import clean_text


def seeds() -> Iterator[bytes]:
    """What does something in Discord, each alone and all together, within several limits."""
    for limit in (1, 20, 200):
        for snippet in SNIPPETS:
            yield bytes([limit]) + snippet.encode("utf-8", "surrogatepass")
        yield bytes([limit]) + "".join(SNIPPETS).encode("utf-8", "surrogatepass")


def run_one(data: bytes) -> None:
    """Show one text in every way."""
    limit = (data[:1] or b"\1")[0] or 1
    text = data[1:].decode("utf-8", "replace")
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert invisible(cleaned) == []
    for shown in (inert(text, limit), inert_line(text, limit)):
        read = look(shown)
        assert read.alive == [], (shown, read.alive)
        assert units(shown) <= limit
        assert shown.strip()
    assert look(inert(text, 10**6, blank="")).text == cleaned
    line = look(inert_line(text, 10**6, blank="")).text
    assert line == " ".join(cleaned.split())
    assert "\n" not in inert_line(text, limit)
    plain = plain_line(text, limit)
    assert units(plain) <= limit
    assert invisible(plain) == []
    assert "\n" not in plain
    parts = [inert_line(part, 40) for part in text.split(" ")[:30]]
    assert look(fitting(parts, ", ", 300)).alive == []
    _check_log(text)


def _check_log(text: str) -> None:
    record = logging.LogRecord("a", logging.INFO, "", 1, "%s", (text,), None)
    written = TextFormatter().format(record)
    assert all(line.startswith(CONTINUED.removeprefix("\n")) for line in written.split("\n")[1:])
    assert written.replace("\n", "").isprintable() or invisible(written) == []
    assert JsonFormatter().format(record).isprintable()
