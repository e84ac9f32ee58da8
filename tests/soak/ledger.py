"""What was asked of the bot and answered, against what its journal and Discord say."""

import asyncio
import json
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import discord

from cogs.cards import render
from cogs.feeds import FEEDS, entry_embed
from db import journal
from db.cards import Card
from db.database import Reader, open_read_only
from tests.end_to_end.environment import BotEnvironment
from tests.fake_discord import Channel, Forum, Message
from webhook.protocol.bus import StoredEvent
from webhook.protocol.events import Subject

NAMED_BY: dict[str, Callable[[dict[str, Any]], object]] = {
    "cad.EVENT_911": lambda data: data["callId"],
    "cad.EVENT_REMOVE_911": lambda data: data["callIds"][0],
    "cad.EVENT_DISPATCH_NEW": lambda data: data["callId"],
    "cad.EVENT_DISPATCH_NOTE": lambda data: data["note"]["content"],
    "cad.EVENT_DISPATCH_CLOSED": lambda data: data["callIds"][0],
    "cad.EVENT_UNIT_STATUS": lambda data: data["idents"][0],
    "cad.EVENT_RECORD_ADD": lambda data: data["record"]["name"],
    "auth-entries": lambda data: data["clientId"],
    "visits": lambda data: data["clientId"],
    "property-status-change": lambda data: data["propertyId"],
    "drone-dispatched": lambda data: data["droneId"],
    "drone-recalled": lambda data: data["droneId"],
}
"""What tells an event from the others of its name; each is asked for once."""


_UNFORESEEN = re.compile(
    r"^Traceback| ERROR (?!discord\.).*\n +\| Traceback.*(\n +\| .*)*", re.MULTILINE
)
"""Tracebacks in the log; discord.py writes its own whenever a connection cannot be made."""

CATCHING_UP = 120.0
"""Seconds until Discord shows everything, once nothing is in the way."""


@dataclass
class Ledger:
    """Deeds by name: `begun` were asked for, `done` were answered as done."""

    begun: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def deed(self, event: str, which: object) -> AsyncIterator[None]:
        """Note a deed as begun; as done when its block ends without a fault."""
        name = f"{event} {which}"
        self.begun[name] += 1
        yield
        self.done[name] += 1


async def broken_promises(env: BotEnvironment, ledger: Ledger) -> list[str]:
    """Compare everything, once the bot has stopped; a sentence for each promise that broke."""
    path = env.folder / "sentinel.db"
    async with open_read_only(path) as read:
        entries = [StoredEvent.from_journal(entry) for entry in await journal.after(read, 0, 10**9)]
        return [
            *_storage_faults(path),
            *_journal_faults(ledger, entries),
            *await _card_faults(env, read),
            *await _feed_faults(env, read, entries),
            *_log_faults(env.folder / "log.txt"),
        ]


async def caught_up(env: BotEnvironment) -> None:
    """Wait until Discord shows everything that the journal has."""
    async with asyncio.timeout(CATCHING_UP):
        while not _all_shown(env.folder / "sentinel.db"):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


def _all_shown(path: Path) -> bool:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        (open_,) = database.execute(
            "SELECT (SELECT count(*) FROM cards WHERE shown < version)"
            " + (SELECT count(*) FROM feed_entries) + (SELECT max(id) FROM journal)"
            " - (SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'discord.cursor')"
        ).fetchone()
    return bool(open_ == 0)


def _storage_faults(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        checked = database.execute("PRAGMA integrity_check").fetchall()
        checked += database.execute("PRAGMA foreign_key_check").fetchall()
    return [f"the database: {row}" for row in checked if row != ("ok",)]


def _journal_faults(ledger: Ledger, entries: list[StoredEvent]) -> list[str]:
    journalled = Counter(
        f"{entry.name} {NAMED_BY[entry.name](entry.data)}"
        for entry in entries
        if entry.name in NAMED_BY
    )
    return [
        *(f"answered and lost: {name}" for name in ledger.done - journalled),
        *(f"there and never asked for: {name}" for name in journalled - ledger.begun),
        *(f"done twice: {name}" for name, times in journalled.items() if times > 1),
    ]


async def _card_faults(env: BotEnvironment, read: Reader) -> list[str]:
    created = Counter(
        _reference(message) for place in env.channels.values() for message in place.created
    )
    shown = {message.id: message for message in env.fake.messages}
    faults = [f"posted {times} times: {name}" for name, times in created.items() if times > 1]
    columns = ", ".join(Card._fields)
    for card in await read.all(Card, f"SELECT {columns} FROM cards"):  # noqa: S608 - constants
        content = await render(read, Subject.parse(card.subject))
        message = shown.pop(card.message_id or 0, None)
        if content is None or message is None:
            faults.append(f"no message of the card of {card.subject}")
        elif (old := _texts(message.embeds)) != (new := _texts(content.embeds)):
            gone, missing = set(old) - set(new), set(new) - set(old)
            faults.append(f"an outdated card of {card.subject}: {gone} instead of {missing}")
    strays = [message for message in shown.values() if "-c" in _reference(message)]
    return faults + [f"a card that nobody knows: {_reference(message)}" for message in strays]


async def _feed_faults(env: BotEnvironment, read: Reader, entries: list[StoredEvent]) -> list[str]:
    expected: dict[str, list[str]] = {name: [] for name in env.channels}
    for entry in entries:
        if entry.name in FEEDS:
            embed = await entry_embed(read, entry)
            expected[FEEDS[entry.name].channel] += _texts([embed])
    faults = []
    for name, texts in expected.items():
        shown = [
            text
            for message in _standing(env.channel(name))
            if "-f" in _reference(message)
            for text in _texts(message.embeds)
        ]
        if shown != texts:
            counts = Counter(shown), Counter(texts)
            lost, extra = counts[1] - counts[0], counts[0] - counts[1]
            faults.append(f"the feed {name}: lost {lost}, extra {extra}, or out of order")
    return faults


def _standing(channel: Channel) -> list[Message]:
    """Return the messages of a channel, or of all posts in a forum."""
    if not isinstance(channel, Forum):
        return channel.messages
    posts = [thread for thread in channel.guild.threads if thread.parent is channel]
    return sorted((one for post in posts for one in post.messages), key=lambda one: one.id)


def _log_faults(path: Path) -> list[str]:
    found = _UNFORESEEN.search(path.read_text())
    return [f"the log: {found.group()}"] if found else []


def _reference(message: Message) -> str:
    return str(message.embeds[-1].get("footer", {}).get("text", "")) if message.embeds else ""


def _texts(embeds: Sequence[discord.Embed | dict[str, Any]]) -> list[str]:
    """Return what embeds say, whatever order their parts are in."""
    parts = ("title", "description", "color", "fields")
    said = [embed if isinstance(embed, dict) else embed.to_dict() for embed in embeds]
    return [json.dumps([one.get(part) or None for part in parts], sort_keys=True) for one in said]
