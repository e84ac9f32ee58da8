"""What staff's card, the owner's message and an escalation say alike of an alarm."""

from typing import NamedTuple

from cogs.i18n.language import N_, _, plural
from cogs.ui.embeds import TITLE, CardBuilder, Colour
from cogs.ui.text import duration, inert_line, timestamp, who
from db import alarms, properties
from db.alarms import Alarm
from db.database import Reader
from db.properties import Property

SECOND = 1000


class AlarmTexts(NamedTuple):
    """What the cards say of an alarm in one state."""

    title: str
    colour: Colour
    for_staff: str
    for_owner: str


STATES: dict[str, AlarmTexts] = {
    "waiting": AlarmTexts(
        N_("Alarm · {where}"),
        Colour.DANGER,
        N_("Not acknowledged yet. Waiting since {since}."),
        N_("Not acknowledged yet."),
    ),
    "acknowledged": AlarmTexts(
        N_("Alarm acknowledged · {where}"),
        Colour.WARNING,
        N_("{acknowledged_by} is handling it. Acknowledged {acknowledged}."),
        N_("Somebody is handling it."),
    ),
    "snoozed": AlarmTexts(
        N_("Alarm snoozed · {where}"),
        Colour.NORMAL,
        N_("Snoozed by {snoozed_by} until {until}. It does not escalate before then."),
        N_("It is snoozed until {until}."),
    ),
    "resolved": AlarmTexts(
        N_("Alarm resolved · {where}"),
        Colour.GOOD,
        N_("Resolved by {settled_by}, {settled}."),
        N_("It is resolved."),
    ),
    "false": AlarmTexts(
        N_("False alarm · {where}"),
        Colour.OVER,
        N_("Marked as a false alarm by {settled_by}, {settled}."),
        N_("It was a false alarm."),
    ),
    "quiet": AlarmTexts(
        N_("Alarm expired · {where}"),
        Colour.OVER,
        N_("Nothing more happened. It expired {settled}."),
        N_("It expired."),
    ),
    "removed": AlarmTexts(
        N_("Alarm over · {where}"),
        Colour.OVER,
        N_("{settled_by} removed the property, {settled}."),
        N_("The property was removed."),
    ),
}


async def find_alarm(sql: Reader, alarm_id: int) -> tuple[Alarm, Property] | None:
    """Return an alarm and its property, which may be removed; None if it is not stored."""
    stored = await alarms.get(sql, alarm_id)
    property_ = stored and await properties.get_even_removed(sql, stored.property_id)
    return (stored, property_) if stored is not None and property_ is not None else None


def begin_card(shown: Alarm, property_: Property, text: str) -> CardBuilder:
    """Begin a card with the title and colour of an alarm's state; `text`: about it, in English."""
    state = STATES[shown.state]
    return CardBuilder(
        title=_(state.title).format(where=f"{place_of(property_)} #{property_.id}"),
        colour=state.colour,
        description=_(text).format(
            since=timestamp(shown.waiting_since),
            acknowledged_by=who(shown.acknowledged_by or ""),
            acknowledged=timestamp(shown.acknowledged_at or 0),
            snoozed_by=who(shown.snoozed_by or ""),
            until=timestamp(shown.snoozed_until or 0),
            settled_by=who(shown.settled_by or ""),
            settled=timestamp(shown.settled_at or 0),
        ),
    )


def place_of(property_: Property) -> str:
    return inert_line(property_.location, TITLE - 60)


def alerts_text(shown: Alarm) -> str:
    """Say how many alerts there were, and within how long."""
    if shown.repeats == 1:
        return _("Once")
    times = plural("{number} time", "{number} times", shown.repeats)
    span = shown.last_at - shown.raised_at
    if span < SECOND:
        return times
    return _("{times} within {span}").format(times=times, span=duration(span))
