"""What all queues share: how long they wait, and what earlier processes may have posted."""

import secrets
from dataclasses import dataclass, field
from typing import NamedTuple

from cogs.delivery.outage import Outage
from cogs.delivery.rest.clock import DiscordClock
from cogs.delivery.rest.errors import Hindrance
from cogs.delivery.rest.messenger import Messenger
from db import cards, journal, settings
from db.database import Database
from webhook.protocol.metrics import Metrics

INSTANCE = "discord.instance"
"""The setting that tells this database's messages from those of another one."""


@dataclass(frozen=True)
class Pace:
    """How long the queues wait, in seconds.

    `edit`: between two edits in a channel, so that ten changes in a second are one edit. `gather`:
    from an event until its feed entry is posted, together with those that come meanwhile; ten never
    wait. `feed`: between two feed messages that are not full, `full`: that are. `retry`: after a
    first failure; doubles up to a minute. `closed`: until a channel that the bot may not post in is
    tried again. `watch`: at most, between two looks for alarms of which something is due. `settle`:
    that a trouble must last, or be gone, until people are told.
    """

    edit: float = 1.0
    gather: float = 0.2
    feed: float = 1.0
    full: float = 0.0
    retry: float = 1.0
    closed: float = 300.0
    watch: float = 5.0
    settle: float = 10.0


class PostedBefore(NamedTuple):
    """What an earlier process may have posted: up to these cards and events, each included.

    `instance` tells this database's messages from those of another one.
    """

    instance: str
    card: int
    event: int

    @classmethod
    async def read(cls, database: Database) -> "PostedBefore":
        """Read it before anything is posted. Times would not do: the clock may have been wrong."""
        _oldest, event = await journal.bounds(database.read)
        return cls(await instance_name(database), await cards.newest_id(database.read), event)


@dataclass(frozen=True)
class DeliveryContext:
    """What all queues share.

    `feed_age`: feed entries older than these milliseconds are
    counted, not shown; 0: all are shown. `unconfirmed`: when, by Discord's clock, this process
    first tried to post messages whose ids it has not stored, by their references; it outlives the
    queues, which /setup replaces. `hindered`: why messages of a channel wait, by its id.
    `ping_within`: milliseconds after which it is too late for a private message to make a sound.
    """

    database: Database
    messenger: Messenger
    pace: Pace
    before: PostedBefore
    clock: DiscordClock
    feed_age: int = 0
    metrics: Metrics = field(default_factory=Metrics)
    unconfirmed: dict[str, float] = field(default_factory=dict)
    hindered: dict[int, Hindrance] = field(default_factory=dict)
    outage: Outage = field(default_factory=Outage)
    ping_within: int = 120_000


async def instance_name(database: Database) -> str:
    """Return what tells this database's messages from those of another one; made up once."""
    name = await settings.get(database.read, INSTANCE)
    if name is None:
        name = secrets.token_hex(3)
        async with database.write() as sql:
            await settings.put(sql, INSTANCE, name)
    return name
