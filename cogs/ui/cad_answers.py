"""What people read of their requests to the CAD, on cards and in their private answers."""

from contextlib import suppress
from typing import NamedTuple

import discord

from cogs.i18n.language import N_, _
from cogs.ui.responder import reply_text
from cogs.ui.text import inert_line, who
from db.errors import StorageUnavailable
from webhook.protocol.context import Context
from webhook.queries.cad.incidents import NewIncidentNote, OfIncident
from webhook.queries.cad.requests import LABEL, note_call, store_answer, why_kept_here
from webhook.queries.rows import CadRequest

MAX_DETAIL = 200

_DONE = {
    "attach": N_("Your unit is on call {call} in the CAD."),
    "create-dispatch": N_("Dispatch call {call} was opened in the CAD, with your unit on it."),
    "detach": N_("Your unit is on no call in the CAD any more."),
    "close": N_("The call is closed in the CAD."),
    "note": N_("The note is on the call in the CAD."),
    "status": N_("Your unit has its new status in the CAD."),
    "remove-911": N_("The 911 call is gone from the CAD."),
    "create-911": N_("911 call {call} was placed in the CAD."),
    "panic": N_("The panic is over in the CAD."),
}
_WHY = {
    "unlinked": N_(
        "the CAD does not know your Discord account. Link it there, in your account's settings,"
        " and try again"
    ),
    "no-unit": N_("you have no unit on duty in the CAD. Go on duty there and try again"),
    "no-call": N_("the CAD does not have this call any more"),
    "not-made": N_("the CAD did not open the call"),
    "plan": N_("your community's plan of Sonoran CAD does not include this"),
    "key": N_("the CAD rejects the bot's API key. An admin corrects `key` in `[cad.api]`"),
    "no-key": N_(
        "the bot has no API key of this CAD, and no game server asks it. An admin looks at /setup,"
        " CAD"
    ),
    "server": N_("the CAD has no such server. An admin corrects `server` in `[cad.api]`"),
    "forbidden": N_("the bot's API key does not allow this"),
    "late": N_("the CAD did not answer in time"),
    "unreachable": N_("the CAD does not answer"),
    "limit": N_("the CAD takes no more requests at the moment"),
}
_SHORT_WHY = {
    "unlinked": N_("Discord account not linked in the CAD"),
    "no-unit": N_("no unit on duty"),
    "no-call": N_("the CAD has no such call"),
    "not-made": N_("the call was not opened"),
    "plan": N_("not in the plan"),
    "key": N_("wrong API key"),
    "no-key": N_("no way to ask it"),
    "server": N_("no such server"),
    "forbidden": N_("not allowed"),
    "late": N_("no answer in time"),
}
_KEPT_HERE = {
    "way": N_(
        "Only here: the bot cannot tell the CAD yet. An admin can set that up on the last page of"
        " /setup."
    ),
    "call": N_("Only here: the CAD has no dispatch call for this yet."),
}
_ASKED = {
    "attach": N_("respond"),
    "create-dispatch": N_("respond"),
    "detach": N_("leave"),
    "close": N_("close"),
    "note": N_("note"),
    "remove-911": N_("remove the 911 call"),
    "create-911": N_("911 call"),
    "panic": N_("end the panic"),
}


def request_text(request: CadRequest) -> str:
    """Say how a request ended, for whoever made it."""
    if request.state == "unknown":
        return _("The CAD did not answer, so nobody knows whether it did this. Look in the CAD.")
    if request.state == "refused":
        why = problem_text(request.why, request.detail)
        return _("Not done in the CAD: {why}.").format(why=why.rstrip("."))
    call = request.call_id
    if request.kind == "create-dispatch" and request.idents == []:
        return _(
            "Dispatch call {call} was opened in the CAD, but you have no unit on duty there."
        ).format(call=call)
    return _(_DONE[request.kind]).format(call=call)


def problem_text(why: str, detail: str) -> str:
    """Say why something was not done, and what to do about it, as a part of a sentence."""
    if why in _WHY:
        return _(_WHY[why])
    return inert_line(detail, MAX_DETAIL, blank=_("no reason given"))


def request_line(request: CadRequest) -> str:
    """Say on a card what became of a request; blank if it was done."""
    if request.kind not in _ASKED or request.state == "done":
        return ""
    if request.state == "new":
        state = _("waiting for the CAD")
    elif request.state == "sent":
        state = _("sent to the CAD")
    elif request.state == "unknown":
        state = _("unknown, as the CAD did not answer")
    else:
        why = inert_line(request.detail, MAX_DETAIL, blank=_("no reason given"))
        if request.why in _SHORT_WHY:
            why = _(_SHORT_WHY[request.why])
        state = _("the CAD refused: {why}").format(why=why)
    return f"{who(request.asked_by)} · {_(_ASKED[request.kind])} · {state}"


class AskedOfCad(NamedTuple):
    """The answer of a form: what it says, and the request to the CAD that goes on, if any."""

    said: str
    request_id: str | None


async def note_and_say(context: Context, ask: NewIncidentNote, label: str = LABEL) -> AskedOfCad:
    """Add a note to an incident, and say whether only Discord has it."""
    asked = await note_call(context, ask, label)
    said = _("Note added.")
    if asked is None:
        said += await kept_here_line(context, OfIncident(subject=ask.subject))
    return AskedOfCad(said, asked)


async def kept_here_line(context: Context, ask: OfIncident) -> str:
    """Say on a line of its own why the CAD is not told of what somebody does; blank for a drill."""
    why = await why_kept_here(context, ask)
    return f"\n-# {_(_KEPT_HERE[why])}" if why else ""


async def answer_request(
    interaction: discord.Interaction, context: Context, request_id: str | None, said: str = ""
) -> None:
    """Answer a member at once; when the CAD has done or refused what they ask, the answer says so.

    `said`: what stands before it, one line; alone if the CAD is not asked.
    """
    if request_id is None:
        await reply_text(interaction, said)
        return
    waits = _("Sent to the CAD; this answer changes when it has answered.")
    message_id = await reply_text(interaction, f"{said}\n{waits}".strip())
    with suppress(StorageUnavailable):  # the card says the same
        token, locale = interaction.token, interaction.locale.value
        await store_answer(context, request_id, message_id, token, said, locale)
