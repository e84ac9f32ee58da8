"""Feed entries on properties."""

from typing import Any

import orjson

from cogs.i18n.language import N_, _
from cogs.ui.embeds import CardBuilder, Colour
from cogs.ui.names import equipment_name, property_status, tier_name, user_name
from cogs.ui.text import inert_line, who
from db import access, audit, properties
from db.database import Reader
from webhook.protocol.bus import StoredEvent
from webhook.queries.models import property_subject

NAME = 120
"""Characters of a name: ten entries of a few names each must fit into one message."""

_VISITORS = {
    0: (N_("stranger"), Colour.WARNING),
    1: (N_("guest"), Colour.NORMAL),
    2: (N_("owner"), Colour.NORMAL),
}
"""Who a visitor is at the property, by their share."""


async def visit(sql: Reader, event: StoredEvent) -> CardBuilder:
    user = await _user(sql, event.data["clientId"])
    text = _("{user} was there.").format(user=user)
    if "cameraId" in event.data:
        camera = await equipment_name(sql, event.data["cameraId"], NAME)
        text = _("{user} was seen by {camera}.").format(user=user, camera=camera)
    share = await access.share_of(sql, event.data["propertyId"], [event.data["clientId"]])
    what, colour = _VISITORS[share or 0]
    return await _entry(sql, event, f"{_('Visit')} · {_(what)}", colour, text)


async def crime(sql: Reader, event: StoredEvent) -> CardBuilder:
    data = event.data
    text = _("Crime {id} was reported.").format(id=data["crimeId"])
    if (client_id := data.get("clientId")) is not None:
        suspect = _("Suspect: {user}.").format(user=await _user(sql, client_id))
        text = f"{text} {suspect}"
    return await _entry(sql, event, _("Crime"), Colour.WARNING, text)


async def auth_entry(sql: Reader, event: StoredEvent) -> CardBuilder:
    user = await _user(sql, event.data["clientId"])
    if event.data["allowed"]:
        what, colour, text = _("Access"), Colour.GOOD, _("{user} was let in.")
    else:
        what, colour, text = _("Access refused"), Colour.DANGER, _("{user} was not let in.")
    lines = [text.format(user=user)]
    if method := event.data.get("method"):
        lines.append(_("With: {method}").format(method=inert_line(method, NAME)))
    if reason := event.data.get("reason"):
        lines.append(_("Reason: {reason}").format(reason=inert_line(reason, NAME)))
    return await _entry(sql, event, what, colour, "\n".join(lines))


async def allowed_user(sql: Reader, event: StoredEvent) -> CardBuilder:
    user = await _user(sql, event.data["userId"])
    text = _("{user} can enter now.") if event.data["allowed"] else _("{user} can no longer enter.")
    return await _entry(sql, event, _("Access list"), Colour.NORMAL, text.format(user=user))


async def removed(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A property was removed without a request."""
    return await _entry(sql, event, _("Property removed"), Colour.OVER)


async def restored(sql: Reader, event: StoredEvent) -> CardBuilder:
    return await _entry(sql, event, _("Property restored"), Colour.GOOD)


async def status(sql: Reader, event: StoredEvent) -> CardBuilder:
    names = [property_status(event.data[name]) for name in ("previous", "status")]
    return await _entry(sql, event, _("Status"), Colour.NORMAL, " → ".join(names))


async def owner(sql: Reader, event: StoredEvent) -> CardBuilder:
    names = [await _user(sql, event.data[name]) for name in ("previous", "owner")]
    return await _entry(sql, event, _("New owner"), Colour.NORMAL, " → ".join(names))


async def details(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A description is too long for a feed."""
    if "description" in event.data:
        return await _entry(sql, event, _("New description"), Colour.NORMAL)
    before = await _before(sql, event, "location")
    names = [inert_line(name, NAME) for name in (before, event.data["location"]) if name]
    return await _entry(sql, event, _("New location"), Colour.NORMAL, " → ".join(names))


async def equipment_change(sql: Reader, event: StoredEvent) -> CardBuilder:
    changed = await equipment_name(sql, event.data["equipmentId"], NAME)
    is_added = "equipmentType" in event.data
    done = _("Equipment added") if is_added else _("Equipment removed")
    return await _entry(sql, event, done, Colour.NORMAL, changed)


async def moved(sql: Reader, event: StoredEvent) -> CardBuilder:
    x, y = await _pair_before(sql, event, "x", "y")
    text = f"{event.data['x']}, {event.data['y']}"
    text = text if x is None else f"{x}, {y} → {text}"
    return await _entry(sql, event, _("Moved"), Colour.NORMAL, text)


async def resized(sql: Reader, event: StoredEvent) -> CardBuilder:
    sizes = {name: event.data[name] for name in ("width", "height", "size")}
    text = _("{width} × {height} m, {size} m² in all.").format(**sizes)
    width, height = await _pair_before(sql, event, "width", "height")
    text = text if width is None else f"{width} × {height} m → {text}"
    return await _entry(sql, event, _("Resized"), Colour.NORMAL, text)


async def tier(sql: Reader, event: StoredEvent) -> CardBuilder:
    now = await tier_name(sql, event.data["tier"])
    before = await _before(sql, event, "tier")
    text = now if before is None else f"{await tier_name(sql, before)} → {now}"
    return await _entry(sql, event, _("Tier"), Colour.NORMAL, text)


async def _entry(
    sql: Reader, event: StoredEvent, what: str, colour: Colour, text: str = ""
) -> CardBuilder:
    """Show what happened at the property of the event, or elsewhere."""
    property_id = event.data.get("propertyId")
    if property_id is None:
        return CardBuilder(f"{what} · {_('elsewhere')}", colour, text)
    found = await properties.get_even_removed(sql, int(property_id))
    location = inert_line(found.location, NAME) if found is not None else "?"
    by = await audit.author(sql, str(property_subject(int(property_id))), event.at)
    if by is not None:
        text = "\n".join(filter(None, [text, _("By {who}.").format(who=who(by))]))
    return CardBuilder(f"{what} · {location} #{property_id}", colour, text)


async def _before(sql: Reader, event: StoredEvent, name: str) -> Any:
    """Return what something was before the change that the event tells of; None if unknown."""
    subject = str(property_subject(int(event.data["propertyId"])))
    for record in await audit.changes(sql, subject, event.at):
        before = orjson.loads(record.before)
        if name in before:
            return before[name]
    return None


async def _pair_before(sql: Reader, event: StoredEvent, first: str, second: str) -> tuple[Any, Any]:
    """Return what two values were before; one that is unknown beside a known one is unchanged."""
    before = {name: await _before(sql, event, name) for name in (first, second)}
    if set(before.values()) == {None}:
        return None, None
    known = {name: event.data[name] if value is None else value for name, value in before.items()}
    return known[first], known[second]


async def _user(sql: Reader, user_id: str) -> str:
    return await user_name(sql, user_id, NAME)
