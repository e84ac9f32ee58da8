"""Forms that commands and buttons open."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable

import discord

from cogs.i18n.language import _
from cogs.ui.responder import Responder, reply_text
from webhook.protocol.context import Context

MAX_REASON = 1_000

ReasonHandler = Callable[[Context, str | None], Awaitable[str]]
"""Acts with the reason that was entered, and returns what to answer."""


class Form(discord.ui.Modal):
    """A form; submitting it is deferred, and errors are reported to the member."""

    def __init__(self, responder: Responder, *, title: str) -> None:
        super().__init__(title=title)
        self.responder = responder

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        self.responder.begin(interaction)
        try:
            await self.submit(interaction, await self.responder.defer(interaction))
        except Exception as fault:
            await self.responder.report_error(interaction, fault)

    @abstractmethod
    async def submit(self, interaction: discord.Interaction, context: Context) -> None:
        """Do what the form is for; the answer is deferred."""


class ReasonForm(Form):
    def __init__(
        self, responder: Responder, title: str, placeholder: str, act: ReasonHandler
    ) -> None:
        super().__init__(responder, title=title)
        self._act = act
        self.reason: discord.ui.TextInput[ReasonForm] = discord.ui.TextInput(
            label=_("Reason"),
            placeholder=placeholder,
            style=discord.TextStyle.paragraph,
            max_length=MAX_REASON,
            required=False,
        )
        self.add_item(self.reason)

    async def submit(self, interaction: discord.Interaction, context: Context) -> None:
        reason = self.reason.value.strip() or None
        await reply_text(interaction, await self._act(context, reason))
