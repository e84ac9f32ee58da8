"""What people did about a 911 call, a dispatch call or a panic, on the cards of each."""

import discord

from cogs.i18n.language import _
from cogs.ui.cad_answers import request_line
from cogs.ui.embeds import FIELD, Button, CardBuilder
from cogs.ui.pages import first_page
from cogs.ui.text import fitting, inert, newest_that_fit, pieces, who
from db import cad_requests, cards, incidents, responders
from db.database import Reader
from db.incidents import IncidentNote
from webhook.cad.events.values import NOTE_LIMIT
from webhook.protocol.clean_text import clean_text
from webhook.protocol.events import Subject
from webhook.queries.cad.incidents import find_incident
from webhook.queries.cad.requests import cad_of, can_ask
from webhook.queries.guilds import home_guild

NOTES = 2_400
"""Characters of the notes on a card; the longest note fits, however much of it is escaped."""

LINE = 370
"""Characters of a line in the list of all notes, ten of which are a page."""

_TO_RESPOND = {"attach", "create-dispatch"}
_OF_UNIT = {*_TO_RESPOND, "detach"}
"""Kinds of requests that put a member's unit onto a call, and those that take it off too."""


async def add_acts(
    sql: Reader, card: CardBuilder, subject: Subject, *, is_open: bool
) -> tuple[Button, ...]:
    """Add who responds and the notes to a card; return the buttons for both.

    The card of a part that is over has none to act with, those of the other parts have them.
    """
    incident = await find_incident(sql, subject)
    if incident is None:
        return ()
    subjects = [str(part) for part in incident.subjects]
    names = await _responding(sql, subjects)
    card.add("Responding" if incident.is_open else "Responded", names, keep=True)
    notes = await incidents.notes(sql, subjects)
    shown = newest_that_fit(list(map(_note, notes)), NOTES)
    card.add_long("Notes", "\n".join(shown))
    if is_open:
        card.add("In the CAD", await _requests(sql, subjects), inline=False)
    buttons = _buttons(
        subject, is_open=is_open, is_anybody=bool(names), has_more=len(shown) < len(notes)
    )
    if is_open and subject.kind == "panic" and await can_ask(sql, await cad_of(sql, incident)):
        danger = discord.ButtonStyle.danger
        buttons += (Button("Panic over", f"call:panicover:{subject}", danger),)
    return (*buttons, *await _thread_button(sql, subject, is_open=is_open))


async def _thread_button(sql: Reader, subject: Subject, *, is_open: bool) -> tuple[Button, ...]:
    """Offer a thread on the card, or a link to it: it has the id of the card's message."""
    card = await cards.of_subject(sql, str(subject))
    if card is not None and card.thread and card.message_id:
        guild = await home_guild(sql)
        url = f"https://discord.com/channels/{guild}/{card.message_id}"
        return (Button("To the thread", "", url=url),) if guild else ()
    return (Button("Thread", f"call:thread:{subject}"),) if is_open else ()


async def response_lines(sql: Reader, subject: Subject) -> list[str]:
    """Say on another card who responds to a call, and what the CAD has not done."""
    names = await _responding(sql, [str(subject)])
    said = _("Responding: {names}").format(names=names) if names else ""
    return [line for line in (said, await _requests(sql, [str(subject)])) if line]


async def _responding(sql: Reader, subjects: list[str]) -> str:
    """Name who responds, each once."""
    current = await responders.of_subjects(sql, subjects)
    callers = dict.fromkeys(response.caller for response in current)
    return fitting([who(caller) for caller in callers], ", ", FIELD)


async def _requests(sql: Reader, subjects: list[str]) -> str:
    """Say what became of the newest request of each kind by each person, unless it was done.

    What is about their unit is one kind, and no longer matters once they do not respond any more.
    """
    current = {response.caller for response in await responders.of_subjects(sql, subjects)}
    found = [
        request for subject in subjects for request in await cad_requests.of_subject(sql, subject)
    ]
    newest = {
        (request.asked_by, "unit" if request.kind in _OF_UNIT else request.kind): request
        for request in sorted(found, key=lambda request: request.seq)
    }
    lines = [
        request_line(request)
        for request in newest.values()
        if request.kind not in _TO_RESPOND or request.is_open or request.asked_by in current
    ]
    return fitting([line for line in lines if line], "\n", FIELD)


async def notes_of(sql: Reader, subject: Subject) -> set[str]:
    """Return the texts of the notes on an incident: the CAD may have the same ones."""
    incident = await find_incident(sql, subject)
    subjects = [] if incident is None else [str(part) for part in incident.subjects]
    return {clean_text(note.text, NOTE_LIMIT) for note in await incidents.notes(sql, subjects)}


def lines_of(note: IncidentNote) -> list[str]:
    """Return a note in lines, none of which is too long for a list in pages."""
    return pieces(_note(note).replace("\n", " "), LINE)


def _note(note: IncidentNote) -> str:
    return f"<t:{note.at // 1000}:t> {who(note.caller)}\\: {inert(note.text, FIELD * 2)}"


def _buttons(
    subject: Subject, *, is_open: bool, is_anybody: bool, has_more: bool
) -> tuple[Button, ...]:
    buttons = []
    if is_open:
        success = discord.ButtonStyle.success
        buttons.append(Button("Responding", f"call:respond:{subject}", success))
        if is_anybody:
            buttons.append(Button("Leave", f"call:leave:{subject}"))
        buttons.append(Button("Note", f"call:note:{subject}"))
    if has_more:
        buttons.append(Button("Show all notes", first_page("notes", str(subject))))
    return tuple(buttons)
