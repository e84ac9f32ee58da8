"""The audit log, which people read in Discord; scripts cannot."""

from db import audit
from db.audit import AuditRecord
from webhook.protocol.catalogue import operation
from webhook.protocol.context import Context, Scope
from webhook.protocol.wire import Id
from webhook.queries.models import ListPage, OfProperty
from webhook.queries.subjects import property_subject


class AuditPage(ListPage):
    """A page of the log. `by`: only changes by this caller (`discord:1`, a script's name)."""

    property_id: Id | None = None
    by: str | None = None


@operation(scope=Scope.ADMIN)
async def list_changes(context: Context, ask: AuditPage) -> list[AuditRecord]:
    """Return who changed what, newest first."""
    about = None if ask.property_id is None else str(property_subject(ask.property_id))
    return await audit.page(context.read, about, ask.by, ask.limit, ask.offset)


@operation(scope=Scope.ADMIN)
async def get_last_change(context: Context, ask: OfProperty) -> AuditRecord | None:
    """Return the last change of a property, which may be removed."""
    about = str(property_subject(ask.property_id))
    newest = await audit.page(context.read, about, None, 1, 0)
    return newest[0] if newest else None
