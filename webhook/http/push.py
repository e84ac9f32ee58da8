"""The listener for push events of Sonoran CAD, straight or forwarded by the FiveM resource."""

import hmac
import logging
import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

from aiohttp import web

from db.errors import StorageUnavailable
from webhook.cad.events.event import InvalidPush, UnhandledType, collect_skipped
from webhook.cad.silence import LastPush
from webhook.cad.store import PushConfig, store_push
from webhook.http.bodies import BodyReader
from webhook.http.connection_limits import ConnectionLimiter
from webhook.http.key_header import key_of, replayed_header
from webhook.http.push_body import read_push
from webhook.protocol.context import Context
from webhook.protocol.errors import (
    BadJson,
    InvalidData,
    KeyReused,
    SentinelError,
    TooLarge,
    WrongFormat,
)
from webhook.protocol.event_age import AGE, AgeReader
from webhook.protocol.idempotency import RequestKey
from webhook.protocol.session import SessionSettings

PATHS = ("/sonorancad/event", "/event", "/")
"""Where pushes arrive: from the CAD, from its plugin, and as people configure forwarding.

A push with a valid key is taken on any other path as well.
"""

TRANSPORT_LENGTH = 128
"""Characters of a path that distinguish transports."""

KEYED_TRANSPORT = "keyed"
"""The transport of pushes with a key, whatever their path: their sender uses one path for single
pushes and another for a backlog. Equal ones among them happened twice."""

GAME_SERVER = "fxserver"
"""The prefix of the game server's User-Agent when it forwards a push."""

SHORT = 4 * 1024
"""Bytes of a body that is repaired whoever sends it, which takes a millisecond or two."""

MAX_SHOWN = 8
"""Members of a body that are taken for its key, if it must be repaired."""

_SHOWN_KEY = re.compile(rb"""key(?:%[0-9A-Fa-f]{2}|[^\w%]){1,12}([^"&\\%\s]{1,256})""")
"""The key of a push that cannot be read: in JSON, in JSON inside of a text, or in a form."""

MAX_UNKNOWN_TYPES = 100
"""Unknown types that are counted one by one."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CadKey:
    """A CAD's API key, and the name under which its calls are stored.

    Of several CADs with one key, a push names its own by `path` or by name.
    """

    name: str
    key: str
    path: str = ""


class Outcome(NamedTuple):
    """The answer to a push, and how it is counted."""

    status: int
    text: str
    name: str
    kind: str = ""
    is_stranger: bool = False
    """Whether the sender has shown no valid key."""

    @property
    def is_replayed(self) -> bool:
        return self.name == "replayed"


class PushListener:
    """The handler of pushes; answers with the texts of Sonoran's own listener.

    `last_push` records when pushes came, with a valid key and without.
    """

    def __init__(
        self,
        context: Context,
        keys: list[CadKey],
        config: PushConfig,
        bodies: BodyReader,
        max_bytes: int,
        limiter: ConnectionLimiter,
        sessions: SessionSettings,
        last_push: LastPush,
    ) -> None:
        self._context = context
        self._config = config
        self._bodies = bodies
        self._max_bytes = max_bytes
        self._limiter = limiter
        self._keys = [(key, _fold_case(key.key)) for key in keys if key.key]
        self._metrics = sessions.metrics
        self._slots = sessions.slots
        self._last_push = last_push
        self._ages = AgeReader()
        self.counts: Counter[str] = Counter()
        self.unknown_types: Counter[str] = Counter()

    async def receive(self, request: web.Request) -> web.Response:
        """Store one push; 200 once it is on disk."""
        return self._answer(await self._receive(request))

    async def receive_anywhere(
        self, request: web.Request, rejection: web.HTTPException
    ) -> web.Response:
        """Store a push that was sent to a path for something else, if it has a valid key.

        Raises:
            web.HTTPException: `rejection`, as the body is no push with a valid key.
        """
        outcome = await self._receive(request)
        if outcome.is_stranger:
            raise rejection
        return self._answer(outcome)

    async def store_from_batch(
        self, request: web.Request, push: object, key: object, age: object
    ) -> Outcome:
        """Store a push of a batch, given as its text or as its document."""
        try:
            outcome = await self._store(request, self._read(push), key, age)
        except (TooLarge, BadJson) as error:
            outcome = self._unreadable(request, error)
        return self._count(outcome)

    def _count(self, outcome: Outcome) -> Outcome:
        self.counts[outcome.text.partition(":")[0]] += 1
        self._metrics.count_push(outcome.kind, outcome.name)
        return outcome

    def _answer(self, outcome: Outcome) -> web.Response:
        headers = replayed_header(is_replayed=self._count(outcome).is_replayed)
        return web.Response(status=outcome.status, text=outcome.text, headers=headers)

    async def _receive(self, request: web.Request) -> Outcome:
        try:
            body = self._read_body(await self._bodies.read(request, self._max_bytes))
        except (TooLarge, BadJson) as error:
            return self._unreadable(request, error)
        return await self._store(request, body, key_of(request), request.headers.get(AGE))

    def _read_body(self, raw: bytes) -> object:
        """Read a body; a long one of a stranger only if it need not be repaired."""
        try:
            return read_push(raw, is_repaired=False)
        except BadJson:
            if len(raw) > SHORT and not self._shows_key(raw):
                raise
            return read_push(raw)

    def _shows_key(self, raw: bytes) -> bool:
        shown = islice(_SHOWN_KEY.finditer(raw), MAX_SHOWN)
        return any(
            hmac.compare_digest(one[1].upper(), own) for one in shown for _, own in self._keys
        )

    def _read(self, push: object) -> object:
        if not isinstance(push, str):
            return push
        text = push.encode(errors="replace")
        if len(text) > self._max_bytes:
            raise TooLarge("a push must not exceed {most} bytes", most=self._max_bytes)
        return read_push(text)

    def _unreadable(self, request: web.Request, error: SentinelError) -> Outcome:
        if isinstance(error, TooLarge):
            self._warn(request, "a push that is too large", "raise [http] max_push_bytes")
            return Outcome(413, "Too Large", "too-large", is_stranger=True)
        self._warn(request, "a push that is not JSON", str(error))
        text = f"Invalid JSON: {error}" if isinstance(error, WrongFormat) else "Invalid JSON"
        return Outcome(400, text, "invalid", is_stranger=True)

    async def _store(self, request: web.Request, body: object, key: object, age: object) -> Outcome:
        cad = self._cad_of(body.get("key"), request) if isinstance(body, dict) else None
        if cad is None or not isinstance(body, dict):
            self._last_push.note_wrong_key()
            self._warn(
                request,
                "a push with a wrong or missing CAD key",
                "[cad] keys must hold the API key of the CAD's admin panel",
            )
            return Outcome(400, "Authentication Key Failed!", "unauthorised", is_stranger=True)
        # Beyond the limit, the connection stays an unauthenticated one.
        sender = f"cad:{cad}"
        self._limiter.mark_authenticated(request.transport, sender)
        self._last_push.note(cad)
        self._metrics.record_push(cad)
        kind = body.get("type")
        if not isinstance(kind, str):
            self._warn(request, "a push without a type", "its `type` is text, like EVENT_911")
            return Outcome(400, "Invalid Type", "invalid")
        with collect_skipped() as skipped:
            async with self._slots[sender]:
                outcome = await self._store_checked(request, cad, body, key, age)
        if skipped:
            parts = ", ".join(dict.fromkeys(skipped))
            self.counts["skipped parts"] += len(skipped)
            self._warn(request, f"unreadable parts of {kind!a:.64}", parts, verb="skipped")
        return outcome

    async def _store_checked(
        self, request: web.Request, cad: str, body: dict[str, Any], key: object, age: object
    ) -> Outcome:
        kind = body["type"]
        try:
            request_key = RequestKey.of(f"cad:{cad}", key, body)
            name = await store_push(
                replace(self._context, age=self._ages.read(cad, age)),
                cad,
                body,
                KEYED_TRANSPORT if request_key is not None else _transport(request),
                self._config,
                request_key,
            )
        except UnhandledType as error:
            self._warn(
                request,
                f"a push of the unknown type {error.type!a}",
                f"it is in the journal as events.cad.{error.type}, for scripts and rules",
            )
            is_full = len(self.unknown_types) >= MAX_UNKNOWN_TYPES
            is_counted = error.type in self.unknown_types or not is_full
            self.unknown_types[error.type if is_counted else "others"] += 1
            return Outcome(400, "Invalid Type", "unhandled", kind)
        except InvalidPush as error:
            self._warn(request, f"an invalid push of type {kind!a:.64}", str(error))
            return Outcome(400, f"Invalid Data: {error}", "invalid", kind)
        except (InvalidData, BadJson) as error:
            return Outcome(400, f"Invalid Key: {error}", "invalid", kind)
        except KeyReused as error:
            return Outcome(422, f"Key Reused: {error}", "key-reused", kind)
        except StorageUnavailable as error:
            log.error("a push could not be stored: %s", error)
            return Outcome(503, "Storage Unavailable", "unavailable", kind)
        return Outcome(200, "OK", name, kind)

    def _cad_of(self, key: object, request: web.Request) -> str | None:
        """Return the CAD that a key belongs to; every key is compared, whichever matches."""
        if not isinstance(key, str):
            return None
        folded = _fold_case(key)
        found = [cad for cad, own in self._keys if hmac.compare_digest(folded, own)]
        if len(found) < 2:
            return found[0].name if found else None
        for word in _words_of_address(request):
            for cad in found:
                if word in (cad.path.casefold(), cad.name.casefold()):
                    return cad.name
        default = next((cad for cad in found if not cad.path), found[0])
        if not default.path and request.path in PATHS and not request.query:
            return default.name
        self._warn(
            request,
            f"a push that names none of {', '.join(cad.name for cad in found)}",
            f"it counts as {default.name}'s; add ?cad=NAME to the address in the game server",
            verb="took",
        )
        return default.name

    def _warn(
        self, request: web.Request, what: str, advice: str = "", *, verb: str = "refused"
    ) -> None:
        self._limiter.rejection_log.count(what, request.remote or "", advice, verb=verb)


def _words_of_address(request: web.Request) -> list[str]:
    """Return what may name a CAD: `county` in `?cad=county`, or else in `/event/county`."""
    parts = [*request.query.values(), *reversed(request.path.split("/"))]
    return [part.casefold() for part in parts if part]


def _transport(request: web.Request) -> str:
    """Name the sender of a push: each keeps to one path and one User-Agent."""
    path = request.rel_url.raw_path[:TRANSPORT_LENGTH]
    is_forwarded = request.headers.get("User-Agent", "").casefold().startswith(GAME_SERVER)
    return f"{path}+{GAME_SERVER}" if is_forwarded else path


def _fold_case(key: str) -> bytes:
    """Fold case in ASCII only: str.upper() would take other letters for ASCII ones.

    The CAD hands the same key out in either case (changelog 3.33.1).
    """
    return key.encode(errors="surrogatepass").upper()
