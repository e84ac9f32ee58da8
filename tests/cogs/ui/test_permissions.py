"""Who may do what in Discord, and what is answers to those who may not."""

import pytest

from cogs.ui.permissions import ROLE_OF_SCOPE, RoleScopes
from tests.end_to_end.environment import BotEnvironment
from tests.fake_discord import Member
from webhook.protocol.context import Scope
from webhook.protocol.errors import Forbidden

LADDER = ["viewer", "dispatcher", "approver", "admin"]


def _configure(env: BotEnvironment, **discord: object) -> None:
    """Have something else configured on the Discord side."""
    settings = env.settings()
    changed = settings.model_copy(update={"discord": settings.discord.model_copy(update=discord)})
    env.settings = lambda: changed  # type: ignore[method-assign]


def _roles(env: BotEnvironment) -> None:
    """Have an admin role configured as well."""
    admins = env.guild.add_role("Admin")
    roles = env.settings().discord.roles.model_copy(update={"admin": [admins.id]})
    _configure(env, roles=roles)


async def _refusals(env: BotEnvironment, member: Member, property_id: int) -> list[str]:
    """Return which roles a refusal says somebody lacks, of one command for each role."""
    commands: dict[str, dict[str, str]] = {
        "drone list": {},
        "drone dispatch": {"property": str(property_id)},
        "removal deny": {"property": str(property_id)},
        "route test": {"event": "EVENT_911"},
    }
    answers = []
    for command, options in commands.items():
        reply = await env.fake.slash(member, command, options=options)
        await env.fake.until(lambda reply=reply: bool(reply.text or reply.modal))  # type: ignore[misc]
        if reply.content.startswith("This needs the "):
            answers.append(reply.content.split()[3])
    return answers


async def test_each_role_includes_those_before_it(env: BotEnvironment) -> None:
    _roles(env)
    admins = env.guild.roles[-1]
    env.guild.allowed_commands["route"] = {env.guild.id}
    several = env.guild.add_member("Several", env.viewers, env.approvers, env.on_call)
    people = {
        env.stranger: ["viewer", "dispatcher", "approver", "admin"],
        env.vic: ["dispatcher", "approver", "admin"],
        env.dora: ["approver", "admin"],
        env.anna: ["admin"],
        several: ["admin"],
        env.guild.add_member("Ada", admins): [],
        env.guild.add_member("Olga", env.guild.add_role("Boss", "manage_guild")): [],
        env.guild.add_member("Root", env.guild.add_role("Root", "administrator")): [],
        env.guild.add_member("Chat", env.guild.add_role("Mod", "manage_messages")): [
            "viewer",
            "dispatcher",
            "approver",
            "admin",
        ],
    }
    async with env.bot_running():
        await env.wait_for_commands()
        property_id = await env.add_property("Villa", drones=9)
        for member, lacking in people.items():
            assert await _refusals(env, member, property_id) == lacking, member.name


@pytest.mark.parametrize("is_configured", [True, False])
async def test_the_manager_of_another_server_has_no_permissions(
    env: BotEnvironment, is_configured: bool
) -> None:
    _configure(env, guild_id=env.guild.id if is_configured else 0)
    olga = env.guild.add_member("Olga", env.guild.add_role("Boss", "manage_guild"))
    async with env.bot_running():
        await env.wait_for_commands()
        assert await _refusals(env, olga, await env.add_property("Villa", drones=1)) == []
        elsewhere = await env.fake.add_guild_live("Stranger's", channels=["general"])
        mallory = elsewhere.add_member("Mallory", elsewhere.add_role("Boss", "manage_guild"))
        if not is_configured:
            await env.fake.until(lambda: bool(elsewhere.commands))
        # As registered while another server was configured.
        elsewhere.commands = elsewhere.commands or env.guild.commands
        # Even if nothing names the server, it is the one with the configured channels.
        for member, lacks in ((mallory, True), (olga, False)):
            reply = await env.fake.slash(member, "drone list")
            await env.fake.until(lambda reply=reply: reply.answered)  # type: ignore[misc]
            assert reply.content.startswith("This needs the viewer role") is lacks


async def test_a_removed_role_loses_its_permissions(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        reply = await env.fake.slash(env.vic, "drone list")
        await env.fake.until(lambda: reply.answered)
        env.vic.remove_role(env.viewers)
        again = await env.fake.slash(env.vic, "drone list")
        await env.fake.until(lambda: again.content.startswith("This needs the viewer role"))


@pytest.mark.parametrize(
    ("ids", "answers"),
    [
        ([], "This needs the approver role."),
        ([5], "This needs the approver role: <@&5>."),
        ([7, 5], "This needs the approver role: <@&5> or <@&7>."),
    ],
)
def test_a_refusal_names_the_missing_roles(ids: list[int], answers: str) -> None:
    roles = RoleScopes({Scope.APPROVE: frozenset(ids), Scope.ADMIN: frozenset([9])})
    assert roles.rejection_text(Forbidden("no", Scope.APPROVE.name)) == answers


def test_a_refusal_without_a_scope_keeps_its_sentence() -> None:
    assert RoleScopes({}).rejection_text(Forbidden("not here", None)) == "not here"


def test_every_scope_has_a_role() -> None:
    assert [Scope.NONE, *ROLE_OF_SCOPE] == sorted(Scope)
    assert list(ROLE_OF_SCOPE.values()) == LADDER
