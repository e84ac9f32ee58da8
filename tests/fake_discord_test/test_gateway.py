"""The gateway: sessions, drops, resumes, guilds that come and go."""

import asyncio

import aiohttp
import discord
import pytest

from tests.fake_discord import CannotDo, FakeDiscord, Guild

from .sample_bot import SampleBot, running


@pytest.mark.parametrize("code", [None, 1000, 4000, 4009])
async def test_a_dropped_connection_is_resumed(
    fake: FakeDiscord, guild: Guild, bot: SampleBot, code: int | None
) -> None:
    fake.drop_gateway(code)
    reply = await fake.slash(guild.add_member("Alice"), "drone dispatch", property="12")
    assert reply.embeds
    assert (fake.identifies, fake.resumes) == (1, 1)
    await fake.until(lambda: fake.connected)


async def test_events_of_the_meantime_are_replayed(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    fake.outage()
    await fake.wait_disconnected()
    channel = guild.add_channel("new")
    fake.recover()
    await fake.until(lambda: fake.resumes)
    await fake.slash(guild.owner, "drone slow")
    assert bot.text_channel("new").id == channel.id


async def test_refused_connections(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    await fake.unplug()
    with pytest.raises(aiohttp.ClientConnectorError):
        await bot.text_channel("dispatch").send("x")
    guild.add_channel("new")
    await fake.plug_in()
    await fake.until(lambda: fake.resumes)
    await bot.text_channel("dispatch").send("y")
    assert guild.channel("dispatch").texts == ["y"]
    assert bot.text_channel("new")


async def test_a_lost_session_identifies_anew(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    fake.drop_gateway(4000, resumable=False)
    await fake.until(lambda: fake.identifies == 2 and fake.connected)
    await fake.slash(guild.owner, "drone slow")
    assert fake.resumes == 0


async def test_op_7_and_op_9(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    fake.ask_reconnect()
    await fake.until(lambda: fake.resumes == 1 and fake.connected)
    fake.invalidate_sessions(resumable=True)
    await fake.until(lambda: fake.resumes == 2 and fake.connected)
    fake.invalidate_sessions()
    await fake.until(lambda: fake.identifies == 2 and fake.connected)


async def test_an_expired_token_fails(fake: FakeDiscord, guild: Guild) -> None:
    client = SampleBot(guild)
    task = asyncio.create_task(client.start(fake.token))
    await fake.wait_connected()
    fake.token = "another"
    fake.drop_gateway()
    with pytest.raises(discord.ConnectionClosed) as closed:
        await task
    assert closed.value.code == 4004
    await client.close()


async def test_intents_without_permission(fake: FakeDiscord) -> None:
    intents = discord.Intents(guilds=True, members=True)
    async with discord.Client(intents=intents) as client:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await client.start(fake.token)


async def test_being_added_and_removed(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    second = await fake.add_guild_live("Sandy Shores", channels=["dispatch"])
    await bot.wait_for("guild_join", timeout=5)
    await bot.tree.sync(guild=discord.Object(second.id))
    fake.kick(second)
    await bot.wait_for("guild_remove", timeout=5)
    with pytest.raises(discord.Forbidden) as refused:
        await bot.get_partial_messageable(second.channels[0].id).send("x")
    assert refused.value.code == 50001
    fake.join(second)
    await bot.wait_for("guild_join", timeout=5)
    await bot.get_partial_messageable(second.channels[0].id).send("back")
    assert second.channels[0].texts == ["back"]
    assert second.commands == []
    assert bot.seen == ["join Sandy Shores", "remove Sandy Shores", "join Sandy Shores"]


async def test_a_guild_that_is_unavailable_for_a_while(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    fake.make_unavailable(guild)
    await bot.wait_for("guild_unavailable", timeout=5)
    fake.make_available(guild)
    await bot.wait_for("guild_available", timeout=5)
    assert bot.seen == []


async def test_a_changed_trouble_is_reported(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    channel, role = guild.add_channel("a"), guild.add_role("Chief", "administrator")
    member = guild.add_member("Alice", role)
    await fake.slash(member, "drone slow")
    home = bot.guilds[0]
    assert home.get_channel(channel.id)
    known = home.get_role(role.id)
    assert known is not None
    assert known.permissions.administrator
    channel.delete()
    role.delete()
    await fake.slash(member, "drone slow")
    assert home.get_channel(channel.id) is None
    assert home.get_role(role.id) is None
    assert member.roles == []


async def test_members_are_fetched(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    alice = guild.add_member("Alice", guild.add_role("Chief"))
    home = bot.guilds[0]
    fetched = await home.fetch_member(alice.id)
    assert [role.name for role in fetched.roles] == ["@everyone", "Chief"]
    assert [one.name for one in await home.query_members("ali")] == ["alice"]
    with pytest.raises(discord.NotFound) as gone:
        await home.fetch_member(1)
    assert gone.value.code == 10013
    assert [one.name for one in await home.fetch_channels()] == ["dispatch"]
    assert len(await home.fetch_roles()) == 3
    assert (await bot.fetch_guild(guild.id)).approximate_member_count == 3
    assert [one.name async for one in bot.fetch_guilds()] == ["Los Santos"]
    assert (await bot.fetch_user(alice.id)).display_name == "Alice"


async def test_people_cannot_use_a_bot_that_was_kicked(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    card = await fake.slash(guild.owner, "drone dispatch", property="12")
    fake.kick(guild)
    with pytest.raises(CannotDo, match="the bot is not in Los Santos"):
        await fake.click(guild.owner, card, "Approve")
    with pytest.raises(CannotDo, match="not registered"):
        await fake.slash(guild.owner, "drone dispatch", property="12")


async def test_heartbeats_are_answered(fake: FakeDiscord, guild: Guild) -> None:
    fake.gateway.heartbeat_interval = 0.02
    async with running(fake, guild) as bot:
        await fake.until(lambda: fake.gateway.heartbeats > 3)
        assert bot.latency < 1


async def test_messages_go_to_clients_with_the_intent(fake: FakeDiscord, guild: Guild) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    class Listener(discord.Client):
        async def on_message(self, message: discord.Message) -> None:
            await heard.put(message.content)

        async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
            await heard.put(f"deleted {event.message_id}")

    client = Listener(intents=discord.Intents(guilds=True, guild_messages=True))
    task = asyncio.create_task(client.start(fake.token))
    await fake.wait_connected()
    message = guild.channel("dispatch").post(guild.owner, "hi")
    message.delete()
    assert [await heard.get(), await heard.get()] == ["hi", f"deleted {message.id}"]
    await client.close()
    await asyncio.gather(task, return_exceptions=True)


async def test_without_compression(fake: FakeDiscord) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(fake.gateway_url) as socket:
        assert (await socket.receive_json())["op"] == 10
        await socket.send_json({"op": 1, "d": None})
        assert (await socket.receive_json())["op"] == 11
        await socket.send_json({"op": 6, "d": {"token": fake.token, "session_id": "?", "seq": 1}})
        assert await socket.receive_json() == {"op": 9, "d": False}
        await socket.send_json({"op": 8, "d": {}})
        await socket.receive()
        assert socket.close_code == 4003
