"""`/cad` tells viewers, privately, of calls and units."""

from typing import Any

import pytest

from bot.settings import NamedKey
from tests.end_to_end.town import Town, call_911, dispatch_call, log_in
from tests.fake_discord import Member, render

OTHER_KEY = "CAD-KEY-OF-THE-COUNTY"


async def asked(town: Town, member: Member, command: str, **options: Any) -> str:
    """Use a command, and return what the member sees."""
    await town.fake.until(lambda: bool(town.guild.commands))
    reply = await town.fake.slash(member, f"cad {command}", **options)
    await town.fake.until(lambda: bool(reply.content) or "┌" in render(reply))
    assert reply.ephemeral
    return render(reply)


async def offered(town: Town, command: str, focused: str, value: str) -> list[str]:
    """Type into an option, and return the choices' names."""
    await town.fake.until(lambda: bool(town.guild.commands))
    choices = await town.fake.autocomplete(town.vic, f"cad {command}", focused=focused, value=value)
    return [choice.name for choice in choices]


def with_two_cads(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = town.settings()
    keys = [*settings.cad.keys, NamedKey(name="county", key=OTHER_KEY)]
    both = settings.model_copy(update={"cad": settings.cad.model_copy(update={"keys": keys})})
    monkeypatch.setattr(town, "settings", lambda: both)


async def test_calls_are_listed_and_shown(town: Town) -> None:
    async with town.bot_running():
        assert "No open calls" in await asked(town, town.vic, "calls")
        await town.push("EVENT_911", call_911(4410))
        await town.push("EVENT_911", call_911(4411, isEmergency=False, location="Pier"))
        await town.push("EVENT_DISPATCH_NEW", dispatch_call(8120, idents=[61]))
        listed = await asked(town, town.vic, "calls")
        assert "# Open calls · 3" in listed
        assert "P1 · Structure fire · unit 61" in listed
        assert "· 311 · Pier" in listed
        assert await offered(town, "call", "id", "") == [
            "8120 · Structure fire",
            "311 4411 · Pier",
            "911 4410 · [8031] Forum Dr / Strawberry Ave",
        ]
        assert await offered(town, "call", "id", "STRUCT") == ["8120 · Structure fire"]
        assert "# Dispatch call 8120" in await asked(town, town.vic, "call", id="8120")
        assert "# 311 call 4411" in await asked(town, town.vic, "call", id="emergency:4411@cad")
        await town.push("EVENT_DISPATCH_CLOSED", {"callIds": [8120]})
        assert "· closed" in await asked(town, town.vic, "call", id="#8120")
        assert "8120 · Structure fire" not in await offered(town, "call", "id", "")


async def test_an_ambiguous_call_number_is_rejected(town: Town) -> None:
    async with town.bot_running():
        await town.push("EVENT_911", call_911(12))
        await town.push("EVENT_DISPATCH_NEW", dispatch_call(12))
        answer = await asked(town, town.vic, "call", id="12")
        assert "Several calls have the number 12; choose one from the list." in answer
        await town.push("EVENT_REMOVE_911", {"callIds": [12]})
        assert "# Dispatch call 12" in await asked(town, town.vic, "call", id="12")


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
async def test_an_unknown_call_is_reported(town: Town, typed: str) -> None:
    async with town.bot_running():
        answer = await asked(town, town.vic, "call", id=typed or " ")
    assert "No call " in answer
    assert " @everyone" not in answer


async def test_units_are_listed_and_one_is_shown(town: Town) -> None:
    async with town.bot_running():
        assert "Nobody is on duty" in await asked(town, town.vic, "units")
        await log_in(town, 61, "7K-22", "LSPD", status=4, location="Legion Square")
        await log_in(town, 62, "7K-25", "LSPD", status=2)
        await town.push("EVENT_DISPATCH_NEW", dispatch_call(8120, idents=[61]))
        listed = await asked(town, town.vic, "units")
        assert "LSPD · 2: **On scene** 7K-22\n│ **Available** 7K-25" in listed
        assert await offered(town, "unit", "number", "k-22") == ["7K-22 · Officer 61 · On scene"]
        shown = await asked(town, town.vic, "unit", number="7k-22")
        assert "# 7K-22 · On scene" in shown
        assert "Location: Legion Square" in shown
        assert "8120" in shown
        assert "Structure fire" in shown
        several = await asked(town, town.vic, "unit", number="7K")
        assert "Several units match '7K'; choose one from the list." in several
        assert "No unit matches 'X'." in await asked(town, town.vic, "unit", number="X")
        await town.push("EVENT_UNIT_LOGOUT", {"identId": 61})
        assert "# 7K-22 · off duty" in await asked(town, town.vic, "unit", number="61@cad")


async def test_non_viewers_are_refused(town: Town) -> None:
    async with town.bot_running():
        for command, options in (
            ("calls", {}),
            ("units", {}),
            ("call", {"id": "1"}),
            ("unit", {"number": "1"}),
        ):
            answer = await asked(town, town.stranger, command, **options)
            assert "This needs the viewer role" in answer


async def test_several_cads_are_distinguished(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    with_two_cads(town, monkeypatch)
    async with town.bot_running():
        for key in (OTHER_KEY, None):
            more = {"key": key} if key else {}
            unit = {"id": 61, "status": 2, "data": {"unitNum": "7K-22", "department": "LSPD"}}
            await town.push("EVENT_UNIT_LOGIN", {"unit": unit, "isDispatch": False}, **more)
            await town.push("EVENT_DISPATCH_NEW", dispatch_call(8120), **more)
        names = ["8120 · Structure fire · cad", "8120 · Structure fire · county"]
        assert sorted(await offered(town, "call", "id", "81")) == names
        assert "Several calls" in await asked(town, town.vic, "call", id="8120")
        county = await asked(town, town.vic, "call", id="dispatch:8120@county")
        assert "# Dispatch call 8120 · county · Structure fire" in county
        assert "LSPD · county · 1" in await asked(town, town.vic, "units")
        assert "Several units" in await asked(town, town.vic, "unit", number="7K-22")
        assert "# 7K-22 · county" in await asked(town, town.vic, "unit", number="61@county")
        listed = await asked(town, town.vic, "calls")
        assert "· county · Structure fire" in listed


async def test_hundreds_of_calls_and_hostile_names_fit(town: Town) -> None:
    text = "[x](https://b.example) @everyone " + "*" * 200
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        units = [
            {"id": n, "status": n % 5, "data": {"unitNum": text, "department": f"{text[:40]} {n}"}}
            for n in range(300)
        ]
        for start in range(0, 300, 30):
            await town.push("EVENT_UNIT_LOGIN", {"units": units[start : start + 30]})
        for number in range(130):
            await town.push("EVENT_911", call_911(number, location=text))
            await town.push("EVENT_DISPATCH_NEW", dispatch_call(number, title=text, idents=[1, 2]))
        calls = await asked(town, town.vic, "calls")
        assert "100 or more" in calls
        assert "# On duty · 300" in await asked(town, town.vic, "units")
        one = await asked(town, town.vic, "unit", number="1@cad")
        choices = [
            *await offered(town, "call", "id", ""),
            *await offered(town, "unit", "number", "x"),
        ]
    assert len(choices) == 50
    assert all(len(name) <= 100 for name in choices)
    assert "(https://b.example" not in calls + one
    assert " @everyone" not in calls + one
