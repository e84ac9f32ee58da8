"""Whatever the CAD pushes of what it was asked for, and when: one card, one ping, one state."""

import asyncio
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Any, NamedTuple

from bot.settings import AlarmSettings, ApiSettings, RuleSettings
from tests.end_to_end.answers import expect
from tests.end_to_end.environment import CAD_KEY, BotEnvironment, log_in
from tests.fake_cad import FakeCad
from tests.fake_cad.echoes import ECHOED, WAYS, Echo
from tests.fake_discord import Message, render

STORED = (
    "SELECT name FROM journal WHERE id > :last AND name NOT LIKE 'sentinel.%' ORDER BY name",
    "SELECT removed_at IS NULL, dispatch_call_id = call_id, alarm_id = :number"
    " FROM emergency_calls WHERE call_id = :call",
    "SELECT title LIKE 'Alarm at Villa%', closed_at IS NULL FROM dispatch_calls"
    " WHERE call_id = :call",
    "SELECT label, content FROM dispatch_notes WHERE call_id = :call",
    "SELECT ident FROM dispatch_units WHERE call_id = :call AND attached ORDER BY ident",
    "SELECT ident, status FROM units WHERE ident IN (7, 8) ORDER BY ident",
    "SELECT outcome FROM alarms WHERE id = :number",
    "SELECT action FROM alarm_steps WHERE alarm_id = :number ORDER BY action",
    "SELECT cleared_at IS NULL FROM panic_units WHERE panic_id = :number",
    "SELECT kind, state FROM cad_requests WHERE state <> 'done'",
)
"""What the rows of an incident are, without what counts up from one to the next."""

CARDS = ("alerts", "dispatch", "panic", "emergency")

MIXED: tuple[Mapping[str, Echo], ...] = (
    {
        "create-911": "late",
        "remove-911": "early",
        "attach": "twice",
        "note": "late",
        "status": "early",
        "panic": "late",
    },
    {"create-dispatch": "late", "remove-911": "twice", "close": "early", "status": "late"},
)
"""Ways that differ from one request to the next; all pairs are in tests/webhook/cad_api."""


async def test_whatever_the_cad_echoes_an_incident_has_one_card_and_one_ping(
    env: BotEnvironment,
) -> None:
    """B5: each time the same incident, with other echoes; late ones come when all is over."""
    env.alarms = AlarmSettings(call_police="dispatchers")
    env.rules = [
        RuleSettings(
            name="calls", types=["EVENT_911", "EVENT_DISPATCH_NEW"], mention=env.on_call.id
        )
    ]
    async with FakeCad() as cad:
        env.api = ApiSettings(key=cad.key, url=cad.url)
        cad.add_member(env.dora.id, 7, "1-A-7")
        cad.add_member(env.vic.id, 8, "1-A-8")
        async with env.bot_running():
            await env.wait_for_commands()
            cad.bot_url, cad.push_key = env.url, CAD_KEY
            await log_in(env, 7, "1-A-7")
            await log_in(env, 8, "1-A-8")
            uniform = [dict.fromkeys(ECHOED, way) if way else {} for way in WAYS]
            ends = [
                await Incident(env, cad, number).play(echoes)
                for number, echoes in enumerate([*uniform, *MIXED], 1)
            ]
    for number, end in enumerate(ends, 1):
        assert end == ends[0], f"incident {number}"
    assert ends[0].pings == [[], [env.dispatchers], [env.on_call], [env.on_call]]
    assert ends[0].posted == {"alerts": 2, "dispatch": 1, "panic": 1, "emergency": 0}
    assert cad.faults == cad.windows.exceeded == []


class IncidentEnd(NamedTuple):
    """What is stored and shown, who was mentioned, how many cards were posted."""

    rows: list[list[Any]]
    cards: list[str]
    pings: list[list[Any]]
    posted: dict[str, int]


class Incident:
    """An alarm, its 911 call, the dispatch call made from it, and a panic."""

    def __init__(self, env: BotEnvironment, cad: FakeCad, number: int) -> None:
        self._env = env
        self._cad = cad
        self._number = number
        self._call = 100 + number
        """The CAD's next number, of 911 calls and of dispatch calls."""

    async def play(self, echoes: Mapping[str, Echo]) -> IncidentEnd:
        """Play it from Discord."""
        env, cad = self._env, self._cad
        fake = env.fake
        cad.array, cad.echoes = bool(self._number % 2), echoes
        posted = {name: len(env.channel(name).created) for name in CARDS}
        ((last,),) = await self._rows("SELECT max(id) FROM journal")
        await env.push("EVENT_UNIT_STATUS", {"identIds": [7], "status": 2})
        villa = await env.add_property(f"Villa {self._number}")
        await env.query("add-alert", propertyId=villa, userId="license:burglar")
        alarm = await env.channel("alerts").next_message()
        if self._number % 2:
            await fake.click(env.dora, alarm, "Call the police")
            await fake.until(lambda: f"911 call {self._call}" in render(alarm))
        await self._wait()
        escalation = await env.channel("alerts").next_message()
        await fake.until(lambda: "[Responding]" in render(alarm))
        taken = await fake.click(env.dora, alarm, "Responding")
        await expect(env, taken, f"Dispatch call {self._call} was opened")
        made = await env.channel("dispatch").next_message()
        await self._shown(made, "1-A-7")
        attached = await fake.click(env.vic, made, "Responding")
        await expect(env, attached, f"Your unit is on call {self._call}")
        form = await fake.click(env.dora, made, "Note")
        await fake.submit(env.dora, form, {"Note": "Back door."})
        await self._shown(made, "Back door.")
        status = await fake.slash(env.dora, "cad status", status=4)
        await expect(env, status, "Your unit has its new status")
        closed = await fake.slash(env.dora, "cad close", id=str(self._call))
        await expect(env, closed, "The call is closed")
        await fake.click(env.dora, alarm, "Resolve")
        in_panic = 50 + self._number  # one who presses again would go on with the last panic
        cad.add_member(3 * 10**18 + in_panic, in_panic)
        await env.push("EVENT_UNIT_PANIC", {"identIds": [in_panic], "isPanic": True})
        panic = await env.channel("panic").next_message()
        over = await fake.click(env.anna, panic, "Panic over")
        await expect(env, over, "The panic is over")
        await cad.push_late_echoes()
        await self._shown(alarm, "Alarm resolved")
        await self._shown(panic, "cleared")
        await self._shown(made, "closed")
        which = {"last": last, "call": self._call, "number": self._number}
        return IncidentEnd(
            [await self._rows(statement, **which) for statement in STORED],
            [_steady(card) for card in (alarm, made, panic)],
            [card.pings for card in (alarm, escalation, made, panic)],
            {name: len(env.channel(name).created) - posted[name] for name in CARDS},
        )

    async def _wait(self) -> None:
        """Have the alarm have waited for six minutes, so that it escalates."""
        await self._rows("UPDATE alarms SET waiting_since = waiting_since - 360000")

    async def _shown(self, card: Message, text: str) -> None:
        await self._env.fake.until(lambda: text in render(card))

    async def _rows(self, statement: str, **values: object) -> list[Any]:
        """Run a statement; in a thread, as the bot shares our event loop."""

        def run() -> list[Any]:
            with closing(sqlite3.connect(self._env.folder / "sentinel.db")) as database, database:
                return database.execute(statement, values).fetchall()

        return await asyncio.to_thread(run)


def _steady(card: Message) -> str:
    """Return what a card shows, without numbers and without who called the police, and when."""
    lines = [line for line in render(card).splitlines() if not re.search("olice|Escalated", line)]
    return re.sub(r"[0-9]+", "#", "\n".join(lines))
