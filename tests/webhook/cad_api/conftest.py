"""The outbox at work between real storage, the real push listener and a CAD of our own."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from db import cad_requests
from db.cad_requests import CadRequest
from tests.fake_cad import FakeCad
from tests.webhook.harness import START, AppHarness, Clock
from tests.webhook.serving import AppOptions, serve
from webhook.cad.store import PushConfig
from webhook.cad_api.client import CadApiClient
from webhook.cad_api.endpoints import ENDPOINTS, ApiAccess
from webhook.cad_api.game_server import GameServerTransport
from webhook.cad_api.limits import SlidingLimit
from webhook.cad_api.outbox import CadOutbox
from webhook.cad_api.transport import CadTransport
from webhook.http.push import CadKey
from webhook.protocol.context import Caller, Context, Scope
from webhook.protocol.events import CadRequestChanged, Subject
from webhook.queries.cad.requests import NewEmergency, emergency_body, store_api_cads

HURRY = 30
"""How much faster than ours the time of these tests is: a minute is two seconds."""

DORA = "200000000000000001"
VIC = "200000000000000002"
CAD = "cad"
COUNTY = "county"
COUNTY_KEY = "FAKE-CAD-API-KEY-COUNTY"
AWAY = "away"
"""A CAD that no game server asks now."""

BODIES: dict[str, dict[str, Any]] = {
    "create-911": emergency_body(NewEmergency(location="Forum Dr", description="Smoke.")),
    "create-dispatch": {
        "status": 1,
        "priority": 1,
        "title": "Smoke",
        "metaData": {},
        "discord": DORA,
    },
    "note": {"callId": 55, "note": "Two cars.", "noteType": "text", "label": "Dora"},
    "attach": {"callId": 55, "discord": DORA},
    "close": {"callIds": [55]},
}
"""What is asked, for each kind of request; 55 is a dispatch call."""


def hurried() -> float:
    return time.monotonic() * HURRY


class HurriedClock(Clock):
    """Milliseconds since 1970 that pass as fast as the rest."""

    def __init__(self) -> None:
        super().__init__()
        self._skipped = 0.0
        self._began = hurried()

    def set_back(self, seconds: float) -> None:
        self._began += seconds

    def skip(self, seconds: float) -> None:
        """Have time pass at once."""
        self._skipped += seconds

    def seconds(self) -> float:
        """Return the time that passes, however the clock is set."""
        return hurried() + self._skipped

    def __call__(self) -> int:
        return START + round((self.seconds() - self._began) * 1000)


class AskedCad:
    """What a test acts on."""

    def __init__(self, harness: AppHarness, clock: HurriedClock, fake: FakeCad) -> None:
        self.harness = harness
        self.clock = clock
        self.fake = fake
        self.config = PushConfig()
        self.others: dict[str, FakeCad] = {}
        """Further CADs that can be asked, by name."""
        self.outbox: CadOutbox

    def context(self, member: str = DORA, scope: Scope = Scope.ADMIN) -> Context:
        """Return the context of a member of the Discord server."""
        name = f"discord:{member}"
        context = self.harness.context()
        return replace(context, caller=Caller(name, scope, (name,)))

    async def ended(self, request_id: str, member: str = DORA) -> CadRequest:
        """Wait for the end of a member's request."""
        changed, bus = asyncio.Event(), self.harness.bus

        def hear(_: object) -> None:
            changed.set()

        bus.subscribe(CadRequestChanged.name, hear)
        try:
            async with asyncio.timeout(20):
                while True:
                    request = await cad_requests.get(self.harness.database.read, request_id)
                    assert request is not None
                    assert request.asked_by == f"discord:{member}"
                    if not request.is_open:
                        return request
                    await changed.wait()
                    changed.clear()
        finally:
            bus.unsubscribe(CadRequestChanged.name, hear)

    @asynccontextmanager
    async def working(self, transport: CadTransport | None = None) -> AsyncIterator[None]:
        """Have the outbox work until the block ends, as the bot has from its start to its end."""
        async with aiohttp.ClientSession() as http:
            cads = {CAD: self.fake, **self.others}
            transports: dict[str, CadTransport] = {
                cad: self._client_of(http, fake) for cad, fake in cads.items()
            }
            transports[AWAY] = GameServerTransport()
            if transport is not None:
                transports[CAD] = transport
            self.outbox = CadOutbox(
                self.harness.context(), transports, self.config, 1 / HURRY, self.clock.seconds
            )
            work = asyncio.create_task(self.outbox.run())
            try:
                yield
            finally:
                work.cancel()
                await asyncio.wait({work})

    def skip(self, seconds: float) -> None:
        """Let time pass at once."""
        self.clock.skip(seconds)

    def _client_of(self, http: aiohttp.ClientSession, fake: FakeCad) -> CadApiClient:
        clock = self.clock.seconds
        limits = {name: SlidingLimit(one.most, clock) for name, one in ENDPOINTS.items()}
        return CadApiClient(http, ApiAccess(fake.key, fake.server_id, fake.url), limits)

    async def pushed(self, push_type: str, data: dict[str, object]) -> None:
        """Have something happen in the CAD that the bot did not ask for."""
        await self.fake.push(push_type, data)

    async def take_names(self) -> list[str]:
        """Return the names of the CAD's events that there were since the last call."""
        names = [name for name, _data in self.harness.take_events() if name.startswith("cad.")]
        return [name.removeprefix("cad.EVENT_") for name in names]

    def emergency(self, number: int) -> Subject:
        return Subject("emergency", f"{number}@{CAD}")

    def dispatch(self, number: int) -> Subject:
        return Subject("dispatch", f"{number}@{CAD}")


@pytest.fixture
async def asked(harness: AppHarness) -> AsyncIterator[AskedCad]:
    """A CAD that Dora, who has unit 7, and Vic, who is not linked, can ask."""
    harness.clock = clock = HurriedClock()
    async with harness.database.write() as sql:
        await store_api_cads(sql, [CAD])
    async with FakeCad(clock.seconds) as fake:
        fake.add_member(DORA, 7, "1-A-7")
        keys = (CadKey(CAD, fake.key), CadKey(COUNTY, COUNTY_KEY))
        async with serve(harness, AppOptions(cad_keys=keys)) as app:
            fake.bot_url = app.url
            yield AskedCad(harness, clock, fake)
        assert fake.faults == []
        assert fake.windows.exceeded == []
