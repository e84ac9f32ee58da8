"""`/cad`: the open calls, one call, who is on duty, one unit; notes, closing."""

import discord
from discord import app_commands
from discord.app_commands import Choice, Range, Transform

from cogs.cards import board, render
from cogs.i18n.language import N_, _
from cogs.ui.buttons import control
from cogs.ui.cad_answers import AskedOfCad, answer_request, note_and_say
from cogs.ui.embeds import Button, CardBuilder, Colour, MessageContent
from cogs.ui.modals import Answers, Form, form
from cogs.ui.names import cad_suffix, linked_name, plain_status_name, status_name, unit_name
from cogs.ui.options import CHOICE_NAME, MAX_CHOICES, TextOption, search_page
from cogs.ui.pages import ListRows, PagedLists, Row, first_page, reply_page
from cogs.ui.permissions import needs
from cogs.ui.responder import SentinelCog, SentinelGroup, before_modal, reply_embed
from cogs.ui.text import fitting, inert_line, length, plain_line, timestamp
from webhook.cad.events.event import dispatch_subject, emergency_subject
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import NotFound
from webhook.protocol.wire import validate
from webhook.queries.cad.incidents import MAX_NOTE, NewIncidentNote, OfIncident
from webhook.queries.cad.lookup import (
    FoundCall,
    configured_cads,
    find_call,
    find_unit,
    list_calls_of_unit,
    list_open_calls,
    list_units_on_duty,
    suggest_units,
)
from webhook.queries.cad.requests import (
    NewEmergency,
    NewUnitStatus,
    api_cads,
    close_call,
    place_emergency,
    set_own_status,
)
from webhook.queries.rows import DispatchCall, EmergencyCall, Unit

MAX_PLACE = 150
"""Characters of a place that are said again of a 911 call."""

MAX_LABEL = 32
"""Characters of whose note it is."""

STATUSES = (
    (2, "Available"),
    (3, "En route"),
    (4, "On scene"),
    (1, "Busy"),
    (0, "Unavailable"),
)
"""The statuses that a member can set, by the CAD's numbers."""

OFFERED = 200
"""Open calls of each kind that are looked through while somebody types."""

MAX_CALLS = 1_000
"""Open calls of each kind that are listed."""

lists = PagedLists()


async def call_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer open calls, dispatch calls first, the most urgent first."""
    calls = await list_open_calls(context, OFFERED)
    offered = [
        ("dispatch", call.call_id, call.cad, f"{call.call_id} · {call.title or _('no title yet')}")
        for call in calls.dispatches
    ]
    offered += [
        (
            "emergency",
            call.call_id,
            call.cad,
            f"{'911' if call.is_emergency else '311'} {call.call_id} · "
            f"{call.location or call.description}",
        )
        for call in calls.emergencies
    ]
    several = len(await configured_cads(context.read)) > 1
    wanted = typed.strip().casefold()
    return [
        Choice(name=_choice_name(name, cad if several else ""), value=f"{kind}:{number}@{cad}")
        for kind, number, cad, name in offered
        if wanted in name.casefold()
    ][:MAX_CHOICES]


async def unit_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer units, those on duty first."""
    several = len(await configured_cads(context.read)) > 1
    return [
        Choice(
            name=_choice_name(_unit_label(unit), unit.cad if several else ""),
            value=f"{unit.ident}@{unit.cad}",
        )
        for unit in await suggest_units(context, search_page(typed, MAX_CHOICES))
    ]


async def cad_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer the CADs that can be asked."""
    names = await api_cads(context.read)
    return [Choice(name=name, value=name) for name in names if typed.casefold() in name.casefold()]


CallOption = Transform[str, TextOption(call_choices)]
CadOption = Transform[str, TextOption(cad_choices)]
UnitOption = Transform[str, TextOption(unit_choices)]


class CadCommands(SentinelGroup, group_name="cad", group_description="Calls and units of the CAD"):
    @app_commands.command(description="Show the open calls", extras=needs(Scope.READ))
    async def calls(self, interaction: discord.Interaction) -> None:
        context = await self._responder.defer(interaction)
        await reply_page(interaction, await open_calls.page(context))

    @app_commands.command(description="Show one call", extras=needs(Scope.READ))
    @app_commands.rename(call="id")
    @app_commands.describe(call="The call; open ones are offered by number and title")
    async def call(self, interaction: discord.Interaction, call: CallOption) -> None:
        context = await self._responder.defer(interaction)
        await reply_embed(interaction, await _call_card(context, await find_call(context, call)))

    @app_commands.command(description="Show who is on duty", extras=needs(Scope.READ))
    async def units(self, interaction: discord.Interaction) -> None:
        context = await self._responder.defer(interaction)
        card = await board.on_duty(context.read, 5_000)
        one_by_one = Button(N_("One by one"), first_page("units", ""))
        buttons = (one_by_one,) if card.fields else ()
        await reply_embed(interaction, MessageContent([card.build()], buttons))

    @app_commands.command(
        description="Show one unit and the calls it is on", extras=needs(Scope.READ)
    )
    @app_commands.describe(number="The unit; type a part of its number or name")
    async def unit(self, interaction: discord.Interaction, number: UnitOption) -> None:
        await self._show_unit(interaction, number)

    @control("unit:open", scope=Scope.READ)
    async def open_unit_button(self, interaction: discord.Interaction, unit: str) -> None:
        await self._show_unit(interaction, unit)

    @app_commands.command(
        description="Write a note on a call, also in the CAD", extras=needs(Scope.WRITE)
    )
    @app_commands.rename(call="id")
    @app_commands.describe(
        call="The call; open ones are offered by number and title", text="The note"
    )
    async def note(
        self, interaction: discord.Interaction, call: CallOption, text: Range[str, 1, MAX_NOTE]
    ) -> None:
        context = await self._responder.defer(interaction)
        found = await find_call(context, call)
        ask = validate(
            NewIncidentNote, {"subject": str(found.panic or found.subject), "text": text}
        )
        label = plain_line(interaction.user.display_name, MAX_LABEL)
        said, asked = await note_and_say(context, ask, label)
        await answer_request(interaction, context, asked, said)

    @app_commands.command(description="Close a call in the CAD", extras=needs(Scope.WRITE))
    @app_commands.rename(call="id")
    @app_commands.describe(call="The call; open ones are offered by number and title")
    async def close(self, interaction: discord.Interaction, call: CallOption) -> None:
        context = await self._responder.defer(interaction)
        found = await find_call(context, call)
        asked = await close_call(context, OfIncident(subject=str(found.panic or found.subject)))
        await answer_request(interaction, context, asked)

    @app_commands.command(
        description="Set the status of your unit in the CAD", extras=needs(Scope.READ)
    )
    @app_commands.describe(status="The new status", cad="In which CAD, if there are several")
    @app_commands.choices(status=[Choice(name=name, value=code) for code, name in STATUSES])
    async def status(
        self,
        interaction: discord.Interaction,
        status: Choice[int],
        cad: CadOption | None = None,
    ) -> None:
        context = await self._responder.defer(interaction)
        ask = validate(NewUnitStatus, {"status": status.value})
        asked = await set_own_status(context, await _asked_cad(context, cad), ask)
        said = _("Your unit: {status}").format(status=_(status.name))
        await answer_request(interaction, context, asked, said)

    async def _show_unit(self, interaction: discord.Interaction, unit: str) -> None:
        context = await self._responder.defer(interaction)
        card = await _unit_card(context, await find_unit(context, unit))
        await reply_embed(interaction, MessageContent([card.build()]))


class EmergencyCommand(SentinelCog):
    """`/911`, by itself: it is typed in a hurry."""

    @app_commands.command(
        name="911", description="Place a 911 call in the CAD", extras=needs(Scope.READ)
    )
    @app_commands.describe(cad="In which CAD, if there are several")
    @app_commands.guild_only()
    async def place(self, interaction: discord.Interaction, cad: CadOption | None = None) -> None:
        async with before_modal():
            chosen = await _asked_cad(self._responder.context(interaction), cad)
        opened = Form(_("911 call"), f"call:place:{chosen}")
        opened.add_text("location", _("Where"), max_length=200, placeholder=_("Street or place"))
        opened.add_text("postal", _("Postal code"), max_length=32, required=False)
        opened.add_text("description", _("What happens"), max_length=1_000, lines=True)
        opened.add_text(
            "caller",
            _("Who calls"),
            max_length=100,
            shown=plain_line(interaction.user.display_name, 100),
            required=False,
        )
        await interaction.response.send_modal(opened)

    @form(
        "call:place",
        Scope.READ,
        "location",
        "postal",
        "description",
        "caller",
        read_argument=str,
    )
    async def submit(self, context: Context, cad: str, answers: Answers) -> AskedOfCad:
        names = ("location", "postal", "description", "caller")
        ask = validate(NewEmergency, {name: answers.text(name) for name in names})
        asked = await place_emergency(context, cad, ask)
        said = _("911 call: {location}").format(location=inert_line(ask.location, MAX_PLACE))
        return AskedOfCad(said, asked)


@lists.declare("calls", Scope.READ)
async def open_calls(context: Context, _argument: str, limit: int, offset: int) -> ListRows:
    """List open calls: emergencies that nobody has taken, dispatch calls by priority, 311 calls."""
    calls = await list_open_calls(context, MAX_CALLS)
    urgent = [call for call in calls.emergencies if call.is_emergency]
    waiting = [call for call in calls.emergencies if not call.is_emergency]
    every: list[EmergencyCall | DispatchCall] = [*urgent, *calls.dispatches, *waiting]
    rows = [await _call_row(context, call) for call in every[offset : offset + limit]]
    return ListRows(_("Open calls"), rows, _("No open calls."), len(every))


async def _call_row(context: Context, call: EmergencyCall | DispatchCall) -> Row:
    if isinstance(call, DispatchCall):
        line = await board.call_line(context.read, call)
        return Row(line, f"card:open:{dispatch_subject(call.key)}")
    line = await board.waiting_line(context.read, call)
    line = f"**911** · {line}" if call.is_emergency else line
    return Row(line, f"card:open:{emergency_subject(call.key)}")


@lists.declare("units", Scope.READ)
async def units_on_duty(context: Context, _argument: str, limit: int, offset: int) -> ListRows:
    """List who is on duty, those in a panic first."""
    on_duty = await list_units_on_duty(context)
    rows = [
        Row(await _unit_line(context, unit), f"unit:open:{unit.ident}@{unit.cad}")
        for unit in on_duty[offset : offset + limit]
    ]
    return ListRows(_("On duty"), rows, _("Nobody is on duty."), len(on_duty))


async def _unit_line(context: Context, unit: Unit) -> str:
    state = status_name(unit.status) if unit.status else _("no status")
    parts = [
        f"**{unit_name(unit.ident, unit)}**{await cad_suffix(context.read, unit.cad)}",
        f"**{_('PANIC')}**" if unit.is_panic else state,
        inert_line(unit.name, 60, blank=""),
        _("Dispatcher") if unit.is_dispatch else inert_line(unit.department, 60, blank=""),
        inert_line(unit.location, 60, blank=""),
    ]
    return " · ".join(filter(None, parts))


async def _asked_cad(context: Context, given: str | None) -> str:
    """Return the CAD that a member names, else the first one that can be asked."""
    able = await api_cads(context.read)
    if given is not None and given in able:
        return given
    return able[0] if able else (await configured_cads(context.read))[0]


async def _call_card(context: Context, call: FoundCall) -> MessageContent:
    """Return a call's card; for the 911 call that scripts made of a panic, the panic's."""
    content = await render(context.read, call.subject)
    if content is None and call.panic is not None:
        content = await render(context.read, call.panic)
    if content is None:
        raise NotFound("this call is no longer stored")
    return content


async def _unit_card(context: Context, unit: Unit) -> CardBuilder:
    """Show a unit: who it is, what it does, which calls it is on."""
    state = status_name(unit.status) if unit.status else _("no status")
    if not unit.on_duty:
        state = _("off duty")
    name = f"{unit_name(unit.ident, unit)}{await cad_suffix(context.read, unit.cad)}"
    card = CardBuilder(f"{name} · {_('PANIC') if unit.is_panic else state}", _colour(unit))
    card.add("Status", state if unit.is_panic else "")
    card.add("Name", inert_line(unit.name, 200, blank=""))
    card.add("Department", inert_line(unit.department, 200, blank=""))
    card.add("Role", _("Dispatcher") if unit.is_dispatch else "")
    card.add("Group", inert_line(unit.group_name, 200, blank=""))
    card.add("Location", inert_line(unit.location, 500, blank=""))
    lines = []
    for call in await list_calls_of_unit(context, unit):
        subject = dispatch_subject(call.key)
        title = inert_line(call.title, 100, blank=_("no title yet"))
        link = await linked_name(context.read, subject, str(call.call_id))
        lines.append(f"{link} · {title}")
    card.add("Calls", fitting(lines, "\n", 1_000), inline=False)
    card.add("Last heard of", timestamp(unit.updated_at))
    return card


def _colour(unit: Unit) -> Colour:
    if unit.is_panic:
        return Colour.DANGER
    if not unit.on_duty:
        return Colour.OVER
    return Colour.GOOD if unit.status == "AVAILABLE" else Colour.NORMAL


def _unit_label(unit: Unit) -> str:
    """Name a unit in a list: number, name, what it does."""
    state = plain_status_name(unit.status) if unit.on_duty else _("off duty")
    return " · ".join(part for part in (unit.unit_num or str(unit.ident), unit.name, state) if part)


def _choice_name(name: str, cad: str) -> str:
    """Cut a choice's name so that the CAD's still fits behind it."""
    behind = f" · {cad}" if cad else ""
    return plain_line(name, CHOICE_NAME - length(behind)) + behind
