"""Messages in an announcement channel are published, as often as Discord lets a channel do so."""

import pytest

from bot.settings import Settings
from cogs.delivery.rest import publishing
from tests.end_to_end.environment import BotEnvironment, call_911
from tests.fake_discord.messages import CROSSPOSTED
from tests.fake_discord.world import GUILD_ANNOUNCEMENT


@pytest.fixture
def _publishes(env: BotEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: Settings = env.settings()
    discord = settings.discord.model_copy(update={"publish": True})
    monkeypatch.setattr(env, "settings", lambda: settings.model_copy(update={"discord": discord}))


@pytest.mark.usefixtures("_publishes")
async def test_messages_of_announcement_channels_are_published_up_to_a_limit(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "MOST", 2)
    channel = env.channel("emergency")
    channel.type = GUILD_ANNOUNCEMENT
    async with env.bot_running():
        env.fake.fault("POST", "/crosspost", status=403, body={"code": 50013, "message": "no"})
        for number in (1, 2, 3):
            assert await env.push("EVENT_911", call_911(number)) == 200
        await env.fake.until(lambda: len(channel.messages) == 3)
        await env.fake.until(
            lambda: any(message.flags & CROSSPOSTED for message in channel.messages)
        )
    tried = [request for request in env.fake.requests if request.path.endswith("/crosspost")]
    assert len(tried) == 2
    assert sum(message.flags & CROSSPOSTED for message in channel.messages) == 1


async def test_nothing_is_published_unasked(env: BotEnvironment) -> None:
    env.channel("emergency").type = GUILD_ANNOUNCEMENT
    async with env.bot_running():
        assert await env.push("EVENT_911", call_911(1)) == 200
        await env.channel("emergency").next_message()
    assert not [request for request in env.fake.requests if request.path.endswith("/crosspost")]
