"""What the fake answers, and what discord.py sends, against Discord's own description."""

import io

import discord
import pytest

from tests.fake_discord import FakeDiscord, Guild
from tests.fake_discord.openapi import OpenApi

from .sample_bot import SampleBot


async def test_bodies_agree_with_the_description(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    description = OpenApi.load()
    if description is None:
        pytest.skip("Discord's description is not at hand")
    alice = guild.add_member("Alice", guild.add_role("Chief", mentionable=True))
    channel = bot.text_channel("dispatch")
    embed = discord.Embed(title="a", url="https://example.org").set_footer(text="b")
    embed.add_field(name="c", value="d").set_author(name="e").set_image(url="attachment://f.png")
    file = discord.File(io.BytesIO(b"f"), "f.png", description="f")
    sent = await channel.send(alice.mention, embed=embed, nonce="n", file=file)
    await (await sent.reply("@everyone")).edit(content="edited")
    card = await fake.slash(alice, "drone dispatch", property="12")
    await fake.click(alice, card, "Approve")
    slow = await fake.slash(alice, "drone slow")
    await fake.until(lambda: slow.followups)
    form = await fake.slash(alice, "drone deny")
    await fake.submit(alice, form, {"reason": "r", "kind": "Soft"})
    menu = await fake.slash(alice, "drone menu")
    await fake.choose(alice, menu, "Users", [alice])
    await fake.until(lambda: menu.content == "Alice")
    await fake.autocomplete(alice, "drone dispatch", focused="property", value="b")
    home = bot.guilds[0]
    await home.fetch_member(alice.id)
    await home.fetch_channels()
    await home.fetch_roles()
    await bot.fetch_guild(guild.id)
    await bot.fetch_user(alice.id)
    await bot.fetch_channel(channel.id)
    await bot.tree.fetch_commands(guild=home)
    assert [one async for one in channel.history()]
    assert [one async for one in bot.fetch_guilds()]
    await (await bot.create_dm(discord.Object(alice.id))).send("f")
    await sent.delete()
    faults = description.faults(fake.requests)
    assert not faults, "\n".join(faults)


async def test_disagreements_are_found(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    description = OpenApi.load()
    if description is None:
        pytest.skip("Discord's description is not at hand")
    await bot.text_channel("dispatch").send("x")
    request = fake.requests[-1]
    del request.answer["id"]
    request.body["embeds"] = [{"title": 5}]
    assert description.faults([request]) == [
        f"POST {request.path} request.embeds[0].title: 5 is no ['string', 'null']",
        f"POST {request.path} answer: id is missing",
    ]
