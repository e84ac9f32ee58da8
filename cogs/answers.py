"""Answers to people: private, inert, and a sentence for whatever goes wrong."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord

from cogs.roles import Roles
from cogs.text import inert
from webhook.context import Context
from webhook.errors import Conflict, Forbidden, SentinelError
from webhook.messages import as_error

CONTENT = 2_000

log = logging.getLogger(__name__)


class TooLate(Conflict):
    """Somebody was faster; the text is ready for Discord, as it may name them by a mention."""


class Desk:
    """Where commands and buttons find what they work with."""

    def __init__(self, context: Context, roles: Roles) -> None:
        self._context = context
        self.roles = roles

    def context(self, interaction: discord.Interaction) -> Context:
        """Return the context of whoever acts.

        Raises:
            Forbidden: they may do nothing here.
        """
        return self._context.of(self.roles.caller(interaction))

    @asynccontextmanager
    async def answering(self, interaction: discord.Interaction) -> AsyncIterator[Context]:
        """Acknowledge at once, as storage may be slow; tell what goes wrong."""
        async with self.telling(interaction):
            context = self.context(interaction)
            await interaction.response.defer(ephemeral=True, thinking=True)
            yield context

    @asynccontextmanager
    async def telling(self, interaction: discord.Interaction) -> AsyncIterator[None]:
        """Tell whoever acts, and nobody else, what goes wrong."""
        try:
            yield
        except discord.HTTPException as fault:
            # Too late, or Discord is down: there is nobody to tell.
            log.warning("an answer did not reach Discord: %s", fault)
        except Exception as fault:
            await self.tell_error(interaction, as_error(fault))

    async def tell_error(self, interaction: discord.Interaction, error: SentinelError) -> None:
        """Tell whoever acts what went wrong."""
        if isinstance(error, Forbidden):
            text = self.roles.refusal(error)
        elif isinstance(error, TooLate):
            text = error.message
        else:
            text = inert(error.message[:1].upper() + error.message[1:], CONTENT - 1) + "."
        try:
            await tell(interaction, text)
        except discord.HTTPException as fault:
            log.warning("an answer did not reach Discord: %s", fault)


async def tell(interaction: discord.Interaction, text: str) -> None:
    """Answer privately; every text from the game in it is already inert."""
    mentions = discord.AllowedMentions.none()
    if interaction.response.is_done():
        await interaction.followup.send(text, ephemeral=True, allowed_mentions=mentions)
    else:
        await interaction.response.send_message(text, ephemeral=True, allowed_mentions=mentions)
