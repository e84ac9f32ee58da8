"""A property with all that hangs on it, and buttons for what whoever looks may do; its map."""

import discord

from cogs.i18n.language import _
from cogs.pictures.property_map import property_map
from cogs.ui.embeds import DESCRIPTION, FIELD, TITLE, Button, CardBuilder, Colour, MessageContent
from cogs.ui.names import linked_name, user_name
from cogs.ui.text import fitting, inert, inert_line, who
from db import (
    access,
    alarms,
    dispatches,
    emergencies,
    equipment,
    flights,
    properties,
    removals,
    visits,
)
from db.database import Reader
from db.equipment import DRONE
from db.flights import Flight
from db.properties import ACTIVE, PENDING, Property
from db.removals import Removal
from webhook.protocol.catalogue import authorise
from webhook.protocol.context import Caller, Context, Scope, Share
from webhook.protocol.events import Subject
from webhook.queries.models import OfProperty
from webhook.queries.properties import get_property
from webhook.queries.property_data import existing_property
from webhook.queries.removals import may_withdraw

LAST = 3
"""Alarms and visits that are shown."""

RECALLS = 5
"""Drones that have a button of their own."""

_COLOURS = {ACTIVE: Colour.GOOD, PENDING: Colour.WARNING}


async def overview(context: Context, property_id: int) -> MessageContent:
    """Show a property and what hangs on it.

    Raises:
        NotFound: there is none of this id.
    """
    await authorise(context, Scope.READ, Share.ALLOWED, OfProperty(property_id=property_id))
    sql = context.read
    stored = await existing_property(sql, property_id)
    removal = await removals.open_of_property(sql, stored.id)
    out = await flights.open_of_property(sql, stored.id)
    card = CardBuilder(
        title=f"{inert_line(stored.location, TITLE - 30)} ({stored.id})",
        colour=_COLOURS.get(stored.status, Colour.NORMAL),
        description=inert(stored.description, DESCRIPTION, blank=""),
    )
    await _add_facts(sql, card, stored)
    card.add(_("Equipment"), await _equipment(sql, stored.id, out), inline=False)
    card.add(_("May enter"), await _allowed(sql, stored.id), inline=False)
    card.add(_("Last alarms"), await _alarms(sql, stored.id))
    card.add(_("Last visits"), await _visits(sql, stored.id))
    card.add(_("Removal requested"), await _removal(sql, removal), inline=False)
    card.add(_("Open calls"), await _calls(sql, stored.id), inline=False)
    has_free = bool(await flights.free_drones(sql, stored.id))
    share = Share(await access.share_of(sql, stored.id, context.caller.user_ids) or Share.NONE)
    buttons = _buttons(context.caller, share, stored, removal, out, has_free=has_free)
    return MessageContent([card.build()], buttons)


async def map_of(context: Context, property_id: int) -> MessageContent:
    """Show where a property is; calls and neighbours only to those who may look at everything.

    Raises:
        NotFound: there is none of this id.
    """
    place = await get_property(context, OfProperty(property_id=property_id))
    whole = context.caller.scope >= Scope.READ
    card = CardBuilder(
        title=_("Map · {place}").format(place=inert_line(place.location, TITLE - 40)),
        colour=Colour.NORMAL,
    )
    card.add(_("Property"), str(place.id))
    card.add(_("Coordinates"), f"{place.x}, {place.y}")
    if place.width and place.height:
        card.add(_("Size"), f"{place.width} × {place.height} m")
    return MessageContent(
        [card.build()], picture=await property_map(context.read, place.id, whole=whole)
    )


async def _add_facts(sql: Reader, card: CardBuilder, stored: Property) -> None:
    detail = await properties.detail(sql, stored.id)
    card.add(_("Owner"), await user_name(sql, stored.owner))
    if detail is not None:
        price = inert_line(detail.price, 40, blank="")
        card.add(_("Tier"), " · ".join(filter(None, [inert_line(detail.tier_name, 100), price])))
    status = inert_line(stored.status, 32)
    if stored.status_by is not None:
        status = _("{status}, set by {who}").format(status=status, who=who(stored.status_by))
    card.add(_("Status"), status)
    if stored.width and stored.height:
        card.add(_("Size"), f"{stored.width} × {stored.height} m")
    card.add(_("Coordinates"), f"{stored.x}, {stored.y}")
    card.add(_("Added"), _when(stored.added_at))


async def _equipment(sql: Reader, property_id: int, out: list[Flight]) -> str:
    since = {flight.drone_id: flight.dispatched_at for flight in out}
    lines = []
    for row in await equipment.of_property(sql, property_id):
        parts = [str(row.id), inert_line(row.name, 30), inert_line(row.description, 40, blank="")]
        if row.id in since:
            parts.append(_("out since {when}").format(when=_when(since[row.id])))
        elif row.type == DRONE:
            parts.append(_("free"))
        lines.append(" · ".join(filter(None, parts)))
    return fitting(lines, "\n", FIELD)


async def _allowed(sql: Reader, property_id: int) -> str:
    allowed = await access.allowed_users(sql, property_id)
    return fitting([inert_line(user.full_name, 60) for user in allowed], ", ", 500)


async def _alarms(sql: Reader, property_id: int) -> str:
    lines = [
        f"{_when(alert.at)} · {await user_name(sql, alert.user_id)}"
        for alert in await alarms.alerts(sql, property_id, LAST, 0)
    ]
    return fitting(lines, "\n", 600)


async def _visits(sql: Reader, property_id: int) -> str:
    lines = [
        f"{_when(visit.at)} · {await user_name(sql, visit.user_id)}"
        for visit in await visits.last(sql, property_id, LAST)
    ]
    return fitting(lines, "\n", 600)


async def _removal(sql: Reader, removal: Removal | None) -> str:
    if removal is None:
        return ""
    by = who(removal.asked_by) if removal.asked_by else ""
    if removal.requested_by is not None:
        by = await user_name(sql, removal.requested_by)
    reason = inert(removal.reason or "", 500, blank="")
    return "\n".join(filter(None, [" · ".join([_when(removal.requested_at), by]), reason]))


async def _calls(sql: Reader, property_id: int) -> str:
    lines = []
    for call in await emergencies.open_at(sql, property_id):
        subject = Subject("emergency", f"{call.call_id}@{call.cad}")
        number = f"{'911' if call.is_emergency else '311'} {call.call_id}"
        told = inert_line(call.description, 60)
        lines.append(f"{await linked_name(sql, subject, number)} · {told}")
    for dispatched in await dispatches.open_at(sql, property_id):
        subject = Subject("dispatch", f"{dispatched.call_id}@{dispatched.cad}")
        title = inert_line(dispatched.title, 60, blank=_("no title yet"))
        lines.append(f"{await linked_name(sql, subject, str(dispatched.call_id))} · {title}")
    return fitting(lines, "\n", FIELD)


def _buttons(
    caller: Caller,
    share: Share,
    stored: Property,
    removal: Removal | None,
    out: list[Flight],
    *,
    has_free: bool,
) -> tuple[Button, ...]:
    """Offer what the caller may do and what makes sense now."""
    may_edit = caller.scope >= Scope.WRITE
    if not may_edit and share is Share.NONE:
        return ()
    red, green = discord.ButtonStyle.danger, discord.ButtonStyle.success
    offered = []
    if has_free:
        drone = Button(_("Dispatch drone"), f"call:drone:{stored.id}", discord.ButtonStyle.primary)
        offered.append(drone)
    offered += [
        Button(_("Recall drone {id}").format(id=flight.drone_id), f"flight:recall:{flight.id}")
        for flight in out[:RECALLS]
    ]
    if may_edit:
        offered.append(Button(_("Edit"), f"property:edit:{stored.id}"))
    may_decide = caller.scope >= Scope.APPROVE
    if may_decide and stored.status == PENDING:
        offered.append(Button(_("Approve"), f"property:approve:{stored.id}", green))
        offered.append(Button(_("Reject"), f"property:reject:{stored.id}", red))
    if removal is None and (may_edit or share is Share.OWNER):
        offered.append(Button(_("Request removal"), f"property:leave:{stored.id}"))
    if removal is None:
        return tuple(offered)
    if may_decide:
        offered.append(Button(_("Approve removal"), f"removal:approve:{removal.id}", red))
        offered.append(Button(_("Deny removal"), f"removal:deny:{removal.id}"))
    if may_withdraw(caller, stored, removal):
        offered.append(Button(_("Withdraw removal"), f"removal:withdraw:{removal.id}"))
    return tuple(offered)


def _when(milliseconds: int) -> str:
    """Write a time in the short way of a list: how long ago."""
    return f"<t:{milliseconds // 1000}:R>"
