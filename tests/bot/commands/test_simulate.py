"""The simulation: what an instance holds after an evening, and how refusals are told."""

import asyncio
import time
from asyncio import to_thread
from collections import Counter
from typing import Any

import aiohttp
import pytest

from bot.commands.client import InstanceClient
from bot.commands.simulate import (
    DRILL,
    NUMBER,
    ScenarioStep,
    clean,
    drill_names,
    read_evening,
    simulate,
)
from bot.settings import Channels
from db import dispatches, emergencies, flights, properties, removals, simulations
from db.properties import PENDING, REMOVED
from tests.bot.conftest import KINDS, TIERS, BotServer

AT_ONCE = float("inf")

EXPECTED = [
    "cad.EVENT_UNIT_LOGIN",
    "cad.EVENT_UNIT_LOGIN",
    "cad.EVENT_UNIT_LOGIN",
    "property-added",
    "property-status-change",
    "property-equipment-change",
    "property-equipment-change",
    "property-equipment-change",
    "property-equipment-change",
    "property-equipment-change",
    "allowed-users-changed",
    "visits",
    "scanned",
    "auth-entries",
    "cad.EVENT_911",
    "cad.EVENT_DISPATCH_NEW",
    "cad.EVENT_REMOVE_911",
    "cad.EVENT_DISPATCH_UNIT_ATTACH",
    "cad.EVENT_UNIT_STATUS",
    "cad.EVENT_DISPATCH_NOTE",
    "cad.EVENT_UNIT_STATUS",
    "cad.EVENT_DISPATCH_EDIT",
    "cad.EVENT_UNIT_PANIC",
    "cad.EVENT_DISPATCH_UNIT_ATTACH",
    "cad.EVENT_UNIT_STATUS",
    "cad.EVENT_DISPATCH_NOTE",
    "cad.EVENT_UNIT_PANIC",
    "auth-entries",
    "alerts",
    "drone-dispatched",
    "crimes",
    "drone-recalled",
    "alarm-changed",
    "cad.EVENT_DISPATCH_CLOSED",
    "cad.EVENT_UNIT_STATUS",
    "cad.EVENT_UNIT_LOGOUT",
    "requested-remove-property",
    "property-status-change",
    "property-added",
    # What is left is removed.
    "property-removed",
    "property-status-change",
    "property-removed",
    "property-status-change",
    "allowed-users-changed",
]

EVENING = read_evening()
PUSHES = sum(bool(step.push) for step in EVENING)


async def pushes(server: BotServer) -> dict[str, int]:
    """Return how many pushes the server answered in which words."""
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/healthz") as response:
        counts: dict[str, int] = (await response.json())["pushes"]
        return counts


async def events(client: InstanceClient, name: str) -> list[dict[str, Any]]:
    """Return the data of all events of a name."""
    return [event["data"] for event in (await to_thread(client.events, 0, [name], 0)).events]


async def test_evening_is_journalled_in_order(server: BotServer, client: InstanceClient) -> None:
    lines: list[str] = []
    assert await to_thread(simulate, client, speed=AT_ONCE, say=lines.append) == 0
    assert await server.journal_names() == EXPECTED
    assert await pushes(server) == {"OK": PUSHES}
    told = [line for line in lines if line.startswith("[")]
    assert len(told) == len(EVENING)
    assert not any("{" in line or "\n" in line for line in told)
    assert lines[-1] == "Every step went well."


async def test_property_has_what_it_was_given(server: BotServer, client: InstanceClient) -> None:
    await to_thread(simulate, client, speed=0, say=lambda _: None)
    villa, garage = [await properties.get_even_removed(server.database.read, i) for i in (1, 2)]
    assert villa is not None
    assert garage is not None
    assert (villa.status, garage.status) == (REMOVED, PENDING)
    assert villa.owner.startswith("simulation:")
    types = await server.database.read.all(int, "SELECT type FROM equipment")
    assert Counter(types) == {1: 2, 2: 1, 3: 2}
    request = await removals.newest_of_property(server.database.read, villa.id)
    assert request is not None
    assert (request.requested_by, request.previous_status) == (villa.owner, "ACTIVE")
    assert await flights.open_of_property(server.database.read, villa.id) == []
    flight = await flights.get(server.database.read, 1)
    assert flight is not None
    assert flight.recalled_at is not None
    doors = await events(client, "auth-entries")
    assert [entry["allowed"] for entry in doors] == [True, False]
    (alert,) = await events(client, "alerts")
    assert alert["user"] == villa.owner.replace("vivian", "rex")


async def test_calls_end_as_the_scenario_says(server: BotServer, client: InstanceClient) -> None:
    await to_thread(simulate, client, speed=AT_ONCE, say=lambda _: None)
    (told,) = await events(client, "cad.EVENT_911")
    emergency = await emergencies.get(server.database.read, "cad", told["callId"])
    assert emergency is not None
    assert emergency.removed_at is not None
    assert emergency.dispatch_call_id is not None
    call = await dispatches.get(server.database.read, "cad", emergency.dispatch_call_id)
    assert call is not None
    assert (call.status, call.priority) == ("ACTIVE", "1")
    assert call.emergency_call_id == emergency.call_id
    assert call.closed_at is not None
    assert len(await dispatches.units(server.database.read, "cad", call.call_id)) == 2
    assert len(await dispatches.last_notes(server.database.read, call.key, 10)) == 2
    panics = await events(client, "cad.EVENT_UNIT_PANIC")
    assert [panic["isPanic"] for panic in panics] == [True, False]


async def test_two_evenings_use_different_numbers(
    server: BotServer, client: InstanceClient
) -> None:
    assert await to_thread(simulate, client, speed=AT_ONCE, say=lambda _: None) == 0
    assert await to_thread(simulate, client, speed=AT_ONCE, say=lambda _: None) == 0
    assert await server.journal_names() == EXPECTED * 2
    first, second = await events(client, "cad.EVENT_911")
    assert first["callId"] != second["callId"]


def test_numbers_are_high_unique_and_exact() -> None:
    now, later = drill_names(1_764_000_000_000), drill_names(1_764_000_000_001)
    assert not set(now.values()) & set(later.values())
    numbers = [name for name in now.values() if isinstance(name, int)]
    assert all(10**12 < number < 2**53 for number in numbers)
    assert now["emergency"] == 1_764_000_000_000


async def left(server: BotServer) -> list[object]:
    """Return what a drill could leave: users, properties, crimes, alarms, calls, units, flights."""
    read = server.database.read
    return [
        *await read.all(str, "SELECT id FROM users WHERE id LIKE 'simulation:%'"),
        *await properties.page(read, "", 10, 0),
        *await read.all(int, "SELECT id FROM crimes"),
        *await read.all(int, "SELECT id FROM alarms WHERE outcome IS NULL"),
        *await read.all(int, "SELECT call_id FROM emergency_calls WHERE removed_at IS NULL"),
        *await read.all(int, "SELECT call_id FROM dispatch_calls WHERE closed_at IS NULL"),
        *await read.all(int, "SELECT ident FROM panic_units WHERE cleared_at IS NULL"),
        *await read.all(int, "SELECT ident FROM units WHERE on_duty"),
        *await read.all(int, "SELECT id FROM flights WHERE recalled_at IS NULL"),
        *await simulations.every(read),
    ]


@pytest.mark.parametrize("killed_after", [2, 20, 27, 36])
async def test_drill_that_was_killed_is_removed_later(
    server: BotServer, client: InstanceClient, killed_after: int
) -> None:
    """A death ends it without a word more; what real people have is left alone."""
    real = {"tier": 1, "x": 0, "y": 0, "description": "", "clientId": "simulation:1:a-player"}
    await to_thread(client.query, "add-property", {"location": "SIMULATION: a name", **real})

    class Killed(BaseException):
        """Stands for kill -9."""

    def say(line: str) -> None:
        if line.startswith(f"[{killed_after:2}/"):
            raise Killed

    with pytest.raises(Killed):
        await to_thread(simulate, client, speed=AT_ONCE, say=say)
    assert len(await left(server)) > 2
    lines: list[str] = []
    assert await to_thread(clean, client, lines.append) == 0
    assert await to_thread(clean, client, lines.append) == 0
    assert lines == ["Removed what 1 drill left behind.", "No drill left anything behind."]
    user, property_ = await left(server)
    assert (user, getattr(property_, "location", "")) == (real["clientId"], "SIMULATION: a name")


async def test_interrupted_drill_removes_what_it_made(
    server: BotServer, client: InstanceClient
) -> None:
    def say(line: str) -> None:
        if line.startswith("[30/"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await to_thread(simulate, client, speed=AT_ONCE, say=say)
    assert await left(server) == []


async def test_drill_leaves_nothing(server: BotServer, client: InstanceClient) -> None:
    await to_thread(simulate, client, speed=AT_ONCE, say=lambda _: None)
    assert await left(server) == []


async def test_rejected_step_is_reported_and_skipped(
    server: BotServer, client: InstanceClient
) -> None:
    await server.offer(TIERS, [kind for kind in KINDS if kind.id != 2])
    lines: list[str] = []
    assert await to_thread(simulate, client, speed=AT_ONCE, say=lines.append) == 1
    (refused,) = (line for line in lines if "REFUSED" in line)
    assert "REFUSED: add-equipment: not-found: there is no equipment type 2" in refused
    assert lines[-1] == f"1 of {len(EVENING)} steps were refused."
    expected = EXPECTED.copy()
    expected.remove("property-equipment-change")
    assert await server.journal_names() == expected


async def test_steps_that_depend_on_a_failed_step_say_so(
    server: BotServer, client: InstanceClient
) -> None:
    await server.offer([], KINDS)
    lines: list[str] = []
    assert await to_thread(simulate, client, speed=AT_ONCE, say=lines.append) == 1
    refused = [line for line in lines if "REFUSED" in line]
    assert "REFUSED: the answer has no number under tiers.0.id" in refused[0]
    assert "REFUSED: this needs the number of the tier" in refused[1]
    assert "REFUSED: this needs the number of the property" in refused[2]
    assert not any("Left behind" in line for line in lines)
    cad_events = [name for name in EXPECTED if name.startswith("cad.")]
    assert await server.journal_names() == cad_events
    assert await pushes(server) == {"OK": PUSHES}


async def test_wrong_key_refuses_pushes_only(server: BotServer) -> None:
    lines: list[str] = []
    client = server.client(key="SOME-OTHER-KEY")
    assert await to_thread(simulate, client, speed=AT_ONCE, say=lines.append) == 1
    assert sum("does not know this CAD key" in line for line in lines) == PUSHES
    assert await server.journal_names() == [
        name for name in EXPECTED if not name.startswith("cad.")
    ]


async def test_instance_that_is_gone_ends_the_evening(
    server: BotServer, client: InstanceClient
) -> None:
    lines: list[str] = []
    loop = asyncio.get_running_loop()

    def say(line: str) -> None:
        lines.append(line)
        if line.startswith("[ 3/"):
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result()

    assert await to_thread(simulate, client, speed=AT_ONCE, say=say) == 1
    assert f"STOPPED: nothing listens on {server.url}" in lines[-1]
    assert "simulate --clean" in lines[-1]
    await server.start()
    assert await to_thread(clean, client, lines.append) == 0
    assert await left(server) == []


async def test_speed_divides_the_pauses(client: InstanceClient) -> None:
    seconds = sum(step.after for step in EVENING)
    assert 60 < seconds < 300
    started = time.monotonic()
    assert await to_thread(simulate, client, speed=seconds * 10, say=lambda _: None) == 0
    assert time.monotonic() - started >= 0.1


def texts(data: object) -> list[str]:
    """Return the free texts of a step's data."""
    free = {"name", "title", "caller", "description", "content", "reason", "fullName", "location"}
    found: list[str] = []
    if isinstance(data, dict):
        found += [value for key, value in data.items() if key in free and isinstance(value, str)]
        data = list(data.values())
    if isinstance(data, list):
        for item in data:
            found += texts(item)
    return found


@pytest.mark.parametrize("step", EVENING, ids=lambda step: step.text)
def test_every_text_says_that_it_is_a_drill(step: ScenarioStep) -> None:
    streets = ("Mission Row / Sinner St", "[8041] Innocence Blvd / Strawberry Ave")
    assert all(DRILL in text for text in texts(step.data) if text not in streets)
    if step.data.get("call") or step.data.get("unit"):
        assert any(DRILL in text for text in texts(step.data))


def numbers_needed(data: object) -> set[str]:
    """Return the names of the numbers that a step's data waits for."""
    if isinstance(data, str):
        return set(NUMBER.findall(data))
    items = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return {name for item in items for name in numbers_needed(item)}


def test_steps_need_only_what_came_before() -> None:
    known = set(drill_names(0))
    for step in EVENING:
        assert numbers_needed(step.data) <= known
        known |= set(step.keep)
        assert set(NUMBER.findall(step.expect)) <= known
        assert not step.channel or step.channel in Channels.model_fields
        assert bool(step.channel) is bool(step.expect)
