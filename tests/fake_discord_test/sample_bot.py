"""A real discord.py bot with a bit of everything, for trying the fake."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import discord
from discord import app_commands, ui
from discord.ext import commands

from tests.fake_discord import FakeDiscord, Guild

PLACES = ("Bank", "Bankruptcy Court", "Prison")


class Approve(ui.DynamicItem[ui.Button[Any]], template=r"approve:(?P<id>\d+)"):
    """A button that carries a number and outlives the bot."""

    def __init__(self, number: int) -> None:
        self.number = number
        style = discord.ButtonStyle.success
        super().__init__(ui.Button(label="Approve", style=style, custom_id=f"approve:{number}"))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Approve:
        """The button a person pressed."""
        return cls(int(match["id"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Say in the message that it is done."""
        view = ui.View(timeout=None)
        button: ui.Button[Any] = ui.Button(label="Approved", disabled=True, custom_id="done")
        view.add_item(button)
        await interaction.response.edit_message(content=f"approved {self.number}", view=view)


class Reason(ui.Modal, title="Deny"):
    """A form with a labelled text input and a labelled menu."""

    reason: ui.Label[Any] = ui.Label(
        text="Reason", component=ui.TextInput(custom_id="reason", max_length=50)
    )
    kind: ui.Label[Any] = ui.Label(
        text="Kind",
        component=ui.Select(
            custom_id="kind",
            options=[discord.SelectOption(label="Soft"), discord.SelectOption(label="Hard")],
        ),
    )
    note: ui.TextInput[Any] = ui.TextInput(label="Note", required=False, custom_id="note")

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Repeat what was filled in."""
        reason, kind = self.reason.component, self.kind.component
        assert isinstance(reason, ui.TextInput)
        assert isinstance(kind, ui.Select)
        text = f"denied: {reason.value} / {kind.values[0]} / {self.note.value}"
        await interaction.response.send_message(text, ephemeral=True)


drone = app_commands.Group(name="drone", description="Drones", guild_only=True)


@drone.command()
@app_commands.describe(property="Where to", urgent="Whether to hurry")
async def dispatch(
    interaction: discord.Interaction[Any],
    property: str,  # noqa: A002
    urgent: bool = False,
) -> None:
    """Send out a drone."""
    embed = discord.Embed(title="Drone", description=f"to {property}", colour=discord.Colour.red())
    embed.add_field(name="Urgent", value=str(urgent))
    view = ui.View(timeout=None)
    view.add_item(Approve(7))
    await interaction.response.send_message(embed=embed, view=view)


@dispatch.autocomplete("property")
async def complete(
    _interaction: discord.Interaction[Any], current: str
) -> list[app_commands.Choice[str]]:
    """Suggest the places that begin with what was typed."""
    return [
        app_commands.Choice(name=place, value=place.upper())
        for place in PLACES
        if place.lower().startswith(current.lower())
    ]


@drone.command()
async def slow(interaction: discord.Interaction[Any]) -> None:
    """Answer in two steps, and once more."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    await interaction.edit_original_response(content="done")
    await interaction.followup.send("and more", ephemeral=True)


@drone.command()
async def mute(_interaction: discord.Interaction[Any]) -> None:
    """Never answer."""


@drone.command()
async def deny(interaction: discord.Interaction[Any]) -> None:
    """Open a form."""
    await interaction.response.send_modal(Reason())


@drone.command()
@app_commands.describe(who="Whose", where="In which channel", role="For whom", count="How many")
@app_commands.choices(size=[app_commands.Choice(name="Big", value=2)])
async def kinds(
    interaction: discord.Interaction[Any],
    who: discord.Member,
    where: discord.TextChannel,
    role: discord.Role,
    count: app_commands.Range[int, 1, 5],
    size: app_commands.Choice[int],
) -> None:
    """Take options of all kinds."""
    allowed = interaction.permissions.administrator
    text = f"{who.display_name} {where.name} {role.name} {count} {size.value} {allowed}"
    await interaction.response.send_message(text)


@drone.command()
async def menu(interaction: discord.Interaction[Any]) -> None:
    """Show menus."""
    view = ui.View()
    options = [discord.SelectOption(label=one, value=one.lower()) for one in ("One", "Two")]
    words: ui.Select[Any] = ui.Select(
        placeholder="Words", custom_id="words", options=options, max_values=2
    )
    users: ui.UserSelect[Any] = ui.UserSelect(placeholder="Users", custom_id="users")

    async def chose_words(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.send_message(" ".join(words.values))

    async def chose_users(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content=users.values[0].display_name, view=None)

    words.callback = chose_words  # type: ignore[method-assign]
    users.callback = chose_users  # type: ignore[method-assign]
    view.add_item(words)
    view.add_item(users)
    await interaction.response.send_message("choose", view=view)


@app_commands.command()
@app_commands.default_permissions(manage_guild=True)
async def admin(interaction: discord.Interaction[Any]) -> None:
    """Only for those who manage the guild."""
    await interaction.response.send_message("yes", ephemeral=True)


@app_commands.context_menu()
async def quote(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    """Say what a message says."""
    await interaction.response.send_message(f"{message.author.name}: {message.content}")


class SampleBot(commands.Bot):
    """The bot; its commands are registered in one guild."""

    def __init__(self, guild: Guild | None) -> None:
        intents = discord.Intents(guilds=True)
        mentions = discord.AllowedMentions.none()
        super().__init__("!", intents=intents, allowed_mentions=mentions)
        self.home = None if guild is None else discord.Object(guild.id)
        self.seen: list[str] = []

    async def setup_hook(self) -> None:
        """Register everything."""
        self.add_dynamic_items(Approve)
        self.tree.add_command(drone, guild=self.home)
        self.tree.add_command(admin, guild=self.home)
        self.tree.add_command(quote, guild=self.home)
        if self.home is not None:
            await self.tree.sync(guild=self.home)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Note it."""
        self.seen.append(f"join {guild.name}")

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Note it."""
        self.seen.append(f"remove {guild.name}")

    async def on_resumed(self) -> None:
        """Note it."""
        self.seen.append("resumed")

    def text_channel(self, name: str) -> discord.TextChannel:
        """The channel of that name, as the bot knows it."""
        found = discord.utils.get(self.get_all_channels(), name=name)
        assert isinstance(found, discord.TextChannel)
        return found


@asynccontextmanager
async def running(fake: FakeDiscord, guild: Guild | None) -> AsyncIterator[SampleBot]:
    """The bot, logged in and ready, until the end of the block."""
    bot = SampleBot(guild)
    task = asyncio.create_task(bot.start(fake.token))
    try:
        await fake.wait_connected()
        await bot.wait_until_ready()
        yield bot
    finally:
        await bot.close()
        await asyncio.gather(task, return_exceptions=True)
