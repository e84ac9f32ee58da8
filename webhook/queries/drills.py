"""Cards of /test: posted like those of real events, and over after a minute."""

from db import cards, drill_cards
from db.cards import StaleCard
from webhook.protocol.catalogue import operation
from webhook.protocol.context import Context, Scope
from webhook.protocol.events import CardsOutdated, Subject

DURATION = 60_000
"""Milliseconds after which such a card is over."""


@operation(scope=Scope.ADMIN)
async def begin_drill(context: Context, *, kind: str, channel: str, mention: int = 0) -> None:
    """Post a card of a kind of event in one of the channels in use; it mentions that role."""
    async with context.change() as change:
        number = await drill_cards.add(change.sql, kind, context.caller.name, change.received)
        subject = Subject("drill", str(number))
        card = StaleCard(str(subject), channel, change.received, mention)
        await cards.mark_stale(change.sql, card)
        await change.audit(
            "begin-drill",
            subject,
            after={"kind": kind, "channel": channel, "mention": mention},
        )


@operation(scope=Scope.ADMIN)
async def end_drills(context: Context) -> None:
    """End the cards whose time is over."""
    due = await drill_cards.due(context.read, context.now() - DURATION)
    if not due:
        return
    async with context.change() as change:
        for number in due:
            await drill_cards.end(change.sql, number)
        subjects = [str(Subject("drill", str(number))) for number in due]
        await change.note(CardsOutdated(subjects=subjects))
