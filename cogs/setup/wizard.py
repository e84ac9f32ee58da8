"""`/setup`: roles, channels and what to enter in the CAD, chosen in Discord and stored.

The pages are in `cogs.setup.pages`; `cogs.setup.creation` creates channels and roles.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from cogs.i18n.language import _, using_locale
from cogs.routing.layout import CATEGORY, Layout, choices, store_choices
from cogs.routing.setup_health import CalledRole
from cogs.setup.creation import create_channels, create_roles
from cogs.setup.pages import (
    CHANNELS,
    PAGES,
    ROLES,
    CadPushes,
    GameServerAccess,
    SetupPage,
    SetupState,
    cad_page,
    channels_page,
    game_page,
    picking_page,
    resettable_keys,
    roles_page,
)
from cogs.ui.buttons import OutdatedButton, chosen_values, control
from cogs.ui.embeds import view_of
from cogs.ui.permissions import needs
from cogs.ui.responder import AlreadyDone, Responder, reply_text
from cogs.ui.text import inert_line
from db.errors import StorageUnavailable
from webhook.cad.silence import LastPush
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.game_servers import GameServers
from webhook.queries.cad import configured_cads, first_push_at, store_first_push

log = logging.getLogger(__name__)


class SetupWizard(commands.Cog):
    """The wizard. `file` is what the configuration says; `on_choice` applies every choice."""

    def __init__(
        self,
        responder: Responder,
        context: Context,
        file: Layout,
        port: int,
        last_push: LastPush,
        access: GameServerAccess,
        game_servers: GameServers,
        called_roles: Sequence[CalledRole],
        on_choice: Callable[[], Awaitable[None]],
    ) -> None:
        self._responder = responder
        self._context = context
        self._file = file
        self._port = port
        self._last_push = last_push
        self._called_roles = called_roles
        self._on_choice = on_choice
        self._creating: discord.abc.User | None = None
        self._awaiting_push: dict[int, discord.Interaction] = {}
        self._access = access
        self._game_servers = game_servers
        self._awaiting_game: dict[int, discord.Interaction] = {}
        last_push.subscribe(lambda cad: responder.in_flight.start(self._announce_first(cad)))
        game_servers.subscribe(lambda: responder.in_flight.start(self._announce_game_server()))

    @app_commands.command(
        description="Choose or create the channels and roles, connect the CAD",
        extras=needs(Scope.ADMIN),
    )
    @app_commands.guild_only()
    async def setup(self, interaction: discord.Interaction) -> None:
        await self._responder.defer(interaction)
        page = roles_page(await self._state(interaction))
        await interaction.followup.send(
            embed=page.card.build(),
            view=view_of(page.items),
            ephemeral=True,
            allowed_mentions=discord.AllowedMentions.none(),
        )

    @control("setup:page", scope=Scope.ADMIN)
    async def turn(self, interaction: discord.Interaction, name: str) -> None:
        await self._defer(interaction)
        await self._show_page(interaction, name)

    @control("setup:which", scope=Scope.ADMIN)
    async def show_picking(self, interaction: discord.Interaction, _name: str) -> None:
        """Show what can be picked for the thing that the menu chose."""
        await self._defer(interaction)
        chosen = chosen_values(interaction)
        await self._show_page(interaction, chosen[0] if chosen else "")

    @control("setup:pick", "setup:none", scope=Scope.ADMIN)
    async def pick(self, interaction: discord.Interaction, key: str) -> None:
        """Store what was picked; the button, without values, picks nothing."""
        context = await self._defer(interaction)
        guild = _guild(interaction)
        picked = tuple(map(int, chosen_values(interaction)))
        if key in ROLES and key != "roles.viewer" and guild.id in picked:
            raise Conflict("@everyone cannot be chosen here: then everybody could do that")
        await self._choose(context, {self._checked(key): picked})
        await self._show_page(interaction, key)

    @control("setup:forget", scope=Scope.ADMIN)
    async def forget(self, interaction: discord.Interaction, name: str) -> None:
        """Go back to what the file says, for a page or for one thing."""
        context = await self._defer(interaction)
        keys = resettable_keys(name, self._file) if name in PAGES else [self._checked(name)]
        await self._choose(context, dict.fromkeys(keys))
        await self._show_page(interaction, name)

    @control("setup:only", scope=Scope.ADMIN)
    async def keep_to_server(self, interaction: discord.Interaction, _name: str) -> None:
        context = await self._defer(interaction)
        await self._choose(context, {"guild_id": (_guild(interaction).id,)})
        await self._show_page(interaction, "roles")

    @control("setup:create", scope=Scope.ADMIN)
    async def create(self, interaction: discord.Interaction, name: str) -> None:
        """Create what is missing; one person at a time, as the others would create it again."""
        context = await self._defer(interaction)
        if self._creating is not None:
            text = _("{who} is creating these right now. Press Refresh in a moment.")
            raise AlreadyDone(text.format(who=self._creating.mention))
        self._creating = interaction.user
        fault: Exception | None = None
        try:
            await self._make(context, interaction, name)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as problem:
            fault = problem
        finally:
            self._creating = None
            await self._on_choice()
        if fault is not None:
            await self._report_incomplete(interaction, fault)
        await self._show_page(interaction, name)

    async def _make(self, context: Context, interaction: discord.Interaction, name: str) -> None:
        state = await self._state(interaction)
        missing = state.missing(name)
        if not missing:
            return
        reason = f"/setup by {interaction.user} ({interaction.user.id})"

        async def store(key: str, number: int) -> None:
            await store_choices(context, self._file, {key: (number,)})

        if name == "roles":
            await create_roles(state.guild, missing, store, reason)
        else:
            layout = {**state.layout, CATEGORY: state.chosen.get(CATEGORY, ())}
            await create_channels(state.guild, layout, missing, store, reason)

    async def _report_incomplete(self, interaction: discord.Interaction, fault: Exception) -> None:
        log.warning("/setup could not create everything: %s", fault)
        text = _(
            "Discord did not create everything: {reason}. What was created is kept and will "
            "not be created again. Fix this, then press the button again."
        )
        await reply_text(interaction, text.format(reason=inert_line(str(fault), 300)))

    async def _defer(self, interaction: discord.Interaction) -> Context:
        """Acknowledge; the answer that has the control is changed later."""
        self._awaiting_push.pop(interaction.user.id, None)
        self._awaiting_game.pop(interaction.user.id, None)
        await interaction.response.defer()
        return self._responder.context(interaction)

    async def _choose(self, context: Context, wanted: Mapping[str, tuple[int, ...] | None]) -> None:
        await store_choices(context, self._file, wanted)
        await self._on_choice()

    async def _state(self, interaction: discord.Interaction) -> SetupState:
        guild = _guild(interaction)
        chosen = await choices(self._context.read)
        guilds = tuple(interaction.client.guilds)
        return SetupState(self._file, chosen, guild, guilds, self._called_roles)

    def _checked(self, key: str) -> str:
        if key not in ROLES | CHANNELS or key not in self._file:
            raise OutdatedButton
        return key

    async def _show_page(self, interaction: discord.Interaction, name: str) -> None:
        """Show one of the named pages, or what can be picked for a key of the layout."""
        if name == "cad":
            await self._show_cads(interaction)
            return
        if name == "game":
            await self._show_game_servers(interaction)
            return
        state = await self._state(interaction)
        if name == "roles":
            page = roles_page(state)
        elif name == "channels":
            page = channels_page(state)
        else:
            page = picking_page(state, self._checked(name))
        await _show(interaction, page)

    # The first push

    async def _show_cads(self, interaction: discord.Interaction) -> None:
        """Show what has come, and change the answer once something comes that has not yet."""
        sql = self._context.read
        cads = [
            CadPushes(name, await first_push_at(sql, name), self._last_push.at(name))
            for name in await configured_cads(sql)
        ]
        if any(cad.last_at is None for cad in cads):
            self._awaiting_push[interaction.user.id] = interaction
        await _show(interaction, cad_page(self._port, cads))

    async def _announce_first(self, cad: str) -> None:
        """Tell those who wait that the first push of a CAD since the start has come."""
        try:
            await store_first_push(self._context.database, cad, self._context.now())
        except StorageUnavailable as fault:
            log.warning("the time of the first push from %s could not be stored: %s", cad, fault)
        for user_id, interaction in list(self._awaiting_push.items()):
            del self._awaiting_push[user_id]
            if not interaction.is_expired():
                await self._announce_to(interaction, cad)

    async def _announce_to(self, interaction: discord.Interaction, cad: str) -> None:
        with using_locale(interaction.locale.value):
            try:
                await self._show_cads(interaction)
                text = _("The first push of the CAD **{cad}** has come. It works.")
                await reply_text(interaction, text.format(cad=inert_line(cad, 32)))
            except Exception as fault:
                await self._responder.report_error(interaction, fault)

    # The game server

    async def _show_game_servers(self, interaction: discord.Interaction) -> None:
        """Show what to configure, and change the answer once the resource is there."""
        servers = self._game_servers
        if not any(map(servers.is_connected, servers.by_client().values())):
            self._awaiting_game[interaction.user.id] = interaction
        await _show(interaction, game_page(self._access, servers))

    async def _announce_game_server(self) -> None:
        """Show those who wait for it that a game server is there."""
        for user_id, interaction in list(self._awaiting_game.items()):
            del self._awaiting_game[user_id]
            if interaction.is_expired():
                continue
            with using_locale(interaction.locale.value):
                try:
                    await self._show_game_servers(interaction)
                except Exception as fault:
                    await self._responder.report_error(interaction, fault)


async def _show(interaction: discord.Interaction, page: SetupPage) -> None:
    await interaction.edit_original_response(embed=page.card.build(), view=view_of(page.items))


def _guild(interaction: discord.Interaction) -> discord.Guild:
    if interaction.guild is None or interaction.guild.me is None:
        raise NotFound("the bot is not in this server: invite it again")
    return interaction.guild
