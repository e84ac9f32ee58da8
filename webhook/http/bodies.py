"""Reads the bodies of requests, most of which come from clients that are not authenticated yet."""

import asyncio
import zlib

from aiohttp import web

from webhook.protocol.errors import BadJson, TooLarge

READ_TIMEOUT = 20.0
"""Seconds that a body may take; the game server gives up its own pushes after five."""

LARGE = 64 * 1024
MAX_LARGE = 16
"""Bodies longer than LARGE that are read at the same time; beyond that, the oldest is evicted."""

_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_DEFLATE = zlib.MAX_WBITS | 32


class BodyReader:
    """Never reads a body that is too long, for too long, or too many large ones at a time."""

    def __init__(self) -> None:
        self._large: dict[asyncio.Timeout, None] = {}

    async def read(self, request: web.Request, max_bytes: int) -> bytes:
        """Return the whole body, decompressed.

        Raises:
            TooLarge: it has more than `max_bytes`, compressed or not.
            BadJson: its transfer or content encoding is broken.
            web.HTTPRequestTimeout: it took too long.
            web.HTTPUnsupportedMediaType: it is compressed in a way that is not supported.
        """
        encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding != "identity" and encoding not in _COMPRESSED:
            raise web.HTTPUnsupportedMediaType(text="only gzip and deflate are supported")
        if (request.content_length or 0) > max_bytes:
            raise _too_large(max_bytes)
        if request.content.is_eof() and request.content.exception() is None:
            raw = request.content.read_nowait()  # most bodies come with their headers
            if len(raw) > max_bytes:
                raise _too_large(max_bytes)
        else:
            raw = await self._read_with_timeout(request, max_bytes)
        return _decompress(raw, max_bytes) if encoding in _COMPRESSED else raw

    async def _read_with_timeout(self, request: web.Request, max_bytes: int) -> bytes:
        try:
            async with asyncio.timeout(READ_TIMEOUT) as deadline:
                try:
                    return await self._read_chunks(request, max_bytes, deadline)
                finally:
                    self._large.pop(deadline, None)
        except TimeoutError:
            raise web.HTTPRequestTimeout(text="the body took too long") from None
        except web.RequestPayloadError:
            raise BadJson("the body cannot be read") from None

    async def _read_chunks(
        self, request: web.Request, max_bytes: int, deadline: asyncio.Timeout
    ) -> bytes:
        body = bytearray()
        try:
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > max_bytes:
                    raise _too_large(max_bytes)
                if len(body) > LARGE:
                    self._count_large(deadline)
            return bytes(body)
        finally:
            body.clear()  # otherwise the traceback of a failure holds it

    def _count_large(self, deadline: asyncio.Timeout) -> None:
        """Count a body as large, and evict the oldest one if there are too many."""
        if deadline not in self._large and len(self._large) >= MAX_LARGE:
            oldest = next(iter(self._large))
            del self._large[oldest]
            if not oldest.expired():
                oldest.reschedule(asyncio.get_running_loop().time())
        self._large[deadline] = None


def _decompress(raw: bytes, max_bytes: int) -> bytes:
    decompressor = zlib.decompressobj(_GZIP_OR_DEFLATE)
    try:
        body = decompressor.decompress(raw, max_bytes + 1)
    except zlib.error:
        raise BadJson("the body cannot be decompressed") from None
    if len(body) > max_bytes:
        raise _too_large(max_bytes)
    if not decompressor.eof or decompressor.unused_data:
        raise BadJson("the body cannot be decompressed")
    return body


def _too_large(max_bytes: int) -> TooLarge:
    return TooLarge("a message must not exceed {most} bytes", most=max_bytes)
