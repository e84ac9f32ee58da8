"""What the game server had to keep for a while: shown as late, and nobody is pinged for it."""

import re
from datetime import datetime

import pytest

from bot.settings import RuleSettings
from tests.end_to_end.environment import BotEnvironment, call_911, dispatch_call, log_in
from tests.fake_discord import Message, render
from webhook.protocol.context import now

KINDS = ["emergency", "panic", "alerts", "dispatch"]


@pytest.fixture
def mentioning(env: BotEnvironment) -> BotEnvironment:
    """A bot whose rules mention a role for everything; it has the property of an alarm."""
    env.rules = [RuleSettings.model_validate({"name": "all", "mention": env.approvers.id})]
    return env


async def _happen(env: BotEnvironment, kind: str) -> Message:
    """Have something of a kind happen, and return its card."""
    if kind == "emergency":
        assert await env.push("EVENT_911", call_911(4410)) == 200
    elif kind == "dispatch":
        assert await env.push("EVENT_DISPATCH_NEW", dispatch_call(77)) == 200
    elif kind == "panic":
        panic = {"isPanic": True, "identIds": [12]}
        assert await env.push("EVENT_UNIT_PANIC", panic) == 200
    else:
        await env.query("add-alert", propertyId=1, userId="license:burglar")
    return await env.channel(kind).next_message()


async def _cards(env: BotEnvironment, age: float) -> dict[str, Message]:
    """Have something of each kind happen that comes as late as this, and return the cards."""
    await env.add_property("Villa")
    await log_in(env, 12, "A-12")
    env.headers = {"X-Event-Age": str(age)}
    return {kind: await _happen(env, kind) for kind in KINDS}


async def test_late_card_pings_nobody_and_says_how_late_it_came(mentioning: BotEnvironment) -> None:
    async with mentioning.bot_running():
        cards = await _cards(mentioning, 720.5)
    happened = (now() - 720_500) // 1000
    for kind, card in cards.items():
        shown = [int(seconds) for seconds in re.findall(r"<t:(\d+):R>", render(card))]
        assert card.pings == [], kind
        assert "12 min late" in render(card), kind
        assert any(abs(seconds - happened) <= 60 for seconds in shown), kind


async def test_card_that_is_hardly_late_pings_as_usual(mentioning: BotEnvironment) -> None:
    async with mentioning.bot_running():
        cards = await _cards(mentioning, 119)
    for kind, card in cards.items():
        assert card.pings == [mentioning.approvers], kind
        assert "1 min late" in render(card), kind


async def test_limit_is_configured_and_late_feed_entries_ping_nobody(
    mentioning: BotEnvironment,
) -> None:
    mentioning.ping_within_seconds = 900
    records = mentioning.channel("records")
    async with mentioning.bot_running():
        cards = await _cards(mentioning, 720.5)
        mentioning.headers = {"X-Event-Age": "901"}
        record = {"record": {"id": 1, "type": 3, "name": "Late"}}
        assert await mentioning.push("EVENT_RECORD_ADD", record) == 200
        entry = await records.next_message()
    assert cards["emergency"].pings == [mentioning.approvers]
    assert entry.pings == []
    written = datetime.fromisoformat(entry.embeds[0]["timestamp"])
    assert abs(now() / 1000 - 901 - written.timestamp()) <= 60


async def test_a_new_occurrence_pings_once_in_reply_to_the_late_card(
    mentioning: BotEnvironment,
) -> None:
    async with mentioning.bot_running():
        cards = await _cards(mentioning, 720.5)
        mentioning.headers = {}
        replies = {kind: await _happen(mentioning, kind) for kind in ("alerts", "panic")}
    async with mentioning.bot_running():
        await mentioning.query("add-alert", propertyId=1, userId="license:burglar")
        await mentioning.push("EVENT_UNIT_PANIC", {"isPanic": True, "identIds": [12]})
        assert await mentioning.push("EVENT_911", call_911(4411, description="Fire")) == 200
        await mentioning.channel("emergency").next_message()
    for kind, reply in replies.items():
        assert reply.pings == [mentioning.approvers], kind
        assert reply.message_reference is cards[kind], kind
        assert "See the card" in render(reply), kind
        assert len([one for one in mentioning.channel(kind).created if one.pings]) == 1, kind
