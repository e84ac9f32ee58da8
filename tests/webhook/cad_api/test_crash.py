"""B4: killed with kill -9 in any state of a request, the bot has it carried out once."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

import pytest

from db.database import Database
from tests.databases import put_database
from tests.fake_cad import FakeCad
from tests.fake_cad.worker import context_of, hurried, hurried_now, worker_process
from tests.webhook.cad_api.conftest import BODIES, DORA
from webhook.protocol.context import Caller, Change, Scope
from webhook.queries.cad.requests import ask_cad


class KilledBot:
    """A database, its requests, and a CAD with dispatch call 55."""

    def __init__(self, path: Path, fake: FakeCad) -> None:
        self.path = path
        self.fake = fake

    async def ask(self, kind: str) -> None:
        async with Database.open(self.path) as database:
            context = context_of(database, Caller(f"discord:{DORA}", Scope.ADMIN))
            async with context.change() as change:
                await self._ask(change, kind)

    async def _ask(self, change: Change, kind: str) -> None:
        await ask_cad(change, "cad", kind, BODIES[kind], within=None)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The bot, killed at the end of the block."""
        with worker_process(self.path, self.fake.url, self.fake.key):
            yield

    async def until(self, kind: str, done: Callable[[str, int], bool]) -> str:
        """Wait until a request is so, by its state and its tries; return its state."""
        async with asyncio.timeout(60):
            while True:
                with closing(sqlite3.connect(self.path)) as connection:
                    ((state, tries),) = connection.execute(
                        "SELECT state, tries FROM cad_requests WHERE kind = ?", (kind,)
                    ).fetchall()
                if done(state, tries):
                    return str(state)
                await asyncio.sleep(0.01)  # polls another process; nothing here could tell us

    async def ended(self, kind: str) -> str:
        return await self.until(kind, lambda state, _: state not in ("new", "sent"))

    def effects(self, kind: str) -> int:
        """Return how often the CAD did what was asked."""
        call = self.fake.dispatches.get(55) or self.fake.closed[55]
        done: dict[str, int] = {
            "create-911": len(self.fake.emergencies),
            "create-dispatch": len(self.fake.created),
            "note": len(call["notes"]),
            "attach": call["idents"].count(7),
            "close": int(55 in self.fake.closed),
        }
        return done[kind]


@pytest.fixture
async def killed(database_path: Path) -> AsyncIterator[KilledBot]:
    put_database(database_path)
    async with FakeCad(hurried) as fake:
        fake.add_member(DORA, 7)
        call = {"callId": 55, "status": 1, "title": "Fire", "idents": [], "notes": []}
        fake.dispatches[55] = call
        yield KilledBot(database_path, fake)
        assert fake.faults == []
        assert fake.windows.exceeded == []


@pytest.mark.parametrize("kind", BODIES)
async def test_a_request_has_one_effect_whenever_the_bot_is_killed(
    killed: KilledBot, kind: str
) -> None:
    fake = killed.fake
    await killed.ask(kind)
    if kind != "note":  # killed during its next try, nobody could tell whether that was done
        await fake.stop()
        async with killed.running():  # killed while nothing can have happened
            await killed.until(kind, lambda state, tries: state == "new" and tries > 0)
        await fake.start(int(fake.url.rpartition(":")[2]))
    fake.held = {kind}
    fake.begin_holding()
    async with killed.running():  # killed before the CAD did it
        await fake.until(lambda: bool(fake.asked(kind)))
    fake.end_holding(abandon=True)
    if kind != "note":
        assert killed.effects(kind) == 0
        fake.hold = asyncio.Event()
        async with killed.running():  # killed when the CAD had done it, before its answer
            await fake.until(lambda: killed.effects(kind) == 1)
        fake.hold.set()
        fake.hold = None
    async with killed.running():
        state = await killed.ended(kind)
    async with killed.running():  # killed after its end
        await fake.next_request()
    assert (state, killed.effects(kind)) == (("unknown", 0) if kind == "note" else ("done", 1))


async def test_a_limit_holds_across_restarts(killed: KilledBot) -> None:
    began, calls = hurried_now(), killed.fake
    while len(calls.asked("calls")) < 5:
        async with killed.running():
            await calls.until(partial(_is_longer, calls, len(calls.asked("calls"))))
    assert hurried_now() - began >= 60_000


def _is_longer(fake: FakeCad, seen: int) -> bool:
    return len(fake.asked("calls")) > seen
