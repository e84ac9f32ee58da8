"""A picture of a message: its file name, its alternative text, and how it is drawn."""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from typing import TypeVar

import discord

from cogs.ui.text import plain_line

ALT = 1_024
"""Discord's limit of a picture's alternative text."""

LOOK = 3
"""Raise this when pictures change their look, so that posted ones are drawn again."""

PAINTER = ThreadPoolExecutor(1, "painter")
"""Draws one picture at a time off the event loop: the memory of several would add up."""

Drawn = TypeVar("Drawn")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is drawn when it is sent. `digest` identifies it without drawing it."""

    name: str
    alt: str
    digest: str
    draw: Callable[[], bytes] = field(compare=False, repr=False)

    @classmethod
    def of(cls, name: str, alt: str, shown: Drawn, draw: Callable[[Drawn], bytes]) -> "Picture":
        """Return the picture of some data.

        `shown`: dataclasses of plain values, whose `repr` goes into the digest."""
        alt = plain_line(alt, ALT)
        key = repr((LOOK, name, alt, shown)).encode()
        digest = hashlib.blake2b(key, digest_size=16).hexdigest()
        return cls(name, alt, digest, partial(draw, shown))

    async def file(self) -> discord.File | None:
        """Draw it; None if that fails, as the message is worth more than its picture."""
        try:
            # Its texts are those of whoever asked: their language, and nothing that is redacted.
            draw = partial(copy_context().run, self.draw)
            png = await asyncio.get_running_loop().run_in_executor(PAINTER, draw)
        except Exception:
            log.exception(
                "the picture %s cannot be drawn, its message is sent without it", self.name
            )
            return None
        return discord.File(BytesIO(png), self.name, description=self.alt)
