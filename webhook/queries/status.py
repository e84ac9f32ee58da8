"""How the program is: what still waits for Discord, how large the database is, what happened."""

from typing import NamedTuple

from db import cards, feeds, journal
from db.cards import Backlog
from db.database import size
from webhook.protocol.catalogue import operation
from webhook.protocol.context import Context, Scope
from webhook.protocol.events import StoredEvent


class StorageStatus(NamedTuple):
    """What each channel has still to show, and the size of the database in bytes."""

    backlog: list[Backlog]
    database_bytes: int


@operation(scope=Scope.WRITE)
async def get_storage_status(context: Context) -> StorageStatus:
    """Return what waits for Discord and how large the database is."""
    backlog = [*await cards.backlog(context.read), *await feeds.backlog(context.read)]
    return StorageStatus(backlog, await size(context.read))


@operation(scope=Scope.ADMIN)
async def list_events(context: Context, limit: int) -> list[StoredEvent]:
    """Return the newest events of the journal, newest first."""
    return [StoredEvent.from_journal(entry) for entry in await journal.recent(context.read, limit)]
