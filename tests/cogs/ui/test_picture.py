"""Pictures are drawn beside the event loop, one at a time, and never stop a message."""

import asyncio
import logging
import threading
from contextlib import suppress

import pytest

from cogs.ui.picture import ALT, Picture


async def test_a_picture_is_drawn_off_the_event_loop() -> None:
    drawn_in: list[int] = []
    loop = asyncio.get_running_loop()
    went_on = threading.Event()

    def draw(_: str) -> bytes:
        drawn_in.append(threading.get_ident())
        loop.call_soon_threadsafe(went_on.set)
        assert went_on.wait(10), "the loop is blocked"
        return b"png"

    file = await Picture.of("a.png", "alt", "", draw).file()
    assert file is not None
    assert (file.filename, file.description, file.fp.read()) == ("a.png", "alt", b"png")
    assert drawn_in != [threading.get_ident()]


async def test_pictures_are_drawn_one_at_a_time() -> None:
    met: list[int] = []
    another = threading.Barrier(2)

    def draw(number: int) -> bytes:
        with suppress(threading.BrokenBarrierError):
            another.wait(0.2)
            met.append(number)
        return b""

    await asyncio.gather(*(Picture.of("a.png", "", number, draw).file() for number in range(4)))
    assert met == []


@pytest.mark.parametrize("fault", [ValueError("odd"), MemoryError(), RecursionError()])
async def test_a_picture_that_fails_is_logged_and_left_out(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def draw(_: str) -> bytes:
        raise fault

    with caplog.at_level(logging.ERROR):
        assert await Picture.of("map.png", "", "", draw).file() is None
    assert "the picture map.png cannot be drawn" in caplog.text


def test_alternative_text_is_clean_and_within_discords_limit() -> None:
    picture = Picture.of("a.png", "one\ntwo\u202e" + "🚓" * 2_000, "", lambda _: b"")
    assert picture.alt.startswith("one two🚓")
    assert len(picture.alt.encode("utf-16-le")) // 2 <= ALT


def test_pictures_of_equal_data_have_equal_digests() -> None:
    one, same, other = (Picture.of("a.png", "", data, lambda _: b"") for data in "xxy")
    assert one == same != other
