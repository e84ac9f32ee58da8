"""Set-up cannot go wrong silently: roles see their channels, the bot knows its server."""

import sqlite3
from contextlib import closing
from dataclasses import replace

from bot.settings import CadSettings, Channels, Roles
from db.migrate import migrations
from tests.end_to_end.environment import BotEnvironment, call_911, log_in
from tests.end_to_end.test_recovery import logged
from tests.end_to_end.test_setup import (
    boss,
    configure,
    made,
    open_page,
    picture,
    shown,
    started,
)
from tests.fake_discord import Channel, Member, Message, render
from tests.fake_discord.permissions import BOT, Permission
from tests.fake_discord.world import Role

__all__ = ["boss"]

SMALL = "Small: 5 channels"
OWN_CHANNEL = 23
"""The migration after which the board has a channel of its own."""

SHOW = "Let these roles see the channels"


def sees(role: Role, channel: Channel) -> bool:
    member = role.guild.add_member(f"One of {role.name}", role)
    return Permission.VIEW_CHANNEL in member.permissions_in(channel)


async def test_roles_that_were_chosen_or_made_after_the_channels_are_let_in(
    env: BotEnvironment, boss: Member
) -> None:
    async with env.bot_running():
        await started(env)
        reply = await open_page(env, boss, "channels")
        await env.fake.click(boss, reply, SMALL)
        await shown(env, reply, "Create what is missing] secondary (disabled)")
        assert [one.name for one in made(env)] == [
            "board",
            "dispatch",
            "security",
            "approvals",
            "log",
        ]
        # Chosen: the panic role is called in #dispatch only.
        reply = await open_page(env, boss, "pings")
        await env.fake.choose(boss, reply, "Choose existing ones", ["panic_role"])
        await shown(env, reply, "Which role?")
        await env.fake.choose(boss, reply, "Which role?", [env.on_call])
        said = "The role On call is called in channels that it cannot see: #dispatch"
        await shown(env, reply, said)
        await env.fake.click(boss, reply, SHOW)
        await env.fake.until(lambda: "cannot see" not in render(reply))
        board, dispatch, security, approvals, log = made(env)
        assert [sees(env.on_call, one) for one in made(env)] == [False, True, False, False, False]
        # Made anew: they see what is for them at once, also in a channel that left its category.
        reply = await open_page(env, boss, "roles")
        await env.fake.click(boss, reply, "Create what is missing")
        await shown(env, reply, "Reset to the file")
        viewer, approver = (
            next(role for role in env.guild.roles if role.name == f"CAD Sentinel {name}")
            for name in ("viewer", "approver")
        )
        assert all(sees(approver, one) for one in made(env))
        assert [sees(viewer, one) for one in (board, dispatch, security)] == [True] * 3
        assert not sees(viewer, approvals)
        assert not sees(viewer, log)
        assert "cannot see" not in picture(env, await open_page(env, boss, "roles"))


async def test_a_role_that_cannot_see_its_channel_is_reported_everywhere(
    env: BotEnvironment,
) -> None:
    owner = env.guild.owner
    env.channel("alerts").hide_from(env.supervisors)
    async with env.bot_running():
        await started(env)
        status = await env.fake.slash(owner, "status")
        said = "The role Supervisor is called in channels that it cannot see: #alerts"
        await env.fake.until(lambda: said in render(status))
        reply = await open_page(env, owner, "pings")
        assert said in picture(env, reply)
        assert "The bot lacks Manage Roles" in picture(env, reply)


async def test_the_first_setup_binds_the_bot_to_its_server_and_takes_over_its_language(
    env: BotEnvironment, boss: Member
) -> None:
    env.guild.preferred_locale = "de"
    async with env.bot_running():
        await started(env)
        reply = await open_page(env, boss, "community")
        assert "Europe/Berlin" in picture(env, reply)
        assert "Deutsch" in picture(env, reply)
        stranger = await env.fake.add_guild_live("Elsewhere", channels=["general"])
        reply = await open_page(env, boss, "community")
        form = await env.fake.click(boss, reply, "Another time zone")
        refused = await env.fake.submit(boss, form, {"zone": "europe/narnia"})
        assert "There is no such time zone" in render(refused)
        assert "europe/narnia" in render(refused)
        accepted = await env.fake.submit(boss, form, {"zone": " america/new york"})
        assert "The time zone is America/New_York." in render(accepted)
        await env.fake.until(lambda: "~ Time zone: America/New_York" in render(reply))
        await env.fake.choose(boss, reply, "Which language?", ["en"])
        await env.fake.until(lambda: "~ Language: English" in render(reply))
        assert not stranger.channel("general").created
    assert not stranger.commands


async def test_created_channels_are_described_in_their_creators_language(
    env: BotEnvironment, boss: Member
) -> None:
    boss.user.locale = "de"
    async with env.bot_running():
        await started(env)
        reply = await env.fake.slash(boss, "setup")
        await shown(env, reply, "1 von 5")
        await env.fake.click(boss, reply, "Weiter: Kanäle")
        await shown(env, reply, "2 von 5")
        await env.fake.click(boss, reply, "Klein: 5 Kanäle")
        await env.fake.until(lambda: len(made(env)) == 5)
    assert [one.topic for one in made(env)][-1] == "Meldungen über den Bot selbst"


async def test_missing_and_wrong_cad_keys_are_reported(env: BotEnvironment, boss: Member) -> None:
    settings = env.settings().model_copy(update={"cad": CadSettings()})
    env.settings = lambda: settings  # type: ignore[method-assign]
    async with env.bot_running():
        await started(env)
        reply = await open_page(env, boss, "cad")
        assert "First, the key of your CAD: Without it, what the CAD sends is refused." in picture(
            env, reply
        )
        assert "another key" not in render(reply)
        assert await env.push("EVENT_911", call_911(1)) == 400
        await env.fake.click(boss, reply, "Refresh")
        await shown(env, reply, "A push with another key was refused <t:")
        status = await env.fake.slash(boss, "status")
        await shown(env, status, "none since the start; one with a wrong key was refused <t:")


async def test_troubles_are_reported_in_the_language_adopted_by_setup(
    env: BotEnvironment, boss: Member
) -> None:
    env.guild.preferred_locale = "de"
    async with env.bot_running():
        await started(env)
        reply = await open_page(env, boss, "channels")
        await env.fake.click(boss, reply, SMALL)
        await shown(env, reply, "Create what is missing] secondary (disabled)")
        *_, approvals, log = made(env)
        approvals.delete()
        assert "gelöscht, oder der Bot" in render(await log.next_message())


async def test_viewers_of_setup_are_told_that_the_log_channel_is_gone(
    env: BotEnvironment,
) -> None:
    boss = env.guild.add_member("Boss", env.guild.add_role("Boss", "manage_guild"))
    configure(env, guild_id=env.guild.id)
    async with env.bot_running():
        await started(env)
        await open_page(env, boss, "roles")
        env.channel("log").delete()
        assert "The channel log" in render(await env.guild.direct(boss).next_message())


async def test_with_several_servers_the_log_says_what_to_do(
    env: BotEnvironment, boss: Member, caplog: object
) -> None:
    env.fake.add_guild("Elsewhere")
    async with env.bot_running():
        await started(env)
        await logged(caplog, "The bot is in 2 servers: Los Santos, Elsewhere. Put guild_id =")  # type: ignore[arg-type]


async def test_whoever_invited_the_bot_is_told_once_to_type_setup(
    env: BotEnvironment, boss: Member
) -> None:
    said = "Type `/setup` in Los Santos"
    env.fake.kick(env.guild)
    env.guild.bot_role.permissions = BOT | Permission.VIEW_AUDIT_LOG
    env.fake.join(env.guild, by=boss)
    direct = env.guild.direct(boss)
    for _ in range(2):
        async with env.bot_running():
            await started(env)
            await env.fake.until(lambda: bool(direct.created))
    assert [message.content.partition(":")[0] for message in direct.created] == [
        f"I am CAD Sentinel. {said}"
    ]
    assert not any(channel.created for channel in env.guild.channels)


async def test_without_the_audit_log_the_first_channel_says_it(
    env: BotEnvironment, boss: Member
) -> None:
    env.channel("emergency").deny("send_messages")
    async with env.bot_running():
        message = await env.channel("dispatch").next_message()
    assert "Type `/setup` in Los Santos" in message.content


async def test_without_a_writable_channel_the_owner_is_greeted_in_private(
    env: BotEnvironment, boss: Member
) -> None:
    for channel in env.guild.channels:
        channel.deny("send_messages")
    env.fake.add_guild("Elsewhere")
    direct = env.guild.direct(env.guild.owner)
    async with env.bot_running():
        await env.fake.until(lambda: bool(direct.created))
    first, then = direct.created[0].content.split("\n")
    assert first.startswith("The bot is in 2 servers: Los Santos, Elsewhere. Put guild_id =")
    assert then.startswith("Then: I am CAD Sentinel. Type `/setup` in Los Santos")
    assert not env.guild.direct(boss).created


async def test_channels_of_an_earlier_version_are_closed_to_writers_when_that_is_wanted(
    env: BotEnvironment, boss: Member
) -> None:
    close = "Let only the bot write"
    async with env.bot_running():
        await started(env)
        reply = await open_page(env, boss, "roles")
        await env.fake.click(boss, reply, "Create what is missing")
        await shown(env, reply, "Reset to the file")
        await env.fake.click(boss, reply, "Next: channels")
        await shown(env, reply, "2 of 5")
        await env.fake.click(boss, reply, SMALL)
        await shown(env, reply, "Create what is missing] secondary (disabled)")
        assert close not in render(reply)
        viewer = next(role for role in env.guild.roles if role.name == "CAD Sentinel viewer")
        friend = env.guild.add_member("Friend", viewer)
        board, dispatch, security, *_others = made(env)
        # As the first edition made them: nothing was said of writing; one is a moderator's work.
        writing = int(Permission.SEND_MESSAGES)
        for channel in (board.category, *made(env)):
            assert channel is not None
            changed = {
                id_: replace(one, deny=one.deny & ~writing, allow=one.allow & ~writing)
                for id_, one in channel.overwrites.items()
            }
            channel.change_overwrites(changed)
        allowed = dispatch.overwrites[viewer.id]
        everybody = dispatch.overwrites[env.guild.id]
        dispatch.change_overwrites(
            {
                **dispatch.overwrites,
                viewer.id: replace(allowed, allow=allowed.allow | writing),
                env.guild.id: replace(everybody, allow=everybody.allow | writing),
            }
        )
        assert Permission.SEND_MESSAGES in friend.permissions_in(security)
        await env.fake.click(boss, reply, "Refresh")
        await shown(env, reply, "Not only the bot writes in these channels")
        await env.fake.click(boss, reply, close)
        await env.fake.until(lambda: close not in render(reply))
        for channel in made(env):
            assert Permission.SEND_MESSAGES not in friend.permissions_in(channel), channel.name
            assert Permission.SEND_MESSAGES in env.guild.bot_member.permissions_in(channel)
        assert sees(viewer, dispatch)
        assert await env.push("EVENT_911", call_911(1)) == 200
        await dispatch.next_message()


def boards(env: BotEnvironment, name: str) -> list[Message]:
    """The messages in a channel that show the board."""
    return [one for one in env.channel(name).messages if "On duty" in render(one)]


async def test_a_board_moves_with_its_channel_and_without_one_stays_in_units(
    env: BotEnvironment, boss: Member
) -> None:
    configure(env, channels=Channels(units=env.channel("units").id), roles=Roles())
    async with env.bot_running():
        await started(env)
        await log_in(env, 1, "1-A-1")
        await env.fake.until(lambda: boards(env, "units"))
        reply = await open_page(env, boss, "channels")
        assert "open calls: #units" in picture(env, reply)
        await env.fake.choose(boss, reply, "Choose existing ones", ["board"])
        await shown(env, reply, "Which channel?")
        await env.fake.choose(boss, reply, "Which channel?", [env.channel("board")])
        await env.fake.until(lambda: boards(env, "board") and not boards(env, "units"))
        await log_in(env, 2, "1-A-2")
        await env.fake.until(lambda: "1-A-2" in render(boards(env, "board")[0]))
    async with env.bot_running():
        await started(env)
        await env.fake.click(boss, reply, "Reset to the file")
        await env.fake.until(lambda: boards(env, "units") and not boards(env, "board"))
    assert len(env.channel("board").created) == 1
    assert len(boards(env, "units")) == 1


async def test_after_an_upgrade_the_board_is_the_message_that_it_was(
    env: BotEnvironment,
) -> None:
    configure(env, channels=Channels(units=env.channel("units").id), roles=Roles())
    async with env.bot_running():
        await log_in(env, 1, "1-A-1")
        await env.fake.until(lambda: boards(env, "units"))
    with closing(sqlite3.connect(env.folder / "sentinel.db")) as database:
        # As it stood before the board had a channel of its own.
        database.execute("UPDATE cards SET channel = 'units' WHERE subject = 'board:units'")
        database.executescript(dict(migrations())[OWN_CHANNEL])
        database.commit()
    async with env.bot_running():
        await log_in(env, 2, "1-A-2")
        await env.fake.until(lambda: "1-A-2" in render(boards(env, "units")[0]))
    assert len(boards(env, "units")) == 1
    assert sum("On duty" in render(one) for one in env.channel("units").created) == 1
