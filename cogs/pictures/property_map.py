"""The map of a property, from what is stored."""

from collections.abc import Sequence
from math import hypot

from cogs.i18n.language import _, plural
from cogs.pictures import stored_backdrop
from cogs.pictures.backdrop import Rectangle
from cogs.pictures.maps import Area, Line, Map, Spot, draw_map, view_of
from cogs.ui.picture import Picture
from cogs.ui.text import fitting, plain_line
from db import dispatches, emergencies, equipment, flights, properties
from db.database import Reader
from db.dispatches import DispatchCall
from db.equipment import CAMERA, DRONE, Equipment
from db.properties import Property

NAME = 60
LISTED = 4
"""Calls that the legend names; the others are counted."""

SHOWN = 30
"""Calls, and neighbours, that are drawn."""

FAR = 1_500.0
"""Metres from the property beyond which a call does not widen the view."""


async def property_map(sql: Reader, property_id: int, *, whole: bool = True) -> Picture | None:
    """Return the map of a property, removed or not; None if there never was one.

    Without `whole` it shows only what is the property's own: no calls, no neighbours.
    """
    place = await properties.get_even_removed(sql, property_id)
    if place is None:
        return None
    here = await dispatches.open_at(sql, place.id) if whole else []
    area = _rectangle(place)
    view = view_of(area, [point for call in here if (point := _near(call, area))])
    around = await dispatches.open_in(sql, view, SHOWN) if whole else []
    neighbours = await properties.in_view(sql, view, place.id, SHOWN) if whole else []
    calls = {(call.cad, call.call_id): call for call in [*here, *around]}
    waiting = await emergencies.open_at(sql, place.id) if whole else []
    nearest = sorted(calls.values(), key=lambda call: _away(call, area) or 0.0)
    said_calls = [_said(call, area) for call in nearest]
    said_calls += [_("911 call {id} · at the property").format(id=call.call_id) for call in waiting]
    badges, has = await _equipment(sql, place.id)
    mark = "area" if place.width and place.height else "place"
    lines = [Line(mark, _size(place)), *has, *_listed(said_calls)]
    if neighbours:
        names = fitting([_name(one) for one in neighbours], ", ", 90)
        lines.append(Line("neighbour", _("Nearby: {names}").format(names=names)))
    shown = Map(
        title=_name(place),
        subtitle=_("Property {id} · x {x}, y {y}").format(id=place.id, x=place.x, y=place.y),
        view=view,
        place=area,
        badges=tuple(badges),
        neighbours=tuple(Area(_rectangle(one), _name(one)) for one in neighbours),
        calls=tuple(
            Spot(call.x, call.y, str(call.call_id))
            for call in around
            if call.x is not None and call.y is not None
        ),
        legend=tuple(lines),
        north=_("N"),
        backdrop=await stored_backdrop.stored(sql),
    )
    said = "; ".join(line.text for line in lines)
    alt = _("Map of {place}. {subtitle}; {said}.").format(
        place=shown.title, subtitle=shown.subtitle, said=said
    )
    return Picture.of("map.png", alt, shown, draw_map)


def _rectangle(place: Property) -> Rectangle:
    return Rectangle(place.x, place.y, place.width, place.height)


def _name(place: Property) -> str:
    return plain_line(place.location, NAME) or str(place.id)


def _size(place: Property) -> str:
    if place.width and place.height:
        return _("{width} × {height} m, x and y are its south-western corner").format(
            width=place.width, height=place.height
        )
    return _("Its size is not known")


def _away(call: DispatchCall, area: Rectangle) -> float | None:
    """Return how far a call is from a property, in metres; None if it says no point."""
    if call.x is None or call.y is None:
        return None
    return hypot(
        max(area.x - call.x, 0.0, call.x - area.x - area.width),
        max(area.y - call.y, 0.0, call.y - area.y - area.height),
    )


def _near(call: DispatchCall, area: Rectangle) -> tuple[float, float] | None:
    """Return the point of a call that is not too far away."""
    away = _away(call, area)
    if call.x is None or call.y is None or away is None or away > FAR:
        return None
    return call.x, call.y


def _said(call: DispatchCall, area: Rectangle) -> str:
    """Name a call and say where it is."""
    away = _away(call, area)
    title = plain_line(call.title or call.description, 40)
    named = f"{call.call_id} {title}".rstrip()
    if not away:
        return _("Call {named} · at the property").format(named=named)
    return _("Call {named} · {metres} m away").format(named=named, metres=round(away))


def _listed(said: Sequence[str]) -> list[Line]:
    lines = [Line("call", text) for text in said[:LISTED]]
    if len(said) > LISTED:
        more = plural("{number} more open call", "{number} more open calls", len(said) - LISTED)
        lines.append(Line("call", more))
    return lines


async def _equipment(sql: Reader, property_id: int) -> tuple[list[Line], list[Line]]:
    """Return what the property has: for the symbols at it, and for the legend."""
    has = await equipment.of_property(sql, property_id)
    out = {flight.drone_id for flight in await flights.open_of_property(sql, property_id)}
    cameras = [one for one in has if one.type == CAMERA]
    ready = [one for one in has if one.type == DRONE and one.id not in out]
    flying = [one for one in has if one.type == DRONE and one.id in out]
    said = (
        ("camera", plural("{number} camera", "{number} cameras", len(cameras)), cameras),
        ("drone", plural("{number} drone ready", "{number} drones ready", len(ready)), ready),
        ("out", plural("{number} drone out", "{number} drones out", len(flying)), flying),
    )
    badges = [Line(symbol, str(len(group))) for symbol, _counted, group in said if group]
    legend = [
        Line(symbol, f"{counted}: {_described(group)}") for symbol, counted, group in said if group
    ]
    return badges, legend or [Line("camera", _("No camera and no drone"))]


def _described(group: Sequence[Equipment]) -> str:
    return fitting([plain_line(one.description, 40) or one.name for one in group], ", ", 90)
