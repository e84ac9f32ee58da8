"""Sending, editing, listing and deleting messages through the real discord.py."""

import io
from datetime import UTC, datetime, timedelta

import discord
import pytest

from tests.fake_discord import FakeDiscord, Guild, render

from .sample_bot import SampleBot


async def test_a_sent_message_has_its_content(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    embed = discord.Embed(
        title="911", description="*help*", timestamp=datetime(2024, 1, 1, tzinfo=UTC)
    )
    embed.set_footer(text="call 7").set_author(name="Alice")
    sent = await bot.text_channel("dispatch").send("hello ", embed=embed, nonce="card-1")
    message = await guild.channel("dispatch").next_message()
    assert (message.id, message.content, message.nonce) == (sent.id, "hello", "card-1")
    assert message.author is fake.world.bot
    assert message.allowed_mentions == {"parse": []}
    assert render(message) == (
        "hello\n┌ no colour\n│ by Alice\n│ # 911\n│ *help*\n"
        "│ _ call 7 · 2024-01-01T00:00:00+00:00\n└"
    )


async def test_edits_are_counted_and_remembered(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    sent = await bot.text_channel("dispatch").send("one")
    everyone = discord.AllowedMentions(everyone=True)
    await sent.edit(content="@everyone two", allowed_mentions=everyone)
    edited = await sent.edit(content="three")
    message = guild.channel("dispatch").messages[0]
    assert message.first.content == "one"
    assert [edit.body.content for edit in message.edits] == ["@everyone two", "three"]
    assert message.edits[0].allowed_mentions == {"parse": ["everyone"]}
    assert message.edit_count == 2
    assert message.pings == []
    assert edited.edited_at == message.edited_timestamp


async def test_an_edit_leaves_alone_what_it_does_not_name(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    sent = await bot.text_channel("dispatch").send("text", embed=discord.Embed(title="card"))
    await sent.edit(content=None)
    message = guild.channel("dispatch").messages[0]
    assert (message.content, len(message.embeds)) == ("", 1)
    with pytest.raises(discord.HTTPException) as empty:
        await sent.edit(embed=None)
    assert empty.value.code == 50006


async def test_a_nonce_makes_one_message(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    channel = bot.text_channel("dispatch")
    first = await channel.send("once", nonce="n")
    assert (await channel.send("once", nonce="n")).id == first.id
    assert (await channel.send("once", nonce="m")).id != first.id
    fake.forget_nonces()
    assert (await channel.send("once", nonce="n")).id != first.id
    fake.nonce_memory = 0
    await channel.send("once", nonce="n")
    assert len(guild.channel("dispatch").messages) == 4


async def test_discord_py_sends_a_nonce_of_its_own(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    channel = bot.text_channel("dispatch")
    await channel.send("a")
    await channel.send("a")
    bodies = [one.body for one in fake.requests_to("POST", r"/messages$")]
    assert all(body["enforce_nonce"] for body in bodies)
    assert bodies[0]["nonce"] != bodies[1]["nonce"]


async def test_a_message_pings_only_allowed_mentions(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    quiet, loud = guild.add_role("Quiet"), guild.add_role("Loud", mentionable=True)
    alice, bob = guild.add_member("Alice"), guild.add_member("Bob")
    channel = bot.text_channel("dispatch")
    text = f"{quiet.mention} {loud.mention} {alice.mention} `{bob.mention}` @here"

    async def pings(mentions: discord.AllowedMentions) -> list[object]:
        await channel.send(text, allowed_mentions=mentions)
        return list(guild.channel("dispatch").messages[-1].pings)

    assert await pings(discord.AllowedMentions.none()) == []
    assert await pings(discord.AllowedMentions.all()) == [alice, quiet, loud, "@here"]
    only_quiet = discord.AllowedMentions(
        everyone=False, users=False, roles=[discord.Object(quiet.id)]
    )
    assert await pings(only_quiet) == [quiet]
    # Without this permission only mentionable roles can be pinged, and nobody is told.
    guild.bot_role.grant("view_channel send_messages read_message_history")
    assert await pings(discord.AllowedMentions.all()) == [alice, loud]


async def test_replies_reference_their_message(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    channel, alice = guild.channel("dispatch"), guild.add_member("Alice")
    question = channel.post(alice, "where?")
    asked = await bot.text_channel("dispatch").fetch_message(question.id)
    await asked.reply("here", mention_author=True)
    await asked.reply("quietly", mention_author=False)
    loud, quiet = channel.messages[1:]
    assert loud.reply_to is question
    assert loud.pings == [alice]
    assert quiet.pings == []
    assert loud.text == "(reply to Alice)\nhere"
    question.delete()
    with pytest.raises(discord.HTTPException) as gone:
        await asked.reply("too late")
    assert gone.value.code == 50035
    await bot.text_channel("dispatch").send(
        "anyway", reference=asked.to_reference(fail_if_not_exists=False)
    )
    assert channel.messages[-1].reply_to is None


async def test_messages_can_be_listed(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    channel = bot.text_channel("dispatch")
    before = datetime.now(UTC) - timedelta(seconds=1)
    sent = [await channel.send(str(number)) for number in range(6)]

    async def texts(**query: object) -> list[str]:
        return [one.content async for one in channel.history(**query)]  # type: ignore[arg-type]

    assert await texts(limit=2) == ["5", "4"]
    assert await texts(before=sent[2]) == ["1", "0"]
    assert await texts(after=sent[3]) == ["4", "5"]
    assert await texts(after=before, limit=3) == ["0", "1", "2"]
    assert await texts(around=sent[3], limit=3) == ["4", "3", "2"]
    assert await texts(after=datetime.now(UTC) + timedelta(seconds=1)) == []


async def test_messages_can_be_deleted(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    channel = bot.text_channel("dispatch")
    one, two, three = [await channel.send(text) for text in "123"]
    await one.delete()
    await channel.delete_messages([two, three])
    assert guild.channel("dispatch").messages == []
    with pytest.raises(discord.NotFound) as gone:
        await one.edit(content="again")
    assert gone.value.code == 10008


async def test_files_can_be_sent(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    picture = discord.File(io.BytesIO(b"png"), "a map.png")
    sent = await bot.text_channel("dispatch").send("see", file=picture)
    message = guild.channel("dispatch").messages[0]
    assert message.text == "see\n(file a_map.png)"
    assert sent.attachments[0].size == 3
    await sent.edit(attachments=[])
    assert message.attachments == []
    large = discord.File(io.BytesIO(bytes(10 * 1024 * 1024 + 1)), "large")
    with pytest.raises(discord.HTTPException) as refused:
        await bot.text_channel("dispatch").send(file=large)
    assert (refused.value.status, refused.value.code) == (413, 40005)


async def test_a_picture_in_an_embed_is_described_and_stays_until_an_edit_drops_it(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    embed = discord.Embed(title="map").set_image(url="attachment://map.png")
    picture = discord.File(io.BytesIO(b"png"), "map.png", description="A house by the sea.")
    sent = await bot.text_channel("dispatch").send(embed=embed, file=picture)
    message = guild.channel("dispatch").messages[0]
    (attached,) = message.attachments
    assert (attached["filename"], attached["description"]) == ("map.png", "A house by the sea.")
    assert sent.embeds[0].image.url == attached["url"]
    assert sent.attachments == [], "Discord does not list what an embed shows"
    edited = await sent.edit(embed=embed)
    assert message.attachments == [attached]
    assert edited.embeds[0].image.url == attached["url"]
    other = discord.File(io.BytesIO(b"other"), "map.png", description="Another house.")
    await sent.edit(embed=embed, attachments=[other])
    assert [one["description"] for one in message.attachments] == ["Another house."]
    edited = await sent.edit(embed=discord.Embed(title="no picture"))
    assert [one.description for one in edited.attachments] == ["Another house."]
    await edited.edit(attachments=edited.attachments)
    assert [one["description"] for one in message.attachments] == ["Another house."]
    await edited.edit(attachments=[])
    assert message.attachments == []


async def test_a_picture_needs_a_short_description_and_the_right_to_attach(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    channel = bot.text_channel("dispatch")
    long = discord.File(io.BytesIO(b"png"), "map.png", description="x" * 1025)
    with pytest.raises(discord.HTTPException) as too_long:
        await channel.send(file=long)
    assert too_long.value.code == 50035
    sent = await channel.send("text")
    guild.channel("dispatch").deny("attach_files")
    with pytest.raises(discord.Forbidden) as forbidden:
        await sent.edit(attachments=[discord.File(io.BytesIO(b"png"), "map.png")])
    assert forbidden.value.code == 50013


async def test_messages_of_others_cannot_be_edited(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    theirs = guild.channel("dispatch").post(guild.add_member("Alice"), "mine")
    partial = bot.text_channel("dispatch").get_partial_message(theirs.id)
    with pytest.raises(discord.Forbidden) as refused:
        await partial.edit(content="yours")
    assert refused.value.code == 50005
    guild.bot_role.grant("view_channel send_messages")
    with pytest.raises(discord.Forbidden):
        await partial.delete()


async def test_losing_permission(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    channel = guild.channel("dispatch")

    async def code_of_sending(embed: discord.Embed | None = None) -> int:
        with pytest.raises(discord.HTTPException) as refused:
            await bot.text_channel("dispatch").send("x", embed=embed)  # type: ignore[arg-type]
        return refused.value.code

    channel.forbidden = True
    assert await code_of_sending() == 50001
    await fake.slash(guild.owner, "drone slow")
    me = bot.text_channel("dispatch").guild.me
    assert not bot.text_channel("dispatch").permissions_for(me).view_channel
    channel.forbidden = False
    channel.muted = True
    assert await code_of_sending() == 50013
    channel.muted = False
    channel.deny("embed_links")
    assert await code_of_sending(discord.Embed(title="x")) == 50013
    channel.restore()
    partial = bot.get_partial_messageable(channel.id)
    assert (await partial.send("back")).id == channel.messages[0].id
    channel.delete()
    with pytest.raises(discord.NotFound) as gone:
        await partial.send("?")
    assert gone.value.code == 10003
    assert fake.invalid_requests == 3


async def test_private_messages_reach_one_person_unless_they_take_none(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    alice = guild.add_member("Alice")
    private = await bot.create_dm(discord.Object(alice.id))
    sent = await private.send("hello")
    channel = guild.direct(alice)
    assert [message.id for message in channel.messages] == [sent.id]
    assert channel not in guild.channels
    await sent.edit(content="changed")
    assert channel.texts == ["changed"]
    channel.closed = True
    with pytest.raises(discord.Forbidden) as refused:
        await private.send("again")
    assert refused.value.code == 50007
    with pytest.raises(discord.HTTPException) as nobody:
        await bot.create_dm(discord.Object(1))
    assert nobody.value.code == 50033


async def test_next_message_misses_none(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    channel = guild.channel("dispatch")
    await bot.text_channel("dispatch").send("1")
    await bot.text_channel("dispatch").send("2")
    assert (await channel.next_message()).content == "1"
    assert (await channel.next_message()).content == "2"
    with pytest.raises(TimeoutError, match="a message in #dispatch"):
        await channel.next_message(timeout=0.01)
    await bot.text_channel("dispatch").send("3")
    channel.skip_messages()
    await bot.text_channel("dispatch").send("4")
    assert (await channel.next_message()).content == "4"
