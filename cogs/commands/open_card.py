"""What `/property show` and the buttons "Open" of lists show, privately, with its buttons."""

from collections.abc import Sequence

import discord

from cogs.cards import CARDS, render
from cogs.i18n.language import _
from cogs.pictures.property_map import property_map
from cogs.ui.buttons import OutdatedButton, button, control, read_subject
from cogs.ui.embeds import DESCRIPTION, FIELD, TITLE, Button, CardBuilder, Colour, MessageContent
from cogs.ui.names import (
    external_name,
    linked_name,
    property_status,
    user_name,
    whole_user_name,
)
from cogs.ui.pages import first_page
from cogs.ui.responder import Responder, reply_embed
from cogs.ui.text import fitting, inert, inert_line, who
from webhook.cad.events.event import dispatch_subject, emergency_subject
from webhook.protocol.context import Caller, Context, Scope, Share
from webhook.protocol.errors import NotFound
from webhook.queries.card_access import OfSubject, require_card
from webhook.queries.models import OfProperty
from webhook.queries.properties.find import get_property
from webhook.queries.properties.overview import PropertyOverview, get_property_overview
from webhook.queries.rows import ACTIVE, DRONE, PENDING, Alert, Visit

MAX_RECALL_BUTTONS = 5

_COLOURS = {ACTIVE: Colour.GOOD, PENDING: Colour.WARNING}


class CardOpener:
    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    @button("property:open", Scope.READ, or_allowed=True)
    async def open_property(self, interaction: discord.Interaction, property_id: int) -> None:
        context = await self._responder.defer(interaction)
        await reply_embed(interaction, await property_card(context, property_id))

    @control("card:open", scope=Scope.READ, or_allowed=True, read_argument=read_subject)
    async def open_card(self, interaction: discord.Interaction, subject: str) -> None:
        """Show the card of a subject as it is now."""
        if subject.partition(":")[0] not in CARDS:
            raise OutdatedButton
        context = await self._responder.defer(interaction)
        shown = await require_card(context, OfSubject(subject=subject))
        content = await render(context.read, shown)
        if content is None:
            raise NotFound("this is no longer stored")
        await reply_embed(interaction, content)


async def property_card(context: Context, property_id: int) -> MessageContent:
    """Show a property and what hangs on it.

    Raises:
        NotFound: there is none of this id.
    """
    found = await get_property_overview(context, OfProperty(property_id=property_id))
    property_ = found.property_
    card = CardBuilder(
        title=f"{inert_line(property_.location, TITLE - 30)} #{property_.id}",
        colour=_COLOURS.get(property_.status.upper(), Colour.NORMAL),
        description=inert(property_.description, DESCRIPTION, blank=""),
    )
    users = [inert_line(user.full_name, 60) for user in found.allowed_users]
    await _add_facts(context, card, found)
    card.add(_("Equipment"), _equipment(found), inline=False)
    card.add(_("Access list"), fitting(users, ", ", 500), inline=False)
    card.add(_("Last alarms"), await _latest(context, found.alerts))
    card.add(_("Last visits"), await _latest(context, found.visits))
    card.add(_("Removal requested"), await _removal(context, found), inline=False)
    card.add(_("Open calls"), await _calls(context, found), inline=False)
    return MessageContent([card.build()], _buttons(context.caller, found))


async def property_map_card(context: Context, property_id: int) -> MessageContent:
    """Show where a property is; calls and neighbours only to callers who may read all.

    Raises:
        NotFound: there is none of this id.
    """
    property_ = await get_property(context, OfProperty(property_id=property_id))
    card = CardBuilder(
        title=_("Map · {place}").format(place=inert_line(property_.location, TITLE - 40)),
        colour=Colour.NORMAL,
    )
    card.add(_("Property"), str(property_.id))
    card.add(_("Coordinates"), f"{property_.x}, {property_.y}")
    if property_.width and property_.height:
        card.add(_("Size"), f"{property_.width} × {property_.height} m")
    whole = context.caller.scope >= Scope.READ
    picture = await property_map(context.read, property_.id, whole=whole)
    return MessageContent([card.build()], picture=picture)


async def _add_facts(context: Context, card: CardBuilder, found: PropertyOverview) -> None:
    property_, detail = found.property_, found.detail
    owner = await user_name(context.read, property_.owner)
    if context.caller.scope >= Scope.READ:
        whole = await whole_user_name(context.read, property_.owner)
        owner = f"{owner} · {whole}" if owner.startswith("<@") and owner != whole else whole
    card.add(_("Owner"), owner)
    if detail is not None:
        price = inert_line(detail.price, 40, blank="")
        card.add(_("Tier"), " · ".join(filter(None, [inert_line(detail.tier_name, 100), price])))
    status = property_status(property_.status)
    if property_.status_by is not None:
        by = who(property_.status_by)
        status = _("{status}, set by {who}").format(status=status, who=by)
    card.add(_("Status"), status)
    if property_.width and property_.height:
        card.add(_("Size"), f"{property_.width} × {property_.height} m")
    card.add(_("Coordinates"), f"{property_.x}, {property_.y}")
    card.add(_("Added"), _ago(property_.added_at))
    card.add(_("In the game"), external_name(property_))


def _equipment(found: PropertyOverview) -> str:
    out_since = {flight.drone_id: flight.dispatched_at for flight in found.flights}
    lines = []
    for row in found.equipment:
        parts = [str(row.id), inert_line(row.name, 30), inert_line(row.description, 40, blank="")]
        if row.id in out_since:
            parts.append(_("out since {when}").format(when=_ago(out_since[row.id])))
        elif row.type == DRONE:
            parts.append(_("free"))
        lines.append(" · ".join(filter(None, parts)))
    return fitting(lines, "\n", FIELD)


async def _latest(context: Context, rows: Sequence[Alert | Visit]) -> str:
    """Show when alarms or visits were, and whose."""
    lines = [f"{_ago(row.at)} · {await user_name(context.read, row.user_id)}" for row in rows]
    return fitting(lines, "\n", 600)


async def _removal(context: Context, found: PropertyOverview) -> str:
    removal = found.removal
    if removal is None:
        return ""
    by = who(removal.asked_by) if removal.asked_by else ""
    if removal.requested_by is not None:
        by = await user_name(context.read, removal.requested_by)
    reason = inert(removal.reason or "", 500, blank="")
    return "\n".join(filter(None, [" · ".join([_ago(removal.requested_at), by]), reason]))


async def _calls(context: Context, found: PropertyOverview) -> str:
    lines = []
    for call in found.emergencies:
        subject = emergency_subject(call.key)
        number = f"{'911' if call.is_emergency else '311'} {call.call_id}"
        link = await linked_name(context.read, subject, number)
        lines.append(f"{link} · {inert_line(call.description, 60)}")
    for dispatched in found.dispatches:
        subject = dispatch_subject(dispatched.key)
        title = inert_line(dispatched.title, 60, blank=_("no title yet"))
        link = await linked_name(context.read, subject, str(dispatched.call_id))
        lines.append(f"{link} · {title}")
    return fitting(lines, "\n", FIELD)


def _buttons(caller: Caller, found: PropertyOverview) -> tuple[Button, ...]:
    """Offer what the caller may do and what makes sense now."""
    property_, removal = found.property_, found.removal
    may_edit = caller.scope >= Scope.WRITE
    may_decide = caller.scope >= Scope.APPROVE
    views = [
        Button(_("Map"), f"property:map:{property_.id}"),
        Button(_("Equipment"), first_page("equipment", str(property_.id))),
    ]
    if caller.scope >= Scope.READ or found.share is Share.OWNER:
        views.append(Button(_("Access list"), first_page("access", str(property_.id))))
    if not may_edit and found.share is Share.NONE:
        return tuple(views)
    red, green = discord.ButtonStyle.danger, discord.ButtonStyle.success
    blue = discord.ButtonStyle.primary
    buttons = []
    if found.has_free_drone:
        buttons.append(Button(_("Dispatch drone"), f"call:drone:{property_.id}", blue))
    buttons += [
        Button(_("Recall drone {id}").format(id=flight.drone_id), f"flight:recall:{flight.id}")
        for flight in found.flights[:MAX_RECALL_BUTTONS]
    ]
    if may_edit:
        buttons.append(Button(_("Edit"), f"property:edit:{property_.id}"))
        buttons.append(Button(_("Name and owner"), f"property:describe:{property_.id}"))
    if may_decide and property_.has_status(PENDING):
        buttons.append(Button(_("Approve"), f"property:approve:{property_.id}", green))
        buttons.append(Button(_("Reject"), f"property:reject:{property_.id}", red))
    if removal is None and (may_edit or found.share is Share.OWNER):
        buttons.append(Button(_("Request removal"), f"property:leave:{property_.id}"))
    if removal is not None and may_decide:
        buttons.append(Button(_("Approve removal"), f"removal:approve:{removal.id}", red))
        buttons.append(Button(_("Deny removal"), f"removal:deny:{removal.id}"))
    if removal is not None and found.may_withdraw:
        buttons.append(Button(_("Withdraw removal"), f"removal:withdraw:{removal.id}"))
    return (*buttons, *views)


def _ago(milliseconds: int) -> str:
    return f"<t:{milliseconds // 1000}:R>"
