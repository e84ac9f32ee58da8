"""One record cannot pass for two, and no secret stands in the log."""

import io
import json
import logging
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.logs import CONTINUED, JsonFormatter, OnceAMinute, TextFormatter, start_logging
from bot.settings import LogSettings
from tests.cogs.hostile_texts import invisible

SECRET = "SCAD-KISS-of-the-tests"


def record(message: str) -> logging.LogRecord:
    """A record as a logger would make it."""
    return logging.LogRecord("webhook.http.push", logging.INFO, __file__, 1, message, None, None)


@given(st.text())
def test_further_lines_are_marked_and_control_characters_escaped(text: str) -> None:
    written = TextFormatter().format(record(text))
    first, *others = written.split("\n")
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO webhook\.http\.push: ", first)
    assert all(line.startswith(CONTINUED.removeprefix("\n")) for line in others)
    assert invisible(written) == []


@given(st.text())
def test_json_record_is_one_line_with_the_whole_message(text: str) -> None:
    written = JsonFormatter().format(record(text))
    assert len(written.splitlines()) == 1
    assert written.isascii()
    assert written.isprintable()
    assert json.loads(written)["message"] == text


@pytest.mark.usefixtures("restored_logging")
@pytest.mark.parametrize("style", ["text", "json"])
def test_secrets_are_redacted_in_any_case_and_in_tracebacks(
    capsys: pytest.CaptureFixture[str], style: str
) -> None:
    start_logging(LogSettings(format="json" if style == "json" else "text"), [SECRET, ""])
    logging.getLogger("bot").info("key %s, and %s", SECRET, SECRET.lower())
    try:
        raise ValueError(f"no such key: {SECRET}")
    except ValueError:
        logging.getLogger("bot").exception("failed")
    written = capsys.readouterr().err
    assert SECRET.lower() not in written.lower()
    assert written.count("[secret]") == 3


@pytest.mark.usefixtures("restored_logging")
@pytest.mark.parametrize("style", ["text", "json"])
def test_longest_secret_is_redacted_as_a_whole(
    capsys: pytest.CaptureFixture[str], style: str
) -> None:
    quoted, short, long = 'schl\u00fcssel-"1"-', "key-12345", "key-12345-67890"
    start_logging(LogSettings(format="json" if style == "json" else "text"), [quoted, short, long])
    logging.getLogger("bot").info("%s %s %s", quoted, long, short)
    assert "[secret] [secret] [secret]" in capsys.readouterr().err


_WRITTEN: list[Callable[[str], str]] = [
    str,
    repr,
    ascii,
    quote,
    quote_plus,
    lambda secret: quote(secret, safe=""),
    json.dumps,
    lambda secret: json.dumps(secret, ensure_ascii=False),
    lambda secret: json.dumps({"body": json.dumps({"key": secret})}),
    shlex.quote,
]


@pytest.mark.usefixtures("restored_logging")
@pytest.mark.parametrize("style", ["text", "json"])
@given(secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=8), drawn=st.data())
def test_secret_is_redacted_in_every_spelling(
    style: str, secret: str, drawn: st.DataObject
) -> None:
    secret = secret.strip() or "hunter22"
    form = drawn.draw(st.sampled_from(_WRITTEN))(secret)
    stream = io.StringIO()
    start_logging(LogSettings(format="json" if style == "json" else "text"), [secret])
    logging.getLogger().handlers[0].setStream(stream)  # type: ignore[attr-defined]
    logging.getLogger("bot").info("<<%s>>", form)
    assert "[secret]" in stream.getvalue()


@pytest.mark.usefixtures("restored_logging")
def test_libraries_do_not_log_what_people_wrote(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for level, is_logged in (("debug", True), ("error", False)):
        start_logging(LogSettings(level=level), [])
        for name in ("aiosqlite", "discord.gateway", "discord.http"):
            logging.getLogger(name).debug("the token of an interaction")
            logging.getLogger(name).info("connected")
        written = capsys.readouterr().err
        assert "interaction" not in written
        assert ("connected" in written) is is_logged


@pytest.mark.usefixtures("restored_logging")
def test_access_log_is_off(
    capsys: pytest.CaptureFixture[str],
) -> None:
    start_logging(LogSettings(level="debug"), [])
    logging.getLogger("aiohttp.access").info("GET /ws?token=abc")
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("restored_logging")
def test_a_log_file_rotates_and_loses_no_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "logs" / "sentinel.log"
    start_logging(LogSettings(file=file, megabytes=1, files=3), [SECRET])
    long = "x" * 100_000
    for number in range(25):
        logging.getLogger("bot").info("line %s %s %s", number, SECRET, long)
    kept = [file.with_name(f"{file.name}.{number}") for number in (2, 1)] + [file]
    assert sorted(file.parent.iterdir()) == sorted(kept)
    written = "".join(path.read_text("utf-8") for path in kept)
    assert re.findall(r"line (\d+)", written) == [str(number) for number in range(25)]
    assert SECRET not in written
    assert written == capsys.readouterr().err


def test_repeated_errors_of_a_full_disk_are_logged_once_a_minute() -> None:
    once = OnceAMinute("a push could not be stored")
    told = logging.makeLogRecord({"msg": "a push could not be stored: %s", "created": 1_000.0})
    assert [once.filter(told) for _ in range(3)] == [True, False, False]
    assert once.filter(logging.makeLogRecord({"msg": "something else"}))
    told.created = 1_060.0
    assert once.filter(told)
