"""Symbols of maps and their legends: each has a shape of its own besides its colour."""

from collections.abc import Callable

from PIL import ImageDraw

from cogs.pictures.canvas import BACKGROUND, Box, Colour

PLACE: Colour = (0x6C, 0xBF, 0xFF)
NEIGHBOUR: Colour = (0xD0, 0xD4, 0xDB)
CALL: Colour = (0xFF, 0x8A, 0x7A)
CAMERA: Colour = (0x63, 0xDB, 0xA4)
DRONE: Colour = (0xFF, 0xD1, 0x5C)


def dashed(draw: ImageDraw.ImageDraw, box: Box, colour: Colour) -> None:
    """Draw the outline of a box in dashes."""
    left, top, right, bottom = box
    for start in range(round(left), round(right), 44):
        end = min(start + 26, right)
        for y in (top, bottom):
            draw.line((start, y, end, y), colour, 6)
    for start in range(round(top), round(bottom), 44):
        end = min(start + 26, bottom)
        for x in (left, right):
            draw.line((x, start, x, end), colour, 6)


def _draw_place_symbol(draw: ImageDraw.ImageDraw, x: float, y: float, size: float) -> None:
    """Draw a pin: a square on its corner."""
    for reach, colour in ((size + 8, BACKGROUND), (size, PLACE), (size * 0.45, BACKGROUND)):
        draw.polygon([(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y)], colour)


def _draw_area(draw: ImageDraw.ImageDraw, x: float, y: float, size: float) -> None:
    draw.rectangle((x - size, y - size, x + size, y + size), BACKGROUND, PLACE, 9)


def _draw_neighbour_symbol(draw: ImageDraw.ImageDraw, x: float, y: float, size: float) -> None:
    """Draw the four corners of a square."""
    draw.rectangle((x - size, y - size, x + size, y + size), BACKGROUND, NEIGHBOUR, 7)
    gap = size * 0.4
    draw.rectangle((x - gap, y - size, x + gap, y + size), BACKGROUND)
    draw.rectangle((x - size, y - gap, x + size, y + gap), BACKGROUND)


def _draw_call(draw: ImageDraw.ImageDraw, x: float, y: float, size: float) -> None:
    """Draw a warning triangle."""
    for reach, colour in ((size * 1.35, BACKGROUND), (size, CALL)):
        low = y + reach * 0.72
        draw.polygon([(x, y - reach), (x + reach * 1.05, low), (x - reach * 1.05, low)], colour)
    draw.line((x, y - size * 0.42, x, y + size * 0.22), BACKGROUND, round(size * 0.24))
    dot = size * 0.13
    middle = y + size * 0.46
    draw.ellipse((x - dot, middle - dot, x + dot, middle + dot), BACKGROUND)


def _draw_camera(draw: ImageDraw.ImageDraw, x: float, y: float, size: float) -> None:
    draw.rounded_rectangle(
        (x - size, y - size * 0.55, x + size * 0.4, y + size * 0.55), size * 0.2, CAMERA
    )
    draw.polygon(
        [(x + size * 0.5, y), (x + size, y - size * 0.5), (x + size, y + size * 0.5)], CAMERA
    )


def _draw_drone(draw: ImageDraw.ImageDraw, x: float, y: float, size: float) -> None:
    arm, rotor = size * 0.62, size * 0.4
    for way in (-1, 1):
        draw.line((x - arm, y - arm * way, x + arm, y + arm * way), DRONE, round(size * 0.24))
        for side in (-1, 1):
            middle = (x + arm * side, y + arm * way)
            draw.ellipse(
                (middle[0] - rotor, middle[1] - rotor, middle[0] + rotor, middle[1] + rotor),
                BACKGROUND,
                DRONE,
                round(size * 0.18),
            )


def _draw_drone_out(draw: ImageDraw.ImageDraw, x: float, y: float, size: float) -> None:
    """Draw a paper plane."""
    draw.polygon(
        [
            (x - size, y + size * 0.1),
            (x + size, y - size * 0.9),
            (x + size * 0.25, y + size * 0.9),
            (x - size * 0.1, y + size * 0.25),
        ],
        DRONE,
    )


SYMBOLS: dict[str, Callable[[ImageDraw.ImageDraw, float, float, float], None]] = {
    "place": _draw_place_symbol,
    "area": _draw_area,
    "neighbour": _draw_neighbour_symbol,
    "call": _draw_call,
    "camera": _draw_camera,
    "drone": _draw_drone,
    "out": _draw_drone_out,
}
"""What stands for what on the map, whatever its colour; drawn at a point, as large as told."""
