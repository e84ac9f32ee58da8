"""What admins ask about the program: the audit log, the journal, and what waits for Discord.

Scripts cannot ask for any of it.
"""

from typing import NamedTuple

from db import audit, cards, feeds, journal
from db.audit import AuditRecord
from db.cards import Backlog, RejectedMessages
from db.database import size
from db.errors import StorageUnavailable
from webhook.protocol.bus import StoredEvent
from webhook.protocol.catalogue import operation
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import NotFound
from webhook.queries.models import ListPage, OfProperty, PropertyReference, property_subject


class AuditPage(PropertyReference, ListPage):
    """A page of the log. `by`: only changes by this caller (`discord:1`, a script's name)."""

    by: str | None = None


@operation(scope=Scope.ADMIN)
async def list_changes(context: Context, ask: AuditPage) -> list[AuditRecord]:
    """Return who changed what, newest first."""
    if ask.property_id is None:
        return await audit.page(context.read, None, ask.by, ask.limit, ask.offset)
    return await audit.page_of_property(
        context.read, ask.property_id, ask.by, ask.limit, ask.offset
    )


@operation(scope=Scope.ADMIN)
async def get_change(context: Context, number: int) -> AuditRecord:
    """Return one change.

    Raises:
        NotFound: it is no longer stored.
    """
    record = await audit.get(context.read, number)
    if record is None:
        raise NotFound("this change is no longer stored")
    return record


@operation(scope=Scope.ADMIN)
async def get_last_change(context: Context, ask: OfProperty) -> AuditRecord | None:
    """Return the last change of a property, which may be removed."""
    about = str(property_subject(ask.property_id))
    newest = await audit.page(context.read, about, None, 1, 0)
    return newest[0] if newest else None


class StorageStatus(NamedTuple):
    """What each channel has still to show, what Discord rejected, the database's size in bytes."""

    backlog: list[Backlog]
    rejections: list[RejectedMessages]
    database_bytes: int


@operation(scope=Scope.WRITE)
async def get_storage_status(context: Context) -> StorageStatus:
    """Return what waits for Discord, what it rejected, and how large the database is."""
    backlog = [*await cards.backlog(context.read), *await feeds.backlog(context.read)]
    rejections = [*await cards.rejections(context.read), *await feeds.rejections(context.read)]
    return StorageStatus(backlog, rejections, await size(context.read))


@operation(scope=Scope.WRITE)
async def count_undelivered(context: Context) -> int | None:
    """Return how many messages wait for Discord; None while storage cannot be read."""
    try:
        return sum(each.number for each in (await get_storage_status(context)).backlog)
    except StorageUnavailable:
        return None


@operation(scope=Scope.WRITE)
async def retry_rejected(context: Context) -> set[str]:
    """Have what Discord rejected tried again; return the channels that it is for."""
    async with context.change() as change:
        of_cards = await cards.retry_rejected(change.sql)
        return {*of_cards, *await feeds.retry_rejected(change.sql)}


@operation(scope=Scope.ADMIN)
async def list_events(context: Context, limit: int) -> list[StoredEvent]:
    """Return the newest events of the journal, newest first."""
    return [StoredEvent.from_journal(entry) for entry in await journal.recent(context.read, limit)]
