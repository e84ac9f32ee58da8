"""Faults on demand, as the real discord.py meets them."""

import time

import aiohttp
import discord
import pytest

from tests.fake_discord import FakeDiscord, Guild

from .sample_bot import SampleBot


async def test_a_503_is_not_retried(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    fault = fake.fault("POST", "/messages$")
    with pytest.raises(discord.DiscordServerError):
        await bot.text_channel("dispatch").send("x")
    assert fault.hits == 1
    await bot.text_channel("dispatch").send("y")
    assert guild.channel("dispatch").texts == ["y"]


async def test_a_500_is_retried(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    fake.fault("POST", "/messages$", status=500)
    await bot.text_channel("dispatch").send("x")
    assert [one.status for one in fake.requests_to("POST", "/messages$")] == [500, 200]


async def test_a_dropped_connection(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    fake.fault("POST", "/messages$", reset=True)
    with pytest.raises(aiohttp.ClientOSError) as dropped:
        await bot.text_channel("dispatch").send("x")
    assert dropped.value.errno == 104
    assert guild.channel("dispatch").messages == []
    assert fake.requests[-1].status == 0


async def test_a_fault_after_the_effect_keeps_the_effect(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    channel = bot.text_channel("dispatch")
    fake.fault("POST", "/messages$", reset=True, after=True)
    with pytest.raises(aiohttp.ClientOSError):
        await channel.send("x", nonce="card-1")
    assert guild.channel("dispatch").texts == ["x"]
    fake.fault("POST", "/messages$", status=503, after=True)
    with pytest.raises(discord.DiscordServerError):
        await channel.send("x", nonce="card-1")
    sent = await channel.send("x", nonce="card-1")
    assert [message.id for message in guild.channel("dispatch").messages] == [sent.id]


async def test_late_answers(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    fake.fault("POST", "/messages$", delay=0.1)
    begun = time.monotonic()
    await bot.text_channel("dispatch").send("x")
    assert time.monotonic() - begun >= 0.1


async def test_faults_last_as_long_as_configured(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    fault = fake.fault("*", "/messages", status=403, body={"code": 50013, "message": "no"}, times=2)
    for _ in range(2):
        with pytest.raises(discord.Forbidden) as refused:
            await bot.text_channel("dispatch").send("x")
        assert refused.value.code == 50013
    await bot.text_channel("dispatch").send("x")
    for_ever = fake.fault("POST", "/messages", status=403, times=None)
    for _ in range(3):
        with pytest.raises(discord.Forbidden):
            await bot.text_channel("dispatch").send("x")
    assert (fault.hits, for_ever.hits) == (2, 3)
    fake.recover()
    await bot.text_channel("dispatch").send("x")


async def test_unknown_routes_are_noted(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    with pytest.raises(discord.NotFound) as refused:
        await bot.fetch_invite("abc")
    assert refused.value.code == 0
    assert fake.unexpected[0].path == "/invites/abc"
    fake.unexpected.clear()


async def test_a_wrong_token(fake: FakeDiscord) -> None:
    client = discord.Client(intents=discord.Intents(guilds=True))
    async with client:
        with pytest.raises(discord.LoginFailure):
            await client.login("wrong")
    assert [one.status for one in fake.requests] == [401]


async def test_discord_py_is_pointed_back() -> None:
    before = (discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY)
    async with FakeDiscord() as fake:
        assert fake.rest_url == discord.http.Route.BASE
    assert before == (discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY)
