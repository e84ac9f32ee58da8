"""`/setup`: roles, channels and what to enter in the CAD, chosen in Discord and stored.

The pages are in `cogs.setup.pages`; `cogs.setup.creation` creates channels and roles.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from cogs.i18n.language import LANGUAGES, _, using_locale
from cogs.routing.community import (
    DEFAULT,
    CommunityTexts,
    chosen_texts,
    store_texts,
    texts_of_locale,
    zone_name,
)
from cogs.routing.layout import (
    GUILD,
    PRESET,
    Layout,
    channel_ids,
    choices,
    single_id,
    store_choices,
)
from cogs.routing.visibility import CalledRole
from cogs.setup.asking_page import asking_page, test_text
from cogs.setup.cad_pages import CadPushes, GameServerAccess, cad_page, game_page
from cogs.setup.creation import create_channels, create_roles, let_only_the_bot_write, let_roles_see
from cogs.setup.keys import PINGS, PURPOSES, ROLES, keys_of
from cogs.setup.pages import (
    PAGES,
    SetupPage,
    channels_page,
    community_page,
    picking_page,
    pings_page,
    roles_page,
)
from cogs.setup.state import PRESETS, SetupState
from cogs.trouble_reports import who_set_up
from cogs.ui.buttons import OutdatedButton, chosen_values, control
from cogs.ui.embeds import view_of
from cogs.ui.modals import Answers, Form, form
from cogs.ui.permissions import needs
from cogs.ui.responder import AlreadyDone, Responder, reply_text
from cogs.ui.text import inert_line
from db.errors import StorageUnavailable
from webhook.cad.silence import LastPush
from webhook.cad_api.outbox import CadOutbox
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.game_servers import GameServers
from webhook.queries.cad.lookup import configured_cads, first_push_at, store_first_push

log = logging.getLogger(__name__)


class SetupWizard(commands.Cog):
    """The wizard.

    `file` and `file_texts` are what the configuration says; `minutes` until an alarm that nobody
    acknowledges calls dispatchers and supervisors. `on_choice` applies every choice.
    """

    def __init__(
        self,
        responder: Responder,
        context: Context,
        file: Layout,
        file_texts: CommunityTexts,
        minutes: tuple[int, int],
        port: int,
        has_cad_key: bool,
        last_push: LastPush,
        access: GameServerAccess,
        game_servers: GameServers,
        outbox: CadOutbox | None,
        called_roles: Sequence[CalledRole],
        on_choice: Callable[[], Awaitable[None]],
    ) -> None:
        self._responder = responder
        self._context = context
        self._file = file
        self._file_texts = file_texts
        self._minutes = minutes
        self._port = port
        self._has_cad_key = has_cad_key
        self._last_push = last_push
        self._called_roles = called_roles
        self._on_choice = on_choice
        self._creating: discord.abc.User | None = None
        self._awaiting_push: dict[int, discord.Interaction] = {}
        self._awaiting_zone: dict[int, discord.Interaction] = {}
        self._access = access
        self._game_servers = game_servers
        self._outbox = outbox
        self._awaiting_game: dict[int, discord.Interaction] = {}
        last_push.subscribe(lambda cad: responder.in_flight.start(self._announce_first(cad)))
        game_servers.subscribe(lambda: responder.in_flight.start(self._announce_game_server()))

    @app_commands.command(
        description="Choose or create the channels and roles, connect the CAD",
        extras=needs(Scope.ADMIN),
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    async def setup(self, interaction: discord.Interaction) -> None:
        context = await self._responder.defer(interaction)
        await self._adopt(context, interaction)
        if not await who_set_up(context.read):
            await store_choices(context, self._file, {})
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
        if guild.id in picked and key in PINGS:
            raise Conflict("@everyone cannot be mentioned as a role, choose another one")
        if guild.id in picked and key in ROLES and key != "roles.viewer":
            raise Conflict("@everyone cannot be chosen here: then everybody could do that")
        await self._choose(context, {self._checked(key): picked})
        await self._show_page(interaction, key)

    @control("setup:forget", scope=Scope.ADMIN)
    async def forget(self, interaction: discord.Interaction, name: str) -> None:
        """Go back to what the file says, for a page or for one thing."""
        context = await self._defer(interaction)
        if name == "community":
            await self._choose_texts(context, CommunityTexts())
        else:
            keys = keys_of(name, self._file) if name in PAGES else [self._checked(name)]
            await self._choose(context, dict.fromkeys(keys))
        await self._show_page(interaction, name)

    @control("setup:only", scope=Scope.ADMIN)
    async def keep_to_server(self, interaction: discord.Interaction, _name: str) -> None:
        context = await self._defer(interaction)
        await self._choose(context, {GUILD: (_guild(interaction).id,)})
        await self._show_page(interaction, "roles")

    @control("setup:language", scope=Scope.ADMIN)
    async def pick_language(self, interaction: discord.Interaction, _name: str) -> None:
        context = await self._defer(interaction)
        (language,) = chosen_values(interaction) or [""]
        if language not in LANGUAGES:
            raise OutdatedButton
        chosen = await chosen_texts(self._context.read)
        await self._choose_texts(context, chosen._replace(language=language))
        await self._show_page(interaction, "community")

    @control("setup:zone", scope=Scope.ADMIN)
    async def pick_zone(self, interaction: discord.Interaction, _name: str) -> None:
        context = await self._defer(interaction)
        (zone,) = chosen_values(interaction) or [""]
        await self._choose_zone(context, zone)
        await self._show_page(interaction, "community")

    @control("setup:ask", scope=Scope.ADMIN)
    async def ask_zone(self, interaction: discord.Interaction, _name: str) -> None:
        asked = Form(_("Time zone"), "setup:ask:0")
        asked.add_text("zone", _("Time zone"), max_length=64, placeholder="Europe/Berlin")
        await interaction.response.send_modal(asked)

    @form("setup:ask", Scope.ADMIN, "zone")
    async def submit_zone(self, context: Context, _number: int, answers: Answers) -> str:
        zone = await self._choose_zone(context, answers.text("zone"))
        page = self._awaiting_zone.get(int(context.caller.name.removeprefix("discord:")))
        if page is not None and not page.is_expired():
            await self._show_page(page, "community")
        return _("The time zone is {zone}.").format(zone=zone)

    @control("setup:create", scope=Scope.ADMIN)
    async def create(self, interaction: discord.Interaction, name: str) -> None:
        """Create the roles that are missing, or the channels of a preset."""
        context = await self._defer(interaction)
        if name != "roles" and name not in PRESETS:
            raise OutdatedButton
        await self._change_discord(interaction, self._make(context, interaction, name))
        await self._show_page(interaction, "roles" if name == "roles" else "channels")

    @control("setup:show", scope=Scope.ADMIN)
    async def show_channels(self, interaction: discord.Interaction, name: str) -> None:
        """Let roles see the channels that are for them or call them."""
        await self._defer(interaction)
        state = await self._state(interaction)
        work = let_roles_see(state.guild, state.layout, self._called_roles, _reason(interaction))
        await self._change_discord(interaction, work)
        await self._show_page(interaction, name)

    @control("setup:close", scope=Scope.ADMIN)
    async def close_channels(self, interaction: discord.Interaction, name: str) -> None:
        """Let only the bot write in the channels that were created."""
        await self._defer(interaction)
        state = await self._state(interaction)
        work = let_only_the_bot_write(state.guild, state.layout, _reason(interaction))
        await self._change_discord(interaction, work)
        await self._show_page(interaction, name)

    async def _change_discord(
        self, interaction: discord.Interaction, work: Coroutine[Any, Any, None]
    ) -> None:
        """Do what changes Discord; one person at a time, as the others would do it again."""
        if self._creating is not None:
            work.close()
            text = _("{who} is creating these right now. Press Refresh in a moment.")
            raise AlreadyDone(text.format(who=self._creating.mention))
        self._creating = interaction.user
        fault: Exception | None = None
        try:
            await work
        except (discord.DiscordException, aiohttp.ClientError, OSError) as problem:
            fault = problem
        finally:
            self._creating = None
            await self._on_choice()
        if fault is not None:
            await self._report_incomplete(interaction, fault)

    async def _make(self, context: Context, interaction: discord.Interaction, name: str) -> None:
        state, reason = await self._state(interaction), _reason(interaction)

        async def store(key: str, number: int) -> None:
            await store_choices(context, self._file, {key: (number,)})

        if name != "roles":
            missing = state.missing_channels(name)
            if missing:
                await store(PRESET, list(PRESETS).index(name) + 1)
                await create_channels(state.guild, state.layout, missing, store, reason)
            return
        missing_roles = state.missing_roles()
        if missing_roles:
            await create_roles(state.guild, missing_roles, store, reason)
            layout = (await self._state(interaction)).layout
            await let_roles_see(state.guild, layout, (), reason, only=missing_roles)

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
        self._awaiting_zone.pop(interaction.user.id, None)
        self._awaiting_game.pop(interaction.user.id, None)
        await interaction.response.defer()
        return self._responder.context(interaction)

    async def _choose(self, context: Context, wanted: Mapping[str, tuple[int, ...] | None]) -> None:
        await store_choices(context, self._file, wanted)
        await self._on_choice()

    async def _choose_texts(self, context: Context, wanted: CommunityTexts) -> None:
        await store_texts(context, self._file_texts, wanted)
        await self._on_choice()

    async def _choose_zone(self, context: Context, text: str) -> str:
        """Choose the time zone of a name and return it as it is written."""
        zone = zone_name(text)
        chosen = await chosen_texts(self._context.read)
        await self._choose_texts(context, chosen._replace(timezone=zone))
        return zone

    async def _adopt(self, context: Context, interaction: discord.Interaction) -> None:
        """Bind the bot to the only server it is in: who invites it elsewhere gains nothing by it.

        A community that has nothing yet also takes over the server's language and time zone.
        """
        state = await self._state(interaction)
        if GUILD in state.chosen or single_id(state.file, GUILD) or len(state.guilds) > 1:
            return
        if not channel_ids(state.layout):
            texts = texts_of_locale(state.guild.preferred_locale.value)
            unset = [name for name, value in self._file_texts._asdict().items() if not value]
            wanted = {name: getattr(texts, name) for name in unset}
            await store_texts(context, self._file_texts, CommunityTexts(**wanted))
        await self._choose(context, {GUILD: (state.guild.id,)})

    async def _state(self, interaction: discord.Interaction) -> SetupState:
        chosen = await chosen_texts(self._context.read)
        return SetupState(
            self._file,
            await choices(self._context.read),
            _guild(interaction),
            tuple(interaction.client.guilds),
            self._called_roles,
            chosen.or_else(self._file_texts).or_else(DEFAULT),
            chosen,
        )

    def _checked(self, key: str) -> str:
        if key not in PURPOSES or key not in self._file:
            raise OutdatedButton
        return key

    async def _show_page(self, interaction: discord.Interaction, name: str) -> None:
        """Show one of the named pages, or what can be picked for a key of the layout."""
        if name == "asking":
            await self._show_asking(interaction)
            return
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
        elif name == "pings":
            page = pings_page(state, self._minutes)
        elif name == "community":
            page = community_page(state)
            self._awaiting_zone[interaction.user.id] = interaction
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
        wrong_key_at = self._last_push.wrong_key_at
        page = cad_page(self._port, cads, has_key=self._has_cad_key, wrong_key_at=wrong_key_at)
        await _show(interaction, page)

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

    # What is asked of the CADs

    @control("setup:test", scope=Scope.ADMIN)
    async def ask_cads(self, interaction: discord.Interaction, _name: str) -> None:
        """Ask each CAD that can be asked for its version, and show what it says."""
        await self._defer(interaction)
        outbox, tested = self._outbox, dict[str, str]()
        for cad, progress in outbox.progress.items() if outbox is not None else ():
            if outbox is not None and progress.is_there:
                refusal = await outbox.test(cad)
                why, detail = (None, "") if refusal is None else refusal
                tested[cad] = test_text(progress, why, detail)
        await self._show_asking(interaction, tested)

    async def _show_asking(
        self, interaction: discord.Interaction, tested: Mapping[str, str] | None = None
    ) -> None:
        found = {} if self._outbox is None else self._outbox.progress
        await _show(interaction, asking_page(found, self._context.now(), tested))

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


def _reason(interaction: discord.Interaction) -> str:
    """Return what Discord's audit log says of a change."""
    return f"/setup by {interaction.user} ({interaction.user.id})"


def _guild(interaction: discord.Interaction) -> discord.Guild:
    if interaction.guild is None or interaction.guild.me is None:
        raise NotFound("the bot is not in this server: invite it again")
    return interaction.guild
