"""Numbered happenings in the game, and what became of them in the bot's database."""

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from tests.fivem.bot_process import CAD_KEY
from tests.fivem.fxserver import FXServer

SHIM = "SonoranCAD::pushevents:shim"
PUSH_EACH = 3
"""Every third happening is a push of the CAD, the others are reports of scripts."""


def push_of(number: int) -> str:
    """The raw push of a 911 call."""
    call = {
        "callId": number,
        "isEmergency": True,
        "caller": "Wren Halloway",
        "location": "Forum Dr",
        "description": f"call {number}",
    }
    return json.dumps({"key": CAD_KEY, "type": "EVENT_911", "data": {"call": call}})


def happen(server: FXServer, number: int) -> bool:
    """Have something happen; True once the resource has promised to keep it."""
    if number % PUSH_EACH == 0:
        server.trigger(SHIM, push_of(number))
        return True
    key, *_ = server.call("cad-sentinel", "Crime", {"description": str(number)})
    return key is not None


class Outcome(NamedTuple):
    """What of the happenings the bot has."""

    missing: Sequence[int] = ()
    doubled: Sequence[int] = ()
    is_in_order: bool = True


def outcome(database: Path, kept: set[int]) -> Outcome:
    """Compare what was kept in the game with what the bot's journal says, by its order."""
    stored = stored_numbers(database)
    counts = Counter(stored)
    first = list(dict.fromkeys(stored))
    return Outcome(
        missing=sorted(kept - set(stored)),
        doubled=sorted(number for number, count in counts.items() if count > 1),
        is_in_order=first == sorted(first),
    )


def stored_numbers(database: Path) -> list[int]:
    """The numbers of all happenings in the bot's journal, in its order."""
    with closing(sqlite3.connect(database)) as sql:
        crimes = dict(sql.execute("SELECT id, description FROM crimes").fetchall())
        rows = sql.execute("SELECT name, data FROM journal ORDER BY id").fetchall()
    found = []
    for name, text in rows:
        data = json.loads(text)
        if name == "crimes":
            found.append(int(crimes[data["crimeId"]]))
        elif name == "cad.EVENT_911":
            found.append(int(data["callId"]))
    return found
