"""Ending a TCP connection the way a failing network does."""

import socket
import struct

from aiohttp import web


def reset_connection(request: web.BaseRequest) -> None:
    """Drop the connection so that the other side sees "connection reset by peer"."""
    transport = request.transport
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        # Lingering for zero seconds turns the close into a reset.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
