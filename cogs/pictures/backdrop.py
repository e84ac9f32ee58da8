"""The owner's own map image, with two points that say where on it the game's coordinates are.

The configuration is read by commands that draw nothing, so Pillow is imported when an image is.
"""

import os
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import orjson

from db import settings
from db.database import Reader, Transaction

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_BYTES = 100 * 1024 * 1024
MOST_PIXELS = 70_000_000
"""A square map of 8192 pixels has 67 million."""

CACHED_PIXELS = 20_000_000
"""Pixels that are held in memory, three bytes each; a larger image is halved first."""

APART = 20
"""Pixels by which the two points must differ in both directions, or errors grow too large."""

BRIGHTNESS = 0.62
"""Of the image below what is drawn on it."""

Point = tuple[float, float, float, float]
"""A pixel of the image, from the left and the top, and the position on the map: `x` and `y`."""


SETTING = "map.backdrop"
"""The setting that holds the configured map image, for the cards that draw it."""


class Rectangle(NamedTuple):
    """An area of the map in metres, from its south-western corner."""

    x: float
    y: float
    width: float
    height: float


class BackdropError(ValueError):
    """A map image that cannot be used; the text says why and how to fix it."""


@dataclass(frozen=True, slots=True)
class Backdrop:
    """A map image. `changed`: when the file was written, so that a new file is read again."""

    path: str
    changed: int
    points: tuple[Point, Point]

    @classmethod
    def of(cls, path: str, points: list[list[float]]) -> "Backdrop":
        """Return a map image whose points and header are valid.

        Raises:
            BackdropError: it cannot be used.
        """
        one, other = _checked(points)
        try:
            with _opened(path):
                changed = os.stat(path).st_mtime_ns
        except OSError as fault:
            raise BackdropError(f"the map image {path}: {fault.strerror}") from None
        return cls(os.path.abspath(path), changed, (one, other))

    def decode(self) -> tuple[int, int]:
        """Read the whole image; return its width and height in pixels.

        Raises:
            BackdropError: it is damaged.
        """
        image, shrunk = _decoded(self.path, self.changed)
        return image.width * shrunk, image.height * shrunk

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixel of the image at a position of the map."""
        (px1, py1, x1, y1), (px2, py2, x2, y2) = self.points
        right = (px2 - px1) / (x2 - x1)
        down = (py2 - py1) / (y2 - y1)
        return px1 + (x - x1) * right, py1 + (y - y1) * down

    def position(self, right: float, down: float) -> tuple[float, float]:
        """Return the position of the map at a pixel of the image."""
        (px1, py1, x1, y1), (px2, py2, x2, y2) = self.points
        east = (x2 - x1) / (px2 - px1)
        north = (y2 - y1) / (py2 - py1)
        return x1 + (right - px1) * east, y1 + (down - py1) * north

    def cut(self, view: Rectangle, size: tuple[int, int]) -> "tuple[Image, Rectangle]":
        """Return the part of the image inside a view of `size` pixels, and where on the map it is.

        Raises:
            BackdropError: the image cannot be read any more, or does not reach there.
        """
        from PIL import ImageEnhance
        from PIL.Image import Resampling

        image, shrunk = _decoded(self.path, self.changed)
        west, north = self.pixel(view.x, view.y + view.height)
        east, south = self.pixel(view.x + view.width, view.y)
        left, right = max(west, 0.0), min(east, image.width * shrunk)
        upper, lower = max(north, 0.0), min(south, image.height * shrunk)
        across = round((right - left) * size[0] / (east - west))
        down = round((lower - upper) * size[1] / (south - north))
        if across <= 0 or down <= 0:
            raise BackdropError("the map image does not reach there")
        box = left / shrunk, upper / shrunk, right / shrunk, lower / shrunk
        part = image.resize((across, down), Resampling.BILINEAR, box=box, reducing_gap=2.0)
        x, y = self.position(left, lower)
        x_east, y_north = self.position(right, upper)
        area = Rectangle(x, y, x_east - x, y_north - y)
        return ImageEnhance.Brightness(part).enhance(BRIGHTNESS), area


async def store_backdrop(sql: Transaction, backdrop: Backdrop | None) -> None:
    """Store the configured map image, or that there is none."""
    if backdrop is None:
        await settings.forget(sql, SETTING)
    else:
        await settings.put(sql, SETTING, orjson.dumps(asdict(backdrop)).decode())


async def stored_backdrop(sql: Reader) -> Backdrop | None:
    """Return the configured map image."""
    text = await settings.get(sql, SETTING)
    if text is None:
        return None
    data = orjson.loads(text)
    one, other = data["points"]
    return Backdrop(data["path"], data["changed"], (tuple(one), tuple(other)))


def _checked(points: list[list[float]]) -> tuple[Point, Point]:
    if len(points) != 2 or any(len(point) != 4 for point in points):
        raise BackdropError(
            "the map image needs two points: points = [[px, py, x, y], [px, py, x, y]], each a"
            " pixel of the image and the game's coordinates of that place"
        )
    (px1, py1, x1, y1), (px2, py2, x2, y2) = points
    if abs(px1 - px2) < APART or abs(py1 - py2) < APART:
        raise BackdropError(
            f"the two points lie on one line of the image: choose two that are at least {APART}"
            " pixels apart both across and down, best near opposite corners"
        )
    if abs(x1 - x2) < 1 or abs(y1 - y2) < 1:
        raise BackdropError(
            "the two points have the same x or the same y in the game: choose two places that"
            " differ in both"
        )
    if (px1 < px2) != (x1 < x2):
        raise BackdropError(
            "the two points mirror the map: the place further right on the image must have the"
            " greater x; are px and x of the two points exchanged?"
        )
    if (py1 < py2) == (y1 < y2):
        raise BackdropError(
            "the two points turn the map upside down: the place further down on the image must"
            " have the smaller y, as y grows to the north and pixels are counted from the top"
        )
    return (px1, py1, x1, y1), (px2, py2, x2, y2)


def _opened(path: str) -> "Image":
    """Open an image without reading more than its beginning.

    Raises:
        BackdropError: it is no image, or too large.
        OSError: there is no such file, or it cannot be read.
    """
    from PIL import Image, UnidentifiedImageError

    if os.path.getsize(path) > MOST_BYTES:
        raise BackdropError(
            f"the map image {path} has more than {MOST_BYTES >> 20} MiB: save it smaller"
        )
    try:
        image = Image.open(path, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels(path) from None
    except (UnidentifiedImageError, SyntaxError, ValueError):
        raise BackdropError(
            f"the map image {path} is not an image that can be read: save it as PNG, JPEG or WebP"
        ) from None
    if image.width * image.height > MOST_PIXELS:
        image.close()
        raise _too_many_pixels(path)
    return image


def _too_many_pixels(path: str) -> BackdropError:
    return BackdropError(
        f"the map image {path} has more than {MOST_PIXELS // 1_000_000} million pixels: scale it"
        " down, 8192 × 8192 is the most"
    )


@lru_cache(1)
def _decoded(path: str, _changed: int) -> "tuple[Image, int]":
    """Return an image as it is held in memory, and by what it was divided to fit."""
    try:
        with _opened(path) as image:
            shrunk = 1
            while image.width * image.height > CACHED_PIXELS * shrunk**2:
                shrunk += 1
            # A palette has no colours between its own.
            whole = image.convert("RGB") if image.mode == "P" else image
            return whole.reduce(shrunk).convert("RGB"), shrunk
    except (OSError, SyntaxError, ValueError) as fault:
        if isinstance(fault, BackdropError):
            raise
        raise BackdropError(
            f"the map image {path} is damaged ({fault}): save it once more"
        ) from None
