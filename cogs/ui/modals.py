"""Forms that several commands and buttons open."""

from collections.abc import Awaitable, Callable

import discord

from cogs.i18n.language import _
from cogs.ui.responder import Responder, reply_text
from webhook.protocol.context import Context

REASON = 1_000

ReasonHandler = Callable[[Context, str | None], Awaitable[str]]
"""Does what a form is about, with the text that was entered, and returns what to answer."""


class ReasonForm(discord.ui.Modal):
    """Asks why, then acts."""

    def __init__(
        self, responder: Responder, title: str, placeholder: str, act: ReasonHandler
    ) -> None:
        super().__init__(title=title)
        self._responder = responder
        self._act = act
        self.reason: discord.ui.TextInput[ReasonForm] = discord.ui.TextInput(
            label=_("Reason"),
            placeholder=placeholder,
            style=discord.TextStyle.paragraph,
            max_length=REASON,
            required=False,
        )
        self.add_item(self.reason)

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """Act."""
        async with self._responder.deferred(interaction) as context:
            await reply_text(
                interaction, await self._act(context, self.reason.value.strip() or None)
            )
