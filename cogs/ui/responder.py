"""Private answers to people, and what they read when something goes wrong."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from io import BytesIO
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice
from discord.ext import commands

from cogs.i18n.errors import error_text
from cogs.i18n.language import ENGLISH, _, set_language, set_locale
from cogs.ui.embeds import MessageContent
from cogs.ui.names import plain_values
from cogs.ui.permissions import EVERYBODY, Permission, RoleScopes, permission_of
from cogs.ui.text import inert, inert_line, length, who
from db.errors import StorageUnavailable
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, Forbidden, PropertyGone, SentinelError, Unavailable
from webhook.protocol.messages import to_sentinel_error
from webhook.queries.links import with_linked_user

TEXT_LIMIT = 2_000

MODAL_TIMEOUT = 1.5
"""Seconds that may pass before a form is shown; Discord waits for three."""

_NEEDED = "permission"
"""Under which name an interaction's extras hold the permission that it needs."""

log = logging.getLogger(__name__)


class AlreadyDone(Conflict):
    """Somebody was faster. The text is ready for Discord: it may mention them."""


class InFlight:
    """Tasks that a shutdown waits for."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def track(self) -> None:
        """Have a shutdown wait for the running task."""
        task = asyncio.current_task()
        if task is not None:
            self._add(task)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a task that a shutdown waits for."""
        self._add(asyncio.create_task(work))

    def _add(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait_idle(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)


class Responder:
    """Answers interactions: who acts, in which language, and what a failure is called."""

    def __init__(self, context: Context, roles: RoleScopes) -> None:
        self._context = context
        self.roles = roles
        self.language = ENGLISH
        self.in_flight = InFlight()

    def begin(self, interaction: discord.Interaction) -> None:
        """Track the running task, which is the interaction's own, and use the member's language."""
        self.in_flight.track()
        set_language(self.language)
        set_locale(interaction.locale.value)

    def require(self, interaction: discord.Interaction, permission: Permission) -> None:
        """Check a permission by the member's roles; a refusal that comes later names it too.

        Raises:
            Forbidden: the member lacks it.
        """
        interaction.extras[_NEEDED] = permission
        permission.require(self.roles.caller(interaction))

    def context(self, interaction: discord.Interaction) -> Context:
        """Return the member's context by their roles alone, without reading from storage."""
        return self._context.of(self.roles.caller(interaction))

    async def linked_context(self, interaction: discord.Interaction) -> Context:
        """Return the member's context, also as the game user that they are linked to."""
        return await with_linked_user(self.context(interaction))

    async def defer(self, interaction: discord.Interaction) -> Context:
        """Acknowledge at once, as storage may be slow; return the member's linked context."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        return await self.linked_context(interaction)

    async def choices(
        self,
        interaction: discord.Interaction,
        offer: Callable[[Context], Awaitable[list[Choice[str]]]],
        *,
        of_own: bool = True,
    ) -> list[Choice[str]]:
        """Return choices; none for members without permission, or while storage is unavailable.

        `of_own`: to those who may use the command only on their own, only their own are offered.
        """
        try:
            context = await self.linked_context(interaction)
            if isinstance(interaction.command, app_commands.Command):
                permission = permission_of(interaction.command)
                permission.require(context.caller)
                if of_own and context.caller.scope < permission.scope:
                    context = context.of(replace(context.caller, scope=Scope.NONE))
            return await offer(context)
        except (SentinelError, StorageUnavailable):
            return []
        except Exception:
            log.exception("an autocomplete failed")
            return []

    async def report_error(
        self, interaction: discord.Interaction, fault: Exception, typed: str = ""
    ) -> None:
        """Answer the member, and nobody else, with what went wrong; give back what they typed."""
        try:
            if isinstance(fault, discord.HTTPException):
                raise fault
            text = await self._error_reply(interaction, to_sentinel_error(fault))
            if typed:
                await _reply_with_typed(interaction, text, typed)
            else:
                await reply_text(interaction, text)
        except discord.HTTPException as unreachable:
            # Too late, or Discord is down: there is nobody to tell.
            log.warning("an answer did not reach Discord: %s", unreachable)

    async def _error_reply(self, interaction: discord.Interaction, error: SentinelError) -> str:
        if isinstance(error, Forbidden):
            if unclear := self.roles.unclear_server(interaction):
                return unclear
            needed = interaction.extras.get(_NEEDED, EVERYBODY)
            return _sentence(self.roles.rejection_text(error, needed))
        if isinstance(error, AlreadyDone):
            return error.message
        if isinstance(error, PropertyGone):
            return self._removed_text(error)
        values = error.values
        with suppress(StorageUnavailable):
            values = await plain_values(self._context.read, values)
        return _sentence(inert(error_text(error, values), TEXT_LIMIT - 1))

    def _removed_text(self, gone: PropertyGone) -> str:
        """Say who removed a property, and until when it can be restored."""
        context = self._context
        until = gone.at + context.approvals.restore_hours * 60 * 60 * 1000
        text = _("**{where}** was removed by {who} {when}.").format(
            where=inert_line(gone.location, 200), who=who(gone.by), when=f"<t:{gone.at // 1000}:R>"
        )
        if until < context.now():
            return text
        ask = _("Ask an approver if it should be restored; that is possible until {time}.")
        return f"{text} {ask.format(time=f'<t:{until // 1000}:f>')}"


def _sentence(text: str) -> str:
    """Begin a text with a capital and end it with a full stop."""
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


class SentinelClient(commands.Bot):
    """The bot as options see it: discord.py passes them nothing but the interaction."""

    responder: Responder


class SentinelCog(commands.Cog):
    """Commands and buttons that answer through a responder.

    `context_menus`: the commands in the menu of a member.
    """

    context_menus: tuple[app_commands.ContextMenu, ...] = ()

    def __init__(self, responder: Responder) -> None:
        self._responder = responder


@app_commands.guild_only()
class SentinelGroup(SentinelCog, commands.GroupCog):
    """A group of such commands, for servers only."""


@asynccontextmanager
async def before_modal() -> AsyncIterator[None]:
    """Limit the time of what must be read before a form is shown, as a form cannot be deferred.

    Raises:
        Unavailable: storage takes too long.
    """
    try:
        async with asyncio.timeout(MODAL_TIMEOUT):
            yield
    except TimeoutError:
        raise Unavailable("storage is slow right now, try again in a moment") from None


async def reply_embed(interaction: discord.Interaction, content: MessageContent) -> None:
    """Answer privately with what a card or a list shows."""
    if not interaction.response.is_done():  # the picture may take longer than Discord waits
        await interaction.response.defer(ephemeral=True, thinking=True)
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
            log.warning("an answer is sent without its picture: %s", fault)
        else:
            return
    await send(content.embeds, discord.utils.MISSING)


async def _reply_with_typed(interaction: discord.Interaction, text: str, typed: str) -> None:
    """Answer with a text, and below it what the member typed, so that they can copy it."""
    text = f"{text}\n{_('This is what you typed:')}"
    quoted = f"{text}\n```\n{typed}\n```"
    if "```" not in typed and length(quoted) <= TEXT_LIMIT:
        await reply_text(interaction, quoted)
        return
    file = discord.File(BytesIO(typed.encode("utf-8", "replace")), "text.txt")
    await reply_text(interaction, text, file)


async def reply_text(
    interaction: discord.Interaction, text: str, file: discord.File = discord.utils.MISSING
) -> int:
    """Answer privately, and return the message's id; texts from the game are already inert."""
    mentions = discord.AllowedMentions.none()
    if interaction.response.is_done():
        message = await interaction.followup.send(
            text, file=file, ephemeral=True, wait=True, allowed_mentions=mentions
        )
        return message.id
    send = interaction.response.send_message
    sent = await send(text, file=file, ephemeral=True, allowed_mentions=mentions)
    return sent.message_id or 0
