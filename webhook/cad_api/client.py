"""The client of Sonoran's API v2: one request, its limit, and what became of it.

The API key is in no text that leaves this module, also not in one that the CAD sends back.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from webhook.cad_api.endpoints import ENDPOINTS, ApiAccess, Endpoint
from webhook.cad_api.limits import SlidingLimit
from webhook.cad_api.transport import AnswerLostError, ApiAnswer, NotSentError, TooManyError
from webhook.protocol.clean_text import clean_text
from webhook.protocol.errors import BadJson
from webhook.protocol.json_reader import parse_json
from webhook.protocol.wire import parse_id

TIMEOUT = aiohttp.ClientTimeout(total=30.0, sock_connect=10.0)
MAX_ANSWER = 16 * 1024 * 1024
ANSWER_VALUES = 500_000
"""The most commas and brackets of an answer: all calls of a busy CAD."""

DETAIL_LENGTH = 200

_NOT_SENT = (
    (aiohttp.ClientSSLError, "the CAD cannot be reached: its certificate is not good"),
    (aiohttp.ClientConnectorDNSError, "the CAD cannot be reached: nobody knows its host's name"),
    (aiohttp.ClientConnectorError, "the CAD cannot be reached"),
    (aiohttp.ConnectionTimeoutError, "the CAD cannot be reached"),
    (aiohttp.InvalidURL, "the CAD cannot be reached: its address is none"),
)
"""Faults after which it has not got the request, the most special first."""


class CadApiClient:
    """Asks one CAD with one key; the limits are those of the key."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        access: ApiAccess,
        limits: dict[str, SlidingLimit] | None = None,
    ) -> None:
        self._http = http
        self._access = access
        self._limits = limits if limits is not None else fresh_limits()

    @property
    def is_there(self) -> bool:
        return True

    def wait(self, kind: str) -> float:
        return self._limits[kind].wait()

    def count_earlier(self, kind: str, seconds_ago: float) -> None:
        self._limits[kind].add_earlier(seconds_ago)

    async def ask(self, kind: str, body: Mapping[str, Any]) -> ApiAnswer:
        endpoint, limit = ENDPOINTS[kind], self._limits[kind]
        limit.begin()
        try:
            answer, wait = await self._send(endpoint, body)
        finally:
            limit.end()
        if answer.status == 429:
            limit.block(wait)
            raise TooManyError("the CAD takes no more requests for now")
        limit.unblock()
        if answer.status >= 500 or answer.status == 408:
            raise AnswerLostError(f"the CAD answered {answer.status}")
        return answer

    async def _send(
        self, endpoint: Endpoint, body: Mapping[str, Any]
    ) -> tuple[ApiAnswer, float | None]:
        path, given = endpoint.request(body, self._access.server)
        if endpoint.name == "create-dispatch":
            given = {"origin": self._access.origin, **given}
        is_read = endpoint.method == "GET"
        try:
            async with self._http.request(
                endpoint.method,
                f"{self._access.url.rstrip('/')}/v2{path}",
                params=given if is_read else None,
                json=None if is_read or not given else given,
                headers={
                    "Authorization": f"Bearer {self._access.key}",
                    "Accept": "application/json",
                },
                timeout=TIMEOUT,
                allow_redirects=False,  # elsewhere, the key would be told to somebody else
            ) as got:
                text = await _read(got)
                return self._answer(got.status, text), _retry_after(got)
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as fault:
            for kind, why in _NOT_SENT:
                if isinstance(fault, kind):
                    raise NotSentError(why) from None
            raise AnswerLostError("the CAD did not answer") from None

    def _answer(self, status: int, text: bytes) -> ApiAnswer:
        try:
            data = parse_json(text, max_values=ANSWER_VALUES) if text.strip() else {}
        except BadJson:
            data = ""
        if 300 <= status < 400:
            return ApiAnswer(status, {}, "the address in [cad.api] url leads elsewhere")
        if 200 <= status < 300:
            if not isinstance(data, dict | list | None):
                raise AnswerLostError("the CAD's answer is not JSON")
            status = _fault_in(data) or status
        return ApiAnswer(status, data, detail_of(data, [self._access.key]))


def _fault_in(data: Any) -> int | None:
    """Return the status of a fault that was answered as if it were a success."""
    if not isinstance(data, dict):
        return None
    status, error = data.get("status"), data.get("error")
    if isinstance(status, int) and 400 <= status < 600:
        return status
    return 400 if data.get("success") is False or (isinstance(error, str) and error) else None


def detail_of(fault: Any, keys: Iterable[str]) -> str:
    """Return what a fault of the CAD says for people, without the keys that are in it."""
    if not isinstance(fault, dict):
        return ""
    texts = [fault.get(name) for name in ("detail", "title", "message", "error")]
    detail = next((text for text in texts if isinstance(text, str) and text), "")
    for key in filter(None, keys):
        detail = re.sub(re.escape(key), "***", detail, flags=re.IGNORECASE)
    return " ".join(clean_text(detail, DETAIL_LENGTH).split())


def number_of(value: Any) -> int | None:
    """Return an id of the CAD; None if it is none."""
    try:
        return parse_id(value)
    except ValueError:
        return None


def idents_of(answer: Any) -> list[int] | None:
    """Return the units in an answer; None if it does not say any."""
    found = answer.get("identIds", answer.get("idents")) if isinstance(answer, dict) else None
    if not isinstance(found, list):
        return None
    idents = [ident for ident in map(number_of, found) if ident is not None]
    return idents if idents or not found else None


def fresh_limits() -> dict[str, SlidingLimit]:
    """Return the limits of a key."""
    return {name: SlidingLimit(endpoint.most) for name, endpoint in ENDPOINTS.items()}


async def _read(got: aiohttp.ClientResponse) -> bytes:
    text = await got.content.read(MAX_ANSWER)
    while text and not got.content.at_eof():
        more = await got.content.read(MAX_ANSWER)
        text += more
        if len(text) > MAX_ANSWER:
            raise AnswerLostError("the CAD's answer is too long")
    return text


def _retry_after(got: aiohttp.ClientResponse) -> float | None:
    """Read how long the CAD wants us to wait; a date or nonsense counts as nothing."""
    for name in ("Retry-After", "RateLimit-Reset", "X-RateLimit-Reset"):
        try:
            seconds = float(got.headers[name])
        except (KeyError, ValueError):
            continue
        if 0 <= seconds <= 3600:
            return seconds
    return None


@asynccontextmanager
async def open_clients(accesses: Mapping[str, ApiAccess]) -> AsyncIterator[dict[str, CadApiClient]]:
    """Return a client for each CAD; those with one key share its limits.

    Each request has a connection of its own: on one that was left open nobody can tell whether a
    request that failed had been read.
    """
    limits: dict[str, dict[str, SlidingLimit]] = {}
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True), cookie_jar=aiohttp.DummyCookieJar()
    ) as http:
        yield {
            cad: CadApiClient(
                http, access, limits.setdefault(access.key.casefold(), fresh_limits())
            )
            for cad, access in accesses.items()
        }
