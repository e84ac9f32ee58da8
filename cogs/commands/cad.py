"""`/cad`: the open calls, one call, who is on duty, one unit; answers only the asker sees."""

import re

import discord
from discord import app_commands
from discord.app_commands import Choice
from discord.ext import commands

from cogs.cards import board, render
from cogs.i18n.language import _
from cogs.ui.embeds import CardBuilder, Colour, MessageContent
from cogs.ui.names import STATUSES, cad_suffix, linked_name, status_name, unit_name
from cogs.ui.options import CHOICES, NAME, SEARCH
from cogs.ui.permissions import needs
from cogs.ui.responder import Responder, reply_embed
from cogs.ui.text import fitting, inert_line, length, plain_line, timestamp
from db import dispatches, emergencies, units
from db.database import Reader
from db.units import Unit
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.events import Subject
from webhook.protocol.wire import MAX_ID
from webhook.queries.cad import configured_cads

OFFERED = 200
"""Open calls of each kind that are looked through while somebody types."""

_CALL = re.compile(
    r"(?P<kind>dispatch|emergency):(?P<id>[0-9]{1,19})@(?P<cad>[A-Za-z0-9_.-]{1,32})"
)
_UNIT = re.compile(r"(?P<ident>[0-9]{1,19})@(?P<cad>[A-Za-z0-9_.-]{1,32})")


@app_commands.guild_only()
class CadCommands(
    commands.GroupCog, group_name="cad", group_description="Calls and units of the CAD"
):
    """What the CAD told of calls and units."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    @app_commands.command(description="Show the open calls", extras=needs(Scope.READ))
    async def calls(self, interaction: discord.Interaction) -> None:
        """List the open calls."""
        async with self._responder.deferred(interaction) as context:
            context.caller.must(Scope.READ)
            listed = await board.open_calls(context.read, 2_200, 1_500)
            await reply_embed(interaction, MessageContent([listed.build()]))

    @app_commands.command(description="Show one call", extras=needs(Scope.READ))
    @app_commands.describe(id="The call; open ones are offered by number and title")
    async def call(self, interaction: discord.Interaction, id: str) -> None:  # noqa: A002
        """Show a call as its card does."""
        async with self._responder.deferred(interaction) as context:
            context.caller.must(Scope.READ)
            await reply_embed(
                interaction, await _card(context.read, await resolve_call(context, id))
            )

    @app_commands.command(description="Show who is on duty", extras=needs(Scope.READ))
    async def units(self, interaction: discord.Interaction) -> None:
        """List who is on duty."""
        async with self._responder.deferred(interaction) as context:
            context.caller.must(Scope.READ)
            listed = await board.on_duty(context.read, 5_000)
            await reply_embed(interaction, MessageContent([listed.build()]))

    @app_commands.command(
        description="Show one unit and the calls it is on", extras=needs(Scope.READ)
    )
    @app_commands.describe(number="The unit; type a part of its number or name")
    async def unit(self, interaction: discord.Interaction, number: str) -> None:
        """Show a unit."""
        async with self._responder.deferred(interaction) as context:
            context.caller.must(Scope.READ)
            found = await resolve_unit(context, number)
            await reply_embed(
                interaction, MessageContent([(await _unit_card(context.read, found)).build()])
            )

    @call.autocomplete("id")
    async def _calls(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._responder.choices(interaction, call_choices, typed)

    @unit.autocomplete("number")
    async def _units(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._responder.choices(interaction, unit_choices, typed)


async def call_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer open calls that match, dispatch calls first, the newest first."""
    sql = context.read
    several = len(await configured_cads(sql)) > 1
    offered = [
        (
            f"dispatch:{call.call_id}@{call.cad}",
            f"{call.call_id} · {call.title or _('no title yet')}",
        )
        for call in await dispatches.open_calls(sql, OFFERED)
    ]
    offered += [
        (
            f"emergency:{call.call_id}@{call.cad}",
            f"{'911' if call.is_emergency else '311'} {call.call_id} · "
            f"{call.location or call.description}",
        )
        for call in await emergencies.open_calls(sql, OFFERED)
    ]
    wanted = typed.strip().casefold()
    return [
        Choice(name=_choice(name, value.partition("@")[2] if several else ""), value=value)
        for value, name in offered
        if wanted in name.casefold()
    ][:CHOICES]


async def unit_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer units that match, those on duty first."""
    several = len(await configured_cads(context.read)) > 1
    found = await units.search(context.read, typed.strip()[:SEARCH], CHOICES)
    return [
        Choice(
            name=_choice(_typed_unit(unit), unit.cad if several else ""),
            value=f"{unit.ident}@{unit.cad}",
        )
        for unit in found
    ]


async def resolve_call(context: Context, typed: str) -> Subject:
    """Return the one call that was chosen, or whose number was typed.

    Raises:
        NotFound: no call has that number.
        Conflict: several do, and not just one of them is open.
    """
    sql = context.read
    chosen = _CALL.fullmatch(typed.strip())
    if chosen is not None and int(chosen["id"]) <= MAX_ID:
        wanted = Subject(chosen["kind"], f"{int(chosen['id'])}@{chosen['cad']}")
        if await _is_open(sql, wanted) is not None:
            return wanted
    found: dict[Subject, bool] = {}
    number = typed.strip().removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 20 and int(number) <= MAX_ID:
        for cad in await configured_cads(sql):
            for kind in ("dispatch", "emergency"):
                subject = Subject(kind, f"{int(number)}@{cad}")
                is_open = await _is_open(sql, subject)
                if is_open is not None:
                    found[subject] = is_open
    if not found:
        raise NotFound("no call {typed!r} is known", typed=typed[:SEARCH])
    candidates = [subject for subject, is_open in found.items() if is_open] or list(found)
    if len(candidates) > 1:
        raise Conflict(
            "several calls have the number {number}; choose one from the list", number=number
        )
    return candidates[0]


async def resolve_unit(context: Context, typed: str) -> Unit:
    """Return the one unit that was chosen, or that the typed number or name fits.

    Raises:
        NotFound: none fits.
        Conflict: several do.
    """
    sql = context.read
    chosen = _UNIT.fullmatch(typed.strip())
    if chosen is not None and int(chosen["ident"]) <= MAX_ID:
        unit = await units.get(sql, chosen["cad"], int(chosen["ident"]))
        if unit is not None:
            return unit
    wanted = typed.strip()[:SEARCH]
    found = await units.search(sql, wanted, 100) if wanted else []
    exact = [unit for unit in found if unit.unit_num.casefold() == wanted.casefold()] or found
    candidates = [unit for unit in exact if unit.on_duty] or exact
    if not candidates:
        raise NotFound("no unit matches {typed!r}", typed=typed[:SEARCH])
    if len(candidates) > 1:
        raise Conflict(
            "several units match {typed!r}; choose one from the list", typed=typed[:SEARCH]
        )
    return candidates[0]


async def _is_open(sql: Reader, subject: Subject) -> bool | None:
    """Tell whether a call is open, None if it is not known."""
    number, _, cad = subject.key.partition("@")
    if subject.kind == "dispatch":
        call = await dispatches.get(sql, cad, int(number))
        return None if call is None else call.closed_at is None
    emergency = await emergencies.get(sql, cad, int(number))
    if emergency is None or not emergency.seen:
        return None
    return emergency.removed_at is None and emergency.dispatch_call_id is None


async def _card(sql: Reader, subject: Subject) -> MessageContent:
    """Make a call's card; that of a panic for the 911 call that scripts made of it."""
    content = await render(sql, subject)
    if content is None and subject.kind == "emergency":
        number, _, cad = subject.key.partition("@")
        call = await emergencies.get(sql, cad, int(number))
        if call is not None and call.panic_id is not None:
            content = await render(sql, Subject("panic", str(call.panic_id)))
    if content is None:
        raise NotFound("this call is not known any more")
    return content


async def _unit_card(sql: Reader, unit: Unit) -> CardBuilder:
    """Show a unit: who it is, what it does, which calls it is on."""
    state = status_name(unit.status) if unit.status else _("no status")
    if not unit.on_duty:
        state = _("off duty")
    named = f"{unit_name(unit.ident, unit)}{await cad_suffix(sql, unit.cad)}"
    card = CardBuilder(
        title=f"{named} · {_('PANIC')}" if unit.is_panic else f"{named} · {state}",
        colour=_colour(unit),
    )
    if unit.is_panic:
        card.add("Status", state)
    card.add("Name", inert_line(unit.name, 200, blank=""))
    card.add("Department", inert_line(unit.department, 200, blank=""))
    card.add("Role", _("Dispatcher") if unit.is_dispatch else "")
    card.add("Group", inert_line(unit.group_name, 200, blank=""))
    card.add("Location", inert_line(unit.location, 500, blank=""))
    lines = []
    for call_id in await dispatches.calls_of_unit(sql, unit.cad, unit.ident):
        call = await dispatches.get(sql, unit.cad, call_id)
        subject = Subject("dispatch", f"{call_id}@{unit.cad}")
        title = inert_line(call.title if call is not None else "", 100, blank=_("no title yet"))
        lines.append(f"{await linked_name(sql, subject, str(call_id))} · {title}")
    card.add("Calls", fitting(lines, "\n", 1_000), inline=False)
    card.add("Last heard of", timestamp(unit.updated_at))
    return card


def _colour(unit: Unit) -> Colour:
    if unit.is_panic:
        return Colour.DANGER
    if not unit.on_duty:
        return Colour.OVER
    return Colour.GOOD if unit.status == "AVAILABLE" else Colour.NORMAL


def _typed_unit(unit: Unit) -> str:
    """Name a unit in a list: number, name, what it does."""
    known = STATUSES.get(unit.status)
    state = (_(known) if known else unit.status) if unit.on_duty else _("off duty")
    return " · ".join(part for part in (unit.unit_num or str(unit.ident), unit.name, state) if part)


def _choice(name: str, cad: str) -> str:
    """Cut a choice's name so that the CAD's still fits behind it."""
    behind = f" · {cad}" if cad else ""
    return plain_line(name, NAME - length(behind)) + behind
