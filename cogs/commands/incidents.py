"""The buttons on the cards of calls and panics: respond, leave, note, thread."""

import discord

from cogs.cards.incidents import lines_of
from cogs.i18n.language import _
from cogs.ui.buttons import control, read_subject
from cogs.ui.cad_answers import AskedOfCad, answer_request, kept_here_line, note_and_say
from cogs.ui.modals import Answers, Form, form
from cogs.ui.pages import ListRows, PagedLists, Row
from cogs.ui.responder import SentinelCog, before_modal, reply_text
from webhook.protocol.context import Context, Scope
from webhook.protocol.wire import validate
from webhook.queries.cad.incidents import (
    MAX_NOTE,
    NewIncidentNote,
    OfIncident,
    get_incident,
    get_notes,
    open_thread,
)
from webhook.queries.cad.requests import end_panic
from webhook.queries.cad.responders import is_responding, leave_call, respond_to_call

lists = PagedLists()


class IncidentButtons(SentinelCog):
    @control("call:respond", scope=Scope.READ, read_argument=read_subject)
    async def respond_button(self, interaction: discord.Interaction, subject: str) -> None:
        """Say that the member responds; a second press says that they no longer do."""
        context = await self._responder.defer(interaction)
        ask = OfIncident(subject=subject)
        if await is_responding(context, ask):
            await self._leave(interaction, context, ask)
        else:
            asked = await respond_to_call(context, ask)
            said = _("You are responding. Press Leave when you no longer are.")
            if asked is None:
                said += await kept_here_line(context, ask)
            await answer_request(interaction, context, asked, said)

    @control("call:leave", scope=Scope.READ, read_argument=read_subject)
    async def leave_button(self, interaction: discord.Interaction, subject: str) -> None:
        context = await self._responder.defer(interaction)
        await self._leave(interaction, context, OfIncident(subject=subject))

    @control("call:note", scope=Scope.WRITE, read_argument=read_subject)
    async def note_button(self, interaction: discord.Interaction, subject: str) -> None:
        async with before_modal():
            await get_incident(self._responder.context(interaction), OfIncident(subject=subject))
        opened = Form(_("Note on the call"), f"call:note:{subject}")
        opened.add_text("note", _("Note"), max_length=MAX_NOTE, lines=True)
        await interaction.response.send_modal(opened)

    @form("call:note", Scope.WRITE, "note", read_argument=read_subject)
    async def submit_note(self, context: Context, subject: str, answers: Answers) -> AskedOfCad:
        ask = {"subject": subject, "text": answers.text("note")}
        return await note_and_say(context, validate(NewIncidentNote, ask))

    @control("call:panicover", scope=Scope.APPROVE, read_argument=read_subject)
    async def panic_over_button(self, interaction: discord.Interaction, subject: str) -> None:
        """End a panic in the CAD, for all of its units."""
        context = await self._responder.defer(interaction)
        asked = await end_panic(context, OfIncident(subject=subject))
        await answer_request(interaction, context, asked)

    @control("call:thread", scope=Scope.WRITE, read_argument=read_subject)
    async def thread_button(self, interaction: discord.Interaction, subject: str) -> None:
        context = await self._responder.defer(interaction)
        await open_thread(context, OfIncident(subject=subject))
        await reply_text(interaction, _("The thread opens in a moment."))

    async def _leave(
        self, interaction: discord.Interaction, context: Context, ask: OfIncident
    ) -> None:
        asked = await leave_call(context, ask)
        said = _("You are no longer responding.")
        await answer_request(interaction, context, asked, said)


@lists.declare("notes", Scope.READ)
async def notes(context: Context, subject: str, limit: int, offset: int) -> ListRows:
    found = await get_notes(context, OfIncident(subject=read_subject(subject)))
    rows = [Row(line) for note in found for line in lines_of(note)]
    return ListRows.part(_("Notes"), rows, _("No notes yet."), limit, offset)
