"""The log: text for people, JSON for machines; one record cannot pass for two."""

import json
import logging
import re
import shlex
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote, quote_plus

_UNSEEN = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"
    r"\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufeff\ufff0-\ufffb"
    r"\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
"""Controls, what turns text around, and what nobody sees."""

CONTINUED = "\n    | "
"""Begins every further line of a record, so that no text in it can look like a record."""


class TextFormatter(logging.Formatter):
    """`2026-11-22 09:30:00 INFO webhook.http.push: …`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Write a record; control characters are shown, not sent to the terminal."""
        return _shown(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry).replace("\x7f", "\\u007f")


def _shown(text: str) -> str:
    shown = _UNSEEN.sub(lambda unseen: ascii(unseen.group())[1:-1], text)
    return shown.replace("\n", CONTINUED)


class _Redacted(logging.Formatter):
    """Takes secrets out of what another formatter has written: the last line of defence."""

    def __init__(self, formatter: logging.Formatter, secrets: list[str]) -> None:
        super().__init__()
        self._formatter = formatter
        # Of two that begin alike the longer one is meant.
        written = {form for secret in secrets for form in _written(secret)}
        found = "|".join(map(_pattern, sorted(filter(None, written), key=len, reverse=True)))
        self._secrets = re.compile(found, re.IGNORECASE) if found else None

    def format(self, record: logging.LogRecord) -> str:
        text = self._formatter.format(record)
        return self._secrets.sub("[secret]", text) if self._secrets else text


def _written(secret: str) -> Iterator[str]:
    """Yield a secret as JSON, addresses, Python and shells write it, and as this log shows that."""
    in_json = (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    in_addresses = (quote(secret), quote(secret, safe=""), quote_plus(secret))
    in_code = (repr(secret)[1:-1], ascii(secret)[1:-1], shlex.quote(secret).strip("'"))
    for form in (secret, *in_json, *in_addresses, *in_code):
        yield from (form, _shown(form), json.dumps(form)[1:-1])


def _pattern(form: str) -> str:
    """Find a form also where it is quoted once more, with any number of backslashes."""
    parts = re.findall(r"""\\*["']|\\+|[^\\"']+""", form)
    return "".join(
        rf"\\*{part[-1]}" if part[-1] in "\"'" else r"\\+" if part[0] == "\\" else re.escape(part)
        for part in parts
    )


def start_logging(style: Literal["text", "json"], level: str, secrets: list[str]) -> None:
    """Send the log to standard error, without any of the secrets."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = JsonFormatter() if style == "json" else TextFormatter()
    handler.setFormatter(_Redacted(formatter, secrets))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # aiohttp's access log has the query string, which may hold a token.
    logging.getLogger("aiohttp.access").disabled = True
    # These would write down what people wrote, and tokens of interactions.
    for name in ("aiosqlite", "discord"):
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLogger().level))
    # At every start it warns of missing voice support, which this bot does not need.
    logging.getLogger("discord.client").addFilter(lambda record: "voice" not in record.msg)
