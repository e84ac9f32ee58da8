"""Every command and button declares a permission, and it is enforced where it is declared."""

import re
from pathlib import Path
from typing import Any

from discord.app_commands import Command

import cogs
from cogs.bot import LISTS
from cogs.commands.open_card import CardOpener
from cogs.ui.buttons import ButtonDeclaration, declarations
from cogs.ui.modals import FormDeclaration
from cogs.ui.pages import PageTurner
from cogs.ui.permissions import ROLE_OF_SCOPE, Permission, permission_of
from tests.end_to_end.environment import BotEnvironment
from tests.texts import command_cogs, commands_of
from webhook.protocol.context import Scope

BUTTON_ID = re.compile(r"""["']([a-z]+:[a-z]+):\{""")
"""How ids are written in the code: `f"removal:approve:{removal.id}"`."""

FORM_ID = re.compile(r"""[Ff]orm\(\s*(?:title|_\([^)]*\)),\s*f?"([a-z]+:[a-z]+):""")
"""How forms are opened in the code: `Form(_("Note"), f"alarm:note:{alarm.id}")`."""

CHANNEL, ROLE = 7, 8
"""The types of such options."""

VALUES: dict[int, str | int | bool] = {3: "1", 4: 1, 5: True}
"""Values of options by Discord's types; 6 is a member."""


def _permissions() -> dict[str, Permission]:
    """Return what each command requires, by its full name."""
    return {
        command.qualified_name: permission_of(command)
        for cog in command_cogs()
        for command in commands_of(cog)
        if isinstance(command, Command)
    }


def test_every_command_declares_a_permission() -> None:
    assert len(_permissions()) > 30


def test_every_button_that_is_shown_is_declared_with_a_permission() -> None:
    declared = {
        action: declaration.permission
        for owner in (*command_cogs(), PageTurner, CardOpener)
        for declaration, _name in declarations(owner, ButtonDeclaration)
        for action in declaration.actions
    }
    source = "".join(path.read_text("utf-8") for path in Path(cogs.__path__[0]).rglob("*.py"))
    # A command opens some forms, no button does.
    shown = set(BUTTON_ID.findall(source)) - {"page:f"} - set(FORM_ID.findall(source))
    assert shown - declared.keys() - {"setup:only"} == set()
    public = {action for action, needed in declared.items() if needed == Permission(Scope.NONE)}
    assert public == {
        "page:f",
        "page:p",
        "page:n",
        "page:l",
        "page:o",
    }  # each list has a permission


def test_every_form_that_is_opened_is_declared_with_the_permission_of_its_button() -> None:
    buttons, forms = (
        {
            action: declaration
            for owner in command_cogs()
            for declaration, _name in declarations(owner, kind)
            for action in declaration.actions
        }
        for kind in (ButtonDeclaration, FormDeclaration)
    )
    source = "".join(path.read_text("utf-8") for path in Path(cogs.__path__[0]).rglob("*.py"))
    opened = set(FORM_ID.findall(source))
    assert opened == forms.keys()
    by_button = forms.keys() & buttons.keys()  # commands open the others
    assert {action: forms[action].permission for action in by_button} == {
        action: buttons[action].permission for action in by_button
    }


def test_every_list_declares_a_permission() -> None:
    assert all(shown.permission.scope >= Scope.READ for shown in LISTS.values())


def _value(env: BotEnvironment, option: dict[str, Any]) -> Any:
    """Something that can be filled in there."""
    if option.get("choices"):
        return option["choices"][0]["value"]
    return VALUES.get(option["type"]) or {CHANNEL: env.channel("log"), ROLE: env.viewers}.get(
        option["type"], env.vic
    )


async def test_a_refused_person_reads_which_role_a_command_needs(env: BotEnvironment) -> None:
    hidden = ("setup", "route", "audit", "pause", "test")
    env.guild.allowed_commands = {key: {env.guild.id} for key in hidden}
    permissions = _permissions()
    async with env.bot_running():
        await env.wait_for_commands()
        required = dict(
            _leaves([command.definition for command in env.guild.commands if command.type == 1])
        )
        assert required.keys() == permissions.keys()
        for name, permission in permissions.items():
            if permission.is_shared or permission.scope is Scope.NONE:
                continue
            options: dict[str, Any] = {
                option["name"]: _value(env, option) for option in required[name]
            }
            refused = await env.fake.slash(env.stranger, name, options=options)
            role = ROLE_OF_SCOPE[permission.scope]
            assert refused.content.startswith(f"This needs the {role} role"), name


async def test_a_button_rejects_members_without_its_permission(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        await env.add_property("Villa")
        shown = await env.fake.slash(env.dora, "property show", property="1")
        await env.fake.until(lambda: bool(shown.embeds))
        env.dora.remove_role(*env.dora.roles)
        refused = await env.fake.click(env.dora, shown, "Edit")
        assert refused.content.startswith("This needs the dispatcher role")


def _leaves(definitions: list[dict[str, Any]], group: str = "") -> list[tuple[str, list[Any]]]:
    """List commands by their full names with the options that are required."""
    found = []
    for definition in definitions:
        name = f"{group} {definition['name']}".strip()
        options = definition.get("options", [])
        if options and options[0]["type"] in (1, 2):
            found += _leaves(options, name)
        else:
            found.append((name, [option for option in options if option.get("required")]))
    return found
