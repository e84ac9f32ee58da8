"""What calls the dispatchers or supervisors to an alarm that nobody has acknowledged."""

from cogs.cards.again import reference_to
from cogs.cards.alarm_texts import STATES, find_alarm, place_of
from cogs.i18n.language import N_, _
from cogs.ui.embeds import CardBuilder, Colour, MessageContent
from cogs.ui.text import duration, timestamp, who
from db import escalations
from db.database import Reader
from webhook.protocol.events import Subject

_ANSWERS = {
    "acknowledged": N_("Acknowledged by {who} after {duration}."),
    "snoozed": N_("Snoozed by {who} after {duration}."),
    "resolved": N_("Resolved by {who} after {duration}."),
    "false": N_("Marked as a false alarm by {who} after {duration}."),
    "quiet": N_("Nothing more happened. It expired after {duration}."),
    "removed": N_("{who} removed the property after {duration}."),
}
"""What an escalation says once it is answered."""


async def escalation(sql: Reader, subject: Subject) -> MessageContent | None:
    """Mention the roles of a level in a reply to the alarm's card; later say who answered."""
    alarm_id, _dash, number = subject.key.partition("-")
    found = await find_alarm(sql, int(alarm_id))
    escalated = await escalations.get(sql, int(alarm_id), int(number or 0))
    if found is None or escalated is None:
        return None
    where, answer = place_of(found[1]), escalated.answer
    if answer is None:
        card = CardBuilder(
            title=_("Nobody has acknowledged the alarm at {where}").format(where=where),
            colour=Colour.DANGER,
            description=_("Since {since}.").format(since=timestamp(escalated.waiting_since)),
        )
    else:
        waited = (escalated.answered_at or 0) - escalated.waiting_since
        card = CardBuilder(
            title=_(STATES[answer].title).format(where=where),
            colour=Colour.OVER,
            description=_(_ANSWERS[answer]).format(
                who=who(escalated.answered_by or ""), duration=duration(waited)
            ),
        )
    return MessageContent(
        [card.build()],
        headline=card.title,
        role_mentions=tuple(int(role) for role in escalated.roles.split()),
        reply_to=await reference_to(sql, Subject("alarm", alarm_id)),
        only_edits=answer is not None,
    )
