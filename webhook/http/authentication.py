"""Who is at the door: bearer tokens, loopback peers, browsers."""

import asyncio
import hmac
import re
from dataclasses import dataclass
from secrets import token_bytes

from aiohttp import web

from webhook.http.connection_limits import ConnectionLimiter
from webhook.http.proxies import address
from webhook.protocol.context import Caller, Scope

FORWARDING_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
DELAY = 0.25
"""Seconds that each failed attempt of an address adds to the answer of the next one."""
LONGEST_DELAY = 5.0
COUNTERS = 4_096
"""Addresses share so many counters of failures, so that no flood of them can reset one."""


@dataclass(frozen=True)
class Client:
    """A program that may connect, by its token."""

    name: str
    token: str
    scope: Scope


LOCAL = Caller("local", Scope.ADMIN)
"""A program on this machine, while no client is configured."""


class Authenticator:
    """Lets programs in, and slows down those who guess."""

    def __init__(
        self,
        clients: list[Client],
        allowed_origins: list[str],
        limiter: ConnectionLimiter | None = None,
        *,
        open_to_loopback: bool,
    ) -> None:
        self.limiter = limiter or ConnectionLimiter()
        self._origins = frozenset(allowed_origins)
        self._open_to_loopback = open_to_loopback
        # Digests of equal length: a comparison tells nothing about a token's length either.
        self._salt = token_bytes(32)
        self._digests = [(self._digest(client.token), client) for client in clients]
        self._failures = [0] * COUNTERS

    async def authenticate(self, request: web.Request) -> Caller:
        """Return who asks.

        Raises:
            web.HTTPForbidden: a browser page of a foreign origin.
            web.HTTPUnauthorized: a bad token or none.
            web.HTTPServiceUnavailable: too many connections are open.
        """
        origin = request.headers.get("Origin")
        if origin is not None and origin not in self._origins:
            raise web.HTTPForbidden(text="origin not allowed")
        caller = self._caller(request)
        counter = hash(request.remote) % COUNTERS
        if caller is None:
            self.limiter.refusal_log.count("a wrong or missing token", request.remote or "")
            self._failures[counter] += 1
            await _hold(request, min(LONGEST_DELAY, DELAY * (self._failures[counter] - 1)))
            refusal = web.HTTPUnauthorized(
                text="a valid token is needed", headers={"WWW-Authenticate": "Bearer"}
            )
            refusal.force_close()
            raise refusal
        self._failures[counter] = 0
        if not self.limiter.know(request.transport):
            raise web.HTTPServiceUnavailable(text="too many connections are open")
        return caller

    def _caller(self, request: web.Request) -> Caller | None:
        token = _token(request)
        if token is None:
            return LOCAL if self._open_to_loopback and is_loopback(request) else None
        digest = self._digest(token)
        found = None
        for known, client in self._digests:
            if hmac.compare_digest(digest, known):
                found = Caller(client.name, client.scope)
        if self._open_to_loopback and not is_loopback(request):
            return None
        return found

    def _digest(self, token: str) -> bytes:
        return hmac.digest(self._salt, token.encode(errors="surrogateescape"), "sha256")


async def _hold(request: web.Request, seconds: float) -> None:
    """Let somebody wait, and take nothing more from them meanwhile."""
    transport = request.transport
    if transport is not None and seconds:
        transport.pause_reading()
        await asyncio.sleep(seconds)
        if not transport.is_closing():
            transport.resume_reading()


def is_loopback(request: web.Request) -> bool:
    """Tell whether the peer is on this machine; what a proxy forwards for others is not.

    Nor is what asks for another name than this machine's own: a proxy that hands names on, or a
    web page whose name was made to lead here.
    """
    if any(header in request.headers for header in FORWARDING_HEADERS):
        return False
    name = re.sub(r":\d*$", "", request.headers.get("Host", "")).strip("[]")
    return _is_loopback(request.remote or "") and (name == "localhost" or _is_loopback(name))


def _is_loopback(text: str) -> bool:
    found = address(text)
    return found is not None and found.is_loopback


def _token(request: web.Request) -> str | None:
    header = request.headers.get("Authorization")
    if header is not None:
        kind, _, token = header.partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""
    return request.query.get("token")
