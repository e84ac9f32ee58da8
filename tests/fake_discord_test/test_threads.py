"""Threads and forums, as the bot meets them."""

import discord
import pytest

from tests.fake_discord import FakeDiscord, Guild, add_forum

from .sample_bot import SampleBot


async def test_a_message_has_one_thread_with_its_id(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    channel = bot.text_channel("dispatch")
    message = await channel.send("fire")
    guild.channel("dispatch").deny("create_public_threads")
    with pytest.raises(discord.Forbidden):
        await message.create_thread(name="Fire")
    guild.channel("dispatch").restore()
    thread = await message.create_thread(name="Fire")
    assert thread.id == message.id
    with pytest.raises(discord.HTTPException, match="160004"):
        await message.create_thread(name="Again")
    await thread.edit(archived=True)
    with pytest.raises(discord.HTTPException, match="50083"):
        await thread.edit(name="Other")
    await thread.edit(archived=False)
    await thread.edit(name="Other")
    assert [(one.name, one.archived) for one in guild.threads] == [("Other", False)]


async def test_a_forum_accepts_posts_but_not_messages(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    made = add_forum(guild, "calls")
    forum = await bot.fetch_channel(made.id)
    assert isinstance(forum, discord.ForumChannel)
    with pytest.raises(discord.HTTPException):
        await bot.get_partial_messageable(made.id).send("no post")
    post = await forum.create_thread(name="Fire", content="It burns")
    assert (post.thread.id, post.thread.name) == (post.message.id, "Fire")
    await post.thread.send("more")
    assert [message.content for message in guild.threads[0].messages] == ["It burns", "more"]
