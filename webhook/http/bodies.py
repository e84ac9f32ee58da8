"""Reads the bodies of requests, most of which come from who has not shown yet who they are."""

import asyncio
import zlib

from aiohttp import web

from webhook.protocol.errors import BadJson, TooLarge

SLOWEST = 20.0
"""Seconds that a body may take; the game server gives up its own pushes after five."""

LARGE = 64 * 1024
MOST_LARGE = 16
"""Bodies longer than LARGE that are read at the same time; of more, the oldest is given up."""

_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
_EITHER = zlib.MAX_WBITS | 32
"""Has zlib find out by itself whether it is gzip or deflate."""


class Bodies:
    """Never reads a body that is too long, for too long, or too many large ones at a time."""

    def __init__(self) -> None:
        self._large: dict[asyncio.Timeout, None] = {}

    async def read(self, request: web.Request, most: int) -> bytes:
        """Return the whole body, unpacked.

        Raises:
            TooLarge: it has more than `most` bytes, packed or unpacked.
            BadJson: it was sent or packed in a way that nobody can read.
            web.HTTPRequestTimeout: it took too long.
            web.HTTPUnsupportedMediaType: it is packed in a way that is not offered.
        """
        packing = request.headers.get("Content-Encoding", "identity").strip().lower()
        if packing != "identity" and packing not in _PACKED:
            raise web.HTTPUnsupportedMediaType(text="only gzip and deflate are unpacked")
        if (request.content_length or 0) > most:
            raise _too_large(most)
        if request.content.is_eof() and request.content.exception() is None:
            raw = request.content.read_nowait()  # most bodies come with their headers
            if len(raw) > most:
                raise _too_large(most)
        else:
            raw = await self._awaited(request, most)
        return _unpacked(raw, most) if packing in _PACKED else raw

    async def _awaited(self, request: web.Request, most: int) -> bytes:
        try:
            async with asyncio.timeout(SLOWEST) as patience:
                try:
                    return await self._gather(request, most, patience)
                finally:
                    self._large.pop(patience, None)
        except TimeoutError:
            raise web.HTTPRequestTimeout(text="the body took too long") from None
        except web.RequestPayloadError:
            raise BadJson("the body cannot be read") from None

    async def _gather(self, request: web.Request, most: int, patience: asyncio.Timeout) -> bytes:
        body = bytearray()
        try:
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > most:
                    raise _too_large(most)
                if len(body) > LARGE:
                    self._make_room(patience)
            return bytes(body)
        finally:
            body.clear()  # after a failure the traceback keeps it until the garbage is collected

    def _make_room(self, patience: asyncio.Timeout) -> None:
        """Count a body as large, and give up the oldest one where there are too many."""
        if patience not in self._large and len(self._large) >= MOST_LARGE:
            oldest = next(iter(self._large))
            del self._large[oldest]
            if not oldest.expired():
                oldest.reschedule(asyncio.get_running_loop().time())
        self._large[patience] = None


def _unpacked(raw: bytes, most: int) -> bytes:
    unpacking = zlib.decompressobj(_EITHER)
    try:
        body = unpacking.decompress(raw, most + 1)
    except zlib.error:
        raise BadJson("the body cannot be unpacked") from None
    if len(body) > most:
        raise _too_large(most)
    if not unpacking.eof or unpacking.unused_data:
        raise BadJson("the body cannot be unpacked")
    return body


def _too_large(most: int) -> TooLarge:
    return TooLarge("a message has at most {most} bytes", most=most)
