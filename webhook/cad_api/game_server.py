"""Asking a CAD without an API key: the game server does it, through Sonoran's own resource there.

The resource `cad-sentinel` claims requests, has Sonoran's client carry them out, and reports the
answers. What it has not claimed was certainly not sent; nor was what it has claimed and, in the
same session, knows nothing of: the answer that told it of the request was lost.
"""

import asyncio
import math
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from webhook.cad_api.client import detail_of, fresh_limits
from webhook.cad_api.endpoints import CALLER
from webhook.cad_api.limits import SlidingLimit
from webhook.cad_api.transport import AnswerLostError, ApiAnswer, NotSentError, TooManyError
from webhook.protocol.errors import BadJson
from webhook.protocol.json_reader import parse_json
from webhook.protocol.wire import Request

GONE_AFTER = 15.0
"""Seconds without a poll after which nobody is there to claim requests."""

OFFERED_FOR = 600.0
"""Seconds that a game server may be away, as in a restart, until people are offered nothing."""

CLAIM_TIMEOUT = 15.0
ANSWER_TIMEOUT = 60.0
"""Seconds that Sonoran's client may take: it waits 30 for an answer, and repeats after a 429."""


@dataclass
class GameRequest:
    """A request that a game server may claim; `session`: of the one that has claimed it."""

    kind: str
    body: Mapping[str, Any]
    id: str = field(default_factory=lambda: str(uuid4()))
    session: str | None = None
    claimed: asyncio.Event = field(default_factory=asyncio.Event)
    answer: asyncio.Future[ApiAnswer] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def end(self, outcome: ApiAnswer | Exception) -> None:
        """Settle what came of it; only the first time counts."""
        self.claimed.set()
        if self.answer.done():
            return
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class GameAnswer(Request):
    """What Sonoran's client returned, or the error that it raised."""

    id: str
    success: bool = False
    data: Any = None
    reason: Any = None
    error: str | None = None


class GameServerTransport:
    """Asks one CAD through whatever game server is there.

    `was_there`: one was, shortly before the start. `keys`: those of the CAD, which nobody shall
    read in its texts.
    """

    def __init__(
        self,
        origin: int = CALLER,
        *,
        was_there: bool = False,
        keys: Collection[str] = (),
        limits: dict[str, SlidingLimit] | None = None,
        clock: Callable[[], float] = time.monotonic,
        pace: float = 1.0,
    ) -> None:
        self._origin = origin
        self._keys = keys
        self._limits = limits if limits is not None else fresh_limits()
        self._clock = clock
        self._pace = pace
        self._offered_until = clock() + OFFERED_FOR if was_there else -math.inf
        self._there_until = -math.inf
        self._requests: dict[str, GameRequest] = {}
        self._asked = asyncio.Event()
        self._is_closing = False

    @property
    def is_there(self) -> bool:
        return self._clock() < self._there_until

    @property
    def is_offered(self) -> bool:
        """Whether people may ask, as a game server is there or may soon be back."""
        return self._clock() < self._offered_until

    def wait(self, kind: str) -> float:
        return self._limits[kind].wait() if self.is_there else math.inf

    def count_earlier(self, kind: str, seconds_ago: float) -> None:
        self._limits[kind].add_earlier(seconds_ago)

    async def ask(self, kind: str, body: Mapping[str, Any]) -> ApiAnswer:
        given = {"origin": self._origin, **body} if kind == "create-dispatch" else body
        request, limit = GameRequest(kind, given), self._limits[kind]
        self._requests[request.id] = request
        self._asked.set()
        limit.begin()
        try:
            answer = await self._answer_to(request)
        except TooManyError:
            limit.block(None)
            raise
        finally:
            limit.end()
            self._requests.pop(request.id)
        limit.unblock()
        return answer

    async def _answer_to(self, request: GameRequest) -> ApiAnswer:
        try:
            async with asyncio.timeout(CLAIM_TIMEOUT * self._pace):
                await request.claimed.wait()
            async with asyncio.timeout(ANSWER_TIMEOUT * self._pace):
                return await request.answer
        except TimeoutError:
            if request.session is None:
                raise NotSentError("no game server has claimed the request") from None
            raise AnswerLostError("the game server did not answer") from None

    def note_poll(self, session: str, working_on: Collection[str]) -> bool:
        """Note that a game server is there, and what it works on; return whether it has just come.

        `session`: of its resource, another one after each start.
        """
        was_there = self.is_there
        now = self._clock()
        self._there_until, self._offered_until = now + GONE_AFTER, now + OFFERED_FOR
        for request in self._requests.values():
            if request.session == session and request.id not in working_on:
                request.end(NotSentError("the game server has not got the request"))
        return not was_there

    def note_answer(self, answer: GameAnswer) -> None:
        """Take an answer; one to a request of an earlier time is of no use any more."""
        request = self._requests.get(answer.id)
        if request is not None:
            request.end(_outcome_of(answer, self._keys))

    def close(self) -> None:
        """Answer polls at once from now on, and give out no more requests."""
        self._is_closing = True
        self._asked.set()

    async def claim(self, session: str, seconds: float) -> list[GameRequest]:
        """Return the requests that the game server shall carry out, as soon as there are some."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not (self._is_closing or self._unclaimed()):
                    self._asked.clear()
                    await self._asked.wait()
        found = [] if self._is_closing else self._unclaimed()
        for request in found:
            request.session = session
            request.claimed.set()
        return found

    def _unclaimed(self) -> list[GameRequest]:
        return [
            request
            for request in self._requests.values()
            if request.session is None and not request.answer.done()
        ]


def _outcome_of(given: GameAnswer, keys: Collection[str]) -> ApiAnswer | Exception:
    """Say what an answer means; of a fault, Sonoran's client mostly has only the text."""
    if given.error is not None:
        if "apikey is required" in given.error.casefold():
            return ApiAnswer(401, {})
        return AnswerLostError("Sonoran's resource failed")
    if given.success:
        data = _parsed(given.data)
        if data is None or isinstance(data, dict | list):
            return ApiAnswer(200, data if data is not None else {})
        return AnswerLostError("the CAD's answer is not JSON")
    reason = _parsed(given.reason)
    if isinstance(reason, dict):
        status, text = reason.get("status"), str(reason.get("message") or reason.get("body") or "")
    else:
        status, text = None, str(reason or "")
    if status == 429 or "rate limit" in text.casefold():
        return TooManyError("the CAD takes no more requests for now")
    if not isinstance(status, int) or not 400 <= status < 500 or status == 408:
        return AnswerLostError("the CAD did not answer")
    return ApiAnswer(status, reason, detail_of(reason, keys))


def _parsed(value: Any) -> Any:
    """Read what Sonoran's client did not take for JSON, as problem+json is."""
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value.encode()) if value.strip() else None
    except BadJson:
        return value
