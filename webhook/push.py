"""The listener for push events of Sonoran CAD, straight or forwarded by the FiveM resource."""

import hmac
import logging
from collections import Counter
from dataclasses import dataclass

from aiohttp import web

from db.errors import StorageUnavailable
from webhook.cad.errors import InvalidPush, UnhandledType
from webhook.cad.receive import Intake, receive
from webhook.context import Context
from webhook.errors import BadJson
from webhook.wire import parse_json

PATHS = ("/sonorancad/event", "/event", "/")
"""Where pushes arrive: from the CAD, from its plugin, and as people configure forwarding."""

GAME_SERVER = "fxserver"
"""How the game server's User-Agent begins when it passes a push on."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CadKey:
    """A CAD's API key, and the name under which its calls are kept."""

    name: str
    key: str


class PushListener:
    """The handler of pushes; answers in the words that Sonoran's own listener uses."""

    def __init__(
        self,
        context: Context,
        keys: list[CadKey],
        intake: Intake = Intake(),  # noqa: B008 - frozen
    ) -> None:
        self._context = context
        self._intake = intake
        self._keys = [(key.name, _folded(key.key)) for key in keys if key.key]
        self.counts: Counter[str] = Counter()

    async def receive(self, request: web.Request) -> web.Response:
        """Take in one push; 200 once it is on disk."""
        status, text = await self._outcome(request)
        self.counts[text.partition(":")[0]] += 1
        return web.Response(status=status, text=text)

    async def _outcome(self, request: web.Request) -> tuple[int, str]:
        try:
            body = parse_json(await request.read())
        except web.HTTPRequestEntityTooLarge:
            return 413, "Too Large"
        except (BadJson, web.RequestPayloadError):  # the latter: its chunks or its gzip are broken
            return 400, "Invalid JSON"
        cad = self._cad_of(body.get("key")) if isinstance(body, dict) else None
        if cad is None:
            log.warning("refused a push from %s: wrong or missing CAD key", request.remote)
            return 400, "Authentication Key Failed!"
        if not isinstance(body.get("type"), str):
            return 400, "Invalid Type"
        try:
            await receive(self._context, cad, body, _transport(request), self._intake)
        except UnhandledType as fault:
            log.info("%s", fault)
            return 400, "Invalid Type"
        except InvalidPush as fault:
            log.warning("refused a push: %s", fault)
            return 400, f"Invalid Data: {fault}"
        except StorageUnavailable as fault:
            log.error("a push could not be stored: %s", fault)
            return 503, "Storage Unavailable"
        return 200, "OK"

    def _cad_of(self, key: object) -> str | None:
        """Return the CAD that a key belongs to; every key is compared, whichever matches."""
        if not isinstance(key, str):
            return None
        given = _folded(key)
        found = None
        for name, known in self._keys:
            if hmac.compare_digest(given, known):
                found = name
        return found


def _transport(request: web.Request) -> str:
    """Name the way that a push came: each sender keeps to one path and one User-Agent."""
    is_passed_on = request.headers.get("User-Agent", "").casefold().startswith(GAME_SERVER)
    return f"{request.path}+{GAME_SERVER}" if is_passed_on else request.path


def _folded(key: str) -> bytes:
    """Fold case in ASCII only: str.upper() would take other letters for ASCII ones.

    The CAD hands the same key out in either case (changelog 3.33.1).
    """
    return key.encode(errors="surrogatepass").upper()
