"""The environment of a test: the real bot, and a fake Discord with channels, roles and people."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from bot.app import run
from bot.settings import (
    AlarmSettings,
    ApiSettings,
    ApprovalSettings,
    CadSettings,
    Channels,
    ClientSettings,
    DatabaseSettings,
    DiscordSettings,
    HttpSettings,
    NamedKey,
    Roles,
    RuleSettings,
    Settings,
    WebsocketSettings,
)
from cogs.delivery.delivery_context import Pace
from tests.databases import put_database
from tests.fake_discord import Channel, FakeDiscord

ROOT = Path(__file__).resolve().parents[2]
CAD_KEY = "CAD-KEY-OF-THE-TESTS"
TOKEN = "token-of-the-admin-script"
ANSWER_DEADLINE = 15.0
QUICK = Pace(edit=0.0, gather=0.0, feed=0.0, retry=0.01, closed=0.05, watch=0.1, settle=0.1)


class BotEnvironment:
    """What a test acts on. The bot is started and stopped by `bot_running`."""

    def __init__(self, fake: FakeDiscord, folder: Path) -> None:
        self.fake = fake
        self.folder = folder
        self.guild = fake.add_guild("Los Santos")
        self.channels = {name: self.guild.add_channel(name) for name in Channels.model_fields}
        self.viewers = self.guild.add_role("Viewer")
        self.dispatchers = self.guild.add_role("Dispatcher")
        self.approvers = self.guild.add_role("Approver")
        self.on_call = self.guild.add_role("On call")
        self.supervisors = self.guild.add_role("Supervisor")
        self.vic = self.guild.add_member("Vic", self.viewers)
        self.dora = self.guild.add_member("Dora", self.dispatchers)
        self.anna = self.guild.add_member("Anna", self.approvers)
        self.stranger = self.guild.add_member("Stranger")
        self.url = ""
        self.rules: list[RuleSettings] = []
        self.feed_age_minutes = 60
        self.ping_within_seconds = 120
        self.headers: dict[str, str] = {}
        """Further headers of pushes and queries."""
        self.approvals = ApprovalSettings()
        self.api = ApiSettings()
        self.alarms = AlarmSettings(supervisor=[self.supervisors.id])

    def settings(self) -> Settings:
        """Return the configuration of the bot."""
        return Settings(
            discord=DiscordSettings(
                token=self.fake.token,
                panic_role=self.on_call.id,
                rules=self.rules,
                feed_age_minutes=self.feed_age_minutes,
                ping_within_seconds=self.ping_within_seconds,
                channels=Channels(**{name: channel.id for name, channel in self.channels.items()}),
                roles=Roles(
                    viewer=[self.viewers.id],
                    dispatcher=[self.dispatchers.id],
                    approver=[self.approvers.id],
                ),
            ),
            alarms=self.alarms,
            http=HttpSettings(port=0),
            cad=CadSettings(keys=[NamedKey(key=CAD_KEY)], api=self.api),
            websocket=WebsocketSettings(
                clients=[ClientSettings(name="script", token=TOKEN, scope="admin")]
            ),
            # Backups have tests of their own.
            database=DatabaseSettings(path=self.folder / "sentinel.db", backup_hours=0),
            approvals=self.approvals,
        )

    @asynccontextmanager
    async def bot_running(self, pace: Pace = QUICK) -> AsyncIterator[None]:
        """The bot in this process, stopped in order at the end of the block."""
        put_database(self.folder / "sentinel.db")
        stop = asyncio.Event()
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(run(self.settings(), stop, port.set_result, pace))

        def give_up(ended: asyncio.Task[None]) -> None:
            if not port.done():
                port.set_exception(ended.exception() or RuntimeError("ended before it listened"))

        task.add_done_callback(give_up)
        await port
        self.url = f"http://127.0.0.1:{port.result()}"
        try:
            yield
        finally:
            stop.set()
            await task

    @asynccontextmanager
    async def bot_process(self, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
        """The bot in a process of its own, killed at the end of the block if it still runs."""
        config = self.settings().model_dump(mode="json")
        config["discord"] |= {"api_url": self.fake.rest_url, "gateway_url": self.fake.gateway_url}
        config["http"]["port"] = port
        environment = {
            f"SENTINEL_{section.upper()}__{key.upper()}": _variable(value)
            for section, values in config.items()
            for key, value in values.items()
        }
        environment |= {"PYTHONPATH": str(ROOT), "TMPDIR": str(self.folder)}
        log = (self.folder / "log.txt").open("ab")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            cwd=self.folder,
            env=os.environ | environment,
            stdout=log,
            stderr=log,
        )
        log.close()
        self.url = f"http://127.0.0.1:{port}"
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            await process.wait()

    async def wait_for_commands(self) -> None:
        """Wait until the bot has registered its commands."""
        await self.fake.until(lambda: bool(self.guild.commands))

    def allow_every_command(self) -> None:
        """Have everybody see every command, as a server's settings can."""
        for command in self.guild.commands:
            command.definition["default_member_permissions"] = None

    async def healthy(self) -> None:
        """Wait until the bot's process answers; connections are refused until it listens."""
        async with asyncio.timeout(60), aiohttp.ClientSession() as http:
            while True:
                with suppress(aiohttp.ClientConnectionError):
                    async with http.get(f"{self.url}/healthz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.02)  # polls another process; nothing here could tell us

    async def push(self, kind: str, data: dict[str, Any], key: str = CAD_KEY) -> int:
        """Push as the CAD does and return the status."""
        async with (
            aiohttp.ClientSession() as http,
            http.post(
                f"{self.url}/event",
                json={"key": key, "type": kind, "data": data},
                headers=self.headers,
            ) as got,
        ):
            await got.read()
            return got.status

    async def query(self, name: str, **data: Any) -> dict[str, Any]:
        """Ask as a script does and return the answer's data."""
        message = {"type": f"queries.{name}", "data": data}
        headers = {"Authorization": f"Bearer {TOKEN}"} | self.headers
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.url}/api/query", json=message, headers=headers) as got,
        ):
            answer: dict[str, Any] = (await got.json())["data"]
            return answer

    async def add_property(self, location: str, drones: int = 0) -> int:
        """Add a property with drones and return its id."""
        added = await self.query(
            "add-property", location=location, tier=1, x=0, y=0, description="", clientId="owner"
        )
        for number in range(drones):
            await self.query(
                "add-equipment",
                propertyId=added["id"],
                equipmentType=3,
                description=f"Drone {number + 1}",
            )
        return int(added["id"])

    def channel(self, name: str) -> Channel:
        """A channel by its name in the configuration."""
        return self.channels[name]


@asynccontextmanager
async def open_environment(folder: Path) -> AsyncIterator[BotEnvironment]:
    """Return an environment whose Discord has no rate limits worth waiting for.

    Its Discord also waits longer than three seconds for the answer to a command: where the
    machine is busy, nothing would come in time.
    """
    async with FakeDiscord() as fake:
        fake.limits.hurry()
        fake.interactions.deadline = ANSWER_DEADLINE
        yield BotEnvironment(fake, folder)
        assert fake.unexpected == []


def _variable(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def call_911(call_id: int, **fields: Any) -> dict[str, Any]:
    """The data of an EVENT_911; each number says something else, as equal calls share a card."""
    call = {
        "callId": call_id,
        "isEmergency": True,
        "caller": "Wren Halloway",
        "location": "[8031] Forum Dr / Strawberry Ave",
        "description": f"Smoke from the laundromat roof. Call {call_id}.",
    }
    return {"call": call | fields}


def dispatch_call(call_id: int, **fields: Any) -> dict[str, Any]:
    """The data of an EVENT_DISPATCH_NEW or EDIT."""
    call = {
        "callId": call_id,
        "status": 1,
        "priority": 1,
        "title": "Structure fire",
        "code": "10-70",
        "address": "Forum Dr",
        "postal": "8031",
        "idents": [],
        "notes": [],
        "metaData": {},
    }
    return {"dispatch": call | fields}


def unit(ident: int, number: str, department: str = "", **fields: Any) -> dict[str, Any]:
    """A unit as pushes describe it."""
    described = {"id": ident, "status": 2, "isPanic": False, "location": "", "aop": ""}
    data = {"unitNum": number, "name": f"Officer {ident}", "department": department}
    return described | {"data": data} | fields


async def log_in(
    env: BotEnvironment, ident: int, number: str, department: str = "", **fields: Any
) -> None:
    """Have a unit come on duty."""
    data = {"unit": unit(ident, number, department, **fields), "isDispatch": False}
    assert await env.push("EVENT_UNIT_LOGIN", data) == 200
