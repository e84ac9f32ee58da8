"""`/alert`: raise the alarm, list alarms; and the buttons on an alarm's card."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

import discord
from discord import app_commands

from cogs.cards.alarm_history import earlier_steps, lines_of
from cogs.commands.properties.drones import send_drone
from cogs.i18n.language import N_, _, plural
from cogs.ui.buttons import button, control, read_number
from cogs.ui.cad_answers import answer_request
from cogs.ui.modals import Answers, Form, form
from cogs.ui.names import linked_name, location_of
from cogs.ui.options import (
    HandledAlarmOption,
    OpenAlarmOption,
    OthersAlarmOption,
    PropertyOption,
    UnhandledAlarmOption,
    property_option,
)
from cogs.ui.pages import ListRows, PagedLists, Row, reply_page
from cogs.ui.permissions import needs
from cogs.ui.resolve import resolve_alarm
from cogs.ui.responder import (
    AlreadyDone,
    SentinelGroup,
    before_modal,
    reply_text,
)
from cogs.ui.text import inert_line, timestamp, who
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict
from webhook.protocol.wire import validate
from webhook.queries.alarms import (
    AlarmData,
    AlarmNote,
    AlarmPage,
    NewAlert,
    OfAlarm,
    Settlement,
    Snooze,
    TakeOver,
    acknowledge_alarm,
    add_alert,
    get_alarm,
    get_alarms,
    get_steps,
    list_alarms,
    note_alarm,
    police_alarm,
    release_alarm,
    settle_alarm,
    snooze_alarm,
    take_alarm,
)
from webhook.queries.models import ListPage, alarm_subject
from webhook.queries.properties.drones import WhichDrone
from webhook.queries.properties.find import find_property
from webhook.queries.rows import Alarm, AlarmStep

MAX_NOTE = 1_000

_STATES = {
    "waiting": N_("not acknowledged yet"),
    "acknowledged": N_("acknowledged by {who}"),
    "snoozed": N_("snoozed"),
    "resolved": N_("resolved by {who}"),
    "false": N_("false alarm, according to {who}"),
    "quiet": N_("expired"),
    "removed": N_("{who} removed the property"),
}
"""How a list describes an alarm's state."""

_ALREADY_DONE = {
    "acknowledged": N_("This alarm was already acknowledged by {who}."),
    "snoozed": N_("This alarm was already snoozed by {who}."),
    "resolved": N_("This alarm was already resolved by {who}."),
    "false": N_("This alarm was already marked as false by {who}."),
    "quiet": N_("This alarm has expired."),
    "removed": N_("This alarm is over: {who} removed the property."),
}


_WHICH = "The alarm: its number, or a part of the place"

lists = PagedLists()


class AlertCommands(SentinelGroup, group_name="alert", group_description="Alarms at properties"):
    @app_commands.command(
        name="raise",
        description="Raise the alarm at a property",
        extras=needs(Scope.WRITE, or_allowed=True),
    )
    @property_option(note="What those who answer should know")
    async def raise_(
        self,
        interaction: discord.Interaction,
        property_: PropertyOption,
        note: app_commands.Range[str, 1, MAX_NOTE] | None = None,
    ) -> None:
        context = await self._responder.defer(interaction)
        found = await find_property(context, property_)
        # As the game user that the member is, if they are linked to one.
        ask = {"propertyId": found.id, "userId": context.caller.user_ids[0], "note": note}
        await add_alert(context, validate(NewAlert, ask))
        text = _("Alarm raised at **{where}**.")
        await reply_text(interaction, text.format(where=inert_line(found.location, 200)))

    @app_commands.command(
        name="list",
        description="Show the newest alarms and who is handling them",
        extras=needs(Scope.READ, or_allowed=True),
    )
    @property_option("Show only those of this property")
    async def list_(
        self, interaction: discord.Interaction, property_: PropertyOption | None = None
    ) -> None:
        context = await self._responder.defer(interaction)
        number = "" if property_ is None else str((await find_property(context, property_)).id)
        await reply_page(interaction, await alarms.page(context, number))

    @app_commands.command(
        description="Acknowledge an alarm: you see to it", extras=needs(Scope.WRITE, or_own=True)
    )
    @app_commands.describe(alarm=_WHICH)
    async def ack(self, interaction: discord.Interaction, alarm: UnhandledAlarmOption) -> None:
        context = await self._responder.defer(interaction)
        number = await resolve_alarm(context, alarm)
        await reply_text(interaction, await _acknowledge(context, number))

    @app_commands.command(
        description="Take an alarm over from whoever handles it", extras=needs(Scope.WRITE)
    )
    @app_commands.describe(alarm=_WHICH)
    async def take(self, interaction: discord.Interaction, alarm: OthersAlarmOption) -> None:
        context = await self._responder.defer(interaction)
        ask = TakeOver(alarm_id=await resolve_alarm(context, alarm))
        await reply_text(interaction, await _take(context, ask))

    @app_commands.command(
        description="Have an acknowledged alarm wait for somebody else",
        extras=needs(Scope.WRITE, or_own=True),
    )
    @app_commands.describe(alarm=_WHICH)
    async def release(self, interaction: discord.Interaction, alarm: HandledAlarmOption) -> None:
        context = await self._responder.defer(interaction)
        number = await resolve_alarm(context, alarm)
        await reply_text(interaction, await _release(context, number))

    @app_commands.command(
        description="Put a note on an alarm", extras=needs(Scope.WRITE, or_own=True)
    )
    @app_commands.describe(alarm=_WHICH, text="What those who answer should know")
    async def note(
        self,
        interaction: discord.Interaction,
        alarm: OpenAlarmOption,
        text: app_commands.Range[str, 1, MAX_NOTE],
    ) -> None:
        context = await self._responder.defer(interaction)
        number = await resolve_alarm(context, alarm)
        await reply_text(interaction, await _note(context, number, text))

    @app_commands.command(description="End an alarm", extras=needs(Scope.WRITE, or_own=True))
    @app_commands.describe(alarm=_WHICH, false_alarm="It was a false alarm")
    async def resolve(
        self,
        interaction: discord.Interaction,
        alarm: OpenAlarmOption,
        false_alarm: bool = False,
    ) -> None:
        context = await self._responder.defer(interaction)
        outcome: Literal["false", "resolved"] = "false" if false_alarm else "resolved"
        number = await resolve_alarm(context, alarm)
        settlement = Settlement(alarm_id=number, outcome=outcome)
        await reply_text(interaction, await _settle(context, settlement))

    @button("alarm:acknowledge", Scope.WRITE, or_own=True)
    async def acknowledge_button(self, interaction: discord.Interaction, alarm_id: int) -> None:
        context = await self._responder.defer(interaction)
        await reply_text(interaction, await _acknowledge(context, alarm_id))

    @control("alarm:take", scope=Scope.WRITE)
    async def take_button(self, interaction: discord.Interaction, argument: str) -> None:
        """Take an alarm over from whom the pressed card names: `12:discord:815`."""
        number, _colon, handler = argument.partition(":")
        context = await self._responder.defer(interaction)
        ask = {"alarmId": number, "handler": handler}
        await reply_text(interaction, await _take(context, validate(TakeOver, ask)))

    @button("alarm:release", Scope.WRITE, or_own=True)
    async def release_button(self, interaction: discord.Interaction, alarm_id: int) -> None:
        context = await self._responder.defer(interaction)
        await reply_text(interaction, await _release(context, alarm_id))

    @button("alarm:drone", Scope.WRITE, or_own=True)
    async def drone_button(self, interaction: discord.Interaction, alarm_id: int) -> None:
        context = await self._responder.defer(interaction)
        alarm = await _open_alarm(context, alarm_id)
        ask = WhichDrone(property_id=alarm.property_id)
        await reply_text(interaction, await send_drone(context, ask))

    @button("alarm:note", Scope.WRITE, or_own=True)
    async def note_button(self, interaction: discord.Interaction, alarm_id: int) -> None:
        context = self._responder.context(interaction)
        if context.caller.scope < Scope.WRITE:  # perhaps the owner, whom only storage knows
            async with before_modal():
                context = await self._responder.linked_context(interaction)
                await get_alarm(context, OfAlarm(alarm_id=alarm_id))
        opened = Form(_("Note on the alarm"), f"alarm:note:{alarm_id}")
        opened.add_text("note", _("Note"), max_length=MAX_NOTE, lines=True)
        await interaction.response.send_modal(opened)

    @form("alarm:note", Scope.WRITE, "note", or_own=True)
    async def submit_note(self, context: Context, alarm_id: int, answers: Answers) -> str:
        return await _note(context, alarm_id, answers.text("note"))

    @button("alarm:snooze", Scope.WRITE, or_own=True)
    async def snooze_button(self, interaction: discord.Interaction, alarm_id: int) -> None:
        await self._snooze(interaction, alarm_id, 15)

    @button("alarm:snoozelong", Scope.WRITE, or_own=True)
    async def snooze_long_button(self, interaction: discord.Interaction, alarm_id: int) -> None:
        await self._snooze(interaction, alarm_id, 60)

    @button("alarm:police", Scope.WRITE, or_own=True)
    async def police_button(self, interaction: discord.Interaction, alarm_id: int) -> None:
        context = await self._responder.defer(interaction)
        await _open_alarm(context, alarm_id)
        ask = OfAlarm(alarm_id=alarm_id)
        try:
            asked = await police_alarm(context, ask)
        except Conflict:
            steps, _total = await get_steps(context, ask)
            called = [step for step in steps if step.action == "police"]
            if not called:
                raise
            raise AlreadyDone(_police_called(called[-1])) from None
        await answer_request(interaction, context, asked)

    @button("alarm:false", Scope.WRITE, or_own=True)
    async def false_alarm_button(self, interaction: discord.Interaction, alarm_id: int) -> None:
        await self._settle(interaction, Settlement(alarm_id=alarm_id, outcome="false"))

    @button("alarm:resolve", Scope.WRITE, or_own=True)
    async def resolve_button(self, interaction: discord.Interaction, alarm_id: int) -> None:
        await self._settle(interaction, Settlement(alarm_id=alarm_id, outcome="resolved"))

    async def _snooze(self, interaction: discord.Interaction, alarm_id: int, minutes: int) -> None:
        context = await self._responder.defer(interaction)
        async with _deciding(context, alarm_id):
            await snooze_alarm(context, Snooze(alarm_id=alarm_id, minutes=minutes))
        text = _("Alarm snoozed for {minutes} minutes.")
        await reply_text(interaction, text.format(minutes=minutes))

    async def _settle(self, interaction: discord.Interaction, settlement: Settlement) -> None:
        context = await self._responder.defer(interaction)
        await reply_text(interaction, await _settle(context, settlement))


async def _acknowledge(context: Context, alarm_id: int) -> str:
    async with _deciding(context, alarm_id):
        await acknowledge_alarm(context, OfAlarm(alarm_id=alarm_id))
    return _("You have acknowledged this alarm.")


async def _note(context: Context, alarm_id: int, text: str) -> str:
    async with _deciding(context, alarm_id):
        await note_alarm(context, validate(AlarmNote, {"alarmId": alarm_id, "text": text}))
    return _("Note added.")


async def _settle(context: Context, settlement: Settlement) -> str:
    async with _deciding(context, settlement.alarm_id):
        await settle_alarm(context, settlement)
    return _("Alarm closed.")


async def _take(context: Context, ask: TakeOver) -> str:
    async with _deciding(context, ask.alarm_id):
        before = await _open_alarm(context, ask.alarm_id)
        await take_alarm(context, ask)
    if before.acknowledged_by is None:
        return _("You have acknowledged this alarm.")
    text = _("You took this alarm over from {who}.")
    return text.format(who=who(before.acknowledged_by))


async def _release(context: Context, alarm_id: int) -> str:
    await _open_alarm(context, alarm_id)
    await release_alarm(context, OfAlarm(alarm_id=alarm_id))
    return _("Alarm released. It is waiting for somebody again.")


@asynccontextmanager
async def _deciding(context: Context, alarm_id: int) -> AsyncIterator[None]:
    """Check that an alarm is open; say who was faster, if somebody was."""
    await _open_alarm(context, alarm_id)
    try:
        yield
    except Conflict:
        alarm = await _open_alarm(context, alarm_id)
        if alarm.state == "waiting":
            raise  # a snooze that was in the way has just ended
        if alarm.acknowledged_by == context.caller.name:
            raise AlreadyDone(_("You are already handling this alarm.")) from None
        raise _already_done(alarm) from None


async def _open_alarm(context: Context, alarm_id: int) -> Alarm:
    """Return an alarm that is not over.

    Raises:
        Forbidden: the caller may do nothing about it.
        NotFound: there is none of this number.
        AlreadyDone: it is over.
    """
    alarm = await get_alarm(context, OfAlarm(alarm_id=alarm_id))
    if alarm.outcome is not None:
        raise _already_done(alarm)
    return alarm


def _police_called(step: AlarmStep) -> str:
    text = _("{who} has already called the police, {time}.")
    if not step.who:  # by a rule
        text = _("The police have already been called, {time}.")
    return text.format(who=who(step.who), time=timestamp(step.at))


def _already_done(alarm: Alarm) -> AlreadyDone:
    by = alarm.settled_by or alarm.acknowledged_by or alarm.snoozed_by or ""
    return AlreadyDone(_(_ALREADY_DONE[alarm.state]).format(who=who(by)))


@lists.declare("history", Scope.READ, or_own=True)
async def history(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    steps, total = await get_steps(context, OfAlarm(alarm_id=read_number(argument)))
    rows = []
    if total > len(steps):
        rows.append(Row(earlier_steps(total - len(steps))))
    for step in steps:
        rows += map(Row, lines_of(step))
        await asyncio.sleep(0)  # many long notes take long
    return ListRows.part(_("History"), rows, _("Nothing was done yet."), limit, offset)


@lists.declare("alarms", Scope.READ, or_allowed=True)
async def alarms(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    if argument:
        ask = AlarmPage(property_id=read_number(argument), limit=limit, offset=offset)
        page = await get_alarms(context, ask)
        found: Sequence[AlarmData | Alarm] = page.alarms
        total = page.total
    else:
        found, total = await list_alarms(context, ListPage(limit=limit, offset=offset))
    rows = [await _row(context, row) for row in found]
    return ListRows(_("Alarms"), rows, _("No alarms yet."), total)


async def _row(context: Context, alarm: AlarmData | Alarm) -> Row:
    subject = alarm_subject(alarm.id)
    where = await location_of(context.read, alarm.property_id, 40)
    where = await linked_name(context.read, subject, f"**{where}**")
    by = alarm.settled_by or alarm.acknowledged_by or ""
    state = _(_STATES[alarm.state]).format(who=who(by))
    times = plural("{number} time", "{number} times", alarm.repeats)
    return Row(f"{alarm.id} · {where} · {times} · {state}", f"card:open:{subject}")
