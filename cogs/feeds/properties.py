"""Feed entries on properties."""

from cogs.content import CardBuilder, Colour
from cogs.text import inert_line
from db import equipment, properties, users
from db.database import Reader
from webhook.events import Published

NAME = 120
"""Characters of a name: ten entries of a few names each must fit into one message."""


async def visit(sql: Reader, event: Published) -> CardBuilder:
    """A camera saw somebody."""
    data = event.data
    place, user = await _place(sql, data["propertyId"]), await _user(sql, data["clientId"])
    camera = await _equipment(sql, data["cameraId"])
    return CardBuilder(f"Visit · {place}", Colour.NORMAL, f"{user} was seen by {camera}.")


async def crime(sql: Reader, event: Published) -> CardBuilder:
    """A crime was reported."""
    data = event.data
    place = "elsewhere" if data["propertyId"] is None else await _place(sql, data["propertyId"])
    by = "" if data["clientId"] is None else f" Suspect: {await _user(sql, data['clientId'])}."
    return CardBuilder(
        f"Crime · {place}", Colour.WARNING, f"Crime {data['crimeId']} was reported.{by}"
    )


async def auth_entry(sql: Reader, event: Published) -> CardBuilder:
    """Somebody identified themselves."""
    data = event.data
    place, user = await _place(sql, data["propertyId"]), await _user(sql, data["clientId"])
    if data["allowed"]:
        return CardBuilder(f"Access · {place}", Colour.GOOD, f"{user} was let in.")
    return CardBuilder(f"Access refused · {place}", Colour.WARNING, f"{user} is not on the list.")


async def removed(sql: Reader, event: Published) -> CardBuilder:
    """A property was removed without a request."""
    data = event.data
    place = await _place(sql, data["propertyId"])
    return CardBuilder(f"Property removed · {place}", Colour.OVER)


async def restored(sql: Reader, event: Published) -> CardBuilder:
    """A removed property is back."""
    place = await _place(sql, event.data["propertyId"])
    return CardBuilder(f"Property restored · {place}", Colour.GOOD)


async def status(sql: Reader, event: Published) -> CardBuilder:
    """A property has another status."""
    data = event.data
    place = await _place(sql, data["propertyId"])
    before, after = inert_line(data["previous"], 64), inert_line(data["status"], 64)
    return CardBuilder(f"Status · {place}", Colour.NORMAL, f"{before} → {after}")


async def equipment_change(sql: Reader, event: Published) -> CardBuilder:
    """Equipment came or went."""
    data = event.data
    place = await _place(sql, data["propertyId"])
    changed = await _equipment(sql, data["equipmentId"])
    verb = "added" if "equipmentType" in data else "removed"
    return CardBuilder(f"Equipment {verb} · {place}", Colour.NORMAL, changed)


async def moved(sql: Reader, event: Published) -> CardBuilder:
    """A property lies elsewhere."""
    data = event.data
    place = await _place(sql, data["propertyId"])
    return CardBuilder(f"Moved · {place}", Colour.NORMAL, f"Now at {data['x']}, {data['y']}.")


async def resized(sql: Reader, event: Published) -> CardBuilder:
    """A property has another size."""
    data = event.data
    place = await _place(sql, data["propertyId"])
    size = f"{data['width']} × {data['height']} m, {data['size']} m² in all."
    return CardBuilder(f"Resized · {place}", Colour.NORMAL, size)


async def tier(sql: Reader, event: Published) -> CardBuilder:
    """A property has another tier."""
    data = event.data
    place = await _place(sql, data["propertyId"])
    detail = await properties.detail(sql, int(data["propertyId"]))
    name = inert_line(detail.tier_name, NAME) if detail is not None else str(data["tier"])
    return CardBuilder(f"Tier · {place}", Colour.NORMAL, f"Now {name}.")


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
        return f"equipment {equipment_id}"
    described = inert_line(stored.description, NAME, blank="")
    return f"{inert_line(stored.name, NAME)} {equipment_id}{f' · {described}' if described else ''}"
