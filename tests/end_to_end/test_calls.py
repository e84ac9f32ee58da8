"""A push from the CAD becomes a card, which follows its subject to the end."""

import random
import re
from contextlib import suppress
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from bot.settings import NamedKey
from cogs.cards import CARDS
from tests.end_to_end.environment import BotEnvironment, call_911, dispatch_call, log_in, unit
from tests.fake_discord import Message, render

OTHER_KEY = "CAD-KEY-OF-THE-COUNTY"


def address_of(message: Message) -> str:
    """A message's address, as links to it hold it."""
    channel = message.channel
    return f"https://discord.com/channels/{channel.guild.id}/{channel.id}/{message.id}"


def text(message: Message) -> str:
    """What a card says, without times, references and the ids of messages."""
    text = re.sub(r"<t:\d+:\w>", "<t>", render(message))
    return re.sub(
        r"(?<=_ )[^│_]* · CAD Sentinel · [0-9a-f]+-c\d+\.\d+|/channels/\d+/\d+/\d+|\d+ s\b",
        "…",
        text,
    )


async def test_a_911_call_becomes_a_card_and_is_over_when_it_is_removed(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        assert await env.push("EVENT_911", call_911(4410)) == 200
        card = await env.channel("emergency").next_message()
        assert "911 call 4410" in render(card)
        assert "Caller: Wren Halloway" in render(card)
        assert "Location: Forum Dr / Strawberry Ave (8031)" in render(card)
        assert await env.push("EVENT_REMOVE_911", {"callIds": [4410]}) == 200
        await env.fake.until(lambda: "over" in render(card))
        assert "Removed: after" in render(card)
    assert len(env.channel("emergency").messages) == 1


async def test_a_911_call_and_its_dispatch_call_link_to_each_other(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        await env.push("EVENT_911", call_911(4410))
        emergency = await env.channel("emergency").next_message()
        await env.push("EVENT_DISPATCH_NEW", dispatch_call(8120, metaData={"origin911": "4410"}))
        card = await env.channel("dispatch").next_message()
        link = f"as [dispatch call 8120]({address_of(card)})"
        await env.fake.until(lambda: link in render(emergency))
        assert "911 call 4410 · dispatched" in render(emergency)
        link = f"[911 call 4410]({address_of(emergency)}) by Wren Halloway"
        await env.fake.until(lambda: link in render(card))
        await env.push("EVENT_DISPATCH_CLOSED", {"callIds": [8120]})
        await env.fake.until(lambda: "Structure fire · closed" in render(card))
        assert "Closed: after" in render(card)
    assert len(env.channel("dispatch").messages) == 1


async def test_a_link_follows_a_card_that_was_posted_again(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        await env.push("EVENT_911", call_911(1))
        emergency = await env.channel("emergency").next_message()
        await env.push("EVENT_DISPATCH_NEW", dispatch_call(2, metaData={"origin911": "1"}))
        first = await env.channel("dispatch").next_message()
        await env.fake.until(lambda: address_of(first) in render(emergency))
        first.delete()
        await env.push("EVENT_DISPATCH_NOTE", {"callId": 2, "note": "On scene"})
        second = await env.channel("dispatch").next_message()
        await env.fake.until(lambda: address_of(second) in render(emergency))


async def test_a_dispatch_card_shows_units_with_their_status_as_it_changes(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await log_in(env, 61, "7K-22", "LSPD", status=2)
        await env.push("EVENT_DISPATCH_NEW", dispatch_call(8120, idents=[61, 74], primary=61))
        card = await env.channel("dispatch").next_message()
        assert "Units: **7K-22** · Available\n│ unit 74\n" in render(card)
        await env.push("EVENT_UNIT_STATUS", {"identIds": [61], "status": 4})
        await env.fake.until(lambda: "**7K-22** · On scene" in render(card))
        await log_in(env, 74, "E-9", "LSFD", status=3)
        await env.fake.until(lambda: "E-9 · En route" in render(card))
        await env.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True})
        await env.fake.until(lambda: "**7K-22** · **PANIC**" in render(card))
        note = {"time": "21:07", "label": "7K-22", "type": "text", "content": "Send help"}
        await env.push("EVENT_DISPATCH_NOTE", {"callId": 8120, "note": note})
        await env.fake.until(lambda: "**7K-22** Send help" in render(card))
        await env.push("EVENT_DISPATCH_CLOSED", {"callIds": [8120]})
        await env.fake.until(lambda: "Units: 7K-22, E-9" in render(card))


@pytest.mark.parametrize(
    ("priority", "colour"),
    [(1, "#d32f2f"), (2, "#f57c00"), (3, "#1976d2"), ("Immediate", "#1976d2")],
)
async def test_known_priorities_have_colours_and_custom_ones_do_not(
    env: BotEnvironment, priority: int | str, colour: str
) -> None:
    async with env.bot_running():
        await env.push("EVENT_DISPATCH_NEW", dispatch_call(1, priority=priority))
        card = await env.channel("dispatch").next_message()
    assert f"┌ {colour}" in render(card)
    assert f"Priority: {priority}" in render(card)


async def test_a_note_on_an_unknown_call_makes_a_card_that_the_call_completes(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.push("EVENT_DISPATCH_NOTE", {"callId": 9, "note": "Gate is open"})
        card = await env.channel("dispatch").next_message()
        assert "no title yet" in render(card)
        await env.push("EVENT_DISPATCH_EDIT", dispatch_call(9, title="Trespass"))
        await env.fake.until(lambda: "Trespass" in render(card))
        assert "Gate is open" in render(card)


async def test_a_panic_mentions_its_role_once_and_clears(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.push("EVENT_UNIT_PANIC", {"identIds": [61, 74], "isPanic": True})
        card = await env.channel("panic").next_message()
        assert card.pings == [env.on_call]
        assert "# PANIC · unit 61, unit 74" in render(card)
        await log_in(env, 74, "7K-22", "LSPD")
        await env.fake.until(lambda: "**unit 61**\n│ **7K-22** Officer 74 · LSPD" in render(card))
        await env.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": False})
        await env.fake.until(lambda: "**unit 61** · cleared after" in render(card))
        assert "# PANIC · unit 61, 7K-22" in render(card)
        await env.push("EVENT_UNIT_PANIC", {"identIds": [74], "isPanic": False})
        await env.fake.until(lambda: "# Panic over · unit 61, 7K-22" in render(card))
    assert len(env.channel("panic").messages) == 1


OWN_CALL: dict[str, Any] = {
    "caller": "Dispatch",
    "location": "[3014] Paleto Blvd",
    "description": "Unit 7K-22 has pressed their panic button!",
}


async def test_the_911_call_of_a_panic_is_shown_on_the_panic_card(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await log_in(env, 61, "7K-22", "LSPD")
        await env.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True})
        await env.push("EVENT_911", call_911(4412, **OWN_CALL))
        panic = await env.channel("panic").next_message()
        await env.fake.until(lambda: "Location: Paleto Blvd (3014)" in render(panic))
        assert "911 call 4412: Dispatch\\: Unit 7K-22 has pressed" in render(panic)
        await env.push("EVENT_911", call_911(4413))
        other = await env.channel("emergency").next_message()
    assert "911 call 4413" in render(other)
    assert len(env.channel("emergency").messages) == 1


async def test_the_card_of_a_call_older_than_its_panic_points_to_the_panic(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        await log_in(env, 61, "7K-22", "LSPD")
        await env.push("EVENT_911", call_911(4412, **OWN_CALL))
        early = await env.channel("emergency").next_message()
        await env.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True})
        panic = await env.channel("panic").next_message()
        await env.fake.until(
            lambda: f"See the [panic of 7K-22]({address_of(panic)})" in render(early)
        )
        assert "┌ #757575\n│ # 911 call 4412 · part of the panic of 7K-22" in render(early)
        assert "911 call 4412: Dispatch\\: Unit 7K-22" in render(panic)


async def test_without_a_panic_channel_the_call_of_a_panic_has_its_own_card(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = env.settings()
    channels = settings.discord.channels.model_copy(update={"panic": 0})
    quiet = settings.model_copy(
        update={"discord": settings.discord.model_copy(update={"channels": channels})}
    )
    monkeypatch.setattr(env, "settings", lambda: quiet)
    async with env.bot_running():
        await log_in(env, 61, "7K-22", "LSPD")
        await env.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True})
        await env.push("EVENT_911", call_911(4412, **OWN_CALL))
        card = await env.channel("emergency").next_message()
    assert "# 911 call 4412\n│ Unit 7K-22 has pressed" in render(card)


async def test_the_card_of_a_call_at_a_property_names_it_and_dispatches_its_drones(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        property_id = await env.add_property("Forum Dr 12", drones=2)
        await env.push("EVENT_911", call_911(1, location="Forum Dr 12"))
        card = await env.channel("emergency").next_message()
        assert f"Property: Forum Dr 12 #{property_id} · 2 drones free" in render(card)
        reply = await env.fake.click(env.dora, card, "Dispatch drone")
        await env.fake.until(lambda: bool(reply.content))
        assert reply.ephemeral
        assert reply.content == "Drone 1 (Drone 1) took off from **Forum Dr 12**."
        await env.fake.until(lambda: "1 drone free" in render(card))
        flight = await env.channel("drones").next_message()
        assert f"Sent out by: <@{env.dora.id}>" in render(flight)
        refused = await env.fake.click(env.vic, card, "Dispatch drone")
        await env.fake.until(lambda: "needs the dispatcher role" in refused.content)
        await env.query("dispatch-drone", propertyId=property_id)
        await env.fake.until(lambda: "no drone free" in render(card))
        assert "[Dispatch drone]" not in render(card)
        await env.query("recall-drone", droneId=1)
        await env.fake.until(lambda: "[Dispatch drone]" in render(card))
        await env.push("EVENT_REMOVE_911", {"callIds": [1]})
        await env.fake.until(lambda: "· over" in render(card))
    assert "[Dispatch drone]" not in render(card)
    assert f"Property: Forum Dr 12 #{property_id}\n" in render(card)


async def test_with_several_cads_a_card_names_its_own(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = env.settings()
    keys = [*settings.cad.keys, NamedKey(name="county", key=OTHER_KEY)]
    both = settings.model_copy(update={"cad": settings.cad.model_copy(update={"keys": keys})})
    monkeypatch.setattr(env, "settings", lambda: both)
    async with env.bot_running():
        await env.push("EVENT_911", call_911(7), key=OTHER_KEY)
        first = await env.channel("emergency").next_message()
        await env.push("EVENT_911", call_911(7))
        second = await env.channel("emergency").next_message()
    assert "# 911 call 7 · county" in render(first)
    assert "# 911 call 7 · cad" in render(second)


async def test_a_page_a_station_alert_and_a_callout_have_cards(env: BotEnvironment) -> None:
    async with env.bot_running():
        await log_in(env, 61, "7K-22", "LSPD")
        page = {"addresses": ["ENGINE-9"], "identIds": [61], "nature": "NonEmergency"}
        await env.push("EVENT_PAGER_REBORN", page | {"body": "Meet at the north bay."})
        card = await env.channel("dispatch").next_message()
        assert (
            "# Page · Non-emergency\n│ Meet at the north bay.\n│ - To: ENGINE-9, 7K-22"
            in render(card)
        )
        doors = {"name": "Davis", "open": ["Bay 1"], "close": ["Gate"]}
        alert = {"locations": [doors], "message": "Fire", "colors": ["red"], "tone": "chime"}
        await env.push("EVENT_STATION_ALERT", alert)
        card = await env.channel("dispatch").next_message()
        assert "# Station alert · Davis" in render(card)
        assert "Doors: **Davis** open Bay 1; close Gate" in render(card)
        assert "Lights: red\n│ ~ Tone: chime" in render(card)
        callout = {"id": "s9", "data": {"CalloutName": "Shoplifter", "PedAge": 30}}
        await env.push("EVENT_NEW_CALLOUT", {"callout": callout})
        card = await env.channel("dispatch").next_message()
        assert "# Callout · Shoplifter" in render(card)
        callout["data"] = {"CalloutName": "Shoplifter", "PedAge": 31}
        await env.push("EVENT_NEW_CALLOUT", {"callout": callout})
        await env.fake.until(lambda: "Ped age\\: 31" in render(card))
    assert len(env.channel("dispatch").messages) == 3


async def test_addresses_in_an_alert_are_text_and_a_spoken_message_is_noted(
    env: BotEnvironment,
) -> None:
    audio = "data:audio/wav;base64," + "UklGRiQAAABXQVZF" * 100
    async with env.bot_running():
        alert = {"locations": [], "message": audio, "tone": "https://evil.example/a/tone.ogg?x=1"}
        await env.push("EVENT_STATION_ALERT", alert | {"colors": ["https://evil.example/c"]})
        card = await env.channel("dispatch").next_message()
    assert "Spoken message." in render(card)
    assert "Tone: tone.ogg" in render(card)
    assert "https://" not in render(card)


CALL_EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("EVENT_911", call_911(44)),
    ("EVENT_DISPATCH_NEW", dispatch_call(81, idents=[61], metaData={"origin911": "44"})),
    (
        "EVENT_DISPATCH_EDIT",
        {"dispatch": {"callId": 81, "title": "Fire, spreading", "priority": 2}},
    ),
    ("EVENT_DISPATCH_UNIT_ATTACH", {"idents": [74], "callId": 81}),
    ("EVENT_DISPATCH_NOTE", {"callId": 81, "note": {"time": "21:07", "content": "First"}}),
    ("EVENT_DISPATCH_NOTE", {"callId": 81, "note": {"time": "21:09", "content": "Second"}}),
    ("EVENT_REMOVE_911", {"callIds": [44]}),
    ("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True}),
]


@pytest.mark.parametrize("seed", range(6))
async def test_a_calls_events_in_any_order_make_the_same_cards(
    env: BotEnvironment, seed: int
) -> None:
    order = list(CALL_EVENTS)
    random.Random(seed).shuffle(order)
    async with env.bot_running():
        await env.wait_for_commands()
        await log_in(env, 61, "7K-22", "LSPD")
        for kind, data in order:
            assert await env.push(kind, data) == 200
        emergency = await env.channel("emergency").next_message()
        card = await env.channel("dispatch").next_message()
        with suppress(TimeoutError):
            await env.fake.until(lambda: text(emergency) == FINAL_EMERGENCY)
            await env.fake.until(lambda: text(card) == FINAL_DISPATCH)
    assert text(emergency) == FINAL_EMERGENCY
    assert text(card) == FINAL_DISPATCH


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_a_panics_events_in_any_order_make_the_same_card(
    env: BotEnvironment, order: tuple[int, ...]
) -> None:
    async with env.bot_running():
        steps: list[tuple[str, dict[str, Any]]] = [
            ("EVENT_UNIT_LOGIN", {"unit": unit(61, "7K-22", "LSPD"), "isDispatch": False}),
            ("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True}),
            ("EVENT_911", call_911(4412, **OWN_CALL)),
        ]
        for number in order:
            assert await env.push(*steps[number]) == 200
        panic = await env.channel("panic").next_message()
        await env.fake.until(
            lambda: "911 call 4412" in render(panic) and "**7K-22**" in render(panic)
        )
    assert text(panic) == f"<@&{env.on_call.id}> {FINAL_PANIC}"


FINAL_EMERGENCY = """\
911 dispatched · Forum Dr / Strawberry Ave (8031) · Smoke from the laundromat roof. Call 44.
┌ #757575
│ # 911 call 44 · dispatched
│ Smoke from the laundromat roof. Call 44.
│ ~ Caller: Wren Halloway
│ ~ Location: Forum Dr / Strawberry Ave (8031)
│ ~ Received: <t> (<t>)
│ ~ Dispatched: as [dispatch call 81](https://discord.com…)
│ _ …
└"""

FINAL_DISPATCH = """\
P2 · Fire, spreading · Forum Dr (8031)
┌ #f57c00
│ # Dispatch call 81 · Fire, spreading
│ ~ Status: Active
│ ~ Priority: 2
│ ~ Code: 10-70
│ ~ Address: Forum Dr (8031)
│ - Units: 7K-22 · **PANIC**
│ unit 74
│ - From: [911 call 44](https://discord.com…) by Wren Halloway
│ ~ Opened: <t> (<t>)
│ - Last notes: 21:07 **note** First
│ 21:09 **note** Second
│ _ …
└
[Responding] success [Note] secondary [Thread] secondary"""

FINAL_PANIC = """\
**PANIC** 7K-22 · Paleto Blvd (3014)
┌ #d32f2f
│ # PANIC · 7K-22
│ **7K-22** Officer 61 · LSPD
│ ~ Location: Paleto Blvd (3014)
│ ~ Since: <t> (<t>)
│ - 911 call 4412: Dispatch\\: Unit 7K-22 has pressed their panic button!
│ _ …
└
[Responding] success [Note] secondary [Thread] secondary"""


async def test_a_duplicate_push_is_shown_once(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.push("EVENT_911", call_911(1))
        card = await env.channel("emergency").next_message()
        await env.push("EVENT_911", call_911(1))
        await env.push("EVENT_911", call_911(2))
        await env.channel("emergency").next_message()
    assert len(env.channel("emergency").messages) == 2
    assert card.edit_count == 0


async def test_hostile_text_is_shown_inert(env: BotEnvironment) -> None:
    text = f"@everyone <@&{env.on_call.id}> **x** [a](https://b.example) `c`\u202e\x1b[31m"
    async with env.bot_running():
        await env.push("EVENT_911", call_911(1, caller=text, description=text * 500))
        card = await env.channel("emergency").next_message()
        await env.push("EVENT_DISPATCH_NOTE", {"callId": 1, "note": text * 100})
        await env.channel("dispatch").next_message()
    assert card.pings == []
    assert "\\@everyone \\<\\@&" in render(card)
    assert "\\*\\*x\\*\\* \\[a\\](https\\://b.example) \\`c\\`" in render(card)
    assert "\u202e" not in render(card)
    assert "\x1b" not in render(card)


async def test_hostile_names_are_inert_wherever_cards_repeat_them(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CARDS, "board", replace(CARDS["board"], edit_interval=0.05))
    text = "[x](https://b.example) @everyone **"
    async with env.bot_running():
        await env.wait_for_commands()
        property_id = await env.add_property(text, drones=1)
        await log_in(env, 61, text, text, status=2)
        hostile = {"location": text, "caller": text, "description": text}
        await env.push("EVENT_911", call_911(1, **hostile))
        await env.push(
            "EVENT_DISPATCH_NEW", dispatch_call(2, metaData={"origin911": "1"}, title=text)
        )
        await env.push("EVENT_DISPATCH_UNIT_ATTACH", {"idents": [61], "callId": 2})
        await env.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True})
        await env.push("EVENT_PAGER_REBORN", {"addresses": [text], "nature": text, "body": text})
        await env.push(
            "EVENT_NEW_CALLOUT", {"callout": {"id": "1", "calloutName": text, text: text}}
        )
        await env.query("dispatch-drone", propertyId=property_id)
        names = ("emergency", "dispatch", "panic", "units")
        await env.fake.until(lambda: all(env.channel(name).messages for name in names))
        await env.fake.until(lambda: len(env.channel("dispatch").messages) == 3)
        await env.fake.until(
            lambda: any("Drones out" in render(one) for one in env.channel("board").messages)
        )
        shown = [one for name in names for one in env.channel(name).messages]
    assert all("(https://b.example" not in render(one) for one in shown)
    assert all(" @everyone" not in render(one) for one in shown)
    assert [one.pings for one in shown if one.pings] == [[env.on_call]]
