"""Cards of /test."""

from cogs.i18n.language import N_, _
from cogs.ui.embeds import CardBuilder, Colour, MessageContent
from cogs.ui.text import inert_line, who
from db import drill_cards
from db.database import Reader
from webhook.protocol.events import Subject

KINDS = {
    "emergency": N_("911 call"),
    "dispatch": N_("Dispatch call"),
    "panic": N_("Panic"),
    "alerts": N_("Alarm"),
    "approvals": N_("New property"),
    "drones": N_("Drone"),
    "visits": N_("Visit"),
    "access": N_("Badge scan"),
    "crimes": N_("Crime"),
    "units": N_("Unit status"),
}
"""What can be shown, by the channel where it is posted without rules."""


async def drill(sql: Reader, subject: Subject) -> MessageContent | None:
    """Say that nothing happened, and later that the test is over."""
    shown = await drill_cards.get(sql, subject.number)
    if shown is None:
        return None
    title = _("TEST OVER · {kind}") if shown.is_over else _("TEST · {kind}")
    kind = inert_line(_(KINDS.get(shown.kind, shown.kind)), 40)
    card = CardBuilder(
        title=title.format(kind=kind),
        colour=Colour.OVER if shown.is_over else Colour.NORMAL,
        description=_("A test by {who}. Nothing has happened, and nobody is needed.").format(
            who=who(shown.begun_by)
        ),
    )
    is_over = bool(shown.is_over)
    return MessageContent([card.build()], headline=card.title, only_edits=is_over)
