"""A picture of a message: what it is called, what it says in words, and how it is drawn."""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from typing import TypeVar

import discord

from cogs.ui.text import plain_line

ALT = 1_024
"""Discord's limit of the text that a picture has for those who cannot see it."""

LOOK = 2
"""Raised when pictures look different, so that those which Discord shows are drawn afresh."""

PAINTER = ThreadPoolExecutor(1, "painter")
"""Draws one picture at a time, beside the event loop: the memory of several would add up."""

Drawn = TypeVar("Drawn")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is drawn when it is sent. `digest`: tells it from another one, undrawn."""

    name: str
    alt: str
    digest: str
    draw: Callable[[], bytes] = field(compare=False, repr=False)

    @classmethod
    def of(cls, name: str, alt: str, shown: Drawn, draw: Callable[[Drawn], bytes]) -> "Picture":
        """Return the picture that a drawing function makes of some data.

        `shown`: dataclasses of plain values, as their `repr` tells one from another."""
        alt = plain_line(alt, ALT)
        told = repr((LOOK, name, alt, shown)).encode()
        digest = hashlib.blake2b(told, digest_size=16).hexdigest()
        return cls(name, alt, digest, partial(draw, shown))

    async def file(self) -> discord.File | None:
        """Draw it; None if that fails, as the message matters more."""
        try:
            png = await asyncio.get_running_loop().run_in_executor(PAINTER, self.draw)
        except Exception:
            log.exception("the picture %s cannot be drawn, its message goes without", self.name)
            return None
        return discord.File(BytesIO(png), self.name, description=self.alt)
