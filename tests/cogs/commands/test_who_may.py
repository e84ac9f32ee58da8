"""Who may use which command, button, form and list: the table, and that it is so."""

from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from discord.app_commands import Command

from cogs.bot import LISTS
from cogs.commands.open_card import CardOpener
from cogs.ui.buttons import ButtonDeclaration, declarations
from cogs.ui.modals import FormDeclaration
from cogs.ui.pages import PageTurner
from cogs.ui.permissions import ROLE_OF_SCOPE, Permission, RoleScopes, permission_of
from tests.end_to_end.environment import BotEnvironment
from tests.texts import command_cogs, commands_of
from webhook.protocol.context import Scope
from webhook.protocol.errors import Forbidden

TABLE = """
everybody:
    /help /link show /link code /link alarms /link messages /link end /property mine
    [page:f] [page:p] [page:n] [page:l] [page:o]
viewer:
    /property list /removal list /drone history /cad calls /cad call /cad units /cad unit /crimes
    /cad status /911 {call:place}
    [call:respond] [call:leave] [unit:open]
    list:properties list:flights list:removals list:notes
    list:calls list:units
viewer or owner:
    /access log /visitors
    list:access list:door list:history
viewer or owner or allowed:
    /property show /drone list /alert list
    [property:open] [card:open] [property:map]
    list:mine list:drones list:fleet list:equipment list:alarms
dispatcher:
    /property add /property edit /equipment add /equipment remove /alert take /status
    [property:edit] [alarm:take] [call:note] [call:thread] [status:again]
    {property:edit} {call:note} {property:describe} [property:describe] [property:give]
    /property rename /property transfer /cad note /cad close
dispatcher or owner:
    /access allow /access deny /removal request /removal withdraw
    /alert ack /alert release /alert note /alert resolve
    [property:leave] [removal:withdraw] [alarm:acknowledge] [alarm:release] [alarm:note]
    [alarm:snooze] [alarm:snoozelong] [alarm:false] [alarm:resolve] [alarm:drone]
    [alarm:police]
    {property:leave} {alarm:note}
dispatcher or owner or allowed:
    /drone dispatch /drone recall /alert raise
    [flight:recall] [call:drone]
approver:
    /removal approve /removal deny /removal restore /property approve /property reject
    [property:approve] [property:reject] [removal:approve] [removal:deny] [removal:restore]
    [call:panicover] /redact [redact:texts] [redact:undo] {redact:texts}
    {property:reject} {removal:deny}
admin:
    /property remove /route test /route add {route:add} /route list /route remove
    /pause /test /audit /setup
    /link list /link member /link unlink [link:member] {link:member}
    [property:remove] [property:keep] [link:put] [link:end] [status:register] [audit:show]
    list:audit list:links
"""
"""By who may: `/command`, `[button]`, `{form}`, `list:name`."""

PEOPLE = ["nobody", "viewer", "dispatcher", "approver", "admin"]


def _table() -> dict[str, Permission]:
    scopes = {role: scope for scope, role in ROLE_OF_SCOPE.items()} | {"everybody": Scope.NONE}
    table: dict[str, Permission] = {}
    permission = Permission(Scope.NONE)
    for line in TABLE.strip().split("\n"):
        if not line.startswith(" "):
            who = line.removesuffix(":").split(" or ")
            permission = Permission(scopes[who[0]], "owner" in who, "allowed" in who)
            continue
        words = line.strip().replace(" /", "\n/").replace(" [", "\n[").replace(" {", "\n{")
        for name in words.replace(" list:", "\nlist:").split("\n"):
            table[name] = permission
    return table


def _declared() -> dict[str, Permission]:
    found = {
        f"/{command.qualified_name}": permission_of(command)
        for cog in command_cogs()
        for command in commands_of(cog)
        if isinstance(command, Command)
    }
    for owner in (*command_cogs(), PageTurner, CardOpener):
        for button, _name in declarations(owner, ButtonDeclaration):
            found |= {f"[{action}]": button.permission for action in button.actions}
        for form, _name in declarations(owner, FormDeclaration):
            found |= {f"{{{action}}}": form.permission for action in form.actions}
    return found | {f"list:{name}": shown.permission for name, shown in LISTS.items()}


def _who(permission: Permission) -> tuple[Scope, bool, bool]:
    """Return what counts: whoever is on the access list includes the owner."""
    is_own = permission.or_own or permission.or_allowed
    return permission.scope, is_own, permission.or_allowed


def test_everything_that_people_can_use_is_in_the_table() -> None:
    declared, table = _declared(), _table()
    setup = {name for name in declared if name.startswith(("[setup:", "{setup:"))}
    assert all(declared[name].scope is Scope.ADMIN for name in setup)
    assert declared.keys() - setup == table.keys()
    wrong = {name for name, permission in table.items() if _who(permission) != _who(declared[name])}
    assert wrong == set()


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_role_allows_what_the_table_says_in_its_own_server_only(*, elsewhere: bool) -> None:
    roles = RoleScopes({scope: frozenset([int(scope)]) for scope in ROLE_OF_SCOPE}, guild_id=7)
    for level, _person in enumerate(PEOPLE):
        # In another server people have other roles, and may manage it.
        held = [] if elsewhere else [SimpleNamespace(id=level)]
        interaction = SimpleNamespace(
            user=SimpleNamespace(id=1, roles=held),
            permissions=discord.Permissions(manage_guild=elsewhere),
            guild_id=8 if elsewhere else 7,
            client=SimpleNamespace(guilds=[SimpleNamespace(id=7), SimpleNamespace(id=8)]),
        )
        caller = roles.caller(cast("discord.Interaction[Any]", interaction))
        reached = 0 if elsewhere else level
        for name, permission in _table().items():
            may = permission.scope <= reached or permission.or_own or permission.or_allowed
            try:
                permission.require(caller)
            except Forbidden:
                assert not may, name
            else:
                assert may, name


VALUES: dict[int, str | int | bool] = {3: "1", 4: 1, 5: True}


async def test_shares_allow_what_the_table_says(env: BotEnvironment) -> None:
    owner, friend = env.guild.add_member("Owner"), env.guild.add_member("Friend")
    async with env.bot_running():
        await env.wait_for_commands()
        await env.add_property("Villa", drones=2)
        await env.query("add-alert", propertyId=1, userId="x")
        await env.query("add-allowed-user", propertyId=1, userId="friend")
        for member, user in ((owner, "owner"), (friend, "friend")):
            await env.query("link-user", memberId=str(member.id), userId=user)
        options = _options(env)
        for name, permission in _table().items():
            if not name.startswith("/") or not (permission.or_own or permission.or_allowed):
                continue
            command, role = name.removeprefix("/"), ROLE_OF_SCOPE[permission.scope]
            for member, may in (
                (env.stranger, False),
                (friend, permission.or_allowed),
                (owner, True),
            ):
                reply = await env.fake.slash(member, command, options=options[command])
                await env.fake.until(lambda reply=reply: reply.answered)  # type: ignore[misc]
                is_refused = reply.content.startswith(f"This needs the {role} role")
                assert is_refused is not may, (name, member.name, reply.text)
                if is_refused:
                    assert "to be the owner" in reply.content
                    assert ("on the access list" in reply.content) is permission.or_allowed


def _options(env: BotEnvironment) -> dict[str, dict[str, Any]]:
    """Return for each command its options: the ones that are required, and the property."""
    found: dict[str, dict[str, Any]] = {}

    def walk(definition: dict[str, Any], group: str) -> None:
        name = f"{group} {definition['name']}".strip()
        inside = definition.get("options", [])
        if inside and inside[0]["type"] in (1, 2):
            for one in inside:
                walk(one, name)
            return
        found[name] = {
            option["name"]: VALUES.get(option["type"], env.vic)
            for option in inside
            if option.get("required") or option["name"] == "property"
        }

    for command in env.guild.commands:
        if command.type == 1:
            walk(command.definition, "")
    for name in ("access allow", "access deny"):
        found[name] = {"property": "1", "user": "license:1"}
    return found
