"""`/help`: what waits now, and the commands that the member may use."""

from collections.abc import Iterator, Mapping
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Command, Group

from cogs.i18n.language import N_, _, plural
from cogs.ui.embeds import FIELD, CardBuilder, Colour, MessageContent
from cogs.ui.permissions import ROLE_OF_SCOPE, needs, permission_of
from cogs.ui.responder import Responder, SentinelCog, reply_embed
from cogs.ui.text import fitting
from webhook.protocol.context import Scope
from webhook.queries.guilds import get_command_ids
from webhook.queries.waiting import Waiting, count_waiting

TASKS = {
    N_("Alarms"): ("alert",),
    N_("Drones"): ("drone",),
    N_("Calls and units"): ("911", "cad"),
    N_("Properties"): ("property", "equipment"),
    N_("Approve properties"): ("property approve", "property reject"),
    N_("Remove properties"): ("property remove", "removal"),
    N_("Who may enter"): ("access",),
    N_("Visits and crimes"): ("visitors", "crimes"),
    N_("You in the game"): ("link",),
    N_("Messages and mentions"): ("route", "pause", "redact", "test"),
    N_("The bot itself"): ("setup", "status", "audit", "help"),
}
"""What people come for, and the commands and groups for it; a command can stand apart from its
group.
"""

OTHERS = N_("Others")

CommandOrGroup = Command[Any, ..., Any] | Group


class HelpCommands(SentinelCog):
    def __init__(self, responder: Responder, tree: app_commands.CommandTree[Any]) -> None:
        super().__init__(responder)
        self._tree = tree

    @app_commands.command(description="Show what you may do here", extras=needs(Scope.NONE))
    @app_commands.guild_only()
    async def help(self, interaction: discord.Interaction) -> None:
        context = await self._responder.defer(interaction)
        ids = await get_command_ids(context, interaction.guild_id or 0)
        commands = [one for one in self._tree.get_commands() if isinstance(one, Command | Group)]
        waiting = await count_waiting(context)
        await reply_embed(interaction, help_of(context.caller.scope, commands, ids, waiting))


def help_of(
    scope: Scope, commands: list[CommandOrGroup], ids: Mapping[str, int], waiting: Waiting
) -> MessageContent:
    """Say what waits now, and list the commands that a scope allows, by what they are for."""
    if scope is Scope.NONE:
        text = _("You have no role here. This is what you can do with your own properties.")
    else:
        text = _("You have the {role} role here. Only you see the answers.")
        text = text.format(role=_(ROLE_OF_SCOPE[scope]))
    card = CardBuilder(_("What you can do"), Colour.NORMAL, text)
    card.add(
        _("Now"), "\n".join(_now(scope, waiting, ids)) or _("Nothing waits for you."), inline=False
    )
    tasks: dict[str, list[str]] = {_(task): [] for task in [*TASKS, OTHERS]}
    for command in commands:
        for one in _leaves(command):
            if _is_shown(one, scope):
                tasks[_(_task_of(one))].append(_mention(one.qualified_name, ids))
    for task, mentions in tasks.items():
        if mentions:
            card.add_named(task, fitting(mentions, " · ", FIELD))
    return MessageContent([card.build()])


def _now(scope: Scope, waiting: Waiting, ids: Mapping[str, int]) -> Iterator[str]:
    """Say what waits, with the command that leads to it; without a role, the one's own list."""
    counts = [
        (
            plural("{number} alarm waits", "{number} alarms wait", waiting.alarms),
            waiting.alarms,
            "alert list",
        ),
        (
            plural("{number} drone is out", "{number} drones are out", waiting.drones),
            waiting.drones,
            "drone list",
        ),
        (
            plural(
                "{number} property waits for approval",
                "{number} properties wait for approval",
                waiting.properties,
            ),
            waiting.properties,
            "property list",
        ),
        (
            plural(
                "{number} removal waits for a decision",
                "{number} removals wait for a decision",
                waiting.removals,
            ),
            waiting.removals,
            "removal list",
        ),
    ]
    return (
        f"**{text}** · {_mention(name if scope >= Scope.READ else 'property mine', ids)}"
        for text, number, name in counts
        if number
    )


def _task_of(command: Command[Any, ..., Any]) -> str:
    of_group = command.qualified_name.partition(" ")[0]
    tasks = {name: task for task, names in TASKS.items() for name in names}
    return tasks.get(command.qualified_name) or tasks.get(of_group, OTHERS)


def _is_shown(command: Command[Any, ..., Any], scope: Scope) -> bool:
    permission = permission_of(command)
    return permission.scope <= scope or (scope is Scope.NONE and permission.is_shared)


def _leaves(command: CommandOrGroup) -> list[Command[Any, ..., Any]]:
    inside = command.walk_commands() if isinstance(command, Group) else [command]
    return [one for one in inside if isinstance(one, Command)]


def _mention(name: str, ids: Mapping[str, int]) -> str:
    """Mention a command, so that a click starts it; plain text while its id is not known."""
    number = ids.get(name.partition(" ")[0])
    return f"`/{name}`" if number is None else f"</{name}:{number}>"
