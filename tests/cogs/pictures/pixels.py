"""Looks at drawn pictures: sizes, colours, contrast."""

from io import BytesIO

from PIL import Image, ImageColor

Colour = str | tuple[int, int, int]
"""As matplotlib writes it, `#rrggbb`, or its parts."""


def opened(png: bytes) -> Image.Image:
    """Return a picture, decoded to its last byte."""
    image = Image.open(BytesIO(png), formats=("PNG",))
    return image.convert("RGB")


def share(
    image: Image.Image, colour: Colour, box: tuple[int, int, int, int] | None = None
) -> float:
    """Return how much of a picture, or of a box in it, has exactly a colour."""
    part = image.crop(box) if box else image
    return pixels(part, colour) / (part.width * part.height)


def pixels(image: Image.Image, colour: Colour) -> int:
    """Count the pixels that have exactly a colour."""
    found = image.getcolors(image.width * image.height) or []
    wanted = _parts(colour)
    return next((number for number, one in found if one == wanted), 0)


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast of two colours as WCAG counts it, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _parts(colour: Colour) -> tuple[int, ...]:
    return ImageColor.getrgb(colour) if isinstance(colour, str) else colour


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in _parts(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
