"""The buttons "Open" of lists: they show, privately, what a row is about, with its buttons."""

import re

import discord

from cogs.cards import CARDS, render
from cogs.commands.property_card import property_card
from cogs.ui.buttons import OutdatedButton, button, control
from cogs.ui.responder import Responder, reply_embed
from webhook.protocol.context import Scope
from webhook.protocol.errors import NotFound
from webhook.queries.card_access import OfSubject, require_card

_SUBJECT = re.compile(r"(?P<kind>[a-z]+):[0-9]{1,18}(\.[0-9]{1,9})?(@.+)?")


class CardOpener:
    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    @button("property:open", Scope.READ, or_allowed=True)
    async def open_property(self, interaction: discord.Interaction, property_id: int) -> None:
        context = await self._responder.defer(interaction)
        await reply_embed(interaction, await property_card(context, property_id))

    @control("card:open", scope=Scope.READ, or_allowed=True)
    async def open_card(self, interaction: discord.Interaction, subject: str) -> None:
        """Show the card of a subject as it is now."""
        found = _SUBJECT.fullmatch(subject)
        if found is None or found["kind"] not in CARDS:
            raise OutdatedButton
        context = await self._responder.defer(interaction)
        shown = await require_card(context, OfSubject(subject=subject))
        content = await render(context.read, shown)
        if content is None:
            raise NotFound("this is no longer stored")
        await reply_embed(interaction, content)
