"""No query looks at every row of a table that grows: SQLite says how it would answer each."""

import re
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from db import (
    cad_requests,
    cards,
    drill_cards,
    feeds,
    incidents,
    journal,
    responders,
    troubles,
)
from db.database import Transaction
from tests.webhook.harness import START, AppHarness, open_harness
from webhook.queries import CATALOGUE

FEW = {"drill_cards", "simulations", "tiers", "equipment_types"}
"""Tables that do not grow with what happens."""

FEW_OF_MANY = {"cad_requests_open", "cards_rejected", "feed_entries_rejected", "flights_open"}
"""Indexes that hold only what goes on now."""

PAGED = {
    "get-users": "users",
    "get-properties": "properties",
    "get-alarms": "alarms",
    "get-drone-flights": "flights",
}
"""What walks a table in the order of its answer, until the page is full."""

ASKED_FOR = re.compile(r"VIRTUAL TABLE INDEX \d+:\S")
"""How SQLite tells that an index of texts was asked for something, and not for all that it has."""

PLACE: dict[str, Any] = {"propertyId": 1}
HOUSE: dict[str, Any] = {"external": {"source": "ps-housing", "id": 17}}
USER: dict[str, Any] = {"userId": "license:friend"}
PAGES = [{}, {"search": "a"}, {"search": "vi"}, {"search": "villa"}, {"search": "[8] villa"}]
NEW = {"location": "Villa 8", "tier": 1, "x": 0, "y": 0, "description": "d", "clientId": "o"}

ASKED: list[tuple[str, dict[str, Any]]] = [
    *[("add-property", NEW)] * 3,
    ("add-user", USER | {"fullName": "Wren"}),
    ("get-user", USER),
    *[("get-users", page) for page in PAGES],
    ("get-user-properties", {"userId": "o"}),
    ("link-user", {"memberId": "7"} | USER),
    ("unlink-user", {"memberId": "7"}),
    ("confirm-link", {"code": "CODE", "clientId": "license:friend"}),
    ("get-tiers", {}),
    ("get-equipment-types", {}),
    ("get-property", PLACE),
    ("get-property-detailed", PLACE),
    *[("get-properties", page) for page in PAGES],
    ("get-pending-properties", {}),
    *[("search-pending-properties", page) for page in PAGES],
    ("approve-property", PLACE),
    ("reject-property", {"propertyId": 2}),
    ("change-property-size", PLACE | {"width": 9, "height": 9}),
    ("change-property-coordinates", PLACE | {"x": 9, "y": 9}),
    ("change-property-status", PLACE | {"status": "FOR SALE"}),
    ("change-property-tier", PLACE | {"tier": 2}),
    ("put-property", HOUSE | {"location": "Villa 9", "x": 0, "y": 0, "owner": "o"}),
    ("put-property", HOUSE | {"location": "Villa 10"}),
    ("get-property", HOUSE),
    ("change-property-owner", HOUSE | {"owner": "license:friend"}),
    ("edit-property", PLACE | {"x": 8, "tier": 1, "status": "ACTIVE"}),
    *[("add-equipment", PLACE | {"equipmentType": kind, "description": "d"}) for kind in (1, 3, 2)],
    ("remove-equipment", PLACE | {"equipmentId": 3}),
    ("get-equipment", PLACE),
    ("get-free-drones", PLACE),
    ("add-alert", PLACE | USER | {"note": "A fox"}),
    ("get-alerts", PLACE),
    ("dispatch-drone", PLACE),
    *[("get-dispatched-drones", page) for page in PAGES],
    ("recall-drone", {"droneId": 2}),
    *[("get-drone-flights", of) for of in ({}, PLACE, {"droneId": 2}, PLACE | {"droneId": 2})],
    *[("get-alarms", of) for of in ({}, PLACE)],
    ("snooze-alarm", {"alarmId": 1, "minutes": 5}),
    ("acknowledge-alarm", {"alarmId": 1}),
    ("release-alarm", {"alarmId": 1}),
    ("take-alarm", {"alarmId": 1}),
    ("note-alarm", {"alarmId": 1, "text": "A fox"}),
    ("settle-alarm", {"alarmId": 1, "outcome": "false"}),
    ("begin-simulation", {}),
    ("get-simulations", {}),
    ("end-simulation", {"simulationId": START}),
    ("add-allowed-user", PLACE | USER),
    ("get-allowed-users", PLACE),
    ("add-auth-entry", PLACE | USER),
    ("get-auth-entries", PLACE),
    ("add-visitor", PLACE | USER | {"cameraId": 1}),
    ("get-weekly-visitors", PLACE),
    ("get-scanned-visitors", PLACE | {"from": "2026-11-01", "to": "2026-11-30"}),
    ("add-crime", PLACE | {"clientId": "license:friend"}),
    *[("get-crimes-in-area", of) for of in ({}, PLACE, PLACE | {"radius": 500, "days": 31})],
    ("request-remove-property", PLACE),
    ("get-requested-remove-properties", {}),
    *[("search-removal-properties", page) for page in PAGES],
    ("withdraw-remove-property", PLACE),
    ("request-remove-property", PLACE),
    ("deny-remove-property", PLACE),
    ("request-remove-property", PLACE),
    ("approve-remove-property", PLACE),
    ("restore-property", PLACE),
    ("remove-allowed-user", PLACE | USER),
    ("remove-user", USER),
    ("remove-property", PLACE),
]


REGULAR: dict[str, Callable[[Transaction], Awaitable[object]]] = {
    "requests to send": lambda sql: cad_requests.ready(sql, START, START, ["note"]),
    "late requests": lambda sql: cad_requests.overdue(sql, START),
    "next request": lambda sql: cad_requests.next_moment(sql, START),
    "waiting requests": lambda sql: cad_requests.waiting(sql),
    "hastened requests": lambda sql: cad_requests.hasten(sql, "cad", START),
    "requests cut off": cad_requests.interrupted,
    "requests of a kind": lambda sql: cad_requests.unfinished_of_kind(sql, "cad", "note"),
    "requests of a card": lambda sql: cad_requests.of_subject(sql, "dispatch:1@cad"),
    "requests lately": lambda sql: cad_requests.recent(sql, "cad", ["note"], START),
    "911 calls of a member": lambda sql: cad_requests.asked_since(
        sql, "cad", "discord:7", "create-911", START
    ),
    "sent requests": lambda sql: cad_requests.sends(sql, "cad", START),
    "old sends": lambda sql: cad_requests.forget_sends(sql, START),
    "old requests": lambda sql: cad_requests.prune(sql, START, 10),
    "responders": lambda sql: responders.of_subjects(sql, ["dispatch:1@cad"]),
    "leaving": lambda sql: responders.leave(sql, ["dispatch:1@cad"], "discord:7", START),
    "notes": lambda sql: incidents.notes(sql, ["dispatch:1@cad"]),
    "old cards": lambda sql: cards.prune(sql, START, 10),
    "old events": lambda sql: journal.prune(sql, START, 10),
    "old troubles": lambda sql: troubles.prune(sql, START, 10),
    "old tests of cards": lambda sql: drill_cards.prune(sql, START, 10),
    "rejected cards": cards.rejections,
    "rejected entries": feeds.rejections,
}
"""What is asked again and again, or by the cards and buttons of Discord."""


class Listener:
    """Hears every statement of every connection, with its values in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[str] = []
        connect = sqlite3.connect

        def connected(*args: Any, **kwargs: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*args, **kwargs)
            connection.set_trace_callback(self.said.append)
            return connection

        monkeypatch.setattr(sqlite3, "connect", connected)

    def questions(self) -> set[str]:
        """Return what was said since the last call, without what only begins and ends."""
        verbs = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")
        said = {sql for sql in self.said if sql.startswith(verbs)}
        self.said.clear()
        return said


def scanned(connection: sqlite3.Connection, question: str, tables: set[str]) -> set[str]:
    """Return the tables of which a question looks at every row."""
    found = set()
    for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {question}"):
        scan = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", step)
        if scan and scan[1] in tables and scan[2] not in FEW_OF_MANY and not ASKED_FOR.search(step):
            found.add(scan[1])
    return found


async def give_code(harness: AppHarness) -> None:
    """Give a member the code that is asked about; no query does."""
    async with harness.database.write() as sql:
        await sql.run("INSERT INTO link_codes VALUES ('CODE', 8, ?)", harness.clock.now + 1)


async def asked_everything(harness: AppHarness, listener: Listener) -> dict[str, set[str]]:
    """Ask every query; return the statements by which each was answered."""
    await give_code(harness)
    answered: dict[str, set[str]] = {}
    listener.questions()
    for name, data in ASKED:
        await harness.ask(name, **data)
        answered.setdefault(name, set()).update(listener.questions())
    return answered


async def test_no_query_looks_at_every_row_of_a_table_that_grows(
    database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener(monkeypatch)
    async with open_harness(database_path) as harness:
        answered = await asked_everything(harness, listener)
    assert set(answered) == {query.name for query in CATALOGUE.queries}
    with closing(sqlite3.connect(database_path)) as connection:
        named = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        tables = {name for (name,) in named} - FEW
        for name, questions in answered.items():
            assert questions, name
            for question in questions:
                assert scanned(connection, question, tables) <= {PAGED.get(name)}, (name, question)


async def test_no_regular_work_scans_a_table_that_grows(
    database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener(monkeypatch)
    async with open_harness(database_path) as harness:
        listener.questions()
        asked: dict[str, set[str]] = {}
        for name, ask in REGULAR.items():
            async with harness.database.write() as sql:
                await ask(sql)
            asked[name] = listener.questions()
    with closing(sqlite3.connect(database_path)) as connection:
        named = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        tables = {name for (name,) in named} - FEW
        for name, questions in asked.items():
            assert questions, name
            for question in questions:
                assert not scanned(connection, question, tables), (name, question)
