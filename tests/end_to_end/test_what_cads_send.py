"""What CADs and scripts really send, as people reported it: each becomes what Discord should show.

Broken bytes, numbers that are none, places that are nowhere, line ends of other systems, and
postal codes of other countries.
"""

import json
from typing import Any

import aiohttp

from bot.settings import RuleSettings
from tests.end_to_end.environment import CAD_KEY, BotEnvironment, log_in
from tests.fake_discord import Message, render


async def post(env: BotEnvironment, body: bytes, path: str = "/event") -> int:
    async with aiohttp.ClientSession() as http, http.post(env.url + path, data=body) as answer:
        return answer.status


def call_with(description: bytes, call_id: int = 5) -> bytes:
    """A 911 call with this text, byte by byte."""
    return (
        b'{"key": "%b", "type": "EVENT_911", "data": {"call": {"callId": %d, "caller": "Ann",'
        b' "location": "[12] Elm St", "description": "%b"}}}'
        % (CAD_KEY.encode(), call_id, description)
    )


async def card_of_call(env: BotEnvironment, call: dict[str, Any]) -> str:
    assert await env.push("EVENT_911", {"call": call}) == 200
    return render(await env.channel("emergency").next_message())


BROKEN = {
    "Feuer bei M\u00fc".encode()[:-1]: "Feuer bei M\ufffd",
    "Feuer bei M\u00fcller, schnell!".encode("latin-1"): "Feuer bei M\ufffdller, schnell!",
    b"help \\ud83d": "help \ufffd",
}


async def test_call_with_broken_bytes_is_shown(env: BotEnvironment) -> None:
    async with env.bot_running():
        for call_id, (sent, shown) in enumerate(BROKEN.items()):
            assert await post(env, call_with(sent, call_id)) == 200
            assert shown in render(await env.channel("emergency").next_message())


async def test_call_without_a_place_is_at_no_property_that_has_none(env: BotEnvironment) -> None:
    async with env.bot_running():
        for location, x, y in (("Hillcrest Villa", 0, 0), ("Grove Street 12", 100, -1900)):
            await env.query(
                "add-property",
                location=location,
                x=x,
                y=y,
                tier=1,
                clientId="license:o",
                description="",
            )
        nowhere = {"x": "0", "y": "0.0", "z": "0"}
        call = {"callId": 1, "caller": "A", "location": "Grove Street 12", "metaData": nowhere}
        assert "Grove Street 12 #2" in await card_of_call(env, call)
        for call_id, place in enumerate(({}, {"location": "null"}, {"location": "N/A"}), 2):
            shown = await card_of_call(env, {"callId": call_id, "metaData": nowhere, **place})
            assert "Property" not in shown
            assert "Location: —" in shown
        by_words = await card_of_call(env, {"callId": 7, "location": "near Hillcrest Villa"})
        assert "Hillcrest Villa #1" in by_words


async def test_parts_that_are_not_ids_lose_only_themselves(env: BotEnvironment) -> None:
    async with env.bot_running():
        await log_in(env, 61, "1A-1")
        cards: dict[int, Message] = {}
        odd: list[dict[str, Any]] = [
            {"idents": [61, -1]},
            {"idents": ""},
            {"idents": {}},
            {"idents": {"1": 61}},
            {"primary": "none"},
            {},
        ]
        for call_id, members in enumerate(odd, 1):
            dispatch = {"callId": call_id, "title": "Fire", "status": 1, **members}
            assert await env.push("EVENT_DISPATCH_NEW", {"dispatch": dispatch}) == 200
            cards[call_id] = await env.channel("dispatch").next_message()
        assert all("Units: 1A-1" in render(cards[call_id]) for call_id in (1, 4))
        assert all("Units: none" in render(cards[call_id]) for call_id in (2, 3, 5, 6))
        assert await env.push("EVENT_DISPATCH_CLOSED", {"callIds": [5, -1]}) == 200
        closed_by_word = {"callIds": [6], "eventOriginIdent": "Dispatch"}
        assert await env.push("EVENT_DISPATCH_CLOSED", closed_by_word) == 200
        await env.fake.until(lambda: all("closed" in render(cards[number]) for number in (5, 6)))
        assert await env.push("EVENT_UNIT_STATUS", {"units": [61], "status": 3}) == 200
        await env.fake.until(lambda: "1A-1 · En route" in render(cards[1]))
        taken_off = {"callId": -1, "idents": [61]}
        assert await env.push("EVENT_DISPATCH_UNIT_DETACH", taken_off) == 200
        await env.fake.until(lambda: "Units: none" in render(cards[1]))
        assert await env.push("EVENT_UNIT_PANIC", {"identIds": [61, -1], "isPanic": True}) == 200
        assert "1A-1" in render(await env.channel("panic").next_message())


SEPARATORS = (" ", "\n", "\t", "\r", "\r\n", "\u2028", "\u2029", "\x85", "\v", "\f")


async def test_rule_finds_words_whatever_parts_them(env: BotEnvironment) -> None:
    target = env.guild.add_channel("target")
    env.rules = [RuleSettings(name="shots", keywords=["shots fired"], channel=target.id)]
    async with env.bot_running():
        for call_id, separator in enumerate(SEPARATORS):
            text = f"{call_id} shots{separator}fired"
            assert await post(env, call_with(json.dumps(text)[1:-1].encode(), call_id)) == 200
            assert "shotsfired" not in render(await target.next_message())


async def test_postal_codes_of_other_countries_are_found(env: BotEnvironment) -> None:
    async with env.bot_running():
        places = ("SW1A 1AA The Mall", "[8031-2] Forum Drive 3", "[8040] Elm Street 1")
        for number, location in enumerate(places):
            await env.query(
                "add-property",
                location=location,
                x=5_000 + 300 * number,
                y=5_000,
                tier=1,
                description="",
                clientId="license:o",
            )
        postals: list[tuple[Any, int]] = [("SW1A 1AA", 1), ("8031-2", 2), (8040, 3), ("#8040", 3)]
        postals += [("08040", 3), (8040.0, 3), ("8040.0", 3)]
        for call_id, (postal, number) in enumerate(postals, 1):
            call = {"callId": call_id, "location": f"road {call_id}", "caller": f"c {call_id}"}
            shown = await card_of_call(env, call | {"metaData": {"postal": postal}})
            assert f" #{number} " in shown, postal
        prefixed = {"callId": 9, "location": "[SW1A 1AA] unknown road"}
        assert " #1 " in await card_of_call(env, prefixed)
