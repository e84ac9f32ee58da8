"""The fake itself: waiting, crashes, several guilds, pictures."""

import asyncio

import aiohttp
import discord
import pytest

from tests.fake_discord import FakeDiscord, Guild, Message, Permission, render

from .sample_bot import SampleBot


async def test_waiting_is_woken_by_changes(fake: FakeDiscord, guild: Guild) -> None:
    channel = guild.channel("dispatch")
    waiting = asyncio.create_task(fake.until(lambda: channel.messages))
    await asyncio.sleep(0)
    message = channel.post(guild.owner, "hi")
    assert await waiting == [message]
    with pytest.raises(TimeoutError):
        await fake.until(lambda: len(channel.messages) > 1, timeout=0.01)


async def test_a_crash_of_the_fake_fails_the_test() -> None:
    fake = FakeDiscord()
    await fake.start()
    # Something the fake cannot know how to read, where discord.py would never send it.
    async with aiohttp.ClientSession(headers={"Authorization": f"Bot {fake.token}"}) as session:
        channel = fake.add_guild().add_channel("dispatch")
        url = f"{fake.rest_url}/channels/{channel.id}/messages"
        async with session.post(url, json={"embeds": ["text"]}) as answer:
            assert answer.status == 500
    with pytest.raises(ExceptionGroup, match="the fake itself went wrong"):
        await fake.__aexit__(None, None, None)


async def test_several_guilds(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    second = fake.add_guild("Sandy Shores")
    second.add_channel("dispatch")
    alice = guild.add_member("Alice")
    again = second.add_member("Alice", user=alice.user)
    await bot.tree.sync(guild=discord.Object(second.id))
    await fake.slash(alice, "drone dispatch", property="1")
    assert (alice.id, again.guild) == (again.id, second)
    assert len(fake.messages) == 1
    await bot.get_partial_messageable(second.channels[0].id).send("x")
    assert [message.channel.guild for message in fake.messages] == [guild, second]


async def test_permissions_by_overwrite(fake: FakeDiscord, guild: Guild) -> None:
    chief = guild.add_role("Chief", Permission.ADMINISTRATOR)
    secret = guild.add_channel("secret")
    secret.hide_from(guild.everyone)
    assert Permission.VIEW_CHANNEL not in guild.add_member("Bob").permissions_in(secret)
    assert Permission.VIEW_CHANNEL in guild.add_member("Alice", chief).permissions_in(secret)
    assert secret.forbidden


async def test_pictures(fake: FakeDiscord, guild: Guild) -> None:
    button = {"type": 2, "style": 5, "label": "Map", "url": "https://example.org", "id": 2}
    select = {"type": 3, "custom_id": "s", "options": [{"label": "A", "value": "a"}], "id": 4}
    message = Message(
        channel=guild.channels[0],
        author=fake.world.bot,
        content="**bold**",
        embeds=[{"title": "T", "url": "https://x.org", "color": 0x123456, "image": {"url": "u"}}],
        components=[
            {"type": 1, "id": 1, "components": [button]},
            {"type": 1, "id": 3, "components": [{**select, "disabled": True}]},
            {"type": 17, "id": 5, "components": [{"type": 10, "content": "text", "id": 6}]},
        ],
    )
    assert render(message) == (
        "**bold**\n┌ #123456\n│ # T <https://x.org>\n│ (image u)\n└\n"
        "[Map] link <https://example.org>\n<s: A> (disabled)\n┌ no colour\n│ text\n└"
    )
    message.delete()
    assert message.text.startswith("(deleted)\n")
