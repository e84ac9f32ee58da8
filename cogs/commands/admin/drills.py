"""`/test`: a card that shows where something is posted and whom it mentions."""

import discord
from discord import app_commands
from discord.app_commands import Choice, Transform

from cogs.cards.drills import KINDS
from cogs.commands.admin.status import RuntimeStatus
from cogs.delivery.explain import Routes
from cogs.i18n.language import _
from cogs.routing.rules import Decision, RoutingFacts
from cogs.ui.options import TextOption, ranked_choices
from cogs.ui.permissions import needs
from cogs.ui.responder import Responder, SentinelCog, reply_text
from cogs.ui.text import inert_line
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, NotFound
from webhook.queries.drills import begin_drill

EVENTS = {
    "emergency": "EVENT_911",
    "dispatch": "EVENT_DISPATCH_NEW",
    "panic": "EVENT_UNIT_PANIC",
    "alerts": "alerts",
    "approvals": "property-added",
    "drones": "drone-dispatched",
    "visits": "visits",
    "access": "auth-entries",
    "crimes": "crimes",
    "units": "EVENT_UNIT_STATUS",
}
"""The event by which rules know each kind."""

_CALLS = {"panic": "panic", "emergency": "emergency", "alerts": "alarm"}
"""The kinds that call a role by themselves, and how rules name them."""

Place = app_commands.AppCommandChannel | app_commands.AppCommandThread


async def _kind_choices(_context: Context, typed: str) -> list[Choice[str]]:
    return ranked_choices(typed, ((kind, _(name)) for kind, name in KINDS.items()))


KindOption = Transform[str, TextOption(_kind_choices)]


class DrillCommands(SentinelCog):
    def __init__(self, responder: Responder, routes: Routes, status: RuntimeStatus) -> None:
        super().__init__(responder)
        self._routes = routes
        self._status = status

    @app_commands.command(
        description="Post a test card; it is over by itself after a minute",
        extras=needs(Scope.ADMIN),
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.describe(
        kind="What it stands for",
        channel="Where; without it, where the rules send such a thing",
        ping="Mention whom the real thing would mention; off",
    )
    async def test(
        self,
        interaction: discord.Interaction,
        kind: KindOption,
        channel: Place | None = None,
        ping: bool = False,
    ) -> None:
        context = await self._responder.defer(interaction)
        found = _find_kind(kind)
        decision = self._decide(context, found)
        name = decision.channel if channel is None else self._name_of(channel.id)
        if channel is None and decision.silent:
            rule = inert_line(decision.rule or "", 64)
            raise Conflict("the rule {rule} silences this; choose a channel", rule=rule)
        if name not in self._routes.in_use:
            raise Conflict("nothing is posted there; choose a channel of the bot")
        mention = decision.mention if ping else 0
        await begin_drill(context, kind=found, channel=name, mention=mention)
        self._status.deliver([name])
        await reply_text(interaction, self._answer(name, mention, ping=ping))

    def _decide(self, context: Context, kind: str) -> Decision:
        facts = RoutingFacts(
            frozenset({EVENTS[kind]}),
            is_panic=kind == "panic",
            calls=_CALLS.get(kind, ""),
            emergency=True if kind == "emergency" else None,
        )
        return self._routes.router.decide(facts, context.now(), kind)

    def _name_of(self, channel_id: int) -> str:
        """Return a channel's name in the configuration, blank if the bot posts nothing there."""
        names = (name for name, number in self._status.channels.items() if number == channel_id)
        return next(names, "")

    def _answer(self, name: str, mention: int, *, ping: bool) -> str:
        text = _("Test card posted in <#{channel}>.").format(channel=self._status.channels[name])
        if mention:
            return f"{text} {_('It mentions {role}.').format(role=f'<@&{mention}>')}"
        if ping:
            return f"{text} {_('The real thing would mention nobody.')}"
        return text


def _find_kind(typed: str) -> str:
    """Return a kind by itself, or by its name in the language of the member.

    Raises:
        NotFound: there is none.
    """
    for kind, name in KINDS.items():
        if typed.strip().casefold() in (kind, name.casefold(), _(name).casefold()):
            return kind
    raise NotFound("there is no test of “{typed}”; choose one from the list", typed=typed[:64])
