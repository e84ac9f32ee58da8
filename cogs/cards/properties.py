"""Cards about properties: new ones, requested removals, drone flights."""

import discord

from cogs.i18n.language import N_, _
from cogs.ui.embeds import DESCRIPTION, TITLE, Button, CardBuilder, Colour, MessageContent
from cogs.ui.names import (
    external_name,
    headline,
    location_of,
    property_status,
    tier_name,
    user_name,
)
from cogs.ui.text import duration, inert, inert_line, timestamp, who
from db import approvals, audit, flights, properties, removals
from db.audit import AuditRecord
from db.database import Reader
from db.properties import PENDING, REJECTED, REMOVED, Property
from webhook.protocol.events import Subject
from webhook.queries.models import property_subject, restore_subject

_APPROVALS = {
    PENDING: (N_("Property pending approval"), Colour.WARNING),
    REJECTED: (N_("Property rejected"), Colour.OVER),
    REMOVED: (N_("Property removal requested"), Colour.OVER),
}

_OUTCOMES = {
    "approved": (N_("Removal approved"), Colour.OVER),
    "denied": (N_("Removal denied"), Colour.GOOD),
    "withdrawn": (N_("Removal withdrawn"), Colour.OVER),
}


async def approval(sql: Reader, subject: Subject) -> MessageContent | None:
    """Show a new property until somebody approves or rejects it, and who did."""
    property_ = await properties.get_even_removed(sql, subject.number)
    if property_ is None:
        return None
    pending = property_.has_status(PENDING) and property_.removed_at is None
    heading, colour = _APPROVALS.get(
        property_.status.upper(), (N_("Property approved"), Colour.GOOD)
    )
    if property_.removed_at is not None:
        heading, colour = N_("Property removed"), Colour.OVER
    card = CardBuilder(
        title=f"{_(heading)} · {inert_line(property_.location, TITLE - 80)} #{property_.id}",
        colour=colour,
        description=inert(property_.description, DESCRIPTION, blank=""),
    )
    card.add("Owner", await user_name(sql, property_.owner))
    card.add("Tier", await tier_name(sql, property_.tier))
    if property_.width and property_.height:
        card.add("Size", f"{property_.width} × {property_.height} m")
    card.add("Coordinates", f"{property_.x}, {property_.y}")
    card.add("Added", timestamp(property_.added_at))
    card.add("In the game", external_name(property_))
    card.add("Approved by", await _approvers(sql, f"approval:{property_.id}"))
    if not pending:
        await _add_removal(sql, card, property_)
        if property_.status_by is not None:
            card.add("Status", property_status(property_.status))
            by = who(property_.status_by)
            if await removals.newest_of_property(sql, property_.id) is None:
                card.add("Decided by", by)
            else:  # a request to remove it, and its end, set the status too
                card.add("Set by", by)
        card.add("Reason", inert(property_.status_reason or "", 1000, blank=""), inline=False)
        return MessageContent([card.build()], headline=card.title)
    return MessageContent(
        [card.build()],
        (
            Button("Approve", f"property:approve:{property_.id}", discord.ButtonStyle.success),
            Button("Reject", f"property:reject:{property_.id}", discord.ButtonStyle.danger),
        ),
        headline=card.title,
    )


async def _add_removal(sql: Reader, card: CardBuilder, property_: Property) -> None:
    """Say who removed a property, or who restored it."""
    subject = str(property_subject(property_.id))
    if property_.removed_at is not None:
        by = await audit.author(sql, subject, property_.removed_at)
        card.add("Removed by", who(by or ""))
        return
    restored = await audit.last(sql, subject, "restore-property")
    if restored is not None:
        by = await _restorers(sql, property_, restored)
        card.add("Restored by", f"{by}, {timestamp(restored.at)}")


async def removal(sql: Reader, subject: Subject) -> MessageContent | None:
    """Show a requested removal until somebody settles it, and how."""
    request = await removals.get(sql, subject.number)
    property_ = request and await properties.get_even_removed(sql, request.property_id)
    if request is None or property_ is None:
        return None
    waiting = (N_("Removal requested"), Colour.WARNING)
    heading, colour = _OUTCOMES.get(request.outcome or "", waiting)
    card = CardBuilder(
        title=f"{_(heading)} · {inert_line(property_.location, TITLE - 80)} #{property_.id}",
        colour=colour,
        description=inert(request.reason or "", DESCRIPTION, blank=_("No reason given.")),
    )
    card.add("Owner", await user_name(sql, property_.owner))
    if request.requested_by is not None:
        card.add("Requested by", await user_name(sql, request.requested_by))
    elif request.asked_by:
        card.add("Requested by", who(request.asked_by))
    card.add("Requested", timestamp(request.requested_at))
    card.add("Approved by", await _approvers(sql, f"removal:{request.id}"))
    line = headline(card.title, inert_line(request.reason or "", 100, blank=""))
    if request.outcome is None:
        return MessageContent(
            [card.build()],
            (
                Button("Approve", f"removal:approve:{request.id}", discord.ButtonStyle.danger),
                Button("Deny", f"removal:deny:{request.id}"),
                Button("Withdraw", f"removal:withdraw:{request.id}"),
            ),
            headline=line,
        )
    card.add("Settled by", who(request.settled_by or ""))
    card.add("Settled", timestamp(request.settled_at or 0))
    card.add("Answer", inert(request.answer or "", 1000, blank=""), inline=False)
    if request.outcome != "approved":
        return MessageContent([card.build()], headline=line)
    if property_.removed_at != request.settled_at:
        restored = await audit.last(sql, str(property_subject(property_.id)), "restore-property")
        text = _("The property was restored.")
        if restored is not None:
            by = await _restorers(sql, property_, restored)
            text = _("The property was restored by {who}.").format(who=by)
        card.add("Since then", text, inline=False)
        return MessageContent([card.build()], headline=line)
    to_restore = await _approvers(sql, str(restore_subject(property_.id)))
    card.add("Restoring approved by", to_restore)
    restore = Button("Restore", f"removal:restore:{request.id}")
    return MessageContent([card.build()], (restore,), headline=line)


async def flight(sql: Reader, subject: Subject) -> MessageContent | None:
    flight = await flights.get(sql, subject.number)
    if flight is None:
        return None
    location = await location_of(sql, flight.property_id, TITLE - 60)
    out = flight.recalled_at is None
    card = CardBuilder(
        title=f"{_('Drone out') if out else _('Drone back')} · {location} #{flight.property_id}",
        colour=Colour.WARNING if out else Colour.OVER,
        description=inert(flight.reason, DESCRIPTION, blank=""),
    )
    card.add("Drone", f"{flight.drone_id} · {inert_line(flight.description, 200)}")
    line = headline(card.title, inert_line(flight.reason, 100, blank=""))
    card.add("Sent out by", who(flight.dispatched_by))
    card.add("Sent out", timestamp(flight.dispatched_at))
    if flight.recalled_at is None:
        recall = Button("Recall", f"flight:recall:{flight.id}", discord.ButtonStyle.primary)
        return MessageContent([card.build()], (recall,), headline=line)
    card.add("Recalled by", who(flight.recalled_by or ""))
    card.add("Was out", duration(flight.recalled_at - flight.dispatched_at))
    return MessageContent([card.build()], headline=line)


async def _restorers(sql: Reader, property_: Property, restored: AuditRecord) -> str:
    """Name those who approved that a property is restored, and who then restored it."""
    given = await approvals.of_subject(sql, str(restore_subject(property_.id)))
    return ", ".join(map(who, dict.fromkeys([*(one.who for one in given), restored.who])))


async def _approvers(sql: Reader, subject: str) -> str:
    return ", ".join(who(given.who) for given in await approvals.of_subject(sql, subject))
