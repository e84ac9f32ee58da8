"""Which web pages may ask, and what their browsers let them send and read (CORS).

One rule for the websocket, `/api/*` and `/events/*`. An origin is what a browser writes into the
header `Origin`: `https://panel.example.org`, or in the game `https://cfx-nui-<resource>`.

The library aiohttp-cors is not used: every route must be registered with it, it knows no patterns
of origins, and the websocket would still need the same rule.
"""

import re
from collections.abc import Iterable

from aiohttp import web
from aiohttp.typedefs import Handler

PATHS = ("/api/", "/events")
"""Pages may read the answers of these, if their origin is allowed."""

REQUEST_HEADERS = "Authorization, Content-Type, Idempotency-Key, X-Event-Age, X-Always-200"
ANSWER_HEADERS = "Retry-After, Idempotency-Replayed, WWW-Authenticate"

PREFLIGHT_SECONDS = 3600
"""How long a browser remembers the answer to a preflight."""

DEFAULT_PORTS = {"http": ":80", "https": ":443"}
"""Browsers leave them out."""

_HOST_AND_PORT = r"[a-z0-9._:\[\]-]*"
_PATTERN = re.compile(rf"null|[a-z][a-z0-9+.-]*://(?!\*?$){_HOST_AND_PORT}\*?{_HOST_AND_PORT}")
_PART_OF_HOST = "[a-z0-9_-]+"
_NOTHING = "(?!)"


def parse_origin(text: str) -> str:
    """Return a configured origin as browsers write it; one `*` is a part of a host name.

    Raises:
        ValueError: it is not an origin.
    """
    origin = _normalise(text)
    if not _PATTERN.fullmatch(origin):
        raise ValueError(
            "not the origin of a web page; write one like 'https://map.example.org',"
            " or 'https://cfx-nui-*' for the pages of all resources"
        )
    return origin


class AllowedOrigins:
    """The web pages that may ask; compared without case, a slash at the end, or a default port.

    Also the middleware and the signal that let their browsers read the answers.
    """

    def __init__(self, origins: Iterable[str]) -> None:
        patterns = (re.escape(parse_origin(origin)) for origin in origins)
        self._allowed = re.compile(
            "|".join(pattern.replace(r"\*", _PART_OF_HOST) for pattern in patterns) or _NOTHING
        )

    def allows(self, request: web.Request) -> bool:
        """Return whether a request is from an allowed page, or from no page at all.

        A picture or a script that a page includes comes without its origin; browsers say so.
        """
        origin = _origin(request)
        if not origin:
            return request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")
        return self._includes(origin)

    @web.middleware
    async def answer_preflight(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer the preflight of a browser, which comes without a token."""
        try:
            return await handler(request)
        except web.HTTPMethodNotAllowed as mismatch:
            if request.method != "OPTIONS" or not request.path.startswith(PATHS):
                raise
            methods = ", ".join(sorted({*mismatch.allowed_methods, "OPTIONS"}))
        if not self.allows(request):
            raise web.HTTPForbidden(text="origin not allowed")
        headers = {"Allow": methods}
        if _origin(request):
            headers["Access-Control-Allow-Methods"] = methods
            headers["Access-Control-Allow-Headers"] = REQUEST_HEADERS
            headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
        return web.Response(status=204, headers=headers)

    async def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """Let a page read an answer, also an error and one that is streamed."""
        if not request.path.startswith(PATHS):
            return
        response.headers["Vary"] = "Origin"
        origin = _origin(request)
        if origin and self._includes(origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            # SockJS asks with credentials. There are no cookies that this could give away.
            response.headers["Access-Control-Allow-Credentials"] = "true"
            response.headers["Access-Control-Expose-Headers"] = ANSWER_HEADERS

    def _includes(self, origin: str) -> bool:
        # Only ASCII: lower case folds other letters onto it.
        return origin.isascii() and self._allowed.fullmatch(_normalise(origin)) is not None


def _origin(request: web.Request) -> str:
    """Return a request's origin; some game servers send an empty header, which is none."""
    return request.headers.get("Origin", "").strip()


def _normalise(origin: str) -> str:
    text = origin.strip().rstrip("/").lower()
    return text.removesuffix(DEFAULT_PORTS.get(text.partition(":")[0], ""))
