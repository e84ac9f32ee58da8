"""Who sends a request: bearer tokens, and programs on this machine."""

import asyncio
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_bytes

from aiohttp import web

from webhook.http.addresses import is_from_this_machine
from webhook.http.connection_limits import ConnectionLimiter
from webhook.http.cors import AllowedOrigins
from webhook.protocol.context import Caller, Scope
from webhook.protocol.game_servers import HEADER, GameServers

DELAY = 0.25
"""Seconds that each failed attempt of an address adds to the answer of the next one."""
MAX_DELAY = 5.0
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


class FailureDelays:
    """How long the next failed attempt of an address waits for its answer."""

    def __init__(self) -> None:
        self._failures = [0] * COUNTERS

    def add(self, address: str | None) -> float:
        """Count a failure and return the delay in seconds; the first has none."""
        counter = hash(address) % COUNTERS
        self._failures[counter] += 1
        return min(MAX_DELAY, DELAY * (self._failures[counter] - 1))

    def reset(self, address: str | None) -> None:
        self._failures[hash(address) % COUNTERS] = 0


class Authenticator:
    """Finds the caller of a request, and slows down those who guess tokens."""

    def __init__(
        self,
        clients: list[Client],
        allowed_origins: Sequence[str],
        limiter: ConnectionLimiter | None = None,
        game_servers: GameServers | None = None,
        *,
        open_to_loopback: bool,
    ) -> None:
        self.limiter = limiter or ConnectionLimiter()
        self.game_servers = game_servers or GameServers()
        self.origins = AllowedOrigins(allowed_origins)
        self._open_to_loopback = open_to_loopback
        # Digests of equal length: a comparison reveals nothing about a token's length either.
        self._salt = token_bytes(32)
        self._digests = [(self._digest(client.token), client) for client in clients]
        self._delays = FailureDelays()

    async def authenticate(self, request: web.Request) -> Caller:
        """Return the caller of a request.

        Raises:
            web.HTTPForbidden: a browser page of a foreign origin.
            web.HTTPUnauthorized: a wrong token or none.
            web.HTTPServiceUnavailable: too many connections are open.
        """
        if not self.origins.allows(request):
            raise web.HTTPForbidden(text="origin not allowed")
        caller = self._caller(request)
        if caller is None:
            self.limiter.rejection_log.count(
                "a wrong or missing token",
                request.remote or "",
                "it must be the token of one of [[websocket.clients]];"
                " the game's is cad_sentinel_token in server.cfg",
            )
            await _hold(request, self._delays.add(request.remote))
            error = web.HTTPUnauthorized(
                text="a valid token is needed", headers={"WWW-Authenticate": "Bearer"}
            )
            error.force_close()
            raise error
        self._delays.reset(request.remote)
        if not self.limiter.mark_authenticated(request.transport, caller.name):
            raise web.HTTPServiceUnavailable(text="too many connections are open")
        self.game_servers.note(caller.name, request.headers.get(HEADER))
        return caller

    def _caller(self, request: web.Request) -> Caller | None:
        if self._open_to_loopback and not is_from_this_machine(request):
            return None
        token = _token(request)
        if token is None:
            return LOCAL if self._open_to_loopback else None
        digest = self._digest(token)
        caller = None
        for known, client in self._digests:  # all of them, so that the time reveals nothing
            if hmac.compare_digest(digest, known):
                caller = Caller(client.name, client.scope)
        return caller

    def _digest(self, token: str) -> bytes:
        return hmac.digest(self._salt, token.encode(errors="surrogateescape"), "sha256")


async def _hold(request: web.Request, seconds: float) -> None:
    """Delay a request, and read nothing more from its connection meanwhile."""
    transport = request.transport
    if transport is not None and seconds:
        transport.pause_reading()
        await asyncio.sleep(seconds)
        if not transport.is_closing():
            transport.resume_reading()


def _token(request: web.Request) -> str | None:
    header = request.headers.get("Authorization")
    if header is not None:
        kind, _, token = header.partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""
    return request.query.get("token")
