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


async def test_permissions_that_the_bot_lacks_can_be_neither_used_nor_granted(
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


async def test_synced_channels_follow_their_category_until_they_have_overwrites_of_their_own(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    guild.bot_role.grant(ALLOWED)
    home = bot.guilds[0]
    hidden: Overwrites = {
        home.default_role: discord.PermissionOverwrite(view_channel=False),
        home.me: discord.PermissionOverwrite(view_channel=True),
    }
    category = await home.create_category("Calls", overwrites=hidden)
    await home.create_text_channel("synced", category=category)
    own = await home.create_text_channel("own", category=category)
    viewers, officers = [await home.create_role(name=name) for name in ("viewers", "officers")]
    await own.set_permissions(officers, view_channel=True)
    await category.set_permissions(viewers, view_channel=True)
    assert viewers.id in guild.channel("synced").overwrites
    assert viewers.id not in guild.channel("own").overwrites
    await category.set_permissions(viewers, overwrite=None)
    assert guild.channel("synced").overwrites.keys() == {guild.id, guild.bot_member.id}


async def test_overwrites_need_manage_roles_and_what_they_give(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    channel = guild.add_channel("here")
    seen = await bot.fetch_channel(channel.id)
    assert isinstance(seen, discord.TextChannel)
    with pytest.raises(discord.Forbidden, match="50013"):
        await seen.set_permissions(seen.guild.default_role, view_channel=False)
    guild.bot_role.grant(ALLOWED)
    for refused in ("ban_members", "manage_roles"):
        overwrite = discord.PermissionOverwrite(**{refused: False})
        with pytest.raises(discord.Forbidden, match="50013"):
            await seen.set_permissions(seen.guild.default_role, overwrite=overwrite)
    with pytest.raises(discord.NotFound, match="10009"):
        await bot.http.edit_channel_permissions(channel.id, 5, "0", "0", 0)
    with pytest.raises(discord.NotFound, match="10009"):
        await bot.http.delete_channel_permissions(channel.id, 5)


async def test_audit_log_says_who_invited_the_bot_to_whom_it_is_shown(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    alice = guild.add_member("Alice")
    fake.kick(guild)
    fake.join(guild, by=alice)
    await fake.until(lambda: bool(bot.guilds))
    home = bot.guilds[0]
    action = discord.AuditLogAction.bot_add
    with pytest.raises(discord.Forbidden, match="50013"):
        await anext(home.audit_logs(action=action))
    guild.bot_role.grant(BOT | Permission.VIEW_AUDIT_LOG)
    entry = await anext(home.audit_logs(action=action))
    assert (entry.user_id, entry.target and entry.target.id) == (alice.id, fake.world.bot.id)
    assert home.preferred_locale is discord.Locale.american_english
