"""No panic rings in silence: a role that nobody can be called by is told, until it is mended."""

from dataclasses import replace

import pytest

from cogs import bot as cogs_bot
from tests.end_to_end.environment import QUICK, BotEnvironment, call_911
from tests.end_to_end.test_recovery import logged, panic, started
from tests.end_to_end.test_setup import open_page, picture
from tests.fake_discord import render
from tests.fake_discord.permissions import EVERYONE
from tests.fake_discord.world import Overwrite


@pytest.fixture(autouse=True)
def _quickly_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cogs_bot, "CHANGE_INTERVAL", 0.05)


async def test_a_role_that_cannot_be_mentioned_is_reported_until_it_can(
    env: BotEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    boss = env.guild.add_member("Boss", env.guild.add_role("Boss", "manage_guild"))
    said = "The panic role: a mention of it reaches nobody. A mention in #panic reaches nobody"
    async with env.bot_running():
        await started(env)
        env.channel("panic").deny("mention_everyone")
        await logged(caplog, said)
        assert "The supervisor role" not in caplog.text
        page = await open_page(env, boss, "pings")
        assert "a mention in #panic reaches nobody" in picture(env, page)
        status = await env.fake.slash(env.dora, "status")
        await env.fake.until(lambda: said in render(status))
        assert not (await panic(env, 61)).pings
        env.on_call.mentionable = True
        env.guild.announce("GUILD_ROLE_UPDATE", env.on_call._event())
        await logged(caplog, "fixed: The panic role")
        assert env.on_call in (await panic(env, 62)).pings
        env.channel("alerts").deny("mention_everyone")
        await logged(caplog, "The dispatcher role: a mention of it reaches nobody")
        await logged(caplog, "The supervisor role: a mention of it reaches nobody")


async def test_a_role_given_to_the_bot_opens_its_channels_and_its_mentions_at_once(
    env: BotEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    crew = env.guild.add_role("Crew", "mention_everyone")
    env.guild.bot_role.permissions = EVERYONE
    closed, staff = env.channel("emergency"), (env.viewers, env.dispatchers, env.approvers)
    closed.overwrites = {
        env.guild.id: Overwrite(deny=1 << 10),
        crew.id: Overwrite(allow=1 << 10),
        **{role.id: Overwrite(allow=1 << 10) for role in staff},
    }
    async with env.bot_running(replace(QUICK, closed=3_600.0)):
        await started(env)
        await env.push("EVENT_911", call_911(1))
        await logged(caplog, f"cannot post in channel {closed.id}")
        await logged(caplog, "reaches nobody")
        env.guild.bot_member.add_role(crew)
        await closed.next_message()
        await logged(caplog, "fixed: The panic role")
        status = await env.fake.slash(env.dora, "status")
        await env.fake.until(lambda: "Version" in render(status))
        assert "Everything works" in render(status)
