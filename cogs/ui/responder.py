"""Answers to people: private, inert, and a sentence for whatever goes wrong."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

import discord
from discord import app_commands

from cogs.i18n.language import error_text, using_locale
from cogs.ui.embeds import MessageContent
from cogs.ui.permissions import RoleScopes
from cogs.ui.text import inert
from db import links
from db.errors import StorageUnavailable
from webhook.protocol.context import Context
from webhook.protocol.errors import Conflict, Forbidden, SentinelError, Unavailable
from webhook.protocol.messages import to_sentinel_error

TEXT_LIMIT = 2_000

MODAL_TIMEOUT = 1.5
"""Seconds that may pass before a form is shown; Discord waits for three."""

log = logging.getLogger(__name__)


class AlreadyDone(Conflict):
    """Somebody was faster; the text is ready for Discord, as it may name them by a mention."""


class InFlight:
    """Counts what has begun and not ended, so that a shutdown can let it end."""

    def __init__(self) -> None:
        self._count = 0
        self._nothing = asyncio.Event()
        self._nothing.set()

    @contextmanager
    def track(self) -> Iterator[None]:
        """Count the block while it runs."""
        self._count += 1
        self._nothing.clear()
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._nothing.set()

    async def wait_idle(self) -> None:
        """Wait until nothing is in flight."""
        await self._nothing.wait()


class Responder:
    """Where commands and buttons find what they work with."""

    def __init__(self, context: Context, roles: RoleScopes) -> None:
        self._context = context
        self.roles = roles
        self.in_flight = InFlight()

    def context(self, interaction: discord.Interaction) -> Context:
        """Return the context of whoever acts, by their roles alone: storage may be slow."""
        return self._context.of(self.roles.caller(interaction))

    async def linked_context(self, interaction: discord.Interaction) -> Context:
        """Return the context of whoever acts, also as the game user that they are linked to."""
        context = self.context(interaction)
        link = await links.of_member(context.read, interaction.user.id)
        if link is None:
            return context
        caller = context.caller
        return context.of(replace(caller, user_ids=(link.user_id, *caller.user_ids)))

    async def choices(
        self,
        interaction: discord.Interaction,
        offer: Callable[[Context, str], Awaitable[list[app_commands.Choice[str]]]],
        typed: str,
    ) -> list[app_commands.Choice[str]]:
        """Offer choices; none to those who may not look, or while storage cannot be read."""
        with self.in_flight.track(), using_locale(interaction.locale.value):
            try:
                return await offer(await self.linked_context(interaction), typed)
            except (SentinelError, StorageUnavailable):
                return []
            except Exception:
                log.exception("no choices can be offered")
                return []

    @asynccontextmanager
    async def deferred(self, interaction: discord.Interaction) -> AsyncIterator[Context]:
        """Acknowledge at once, as storage may be slow; tell what goes wrong."""
        async with self.reporting_errors(interaction):
            await interaction.response.defer(ephemeral=True, thinking=True)
            yield await self.linked_context(interaction)

    @asynccontextmanager
    async def reporting_errors(self, interaction: discord.Interaction) -> AsyncIterator[None]:
        """Tell whoever acts, and nobody else, what goes wrong."""
        with self.in_flight.track(), using_locale(interaction.locale.value):
            try:
                yield
            except discord.HTTPException as fault:
                # Too late, or Discord is down: there is nobody to tell.
                log.warning("an answer did not reach Discord: %s", fault)
            except Exception as fault:
                await self.report_error(interaction, to_sentinel_error(fault))

    async def report_error(self, interaction: discord.Interaction, error: SentinelError) -> None:
        """Tell whoever acts what went wrong."""
        if isinstance(error, Forbidden):
            text = self.roles.refusal_text(error)
        elif isinstance(error, AlreadyDone):
            text = error.message
        else:
            said = error_text(error)
            text = inert(said[:1].upper() + said[1:], TEXT_LIMIT - 1) + "."
        try:
            await reply_text(interaction, text)
        except discord.HTTPException as fault:
            log.warning("an answer did not reach Discord: %s", fault)


@asynccontextmanager
async def before_modal() -> AsyncIterator[None]:
    """Bound what must be known before a form can be shown, as a form cannot be deferred.

    Raises:
        Unavailable: storage takes too long.
    """
    try:
        async with asyncio.timeout(MODAL_TIMEOUT):
            yield
    except TimeoutError:
        raise Unavailable("storage is slow right now, try again in a moment") from None


async def reply_embed(interaction: discord.Interaction, content: MessageContent) -> None:
    """Answer privately with what a card or a list shows; the answer was deferred."""
    file = await content.picture.file() if content.picture is not None else None

    async def send(embeds: list[discord.Embed], file: discord.File) -> None:
        await interaction.followup.send(
            embeds=embeds,
            file=file,
            view=content.view() or discord.utils.MISSING,
            ephemeral=True,
            allowed_mentions=discord.AllowedMentions.none(),
        )

    if file is not None:
        try:
            await send(content.embeds_with_picture(), file)
        except discord.HTTPException as fault:
            if fault.status not in (400, 403, 413):
                raise
            log.warning("an answer goes without its picture: %s", fault)
        else:
            return
    await send(content.embeds, discord.utils.MISSING)


async def reply_text(interaction: discord.Interaction, text: str) -> None:
    """Answer privately; every text from the game in it is already inert."""
    mentions = discord.AllowedMentions.none()
    if interaction.response.is_done():
        await interaction.followup.send(text, ephemeral=True, allowed_mentions=mentions)
    else:
        await interaction.response.send_message(text, ephemeral=True, allowed_mentions=mentions)
