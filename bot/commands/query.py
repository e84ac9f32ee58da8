"""`cad-sentinel query` and `cad-sentinel listen`: what an instance answers, for people to read."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from itertools import chain
from typing import Any, NoReturn

from bot.commands.client import InstanceClient, InstanceError, InstanceUnavailable
from webhook.protocol.clean_text import clean_text
from webhook.protocol.errors import BadJson
from webhook.protocol.json_reader import parse_json

Say = Callable[[str], None]
"""Takes one line, or several, for the person at the terminal."""

CELL = 60
"""Characters of a cell of a table."""

LINE = 2_000
"""Characters of any other value."""

POLL_SECONDS = 25
RETRY_SECONDS = 2.0

WINDOWS_HINT = (
    "Windows removes quotation marks; there, write"
    r' cad-sentinel query get-property "{\"propertyId\": 1}"'
)


def query(client: InstanceClient, name: str, text: str | None, *, as_json: bool, say: Say) -> int:
    """Send one query and print its answer; return the exit code.

    Raises:
        InstanceError: there was no answer.
    """
    try:
        data = _read_data(text)
    except ValueError as fault:
        say(str(fault))
        return 1
    frame = client.query(name, data)
    is_error = frame["type"] == "error"
    if as_json:
        say(_escaped(frame))
        return 1 if is_error else 0
    for line in _error_lines(frame["data"]) if is_error else _answer_lines(frame["data"]):
        say(line)
    if is_error and frame["data"].get("code") == "unknown-type":
        from webhook.queries import CATALOGUE  # takes long to import

        say(f"Without a name, all queries are listed{_did_you_mean(name, CATALOGUE.names)}")
    return 1 if is_error else 0


def listen(
    client: InstanceClient,
    names: list[str],
    *,
    as_json: bool,
    say: Say,
    retry_after: float = RETRY_SECONDS,
) -> NoReturn:
    """Print events as they come, over restarts of the bot, until this is interrupted.

    With `as_json`, remarks are frames too, of the type `status`.

    Raises:
        InstanceError: the first request failed, or a later one was rejected.
    """
    from webhook.protocol.events import ALL, EVENTS

    def remark(message: str) -> None:
        say(_escaped({"type": "status", "data": {"message": message}}) if as_json else message)

    wanted = names or [ALL]
    try:
        last = client.events(None, wanted, 0).last
    except InstanceUnavailable:
        raise
    except InstanceError as fault:
        known = {ALL, *EVENTS}
        unknown = [name for name in wanted if name not in known]
        raise InstanceError(
            f"{fault}{_did_you_mean(unknown[0], known) if unknown else ''}"
        ) from None
    remark(f"Listening to {_one_line(', '.join(wanted))} of {client.url}; stop with Ctrl-C.")
    is_connected = True
    while True:
        try:
            batch = client.events(last, wanted, POLL_SECONDS if is_connected else 0)
        except InstanceUnavailable as fault:
            if is_connected:
                remark(f"Connection lost: {fault} Trying again.")
            is_connected = False
            time.sleep(retry_after)
            continue
        if not is_connected:
            remark(f"{client.url} is back.")
        is_connected = True
        if batch.missed:
            remark("Some events were missed: they are no longer in the journal.")
        for event in batch.events:
            say(_escaped(event) if as_json else _event_line(event))
        last = batch.last


def _read_data(text: str | None) -> dict[str, Any]:
    if text is None or not text.strip():
        return {}
    try:
        data = parse_json(text)
    except BadJson as fault:
        # Without double quotes, or with single ones left, a Windows shell had its way with it.
        was_unquoted = '"' not in text or text.startswith("'")
        hint = f"\n{WINDOWS_HINT}" if was_unquoted else ""
        raise ValueError(f"The data is {fault.message}{hint}") from None
    if not isinstance(data, dict):
        raise ValueError('The data is no JSON object; write one like {"propertyId": 1}')
    return data


def _error_lines(data: dict[str, Any]) -> Iterator[str]:
    code, fields = _one_line(data.get("code", "error")), data.get("fields")
    if not isinstance(fields, list) or not fields:
        yield f"{code}: {_one_line(data.get('error', ''))}"
        return
    yield f"{code}:"  # its sentence says no more than the fields
    for field in fields:
        if isinstance(field, dict):
            yield f"  {_one_line(field.get('field'))}: {_one_line(field.get('problem'))}"


def _did_you_mean(name: str, names: Iterable[str]) -> str:
    """Ask whether a similar name was meant; blank if there is none."""
    close = get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _answer_lines(data: dict[str, Any]) -> Iterator[str]:
    if "success" in data:
        yield "done, but nothing changed" if data.get("changed") is False else "done"
    rest = {name: value for name, value in data.items() if name not in ("success", "changed")}
    yield from _pairs(_without_repetition(rest))


def _without_repetition(data: dict[str, Any]) -> dict[str, Any]:
    """Leave out the second copy of data that some answers have for other scripts."""
    shown: dict[str, Any] = {}
    for name, value in data.items():
        is_flat = isinstance(value, dict) and value.items() <= data.items()
        is_under_another_name = isinstance(value, list) and value in shown.values()
        is_member_above = name.isdigit() and any(
            isinstance(other, dict) and name in other for other in shown.values()
        )
        if not (value and (is_flat or is_under_another_name or is_member_above)):
            shown[name] = value
    return shown


def _pairs(data: dict[str, Any]) -> Iterator[str]:
    """Write `key: value` lines, the values below each other; lists and objects come indented."""
    names = {name: _one_line(name) for name in data}
    width = max(map(len, names.values()), default=0) + 1
    for name, value in data.items():
        inside = list(_nested_lines(value))
        if inside:
            yield f"{names[name]}:"
            yield from (f"  {line}" for line in inside)
        else:
            yield f"{names[name] + ':':{width}} {_one_line(value)}".rstrip()


def _nested_lines(value: object) -> Iterator[str]:
    """Write what a list or an object holds; nothing for what stands behind its key."""
    if isinstance(value, dict):
        yield from _pairs(value)
    elif isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        yield from _table(value)


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    columns = list(dict.fromkeys(chain.from_iterable(rows)))
    cells = [[_one_line(name, CELL) for name in columns]]
    cells += [[_one_line(row.get(name, ""), CELL) for name in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(map(str.ljust, line, widths)).rstrip()


def _event_line(event: dict[str, Any]) -> str:
    data = event.get("data")
    fields = data if isinstance(data, dict) else {}
    text = "  ".join(f"{_one_line(name)}={_one_line(value)}" for name, value in fields.items())
    name = _one_line(event.get("type")).removeprefix("events.")
    return f"{_one_line(event.get('id'))} {name}  {text}".rstrip()


def _one_line(value: object, limit: int = LINE) -> str:
    """Write a value as one line without anything that a terminal would obey."""
    if value is None or value in ([], {}):
        return "-"
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        text = ", ".join(_one_line(item, limit) for item in value)
    elif isinstance(value, str):
        text = value
    else:
        text = json.dumps(value, ensure_ascii=False)
    line = " ".join(clean_text(text, limit * 2).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _escaped(document: dict[str, Any]) -> str:
    """Write JSON on one line, all but printable ASCII as escapes."""
    return json.dumps(document).replace("\x7f", "\\u007f")
