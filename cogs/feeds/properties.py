"""Feed entries on properties."""

from cogs.i18n.language import _
from cogs.ui.embeds import CardBuilder, Colour
from cogs.ui.text import inert_line
from db import equipment, properties, users
from db.database import Reader
from webhook.protocol.events import StoredEvent

NAME = 120
"""Characters of a name: ten entries of a few names each must fit into one message."""


async def visit(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A camera saw somebody."""
    data = event.data
    place, user = await _place(sql, data["propertyId"]), await _user(sql, data["clientId"])
    camera = await _equipment(sql, data["cameraId"])
    told = _("{user} was seen by {camera}.").format(user=user, camera=camera)
    return CardBuilder(f"{_('Visit')} · {place}", Colour.NORMAL, told)


async def crime(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A crime was reported."""
    data = event.data
    at = data["propertyId"]
    place = _("elsewhere") if at is None else await _place(sql, at)
    told = _("Crime {id} was reported.").format(id=data["crimeId"])
    if data["clientId"] is not None:
        suspect = _("Suspect: {user}.").format(user=await _user(sql, data["clientId"]))
        told = f"{told} {suspect}"
    return CardBuilder(f"{_('Crime')} · {place}", Colour.WARNING, told)


async def auth_entry(sql: Reader, event: StoredEvent) -> CardBuilder:
    """Somebody identified themselves."""
    data = event.data
    place, user = await _place(sql, data["propertyId"]), await _user(sql, data["clientId"])
    if data["allowed"]:
        let_in = _("{user} was let in.").format(user=user)
        return CardBuilder(f"{_('Access')} · {place}", Colour.GOOD, let_in)
    refused = _("{user} is not on the list.").format(user=user)
    return CardBuilder(f"{_('Access refused')} · {place}", Colour.WARNING, refused)


async def removed(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A property was removed without a request."""
    data = event.data
    place = await _place(sql, data["propertyId"])
    return CardBuilder(f"{_('Property removed')} · {place}", Colour.OVER)


async def restored(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A removed property is back."""
    place = await _place(sql, event.data["propertyId"])
    return CardBuilder(f"{_('Property restored')} · {place}", Colour.GOOD)


async def status(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A property has another status."""
    data = event.data
    place = await _place(sql, data["propertyId"])
    before, after = inert_line(data["previous"], 64), inert_line(data["status"], 64)
    return CardBuilder(f"{_('Status')} · {place}", Colour.NORMAL, f"{before} → {after}")


async def equipment_change(sql: Reader, event: StoredEvent) -> CardBuilder:
    """Equipment came or went."""
    data = event.data
    place = await _place(sql, data["propertyId"])
    changed = await _equipment(sql, data["equipmentId"])
    done = _("Equipment added") if "equipmentType" in data else _("Equipment removed")
    return CardBuilder(f"{done} · {place}", Colour.NORMAL, changed)


async def moved(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A property lies elsewhere."""
    data = event.data
    place = await _place(sql, data["propertyId"])
    told = _("Now at {x}, {y}.").format(x=data["x"], y=data["y"])
    return CardBuilder(f"{_('Moved')} · {place}", Colour.NORMAL, told)


async def resized(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A property has another size."""
    data = event.data
    place = await _place(sql, data["propertyId"])
    sizes = {name: data[name] for name in ("width", "height", "size")}
    told = _("{width} × {height} m, {size} m² in all.").format(**sizes)
    return CardBuilder(f"{_('Resized')} · {place}", Colour.NORMAL, told)


async def tier(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A property has another tier."""
    data = event.data
    place = await _place(sql, data["propertyId"])
    detail = await properties.detail(sql, int(data["propertyId"]))
    name = inert_line(detail.tier_name, NAME) if detail is not None else str(data["tier"])
    return CardBuilder(f"{_('Tier')} · {place}", Colour.NORMAL, _("Now {tier}.").format(tier=name))


async def _place(sql: Reader, property_id: int | str) -> str:
    stored = await properties.get_even_removed(sql, int(property_id))
    location = inert_line(stored.location, NAME) if stored is not None else "?"
    return f"{location} ({property_id})"


async def _user(sql: Reader, user_id: str) -> str:
    user = await users.get(sql, user_id)
    return inert_line(user.full_name if user is not None else user_id, NAME)


async def _equipment(sql: Reader, equipment_id: int) -> str:
    stored = await equipment.get_even_removed(sql, equipment_id)
    if stored is None:
        return _("equipment {id}").format(id=equipment_id)
    described = inert_line(stored.description, NAME, blank="")
    return f"{inert_line(stored.name, NAME)} {equipment_id}{f' · {described}' if described else ''}"
