"""Without an API key the game server asks the CAD, through Sonoran's own resource there."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_cad import FakeCad
from tests.fivem.played_server import PlayedServer
from tests.webhook.cad_api.conftest import BODIES, CAD, DORA, VIC, AskedCad, HurriedClock
from tests.webhook.harness import AppHarness
from tests.webhook.serving import READER, WRITER, AppOptions, RunningApp, serve
from webhook.cad_api.game_server import GameServerTransport
from webhook.cad_api.transport import AnswerLostError, NotSentError, TooManyError
from webhook.http.push import CadKey
from webhook.queries.cad.requests import (
    NewEmergency,
    api_cads,
    ask_cad,
    place_emergency,
    store_api_cads,
)

FIRE = {"callId": 55, "status": 1, "title": "Fire", "idents": [], "notes": []}


class PlayedCad(AskedCad):
    """A CAD that only a game server can ask."""

    def __init__(
        self, harness: AppHarness, clock: HurriedClock, fake: FakeCad, folder: Path
    ) -> None:
        super().__init__(harness, clock, fake)
        self.cads = {CAD: GameServerTransport()}
        self.app: RunningApp
        self._folder = folder

    @property
    def transport(self) -> GameServerTransport:
        return self.cads[CAD]

    def came(self) -> None:
        if hasattr(self, "outbox"):
            self.outbox.wake()

    def play(self, key: str = "") -> PlayedServer:
        convars = {
            "cad_sentinel_url": self.app.url,
            "cad_sentinel_token": WRITER,
            "cad_url": self.fake.url,
            "cad_key": key or self.fake.key,
        }
        return PlayedServer(self._folder / "game", convars)

    async def poll(self, token: str | None = WRITER, **given: Any) -> tuple[int, dict[str, Any]]:
        """Do what the resource does."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{self.app.url}/api/cad-requests"
        body = {"session": "s1", **given}
        async with self.app.http.post(url, json=body, headers=headers) as answer:
            return answer.status, await answer.json(
                content_type=None
            ) if answer.status < 401 else {}

    async def ask(self, kind: str, body: dict[str, Any]) -> str:
        async with self.context().change() as change:
            return await ask_cad(change, CAD, kind, body)

    async def until_offered(self) -> None:
        """Wait until a game server has come, and the CAD was read because of that."""
        await self.fake.until(lambda: bool(self.fake.asked("units")))
        assert await api_cads(self.harness.database.read) == [CAD]


@pytest.fixture
async def played(harness: AppHarness, tmp_path: Path) -> AsyncIterator[PlayedCad]:
    harness.clock = clock = HurriedClock()
    async with harness.database.write() as sql:
        await store_api_cads(sql, [])
    async with FakeCad(clock.seconds) as fake:
        fake.add_member(DORA, 7, "1-A-7")
        fake.dispatches[55] = dict(FIRE, notes=[], idents=[])
        cad = PlayedCad(harness, clock, fake, tmp_path)
        options = AppOptions(
            cad_keys=(CadKey(CAD, fake.key),),
            game_cads=cad.cads,
            game_server_came=lambda: cad.came(),
        )
        async with serve(harness, options) as app:
            cad.app, fake.bot_url = app, app.url
            yield cad
        assert fake.faults == []
        assert fake.windows.exceeded == []


async def test_the_game_server_does_what_members_ask(played: PlayedCad) -> None:
    fake = played.fake
    async with played.working(played.transport):
        assert await api_cads(played.harness.database.read) == []
        with played.play():
            await played.until_offered()
            placed = await place_emergency(
                played.context(), CAD, NewEmergency(location="Forum Dr", description="Smoke.")
            )
            done = {
                kind: await played.ask(kind, body)
                for kind, body in (
                    ("attach", {"callId": 55, "discord": DORA}),
                    ("note", {"callId": 55, "note": "Two.", "noteType": "text", "label": "Dora"}),
                    ("status", {"discord": DORA, "status": 4}),
                    ("panic", {"identIds": [7], "isPanic": False}),
                )
            }
            assert (await played.ended(placed)).state == "done"
            states = {kind: (await played.ended(one)).state for kind, one in done.items()}
            assert states == dict.fromkeys(done, "done")
            assert fake.dispatches[55]["idents"] == [7]
            unlinked = await played.ended(
                await played.ask("attach", {"callId": 55, "discord": VIC})
            )
            assert (unlinked.state, unlinked.why) == ("refused", "unlinked")
            left = await played.ask("detach", {"discord": DORA})
            assert (await played.ended(left)).state == "done"
            closed = await played.ask("close", {"callIds": [55]})
            assert (await played.ended(closed)).state == "done"
            gone = await played.ask("attach", {"callId": 99, "discord": DORA})
            assert (await played.ended(gone)).why == "no-call"
    assert [call["description"] for call in fake.emergencies.values()] == ["Smoke."]
    assert len(fake.closed[55]["notes"]) == 1
    assert {"calls", "units"} <= {kind for kind, *_ in fake.requests}


@pytest.mark.parametrize("kind", ["create-911", "note", "attach"])
async def test_a_killed_game_server_leaves_one_effect(
    played: PlayedCad, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhook.cad_api.game_server.ANSWER_TIMEOUT", 1.0)
    fake = played.fake
    async with played.working(played.transport):
        fake.held = {kind}
        fake.begin_holding()
        with played.play():
            await played.until_offered()
            asked = await played.ask(kind, BODIES[kind])
            await fake.until(lambda: bool(fake.asked(kind)))
        fake.end_holding()
        with played.play():
            ended = await played.ended(asked)
    assert ended.state == ("unknown" if kind == "note" else "done")
    assert len(fake.dispatches[55]["notes"]) == (kind == "note")
    assert len(fake.emergencies) == (kind == "create-911")


@pytest.mark.parametrize("kind", ["create-dispatch", "attach"])
async def test_a_restarted_bot_makes_the_request_once(played: PlayedCad, kind: str) -> None:
    fake = played.fake
    with played.play():
        async with played.working(played.transport):
            await played.until_offered()
            fake.held, fake.hold = {kind}, asyncio.Event()
            asked = await played.ask(kind, BODIES[kind])
            await fake.until(lambda: bool(fake.asked(kind)))
        played.transport.close()
        played.cads[CAD] = GameServerTransport(was_there=True)
        fake.hold.set()
        async with played.working(played.transport):
            ended = await played.ended(asked)
    assert ended.state == "done"
    assert len(fake.created) == (kind == "create-dispatch")
    assert fake.dispatches[55]["idents"] == [7] * (kind == "attach")


async def test_unclaimed_requests_were_not_sent(played: PlayedCad) -> None:
    transport = GameServerTransport(pace=0.001)
    with pytest.raises(NotSentError):
        await transport.ask("note", {})


async def test_a_lost_list_of_requests_was_not_carried_out(played: PlayedCad) -> None:
    asked = asyncio.create_task(played.transport.ask("note", {"callId": 55}))
    await asyncio.sleep(0)
    _, page = await played.poll(wait=1)
    [request] = page["requests"]
    assert (request["kind"], request["body"]) == ("note", {"callId": 55})
    _, page = await played.poll(wait=0, workingOn=[request["id"]])
    _, other = await played.poll(wait=0, session="another")
    assert page == other == {"isWanted": True, "requests": []}
    assert not asked.done()
    await played.poll(wait=0)  # it does not know of the request
    with pytest.raises(NotSentError):
        await asked


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"success": True, "data": {"callId": 3}}, (200, {"callId": 3})),
        ({"success": True}, (200, {})),
        ({"success": True, "data": ""}, (200, {})),
        ({"success": True, "data": '{"callId": 4}'}, (200, {"callId": 4})),
        ({"success": True, "data": "<html>"}, AnswerLostError),
        ({"success": True, "data": 5}, AnswerLostError),
        ({"success": False, "reason": {"status": 404, "detail": "No call"}}, (404, "No call")),
        ({"success": False, "reason": '{"status":402,"title":"Plan"}'}, (402, "Plan")),
        ({"success": False, "reason": {"status": 503}}, AnswerLostError),
        ({"success": False, "reason": {"code": "ETIMEDOUT"}}, AnswerLostError),
        ({"success": False, "reason": "Request timed out."}, AnswerLostError),
        ({"success": False}, AnswerLostError),
        ({"success": False, "reason": {"message": "API rate limit exceeded"}}, TooManyError),
        ({"success": False, "reason": "Request was rate limited."}, TooManyError),
        ({"error": "apiKey is required for authenticated requests."}, (401, "")),
        ({"error": "attempt to index a nil value"}, AnswerLostError),
        ({}, AnswerLostError),
    ],
)
async def test_answers_of_sonorans_client_are_understood(
    played: PlayedCad, answer: dict[str, Any], found: Any
) -> None:
    asked = asyncio.create_task(played.transport.ask("attach", {"callId": 3}))
    await asyncio.sleep(0)
    _, page = await played.poll(wait=1)
    given = {"id": page["requests"][0]["id"], **answer}
    assert await played.poll(answers=[given, {"id": "unknown", "success": True}]) == (
        200,
        {"isWanted": True, "requests": []},
    )
    if isinstance(found, tuple):
        status, data_or_detail = found
        got = await asked
        assert got.status == status
        assert data_or_detail in (got.data, got.detail)
    else:
        with pytest.raises(found):
            await asked


async def test_only_programs_that_may_write_claim_requests(played: PlayedCad) -> None:
    assert (await played.poll(None))[0] == 401
    assert (await played.poll(READER))[0] == 403
    assert (await played.poll(wait=60))[0] == 400
    assert (await played.poll(cad="elsewhere", wait=0))[1] == {"isWanted": False, "requests": []}
    assert (await played.poll(cad="CAD", wait=0))[1]["isWanted"]


async def test_a_game_server_gone_for_long_is_not_offered() -> None:
    now = 0.0
    transport = GameServerTransport(clock=lambda: now)
    assert (transport.is_there, transport.is_offered) == (False, False)
    assert transport.note_poll("s1", [])
    assert not transport.note_poll("s1", [])
    assert transport.wait("attach") == 0
    now = 60.0
    assert (transport.is_there, transport.is_offered) == (False, True)
    assert transport.wait("attach") == float("inf")
    now = 700.0
    assert not transport.is_offered
