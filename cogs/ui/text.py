"""Text for Discord: what players wrote is shown as text and never becomes markup."""

import re
from collections.abc import Iterable
from contextvars import ContextVar
from datetime import date
from typing import Any

import orjson

from cogs.i18n.language import N_, _, plural
from webhook.protocol.clean_text import clean_text, trim_end
from webhook.protocol.redacted_texts import RedactedTexts

ANONYMOUS = N_("Anonymous")
BLANK = "—"

SHOWN_AGE = 30_000
"""Milliseconds of delay from which on a message says how late something was received."""

_LIVE = re.compile(
    r"([\\*_~`|<@\[\]]|:(?=//|[^\s:]+:)|(?:(?<=mailto)|(?<=tel)|(?<=sms)):|\.(?=[a-z]+/))"
    r"|(^[^\S\n]*(?:[0-9]+(?=\.))?)([-+#>]|(?<=[0-9])\.)",
    re.MULTILINE | re.IGNORECASE,
)
"""What Discord interprets: emphasis, code, spoilers, mentions, emoji, timestamps, masked links,
addresses, invites; and at the beginning of a line headings, quotes and lists."""

_BLANKS_AND_JOINERS = " \n\t\u200c\u200d"

_NOTHING = RedactedTexts()
_REDACTED: ContextVar[RedactedTexts] = ContextVar("redacted texts", default=_NOTHING)

_SPACE = re.compile(r"\s+")


def length(text: str) -> int:
    """Count a text as Discord does, in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def set_redacted_texts(texts: RedactedTexts) -> None:
    """Set what moderators redacted, here and in tasks started from here."""
    _REDACTED.set(texts)


def redacted_texts() -> RedactedTexts:
    """Return what moderators redacted."""
    return _REDACTED.get()


def redacted(text: str, *, single_words: bool = False) -> str:
    """Return a text without what moderators redacted in it."""
    return _REDACTED.get().replace(text, _("(redacted)"), single_words=single_words)


def inert(text: str, limit: int, *, blank: str = BLANK) -> str:
    """Escape a text from the game so that it shows as it was written, within a limit.

    Markdown, mentions, custom emoji, links and timestamps stay text; invisible characters are
    removed, line feeds kept. A text with nothing visible becomes `blank`. What moderators redacted
    is not shown.
    """
    visible = clean_text(redacted(text), limit * 2)  # beyond the limit, so that a cut is noticed
    if not visible:
        return blank
    marked = _LIVE.sub(_marked, visible)
    if length(marked) < limit:
        return marked.replace("\x00", "\\")
    # An escape and its character stay together.
    cut = marked[: _end_of_units(marked, limit - 1)].rstrip("\x00")
    return trim_end(cut.replace("\x00", "\\")) + "…"


def _marked(found: re.Match[str]) -> str:
    """Put a NUL, which no clean text has, before the character to escape."""
    return f"{found[2] or ''}\x00{found[1] or found[3]}"


def inert_line(text: str, limit: int, *, blank: str = BLANK) -> str:
    """Like `inert`, in one line."""
    return inert(_SPACE.sub(" ", clean_text(redacted(text), limit * 2)), limit, blank=blank)


def plain_line(text: str, limit: int) -> str:
    """Clean a text that is shown without markdown: a footer, a choice, a log line."""
    return one_line(redacted(text), limit)


def one_line(text: str, limit: int) -> str:
    """Clean a text that nobody reads, such as the value of a choice."""
    line = _SPACE.sub(" ", clean_text(text, limit))
    while length(line) > limit:
        line = line[:-1]
    return trim_end(line)


def named_values(values: dict[str, Any], limit: int, most: int = 8) -> str:
    """List values as "name: value", a line each; of objects in objects the inner ones."""
    lines: list[str] = []
    waiting = list(values.items())
    while waiting and len(lines) < most:
        name, value = waiting.pop(0)
        if isinstance(value, dict):
            waiting = [*value.items(), *waiting]
        elif value not in (None, "", []):
            text = value if isinstance(value, str) else orjson.dumps(value).decode()
            lines.append(f"{inert_line(name, 40)}\\: {inert_line(text, 100)}")
    return fitting(lines, "\n", limit)


def who(caller: str) -> str:
    """Name a caller: a member of this Discord by a mention, which never pings."""
    kind, _, user_id = caller.partition(":")
    if kind == "discord" and user_id.isascii() and user_id.isdigit():
        return f"<@{user_id}>"
    return inert_line(caller, 100)


def timestamp(milliseconds: int) -> str:
    """Format a time; Discord shows it in each reader's time zone."""
    return f"<t:{milliseconds // 1000}:T> (<t:{milliseconds // 1000}:R>)"


def when(happened: int, age: int) -> str:
    """Format when something happened, and how late it was received if that is worth saying."""
    shown = timestamp(happened)
    if age < SHOWN_AGE:
        return shown
    return _("{time} · {duration} late").format(time=shown, duration=duration(age))


def duration(milliseconds: int) -> str:
    """Format a duration: `42 s`, `4 min`, `2 h 5 min`."""
    seconds = max(0, milliseconds) // 1000
    if seconds < 60:
        return _("{seconds} s").format(seconds=seconds)
    hours, minutes = divmod(seconds // 60, 60)
    if not hours:
        return _("{minutes} min").format(minutes=minutes)
    return _("{hours} h {minutes} min").format(hours=hours, minutes=minutes)


def format_day(iso: str) -> str:
    """Format a day given as `2026-11-23` in the current language."""
    found = date.fromisoformat(iso)
    text = _("{year:04}-{month:02}-{day:02}")
    return text.format(year=found.year, month=found.month, day=found.day)


def either(texts: Iterable[str]) -> str:
    """Join alternatives with “or”."""
    return f" {_('or')} ".join(texts)


def pieces(text: str, limit: int) -> list[str]:
    """Cut an inert text into pieces that together say all of it, where words end if possible."""
    found = []
    while length(text) > limit:
        fits = _end_of_characters(text, limit)
        end = max(text.rfind(blank, fits // 2, fits) for blank in "\n ")
        end = fits if end < 0 else end
        found.append(text[:end].rstrip(_BLANKS_AND_JOINERS))
        # What began a word must not begin a line, where it may be a heading or a list.
        text = f"… {text[end:].lstrip(_BLANKS_AND_JOINERS)}"
    return [*found, text] if text else found


def _end_of_characters(text: str, limit: int) -> int:
    """Return where as many characters end as fit, none of them cut off from its escape."""
    end = _end_of_units(text, limit)
    escapes = end - len(text[:end].rstrip("\\"))
    return end - escapes % 2


def _end_of_units(text: str, limit: int) -> int:
    """Return where as much ends as Discord counts within a limit."""
    end = min(limit, len(text))
    while (excess := length(text[:end]) - limit) > 0:
        end -= (excess + 1) // 2
    return end


def count_more(number: int) -> str:
    """Say how many are left out of a list."""
    return plural("and {number} more", "and {number} more", number)


def newest_that_fit(texts: list[str], limit: int) -> list[str]:
    """Return as many of the last inert texts as fit in lines of their own."""
    first = len(texts)
    while first and (limit := limit - length(texts[first - 1]) - 1) >= 0:
        first -= 1
    return texts[first:]


def fitting(texts: list[str], between: str, limit: int, total: int = 0) -> str:
    """Join as many inert texts as fit; the rest, of `total` if given, are counted."""
    count = max(total, len(texts))
    shown: list[str] = []
    used = 0
    room = max(20, length(count_more(count)))
    for text in texts:
        used += length(text) + len(between)
        # Room for the count of those left out, unless nothing is.
        if used + (room if len(shown) + 1 < count else 0) > limit:
            break
        shown.append(text)
    if len(shown) < count:
        shown.append(count_more(count - len(shown)))
    return between.join(shown)
