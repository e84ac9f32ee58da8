"""Who may see the card of what."""

from db import alarms, flights, removals
from db.database import Reader
from webhook.protocol.catalogue import operation
from webhook.protocol.context import Context, Scope, Share
from webhook.protocol.events import Subject
from webhook.protocol.wire import Request


class OfSubject(Request):
    """What a card shows, as `alarm:12`."""

    subject: str

    async def which_property(self, sql: Reader) -> int | None:
        subject = Subject.parse(self.subject)
        if subject.kind == "alarm":
            alarm = await alarms.get(sql, subject.number)
            return alarm and alarm.property_id
        if subject.kind == "flight":
            flight = await flights.get(sql, subject.number)
            return flight and flight.property_id
        if subject.kind == "removal":
            removal = await removals.get(sql, subject.number)
            return removal and removal.property_id
        return None


@operation(scope=Scope.READ, share=Share.ALLOWED)
async def require_card(_: Context, ask: OfSubject) -> Subject:
    """Return a subject whose card the caller may see: staff each, others those of what is theirs.

    Raises:
        Forbidden: they may not.
    """
    return Subject.parse(ask.subject)
