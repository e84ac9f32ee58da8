"""`/route test`: which rule sends an event where, and why."""

from collections.abc import Iterator
from datetime import datetime, tzinfo

import discord
from discord import app_commands
from discord.app_commands import Choice, Transform

from cogs.delivery.explain import Routes, explain, resolve_event
from cogs.i18n.language import plural
from cogs.routing.facts import event_type
from cogs.ui.options import MAX_CHOICES, TextOption, choice
from cogs.ui.permissions import needs
from cogs.ui.responder import Responder, SentinelGroup, reply_text
from cogs.ui.text import inert_line, length
from webhook.protocol.bus import StoredEvent
from webhook.protocol.context import Context, Scope
from webhook.queries.audit import list_events

RECENT = 200
"""Events, the newest, that are offered."""

ANSWER = 1_900
LINE = 300


async def event_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer recent events."""
    events = await list_events(context, RECENT)
    labels = [(_label(event, context.zone), event.id) for event in events]
    wanted = typed.strip().casefold()
    found = [choice(label, event_id) for label, event_id in labels if wanted in label.casefold()]
    return found[:MAX_CHOICES]


EventOption = Transform[str, TextOption(event_choices)]


class RouteCommands(SentinelGroup, group_name="route", group_description="Routing rules"):
    def __init__(self, responder: Responder, routes: Routes) -> None:
        super().__init__(responder)
        self._routes = routes

    @app_commands.command(
        description="Explain which rule sends an event where, and why", extras=needs(Scope.ADMIN)
    )
    @app_commands.describe(
        event="A recent event from the list, or the name of one, like EVENT_911",
        data="For a name: the event's data as JSON",
    )
    async def test(
        self, interaction: discord.Interaction, event: EventOption, data: str | None = None
    ) -> None:
        context = await self._responder.defer(interaction)
        found = await resolve_event(context.read, event, data)
        lines = explain(found, await self._routes.find(context.read, found))
        await reply_text(interaction, _fitting_lines(lines))


def _label(event: StoredEvent, zone: tzinfo) -> str:
    at = datetime.fromtimestamp(event.at / 1000, zone)
    about = ", ".join(map(str, event.subjects))
    return f"{event.id} · {at:%H:%M:%S} · {event_type(event)} · {about}"


def _fitting_lines(lines: Iterator[str]) -> str:
    """Put lines into one answer; those that do not fit are counted."""
    texts = [
        f"{'- ' * line.startswith('- ')}{inert_line(line.removeprefix('- '), LINE)}"
        for line in lines
    ]
    shown: list[str] = []
    used = 0
    for text in texts:
        used += length(text) + 1
        if used > ANSWER:
            left_out = len(texts) - len(shown)
            rest = plural("… and {number} more line", "… and {number} more lines", left_out)
            return "\n".join([*shown, rest])
        shown.append(text)
    return "\n".join(shown)
