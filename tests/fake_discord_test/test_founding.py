"""The bot makes channels and roles, within what Discord allows it."""

import discord
import pytest

from tests.fake_discord import FakeDiscord, Guild
from tests.fake_discord.permissions import BOT, Permission

from .sample_bot import SampleBot

Overwrites = dict[discord.Role | discord.Member | discord.Object, discord.PermissionOverwrite]

ALLOWED = BOT | Permission.MANAGE_CHANNELS | Permission.MANAGE_ROLES


async def test_channels_have_their_categorys_overwrites_and_the_bot_hears_of_them(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    guild.bot_role.grant(ALLOWED)
    home = bot.guilds[0]
    hidden: Overwrites = {home.default_role: discord.PermissionOverwrite(view_channel=False)}
    category = await home.create_category("Calls here", overwrites=hidden)
    made = await home.create_text_channel("911 Calls", category=category, topic="calls")
    alice = guild.add_member("Alice")
    seen = guild.channel("911-calls")
    assert (seen.id, seen.category, seen.topic) == (made.id, guild.channel("Calls here"), "calls")
    assert Permission.VIEW_CHANNEL not in alice.permissions_in(seen)
    await fake.until(lambda: home.get_channel(made.id) is not None)


async def test_a_role_may_do_what_it_was_given(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    guild.bot_role.grant(ALLOWED)
    role = await bot.guilds[0].create_role(name="Viewer", permissions=discord.Permissions.none())
    found = guild.find_role(role.id)
    assert found is not None
    assert (found.name, found.permissions) == ("Viewer", 0)


async def test_what_the_bot_lacks_it_can_neither_do_nor_give(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    home = bot.guilds[0]
    with pytest.raises(discord.Forbidden):
        await home.create_text_channel("a")
    with pytest.raises(discord.Forbidden):
        await home.create_role(name="a")
    guild.bot_role.grant(ALLOWED)
    with pytest.raises(discord.Forbidden):
        await home.create_role(name="a", permissions=discord.Permissions(administrator=True))
    banning: Overwrites = {home.default_role: discord.PermissionOverwrite(ban_members=True)}
    with pytest.raises(discord.Forbidden):
        await home.create_text_channel("a", overwrites=banning)
    with pytest.raises(discord.HTTPException, match="Category does not exist"):
        await home.create_text_channel("a", category=discord.Object(1))  # type: ignore[arg-type]
