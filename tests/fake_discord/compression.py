"""How gateway messages are packed, as the client asked for in its address."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable
from typing import Any

Pack = Callable[[str], str | bytes]


def plain(text: str) -> str:
    """Not packed at all."""
    return text


def packer(asked: str | None) -> Pack | None:
    """A packer for one connection; None when the kind asked for cannot be made here."""
    if asked is None:
        return plain
    return {"zlib-stream": _zlib, "zstd-stream": _zstd}.get(asked, lambda: None)()


def _zlib() -> Pack:
    stream = zlib.compressobj()

    def pack(text: str) -> bytes:
        return stream.compress(text.encode()) + stream.flush(zlib.Z_SYNC_FLUSH)

    return pack


def _zstd() -> Pack | None:
    # The module is in the standard library from 3.14 on; discord.py asks for it only there.
    try:
        zstd: Any = importlib.import_module("compression.zstd")
    except ImportError:
        return _zstandard()
    stream: Any = zstd.ZstdCompressor()

    def pack(text: str) -> bytes:
        packed: bytes = stream.compress(text.encode(), mode=stream.FLUSH_BLOCK)
        return packed

    return pack


def _zstandard() -> Pack | None:
    try:
        zstandard: Any = importlib.import_module("zstandard")
    except ImportError:
        return None
    stream: Any = zstandard.ZstdCompressor().compressobj()

    def pack(text: str) -> bytes:
        packed: bytes = stream.compress(text.encode())
        flushed: bytes = stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        return packed + flushed

    return pack
