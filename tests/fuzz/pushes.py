"""Pushes, one a line: each is accepted or rejected as declared, and what is stored can be shown.

A push that was stored comes again over another transport, and nothing happens. Then every card and
feed entry is made: Discord must accept it, and it may contain no markup that is not ours.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from cogs.cards import CARDS, render
from cogs.feeds import FEEDS, entry_embed
from cogs.ui.embeds import MessageContent
from tests.cogs.cards.test_cards import check_as_discord, texts_of
from tests.cogs.hostile_texts import invisible
from tests.cogs.markdown import foreign
from tests.fuzz.shapes import mutate_lines
from tests.fuzz.storage import Storage
from tests.webhook.cad.corpus import CASES, document
from tests.webhook.harness import AppHarness
from webhook import cad
from webhook.cad import InvalidPush, UnhandledType, parse
from webhook.cad.store import store_push
from webhook.protocol.errors import BadJson
from webhook.protocol.events import CAD
from webhook.protocol.json_reader import parse_json

MOST_LINES = 8


def seeds() -> Iterator[bytes]:
    """The corpus: each case alone, and those that are understood a few together."""
    written = [document(case) for case in CASES if len(document(case)) < 20_000]
    yield from written
    understood = [document(case) for case in CASES if case["valid"] is True]
    understood = [line for line in understood if len(line) < 4_000 and b"\n" not in line]
    yield from (b"\n".join(understood[at : at + 4]) for at in range(0, len(understood), 4))


mutate = mutate_lines


async def _furnish(harness: AppHarness) -> None:
    for x in (0, 500):
        place = await harness.add_property(location="Forum Dr 8", x=x, y=0)
        await harness.add_equipment(place, 3)


_STORAGE = Storage(_furnish)


def run_one(data: bytes) -> None:
    """Push every line."""
    _STORAGE.put_back()
    _STORAGE.run(_push_all(data.split(b"\n")[:MOST_LINES]))


async def _push_all(lines: list[bytes]) -> None:
    harness = _STORAGE.harness
    for line in lines:
        try:
            body = parse_json(line)
        except BadJson:
            continue
        if isinstance(body, dict):
            _check_events(body)
            await _push(harness, body)
    if _STORAGE.has_changed():
        await _check_what_is_shown(harness)


def _check_events(body: dict[str, Any]) -> None:
    try:
        events = parse(body)
    except (InvalidPush, UnhandledType) as fault:
        _check_refusal(fault.message)
        return
    for event in events:
        written = orjson.dumps(event.model_dump(by_alias=True))
        assert cad.EVENTS[event.type].model_validate_json(written) == event


def _check_refusal(message: str) -> None:
    assert len(message) < 200
    assert invisible(message) == []
    assert "\n" not in message


async def _push(harness: AppHarness, body: dict[str, Any]) -> None:
    harness.clock.now += 1000
    try:
        await store_push(harness.context(), CAD, body, "/event")
    except (InvalidPush, UnhandledType):
        return
    published = len(harness.published)
    await store_push(harness.context(), CAD, body, "/+fxserver")
    assert len(harness.published) == published, "a forwarded copy was published too"


async def _check_what_is_shown(harness: AppHarness) -> None:
    sql = harness.database.read
    events = await harness.journal_events()
    subjects = {subject for event in events for subject in event.subjects}
    for subject in sorted(subjects, key=str):
        card = await render(sql, subject) if subject.kind in CARDS else None
        if card is not None:
            _check(card)
    for event in events:
        if event.name in FEEDS:
            embed = await entry_embed(sql, event)
            _check(MessageContent([embed.copy() for _ in range(10)]))


def _check(content: MessageContent) -> None:
    check_as_discord(content)
    for text in texts_of(content.embeds):
        assert foreign(text) == [], text
