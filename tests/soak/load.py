"""Everything at once until it is stopped: pushes, queries, batches, clicks, slash commands."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from itertools import count
from random import Random
from typing import Any

import aiohttp
from aiohttp import WSMsgType

from tests.end_to_end.environment import CAD_KEY, TOKEN, BotEnvironment, call_911, dispatch_call
from tests.fake_discord import CannotDo, Message, NoAnswer
from tests.soak.ledger import Ledger

PUSHERS, SCRIPTS, GAME_SERVERS, PEOPLE = 6, 2, 2, 3
PAUSE = 0.01
"""Seconds between two deeds of one of them."""

BATCH = 10
"""Messages of a batch, at most."""

UNHEARD = 0.1
"""How likely it is that a game server does not hear the answer to a batch."""

NEWEST = 100
"""Messages of a channel among which somebody looks for a card."""


class NotDone(Exception):
    """The answer was no, or there was none."""


MISHAPS = (NotDone, CannotDo, NoAnswer, TimeoutError, aiohttp.ClientError, OSError, KeyError)
"""How a deed ends that was not answered as done; KeyError: an error in place of the answer."""


class Load:
    """What the CAD, scripts and people do to a bot; every deed is one of its kind."""

    def __init__(
        self, env: BotEnvironment, ledger: Ledger, random: Random, pause: float = PAUSE
    ) -> None:
        self._env = env
        self._ledger = ledger
        self._random = random
        self._pause = pause
        self._numbers = count(1)
        self._house = self._camera = 0

    async def prepare(self) -> None:
        """Add the house with the camera that sees visitors."""
        self._house = await self._env.add_property("House")
        camera = await self._env.query(
            "add-equipment",
            propertyId=self._house,
            equipmentType=1,
            description="Gate",
        )
        self._camera = int(camera["id"])

    async def run(self) -> None:
        """Go on until cancelled, through refusals, crashes and restarts."""
        async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
            for work in (
                *[self._push] * PUSHERS,
                *[self._script] * SCRIPTS,
                *[self._game_server] * GAME_SERVERS,
                *[self._person] * PEOPLE,
            ):
                group.create_task(self._go_on(work, http))

    async def _go_on(
        self, work: Callable[[aiohttp.ClientSession], Awaitable[None]], http: aiohttp.ClientSession
    ) -> None:
        while True:
            with suppress(*MISHAPS):
                await work(http)
            await asyncio.sleep(self._pause)  # the bot may be dead at present

    # The CAD

    async def _push(self, http: aiohttp.ClientSession) -> None:
        """Report a call and its end, a dispatch call with notes, a status or a record."""
        number = next(self._numbers)
        match self._random.randrange(4):
            case 0:
                await self._pushed(http, "EVENT_911", number, call_911(number))
                await self._pushed(http, "EVENT_REMOVE_911", number, {"callIds": [number]})
            case 1:
                await self._pushed(http, "EVENT_DISPATCH_NEW", number, dispatch_call(number))
                text = f"note-{number}"
                note = {"callId": number, "note": {"type": "text", "content": text}}
                await self._pushed(http, "EVENT_DISPATCH_NOTE", text, note)
                await self._pushed(http, "EVENT_DISPATCH_CLOSED", number, {"callIds": [number]})
            case 2:
                status = {"identIds": [number], "status": 3}
                await self._pushed(http, "EVENT_UNIT_STATUS", number, status)
            case _:
                record = {"id": number, "type": 3, "name": f"record-{number}"}
                await self._pushed(http, "EVENT_RECORD_ADD", record["name"], {"record": record})

    async def _pushed(
        self, http: aiohttp.ClientSession, kind: str, which: object, data: dict[str, Any]
    ) -> None:
        body = {"key": CAD_KEY, "type": kind, "data": data}
        async with self._ledger.deed(f"cad.{kind}", which):
            async with http.post(f"{self._env.url}/event", json=body) as answer:
                await answer.read()
            if answer.status != 200:
                raise NotDone

    # Scripts

    async def _script(self, http: aiohttp.ClientSession) -> None:
        """Write over one websocket until it breaks."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with http.ws_connect(f"{self._env.url}/ws", headers=headers) as socket:
            while True:
                user = f"user-{next(self._numbers)}"
                data: dict[str, Any] = {"propertyId": self._house, "userId": user}
                name, event = "add-auth-entry", "auth-entries"
                if self._random.random() < 0.5:
                    name, event = "add-visitor", "visits"
                    data["cameraId"] = self._camera
                async with self._ledger.deed(event, user):
                    await socket.send_json({"type": f"queries.{name}", "data": data})
                    answer = await socket.receive()
                    if (
                        answer.type is not WSMsgType.TEXT
                        or json.loads(answer.data)["type"] == "error"
                    ):
                        raise NotDone
                await asyncio.sleep(self._pause)

    # Game servers

    async def _game_server(self, http: aiohttp.ClientSession) -> None:
        """Send a batch again and again, with the same keys, until all of it is answered as done."""
        messages = []
        async with AsyncExitStack() as deeds:
            for _ in range(self._random.randint(1, BATCH)):
                number = next(self._numbers)
                message: dict[str, Any] = {"key": f"key-{number}", "age": 0.5}
                if self._random.random() < 0.5:
                    event, which = "auth-entries", f"user-{number}"
                    message["type"] = "queries.add-auth-entry"
                    message["data"] = {"propertyId": self._house, "userId": which}
                else:
                    event, which = "cad.EVENT_RECORD_ADD", f"record-{number}"
                    record = {"id": number, "type": 3, "name": which}
                    message["push"] = json.dumps(
                        {"key": CAD_KEY, "type": "EVENT_RECORD_ADD", "data": {"record": record}}
                    )
                await deeds.enter_async_context(self._ledger.deed(event, which))
                messages.append(message)
            while not await self._is_answered(http, messages):  # noqa: ASYNC110 - another process
                await asyncio.sleep(self._pause)

    async def _is_answered(
        self, http: aiohttp.ClientSession, messages: list[dict[str, Any]]
    ) -> bool:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        where = f"{self._env.url}/api/batch"
        try:
            async with http.post(where, json={"messages": messages}, headers=headers) as answer:
                found = await answer.json() if answer.status == 200 else {"answers": []}
        except MISHAPS:
            return False
        statuses = [one["status"] for one in found["answers"]]
        is_heard = self._random.random() >= UNHEARD
        return is_heard and statuses == [200] * len(messages)

    # People

    async def _person(self, _http: aiohttp.ClientSession) -> None:
        """Approve a new property, send its drone out, call it back: by buttons and a command."""
        env, fake = self._env, self._env.fake
        location = f"Villa {next(self._numbers):07}"
        place = await env.add_property(location)
        added = await env.query(
            "add-equipment", propertyId=place, equipmentType=3, description="Drone"
        )
        drone = int(added["id"])
        wanted = await self._card("approvals", location)
        async with self._ledger.deed("property-status-change", place):
            _expect(await fake.click(env.anna, wanted, "Approve"), "approved.")
        async with self._ledger.deed("drone-dispatched", drone):
            sent = await fake.slash(env.dora, "drone dispatch", property=str(place))
            _expect(sent, "took off from")
        flight = await self._card("drones", location)
        async with self._ledger.deed("drone-recalled", drone):
            _expect(await fake.click(env.dora, flight, "Recall"), "recalled")

    async def _card(self, channel: str, part: str) -> Message:
        """Wait for the card with a text in its title."""
        messages = self._env.channel(channel).messages

        def found() -> Message | None:
            newest = reversed(messages[-NEWEST:])
            return next((one for one in newest if part in one.embeds[0]["title"]), None)

        card = await self._env.fake.until(found)
        assert card is not None
        return card


def _expect(reply: Any, text: str) -> None:
    if text not in reply.content:
        raise NotDone
