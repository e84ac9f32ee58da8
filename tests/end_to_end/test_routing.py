"""Rules send cards and feeds elsewhere, call roles and keep quiet; old feed entries are counted."""

import asyncio
import re
import sqlite3
from contextlib import closing

import pytest

from bot.commands.offline import route
from bot.settings import RuleSettings
from tests.end_to_end.environment import BotEnvironment, call_911, dispatch_call
from tests.fake_discord import Channel, render

HOUR = 60 * 60 * 1000


@pytest.fixture
def target(env: BotEnvironment) -> Channel:
    """A channel that only rules know."""
    return env.guild.add_channel("target")


def _rule(name: str, **fields: object) -> RuleSettings:
    return RuleSettings.model_validate({"name": name, **fields})


async def _visited(env: BotEnvironment, *visitors: str) -> None:
    """Have a camera see somebody, one after the other; the property is made at the first call."""
    properties = (await env.query("get-properties"))["properties"]
    number = properties[0]["id"] if properties else await env.add_property("Villa")
    camera = await env.query(
        "add-equipment", propertyId=number, equipmentType=1, description="Gate"
    )
    for visitor in visitors:
        await env.query("add-visitor", propertyId=number, userId=visitor, cameraId=camera["id"])


async def _grow_old(env: BotEnvironment, name: str, by: int = 2 * HOUR) -> None:
    """Have the events of a name be as if they had happened earlier.

    In a thread: the bot, which may be writing, shares our event loop.
    """
    await asyncio.to_thread(_set_back, env, name, by)


def _set_back(env: BotEnvironment, name: str, by: int) -> None:
    with closing(sqlite3.connect(env.folder / "sentinel.db")) as database:
        database.execute("UPDATE journal SET at = at - ? WHERE name = ?", (by, name))
        database.commit()


def _visitors(channel: Channel) -> list[str]:
    return re.findall(r"visitor-\d+", "\n".join(render(message) for message in channel.messages))


async def test_a_rule_sends_a_call_elsewhere_and_its_card_follows_it_there(
    env: BotEnvironment, target: Channel
) -> None:
    env.rules = [_rule("shots", keywords=["shots"], channel=target.id, mention=env.approvers.id)]
    async with env.bot_running():
        await env.push("EVENT_911", call_911(1, description="SHOTS, two of them!"))
        card = await target.next_message()
        assert "911 call 1" in render(card)
        assert card.pings == [env.approvers]
        await env.push("EVENT_911", call_911(1, description="A mistake."))
        await env.fake.until(lambda: "mistake" in render(card))
        await env.push("EVENT_911", call_911(2, description="Gunshots"))
        other = await env.channel("emergency").next_message()
        assert other.pings == []
    assert len(target.messages) == len(env.channel("emergency").messages) == 1
    assert card.content.startswith(f"<@&{env.approvers.id}> 911 · Forum Dr / Strawberry Ave (8031)")


async def test_a_rule_with_a_channel_works_where_the_channel_map_has_none(
    env: BotEnvironment, target: Channel
) -> None:
    env.rules = [_rule("visits", types=["visits"], channel=target.id)]
    settings = env.settings()
    channels = settings.discord.channels.model_copy(update={"visits": 0})
    discord = settings.discord.model_copy(update={"channels": channels})
    env.settings = lambda: settings.model_copy(update={"discord": discord})  # type: ignore[method-assign]
    async with env.bot_running():
        await _visited(env, "visitor-1")
        await env.fake.until(lambda: _visitors(target) == ["visitor-1"])


async def test_feed_entries_of_one_message_mention_each_role_once(env: BotEnvironment) -> None:
    env.rules = [
        _rule("one", types=["EVENT_RECORD_ADD"], keywords=["red"], mention=env.approvers.id),
        _rule("two", types=["EVENT_RECORD_ADD"], keywords=["blue"], mention=env.viewers.id),
    ]
    env.fake.outage()
    async with env.bot_running():
        for number, name in enumerate(("red", "blue", "red", f"<@&{env.on_call.id}>")):
            await env.push("EVENT_RECORD_ADD", {"record": {"id": number, "name": name}})
        env.fake.recover()
        message = await env.channel("records").next_message(timeout=20)
    assert len(message.embeds) == 4
    assert message.pings == [env.approvers, env.viewers]


async def test_a_silenced_call_is_posted_once_a_rule_no_longer_silences_it(
    env: BotEnvironment,
) -> None:
    env.rules = [_rule("minor", types=["EVENT_DISPATCH_NEW"], priority=[3], silent=True)]
    async with env.bot_running():
        await env.push("EVENT_DISPATCH_NEW", dispatch_call(1, priority=3))
        await env.push("EVENT_DISPATCH_NOTE", {"callId": 1, "note": "still minor"})
        await env.push("EVENT_DISPATCH_NEW", dispatch_call(2, priority=1))
        first = await env.channel("dispatch").next_message()
        assert "Dispatch call 2" in render(first)
        edit = {"dispatch": {"callId": 1, "priority": 1}}
        await env.push("EVENT_DISPATCH_EDIT", edit)
        card = await env.channel("dispatch").next_message()
    assert "Dispatch call 1" in render(card)
    assert "still minor" in render(card)


async def test_units_are_matched_by_their_department(env: BotEnvironment, target: Channel) -> None:
    env.rules = [_rule("police", departments=["LSPD"], channel=target.id)]
    unit = {"id": 61, "status": 2, "data": {"unitNum": "7K-22", "department": "lspd"}}
    async with env.bot_running():
        await env.push("EVENT_UNIT_LOGIN", {"unit": unit, "isDispatch": False})
        await env.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True})
        await env.fake.until(lambda: len(target.messages) == 2)
        panic = next(message for message in target.messages if message.pings)
        assert panic.pings == [env.on_call]
        await env.push("EVENT_UNIT_PANIC", {"identIds": [74], "isPanic": True})
        await env.channel("panic").next_message()


async def test_cards_and_entries_of_a_rule_that_is_gone_fall_back_to_the_channel_map(
    env: BotEnvironment, target: Channel
) -> None:
    env.rules = [_rule("all", channel=target.id)]
    async with env.bot_running():
        await env.push("EVENT_911", call_911(1))
        card = await target.next_message()
        target.forbidden = True
        await env.push("EVENT_911", call_911(2))
        await _visited(env, "visitor-1")
        await env.fake.until(lambda: any(r.status == 403 for r in env.fake.requests))
    target.forbidden = False
    env.rules = []
    async with env.bot_running():
        await env.push("EVENT_REMOVE_911", {"callIds": [1]})
        await env.fake.until(lambda: "over" in render(card))
        waiting = await env.channel("emergency").next_message()
        assert "911 call 2" in render(waiting)
        await env.fake.until(lambda: _visitors(env.channel("visits")) == ["visitor-1"])
    assert len(target.messages) == 1


async def test_a_card_deleted_by_hand_is_reposted_on_an_update_without_mentions(
    env: BotEnvironment,
) -> None:
    panics = env.channel("panic")
    async with env.bot_running():
        await env.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True})
        first = await panics.next_message()
        first.delete()
        await env.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": False})
        await env.fake.until(lambda: any(one.status == 404 for one in env.fake.requests))
        await env.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True})
        second = await panics.next_message()
    assert first.pings == [env.on_call]
    assert second.pings == []
    assert len(panics.created) == 2


async def test_outdated_entries_are_counted_and_recent_ones_shown(
    env: BotEnvironment,
) -> None:
    env.fake.outage()
    async with env.bot_running():
        await _visited(env, *(f"visitor-{number}" for number in range(41)))
        await _grow_old(env, "visits")
        await _visited(env, *(f"visitor-{number}" for number in range(50, 62)))
        env.fake.recover()
        visits = env.channel("visits")
        await env.fake.until(lambda: "visitor-61" in _visitors(visits), timeout=20)
    assert re.search(r"41 visits between <t:\d+:t> and <t:\d+:t>", render(visits.messages[0]))
    assert _visitors(visits) == [f"visitor-{number}" for number in range(50, 62)]
    assert len(visits.messages) == 3


async def test_a_summary_counts_each_kind_of_a_channel(env: BotEnvironment) -> None:
    env.fake.outage()
    async with env.bot_running():
        await env.push("EVENT_UNIT_LOGOUT", {"identIds": [1]})
        for status in (3, 4):
            await env.push("EVENT_UNIT_STATUS", {"identIds": [1], "status": status})
        await _grow_old(env, "cad.EVENT_UNIT_LOGOUT", 30 * HOUR)
        await _grow_old(env, "cad.EVENT_UNIT_STATUS")
        env.fake.recover()
        await env.fake.until(
            lambda: any("log-out" in render(m) for m in env.channel("units").messages), timeout=20
        )
    shown = next(m for m in env.channel("units").messages if "log-out" in render(m))
    assert "1 log-out at <t:" in render(shown)
    assert "2 unit statuses between <t:" in render(shown)


async def test_without_a_maximum_age_every_entry_is_shown(env: BotEnvironment) -> None:
    env.feed_age_minutes = 0
    env.fake.outage()
    async with env.bot_running():
        await _visited(env, "visitor-1", "visitor-2")
        await _grow_old(env, "visits")
        env.fake.recover()
        await env.fake.until(
            lambda: _visitors(env.channel("visits")) == ["visitor-1", "visitor-2"], timeout=20
        )


async def test_a_summary_without_an_answer_is_recognised_after_a_restart(
    env: BotEnvironment,
) -> None:
    visits = env.channel("visits")
    visits_path = visits.messages_path
    env.fake.outage()
    async with env.bot_running():
        await _visited(env, "visitor-1", "visitor-2")
        await _grow_old(env, "visits")
        env.fake.recover()
        env.fake.nonce_memory = 0.0
        env.fake.fault("POST", visits_path, reset=True, after=True)
        env.fake.fault("GET", visits_path, times=None)
        await env.fake.until(lambda: bool(visits.messages), timeout=20)
    env.fake.recover()
    async with env.bot_running():
        await _visited(env, "visitor-3")
        await env.fake.until(lambda: _visitors(visits) == ["visitor-3"])
    assert len(visits.created) == 2
    assert "2 visits between" in render(visits.messages[0])


async def test_route_test_explains_a_recent_event_to_admins(
    env: BotEnvironment, target: Channel
) -> None:
    admins = env.guild.add_role("Admin", "manage_guild")
    owner = env.guild.add_member("Olga", admins)
    env.rules = [
        _rule("night", types=["visits"], silent=True),
        _rule("near", postals=["80*"], channel=target.id, mention=env.viewers.id),
    ]
    async with env.bot_running():
        await env.wait_for_commands()
        await env.push("EVENT_911", call_911(7))
        await target.next_message()
        choices = await env.fake.autocomplete(owner, "route test", focused="event", value="911")
        assert "EVENT_911 · emergency:7@cad" in choices[0].name
        reply = await env.fake.slash(owner, "route test", event=str(choices[0].value))
        await env.fake.until(lambda: bool(reply.content))
        assert reply.ephemeral
        text = reply.content.replace("\\", "")
        assert f"goes to {target.id} by near, mentions role {env.viewers.id}" in text
        assert f"its card is already in {target.id}" in text
        assert "- night: no, type EVENT_911, not visits" in text
        assert "- near: yes, postal 8031 matches 80*" in text
        typed = await env.fake.slash(owner, "route test", event="visits")
        await env.fake.until(lambda: "night is silent" in typed.content)
        env.allow_every_command()
        refused = await env.fake.slash(env.anna, "route test", event="visits")
        await env.fake.until(lambda: "admin role" in refused.content)
        unknown = await env.fake.slash(owner, "route test", event="EVENT_912")
        await env.fake.until(lambda: "Unknown event 'EVENT" in unknown.content)


async def test_the_command_line_explains_a_stored_event_beside_the_running_bot(
    env: BotEnvironment, target: Channel
) -> None:
    env.rules = [_rule("near", postals=["80*"], channel=target.id)]
    answers: list[str] = []
    async with env.bot_running():
        await env.push("EVENT_911", call_911(7))
        await target.next_message()
        assert await route(env.settings(), "1", None, say=answers.append) == 0
    assert await route(env.settings(), "1", None, say=answers.append) == 0
    assert answers[:3] == answers[3:]
    assert answers[0] == "event 1, EVENT_911"
    assert f"goes to {target.id} by near" in answers[1]
    assert answers[2] == "- near: yes, postal 8031 matches 80*"
