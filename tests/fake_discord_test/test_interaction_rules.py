"""Rules for answering interactions, beyond what discord.py itself would let a bot break."""

from collections.abc import Callable, Coroutine
from typing import Any

import discord
import pytest
from discord import app_commands, ui

from tests.fake_discord import FakeDiscord, Guild

from .sample_bot import SampleBot

Answer = Callable[[discord.Interaction[Any]], Coroutine[Any, Any, None]]


async def offer(bot: SampleBot, guild: Guild, answer: Answer) -> None:
    """Register /try, answered by the function."""

    @app_commands.command(name="try", description="Try")
    async def try_(interaction: discord.Interaction[Any]) -> None:
        await answer(interaction)

    home = discord.Object(guild.id)
    bot.tree.add_command(try_, guild=home)
    await bot.tree.sync(guild=home)


async def test_the_first_followup_of_a_deferral_is_the_answer(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    async def answer(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True)
        await interaction.followup.send("not ephemeral, says the bot", ephemeral=False)

    await offer(bot, guild, answer)
    reply = await fake.slash(guild.owner, "try")
    # Whether only one person sees it has been decided by the deferral.
    assert reply.ephemeral
    assert reply.followups == []
    assert guild.channels[0].messages == []


async def test_until_answered_can_be_a_deferral(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    async def answer(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer()

    await offer(bot, guild, answer)
    reply = await fake.slash(guild.owner, "try", until_answered=False)
    assert (reply.deferred, reply.answered) == (True, False)
    assert reply.text == "(thinking …)"


async def test_the_answer_can_be_fetched_edited_and_deleted(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    seen: list[str] = []

    async def answer(interaction: discord.Interaction[Any]) -> None:
        done = await interaction.response.send_message("one")
        assert done.message_id
        seen.append((await interaction.original_response()).content)
        await interaction.edit_original_response(content="two")
        extra = await interaction.followup.send("three", wait=True)
        await extra.edit(content="four")
        await interaction.delete_original_response()

    await offer(bot, guild, answer)
    reply = await fake.slash(guild.owner, "try")
    await fake.until(lambda: reply.message and reply.message.deleted)
    assert seen == ["one"]
    assert reply.text == "(deleted)\ntwo\n---\nfour"
    assert guild.channels[0].texts == ["four"]


async def test_bad_answers_are_refused_and_leave_it_open(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    codes: list[int] = []

    async def answer(interaction: discord.Interaction[Any]) -> None:
        long = ui.Modal(title="x" * 46)
        long.add_item(ui.TextInput(label="a"))
        attempts: list[Callable[[], Coroutine[Any, Any, Any]]] = [
            lambda: interaction.response.send_message("x" * 2001),
            lambda: interaction.response.send_message(embed=discord.Embed()),
            lambda: interaction.response.send_modal(long),
        ]
        for attempt in attempts:
            try:
                await attempt()
            except discord.HTTPException as refused:
                codes.append(refused.code)
        await interaction.response.send_message("good")

    await offer(bot, guild, answer)
    assert (await fake.slash(guild.owner, "try")).content == "good"
    assert codes == [50035, 50006, 50035]


async def test_an_undeliverable_answer_fails(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    failed: list[str] = []

    async def answer(interaction: discord.Interaction[Any]) -> None:
        try:
            await interaction.response.send_message("x")
        except OSError as error:
            failed.append(type(error).__name__)
            await interaction.response.send_message("second try")

    await offer(bot, guild, answer)
    fake.fault("POST", "/callback$", reset=True)
    assert (await fake.slash(guild.owner, "try")).content == "second try"
    assert len(failed) == 1


async def test_too_many_suggestions(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    codes: list[int] = []

    class Many(app_commands.Transformer):
        async def autocomplete(  # type: ignore[override]
            self, interaction: discord.Interaction[Any], current: str, /
        ) -> list[app_commands.Choice[str]]:
            many = [app_commands.Choice(name=str(n), value=str(n)) for n in range(26)]
            with pytest.raises(discord.HTTPException) as refused:
                await interaction.response.autocomplete(many)
            codes.append(refused.value.code)
            return many[:25]

        async def transform(self, interaction: discord.Interaction[Any], value: Any, /) -> str:
            return str(value)

    @app_commands.command(name="many", description="Many")
    async def many(
        interaction: discord.Interaction[Any], word: app_commands.Transform[str, Many]
    ) -> None:
        await interaction.response.send_message(word)

    home = discord.Object(guild.id)
    bot.tree.add_command(many, guild=home)
    await bot.tree.sync(guild=home)
    choices = await fake.autocomplete(guild.owner, "many", focused="word")
    assert codes == [50035]
    assert len(choices) == 25
