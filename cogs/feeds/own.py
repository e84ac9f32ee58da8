"""Feed entries on the program itself: what the day was like."""

from cogs.i18n.language import _, plural
from cogs.ui.embeds import CardBuilder, Colour
from cogs.ui.text import format_day
from db.database import Reader
from webhook.protocol.bus import StoredEvent


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
