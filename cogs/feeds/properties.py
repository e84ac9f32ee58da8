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
    where, user = await _property(sql, data["propertyId"]), await _user(sql, data["clientId"])
    camera = await _equipment(sql, data["cameraId"])
    text = _("{user} was seen by {camera}.").format(user=user, camera=camera)
    return CardBuilder(f"{_('Visit')} · {where}", Colour.NORMAL, text)


async def crime(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A crime was reported."""
    data = event.data
    at = data["propertyId"]
    where = _("elsewhere") if at is None else await _property(sql, at)
    text = _("Crime {id} was reported.").format(id=data["crimeId"])
    if data["clientId"] is not None:
        suspect = _("Suspect: {user}.").format(user=await _user(sql, data["clientId"]))
        text = f"{text} {suspect}"
    return CardBuilder(f"{_('Crime')} · {where}", Colour.WARNING, text)


async def auth_entry(sql: Reader, event: StoredEvent) -> CardBuilder:
    """Somebody identified themselves."""
    data = event.data
    where, user = await _property(sql, data["propertyId"]), await _user(sql, data["clientId"])
    if data["allowed"]:
        let_in = _("{user} was let in.").format(user=user)
        return CardBuilder(f"{_('Access')} · {where}", Colour.GOOD, let_in)
    refused = _("{user} is not on the list.").format(user=user)
    return CardBuilder(f"{_('Access refused')} · {where}", Colour.WARNING, refused)


async def removed(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A property was removed without a request."""
    data = event.data
    where = await _property(sql, data["propertyId"])
    return CardBuilder(f"{_('Property removed')} · {where}", Colour.OVER)


async def restored(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A removed property is back."""
    where = await _property(sql, event.data["propertyId"])
    return CardBuilder(f"{_('Property restored')} · {where}", Colour.GOOD)


async def status(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A property has another status."""
    data = event.data
    where = await _property(sql, data["propertyId"])
    before, after = inert_line(data["previous"], 64), inert_line(data["status"], 64)
    return CardBuilder(f"{_('Status')} · {where}", Colour.NORMAL, f"{before} → {after}")


async def equipment_change(sql: Reader, event: StoredEvent) -> CardBuilder:
    """Equipment came or went."""
    data = event.data
    where = await _property(sql, data["propertyId"])
    changed = await _equipment(sql, data["equipmentId"])
    done = _("Equipment added") if "equipmentType" in data else _("Equipment removed")
    return CardBuilder(f"{done} · {where}", Colour.NORMAL, changed)


async def moved(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A property lies elsewhere."""
    data = event.data
    where = await _property(sql, data["propertyId"])
    text = _("Now at {x}, {y}.").format(x=data["x"], y=data["y"])
    return CardBuilder(f"{_('Moved')} · {where}", Colour.NORMAL, text)


async def resized(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A property has another size."""
    data = event.data
    where = await _property(sql, data["propertyId"])
    sizes = {name: data[name] for name in ("width", "height", "size")}
    text = _("{width} × {height} m, {size} m² in all.").format(**sizes)
    return CardBuilder(f"{_('Resized')} · {where}", Colour.NORMAL, text)


async def tier(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A property has another tier."""
    data = event.data
    where = await _property(sql, data["propertyId"])
    detail = await properties.detail(sql, int(data["propertyId"]))
    name = inert_line(detail.tier_name, NAME) if detail is not None else str(data["tier"])
    return CardBuilder(f"{_('Tier')} · {where}", Colour.NORMAL, _("Now {tier}.").format(tier=name))


async def _property(sql: Reader, property_id: int | str) -> str:
    found = await properties.get_even_removed(sql, int(property_id))
    location = inert_line(found.location, NAME) if found is not None else "?"
    return f"{location} ({property_id})"


async def _user(sql: Reader, user_id: str) -> str:
    user = await users.get(sql, user_id)
    return inert_line(user.full_name if user is not None else user_id, NAME)


async def _equipment(sql: Reader, equipment_id: int) -> str:
    found = await equipment.get_even_removed(sql, equipment_id)
    if found is None:
        return _("equipment {id}").format(id=equipment_id)
    described = inert_line(found.description, NAME, blank="")
    return f"{inert_line(found.name, NAME)} {equipment_id}{f' · {described}' if described else ''}"
