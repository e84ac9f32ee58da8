"""Feed entries on properties."""

from cogs.i18n.language import _
from cogs.ui.embeds import CardBuilder, Colour
from cogs.ui.text import inert_line
from db import equipment, properties, users
from db.database import Reader
from webhook.protocol.bus import StoredEvent

NAME = 120
"""Characters of a name: ten entries of a few names each must fit into one message."""


async def visit(sql: Reader, event: StoredEvent) -> CardBuilder:
    user = await _user(sql, event.data["clientId"])
    text = _("{user} was there.").format(user=user)
    if "cameraId" in event.data:
        camera = await _equipment(sql, event.data["cameraId"])
        text = _("{user} was seen by {camera}.").format(user=user, camera=camera)
    return await _entry(sql, event, _("Visit"), Colour.NORMAL, text)


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
    before, after = inert_line(event.data["previous"], 64), inert_line(event.data["status"], 64)
    return await _entry(sql, event, _("Status"), Colour.NORMAL, f"{before} → {after}")


async def owner(sql: Reader, event: StoredEvent) -> CardBuilder:
    names = [await _user(sql, event.data[name]) for name in ("previous", "owner")]
    return await _entry(sql, event, _("New owner"), Colour.NORMAL, " → ".join(names))


async def details(sql: Reader, event: StoredEvent) -> CardBuilder:
    """The location is in the title; a description is too long for a feed."""
    done = _("New description") if "description" in event.data else _("New location")
    return await _entry(sql, event, done, Colour.NORMAL)


async def equipment_change(sql: Reader, event: StoredEvent) -> CardBuilder:
    changed = await _equipment(sql, event.data["equipmentId"])
    is_added = "equipmentType" in event.data
    done = _("Equipment added") if is_added else _("Equipment removed")
    return await _entry(sql, event, done, Colour.NORMAL, changed)


async def moved(sql: Reader, event: StoredEvent) -> CardBuilder:
    text = _("Now at {x}, {y}.").format(x=event.data["x"], y=event.data["y"])
    return await _entry(sql, event, _("Moved"), Colour.NORMAL, text)


async def resized(sql: Reader, event: StoredEvent) -> CardBuilder:
    sizes = {name: event.data[name] for name in ("width", "height", "size")}
    text = _("{width} × {height} m, {size} m² in all.").format(**sizes)
    return await _entry(sql, event, _("Resized"), Colour.NORMAL, text)


async def tier(sql: Reader, event: StoredEvent) -> CardBuilder:
    detail = await properties.detail(sql, int(event.data["propertyId"]))
    name = inert_line(detail.tier_name, NAME) if detail is not None else str(event.data["tier"])
    return await _entry(sql, event, _("Tier"), Colour.NORMAL, _("Now {tier}.").format(tier=name))


async def _entry(
    sql: Reader, event: StoredEvent, what: str, colour: Colour, text: str = ""
) -> CardBuilder:
    """Show what happened at the property of the event, or elsewhere."""
    property_id = event.data.get("propertyId")
    if property_id is None:
        return CardBuilder(f"{what} · {_('elsewhere')}", colour, text)
    found = await properties.get_even_removed(sql, int(property_id))
    location = inert_line(found.location, NAME) if found is not None else "?"
    return CardBuilder(f"{what} · {location} ({property_id})", colour, text)


async def _user(sql: Reader, user_id: str) -> str:
    user = await users.get(sql, user_id)
    return inert_line(user.full_name if user is not None else user_id, NAME)


async def _equipment(sql: Reader, equipment_id: int) -> str:
    found = await equipment.get_even_removed(sql, equipment_id)
    if found is None:
        return _("equipment {id}").format(id=equipment_id)
    described = inert_line(found.description, NAME, blank="")
    return f"{inert_line(found.name, NAME)} {equipment_id}{f' · {described}' if described else ''}"
