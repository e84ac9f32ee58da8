"""Threads and forums are channels like others: nothing is lost in them, nothing told twice."""

import sqlite3
from contextlib import closing

import pytest

from bot.settings import RuleSettings
from tests.end_to_end.environment import BotEnvironment, call_911, dispatch_call
from tests.fake_discord import Channel, Forum, Message, Thread, add_forum, add_thread, render


def _use(env: BotEnvironment, name: str, channel: Channel) -> None:
    env.channels[name] = channel


async def _visit(env: BotEnvironment, number: int) -> None:
    await env.query("add-visitor", propertyId=1, userId=f"license:{number}")


async def _until_shown(env: BotEnvironment, message: Message, text: str) -> None:
    await env.fake.until(lambda: text in render(message))


def _post(forum: Forum, number: int) -> Thread:
    return [one for one in forum.guild.threads if one.parent is forum][number]


def _forget(env: BotEnvironment, statement: str) -> None:
    with closing(sqlite3.connect(env.folder / "sentinel.db")) as database:
        database.execute(statement)
        database.commit()


async def _healthy(env: BotEnvironment) -> None:
    status = await env.fake.slash(env.dora, "status")
    await env.fake.until(lambda: "# Everything works" in render(status))


async def test_a_thread_is_a_channel_even_after_discord_archived_it(
    env: BotEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    owner = env.vic.user
    thread = add_thread(env.guild.add_channel("everything"), "Calls", owner)
    thread.archived = True
    _use(env, "emergency", thread)
    async with env.bot_running():
        await env.wait_for_commands()
        assert await env.push("EVENT_911", call_911(1)) == 200
        first = await thread.next_message()
        assert not thread.archived
        await _healthy(env)
        thread.change(archived=True)  # as Discord does after some days
        await env.fake.until(lambda: not thread.archived)
        assert await env.push("EVENT_REMOVE_911", {"callIds": [1]}) == 200
        await _until_shown(env, first, "over")
        await _healthy(env)
        thread.change(locked=True)
        assert await env.push("EVENT_911", call_911(2)) == 200
        await env.fake.until(lambda: "cannot post in channel" in caplog.text)
        status = await env.fake.slash(env.dora, "status")
        await env.fake.until(lambda: "the thread is locked" in render(status))
        thread.change(locked=False)
        assert "911 call 2" in render(await thread.next_message())
    assert "it was deleted" not in caplog.text
    assert len(thread.created) == 2


async def test_rights_in_threads_are_those_of_threads(env: BotEnvironment) -> None:
    parent = env.guild.add_channel("everything")
    _use(env, "emergency", add_thread(parent, "Calls", env.vic.user))
    _use(env, "visits", add_forum(env.guild, "visits-forum"))
    parent.deny("send_messages")  # only its threads are written in
    env.channel("visits").deny("send_messages_in_threads")
    async with env.bot_running():
        await env.wait_for_commands()
        status = await env.fake.slash(env.dora, "status")
        await env.fake.until(lambda: "Something needs attention" in render(status))
        assert "channel visits: the bot lacks Send Messages in Threads" in render(status)
        assert "channel emergency" not in render(status)
        assert await env.push("EVENT_911", call_911(1)) == 200
        await env.channel("emergency").next_message()


async def test_a_forum_gets_one_post_a_card_which_ends_with_it(env: BotEnvironment) -> None:
    forum = add_forum(env.guild, "calls", "Fire", "open", "Closed", must_tag=True)
    _use(env, "dispatch", forum)
    tag = {found.id: found.name for found in forum.tags}
    async with env.bot_running():
        await env.wait_for_commands()
        assert await env.push("EVENT_DISPATCH_NEW", dispatch_call(1)) == 200
        message = await forum.next_message()
        post = _post(forum, 0)
        assert "Structure fire" in post.name
        assert [tag[one] for one in post.applied_tags] == ["open"]
        assert await env.push("EVENT_DISPATCH_CLOSED", {"callIds": [1]}) == 200
        await env.fake.until(lambda: post.archived)
        assert "closed" in render(message).casefold()
        assert [tag[one] for one in post.applied_tags] == ["Closed"]
        edited = dispatch_call(1, title="It burns again", status=1)
        assert await env.push("EVENT_DISPATCH_EDIT", edited) == 200
        await env.fake.until(lambda: not post.archived)
        await _until_shown(env, message, "It burns again")
        post.change(locked=True, archived=True)  # by a moderator, so it stays as it is
        assert await env.push("EVENT_DISPATCH_CLOSED", {"callIds": [1]}) == 200
        assert await env.push("EVENT_DISPATCH_NEW", dispatch_call(2, title="A cat")) == 200
        await forum.next_message()
        await _healthy(env)
    assert post.archived
    assert len(forum.created) == 2


async def test_a_post_is_not_made_again_after_a_crash(env: BotEnvironment) -> None:
    forum = add_forum(env.guild, "calls")
    _use(env, "emergency", forum)
    _use(env, "visits", forum)
    async with env.bot_running():
        await env.wait_for_commands()
        await env.add_property("Villa")
        await _visit(env, 1)
        await forum.next_message()
        assert await env.push("EVENT_911", call_911(1)) == 200
        message = await forum.next_message()
    # As if it had been killed between Discord's answer and our storing of it.
    _forget(env, "UPDATE cards SET channel_id = NULL, message_id = NULL, shown = 0, thread = ''")
    async with env.bot_running():
        await env.wait_for_commands()
        assert await env.push("EVENT_REMOVE_911", {"callIds": [1]}) == 200
        await _until_shown(env, message, "over")
    assert len(forum.created) == 2


async def test_a_feed_has_one_post_a_day_in_a_forum(env: BotEnvironment) -> None:
    forum = add_forum(env.guild, "visitors", media=True)
    _use(env, "visits", forum)
    async with env.bot_running():
        await env.wait_for_commands()
        await env.add_property("Villa")
        await _visit(env, 1)
        await forum.next_message()
        post = _post(forum, 0)
        assert post.name.startswith("visits · ")
        await _visit(env, 2)
        await env.fake.until(lambda: len(post.messages) == 2)
        post.delete()
        await _visit(env, 3)
        await forum.next_message()
    assert len(forum.created) == 2


async def test_a_rule_gives_a_card_a_thread_which_is_archived_in_the_end(
    env: BotEnvironment,
) -> None:
    env.rules = [RuleSettings(name="own threads", types=["EVENT_911"], thread=True)]
    async with env.bot_running():
        await env.wait_for_commands()
        assert await env.push("EVENT_911", call_911(1)) == 200
        message = await env.channel("emergency").next_message()
        await env.fake.until(lambda: bool(env.guild.threads))
        (thread,) = env.guild.threads
        assert (thread.id, thread.parent) == (message.id, env.channel("emergency"))
        assert thread.name.startswith("911 call 1")
        assert await env.push("EVENT_REMOVE_911", {"callIds": [1]}) == 200
        await env.fake.until(lambda: thread.archived)
        thread.delete()
        assert await env.push("EVENT_911", call_911(2)) == 200
        await env.channel("emergency").next_message()
        await env.fake.until(lambda: bool(env.guild.threads))
    assert len(env.channel("emergency").created) == 2


async def test_the_thread_of_a_card_is_opened_again_when_it_goes_on(env: BotEnvironment) -> None:
    env.rules = [RuleSettings(name="own threads", types=["EVENT_UNIT_PANIC"], thread=True)]
    channel, log = env.channel("panic"), env.channel("log")
    channel.deny("create_public_threads")

    async def press(*, is_panic: bool) -> None:
        pressed = {"identIds": [61], "isPanic": is_panic}
        assert await env.push("EVENT_UNIT_PANIC", pressed) == 200

    async with env.bot_running():
        told = await log.next_message()
        assert "rule own threads cannot open threads: the bot lacks Create" in render(told)
        await press(is_panic=True)
        message = await channel.next_message()
        channel.restore()
        await env.fake.until(lambda: "This is over" in render(told))
        await press(is_panic=False)
        await env.fake.until(lambda: bool(env.guild.threads))
        (thread,) = env.guild.threads
        assert thread.id == message.id
        await env.fake.until(lambda: thread.archived)
        await press(is_panic=True)
        await env.fake.until(lambda: not thread.archived)
    assert len(channel.created) == 1


async def test_escalations_mention_people_inside_the_forum_post(env: BotEnvironment) -> None:
    forum = add_forum(env.guild, "panics")
    _use(env, "panic", forum)
    pressed = {"identIds": [61], "isPanic": True}
    async with env.bot_running():
        await env.fake.wait_connected()
        env.headers = {"X-Event-Age": "600"}
        assert await env.push("EVENT_UNIT_PANIC", pressed) == 200
        assert (await forum.next_message()).pings == []
        post = _post(forum, 0)
        env.headers = {}
        assert await env.push("EVENT_UNIT_PANIC", pressed) == 200
        await env.fake.until(lambda: len(post.messages) == 2)
        assert post.messages[1].pings == [env.on_call]
    assert len(env.guild.threads) == 1
