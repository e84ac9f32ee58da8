"""The log: text for people, JSON for machines; one record cannot pass for two."""

import json
import logging
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from urllib.parse import quote, quote_plus

from bot.settings import LogSettings

_UNSEEN = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"
    r"\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufeff\ufff0-\ufffb"
    r"\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
"""Controls, what turns text around, and what nobody sees."""

CONTINUED = "\n    | "
"""Begins every further line of a record, so that no text in it can look like a record."""


Redact = Callable[[str], str]
"""Takes secrets out of a text."""


class TextFormatter(logging.Formatter):
    """`2026-11-22 09:30:00 INFO webhook.http.push: …`."""

    def __init__(self, redact: Redact = str) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Write a record; control characters are shown, not sent to the terminal."""
        text = self._redact(super().format(record))
        shown = _UNSEEN.sub(lambda unseen: ascii(unseen.group())[1:-1], text)
        return shown.replace("\n", CONTINUED)


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def __init__(self, redact: Redact = str) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self._redact(record.getMessage()),
        }
        if record.exc_info:
            entry["traceback"] = self._redact(self.formatException(record.exc_info))
        return json.dumps(entry).replace("\x7f", "\\u007f")


def redactor(secrets: Iterable[str]) -> Redact:
    """Return what replaces secrets by `[secret]`, in any case: the last line of defence.

    They are found as they are, and as JSON, JSON in JSON, URLs, Python and shells write them.
    """
    plain = {spelling for secret in filter(None, secrets) for spelling in _spellings(secret)}
    spellings = plain | {json.dumps(spelling)[1:-1] for spelling in plain}
    if not spellings:
        return str
    # Of two that begin alike the longer one is meant.
    longest_first = sorted(spellings, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)
    return lambda text: pattern.sub("[secret]", text)


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield from (quote(secret), quote(secret, safe=""), quote_plus(secret))
    yield from (repr(secret)[1:-1], ascii(secret)[1:-1])
    yield shlex.quote(secret).strip("'") or secret


def start_logging(settings: LogSettings, secrets: list[str]) -> None:
    """Send the log to standard error, and to a file if one is set, without any of the secrets.

    Raises:
        OSError: the file cannot be written.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if settings.file is not None:
        handlers.append(_rotating(settings.file, settings.megabytes, settings.files))
    redact = redactor(secrets)
    is_json = settings.format == "json"
    for handler in handlers:
        handler.setFormatter(JsonFormatter(redact) if is_json else TextFormatter(redact))
    logging.basicConfig(level=settings.level.upper(), handlers=handlers, force=True)
    # aiohttp's access log has the query string, which may hold a token.
    logging.getLogger("aiohttp.access").disabled = True
    # These would write down what people wrote, and tokens of interactions.
    for name in ("aiosqlite", "discord"):
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLogger().level))
    for name in ("webhook.http.push", "webhook.protocol.messages"):
        without_storage = OnceAMinute("a push could not be stored", "storage is unavailable")
        logging.getLogger(name).addFilter(without_storage)
    # At every start it warns of missing voice support, which this bot does not need.
    logging.getLogger("discord.client").addFilter(lambda record: "voice" not in record.msg)


class OnceAMinute(logging.Filter):
    """Lets a message through once a minute, however often it is logged: a full disk fills itself.

    `beginnings`: how these messages begin.
    """

    def __init__(self, *beginnings: str) -> None:
        super().__init__()
        self._beginnings = beginnings
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is logged."""
        text = str(record.msg)
        if not text.startswith(self._beginnings):
            return True
        is_due = record.created - self._last.get(text, 0.0) >= 60.0
        if is_due:
            self._last[text] = record.created
        return is_due


def _rotating(file: Path, megabytes: int, files: int) -> logging.Handler:
    """Write to a file, and keep this many earlier ones."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return RotatingFileHandler(
        file, maxBytes=megabytes * 1_000_000, backupCount=files, encoding="utf-8"
    )
