"""Takes a request to its CAD, and stores what became of it, with all that it changed."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from db import cad_requests
from db.cad_requests import CadRequest, RequestState
from db.errors import StorageUnavailable
from webhook.cad.store import PushConfig, store_own
from webhook.cad_api.client import idents_of, number_of
from webhook.cad_api.effects import effects_of
from webhook.cad_api.endpoints import ENDPOINTS
from webhook.cad_api.progress import CadProgress
from webhook.cad_api.reconcile import Reading, reconcile
from webhook.cad_api.refusals import Read, Refusal, refusal_of, unit_of
from webhook.cad_api.transport import (
    AnswerLostError,
    ApiAnswer,
    CadFault,
    CadTransport,
    NotSentError,
    TooManyError,
)
from webhook.protocol.context import Change, Context
from webhook.queries.cad.requests import LANES, ask_cad, note_change, note_done

SECOND = 1000
MINUTE = 60 * SECOND
LONGEST_BACKOFF = 60 * SECOND
SETTLE = 5.0
"""Seconds that the CAD gets to finish what it was asked for before it is looked up."""

STORAGE_RETRY = 1.0

ONCE = frozenset(name for name, endpoint in ENDPOINTS.items() if not endpoint.repeatable)
"""The kinds of requests of which a second one does something else again."""

ENDINGS = frozenset({"close", "detach", "remove-911"})
"""What is done already if the CAD has no such call any more."""

READ_AFTER = {"attach": "calls", "detach": "calls", "status": "units"}
"""What shows a success that does not say whose units it was about."""

READS = LANES["calls"]

log = logging.getLogger(__name__)


class Courier:
    """Carries requests out, one at a time or several.

    `is_under_way`: whether a request is being carried out. `clock`: the seconds of what is waited
    for.
    """

    def __init__(
        self,
        context: Context,
        transports: Mapping[str, CadTransport],
        config: PushConfig,
        progress: Mapping[str, CadProgress],
        is_under_way: Callable[[CadRequest], bool],
        clock: Callable[[], float],
    ) -> None:
        self._context = context
        self._transports = transports
        self._config = config
        self._progress = progress
        self._is_under_way = is_under_way
        self._clock = clock
        self._settled_at: dict[str, float] = {}

    async def deliver(
        self, transport: CadTransport, request: CadRequest, body: dict[str, Any]
    ) -> None:
        """Send a request if it is still to be done, and store what became of it."""
        sent_at = await self._mark_sent(request)
        if sent_at is not None:
            await self._send(transport, request, body, sent_at)

    async def look_up_lost(self) -> float:
        """Have it found out which lost requests were done; return the seconds until that can be."""
        wait, now = math.inf, self._clock()
        lost = [
            request
            for request in await cad_requests.interrupted(self._context.read)
            if request.kind in ONCE and not self._is_under_way(request)
        ]
        self._settled_at = {
            request.id: self._settled_at.get(request.id, now + SETTLE) for request in lost
        }
        for request in lost:
            if request.answer:  # an echo came in place of the answer
                async with self._context.change() as change:
                    await self._finish(change, request, request.asked, {"callId": request.call_id})
            elif request.cad not in self._transports:
                await self.give_up(request, "no-key")
            elif self._settled_at[request.id] > now:
                wait = min(wait, self._settled_at[request.id] - now)
            else:
                async with self._context.change() as change:
                    await self.ask_to_read(change, request.cad, "calls")
        return wait

    async def _mark_sent(self, request: CadRequest) -> int | None:
        """Store that a request may have happened from now on; None if it is not to be sent."""
        async with self._context.change() as change:
            now = change.received
            if not await cad_requests.mark_sent(change.sql, request.id, now):
                return None
            await cad_requests.add_send(change.sql, request.cad, request.kind, now)
            await cad_requests.forget_sends(change.sql, now - MINUTE)
            if request.state == "new":
                await note_change(change, request.id, "sent", request.subject)
            return now

    async def _send(
        self,
        transport: CadTransport,
        request: CadRequest,
        body: dict[str, Any],
        sent_at: int,
    ) -> None:
        """Send a request, and store what became of it for as long as that takes."""
        progress, began = self._progress[request.cad], self._clock()
        try:
            answer = await transport.ask(request.kind, body)
        except (NotSentError, TooManyError) as fault:
            why = "limit" if isinstance(fault, TooManyError) else "unreachable"
            progress.note_problem(request.kind, why, self._context.now())
            await self._keep(lambda change: self._postpone(change, request, happened=False))
        except AnswerLostError:
            progress.note_problem(request.kind, "unreachable", self._context.now())
            await self._keep(lambda change: self.lose(change, request))
        else:
            await self._take(request, body, answer, sent_at, began)

    async def _take(
        self,
        request: CadRequest,
        body: dict[str, Any],
        answer: ApiAnswer,
        sent_at: int,
        began: float,
    ) -> None:
        """Store what an answer says; `sent_at`, `began`: when it was asked for, on two clocks."""
        cad, progress, now = request.cad, self._progress[request.cad], self._context.now()
        if progress.has_failed_for(LONGEST_BACKOFF, now):
            await self._keep(lambda change: cad_requests.hasten(change.sql, cad, now))
        if answer.is_good:
            progress.note_answer(request.kind, now)
            if request.kind.startswith("create-") and _call_id(answer.data, {}) is None:
                await self._keep(lambda change: self.lose(change, request))  # which call is it?
                return
            if request.lane == READS:
                reading = Reading(cad, request.kind, answer.data, sent_at)
                await self._keep(lambda change: self._read(change, request, reading, began))
                return
            refusal = await self._empty(request, body, answer.data)
        else:
            refusal = await refusal_of(self.asking(cad), request.kind, body, answer)
            progress.note_problem(request.kind, refusal.why, now)
            if refusal.why == "no-call" and request.kind in ENDINGS and request.tries:
                refusal = None  # an earlier try did it
        if refusal is None:
            await self._keep(lambda change: self._finish(change, request, body, answer.data))
        else:
            reason = refusal
            await self._keep(lambda change: self._end(change, request, "refused", reason))

    async def _empty(
        self, request: CadRequest, body: Mapping[str, Any], data: Any
    ) -> Refusal | None:
        """Return why a success did nothing, as the member has no unit; fill in whose unit it is."""
        if request.kind not in ("attach", "detach", "status") or not isinstance(data, dict):
            return None
        said = idents_of(data)
        if said or (said == [] and request.kind != "attach"):
            return None
        found = await unit_of(self.asking(request.cad), body["discord"])
        if isinstance(found, Refusal):
            return found
        if said == []:
            return Refusal("no-unit")
        if found:
            data["identIds"] = found
        return None

    def asking(self, cad: str) -> Read:
        """Return what asks a CAD for something on the way, unless that takes waiting."""
        transport = self._transports[cad]

        async def ask(kind: str, body: Mapping[str, Any]) -> ApiAnswer | None:
            if transport.wait(kind) > 0:
                return None
            with suppress(CadFault, StorageUnavailable):
                await self.add_send(cad, kind)
                return await transport.ask(kind, body)
            return None

        return ask

    async def add_send(self, cad: str, kind: str) -> None:
        async with self._context.change() as change:
            await cad_requests.add_send(change.sql, cad, kind, change.received)

    async def _keep(self, store: Callable[[Change], Awaitable[None]]) -> None:
        """Store what became of a request, as soon as storage can be written."""
        while True:
            try:
                async with self._context.change() as change:
                    await store(change)
            except StorageUnavailable as fault:
                log.warning("what the CAD answered waits for storage: %s", fault)
                await asyncio.sleep(STORAGE_RETRY)
            else:
                return

    async def _finish(
        self, change: Change, request: CadRequest, body: Mapping[str, Any], data: Any
    ) -> None:
        """Store that a request was done, with all that it changed; an echo may have done so."""
        call_id, idents = _call_id(data, body), idents_of(data)
        effect = cad_requests.effect_text(call_id, idents)
        if not await cad_requests.end(
            change.sql, request.id, "done", change.received, answer=effect
        ):
            return
        events = effects_of(request.kind, body, data)
        since = request.asked_at
        await store_own(change, self._context, request.cad, self._config, events, since)
        if idents is None and request.kind in READ_AFTER:
            await self.ask_to_read(change, request.cad, READ_AFTER[request.kind])
        await note_done(change, request)

    async def _read(
        self, change: Change, request: CadRequest, reading: Reading, began: float
    ) -> None:
        """Take over what was read; settle which lost calls were made."""
        if not await cad_requests.end(change.sql, request.id, "done", change.received):
            return
        if reading.kind == "calls":
            await self._look_up(change, reading, began)
        await reconcile(change, self._context, reading, self._config)
        await note_change(change, request.id, "done")

    async def _look_up(self, change: Change, reading: Reading, began: float) -> None:
        """Finish the lost requests whose calls were made, and have the others made.

        `began`: when the reading did. Time that was set tells nothing here, only time that passes.
        """
        made = dict(reading.marked_calls())
        for kind in ("create-911", "create-dispatch"):
            for lost in await cad_requests.unfinished_of_kind(change.sql, reading.cad, kind):
                is_settled = self._settled_at.get(lost.id, math.inf) <= began
                if lost.state != "sent" or self._is_under_way(lost) or not is_settled:
                    continue
                call = made.get(lost.id)
                if call is not None:
                    await self._finish(change, lost, lost.asked, call)
                else:
                    now = change.received
                    await cad_requests.postpone(change.sql, lost.id, now, may_have_happened=False)
                    await note_change(change, lost.id, "new", lost.subject)
        for mark, call in made.items():
            given_up = await cad_requests.get(change.sql, mark)
            if given_up is not None and given_up.state == "unknown":
                effect = cad_requests.effect_text(_call_id(call, {}))
                await cad_requests.confirm(change.sql, mark, change.received, effect)
                await note_done(change, given_up)

    async def lose(self, change: Change, request: CadRequest) -> None:
        """Go on without an answer; an echo may have told what became of it."""
        stored = await cad_requests.get(change.sql, request.id)
        if request.kind == "note" and not (stored is not None and stored.answer):
            await self._end(change, request, "unknown", Refusal("lost"))
        else:
            await self._postpone(change, request, happened=True)

    async def _postpone(self, change: Change, request: CadRequest, *, happened: bool) -> None:
        """Try a request again, each time after a longer wait.

        That one try was not taken does not undo an earlier one that may have been.
        """
        happened = happened or request.state == "sent"
        due_at = change.received + min(SECOND << min(request.tries, 10), LONGEST_BACKOFF)
        await cad_requests.postpone(change.sql, request.id, due_at, may_have_happened=happened)
        await note_change(change, request.id, "sent" if happened else "new", request.subject)

    async def give_up(self, request: CadRequest, why: str) -> None:
        """End a request that is too late or cannot be sent; what may have happened is unknown."""

        async def end(change: Change) -> None:
            stored = await cad_requests.get(change.sql, request.id)
            is_sent = stored is not None and stored.state == "sent"
            await self._end(change, request, "unknown" if is_sent else "refused", Refusal(why))

        await self._keep(end)

    async def _end(
        self, change: Change, request: CadRequest, state: RequestState, refusal: Refusal
    ) -> None:
        why, detail = refusal
        if await cad_requests.end(
            change.sql, request.id, state, change.received, why=why, detail=detail
        ):
            await note_change(change, request.id, state, request.subject)

    async def ask_to_read(self, change: Change, cad: str, kind: str) -> None:
        """Have the calls or the units of a CAD read, unless a reading is still to begin."""
        waiting = await cad_requests.unfinished_of_kind(change.sql, cad, kind)
        if all(map(self._is_under_way, waiting)):
            await ask_cad(change, cad, kind, {}, within=None)


def _call_id(data: Any, body: Mapping[str, Any]) -> int | None:
    """Return the number of the call in an answer, else of the one that was asked about."""
    found = number_of(data.get("callId")) if isinstance(data, dict) else None
    return body.get("callId") if found is None else found
