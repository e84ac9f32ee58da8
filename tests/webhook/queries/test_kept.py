"""Replies that are kept: the same as those that are made, whatever is asked in between."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.webhook.house import House, open_house
from tests.webhook.queries.test_plans import ASKED, Listener, asked_everything, give_code
from webhook.catalogue import Query
from webhook.context import Scope
from webhook.messages import Message, read
from webhook.queries import CATALOGUE

KEPT = {query.name: query for query in CATALOGUE.queries if query.made_of}


def tables_read(connection: sqlite3.Connection, question: str) -> set[str]:
    """Return the tables that a statement reads, as SQLite tells it."""
    found = set[str]()

    def note(action: int, table: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_READ and table:
            found.add(table)
        return sqlite3.SQLITE_OK

    connection.set_authorizer(note)
    connection.execute(f"EXPLAIN {question}")
    connection.set_authorizer(None)
    return found


async def test_a_reply_that_is_kept_names_every_table_that_it_is_made_of(
    database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener(monkeypatch)
    async with open_house(database_path) as house:
        answered = await asked_everything(house, listener)
    with closing(sqlite3.connect(database_path)) as connection:
        for name, query in KEPT.items():
            read = set().union(*(tables_read(connection, one) for one in answered[name]))
            assert read == query.made_of, name


async def made(house: House, query: Query, message: Message) -> bytes | None:
    """Return the reply of a query that is carried out now, None if it is refused."""
    try:
        return (await query.run(house.context(), message.data)).dump()
    except Exception:
        return None


async def test_what_is_kept_is_what_would_be_made_now(house: House) -> None:
    """After each step of a story in which everything is asked and changed."""
    await give_code(house)
    lookups = [(name, data) for name, data in ASKED if name in KEPT]
    hits = dict.fromkeys(KEPT, 0)
    for step in ASKED:
        await house.ask(step[0], **step[1])
        for name, data in lookups:
            message = Message(f"queries.{name}", data)
            known = CATALOGUE.known(house.context(), message)
            now = await made(house, KEPT[name], message)
            assert known in (None, now), (step, name)
            hits[name] += known is not None
            await house.frame(message.type, data)
    assert all(hits.values()), hits


@pytest.fixture
async def place(house: House) -> int:
    """A property that was asked for before."""
    number = await house.add_property()
    await house.ask("get-property", propertyId=number)
    return number


def known(house: House, data: dict[str, Any], scope: Scope = Scope.READ) -> bytes | None:
    return CATALOGUE.known(house.context(scope), Message("queries.get-property", data))


async def test_only_who_may_ask_is_given_what_is_kept(house: House, place: int) -> None:
    assert known(house, {"propertyId": place}) is not None
    assert known(house, {"propertyId": place}, Scope.NONE) is None


async def test_data_that_is_only_alike_is_another_question(house: House, place: int) -> None:
    assert place == 1
    for value in (True, 1.0, "1", [1], None):
        assert known(house, {"propertyId": value}) is None


async def test_a_refusal_is_not_kept(house: House) -> None:
    assert await house.refused("get-property", propertyId=1) == "not-found"
    assert known(house, {"propertyId": 1}) is None


@pytest.mark.parametrize("more", ['"' + "x" * 600 + '"', "[" * 300 + "]" * 300])
async def test_data_that_is_long_or_deep_is_answered_and_not_kept(
    house: House, place: int, more: str
) -> None:
    raw = f'{{"type": "queries.get-property", "data": {{"propertyId": {place}, "more": {more}}}}}'
    message = read(raw).message
    assert isinstance(message, Message)
    assert await CATALOGUE.carry_out(house.context(), message)
    assert known(house, message.data) is None
