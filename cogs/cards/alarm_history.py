"""The steps of an alarm: who did what about it, and when."""

from cogs.i18n.language import N_, _, plural
from cogs.ui.text import inert, pieces, timestamp, who
from db import alarm_steps
from db.alarm_steps import AlarmStep
from db.database import Reader

MAX_STEPS = 5
"""Steps that a card shows, the newest."""

MAX_NOTE = 2_000
"""Characters of the longest note; escaped, it may have twice as many."""

NOTES_READ = 100
"""Notes that a card looks through; an alarm rarely has more than three."""

LINE = 390
"""Characters of a line in the list of all steps, ten of which are a page."""

_STEPS = {
    "acknowledged": N_("{who} acknowledged it"),
    "taken": N_("{who} took it over from {handler}"),
    "released": N_("{who} released it: it waits again"),
    "noted": N_("{who}: {text}"),
    "snoozed": N_("{who} snoozed it until {until}"),
    "snooze-ended": N_("The snooze ended"),
    "drone": N_("{who} sent out drone {number}"),
    "resolved": N_("{who} resolved it"),
    "false": N_("{who}: false alarm"),
    "quiet": N_("It expired"),
    "removed": N_("{who} removed the property"),
    "police": N_("{who} called the police"),
    "police-dispatched": N_("The police opened dispatch call {number}"),
    "police-again": N_("911 call {number} is open in the CAD again"),
    "police-over": N_("911 call {number} is over in the CAD"),
    "police-closed": N_("The police closed dispatch call {number}"),
    "police-reopened": N_("The police reopened dispatch call {number}"),
}

_ESCALATED = {1: N_("Escalated to the dispatchers"), 2: N_("Escalated to the supervisors")}
"""What a step says of an escalation, by its level."""


async def history(sql: Reader, alarm_id: int) -> str:
    """Say who did what and when, the newest last; earlier steps are counted."""
    steps, total = await alarm_steps.last_acts(sql, alarm_id, MAX_STEPS)
    lines = list(map(step_line, steps))
    if total > len(steps):
        lines.insert(0, earlier_steps(total - len(steps)))
    return "\n".join(lines)


def earlier_steps(number: int) -> str:
    return plural("{number} earlier step", "{number} earlier steps", number)


def step_line(step: AlarmStep, limit: int = 2 * MAX_NOTE) -> str:
    """Return a step in one text; `limit`: characters of a note."""
    return f"<t:{step.at // 1000}:T> {_step_text(step, limit)}"


def lines_of(step: AlarmStep) -> list[str]:
    """Return a step in lines, none of which is too long for a list in pages."""
    return pieces(step_line(step).replace("\n", " "), LINE)


def _step_text(step: AlarmStep, limit: int) -> str:
    number = step.number or 0
    if step.action == "called":
        return _(_ESCALATED[number])
    if step.action == "police" and not step.who:
        return _("The police were called")
    if step.action == "released" and not step.who:
        text = _("Nothing more came from {handler}: it waits again")
        return text.format(handler=who(step.text))
    if step.action == "noted":
        note = inert(step.text, limit, blank="")
        return _(_STEPS[step.action]).format(who=who(step.who), text=note)
    return _(_STEPS[step.action]).format(
        who=who(step.who),
        handler=who(step.text),
        number=number,
        until=timestamp(number),
    )
