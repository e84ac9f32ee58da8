"""One record cannot pass for two, and no secret stands in the log."""

import json
import logging
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.logs import CONTINUED, JsonFormatter, TextFormatter, start_logging

SECRET = "SCAD-KISS-of-the-tests"


def record(message: str) -> logging.LogRecord:
    """A record as a logger would make it."""
    return logging.LogRecord("webhook.push", logging.INFO, __file__, 1, message, None, None)


@pytest.fixture
def _root_logger_kept() -> Iterator[None]:
    root, sqlite = logging.getLogger(), logging.getLogger("aiosqlite")
    client = logging.getLogger("discord.client")
    handlers, level, sqlite_level = root.handlers[:], root.level, sqlite.level
    filters = client.filters[:]
    yield
    root.handlers[:], client.filters[:] = handlers, filters
    root.setLevel(level)
    sqlite.setLevel(sqlite_level)
    logging.getLogger("aiohttp.access").disabled = False


@given(st.text())
def test_every_line_but_the_first_is_marked_and_no_control_character_is_left(text: str) -> None:
    written = TextFormatter().format(record(text))
    first, *others = written.split("\n")
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO webhook\.push: ", first)
    assert all(line.startswith(CONTINUED.removeprefix("\n")) for line in others)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e]", written)


@given(st.text())
def test_a_json_record_is_one_line_and_gives_the_message_back(text: str) -> None:
    written = JsonFormatter().format(record(text))
    assert len(written.splitlines()) == 1
    assert json.loads(written)["message"] == text


@pytest.mark.usefixtures("_root_logger_kept")
@pytest.mark.parametrize("style", ["text", "json"])
def test_secrets_are_redacted_in_any_case_and_in_tracebacks(
    capsys: pytest.CaptureFixture[str], style: str
) -> None:
    start_logging("json" if style == "json" else "text", "info", [SECRET, ""])
    logging.getLogger("bot").info("key %s, and %s", SECRET, SECRET.lower())
    try:
        raise ValueError(f"no such key: {SECRET}")
    except ValueError:
        logging.getLogger("bot").exception("failed")
    written = capsys.readouterr().err
    assert SECRET.lower() not in written.lower()
    assert written.count("[secret]") == 3


@pytest.mark.usefixtures("_root_logger_kept")
@pytest.mark.parametrize("style", ["text", "json"])
def test_secrets_are_redacted_however_they_are_written_and_as_a_whole(
    capsys: pytest.CaptureFixture[str], style: str
) -> None:
    quoted, short, long = 'schl\u00fcssel-"1"-', "key-12345", "key-12345-67890"
    start_logging("json" if style == "json" else "text", "info", [quoted, short, long])
    logging.getLogger("bot").info("%s %s %s", quoted, long, short)
    assert "[secret] [secret] [secret]" in capsys.readouterr().err


@pytest.mark.usefixtures("_root_logger_kept")
def test_the_access_log_is_off_as_it_has_the_query_string(
    capsys: pytest.CaptureFixture[str],
) -> None:
    start_logging("text", "debug", [])
    logging.getLogger("aiohttp.access").info("GET /ws?token=abc")
    assert capsys.readouterr().err == ""
