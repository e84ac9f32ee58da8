"""What is told to those who look from outside: problems in words, queues in numbers."""

import asyncio
import logging
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.background import ErrorCounter, PeriodicChecks
from bot.health import Health, MetricsRefresher
from cogs.commands.admin.status import RuntimeStatus
from cogs.connection import DiscordStatus
from cogs.delivery.rest.errors import Hindrance
from cogs.program_health import ProgramHealth
from cogs.routing.troubles import Troubles
from db import cards, feeds, settings
from db.cards import StaleCard
from db.database import Database
from db.errors import StorageUnavailable
from db.feeds import FeedEntry
from tests.webhook.harness import MINUTE, Clock, open_harness
from webhook.cad.silence import LastPush
from webhook.protocol.context import now
from webhook.protocol.game_servers import GameServers
from webhook.protocol.metrics import DISCORD_STATES, Metrics
from webhook.queries.daily_report import PROBLEMS

MB = 1024**2


def samples(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """The values of a series by its labels, in the labels' alphabetical order."""
    page = metrics.render("")[0].decode()
    found = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    return {
        tuple(sample.labels[label] for label in sorted(sample.labels)): sample.value
        for sample in found
        if sample.name == name
    }


def _troubles(
    database: Database, status: RuntimeStatus, silent: dict[str, int] | None = None
) -> Troubles:
    troubles = Troubles()
    health = ProgramHealth(
        status, Path(), lambda: database.is_writable, lambda: silent or {}, lambda: 0
    )
    troubles.add(health.troubles)
    return troubles


def _status(**details: Any) -> RuntimeStatus:
    return RuntimeStatus("1", details.pop("discord", lambda: "off"), (), LastPush(), **details)


async def _fill(database: Database) -> None:
    """Have the storage refuse whatever needs room."""
    async with database.write() as sql:
        pages = await sql.one(int, "PRAGMA page_count")
        await sql.run(f"PRAGMA max_page_count = {pages}")


async def _write(database: Database, size: int = 1_000_000) -> None:
    async with database.write() as sql:
        await settings.put(sql, "large", "x" * size)


async def test_unready_from_a_failed_write_to_a_successful_one(
    database: Database,
) -> None:
    health = Health(database, DiscordStatus(), asyncio.Event(), _troubles(database, _status()))
    assert health()[0]
    await _fill(database)
    with pytest.raises(StorageUnavailable):
        await _write(database)
    async with database.write():
        pass  # a transaction that writes nothing proves nothing
    is_ready, details = health()
    assert not is_ready
    assert "The database could not be written" in str(details["problems"])
    await _write(database, 1)
    assert health() == (True, details | {"problems": []})


async def test_unready_while_stopping_but_ready_with_other_problems(database: Database) -> None:
    connection, stop = DiscordStatus("ready"), asyncio.Event()
    silent = {"county": 1}
    channels = {"emergency": 1, "dispatch": 2, "123456789": 123456789}
    status = _status(discord=lambda: connection.state, channels=channels)
    gone = Hindrance("gone", 10003, is_closed=True)
    status.hindered |= {1: gone, 123456789: gone, 77: gone}  # 77 is not in use any more
    health = Health(database, connection, stop, _troubles(database, status, silent))
    is_ready, details = health()
    assert is_ready
    told = str(details["problems"])
    for part in ("the channel emergency,", "the channel of a rule,", "the CAD county,"):
        assert part in told
    assert "123456789" not in told
    status.hindered.clear()
    silent.clear()
    for state, problems in (("off", 0), ("ready", 0), ("connecting", 1), ("refused", 1)):
        connection.state = state
        is_ready, details = health()
        assert (is_ready, len(details["problems"])) == (True, problems)  # type: ignore[arg-type]
    connection.state = "ready"
    stop.set()
    assert health()[0] is False
    assert health()[1]["problems"] == ["The program is stopping."]


async def test_backlog_is_measured_by_channel_and_kind(
    tmp_path: Path,
) -> None:
    metrics = Metrics()
    path = tmp_path / "sentinel.db"
    async with open_harness(path) as harness:
        database = harness.database
        harness.clock.now = now() - 20 * MINUTE
        async with harness.context().change() as change:
            for _ in range(3):
                number = await change.emit_named("visits", b"{}")
                await feeds.add(change.sql, FeedEntry(number, "visits"))
            for number in (1, 2):
                at = now() - number * 10 * MINUTE
                stale = StaleCard(f"emergency:{number}@cad", "emergency", at)
                await cards.mark_stale(change.sql, stale)
        card = await cards.of_subject(database.read, "emergency:1@cad")
        assert card is not None
        async with database.write() as sql:
            await cards.mark_posted(sql, card._replace(channel_id=1, message_id=2))
        refresh = MetricsRefresher(
            metrics, database, path, DiscordStatus("ready"), ["emergency", "visits", "panic"]
        )
        await refresh()
        async with database.write() as sql:
            await sql.run("DELETE FROM feed_entries")
        waited = samples(metrics, "sentinel_deliveries_oldest_seconds")
        waiting = samples(metrics, "sentinel_deliveries_waiting")
        await refresh()
        assert samples(metrics, "sentinel_deliveries_waiting")["visits", "feed"] == 0
        assert samples(metrics, "sentinel_deliveries_oldest_seconds")["visits", "feed"] == 0
    assert {queue: number for queue, number in waiting.items() if number} == {
        ("visits", "feed"): 3,
        ("emergency", "card post"): 1,
        ("emergency", "card edit"): 1,
    }
    assert waited["visits", "feed"] >= 1200
    assert waited["emergency", "card post"] >= 1200
    assert waited["panic", "feed"] == 0
    assert samples(metrics, "sentinel_database_bytes")[("main",)] > 0
    assert samples(metrics, "sentinel_journal_newest_id")[()] == 3
    state = {state: float(state == "ready") for state in DISCORD_STATES}
    assert samples(metrics, "sentinel_discord_state") == {(k,): v for k, v in state.items()}


async def test_warnings_and_errors_are_counted_and_survive_a_restart(tmp_path: Path) -> None:
    log = logging.getLogger("tests.somewhere")
    async with open_harness(tmp_path / "sentinel.db") as harness:
        for count in (1, 2):
            metrics = Metrics()
            errors = ErrorCounter(metrics)
            checks = PeriodicChecks(harness.context(), LastPush(), errors, lambda: None)
            with errors.counting():
                log.info("fine")
                log.warning("hm")
                for _ in range(count):
                    log.error("no")
            log.error("nobody listens")
            await checks.run()
            await checks.run()
            assert samples(metrics, "sentinel_log_records_total") == {
                ("warning",): 1,
                ("error",): count,
            }
        assert await settings.get(harness.database.read, PROBLEMS) == "5"


async def test_restored_storage_is_noticed_without_other_writes(tmp_path: Path) -> None:
    async with open_harness(tmp_path / "sentinel.db") as harness:
        errors = ErrorCounter(Metrics())
        checks = PeriodicChecks(harness.context(), LastPush(), errors, lambda: None)
        await checks.run()
        before = harness.dump()
        await _fill(harness.database)
        with pytest.raises(StorageUnavailable):
            await _write(harness.database)
        assert not harness.database.is_writable
        assert harness.dump() == before
        await checks.run()
        assert harness.database.is_writable


async def test_game_server_is_described_and_missed(database: Database) -> None:
    clock, metrics = Clock(), Metrics()
    servers = GameServers(clock)
    troubles = _troubles(database, _status(game_servers=servers))
    health = Health(database, DiscordStatus("ready"), asyncio.Event(), troubles, servers)
    refresh = MetricsRefresher(
        metrics, database, Path("none"), DiscordStatus("ready"), [], game_servers=servers
    )
    assert health()[1]["gameServers"] == []
    servers.note("game", "cad-sentinel/1.2.0; waiting=12; refused=0")
    described = {
        "client": "game",
        "resource": "cad-sentinel",
        "version": "1.2.0",
        "connected": True,
        "secondsAgo": 0,
        "waiting": 12,
        "refused": 0,
    }
    assert health()[1]["gameServers"] == [described]
    assert health()[1]["problems"] == []
    await refresh()
    assert samples(metrics, "sentinel_game_server_connected") == {("game",): 1}
    assert samples(metrics, "sentinel_game_server_waiting") == {("game",): 12}
    clock.now += 5 * MINUTE
    assert health() == (
        True,
        health()[1]
        | {
            "gameServers": [described | {"connected": False, "secondsAgo": 300}],
            "problems": ["The game server's resource game sends nothing."],
        },
    )
    await refresh()
    assert samples(metrics, "sentinel_game_server_connected") == {("game",): 0}
    servers.note("game", "cad-sentinel/1.2.0; waiting=0; refused=3")
    problems: Any = health()[1]["problems"]
    assert len(problems) == 1
    assert problems[0].startswith("The bot refused 3 messages of the game server game.")


@pytest.mark.parametrize(
    ("free", "total", "is_told"),
    [
        (199 * MB, 10_000 * MB, True),
        (201 * MB, 10_000 * MB, False),
        (300 * MB, 20_000 * MB, True),  # less than a fiftieth
        (2_000 * MB, 4_000_000 * MB, False),  # enough, however large the disk is
    ],
)
async def test_a_nearly_full_disk_is_reported_while_there_is_room(
    database: Database, monkeypatch: pytest.MonkeyPatch, free: int, total: int, *, is_told: bool
) -> None:
    disk = SimpleNamespace(free=free, total=total)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: disk)
    found = _troubles(database, _status()).present()
    assert [trouble.key for trouble in found] == ["disk.space"] * is_told
    monkeypatch.setattr(shutil, "disk_usage", _unreadable)
    assert _troubles(database, _status()).present() == []


def _unreadable(folder: Path) -> None:
    raise PermissionError(folder)
