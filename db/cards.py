"""Cards: one Discord message per subject, and whether Discord still shows an old state of it."""

import json
from collections.abc import Collection
from typing import NamedTuple

from db.database import Reader, Transaction, marks

DIRECT = "direct:"
"""How the names of private messages' channels begin; the member's id follows."""

AGAIN = "-again"
"""What follows the kind of a card in the subject of the reply to it: `alarm-again:12`."""


WANTED, OPEN, ARCHIVED = "wanted", "open", "archived"
RENAMED = "renamed"
"""A thread that is there, but perhaps under a name that it must no longer have."""

THREADS = (WANTED, OPEN, ARCHIVED, RENAMED)

MAX_REASON = 500
"""Characters that are stored of why Discord rejects a message."""


TOLD_ONCE = ("asked", "linked", "property-message")
"""The kinds of subjects that are one thing that happened, and are of no use once it is pruned."""


class Card(NamedTuple):
    """A card; stale while `shown` < `version`. `message_id` is None before it is posted.

    `channel` is a name of the channel map, or the id of a channel that a rule chose; `mention` the
    role that the message calls when it is posted. `posting` counts its messages: a message deleted
    by hand is posted afresh. `digest` tells whether the message would change at all, `picture`
    whether its picture would; blank: it has none, or it is not known which. `thread` says how it is
    with the thread of the message (THREADS), blank for none; a forum's post is one.
    `news`: the last version that was made by an event about the subject.
    """

    id: int
    subject: str
    channel: str
    mention: int
    created_at: int
    version: int
    shown: int
    posting: int
    channel_id: int | None
    message_id: int | None
    digest: str
    picture: str
    thread: str
    news: int


class StaleCard(NamedTuple):
    """A card to be shown again; all but its subject only matters if there is no such card yet."""

    subject: str
    channel: str
    created_at: int
    mention: int = 0
    thread: str = ""


class Backlog(NamedTuple):
    """What a channel has still to show; `since` is when the oldest message could be posted.

    All private messages together are the channel `direct`: no member is named.
    """

    channel: str
    kind: str
    number: int
    since: int | None


class RejectedMessages(NamedTuple):
    """Messages of a channel that Discord rejected, and when and why it did so last.

    All private messages together are the channel `direct`.
    """

    channel: str
    number: int
    at: int
    reason: str


async def mark_stale(sql: Transaction, *stale: StaleCard) -> None:
    """Have cards shown again where they are, or for the first time, in this order."""
    if not stale:
        return
    await sql.run(
        "INSERT INTO cards (subject, channel, created_at, mention, thread)"
        " SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),"
        " json_extract(value, '$[2]'), json_extract(value, '$[3]'), json_extract(value, '$[4]')"
        " FROM json_each(?) WHERE true"
        " ON CONFLICT (subject) DO UPDATE SET version = version + 1, news = version + 1",
        json.dumps(stale),
    )


async def channels(sql: Reader) -> list[str]:
    """Return every channel that has cards."""
    return await sql.all(str, "SELECT DISTINCT channel FROM cards")


async def stale_channels(sql: Reader, prefix: str) -> list[str]:
    """Return the channels whose name begins so and that have a card to show."""
    return await sql.all(
        str,
        "SELECT DISTINCT channel FROM cards"
        " WHERE shown < version AND channel >= ?1 AND channel < ?1 || char(1114111)",
        prefix,
    )


async def move(sql: Transaction, channel: str, kind: str, new_channel: str) -> None:
    """Give the cards of a kind of subject in one channel another one; messages stay in place."""
    moved = "UPDATE cards SET channel = ? WHERE channel = ? AND instr(subject, ?) = 1"
    await sql.run(moved, new_channel, channel, f"{kind}:")


async def touch(sql: Transaction, subjects: list[str]) -> list[str]:
    """Have the cards shown again that these subjects have; return their channels."""
    if not subjects:
        return []
    theirs, given = "subject IN (SELECT value FROM json_each(?))", json.dumps(subjects)
    channels = await sql.all(str, f"SELECT channel FROM cards WHERE {theirs}", given)
    if channels:
        await sql.run(f"UPDATE cards SET version = version + 1 WHERE {theirs}", given)
    return channels


async def next_unposted(
    sql: Reader, channels: list[str], without: Collection[int] = ()
) -> Card | None:
    """Return the oldest card of these channels that has no message yet; not one of `without`."""
    stale = f"shown < version AND channel IN ({marks(channels)})"
    other = "id NOT IN (SELECT value FROM json_each(?))"
    oldest = f"cards WHERE {stale} AND message_id IS NULL AND {other} ORDER BY id LIMIT 1"
    found = await sql.select(Card, oldest, *channels, json.dumps(list(without)))
    return found[0] if found else None


async def outdated(sql: Reader, channels: list[str]) -> list[Card]:
    """Return the cards of these channels whose messages are outdated, by id."""
    stale = f"shown < version AND channel IN ({marks(channels)})"
    posted = f"cards WHERE {stale} AND message_id IS NOT NULL ORDER BY id"
    return await sql.select(Card, posted, *channels)


async def backlog(sql: Reader) -> list[Backlog]:
    """Count what each channel still has to post and to edit."""
    return await sql.all(
        Backlog,
        "SELECT CASE WHEN channel LIKE 'direct:%' THEN 'direct' ELSE channel END,"
        " CASE WHEN message_id IS NULL THEN 'card post' ELSE 'card edit' END,"
        " count(*), min(CASE WHEN message_id IS NULL THEN created_at END) FROM cards"
        " WHERE shown < version GROUP BY 1, 2",
    )


async def of_subject(sql: Reader, subject: str) -> Card | None:
    return await sql.find(Card, "cards", subject=subject)


async def of_message(sql: Reader, message_id: int) -> Card | None:
    """Return the card that a message shows; None for other messages."""
    return await sql.find(Card, "cards", message_id=message_id)


async def newest(sql: Reader, limit: int) -> list[Card]:
    """Return the newest cards, the newest first."""
    return await sql.select(Card, "cards ORDER BY id DESC LIMIT ?", limit)


async def show_anew(sql: Transaction, subject: str, newest: int) -> list[str]:
    """Have the card of a subject and the newest cards shown again, and their threads renamed.

    Return their channels. It is no news: what a moderator deleted stays away.
    """
    these = "(subject = ? OR id > (SELECT max(id) FROM cards) - ?)"
    await sql.run(
        "UPDATE cards SET version = version + 1,"
        f" thread = CASE WHEN thread IN (?, ?) THEN ? ELSE thread END WHERE {these}",
        OPEN,
        ARCHIVED,
        RENAMED,
        subject,
        newest,
    )
    return await sql.all(str, f"SELECT DISTINCT channel FROM cards WHERE {these}", subject, newest)


async def subjects_beginning(sql: Reader, prefix: str) -> list[str]:
    """Return the subjects of cards that begin with a text."""
    found = "SELECT subject FROM cards WHERE subject >= ?1 AND subject < ?1 || char(1114111)"
    return await sql.all(str, found, prefix)


async def channels_of(sql: Reader, subjects: list[str]) -> dict[str, str]:
    """Return the channels of the cards that these subjects have, by subject."""
    pairs: list[tuple[str, str]] = await sql.all(
        lambda subject, channel: (subject, channel),
        "SELECT subject, channel FROM cards WHERE subject IN (SELECT value FROM json_each(?))",
        json.dumps(subjects),
    )
    return dict(pairs)


async def mark_shown(sql: Transaction, card: Card) -> None:
    """Store a card's message, which shows the card as of `card.version`.

    Changes that came since then keep the card stale.
    """
    message = _message(card)
    content = {"shown": card.version, "digest": card.digest, "picture": card.picture}
    accepted = {"rejected_at": None, "rejection": ""}
    await sql.update("cards", message | content | accepted, id=card.id)


async def mark_rejected(sql: Transaction, card: Card, at: int, reason: str) -> None:
    """Store that Discord rejects the card as of `card.version`; a change is tried again."""
    rejected = {"rejected_at": at, "rejection": reason}
    await sql.update("cards", {"shown": card.version, "digest": "", **rejected}, id=card.id)


async def rejections(sql: Reader) -> list[RejectedMessages]:
    """Count the cards that Discord rejected, by channel."""
    return await sql.all(
        RejectedMessages,
        "SELECT CASE WHEN channel LIKE 'direct:%' THEN 'direct' ELSE channel END,"
        " count(*), max(rejected_at), rejection FROM cards"
        " WHERE rejected_at IS NOT NULL GROUP BY 1",
    )


async def retry_rejected(sql: Transaction) -> list[str]:
    """Have what Discord rejected tried again; return the channels."""
    found = await sql.all(str, "SELECT channel FROM cards WHERE rejected_at IS NOT NULL")
    await sql.run(
        "UPDATE cards SET version = version + 1, rejected_at = NULL, rejection = ''"
        " WHERE rejected_at IS NOT NULL"
    )
    return found


async def post_logged(sql: Transaction, since: int) -> None:
    """Have cards posted that are only in the log, as Discord was off; they mention nobody.

    Older ones than this time are posted when they change.
    """
    await sql.run(
        "UPDATE cards SET channel_id = NULL, message_id = NULL, digest = '',"
        " posting = posting + 1, version = version + 1 WHERE channel_id = 0 AND created_at >= ?",
        since,
    )


async def newest_id(sql: Reader) -> int:
    """Return the highest number of a card, 0 if there is none."""
    return await sql.one(int, "SELECT coalesce(max(id), 0) FROM cards") or 0


async def mark_posted(sql: Transaction, card: Card) -> None:
    """Store where the card's message is, whatever that message shows; the card stays stale."""
    await sql.update("cards", {**_message(card), "digest": ""}, id=card.id)


def _message(card: Card) -> dict[str, object]:
    """Return what says where the message is; a forum's post is a thread from the beginning."""
    message = {"channel_id": card.channel_id, "message_id": card.message_id}
    is_new_post = card.channel_id == card.message_id != 0 and card.thread not in THREADS[1:]
    return {**message, "thread": OPEN} if is_new_post else {**message}


async def set_thread(sql: Transaction, card_id: int, thread: str) -> None:
    await sql.update("cards", {"thread": thread}, id=card_id)


async def want_thread(sql: Transaction, subject: str) -> None:
    """Have the message of a subject's card get a thread, unless it has one."""
    await sql.run(
        "UPDATE cards SET thread = ?, version = version + 1 WHERE subject = ? AND thread = ''",
        WANTED,
        subject,
    )


async def mark_lost(sql: Transaction, card: Card) -> None:
    """Store that the card's message is gone; it is posted afresh."""
    await sql.run(
        "UPDATE cards SET channel_id = NULL, message_id = NULL, digest = '', picture = '',"
        " posting = posting + 1, thread = CASE WHEN thread = '' OR channel_id = message_id THEN ''"
        " ELSE 'wanted' END WHERE id = ?",
        card.id,
    )


async def prune(sql: Transaction, before: int, limit: int) -> int:
    """Forget up to `limit` cards of events from before a time; return how many. Messages stay."""
    begins = " OR ".join(f"(subject >= '{kind}:' AND subject < '{kind};')" for kind in TOLD_ONCE)
    old = f"SELECT id FROM cards WHERE ({begins}) AND created_at < ? LIMIT ?"
    return await sql.count_changes(f"DELETE FROM cards WHERE id IN ({old})", before, limit)


async def release(sql: Transaction, subject: str) -> None:
    """Forget the card of a subject, and the reply to it: the messages stay, the next are new ones.

    Earlier versions kept such cards as `archived:…`; those are forgotten here too.
    """
    await sql.run(
        "DELETE FROM cards WHERE subject IN (?, ?)"
        " OR (subject >= 'archived:' AND subject < 'archived:' || char(1114111))",
        subject,
        subject.replace(":", f"{AGAIN}:", 1),
    )
