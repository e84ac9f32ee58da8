"""Feed entries on the program itself: a CAD that fell silent, and what the day was like."""

from cogs.content import CardBuilder, Colour
from cogs.names import of_cad
from cogs.text import duration, inert_line
from db.database import Reader
from webhook.events import Published


async def cad_silent(sql: Reader, event: Published) -> CardBuilder:
    """Nothing came from the CAD although units are on duty."""
    data = event.data
    units = _number(data["onDuty"], "unit is", "units are")
    silence = duration(event.at - data["since"])
    return CardBuilder(
        f"The CAD is silent{await of_cad(sql, data['cad'])}",
        Colour.WARNING,
        f"Nothing came from it for {silence}, although {units} on duty.\n"
        "If the CAD is in use, look whether it still pushes to this address, with the right key.",
    )


async def cad_back(sql: Reader, event: Published) -> CardBuilder:
    """The CAD is heard of again."""
    silence = duration(event.at - event.data["since"])
    title = f"The CAD is back{await of_cad(sql, event.data['cad'])}"
    return CardBuilder(title, Colour.GOOD, f"It was silent for {silence}.")


async def daily(sql: Reader, event: Published) -> CardBuilder:
    """What happened in a day."""
    data = event.data
    from_cad = [
        _number(data["pushes"], "push", "pushes"),
        _number(data["emergencies"], "emergency call", "emergency calls"),
        _number(data["dispatches"], "dispatch call", "dispatch calls"),
        _number(data["panics"], "panic", "panics"),
    ]
    from_others = [
        _number(data["alarms"], "alarm", "alarms"),
        _number(data["visits"], "visit", "visits"),
        _number(data["flights"], "drone flight", "drone flights"),
        _number(data["messages"], "message to Discord", "messages to Discord"),
        _number(data["problems"], "problem in the log", "problems in the log"),
    ]
    colour = Colour.WARNING if data["problems"] else Colour.NORMAL
    told = f"{' · '.join(from_cad)}\n{' · '.join(from_others)}"
    return CardBuilder(f"The day up to {inert_line(data['day'], 20)}", colour, told)


def _number(number: int, one: str, many: str) -> str:
    return f"1 {one}" if number == 1 else f"{number or 'no'} {many}"
