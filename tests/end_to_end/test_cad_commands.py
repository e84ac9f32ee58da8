"""`/cad` tells viewers, privately, of calls and units."""

import asyncio
import re
from typing import Any

import pytest

from bot.settings import NamedKey
from tests.end_to_end.answers import offered
from tests.end_to_end.environment import (
    ANSWER_DEADLINE,
    BotEnvironment,
    call_911,
    dispatch_call,
    log_in,
)
from tests.fake_discord import Member, render

OTHER_KEY = "CAD-KEY-OF-THE-COUNTY"


async def cad_answer(env: BotEnvironment, member: Member, command: str, **options: Any) -> str:
    """Use a command, and return what the member sees."""
    await env.wait_for_commands()
    reply = await env.fake.slash(member, f"cad {command}", **options)
    await env.fake.until(lambda: bool(reply.content) or "┌" in render(reply))
    assert reply.ephemeral
    return render(reply)


def with_two_cads(env: BotEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = env.settings()
    keys = [*settings.cad.keys, NamedKey(name="county", key=OTHER_KEY)]
    both = settings.model_copy(update={"cad": settings.cad.model_copy(update={"keys": keys})})
    monkeypatch.setattr(env, "settings", lambda: both)


async def test_calls_are_listed_and_shown(env: BotEnvironment) -> None:
    async with env.bot_running():
        assert "No open calls." in await cad_answer(env, env.vic, "calls")
        await env.push("EVENT_911", call_911(4410))
        await env.push("EVENT_911", call_911(4411, isEmergency=False, location="Pier"))
        await env.push("EVENT_DISPATCH_NEW", dispatch_call(8120, idents=[61]))
        listed = ""
        async with asyncio.timeout(ANSWER_DEADLINE):
            while "](https" not in listed:  # once the card is posted, its number links to it
                listed = await cad_answer(env, env.vic, "calls")
        assert "### Open calls\n│ **911** · [4410](" in listed
        assert "**P1** · Structure fire · Forum Dr (8031) · unit 61 · <t:" in listed
        assert "· 311 · Pier" in listed
        assert await offered(env, "cad call", "id") == [
            "8120 · Structure fire",
            "911 4410 · [8031] Forum Dr / Strawberry Ave",
            "311 4411 · Pier",
        ]
        assert await offered(env, "cad call", "id", "STRUCT") == ["8120 · Structure fire"]
        assert "# Dispatch call 8120" in await cad_answer(env, env.vic, "call", id="8120")
        assert "# 311 call 4411" in await cad_answer(env, env.vic, "call", id="emergency:4411@cad")
        await env.push("EVENT_DISPATCH_CLOSED", {"callIds": [8120]})
        assert "· closed" in await cad_answer(env, env.vic, "call", id="#8120")
        assert "8120 · Structure fire" not in await offered(env, "cad call", "id")


async def test_open_calls_have_pages_the_most_urgent_first(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        for number in range(2000, 2012):
            priority = {2009: 1, 2003: 2}.get(number, 3)
            await env.push("EVENT_DISPATCH_NEW", dispatch_call(number, priority=priority))
        listed = await env.fake.slash(env.vic, "cad calls")
        await env.fake.until(lambda: "Page 1 of 2" in render(listed))
        shown = re.findall(r"20[01][0-9](?=\]| · \*\*P)", render(listed))
        assert shown == [str(2000 + number) for number in (9, 3, 0, 1, 2, 4, 5, 6, 7, 8)]
        opened = await env.fake.click(env.vic, listed, "Open")
        await env.fake.until(lambda: "# Dispatch call 2009" in render(opened))
        await env.fake.click(env.vic, listed, "Next")
        await env.fake.until(lambda: "Page 2 of 2" in render(listed))
        assert "2011" in render(listed)


async def test_units_are_opened_one_by_one(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        await log_in(env, 61, "7K-22", "BCSO")
        shown = await env.fake.slash(env.vic, "cad units")
        await env.fake.until(lambda: "On duty · 1" in render(shown))
        listed = await env.fake.click(env.vic, shown, "One by one")
        await env.fake.until(lambda: "**7K-22** · Available · Officer 61" in render(listed))
        opened = await env.fake.click(env.vic, listed, "Open")
        await env.fake.until(lambda: "# 7K-22 · Available" in render(opened))


async def test_an_ambiguous_call_number_is_rejected(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.push("EVENT_911", call_911(12))
        await env.push("EVENT_DISPATCH_NEW", dispatch_call(12))
        answer = await cad_answer(env, env.vic, "call", id="12")
        assert "Several calls have the number 12; choose one from the list." in answer
        await env.push("EVENT_REMOVE_911", {"callIds": [12]})
        assert "# Dispatch call 12" in await cad_answer(env, env.vic, "call", id="12")


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "13",
        "-1",
        "9" * 40,
        "0" * 20 + "9" * 30,
        "emergency:9999999999999999999@cad",
        "²",
        "@everyone **x**",
    ],
)
async def test_an_unknown_call_is_reported(env: BotEnvironment, typed: str) -> None:
    async with env.bot_running():
        answer = await cad_answer(env, env.vic, "call", id=typed or " ")
    assert "No call " in answer
    assert " @everyone" not in answer


async def test_units_are_listed_and_one_is_shown(env: BotEnvironment) -> None:
    async with env.bot_running():
        assert "Nobody is on duty" in await cad_answer(env, env.vic, "units")
        await log_in(env, 61, "7K-22", "LSPD", status=4, location="Legion Square")
        await log_in(env, 62, "7K-25", "LSPD", status=2)
        await env.push("EVENT_DISPATCH_NEW", dispatch_call(8120, idents=[61]))
        listed = await cad_answer(env, env.vic, "units")
        assert "LSPD · 2: **On scene** 7K-22\n│ **Available** 7K-25" in listed
        assert await offered(env, "cad unit", "number", "k-22") == ["7K-22 · Officer 61 · On scene"]
        shown = await cad_answer(env, env.vic, "unit", number="7k-22")
        assert "# 7K-22 · On scene" in shown
        assert "Location: Legion Square" in shown
        assert "8120" in shown
        assert "Structure fire" in shown
        several = await cad_answer(env, env.vic, "unit", number="7K")
        assert "Several units match “7K”; choose one from the list." in several
        assert "No unit matches “X”." in await cad_answer(env, env.vic, "unit", number="X")
        await env.push("EVENT_UNIT_LOGOUT", {"identId": 61})
        assert "# 7K-22 · off duty" in await cad_answer(env, env.vic, "unit", number="61@cad")


async def test_non_viewers_are_refused(env: BotEnvironment) -> None:
    async with env.bot_running():
        for command, options in (
            ("calls", {}),
            ("units", {}),
            ("call", {"id": "1"}),
            ("unit", {"number": "1"}),
        ):
            answer = await cad_answer(env, env.stranger, command, **options)
            assert "This needs the viewer role" in answer


async def test_several_cads_are_distinguished(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_two_cads(env, monkeypatch)
    async with env.bot_running():
        for key in (OTHER_KEY, None):
            more = {"key": key} if key else {}
            unit = {"id": 61, "status": 2, "data": {"unitNum": "7K-22", "department": "LSPD"}}
            await env.push("EVENT_UNIT_LOGIN", {"unit": unit, "isDispatch": False}, **more)
            await env.push("EVENT_DISPATCH_NEW", dispatch_call(8120), **more)
        names = ["8120 · Structure fire · cad", "8120 · Structure fire · county"]
        assert sorted(await offered(env, "cad call", "id", "81")) == names
        assert "Several calls" in await cad_answer(env, env.vic, "call", id="8120")
        county = await cad_answer(env, env.vic, "call", id="dispatch:8120@county")
        assert "# Dispatch call 8120 · county · Structure fire" in county
        assert "LSPD · county · 1" in await cad_answer(env, env.vic, "units")
        assert "Several units" in await cad_answer(env, env.vic, "unit", number="7K-22")
        assert "# 7K-22 · county" in await cad_answer(env, env.vic, "unit", number="61@county")
        listed = await cad_answer(env, env.vic, "calls")
        assert "· county · Structure fire" in listed


async def test_hundreds_of_units_and_hostile_names_fit(env: BotEnvironment) -> None:
    text = "[x](https://b.example) @everyone " + "*" * 200
    async with env.bot_running():
        await env.wait_for_commands()
        units = [
            {"id": n, "status": n % 5, "data": {"unitNum": text, "department": f"{text[:40]} {n}"}}
            for n in range(300)
        ]
        await env.push("EVENT_UNIT_LOGIN", {"units": units})
        for number in range(16):
            await env.push("EVENT_911", call_911(number, location=text))
            await env.push("EVENT_DISPATCH_NEW", dispatch_call(number, title=text, idents=[1, 2]))
        calls = await cad_answer(env, env.vic, "calls")
        assert "Page 1 of 4" in calls
        assert "# On duty · 300" in await cad_answer(env, env.vic, "units")
        one = await cad_answer(env, env.vic, "unit", number="1@cad")
        choices = [
            *await offered(env, "cad call", "id"),
            *await offered(env, "cad unit", "number", "x"),
        ]
    assert len(choices) == 50
    assert all(len(name) <= 100 for name in choices)
    assert "(https://b.example" not in calls + one
    assert " @everyone" not in calls + one
