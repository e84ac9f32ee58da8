"""A push from the CAD becomes a card, which follows its subject to the end."""

from tests.end_to_end.town import Town, call_911, dispatch_call
from tests.fake_discord import render


async def test_a_911_call_becomes_a_card_and_is_over_when_it_is_removed(town: Town) -> None:
    async with town.bot_running():
        assert await town.push("EVENT_911", call_911(4410)) == 200
        card = await town.channel("emergency").next_message()
        assert "911 call 4410" in render(card)
        assert "Caller: Wren Halloway" in render(card)
        assert "Location: \\[8031\\] Forum Dr / Strawberry Ave" in render(card)
        assert await town.push("EVENT_REMOVE_911", {"callIds": [4410]}) == 200
        await town.fake.until(lambda: "over" in render(card))
        assert "Removed: after" in render(card)
    assert len(town.channel("emergency").messages) == 1


async def test_a_dispatch_call_takes_its_911_call_over_and_shows_units_and_notes(
    town: Town,
) -> None:
    unit = {"id": 61, "status": 2, "data": {"unitNum": "7K-22", "name": "M. Okafor"}}
    async with town.bot_running():
        await town.push("EVENT_UNIT_LOGIN", {"unit": unit, "isDispatch": False})
        await town.push("EVENT_911", call_911(4410))
        emergency = await town.channel("emergency").next_message()
        await town.push("EVENT_DISPATCH_NEW", dispatch_call(8120, metaData={"origin911": "4410"}))
        card = await town.channel("dispatch").next_message()
        await town.fake.until(lambda: "as dispatch call 8120" in render(emergency))
        await town.push("EVENT_DISPATCH_UNIT_ATTACH", {"idents": [61, 74], "callId": 8120})
        note = {"time": "21:07", "label": "7K-22", "type": "text", "content": "On scene"}
        await town.push("EVENT_DISPATCH_NOTE", {"callId": 8120, "note": note})
        await town.fake.until(lambda: "**7K-22** On scene" in render(card))
        assert "Units: 7K-22, unit 74" in render(card)
        await town.push("EVENT_DISPATCH_CLOSED", {"callIds": [8120]})
        await town.fake.until(lambda: "closed" in render(card))
    assert len(town.channel("dispatch").messages) == 1


async def test_a_note_on_a_call_never_seen_has_a_card_that_the_call_fills_in(town: Town) -> None:
    async with town.bot_running():
        await town.push("EVENT_DISPATCH_NOTE", {"callId": 9, "note": "Gate is open"})
        card = await town.channel("dispatch").next_message()
        assert "no title yet" in render(card)
        await town.push("EVENT_DISPATCH_EDIT", dispatch_call(9, title="Trespass"))
        await town.fake.until(lambda: "Trespass" in render(card))
        assert "Gate is open" in render(card)


async def test_a_panic_calls_its_role_once_and_clears(town: Town) -> None:
    async with town.bot_running():
        await town.push("EVENT_UNIT_PANIC", {"identIds": [61, 74], "isPanic": True})
        card = await town.channel("panic").next_message()
        assert card.pings == [town.on_call]
        assert "unit 61, unit 74 pressed the panic button" in render(card)
        await town.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": False})
        await town.fake.until(lambda: "Still in panic: unit 74" in render(card))
        await town.push("EVENT_UNIT_PANIC", {"identIds": [74], "isPanic": False})
        await town.fake.until(lambda: "cleared after" in render(card))
    assert len(town.channel("panic").messages) == 1


async def test_the_same_push_twice_is_told_once(town: Town) -> None:
    async with town.bot_running():
        await town.push("EVENT_911", call_911(1))
        card = await town.channel("emergency").next_message()
        await town.push("EVENT_911", call_911(1))
        await town.push("EVENT_911", call_911(2))
        await town.channel("emergency").next_message()
    assert len(town.channel("emergency").messages) == 2
    assert card.edit_count == 0


async def test_hostile_text_is_shown_and_does_nothing(town: Town) -> None:
    text = f"@everyone <@&{town.on_call.id}> **x** [a](https://b.example) `c`\u202e\x1b[31m"
    async with town.bot_running():
        await town.push("EVENT_911", call_911(1, caller=text, description=text * 500))
        card = await town.channel("emergency").next_message()
        await town.push("EVENT_DISPATCH_NOTE", {"callId": 1, "note": text * 100})
        await town.channel("dispatch").next_message()
    assert card.pings == []
    assert "\\@everyone \\<\\@&" in render(card)
    assert "\\*\\*x\\*\\* \\[a\\](https\\://b.example) \\`c\\`" in render(card)
    assert "\u202e" not in render(card)
    assert "\x1b" not in render(card)
