"""Whom troubles are told, once each, and when they are over: by a clock that the tests step."""

import time

import pytest

from cogs.routing.layout import SET_UP_BY
from cogs.routing.troubles import Trouble, Troubles
from cogs.trouble_reports import TroubleReports
from db import settings, troubles
from tests.webhook.harness import HOUR, MINUTE, START, AppHarness

SETTLE = 10.0
DRONES = Trouble("channel.drones", "The channel is gone.", "Choose another.", 5)
LOG = Trouble("channel.log", "The log is gone.", "Choose another.", 7)


class Watched:
    """Reports of troubles that a test puts there, on a clock that it steps."""

    def __init__(self, harness: AppHarness, monkeypatch: pytest.MonkeyPatch) -> None:
        self.harness = harness
        self.wrong: list[Trouble] | None = []
        self.log_channel: int | None = LOG.about
        self._clock = 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self._clock)
        self.restart()

    def restart(self) -> None:
        present = Troubles()
        present.add(lambda: self.wrong)
        self._reports = TroubleReports(
            self.harness.context(), present, SETTLE, lambda: self.log_channel, lambda: None
        )

    async def after(self, seconds: float) -> None:
        """Look now, and again after some time."""
        await self._reports.report_changes()
        self._clock += seconds
        self.harness.clock.now += round(seconds * 1000)
        await self._reports.report_changes()

    async def told(self) -> list[str]:
        """What each event told: in the log channel, or to a member, that it is so or was."""
        found = []
        for event in await self.harness.journal_events():
            row = await troubles.get(self.harness.database.read, int(event.data["id"]))
            assert row is not None
            where = [str(subject) for subject in event.subjects] or event.data["memberId"]
            found.append(f"{row.key} {where}")
        return found

    async def lasted(self) -> list[int | None]:
        rows = await troubles.open_or_ended_since(self.harness.database.read, 0)
        return [row.ended_at and row.ended_at - row.began_at for row in rows]


@pytest.fixture
def watched(harness: AppHarness, monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(harness, monkeypatch)


async def test_a_trouble_is_reported_and_resolved_once_even_across_restarts(
    watched: Watched,
) -> None:
    watched.wrong = [DRONES]
    await watched.after(SETTLE - 1)
    assert await watched.told() == []
    await watched.after(SETTLE)
    first = "channel.drones ['trouble:1']"
    assert await watched.told() == [first]
    for _ in range(3):
        watched.restart()
        await watched.after(SETTLE)
    assert await watched.told() == [first]
    watched.wrong = []
    await watched.after(SETTLE - 1)
    assert await watched.told() == [first]
    await watched.after(1)
    assert await watched.told() == [first, first]
    began = await troubles.get(watched.harness.database.read, 1)
    assert began is not None
    assert began.began_at == START
    assert await watched.lasted() == [(SETTLE * 5 - 1) * 1000]


async def test_a_recurring_trouble_has_one_message(watched: Watched) -> None:
    for _ in range(5):
        watched.wrong = [DRONES]
        await watched.after(SETTLE - 1)
        watched.wrong = []
        await watched.after(SETTLE - 1)
    assert await watched.told() == []
    for _ in range(3):
        watched.wrong = [DRONES]
        await watched.after(SETTLE)
        watched.wrong = []
        await watched.after(SETTLE)
    (row,) = await troubles.open_or_ended_since(watched.harness.database.read, 0)
    assert row.times == 3
    watched.harness.clock.now += 2 * HOUR
    watched.wrong = [DRONES]
    await watched.after(SETTLE)
    assert len(await watched.lasted()) == 2


async def test_a_trouble_does_not_end_while_its_source_cannot_be_checked(watched: Watched) -> None:
    watched.wrong = [DRONES]
    await watched.after(SETTLE)
    watched.wrong = None
    await watched.after(HOUR / 1000)
    assert await watched.lasted() == [None]
    watched.wrong = []
    await watched.after(SETTLE)
    assert await watched.lasted() == [HOUR + 10_000]


async def test_whoever_ran_setup_is_told_that_the_log_channel_is_unusable(watched: Watched) -> None:
    watched.wrong = [LOG, DRONES]
    await watched.after(SETTLE)
    assert await watched.told() == ["channel.log ['trouble:1']", "channel.drones ['trouble:2']"]
    watched.wrong = []
    await watched.after(SETTLE)
    watched.harness.clock.now += 2 * HOUR
    async with watched.harness.database.write() as sql:
        await settings.put(sql, SET_UP_BY, "42")
    watched.wrong = [LOG]
    await watched.after(SETTLE)
    assert (await watched.told())[4:] == ["channel.log 42"]
    watched.wrong, watched.log_channel = [DRONES], None
    await watched.after(SETTLE)
    assert (await watched.told())[5:] == ["channel.drones 42", "channel.log 42"]


async def test_new_words_change_the_message_but_not_its_begin(watched: Watched) -> None:
    since = START - 5 * MINUTE
    watched.wrong = [Trouble("game-server.x.refused", "1 was refused.", "", since=since)]
    await watched.after(SETTLE)
    watched.wrong = [Trouble("game-server.x.refused", "2 were refused.", "")]
    await watched.after(SETTLE)
    (row,) = await troubles.open_or_ended_since(watched.harness.database.read, 0)
    assert (row.sentence, row.began_at) == ("2 were refused.", since)
    assert len(await watched.told()) == 2
