"""`/help`: the commands that the member may use."""

from collections.abc import Mapping
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Command, Group

from cogs.i18n.language import _
from cogs.ui.embeds import FIELD, CardBuilder, Colour, MessageContent
from cogs.ui.permissions import ROLE_OF_SCOPE, needs, permission_of
from cogs.ui.responder import Responder, SentinelCog, reply_embed
from cogs.ui.text import fitting, length
from webhook.protocol.context import Scope
from webhook.queries.guilds import get_command_ids

LONGEST = 5_500
"""Characters of all groups together that surely fit into a message."""

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
        await reply_embed(interaction, help_of(context.caller.scope, commands, ids))


def help_of(scope: Scope, commands: list[CommandOrGroup], ids: Mapping[str, int]) -> MessageContent:
    """List the commands that a scope allows, by group; with descriptions if all fit."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for command in sorted(commands, key=lambda one: (not isinstance(one, Group), one.name)):
        name = _(command.description) if isinstance(command, Group) else _("Others")
        groups.setdefault(name, []).extend(
            (_mention(one.qualified_name, ids), _(one.description))
            for one in _leaves(command)
            if _is_shown(one, scope)
        )
    texts = {
        name: "\n".join(f"{mention} · {does}" for mention, does in lines)
        for name, lines in groups.items()
    }
    if (
        sum(map(length, [*texts, *texts.values()])) > LONGEST
        or max(map(length, texts.values())) > FIELD
    ):
        texts = {
            name: fitting([mention for mention, _does in lines], " · ", FIELD)
            for name, lines in groups.items()
        }
    if scope is Scope.NONE:
        text = _("You have no role here. This is what you can do with your own properties.")
    else:
        text = _("You have the {role} role here. Only you can see the answers.")
        text = text.format(role=_(ROLE_OF_SCOPE[scope]))
    card = CardBuilder(_("What you can do"), Colour.NORMAL, text)
    for name, listed in texts.items():
        card.add(name, listed, inline=False)
    return MessageContent([card.build()])


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
