"""The listener for push events of Sonoran CAD, straight or forwarded by the FiveM resource."""

import hmac
import logging
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from aiohttp import web

from db.errors import StorageUnavailable
from webhook.cad.events import InvalidPush, UnhandledType
from webhook.cad.silence import LastPush
from webhook.cad.store import PushConfig, store_push
from webhook.http.bodies import BodyReader
from webhook.http.connection_limits import ConnectionLimiter
from webhook.protocol.context import Context
from webhook.protocol.errors import BadJson, TooLarge
from webhook.protocol.metrics import Metrics
from webhook.protocol.wire import parse_json

PATHS = ("/sonorancad/event", "/event", "/")
"""Where pushes arrive: from the CAD, from its plugin, and as people configure forwarding."""

GAME_SERVER = "fxserver"
"""The prefix of the game server's User-Agent when it forwards a push."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CadKey:
    """A CAD's API key, and the name under which its calls are stored."""

    name: str
    key: str


class Outcome(NamedTuple):
    """The answer to a push, and how it is counted."""

    status: int
    text: str
    name: str
    kind: str = ""


class PushListener:
    """The handler of pushes; answers with the texts of Sonoran's own listener.

    `last_push` records every push that carries a valid key.
    """

    def __init__(
        self,
        context: Context,
        keys: list[CadKey],
        config: PushConfig,
        bodies: BodyReader,
        max_bytes: int,
        limiter: ConnectionLimiter,
        metrics: Metrics,
        last_push: LastPush,
    ) -> None:
        self._context = context
        self._config = config
        self._bodies = bodies
        self._max_bytes = max_bytes
        self._limiter = limiter
        self._keys = [(key.name, _fold_case(key.key)) for key in keys if key.key]
        self._metrics = metrics
        self._last_push = last_push
        self.counts: Counter[str] = Counter()

    async def receive(self, request: web.Request) -> web.Response:
        """Store one push; 200 once it is on disk."""
        outcome = await self._store(request)
        self.counts[outcome.text.partition(":")[0]] += 1
        self._metrics.count_push(outcome.kind, outcome.name)
        return web.Response(status=outcome.status, text=outcome.text)

    async def _store(self, request: web.Request) -> Outcome:
        try:
            body = parse_json(await self._bodies.read(request, self._max_bytes))
        except TooLarge:
            return Outcome(413, "Too Large", "too-large")
        except BadJson:
            return Outcome(400, "Invalid JSON", "invalid")
        cad = self._cad_of(body.get("key")) if isinstance(body, dict) else None
        if cad is None:
            self._limiter.refusal_log.count(
                "a push with a wrong or missing CAD key", request.remote or ""
            )
            return Outcome(400, "Authentication Key Failed!", "unauthorised")
        # Beyond the limit, the connection stays an unauthenticated one.
        self._limiter.mark_authenticated(request.transport)
        self._last_push.note(cad)
        self._metrics.record_push(cad)
        kind = body.get("type")
        if not isinstance(kind, str):
            return Outcome(400, "Invalid Type", "invalid")
        try:
            is_new = await store_push(self._context, cad, body, _transport(request), self._config)
        except UnhandledType as error:
            log.info("%s", error)
            return Outcome(400, "Invalid Type", "unhandled", kind)
        except InvalidPush as error:
            log.warning("rejected a push: %s", error)
            return Outcome(400, f"Invalid Data: {error}", "invalid", kind)
        except StorageUnavailable as error:
            log.error("a push could not be stored: %s", error)
            return Outcome(503, "Storage Unavailable", "unavailable", kind)
        return Outcome(200, "OK", "ok" if is_new else "duplicate", kind)

    def _cad_of(self, key: object) -> str | None:
        """Return the CAD that a key belongs to; every key is compared, whichever matches."""
        if not isinstance(key, str):
            return None
        folded = _fold_case(key)
        found = None
        for name, known in self._keys:
            if hmac.compare_digest(folded, known):
                found = name
        return found


def _transport(request: web.Request) -> str:
    """Name the sender of a push: each keeps to one path and one User-Agent."""
    is_forwarded = request.headers.get("User-Agent", "").casefold().startswith(GAME_SERVER)
    return f"{request.path}+{GAME_SERVER}" if is_forwarded else request.path


def _fold_case(key: str) -> bytes:
    """Fold case in ASCII only: str.upper() would take other letters for ASCII ones.

    The CAD hands the same key out in either case (changelog 3.33.1).
    """
    return key.encode(errors="surrogatepass").upper()
