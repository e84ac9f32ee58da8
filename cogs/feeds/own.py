"""Feed entries on the program itself: a CAD that fell silent, and what the day was like."""

from cogs.i18n.language import _, plural
from cogs.ui.embeds import CardBuilder, Colour
from cogs.ui.names import cad_suffix
from cogs.ui.text import duration, format_day
from db.database import Reader
from webhook.protocol.bus import StoredEvent


async def cad_silent(sql: Reader, event: StoredEvent) -> CardBuilder:
    """Nothing came from the CAD although units are on duty."""
    data = event.data
    text = plural(
        "No push for {silence}, although {number} unit is on duty.",
        "No push for {silence}, although {number} units are on duty.",
        data["onDuty"],
        silence=duration(event.at - data["since"]),
    )
    advice = _(
        "If the CAD is in use, check that it still pushes to this address with the right key."
    )
    title = f"{_('The CAD is silent')}{await cad_suffix(sql, data['cad'])}"
    return CardBuilder(title, Colour.WARNING, f"{text}\n{advice}")


async def cad_back(sql: Reader, event: StoredEvent) -> CardBuilder:
    """The CAD pushes again."""
    silence = duration(event.at - event.data["since"])
    title = f"{_('The CAD is back')}{await cad_suffix(sql, event.data['cad'])}"
    return CardBuilder(
        title, Colour.GOOD, _("It was silent for {silence}.").format(silence=silence)
    )


async def daily(sql: Reader, event: StoredEvent) -> CardBuilder:
    """What happened in a day."""
    data = event.data
    from_cad = [
        _counted(data["pushes"], "push", "pushes"),
        _counted(data["emergencies"], "emergency call", "emergency calls"),
        _counted(data["dispatches"], "dispatch call", "dispatch calls"),
        _counted(data["panics"], "panic", "panics"),
    ]
    from_others = [
        _counted(data["alarms"], "alarm", "alarms"),
        _counted(data["visits"], "visit", "visits"),
        _counted(data["flights"], "drone flight", "drone flights"),
        _counted(data["messages"], "message to Discord", "messages to Discord"),
        _counted(data["problems"], "problem in the log", "problems in the log"),
    ]
    colour = Colour.WARNING if data["problems"] else Colour.NORMAL
    text = f"{' · '.join(from_cad)}\n{' · '.join(from_others)}"
    return CardBuilder(
        _("Daily report up to {day}").format(day=format_day(data["day"])), colour, text
    )


def _counted(number: int, one: str, many: str) -> str:
    """Write how many things there are, which stand in the text without their number."""
    things = plural(one, many, number)
    return f"{number} {things}" if number else _("no {things}").format(things=things)
