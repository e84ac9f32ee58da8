"""Private messages to members: what others did to what is theirs, and who they are in the game."""

from cogs.cards.properties import approval, removal
from cogs.i18n.language import _
from cogs.ui.embeds import TITLE, Button, CardBuilder, Colour, MessageContent
from cogs.ui.names import user_name, whole_user_name
from cogs.ui.text import inert_line, who
from db import audit, journal, links, properties, removals
from db.database import Reader
from db.properties import ACTIVE, REJECTED, Property
from webhook.protocol.bus import StoredEvent
from webhook.protocol.events import (
    PropertyOwnerChange,
    PropertyRemoved,
    PropertyRestored,
    Subject,
)
from webhook.queries.models import property_subject


async def approval_answer(sql: Reader, subject: Subject) -> MessageContent | None:
    """Tell the owner of a new property what was decided."""
    property_ = await properties.get_even_removed(sql, subject.number)
    if property_ is None or not property_.has_status(ACTIVE, REJECTED):
        return None
    return _with_buttons(await approval(sql, subject))


async def removal_answer(sql: Reader, subject: Subject) -> MessageContent | None:
    """Tell the owner, or whoever asked for a removal, what was decided."""
    request = await removals.get(sql, subject.number)
    if request is None or request.outcome is None:
        return None
    return _with_buttons(await removal(sql, subject))


async def removal_owner(sql: Reader, subject: Subject) -> MessageContent | None:
    """Tell the owner that somebody wants their property removed; they can withdraw that."""
    request = await removals.get(sql, subject.number)
    if request is None:
        return None
    withdraw = Button("Withdraw", f"removal:withdraw:{request.id}")
    return _with_buttons(await removal(sql, subject), *[withdraw] * (request.outcome is None))


async def property_message(sql: Reader, subject: Subject) -> MessageContent | None:
    """Tell an owner, or a former one, that a property was removed, restored or given away."""
    entries = await journal.by_id(sql, [subject.number])
    if not entries:
        return None  # it waited for so long that the journal has forgotten it
    event = StoredEvent.from_journal(entries[0])
    property_ = await properties.get_even_removed(sql, int(event.data["propertyId"]))
    if property_ is None:
        return None
    author = await audit.author(sql, str(property_subject(property_.id)), event.at)
    by = who(author or "")
    if event.name == PropertyOwnerChange.name:
        card = await _of_owner_change(sql, event, property_, by, int(subject.cad))
    else:
        card = _CHANGES[event.name](property_, by)
    card.add("Property", str(property_.id))
    return MessageContent([card.build()])


def _removed(property_: Property, by: str) -> CardBuilder:
    text = _(
        "{who} removed your property. If that is wrong, ask an approver soon: a removed property"
        " can be restored for some time."
    )
    title = _("Property removed · {where}").format(where=_where(property_))
    return CardBuilder(title, Colour.OVER, text.format(who=by))


def _restored(property_: Property, by: str) -> CardBuilder:
    text = _("{who} restored your property with its equipment.")
    title = _("Property restored · {where}").format(where=_where(property_))
    return CardBuilder(title, Colour.GOOD, text.format(who=by))


_CHANGES = {PropertyRemoved.name: _removed, PropertyRestored.name: _restored}


async def _of_owner_change(
    sql: Reader, event: StoredEvent, property_: Property, by: str, member_id: int
) -> CardBuilder:
    where, new_owner = _where(property_), event.data["owner"]
    if await links.member_of(sql, new_owner) == member_id:
        text = _("{who} made it your property. /property show shows what belongs to it.")
        title = _("Property received · {where}").format(where=where)
        return CardBuilder(title, Colour.GOOD, text.format(who=by))
    text = _("{who} gave your property to {owner}.")
    title = _("Property given away · {where}").format(where=where)
    owner = await user_name(sql, new_owner)
    return CardBuilder(title, Colour.OVER, text.format(who=by, owner=owner))


async def linked(sql: Reader, subject: Subject) -> MessageContent | None:
    """Tell a member who they are in the game since they typed their code there."""
    entries = await journal.by_id(sql, [subject.number])
    if not entries:
        return None
    user_id = StoredEvent.from_journal(entries[0]).data["userId"]
    text = _("You are **{user}** in the game.").format(user=await whole_user_name(sql, user_id))
    hint = _("/property mine shows your properties, /link alarms sends you their alarms.")
    return MessageContent([CardBuilder(_("Linked"), Colour.GOOD, f"{text}\n{hint}").build()])


def _with_buttons(content: MessageContent | None, *buttons: Button) -> MessageContent | None:
    return None if content is None else MessageContent(content.embeds, buttons)


def _where(property_: Property) -> str:
    return inert_line(property_.location, TITLE - 60)
