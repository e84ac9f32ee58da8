"""Who really asks, where a proxy passes requests on."""

import ipaddress
from collections.abc import Sequence

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def behind(trusted: Sequence[Network]) -> Middleware:
    """Return what gives each request the address of the client instead of that of the proxy."""

    @web.middleware
    async def from_the_client(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await handler(request.clone(remote=_client(request, trusted)))

    return from_the_client


def _client(request: web.Request, trusted: Sequence[Network]) -> str:
    """Return the peer's address, or what trusted proxies tell of it.

    Each proxy appends the address that it hears from. So the list is read from its end, and only
    as far as trusted proxies wrote it: what a client made up stands before that.
    """
    client = request.remote or ""
    hops = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    for hop in reversed(hops):
        told = address(hop)
        known = address(client)
        if told is None or known is None or not any(known in network for network in trusted):
            break
        client = str(told)
    return client


def address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address; IPv4 that came over an IPv6 socket is IPv4, and anything else is None."""
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
