"""`/alert`: raise, list; and the buttons on an alarm's card."""

from collections.abc import Awaitable, Callable
from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from cogs.i18n.language import N_, _, plural
from cogs.ui.buttons import ButtonHandler
from cogs.ui.options import property_choices, resolve_property
from cogs.ui.pages import ListReader, ListRows, list_page
from cogs.ui.permissions import needs
from cogs.ui.responder import AlreadyDone, Responder, before_modal, reply_embed, reply_text
from cogs.ui.text import inert_line, who
from db import alarms, properties
from db.alarms import Alarm
from webhook.protocol.catalogue import authorise
from webhook.protocol.context import Context, Scope, Share
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.wire import validate
from webhook.queries.alarms import (
    AlarmData,
    AlarmNote,
    AlarmPage,
    OfAlarm,
    Settlement,
    Snooze,
    acknowledge_alarm,
    get_alarms,
    note_alarm,
    settle_alarm,
    snooze_alarm,
)
from webhook.queries.alerts import NewAlert, add_alert
from webhook.queries.drones import WhichDrone, dispatch_drone

LISTED = 20
NOTE = 1_000

AlarmHandler = Callable[[Context, Alarm], Awaitable[str]]
"""Does something about an open alarm and returns what to answer."""

_STATES = {
    "waiting": N_("nobody has acknowledged it"),
    "acknowledged": N_("acknowledged by {who}"),
    "snoozed": N_("snoozed"),
    "resolved": N_("resolved by {who}"),
    "false": N_("false alarm, says {who}"),
    "quiet": N_("fell quiet"),
    "removed": N_("{who} removed the property"),
}
"""What a list says of an alarm's state."""

_TOO_LATE = {
    "acknowledged": N_("This alarm was already acknowledged by {who}."),
    "snoozed": N_("This alarm was already snoozed by {who}."),
    "resolved": N_("This alarm was already resolved by {who}."),
    "false": N_("This alarm was already called false by {who}."),
    "quiet": N_("This alarm has fallen quiet by itself."),
    "removed": N_("This alarm is over, as {who} removed the property."),
}


@app_commands.guild_only()
class AlertCommands(
    commands.GroupCog, group_name="alert", group_description="Alarms at properties"
):
    """Alarms at properties."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    @app_commands.command(
        name="raise",
        description="Raise the alarm at a property",
        extras=needs(Scope.WRITE, or_own=True),
    )
    @app_commands.describe(
        property="The property; type a part of its name", note="What those who answer should know"
    )
    async def raise_(
        self,
        interaction: discord.Interaction,
        property: str,  # noqa: A002
        note: app_commands.Range[str, 1, NOTE] | None = None,
    ) -> None:
        """Raise the alarm, as the game user that the member is, if they are linked to one."""
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property)
            asked = {"propertyId": place.id, "userId": context.caller.user_ids[0], "note": note}
            await add_alert(context, validate(NewAlert, asked))
            where = inert_line(place.location, 200)
            await reply_text(
                interaction, _("The alarm is raised at **{where}**.").format(where=where)
            )

    @app_commands.command(
        name="list",
        description="Show the newest alarms, and who sees to them",
        extras=needs(Scope.READ, or_own=True),
    )
    @app_commands.describe(property="Show only those of this property")
    async def list_(
        self,
        interaction: discord.Interaction,
        property: str | None = None,  # noqa: A002
    ) -> None:
        """List alarms."""
        async with self._responder.deferred(interaction) as context:
            place = "" if property is None else str((await resolve_property(context, property)).id)
            await reply_embed(interaction, await list_page(context, LISTS, "alarms", place))

    @raise_.autocomplete("property")
    @list_.autocomplete("property")
    async def _properties(
        self, interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        return await self._responder.choices(interaction, property_choices, typed)


class NoteForm(discord.ui.Modal):
    """Asks what to note about an alarm."""

    def __init__(self, responder: Responder, alarm_id: int) -> None:
        super().__init__(title=_("Note on the alarm"))
        self._responder = responder
        self._alarm_id = alarm_id
        self._text: discord.ui.TextInput[NoteForm] = discord.ui.TextInput(
            label=_("Note"), style=discord.TextStyle.paragraph, max_length=NOTE
        )
        self.add_item(self._text)

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """Note it."""

        async def note(context: Context, alarm: Alarm) -> str:
            asked = {"alarmId": alarm.id, "text": self._text.value}
            await note_alarm(context, validate(AlarmNote, asked))
            return _("The note is on the card.")

        await _act(self._responder, interaction, self._alarm_id, note)


async def press_acknowledge(
    responder: Responder, interaction: discord.Interaction, alarm_id: int
) -> None:
    """Say that whoever presses sees to the alarm."""

    async def acknowledge(context: Context, alarm: Alarm) -> str:
        await acknowledge_alarm(context, OfAlarm(alarm_id=alarm.id))
        return _("You see to this alarm now.")

    await _act(responder, interaction, alarm_id, acknowledge)


async def press_drone(
    responder: Responder, interaction: discord.Interaction, alarm_id: int
) -> None:
    """Send out a drone of the alarm's property."""

    async with responder.deferred(interaction) as context:
        alarm = await _open_alarm(context, alarm_id)
        sent = await dispatch_drone(context, WhichDrone(property_id=alarm.property_id))
        await reply_text(interaction, _("Drone {id} is on its way.").format(id=sent.drone_id))


async def press_note(responder: Responder, interaction: discord.Interaction, alarm_id: int) -> None:
    """Ask what to note."""
    context = responder.context(interaction)
    if context.caller.scope < Scope.WRITE:  # perhaps the owner, whom only storage knows
        async with before_modal():
            context = await responder.linked_context(interaction)
            await authorise(context, Scope.WRITE, Share.OWNER, OfAlarm(alarm_id=alarm_id))
    await interaction.response.send_modal(NoteForm(responder, alarm_id))


def _snoozes(minutes: int) -> ButtonHandler:
    """Return a button that snoozes an alarm."""

    async def press(responder: Responder, interaction: discord.Interaction, alarm_id: int) -> None:
        async def snooze(context: Context, alarm: Alarm) -> str:
            await snooze_alarm(context, Snooze(alarm_id=alarm.id, minutes=minutes))
            return _("The alarm is snoozed for {minutes} minutes.").format(minutes=minutes)

        await _act(responder, interaction, alarm_id, snooze)

    return press


def _settles(outcome: Literal["resolved", "false"]) -> ButtonHandler:
    """Return a button that ends an alarm."""

    async def press(responder: Responder, interaction: discord.Interaction, alarm_id: int) -> None:
        async def settle(context: Context, alarm: Alarm) -> str:
            await settle_alarm(context, Settlement(alarm_id=alarm.id, outcome=outcome))
            return _("The alarm is over.")

        await _act(responder, interaction, alarm_id, settle)

    return press


async def _act(
    responder: Responder, interaction: discord.Interaction, alarm_id: int, act: AlarmHandler
) -> None:
    """Do something about an open alarm; whoever comes too late is told who was first."""
    async with responder.deferred(interaction) as context:
        alarm = await _open_alarm(context, alarm_id)
        try:
            said = await act(context, alarm)
        except Conflict:
            alarm = await _open_alarm(context, alarm_id)
            if alarm.state == "waiting":
                raise  # a snooze that was in the way has just ended
            raise _too_late(alarm) from None
        await reply_text(interaction, said)


async def _open_alarm(context: Context, alarm_id: int) -> Alarm:
    """Return an alarm that is not over.

    Raises:
        Forbidden: whoever asks may do nothing about it.
        NotFound: it is not known.
        TooLate: it is over.
    """
    await authorise(context, Scope.WRITE, Share.OWNER, OfAlarm(alarm_id=alarm_id))
    alarm = await alarms.get(context.read, alarm_id)
    if alarm is None:
        raise NotFound("this alarm is not known any more")
    if alarm.outcome is not None:
        raise _too_late(alarm)
    return alarm


def _too_late(alarm: Alarm) -> AlreadyDone:
    by = alarm.settled_by or alarm.acknowledged_by or alarm.snoozed_by or ""
    return AlreadyDone(_(_TOO_LATE[alarm.state]).format(who=who(by)))


async def _line(context: Context, row: AlarmData) -> str:
    """Write an alarm as a line of a list."""
    place = await properties.get_even_removed(context.read, row.property_id)
    where = inert_line(place.location if place is not None else "?", 40)
    by = row.settled_by or row.acknowledged_by or ""
    state = _(_STATES[row.state]).format(who=who(by))
    times = plural("{number} time", "{number} times", row.repeats)
    return f"{row.id} · **{where}** · {times} · {state}"


async def _newest(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    place = int(argument) if argument else None
    found = await get_alarms(context, AlarmPage(property_id=place, limit=limit, offset=offset))
    lines = [await _line(context, row) for row in found.alarms]
    return ListRows(_("Alarms"), lines, _("There was no alarm."), found.total)


LISTS: dict[str, ListReader] = {"alarms": _newest}
"""The list of alarms."""

BUTTONS: dict[str, ButtonHandler] = {
    "alarm:acknowledge": press_acknowledge,
    "alarm:drone": press_drone,
    "alarm:note": press_note,
    "alarm:snooze": _snoozes(15),
    "alarm:snoozelong": _snoozes(60),
    "alarm:false": _settles("false"),
    "alarm:resolve": _settles("resolved"),
}
"""What the buttons on alarms' cards do."""
