"""What became of what a member asked of the CAD, in the private answer that they were given."""

from cogs.i18n.language import using_locale
from cogs.ui.cad_answers import request_text
from cogs.ui.embeds import CardBuilder, Colour, MessageContent
from db import cad_requests, private_answers
from db.cad_requests import RequestState
from db.database import Reader
from webhook.protocol.events import Subject

_COLOURS: dict[RequestState, Colour] = {"done": Colour.GOOD, "unknown": Colour.WARNING}


async def outcome(sql: Reader, subject: Subject) -> MessageContent | None:
    """Say how a request ended; by a message only if nothing else tells that it was not done."""
    request = await cad_requests.get(sql, subject.key)
    answer = await private_answers.get(sql, str(subject))
    if request is None or request.is_open or answer is None:
        return None
    with using_locale(answer.locale):
        text = request_text(request)
    embed = CardBuilder("", _COLOURS.get(request.state, Colour.DANGER), text).build()
    is_told = request.state == "done" or bool(request.subject)
    return MessageContent([embed], headline=answer.said, only_edits=is_told)
