"""Commands are registered where they changed, and are for those who may."""

import time
from typing import Any

import pytest

from bot.commands.offline import register
from cogs import command_sync
from tests.end_to_end.environment import BotEnvironment
from tests.end_to_end.test_health import until_problems
from tests.fake_discord import render
from tests.fake_discord.world import Command

REFUSED: dict[str, Any] = {"status": 403, "body": {"code": 50001, "message": "Missing Access"}}


async def test_commands_are_registered_at_start_and_not_again_without_a_change(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.fake.until(lambda: env.fake.sync_count(env.guild) == 1)
        assert {command.name for command in env.guild.commands} >= {"drone", "removal"}
    async with env.bot_running():
        await env.fake.wait_connected()
        reply = await env.fake.slash(env.vic, "drone list")
        await env.fake.until(lambda: reply.answered)
    assert env.fake.sync_count(env.guild) == 1


async def test_a_guild_that_the_bot_joins_or_joins_again_gets_the_commands(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        second = await env.fake.add_guild_live("Blaine County")
        await env.fake.until(lambda: env.fake.sync_count(second) == 1)
        env.fake.kick(second)
        env.fake.join(second)
        await env.fake.until(lambda: env.fake.sync_count(second) == 2)
        assert second.commands


async def test_a_failed_registration_is_reported_and_retried(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_sync, "FIRST_BACKOFF", 0.3)
    second = env.fake.add_guild("Blaine County")
    env.fake.fault("PUT", f"/guilds/{env.guild.id}/commands$", times=2, **REFUSED)
    async with env.bot_running():
        await env.fake.until(lambda: bool(second.commands))
        await until_problems(env, "Discord does not accept the bot's commands")
        await env.wait_for_commands()
        await until_problems(env)


async def test_a_server_that_was_unavailable_gets_the_commands_once_it_is_there(
    env: BotEnvironment,
) -> None:
    env.fake.make_unavailable(env.guild)
    async with env.bot_running():
        await env.fake.wait_connected()
        assert not env.guild.commands
        env.fake.make_available(env.guild)
        await env.wait_for_commands()


async def test_a_daily_limit_delays_neither_other_servers_nor_the_shutdown(
    env: BotEnvironment,
) -> None:
    second = env.fake.add_guild("Blaine County")
    body = {"message": "Max number of daily application command creates", "code": 30034}
    limited: dict[str, Any] = {
        "status": 429,
        "body": body | {"retry_after": 3600.0, "global": False},
    }
    env.fake.fault("PUT", f"/guilds/{env.guild.id}/commands$", times=None, **limited)
    async with env.bot_running():
        await env.fake.until(lambda: bool(second.commands))
        await until_problems(env, "Discord does not accept the bot's commands")
        began = time.monotonic()
    assert time.monotonic() - began < 5


async def test_commands_that_another_program_replaced_are_restored_and_leftovers_are_removed(
    env: BotEnvironment,
) -> None:
    boss = env.guild.add_member("Boss", env.guild.add_role("Boss", "manage_guild"))
    async with env.bot_running():
        await env.wait_for_commands()
    meant = {command.name for command in env.guild.commands}
    env.guild.commands[:] = []
    env.fake.commands.append(Command({"name": "play", "description": "x"}, None))
    async with env.bot_running():
        await env.wait_for_commands()
        assert {command.name for command in env.guild.commands} == meant
        await until_problems(env, "commands of another program or version")
        status = await env.fake.slash(boss, "status")
        await env.fake.until(lambda: "removes /play" in render(status))
        await env.fake.click(boss, status, "Register commands")
        await env.fake.until(lambda: not env.fake.commands)
        await until_problems(env)


async def test_commands_can_be_registered_from_the_command_line(env: BotEnvironment) -> None:
    env.fake.commands.append(Command({"name": "play", "description": "x"}, None))
    said: list[str] = []
    assert await register(env.settings(), said.append) == 0
    assert {command.name for command in env.guild.commands} >= {"drone", "removal"}
    assert not env.fake.commands
    env.fake.fault("PUT", r"/commands$", **REFUSED)
    assert await register(env.settings(), said.append) == 1
    assert "could not be registered" in said[-1]


async def test_a_guild_that_is_not_the_configured_one_gets_no_commands(env: BotEnvironment) -> None:
    other = env.fake.add_guild("Elsewhere")
    settings = env.settings()
    only_here = settings.discord.model_copy(update={"guild_id": env.guild.id})
    restricted = settings.model_copy(update={"discord": only_here})
    env.settings = lambda: restricted  # type: ignore[method-assign]
    async with env.bot_running():
        await env.wait_for_commands()
        assert not other.commands


async def test_every_command_and_option_has_a_description(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
    # Commands in menus have none.
    described = [command.definition for command in env.guild.commands if command.type == 1]
    while described:
        entry = described.pop()
        assert entry["description"].strip(), entry["name"]
        assert entry["description"] != "…", entry["name"]
        described += entry.get("options", [])


async def test_members_without_a_role_are_refused_everything(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        property_id = await env.add_property("Villa", drones=1)
        offered = await env.fake.autocomplete(
            env.stranger, "drone dispatch", focused="property", value=""
        )
        assert offered == []
        for command, options in {
            "drone dispatch": {"property": str(property_id)},
            "drone recall": {"drone": "1"},
            "drone list": {},
            "removal list": {},
            "removal approve": {"property": str(property_id)},
            "removal deny": {"property": str(property_id)},
            "property list": {},
            "drone history": {},
            "access log": {"property": str(property_id)},
            "crimes": {},
            "status": {},
        }.items():
            reply = await env.fake.slash(env.stranger, command, options=options)
            await env.fake.until(lambda reply=reply: bool(reply.content))  # type: ignore[misc]
            assert reply.ephemeral
            assert reply.content.startswith("This needs the ")


async def test_server_managers_can_do_everything(env: BotEnvironment) -> None:
    owner = env.guild.add_member("Olga", env.guild.add_role("Owner", "manage_guild"))
    async with env.bot_running():
        await env.wait_for_commands()
        property_id = await env.add_property("Villa")
        await env.query("request-remove-property", propertyId=property_id)
        reply = await env.fake.slash(owner, "removal approve", property=str(property_id))
        await env.fake.until(lambda: reply.content == "**Villa** (#1) removed.")


async def test_a_command_of_another_version_names_the_new_one(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        for command, answer in {
            "property search": "This is now /property list with its option text.",
            "visitors days": "This is now /visitors, with its options from and to.",
            "property paint": "This command is from another version of the bot; type / to see",
            "weather": "This command is from another version of the bot; type / to see",
            "link": "This command is from another version of the bot; type / to see",
        }.items():
            before = list(env.guild.commands)
            name, _space, inside = command.partition(" ")
            options = [{"type": 1, "name": inside, "description": "x"}] if inside else []
            env.guild.commands[:] = [
                Command({"name": name, "description": "x", "options": options}, env.guild.id)
            ]
            reply = await env.fake.slash(env.vic, command)
            env.guild.commands[:] = before
            await env.fake.until(lambda reply=reply: bool(reply.content))  # type: ignore[misc]
            assert reply.content.startswith(answer)
