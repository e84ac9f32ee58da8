"""Carries out the requests to the CADs: each once, whatever happens to the bot or to the CAD.

A request is stored before it is sent, and as `sent` before the CAD can get it. So after a crash,
or without an answer, three kinds are told apart: what may be repeated is; a call is looked up among
the CAD's calls before another is made; of a note nobody can tell, so it is not written twice.

Of each CAD, one request of each lane is under way at a time, so that a slow reading holds up no
panic; and requests about one subject are sent in the order in which they were asked.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from db import cad_requests
from db.cad_requests import CadRequest
from db.errors import StorageUnavailable
from webhook.cad.store import PushConfig
from webhook.cad_api.courier import LONGEST_BACKOFF, MINUTE, ONCE, SECOND, STORAGE_RETRY, Courier
from webhook.cad_api.game_server import GameServerTransport
from webhook.cad_api.progress import CadProgress
from webhook.cad_api.refusals import Refusal, refusal_of
from webhook.cad_api.transport import CadFault, CadTransport, TooManyError
from webhook.protocol.bus import StoredEvent
from webhook.protocol.context import Context
from webhook.protocol.events import CadRequestChanged
from webhook.queries.cad.requests import store_game_cads

TEST_TIMEOUT = 10.0
IDLE = 30.0
"""Seconds after which the outbox is looked through in any case."""

log = logging.getLogger(__name__)


class CadOutbox:
    """The worker that carries requests out, over each CAD's transport.

    `progress`: how that goes, by the CAD's name; for people to see. `pace`: by what its waits are
    multiplied, and `clock` has its seconds; tests hurry.
    """

    def __init__(
        self,
        context: Context,
        transports: Mapping[str, CadTransport],
        config: PushConfig,
        pace: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._context = context
        self._transports = transports
        self._pace = pace
        self._woken = asyncio.Event()
        self._busy: dict[tuple[str, int], str] = {}
        self._there = {cad for cad, one in transports.items() if one.is_there}
        self._offered: list[str] | None = None
        self.progress = {cad: CadProgress(cad, one) for cad, one in transports.items()}
        self._courier = Courier(
            context, transports, config, self.progress, self._is_under_way, clock
        )

    async def run(self) -> None:
        """Carry out what is asked until cancelled."""
        self._context.bus.subscribe(CadRequestChanged.name, self._wake_on_change)
        self._busy.clear()
        try:
            await self._recover()
            async with asyncio.TaskGroup() as group:
                while True:
                    self._woken.clear()
                    try:
                        await self._follow_game_servers()
                        wait = await self._start_due(group)
                    except StorageUnavailable as fault:
                        log.warning("requests to the CAD wait for storage: %s", fault)
                        wait = STORAGE_RETRY
                    with suppress(TimeoutError):
                        async with asyncio.timeout(min(wait, IDLE) * self._pace):
                            await self._woken.wait()
        finally:
            self._context.bus.unsubscribe(CadRequestChanged.name, self._wake_on_change)

    async def count_earlier(self) -> None:
        """Count what the CAD was asked just before the start: its limits go on."""
        now = self._context.now()
        for cad, transport in self._transports.items():
            for send in await cad_requests.sends(self._context.read, cad, now - MINUTE):
                transport.count_earlier(send.endpoint, (now - send.at) / SECOND)

    def wake(self) -> None:
        """Look at once what can be sent."""
        self._woken.set()

    async def ask_for_state(self) -> None:
        """Have the calls and the units of every CAD that is there read, once."""
        for cad in self._there:
            await self._ask_for_state_of(cad)

    async def test(self, cad: str) -> Refusal | None:
        """Ask a CAD for its version, which changes nothing; return why it did not say it."""
        transport, progress = self._transports[cad], self.progress[cad]
        if not transport.is_there:
            return Refusal("no-key")
        if transport.wait("version") > 0:
            return Refusal("limit")
        await self._courier.add_send(cad, "version")
        try:
            async with asyncio.timeout(TEST_TIMEOUT):
                answer = await transport.ask("version", {})
        except TooManyError:
            refusal = Refusal("limit")
        except (CadFault, TimeoutError):
            refusal = Refusal("unreachable")
        else:
            if answer.is_good:
                progress.note_answer("version", self._context.now())
                progress.note_version(answer.data)
                return None
            refusal = await refusal_of(self._courier.asking(cad), "version", {}, answer)
        progress.note_problem("version", refusal.why, self._context.now())
        return refusal

    async def _follow_game_servers(self) -> None:
        """Store which CADs game servers can ask; read the state of those whose has come."""
        offered = [
            cad
            for cad, transport in self._transports.items()
            if isinstance(transport, GameServerTransport) and transport.is_offered
        ]
        if offered != self._offered:
            async with self._context.change() as change:
                await store_game_cads(change.sql, offered)
            self._offered = offered
        there = {cad for cad, transport in self._transports.items() if transport.is_there}
        for cad in there - self._there:
            await self._ask_for_state_of(cad)
        self._there = there

    async def _ask_for_state_of(self, cad: str) -> None:
        for kind in ("calls", "units"):
            async with self._context.change() as change:
                await self._courier.ask_to_read(change, cad, kind)

    def _wake_on_change(self, event: StoredEvent) -> None:
        self._woken.set()

    async def _recover(self) -> None:
        """Take up what was under way when the bot stopped: its answer is lost."""
        async with self._context.change() as change:
            for request in await cad_requests.interrupted(change.sql):
                await self._courier.lose(change, request)

    async def _start_due(self, group: asyncio.TaskGroup) -> float:
        """Start what can be sent now; return the seconds until more can be."""
        now, read = self._context.now(), self._context.read
        waiting = {each.cad: each for each in await cad_requests.waiting(read)}
        for cad, progress in self.progress.items():
            progress.note_waiting(waiting.get(cad))
        for request in await cad_requests.overdue(read, now):
            if not self._is_under_way(request):
                why = "late" if self._can_ask(request.cad) else "no-key"
                await self._courier.give_up(request, why)
        wait = await self._courier.look_up_lost()
        for request in await cad_requests.ready(read, now, now + LONGEST_BACKOFF, ONCE):
            wait = min(wait, await self._try_to_start(group, request))
        moment = await cad_requests.next_moment(read, now)
        return wait if moment is None else min(wait, (moment - now) / SECOND)

    def _can_ask(self, cad: str) -> bool:
        transport = self._transports.get(cad)
        return transport is not None and transport.is_there

    def _is_under_way(self, request: CadRequest) -> bool:
        return request.id in self._busy.values()

    async def _try_to_start(self, group: asyncio.TaskGroup, request: CadRequest) -> float:
        """Start a request, or return the seconds until it may be possible."""
        transport = self._transports.get(request.cad)
        if transport is None:
            await self._courier.give_up(request, "no-key")
            return math.inf
        lane = (request.cad, request.lane)
        body = await self._body_of(request)
        if body is None or lane in self._busy:
            return math.inf
        wait = transport.wait(request.kind)
        if wait > 0:
            return wait
        self._busy[lane] = request.id
        group.create_task(self._carry_out(lane, transport, request, body), name="cad request")
        return math.inf

    async def _body_of(self, request: CadRequest) -> dict[str, Any] | None:
        """Return what is asked; None if the call that it is about was not made."""
        if request.after is None:
            return request.asked
        made = await cad_requests.get(self._context.read, request.after)
        if made is None or made.state != "done":
            why = "" if made is None else made.why
            await self._courier.give_up(request, why or "not-made")
            return None
        return {**request.asked, "callId": made.call_id}

    async def _carry_out(
        self,
        lane: tuple[str, int],
        transport: CadTransport,
        request: CadRequest,
        body: dict[str, Any],
    ) -> None:
        try:
            await self._courier.deliver(transport, request, body)
        except StorageUnavailable as fault:
            log.warning("a request to the CAD waits for storage: %s", fault)
            await asyncio.sleep(STORAGE_RETRY)
        except Exception:
            log.exception("a request to the CAD failed (%s)", request.kind)
            await self._courier.give_up(request, "refused")
        finally:
            self._busy.pop(lane, None)
            self._woken.set()
