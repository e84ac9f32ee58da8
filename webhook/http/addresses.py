"""Where a request comes from: through which proxies, and whether from this machine."""

import ipaddress
import re
from collections.abc import Sequence

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

FORWARDING_HEADERS = (
    "Forwarded",
    "Via",
    "X-Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
    "X-Original-Forwarded-For",
    "X-Envoy-External-Address",
    "X-Real-IP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "True-Client-IP",
    "CDN-Loop",
    "CF-Connecting-IP",
    "Fastly-Client-IP",
)
"""What proxies add to the requests that they pass on."""

_HOST = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<other>[^\[\]:]+))(?::\d*)?")
"""A `Host` header: a name or an address, and perhaps a port."""


def trust_proxies(trusted: Sequence[Network]) -> Middleware:
    """Return a middleware that sets `request.remote` to the client instead of the proxy."""

    @web.middleware
    async def set_remote(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await handler(request.clone(remote=_client_address(request, trusted)))

    return set_remote


def _client_address(request: web.Request, trusted: Sequence[Network]) -> str:
    """Return the peer's address, or the one that trusted proxies report.

    Each proxy appends the address that it received the request from. So the list is read from its
    end, and only as far as trusted proxies wrote it: the client may have made up the rest.
    """
    client = request.remote or ""
    hops = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    for hop in reversed(hops):
        proxy, previous = _parse_address(client), _parse_address(hop)
        if proxy is None or previous is None or not any(proxy in network for network in trusted):
            break
        client = str(previous)
    return client


def is_from_this_machine(request: web.Request) -> bool:
    """Return whether the request comes from this machine and was not forwarded for others.

    It must also be addressed to this machine's own name: any other belongs to a proxy that hides
    its clients, or to a web page whose name was made to lead here (DNS rebinding). Of a tunnel
    nothing is to be seen: whoever is at its other end can write what they like.
    """
    if any(header in request.headers for header in FORWARDING_HEADERS):
        return False
    written = _HOST.fullmatch(request.headers.get("Host", ""))
    host = (written["ipv6"] or written["other"]) if written else ""
    return _is_loopback(request.remote or "") and (host == "localhost" or _is_loopback(host))


def _is_loopback(text: str) -> bool:
    address = _parse_address(text)
    return address is not None and address.is_loopback


def _parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address; IPv4 that came over an IPv6 socket is IPv4, and anything else is None."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
