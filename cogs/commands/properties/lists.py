"""The properties in pages: all, those of a status or that match a text, the caller's own."""

from cogs.i18n.language import _
from cogs.ui.names import linked_name, property_status, read_property_status
from cogs.ui.pages import ARGUMENT, ListRows, PagedLists, Row
from cogs.ui.text import inert_line
from webhook.protocol.context import Context, Scope, Share
from webhook.protocol.events import Subject
from webhook.queries.models import ListPage
from webhook.queries.properties.find import StatusPage, list_own_properties, list_properties
from webhook.queries.rows import PENDING, Property

lists = PagedLists()


def filters(status: str | None, text: str | None) -> str:
    """Return the argument of the list for a status and a text, as much of it as a button holds."""
    meant = read_property_status(status or "")
    wanted = f"{meant.replace('/', '')}/{(text or '').strip()}"
    # An astral character counts twice in a button's id.
    return wanted.encode("utf-16-le")[: ARGUMENT * 2].decode("utf-16-le", "ignore")


@lists.declare("properties", Scope.READ)
async def properties(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    status, _slash, text = argument.partition("/")
    page = StatusPage(status=status or None, search=text, limit=limit, offset=offset)
    found, total = await list_properties(context, page)
    title, empty = _("Properties"), _("No properties yet.")
    if status.upper() == PENDING:
        title = _("Properties waiting for approval")
        empty = _("No properties are waiting for approval.")
    elif status:
        title = _("Properties · {status}").format(status=property_status(status))
        empty = _("No properties match.")
    if text:
        title = f"{title} · {_('“{text}”').format(text=inert_line(text, ARGUMENT))}"
        empty = _("No properties match.")
    return ListRows(title, [await _row(context, row) for row in found], empty, total)


@lists.declare("mine", Scope.READ, or_allowed=True)
async def own_properties(context: Context, _argument: str, limit: int, offset: int) -> ListRows:
    found = await list_own_properties(context, ListPage(limit=limit, offset=offset))
    rows = []
    for property_, share in found:
        row = await _row(context, property_)
        text = row.text if share is Share.OWNER else f"{row.text} · {_('you may enter')}"
        rows.append(row._replace(text=text))
    empty = _("Nothing here is yours. If you own something in the game, /link show may say why.")
    return ListRows(_("Your properties"), rows, empty)


async def _row(context: Context, property_: Property) -> Row:
    where, status = inert_line(property_.location, 90), property_status(property_.status)
    if property_.has_status(PENDING):
        where = await linked_name(context.read, Subject("approval", str(property_.id)), where)
    return Row(f"{property_.id} · {where} · {status}", f"property:open:{property_.id}")
