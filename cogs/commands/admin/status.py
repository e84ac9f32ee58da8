"""`/status`: whether everything works, and what does not."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from itertools import groupby

import discord
from discord import app_commands

from cogs.delivery.outage import Outage
from cogs.delivery.rest.clock import DiscordClock
from cogs.delivery.rest.errors import Hindrance
from cogs.i18n.language import N_, _, plural
from cogs.routing.stored import pause_lines
from cogs.routing.troubles import Trouble, Troubles
from cogs.ui.buttons import button
from cogs.ui.embeds import FIELD, Button, CardBuilder, Colour, MessageContent
from cogs.ui.permissions import needs
from cogs.ui.responder import Responder, SentinelCog, reply_embed, reply_text
from cogs.ui.text import fitting, inert_line, timestamp
from webhook.cad.silence import LastPush
from webhook.cad_api.outbox import CadOutbox
from webhook.cad_api.progress import CadProgress
from webhook.protocol.context import Scope, now
from webhook.protocol.game_servers import GameServers
from webhook.queries.audit import StorageStatus, get_storage_status, retry_rejected
from webhook.queries.rows import Backlog, RejectedMessages

DAY = 24 * 60 * 60 * 1000

_STATES = {
    "off": N_("Off"),
    "connecting": N_("Connecting"),
    "ready": N_("Connected"),
    "refused": N_("Discord rejects the bot; the log says why"),
}
"""Texts, translated where they are used."""


async def _register_nothing() -> list[str]:
    return []


@dataclass
class RuntimeStatus:
    """How the program is; its parts write here what they know.

    `discord`: the connection's state. `cads`: the names of the configured CADs. `channels`: ids by
    name. `hindered`: why messages of a channel wait, by id. `deliver` has queues look for work.
    `outbox` asks the CADs.
    `register_commands` registers them anew and returns what failed.
    """

    version: str
    discord: Callable[[], str]
    cads: tuple[str, ...]
    last_push: LastPush
    game_servers: GameServers = field(default_factory=GameServers)
    channels: dict[str, int] = field(default_factory=dict)
    hindered: dict[int, Hindrance] = field(default_factory=dict)
    clock: DiscordClock = field(default_factory=DiscordClock)
    outage: Outage = field(default_factory=Outage)
    deliver: Callable[[Collection[str]], None] = lambda channels: None
    outbox: CadOutbox | None = None
    register_commands: Callable[[], Awaitable[list[str]]] = _register_nothing
    started_at: int = field(default_factory=now)


class StatusCommands(SentinelCog):
    def __init__(self, responder: Responder, status: RuntimeStatus, troubles: Troubles) -> None:
        super().__init__(responder)
        self._status = status
        self._troubles = troubles

    @app_commands.command(
        description="Show whether everything works, and what does not", extras=needs(Scope.WRITE)
    )
    @app_commands.guild_only()
    async def status(self, interaction: discord.Interaction) -> None:
        context = await self._responder.defer(interaction)
        storage = await get_storage_status(context)
        await reply_embed(interaction, self._show(storage, await pause_lines(context.read, now())))

    @button("status:again", Scope.WRITE)
    async def post_again(self, interaction: discord.Interaction, _number: int) -> None:
        """Have Discord asked again to take what it rejected."""
        context = await self._responder.defer(interaction)
        channels = await retry_rejected(context)
        self._status.deliver(channels)
        text = _("Posting again.") if channels else _("There is nothing to post any more.")
        await reply_text(interaction, text)

    @button("status:register", Scope.ADMIN)
    async def register_commands(self, interaction: discord.Interaction, _number: int) -> None:
        """Register the commands whatever Discord has, and delete those of other programs."""
        await self._responder.defer(interaction)
        failed = await self._status.register_commands()
        text = _("The commands are registered. Restart Discord if it still shows the old ones.")
        if failed:
            text = _("Discord does not accept the commands: {reason}")
            text = text.format(reason=inert_line(failed[0], 300))
        await reply_text(interaction, text)

    def _show(self, storage: StorageStatus, pauses: list[str]) -> MessageContent:
        """Show how the program is."""
        status = self._status
        wrong = [each for each in self._troubles.present() if each.key != "messages"]
        state = status.discord()
        rejected = storage.rejections
        is_well = state == "ready" and not (wrong or rejected)
        card = CardBuilder(
            title=_("Everything works") if is_well else _("Something needs attention"),
            colour=Colour.GOOD if is_well else Colour.WARNING,
        )
        card.add(_("Discord"), _(_STATES[state]))
        card.add(_("Pause"), "\n".join(pauses), inline=False)
        card.add(_("What is wrong"), fitting(list(map(_line, wrong)), "\n", FIELD), inline=False)
        channels = set(status.channels.values())
        shut = [one for one in channels if any(trouble.is_about(one) for trouble in wrong)]
        card.add(_("Channels"), _channels(len(channels), len(shut)), inline=False)
        refused = [_rejection_line(status, rejection) for rejection in rejected]
        card.add(_("Refused by Discord"), fitting(refused, "\n", FIELD), inline=False)
        in_use = {*status.channels, "direct"}  # what others wait for is shown once they are back
        backlog = sorted(
            (row for row in storage.backlog if row.channel in in_use), key=lambda row: row.channel
        )
        lines = [
            _backlog_line(status, name, list(rows))
            for name, rows in groupby(backlog, key=lambda row: row.channel)
        ]
        card.add(_("Waiting"), fitting(lines, "\n", FIELD) or _("Nothing."), inline=False)
        pushes = [_push_line(status, cad) for cad in status.cads]
        card.add(_("Last push"), fitting(pushes, "\n", FIELD))
        asked = status.outbox.progress.values() if status.outbox is not None else ()
        asking = [_asking_line(one) for one in asked if one.is_there or one.waiting]
        card.add(_("Asking the CAD"), fitting(asking, "\n", FIELD))
        card.add(_("Game server"), fitting(_game_server_lines(status.game_servers), "\n", FIELD))
        card.add(_("Database"), f"{storage.database_bytes / 1_000_000:.1f} MB")
        card.add(_("Version"), inert_line(status.version, 40))
        card.add(_("Running since"), timestamp(status.started_at))
        again = [Button(N_("Post again"), "status:again:0")] if rejected else []
        register = Button(N_("Register commands"), "status:register:0")
        return MessageContent([card.build()], (*again, register))


def _line(trouble: Trouble) -> str:
    """Write what is wrong and how to mend it; a channel or a role by its name in Discord."""
    sign = {"channel": "#", "role": "@&"}.get(trouble.key.partition(".")[0])
    about = f"<{sign}{trouble.about}> · " if sign and trouble.about else ""
    return f"{about}{inert_line(str(trouble), FIELD // 2)}"


def _channels(number: int, shut: int) -> str:
    if shut:
        return plural("{number} channel does not work.", "{number} channels do not work.", shut)
    if not number:
        return _("None is configured in [discord.channels].")
    return plural("The only channel works.", "All {number} channels work.", number)


def _backlog_line(status: RuntimeStatus, channel: str, backlog: list[Backlog]) -> str:
    where = _place(status, channel)
    entries = sum(one.number for one in backlog if one.kind == "feed")
    posts = sum(one.number for one in backlog) - entries
    counted = [
        plural("1 card", "{number} cards", posts) if posts else "",
        plural("1 feed entry", "{number} feed entries", entries) if entries else "",
    ]
    line = f"{where} · {', '.join(filter(None, counted))}"
    since = min((one.since for one in backlog if one.since is not None), default=None)
    if since is None:
        return line
    return _("{what}, since {when}").format(what=line, when=timestamp(since))


def _rejection_line(status: RuntimeStatus, rejection: RejectedMessages) -> str:
    """Say how much of a channel Discord will never take as it is, and why."""
    is_of_today = now() - rejection.at < DAY
    counted = plural("1 refused", "{number} refused", rejection.number)
    if is_of_today:
        counted = plural("1 refused today", "{number} refused today", rejection.number)
    why = inert_line(rejection.reason, 300)
    return f"{_place(status, rejection.channel)} · {counted}, {timestamp(rejection.at)}: {why}"


def _place(status: RuntimeStatus, channel: str) -> str:
    number = status.channels.get(channel)
    if channel == "direct":
        return _("Private messages")
    return f"<#{number}>" if number is not None else inert_line(channel, 40)


def _game_server_lines(servers: GameServers) -> list[str]:
    """Say which client's resource is there, or since when it is gone, and what waits in it."""
    return [
        " · ".join(
            filter(
                None,
                [
                    inert_line(f"{client}: {server.resource} {server.version}", 120),
                    "" if servers.is_connected(server) else _("gone"),
                    timestamp(server.seen_at),
                    plural("1 waits", "{number} wait", server.waiting) if server.waiting else "",
                    plural("1 refused", "{number} refused", server.refused)
                    if server.refused
                    else "",
                ],
            )
        )
        for client, server in servers.by_client().items()
    ]


def _asking_line(progress: CadProgress) -> str:
    """Say when a CAD last answered, and what waits for it."""
    at = progress.answered_at
    when = timestamp(at) if at is not None else _("no answer since the start")
    waiting = plural("1 waits", "{number} wait", progress.waiting) if progress.waiting else ""
    return " · ".join(filter(None, [inert_line(progress.cad, 40), when, waiting]))


def _push_line(status: RuntimeStatus, cad: str) -> str:
    at = status.last_push.at(cad)
    when = timestamp(at) if at is not None else _("none since the start")
    wrong_at = status.last_push.wrong_key_at
    if at is None and wrong_at is not None:
        text = _("none since the start; one with a wrong key was refused {when}")
        when = text.format(when=timestamp(wrong_at))
    return f"{inert_line(cad, 40)} · {when}"
