"""`/route`: the routing rules, which of them sends an event where, and why."""

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice, Transform

from cogs.cards.drills import KINDS
from cogs.commands.admin.drills import EVENTS
from cogs.delivery.explain import Routes, explain, resolve_event
from cogs.i18n.language import _, plural
from cogs.routing.facts import event_type
from cogs.routing.rules import Rule
from cogs.routing.stored import RoutingStore
from cogs.ui.modals import Answers, Form, form
from cogs.ui.options import MAX_CHOICES, TextOption, choice
from cogs.ui.permissions import needs
from cogs.ui.responder import Responder, SentinelGroup, reply_text
from cogs.ui.text import either, fitting, inert_line, length
from webhook.protocol.bus import StoredEvent
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict
from webhook.queries.audit import list_events

RECENT = 200
"""Events, the newest, that are offered."""

MAX_NAME = 64

CHANNELS = [
    discord.ChannelType.text,
    discord.ChannelType.news,
    discord.ChannelType.forum,
    discord.ChannelType.public_thread,
]
"""The kinds of channels that the form offers."""

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


@app_commands.default_permissions(manage_guild=True)
class RouteCommands(SentinelGroup, group_name="route", group_description="Routing rules"):
    def __init__(self, responder: Responder, routes: Routes, store: RoutingStore) -> None:
        super().__init__(responder)
        self._routes = routes
        self._store = store

    @app_commands.command(
        description="Add a rule; it comes before those of the file. Without options, a form asks",
        extras=needs(Scope.ADMIN),
    )
    @app_commands.describe(
        name="What the rule is called",
        types="Push types or events, with commas between: EVENT_911, alerts",
        keywords="Words or phrases, with commas between",
        priority="Priorities of calls, with commas between: 1, 2",
        departments="Departments of units, with commas between",
        postals="Postal codes, with commas between; * and ? stand for others",
        channel="Where to post: a channel, a thread or a forum",
        mention="The role to mention once",
        thread="Whether each card gets a thread of its own",
        silent="Whether to post nothing",
        quiet="Hours without mentions, 23:00-07:00; a silent rule is silent only then",
        panics_always="Whether quiet hours spare panics",
    )
    async def add(
        self,
        interaction: discord.Interaction,
        name: app_commands.Range[str, 1, MAX_NAME] | None = None,
        types: str | None = None,
        keywords: str | None = None,
        priority: str | None = None,
        departments: str | None = None,
        postals: str | None = None,
        channel: discord.TextChannel | discord.ForumChannel | discord.Thread | None = None,
        mention: discord.Role | None = None,
        thread: bool | None = None,
        silent: bool | None = None,
        quiet: str | None = None,
        panics_always: bool | None = None,
    ) -> None:
        lists = {
            "types": types,
            "keywords": keywords,
            "priority": priority,
            "departments": departments,
            "postals": postals,
        }
        fields = {
            "name": name,
            **{key: _listed(text) for key, text in lists.items() if text is not None},
            "channel": channel and channel.id,
            "mention": mention and mention.id,
            "thread": thread,
            "silent": silent,
            "quiet": quiet,
            "panics_always": panics_always,
        }
        given = {key: value for key, value in fields.items() if value is not None}
        if not given:
            await interaction.response.send_modal(_rule_form())
            return
        context = await self._responder.defer(interaction)
        if name is None:
            raise Conflict("give the rule a name")
        await reply_text(interaction, await self._add(context, given))

    @form(
        "route:add",
        Scope.ADMIN,
        *("name", "types", "keywords", "channel", "mention"),
        read_argument=str,
    )
    async def submit_rule(self, context: Context, _argument: str, answers: Answers) -> str:
        fields = {
            "name": answers.text("name"),
            "types": answers.choices["types"],
            "keywords": _listed(answers.text("keywords")),
            "channel": _chosen(answers, "channel"),
            "mention": _chosen(answers, "mention"),
        }
        return await self._add(context, {key: value for key, value in fields.items() if value})

    async def _add(self, context: Context, fields: Mapping[str, Any]) -> str:
        rule = await self._store.add(context, fields)
        text = _("The rule {rule} is in force: {what}.")
        return text.format(rule=inert_line(rule.name, 100), what=_described(rule))

    @app_commands.command(
        name="list",
        description="Show the rules in their order; the first that matches counts",
        extras=needs(Scope.ADMIN),
    )
    async def list_(self, interaction: discord.Interaction) -> None:
        await self._responder.defer(interaction)
        lines = [
            f"{number}. **{inert_line(rule.label, 80)}** · {_described(rule)}"
            for number, rule in enumerate(self._store.in_use(), 1)
        ]
        await reply_text(interaction, fitting(lines, "\n", ANSWER) or _("There are no rules."))

    @app_commands.command(
        description="Remove a rule that was added in Discord", extras=needs(Scope.ADMIN)
    )
    @app_commands.describe(name="The rule")
    async def remove(
        self, interaction: discord.Interaction, name: app_commands.Range[str, 1, 64]
    ) -> None:
        context = await self._responder.defer(interaction)
        await self._store.remove(context, name)
        text = _("The rule {rule} was removed.")
        await reply_text(interaction, text.format(rule=inert_line(name, 100)))

    @remove.autocomplete("name")
    async def _offer_rules(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        async def offer(_context: Context) -> list[Choice[str]]:
            names = [rule.name for rule in self._store.in_use() if rule.is_from_discord]
            return [choice(name, name) for name in names if typed.casefold() in name.casefold()][
                :MAX_CHOICES
            ]

        return await self._responder.choices(interaction, offer)

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


def _rule_form() -> Form:
    """Return the form for the usual rule; the options of the command have the rest."""
    opened = Form(_("Add a rule"), "route:add:new")
    opened.add_text("name", _("What the rule is called"), max_length=MAX_NAME)
    types: discord.ui.Select[discord.ui.View] = discord.ui.Select(
        placeholder=_("Everything"),
        options=[
            discord.SelectOption(label=_(KINDS[kind]), value=type_)
            for kind, type_ in EVENTS.items()
        ],
        min_values=0,
        max_values=len(EVENTS),
        required=False,
    )
    opened.add_menu("types", _("Which events"), types)
    opened.add_text(
        "keywords",
        _("Only with one of these words"),
        placeholder=_("Words or phrases, with commas between"),
        max_length=1_000,
        required=False,
    )
    channel: discord.ui.ChannelSelect[discord.ui.View] = discord.ui.ChannelSelect(
        placeholder=_("As usual"), channel_types=CHANNELS, min_values=0, required=False
    )
    opened.add_menu("channel", _("Where to post"), channel)
    mention: discord.ui.RoleSelect[discord.ui.View] = discord.ui.RoleSelect(
        placeholder=_("As usual"), min_values=0, required=False
    )
    opened.add_menu("mention", _("Which role to mention"), mention)
    return opened


def _chosen(answers: Answers, name: str) -> int | None:
    """Return the id that was chosen in a menu, None if nothing was."""
    return next((int(value) for value in answers.choices[name] if value.isdecimal()), None)


def _listed(text: str) -> list[str]:
    """Split what was typed with commas between; nothing is an empty list, which is refused."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _described(rule: Rule) -> str:
    """Say what a rule looks at and what it does."""
    conditions = {
        _("type"): sorted(rule.types or ()),
        _("keyword"): rule.keywords,
        _("priority"): rule.priority,
        _("department"): rule.departments,
        _("postal"): rule.postals,
        _("property"): [str(number) for number in sorted(rule.properties or ())],
    }
    parts = [
        f"{what} {inert_line(either(values), LINE)}"
        for what, values in conditions.items()
        if values
    ]
    effects = [
        f"<#{rule.channel}>" if rule.channel else "",
        f"<@&{rule.mention}>" if rule.mention else "",
        _("with a thread") if rule.thread else "",
        _("silent") if rule.silent else "",
        _("quiet {hours}").format(hours=rule.quiet) if rule.quiet is not None else "",
    ]
    return f"{'; '.join(parts) or _('everything')} → {', '.join(filter(None, effects)) or '—'}"


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
