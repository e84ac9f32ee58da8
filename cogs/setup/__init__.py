"""`/setup`: roles, channels and what to enter in the CAD, chosen in Discord and kept.

The pages are in `cogs.setup.pages`, the creating of channels and roles in `cogs.setup.creation`.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from cogs.i18n.language import _
from cogs.routing.layout import CATEGORY, Layout, choices, store_choices
from cogs.setup.creation import make_channels, make_roles
from cogs.setup.pages import (
    CHANNELS,
    PAGES,
    ROLES,
    CadPushes,
    SetupPage,
    SetupState,
    cad_page,
    channels_page,
    forgotten_with,
    picking_page,
    roles_page,
)
from cogs.ui.buttons import ControlHandler
from cogs.ui.permissions import needs
from cogs.ui.responder import AlreadyDone, Responder, reply_text
from cogs.ui.text import inert_line
from db import settings
from db.errors import StorageUnavailable
from webhook.cad.silence import LastPush
from webhook.protocol.context import Context, Scope, now
from webhook.protocol.errors import Conflict, NotFound
from webhook.queries.cad import configured_cads

FIRST = "cad.first."
"""How the settings begin that hold when the first push of a CAD came, in milliseconds."""

log = logging.getLogger(__name__)


class Setup(commands.Cog):
    """The wizard. `file` is what the configuration says; `on_choice` is told of every choice."""

    def __init__(
        self, responder: Responder, context: Context, file: Layout, port: int, last_push: LastPush
    ) -> None:
        self._responder = responder
        self._context = context
        self._file = file
        self._port = port
        self._last_push = last_push
        self._creating: discord.abc.User | None = None
        self._waiting: dict[int, discord.Interaction] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self.on_choice: Callable[[], None] = lambda: None
        self.controls: Mapping[str, ControlHandler] = {
            "setup:page": self._turn,
            "setup:which": self._show_picking,
            "setup:pick": self._pick,
            "setup:none": self._pick,
            "setup:create": self._create,
            "setup:forget": self._forget,
            "setup:only": self._keep_to_server,
        }

    @app_commands.command(
        description="Choose or create the channels and roles, connect the CAD",
        extras=needs(Scope.ADMIN),
    )
    @app_commands.guild_only()
    async def setup(self, interaction: discord.Interaction) -> None:
        """Show the first page."""
        async with self._responder.deferred(interaction) as context:
            context.caller.must(Scope.ADMIN)
            page = roles_page(await self._state(interaction))
            await interaction.followup.send(
                embed=page.card.build(),
                view=page.view(),
                ephemeral=True,
                allowed_mentions=discord.AllowedMentions.none(),
            )

    async def _turn(
        self, _responder: Responder, interaction: discord.Interaction, name: str, _values: list[str]
    ) -> None:
        """Show a page, as it is now."""
        await self._begin(interaction)
        await self._show_page(interaction, name)

    async def _show_picking(
        self, _responder: Responder, interaction: discord.Interaction, _name: str, values: list[str]
    ) -> None:
        """Show what can be picked for the thing that the menu chose."""
        await self._begin(interaction)
        what = self._known(values[0] if values else "")
        await _show(interaction, picking_page(await self._state(interaction), what))

    async def _pick(
        self, _responder: Responder, interaction: discord.Interaction, what: str, values: list[str]
    ) -> None:
        """Take what was picked; the button, without values, picks nothing."""
        context = await self._begin(interaction)
        guild = _guild(interaction)
        picked = tuple(map(int, values))
        if what in ROLES and what != "roles.viewer" and guild.id in picked:
            raise Conflict("@everyone cannot be chosen here: then everybody could do that")
        await self._choose(context, {self._known(what): picked})
        await _show(interaction, picking_page(await self._state(interaction), what))

    async def _forget(
        self, _responder: Responder, interaction: discord.Interaction, name: str, _values: list[str]
    ) -> None:
        """Go back to what the file says, for a page or for one thing."""
        context = await self._begin(interaction)
        if name in PAGES:
            await self._choose(context, dict.fromkeys(forgotten_with(name, self._file)))
            await self._show_page(interaction, name)
        else:
            await self._choose(context, {self._known(name): None})
            await _show(interaction, picking_page(await self._state(interaction), name))

    async def _keep_to_server(
        self,
        _responder: Responder,
        interaction: discord.Interaction,
        _name: str,
        _values: list[str],
    ) -> None:
        """Keep to the server where the button is pressed."""
        context = await self._begin(interaction)
        await self._choose(context, {"guild_id": (_guild(interaction).id,)})
        await self._show_page(interaction, "roles")

    async def _create(
        self, _responder: Responder, interaction: discord.Interaction, name: str, _values: list[str]
    ) -> None:
        """Create what is missing; one person at a time, as the others would create it again."""
        context = await self._begin(interaction)
        if self._creating is not None:
            text = _("{who} is creating these right now. Press Look again in a moment.")
            raise AlreadyDone(text.format(who=self._creating.mention))
        self._creating = interaction.user
        try:
            await self._make(context, interaction, name)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as fault:
            await self._tell_refusal(interaction, fault)
        finally:
            self._creating = None
            self.on_choice()
        await self._show_page(interaction, name)

    async def _make(self, context: Context, interaction: discord.Interaction, name: str) -> None:
        state = await self._state(interaction)
        missing = state.missing(name)
        if not missing:
            return
        reason = f"/setup by {interaction.user} ({interaction.user.id})"

        async def keep(what: str, number: int) -> None:
            await store_choices(context, self._file, {what: (number,)})

        if name == "roles":
            await make_roles(state.guild, missing, keep, reason)
        else:
            kept = {CATEGORY: state.chosen.get(CATEGORY, ())}
            await make_channels(state.guild, {**state.layout, **kept}, missing, keep, reason)

    async def _tell_refusal(self, interaction: discord.Interaction, fault: Exception) -> None:
        log.warning("/setup could not create everything: %s", fault)
        text = _(
            "Discord did not do all of it: {reason}. What was created is kept and is not created"
            " again; when that is mended, press the button once more."
        )
        await reply_text(interaction, text.format(reason=inert_line(str(fault), 300)))

    async def _begin(self, interaction: discord.Interaction) -> Context:
        """Acknowledge; the answer that has the control is changed later."""
        context = self._responder.context(interaction)
        context.caller.must(Scope.ADMIN)
        self._waiting.pop(interaction.user.id, None)
        await interaction.response.defer()
        return context

    async def _choose(self, context: Context, wanted: Mapping[str, tuple[int, ...] | None]) -> None:
        await store_choices(context, self._file, wanted)
        self.on_choice()

    async def _state(self, interaction: discord.Interaction) -> SetupState:
        guild = _guild(interaction)
        chosen = await choices(self._context.read)
        return SetupState(self._file, chosen, guild, tuple(interaction.client.guilds))

    def _known(self, what: str) -> str:
        if what not in ROLES | CHANNELS or what not in self._file:
            raise NotFound("this button is from another version of the bot")
        return what

    async def _show_page(self, interaction: discord.Interaction, name: str) -> None:
        if name == "cad":
            await self._show_cads(interaction)
        else:
            state = await self._state(interaction)
            await _show(interaction, roles_page(state) if name == "roles" else channels_page(state))

    # The first push

    async def _show_cads(self, interaction: discord.Interaction) -> None:
        """Show what has come, and change the answer once something comes that has not yet."""
        cads = [await self._cad(name) for name in await configured_cads(self._context.read)]
        if any(cad.last_at is None for cad in cads):
            self._waiting[interaction.user.id] = interaction
        await _show(interaction, cad_page(self._port, cads))

    async def _cad(self, name: str) -> CadPushes:
        first_at = await settings.get(self._context.read, FIRST + name)
        at = int(first_at) if first_at is not None else None
        return CadPushes(name, at, self._last_push.at(name))

    def note_first(self, cad: str) -> None:
        """Tell who waits that the first push of a CAD since the start has come."""
        task = asyncio.create_task(self._tell_first(cad))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell_first(self, cad: str) -> None:
        with self._responder.in_flight.track():
            await self._keep_first(cad)
            for user_id, interaction in list(self._waiting.items()):
                del self._waiting[user_id]
                if interaction.is_expired():
                    continue
                async with self._responder.reporting_errors(interaction):
                    await self._show_cads(interaction)
                    text = _("The first push of the CAD **{cad}** has come. It works.")
                    await reply_text(interaction, text.format(cad=inert_line(cad, 32)))

    async def _keep_first(self, cad: str) -> None:
        try:
            async with self._context.database.write() as sql:
                if await settings.get(sql, FIRST + cad) is None:
                    await settings.put(sql, FIRST + cad, str(now()))
        except StorageUnavailable as fault:
            log.warning("when the first push of %s came is not kept: %s", cad, fault)


async def _show(interaction: discord.Interaction, page: SetupPage) -> None:
    await interaction.edit_original_response(embed=page.card.build(), view=page.view())


def _guild(interaction: discord.Interaction) -> discord.Guild:
    if interaction.guild is None or interaction.guild.me is None:
        raise NotFound("the bot is not in this server: invite it again")
    return interaction.guild
