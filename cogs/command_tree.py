"""The slash commands, and what happens before and after each."""

import logging

import discord
from discord import app_commands

from cogs.moved_commands import outdated_command
from cogs.ui.permissions import permission_of
from cogs.ui.responder import SentinelClient
from webhook.protocol.errors import Forbidden

OUTDATED = (
    app_commands.CommandNotFound,
    app_commands.CommandSignatureMismatch,
    app_commands.TransformerError,
)

log = logging.getLogger(__name__)


class SentinelTree(app_commands.CommandTree[SentinelClient]):
    """The commands: checks the permissions that they declare, and says what went wrong."""

    async def interaction_check(self, interaction: discord.Interaction[SentinelClient], /) -> bool:
        responder = self.client.responder
        responder.begin(interaction)
        command = interaction.command
        if interaction.type is discord.InteractionType.autocomplete:
            return True  # who may not use a command is offered nothing: Responder.choices
        if command is not None:
            try:
                responder.require(interaction, permission_of(command))
            except Forbidden as fault:
                await responder.report_error(interaction, fault)
                return False
        return True

    async def on_error(
        self,
        interaction: discord.Interaction[SentinelClient],
        error: app_commands.AppCommandError,
        /,
    ) -> None:
        fault: Exception = error
        if isinstance(error, app_commands.CommandInvokeError):
            fault = error.original
        elif isinstance(error, OUTDATED):
            fault = outdated_command(error)
        if interaction.type is discord.InteractionType.autocomplete:
            log.debug("no choices: %s", fault)
            return
        await self.client.responder.report_error(interaction, fault)
