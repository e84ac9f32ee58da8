"""The map of a property, from the stored state."""

from collections.abc import Sequence
from math import hypot

from cogs.i18n.language import _, plural
from cogs.pictures.backdrop import Rectangle, stored_backdrop
from cogs.pictures.maps import LegendLine, Map, Neighbour, Spot, draw_map, view_of
from cogs.ui.picture import Picture
from cogs.ui.text import fitting, plain_line
from db import dispatches, emergencies, equipment, flights, properties
from db.database import Reader
from db.dispatches import DispatchCall
from db.emergencies import EmergencyCall
from db.equipment import CAMERA, DRONE
from db.properties import Property

NAME = 60
LISTED = 4
"""Calls that the legend names; it counts the others."""

DRAWN = 30
"""The most calls, and the most neighbours, that are drawn."""

FAR = 1_500.0
"""Metres from the property; a call farther away does not widen the view."""


async def property_map(sql: Reader, property_id: int, *, whole: bool = True) -> Picture | None:
    """Return the map of a property, removed or not; None if there never was one.

    Without `whole` it shows only what is the property's own: no calls, no neighbours.
    """
    property_ = await properties.get_even_removed(sql, property_id)
    if property_ is None:
        return None
    area = _rectangle(property_)
    here = await dispatches.open_at(sql, property_id) if whole else []
    near = [
        (call.x, call.y)
        for call in here
        if call.x is not None and call.y is not None and (_distance(call, area) or 0.0) <= FAR
    ]
    view = view_of(area, near)
    around = await dispatches.open_in(sql, view, DRAWN) if whole else []
    neighbours = await properties.in_view(sql, view, property_id, DRAWN) if whole else []
    emergency_calls = await emergencies.open_at(sql, property_id) if whole else []
    badges, equipment_lines = await _equipment(sql, property_id)
    symbol = "area" if property_.width and property_.height else "property"
    legend = [
        LegendLine(symbol, _size(property_)),
        *equipment_lines,
        *_call_lines([*here, *around], emergency_calls, area),
    ]
    if neighbours:
        names = fitting([_name(neighbour) for neighbour in neighbours], ", ", 90)
        legend.append(LegendLine("neighbour", _("Nearby: {names}").format(names=names)))
    name, x, y = _name(property_), property_.x, property_.y
    subtitle = _("Property {id} · x {x}, y {y}").format(id=property_id, x=x, y=y)
    shown = Map(
        title=name,
        subtitle=subtitle,
        view=view,
        area=area,
        badges=tuple(badges),
        neighbours=tuple(
            Neighbour(_rectangle(neighbour), _name(neighbour)) for neighbour in neighbours
        ),
        calls=tuple(
            Spot(call.x, call.y, str(call.call_id))
            for call in around
            if call.x is not None and call.y is not None
        ),
        legend=tuple(legend),
        north=_("N"),
        backdrop=await stored_backdrop(sql),
    )
    words = "; ".join(line.text for line in legend)
    alt = _("Map of {place}. {subtitle}; {legend}.")
    alt = alt.format(place=name, subtitle=subtitle, legend=words)
    return Picture.of("map.png", alt, shown, draw_map)


def _rectangle(property_: Property) -> Rectangle:
    return Rectangle(property_.x, property_.y, property_.width, property_.height)


def _name(property_: Property) -> str:
    return plain_line(property_.location, NAME) or str(property_.id)


def _size(property_: Property) -> str:
    if property_.width and property_.height:
        return _("{width} × {height} m, x and y are its south-western corner").format(
            width=property_.width, height=property_.height
        )
    return _("Its size is not known")


def _distance(call: DispatchCall, area: Rectangle) -> float | None:
    """Return the metres from a call to a property; None if the call has no position."""
    if call.x is None or call.y is None:
        return None
    return hypot(
        max(area.x - call.x, 0.0, call.x - area.x - area.width),
        max(area.y - call.y, 0.0, call.y - area.y - area.height),
    )


def _call_lines(
    calls: Sequence[DispatchCall], emergency_calls: Sequence[EmergencyCall], area: Rectangle
) -> list[LegendLine]:
    """Return the legend of the open calls, the nearest first."""
    once = {(call.cad, call.call_id): call for call in calls}
    nearest = sorted(once.values(), key=lambda call: _distance(call, area) or 0.0)
    texts = [_call_text(call, area) for call in nearest]
    texts += [
        _("911 call {id} · at the property").format(id=call.call_id) for call in emergency_calls
    ]
    if len(texts) > LISTED:
        more = len(texts) - LISTED
        texts[LISTED:] = [plural("{number} more open call", "{number} more open calls", more)]
    return [LegendLine("call", text) for text in texts]


def _call_text(call: DispatchCall, area: Rectangle) -> str:
    distance = _distance(call, area)
    title = plain_line(call.title or call.description, 40)
    name = f"{call.call_id} {title}".rstrip()
    if not distance:
        return _("Call {call} · at the property").format(call=name)
    return _("Call {call} · {metres} m away").format(call=name, metres=round(distance))


async def _equipment(sql: Reader, property_id: int) -> tuple[list[LegendLine], list[LegendLine]]:
    """Return a property's equipment: for the badges at it, and for the legend."""
    installed = await equipment.of_property(sql, property_id)
    out = {flight.drone_id for flight in await flights.open_of_property(sql, property_id)}
    cameras = [item for item in installed if item.type == CAMERA]
    ready = [item for item in installed if item.type == DRONE and item.id not in out]
    flying = [item for item in installed if item.type == DRONE and item.id in out]
    groups = (
        ("camera", cameras, plural("{number} camera", "{number} cameras", len(cameras))),
        ("drone", ready, plural("{number} drone ready", "{number} drones ready", len(ready))),
        ("out", flying, plural("{number} drone out", "{number} drones out", len(flying))),
    )
    badges, legend = [], []
    for symbol, items, count in groups:
        if items:
            names = [plain_line(item.description, 40) or item.name for item in items]
            badges.append(LegendLine(symbol, str(len(items))))
            legend.append(LegendLine(symbol, f"{count}: {fitting(names, ', ', 90)}"))
    return badges, legend or [LegendLine("camera", _("No camera and no drone"))]
