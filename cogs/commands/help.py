"""`/help`: the commands that whoever asks may use."""

from collections.abc import Iterator, Mapping
from typing import Any

import discord
import orjson
from discord import app_commands
from discord.app_commands import AppCommand, Command, Group
from discord.ext import commands

from cogs.i18n.language import _
from cogs.ui.embeds import FIELD, CardBuilder, Colour, MessageContent
from cogs.ui.permissions import NEEDS, OR_OWN, ROLE_OF_SCOPE, needs
from cogs.ui.responder import Responder, reply_embed
from cogs.ui.text import fitting, length
from db import settings
from db.database import Reader, Transaction
from webhook.protocol.context import Scope

LONGEST = 5_500
"""Characters of all groups together that surely fit into a message."""

Known = Command[Any, ..., Any] | Group


class HelpCommands(commands.Cog):
    """What people may do."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    @app_commands.command(description="Show what you may do here", extras=needs(Scope.NONE))
    @app_commands.guild_only()
    async def help(self, interaction: discord.Interaction) -> None:
        """List the commands."""
        async with self._responder.deferred(interaction) as context:
            assert interaction.guild_id is not None  # noqa: S101 - guild_only
            ids = await command_ids(context.read, interaction.guild_id)
            tree: app_commands.CommandTree = interaction.client.tree  # type: ignore[attr-defined]
            known = [one for one in tree.get_commands() if isinstance(one, Command | Group)]
            await reply_embed(interaction, help_of(context.caller.scope, known, ids))


def help_of(scope: Scope, known: list[Known], ids: Mapping[str, int]) -> MessageContent:
    """Show the commands that a scope suffices for, by their groups.

    With what each does, as long as all of them fit into one message.
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for command in sorted(known, key=lambda one: (not isinstance(one, Group), one.name)):
        name = _(command.description) if isinstance(command, Group) else _("Others")
        groups.setdefault(name, []).extend(
            (_mention(one.qualified_name, ids), _(one.description))
            for one in _leaves(command)
            if _is_shown(one, scope)
        )
    told = {
        name: "\n".join(f"{mention} · {does}" for mention, does in lines)
        for name, lines in groups.items()
    }
    if (
        sum(map(length, [*told, *told.values()])) > LONGEST
        or max(map(length, told.values())) > FIELD
    ):
        told = {
            name: fitting([mention for mention, _does in lines], " · ", FIELD)
            for name, lines in groups.items()
        }
    if scope is Scope.NONE:
        text = _("You have no role here: this is what you may do with what is yours in the game.")
    else:
        text = _("You have the {role} role here. Answers are only for you to see.")
        text = text.format(role=_(ROLE_OF_SCOPE[scope]))
    card = CardBuilder(_("What you may do"), Colour.NORMAL, text)
    for name, commands_told in told.items():
        card.add(name, commands_told, inline=False)
    return MessageContent([card.build()])


def _is_shown(command: Command[Any, ..., Any], scope: Scope) -> bool:
    needed: Scope = command.extras.get(NEEDS, Scope.READ)
    is_for_owners: bool = command.extras.get(OR_OWN, False)
    return needed <= scope or (scope is Scope.NONE and is_for_owners)


def _leaves(command: Known) -> Iterator[Command[Any, ..., Any]]:
    if isinstance(command, Group):
        for inside in command.commands:
            yield from _leaves(inside)
    else:
        yield command


def _mention(name: str, ids: Mapping[str, int]) -> str:
    """Write a command so that a click begins it, or plain where its id is not known."""
    number = ids.get(name.partition(" ")[0])
    return f"`/{name}`" if number is None else f"</{name}:{number}>"


async def command_ids(sql: Reader, guild_id: int) -> dict[str, int]:
    """Return the ids of a guild's commands by name, as Discord gave them."""
    stored = await settings.get(sql, _ids(guild_id))
    found: dict[str, int] = orjson.loads(stored) if stored else {}
    return found


async def keep_command_ids(sql: Transaction, guild_id: int, given: list[AppCommand]) -> None:
    """Keep the ids that Discord gave to a guild's commands."""
    ids = {command.name: command.id for command in given}
    await settings.put(sql, _ids(guild_id), orjson.dumps(ids).decode())


async def forget_command_ids(sql: Transaction, guild_id: int) -> None:
    """Drop them: Discord forgets the commands of a guild that the bot leaves."""
    await settings.forget(sql, _ids(guild_id))


def _ids(guild_id: int) -> str:
    return f"discord.command_ids.{guild_id}"
