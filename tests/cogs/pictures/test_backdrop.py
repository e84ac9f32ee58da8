"""The owner's map image: what is rejected and why, and which pixel is where."""

import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cogs.pictures import backdrop as backdrops
from cogs.pictures.backdrop import (
    BRIGHTNESS,
    Backdrop,
    BackdropError,
    Rectangle,
    store_backdrop,
    stored_backdrop,
)
from tests.webhook.harness import AppHarness

POINTS: list[list[float]] = [[0, 0, -100, 200], [200, 100, 100, 0]]
"""Of an image of 200 by 100 pixels: one metre a pixel eastwards, two northwards."""

RED, BLUE = (250, 0, 0), (0, 0, 250)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """An image whose western half is red and whose eastern half is blue."""
    file = tmp_path / "map.png"
    drawn = Image.new("RGB", (200, 100), RED)
    drawn.paste(BLUE, (100, 0, 200, 100))
    drawn.save(file)
    return file


def _darker(colour: tuple[int, int, int]) -> tuple[int, ...]:
    return tuple(int(part * BRIGHTNESS) for part in colour)


def test_a_view_is_cut_from_the_image_by_its_points(image: Path) -> None:
    backdrop = Backdrop.of(str(image), POINTS)
    view = Rectangle(-50, 50, 100, 100)
    shown, area = backdrop.cut(view, (400, 400))
    assert (shown.size, area) == ((400, 400), view)
    assert shown.getpixel((100, 200)) == _darker(RED)
    assert shown.getpixel((300, 200)) == _darker(BLUE)
    assert backdrop.position(0, 0) == (-100, 200)
    assert backdrop.position(200, 100) == (100, 0)


def test_beyond_its_edge_there_is_no_image(image: Path) -> None:
    backdrop = Backdrop.of(str(image), POINTS)
    shown, area = backdrop.cut(Rectangle(-200, 100, 200, 200), (400, 400))
    assert area == Rectangle(-100, 100, 100, 100)
    assert shown.size == (200, 200)
    with pytest.raises(BackdropError, match="does not reach there"):
        backdrop.cut(Rectangle(5_000, 5_000, 100, 100), (400, 400))


coordinates = st.floats(-1e6, 1e6)


@given(coordinates, coordinates)
def test_positions_and_pixels_convert_both_ways(x: float, y: float) -> None:
    backdrop = Backdrop("", 0, ((3, 4, -4_000, 8_000), (6_000, 8_100, 4_500, -4_000)))
    assert backdrop.position(*backdrop.pixel(x, y)) == pytest.approx((x, y), rel=1e-6, abs=1e-3)


@pytest.mark.parametrize(
    ("points", "error"),
    [
        ([], "needs two points"),
        ([[0, 0, 0, 0]], "needs two points"),
        ([[0, 0, 0], [1, 1, 1, 1]], "needs two points"),
        ([[0, 0, 0, 100], [0, 90, 50, 0]], "lie on one line of the image"),
        ([[0, 50, 0, 100], [90, 50, 50, 0]], "lie on one line of the image"),
        ([[0, 0, 7, 100], [90, 90, 7, 0]], "have the same x or the same y"),
        ([[0, 0, 50, 100], [90, 90, 0, 0]], "mirror the map"),
        ([[0, 0, 0, 0], [90, 90, 50, 100]], "turn the map upside down"),
    ],
)
def test_unusable_points_are_rejected(image: Path, points: list[list[float]], error: str) -> None:
    with pytest.raises(BackdropError, match=error):
        Backdrop.of(str(image), points)


_PIXELS = struct.pack(">I", 100) + b"IDAT" + bytes(100)


def _png_header(width: int, height: int) -> bytes:
    """The beginning of an image that claims a size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    checked = struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + checked + _PIXELS


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "not an image that can be read"),
        (b"not an image", "not an image that can be read"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "save it as PNG, JPEG or WebP"),
        (_png_header(9_000, 8_000), "more than 70 million pixels"),
        (_png_header(12_000, 9_000), "more than 70 million pixels"),
        (_png_header(60_000, 60_000), "more than 70 million pixels"),
    ],
    ids=["nothing", "text", "gif", "large", "larger", "bomb"],
)
def test_files_that_are_not_images_are_rejected(tmp_path: Path, content: bytes, error: str) -> None:
    file = tmp_path / "map.png"
    file.write_bytes(content)
    with pytest.raises(BackdropError, match=error):
        Backdrop.of(str(file), POINTS)


def test_missing_files_folders_and_huge_files_are_rejected(
    tmp_path: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BackdropError, match="No such file"):
        Backdrop.of(str(tmp_path / "nothing.png"), POINTS)
    with pytest.raises(BackdropError, match="directory"):
        Backdrop.of(str(tmp_path), POINTS)
    monkeypatch.setattr(backdrops, "MOST_BYTES", 10)
    with pytest.raises(BackdropError, match="save it smaller"):
        Backdrop.of(str(image), POINTS)


def test_a_damaged_image_is_reported_when_it_is_decoded(image: Path) -> None:
    image.write_bytes(image.read_bytes()[:80])
    backdrop = Backdrop.of(str(image), POINTS)
    with pytest.raises(BackdropError, match=r"is damaged .* save it once more"):
        backdrop.decode()


def test_a_large_image_is_scaled_down_and_read_once(
    image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backdrops, "CACHED_PIXELS", 5_000)
    backdrop = Backdrop.of(str(image), POINTS)
    assert backdrop.decode() == (200, 100)
    image.unlink()
    shown, _ = backdrop.cut(Rectangle(-100, 0, 200, 200), (200, 200))
    assert shown.getpixel((20, 100)) == _darker(RED)
    assert shown.getpixel((180, 100)) == _darker(BLUE)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "I;16", "CMYK"])
def test_every_kind_of_image_is_read(tmp_path: Path, mode: str) -> None:
    file = tmp_path / ("map.jpg" if mode == "CMYK" else "map.png")
    Image.new(mode, (200, 100)).save(file)
    shown, _ = Backdrop.of(str(file), POINTS).cut(Rectangle(-100, 0, 200, 200), (50, 50))
    assert (shown.mode, shown.size) == ("RGB", (50, 50))


async def test_the_configured_image_is_stored_and_removed(harness: AppHarness, image: Path) -> None:
    backdrop = Backdrop.of(str(image), POINTS)
    async with harness.database.write() as sql:
        await store_backdrop(sql, backdrop)
    assert await stored_backdrop(harness.database.read) == backdrop
    async with harness.database.write() as sql:
        await store_backdrop(sql, None)
    assert await stored_backdrop(harness.database.read) is None
