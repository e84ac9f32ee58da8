"""The log: text for people, JSON for machines; one record cannot pass for two."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Literal

_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
CONTINUED = "\n    | "
"""Begins every further line of a record, so that no text in it can look like a record."""


class TextFormatter(logging.Formatter):
    """`2026-11-22 09:30:00 INFO webhook.push: …`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Write a record; control characters are shown, not sent to the terminal."""
        text = _CONTROLS.sub(lambda control: repr(control.group())[1:-1], super().format(record))
        return text.replace("\n", CONTINUED)


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
        return json.dumps(entry)


class _Redacted(logging.Formatter):
    """Takes secrets out of what another formatter has written: the last line of defence."""

    def __init__(self, formatter: logging.Formatter, secrets: list[str]) -> None:
        super().__init__()
        self._formatter = formatter
        # JSON writes some characters otherwise; of two that begin alike the longer one is meant.
        written = {form for secret in secrets for form in (secret, json.dumps(secret)[1:-1])}
        found = "|".join(map(re.escape, sorted(filter(None, written), key=len, reverse=True)))
        self._secrets = re.compile(found, re.IGNORECASE) if found else None

    def format(self, record: logging.LogRecord) -> str:
        text = self._formatter.format(record)
        return self._secrets.sub("[secret]", text) if self._secrets else text


def start_logging(style: Literal["text", "json"], level: str, secrets: list[str]) -> None:
    """Send the log to standard error, without any of the secrets."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = JsonFormatter() if style == "json" else TextFormatter()
    handler.setFormatter(_Redacted(formatter, secrets))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # aiohttp's access log has the query string, which may hold a token.
    logging.getLogger("aiohttp.access").disabled = True
    logging.getLogger("aiosqlite").setLevel(logging.INFO)
    # At every start it warns of missing voice support, which this bot does not need.
    logging.getLogger("discord.client").addFilter(lambda record: "voice" not in record.msg)
