"""Backups, locks and restores around a real bot under load, one that is killed."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from bot.app import run
from bot.backup import backup, restore
from bot.commands.offline import route
from bot.locks import AlreadyRunning, alone_with_token
from bot.settings import DatabaseSettings, HttpSettings, Settings
from db.integrity import full_check
from tests.db.damage import tear
from tests.end_to_end.environment import call_911
from tests.end_to_end.test_start import Program, running

PUSHERS = 8
TOKEN = "a.token.of.the-tests"
NOWHERE = "127.0.0.1:9"
"""In place of Discord's address; nothing listens there."""


def calls(path: Path) -> list[int]:
    """Return the calls of a database's journal, having looked that each has its row too."""
    with closing(sqlite3.connect(path)) as connection:
        journal = connection.execute(
            "SELECT json_extract(data, '$.callId') FROM journal"
            " WHERE name = 'cad.EVENT_911' ORDER BY id"
        ).fetchall()
        state = connection.execute("SELECT call_id FROM emergency_calls").fetchall()
    assert sorted(int(call) for (call,) in journal) == sorted(call for (call,) in state)
    return [int(call) for (call,) in journal]


class Load:
    """Pushes from several connections until told to stop; every push must be taken in."""

    def __init__(self, program: Program) -> None:
        self._url = f"{program.url}/event"
        self._key = program.secret("cad-key")
        self.accepted: set[int] = set()
        self.enough = asyncio.Event()
        self._taken = asyncio.Event()

    async def push(self, first: int) -> None:
        """Push every PUSHERS-th call."""
        number = first
        async with aiohttp.ClientSession() as http:
            while not self.enough.is_set():
                body = {"key": self._key, "type": "EVENT_911", "data": call_911(number)}
                async with http.post(self._url, json=body) as answer:
                    assert answer.status == 200
                self.accepted.add(number)
                self._taken.set()
                number += PUSHERS

    async def more(self, count: int) -> None:
        """Wait until so many more were taken in."""
        wanted = len(self.accepted) + count
        async with asyncio.timeout(30):
            while len(self.accepted) < wanted:
                self._taken.clear()
                await self._taken.wait()


class Shell:
    """The commands, carried out in this process, which is another one than the bot's."""

    def __init__(self, database: Path) -> None:
        self.settings = Settings(database=DatabaseSettings(path=database))
        self.printed: list[str] = []

    async def backup(self, target: Path) -> int:
        """Back up to a file."""
        return await asyncio.to_thread(
            backup, self.settings, target, force=False, say=self.printed.append
        )

    async def restore(self, file: Path) -> int:
        """Restore a file."""
        return await asyncio.to_thread(restore, self.settings, file, self.printed.append)


async def test_a_backup_made_under_load_can_be_restored_after_kill_9(tmp_path: Path) -> None:
    program = Program(tmp_path, unused_port())
    program.environment |= {
        "SENTINEL_DISCORD__TOKEN": TOKEN,
        "SENTINEL_DISCORD__API_URL": f"http://{NOWHERE}",
        "SENTINEL_DISCORD__GATEWAY_URL": f"ws://{NOWHERE}",
    }
    database, copied = tmp_path / "data" / "sentinel.db", tmp_path / "copy.db"
    shell = Shell(database)
    async with running(program) as bot:
        load = Load(program)
        async with asyncio.TaskGroup() as group:
            for first in range(1, PUSHERS + 1):
                group.create_task(load.push(first))
            await load.more(20)
            assert await shell.backup(copied) == 0
            await load.more(20)
            # A command that only looks works beside the running bot; one in its place does not.
            assert await route(shell.settings, "1", None, say=shell.printed.append) == 0
            assert await shell.restore(copied) == 1
            with pytest.raises(AlreadyRunning) as refused:
                await run(shell.settings, asyncio.Event())
            await load.more(20)
            load.enough.set()
        fault = f"another copy of the bot (process {bot.pid}, started "
        assert shell.printed[-1].startswith(f"nothing was restored: {fault}")
        assert str(refused.value).startswith(fault)
        with pytest.raises(AlreadyRunning, match="this Discord token"), alone_with_token(TOKEN):
            pass
        bot.kill()
        await bot.wait()
    with alone_with_token(TOKEN):
        pass
    full_check(copied)
    at_backup = calls(copied)
    assert len(at_backup) == len(set(at_backup))
    assert set(at_backup) < load.accepted

    assert await shell.restore(copied) == 0
    assert calls(database) == at_backup
    (kept,) = database.parent.glob("sentinel-replaced-*.db")
    assert set(calls(kept)) == load.accepted
    assert "Traceback" not in program.log()


async def test_a_bot_backs_up_by_itself_and_explains_how_to_restore(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bot.backup")
    program = Program(tmp_path, unused_port())
    database = tmp_path / "data" / "sentinel.db"
    stop = asyncio.Event()
    settings = Settings(http=HttpSettings(port=0), database=DatabaseSettings(path=database))
    bot = asyncio.create_task(run(settings, stop))
    async with asyncio.timeout(30):
        while "backed up to " not in caplog.text:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.01)
    stop.set()
    await bot
    (made,) = (tmp_path / "data" / "backups").iterdir()
    assert full_check(made) > 0

    await asyncio.to_thread(tear, database, 1)
    assert await (await program.start()).wait() == 1
    assert program.log().rstrip().endswith(f"cad-sentinel restore {made.relative_to(tmp_path)}")
    assert program.log().count("cannot start: ") == 1
    assert await Shell(database).restore(made) == 0
    assert full_check(database) > 0
    assert "Traceback" not in program.log()


async def test_without_backup_hours_there_are_no_backups(tmp_path: Path) -> None:
    stop = asyncio.Event()
    settings = Settings(
        http=HttpSettings(port=0),
        database=DatabaseSettings(path=tmp_path / "sentinel.db", backup_hours=0),
    )
    names: set[str] = set()

    def started(_: int) -> None:
        names.update(task.get_name() for task in asyncio.all_tasks())
        stop.set()

    await run(settings, stop, started)
    assert "prune" in names
    assert "backups" not in names
