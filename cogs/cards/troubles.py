"""The message of a trouble: what is wrong and how to mend it, and in the end how long it took."""

from cogs.i18n.language import _, plural
from cogs.ui.embeds import DESCRIPTION, TITLE, CardBuilder, Colour, MessageContent
from cogs.ui.text import duration, inert_line, timestamp
from db import troubles
from db.database import Reader
from webhook.protocol.events import Subject


async def trouble(sql: Reader, subject: Subject) -> MessageContent | None:
    """Show a trouble, or that it is over."""
    stored = await troubles.get(sql, subject.number)
    if stored is None:
        return None
    is_over = stored.ended_at is not None
    title = inert_line(stored.sentence, TITLE)
    where = f"<#{stored.about}>\n" if stored.about and stored.key.startswith("channel.") else ""
    card = CardBuilder(title, Colour.GOOD if is_over else Colour.WARNING)
    if stored.ended_at is None:
        card.description = f"{where}{inert_line(stored.cure, DESCRIPTION // 2, blank='')}".strip()
        card.add("Since", timestamp(stored.began_at))
    else:
        text = _("This is over. It lasted {duration}, until {time}.")
        lasted = duration(stored.ended_at - stored.began_at)
        card.description = text.format(duration=lasted, time=timestamp(stored.ended_at))
    if stored.times > 1:
        again = plural("It came back once.", "It came back {number} times.", stored.times - 1)
        card.description = f"{card.description}\n{again}".strip()
    return MessageContent([card.build()], headline=title)
