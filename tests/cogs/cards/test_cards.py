"""Cards and feed entries: what people see, within Discord's limits whatever the game sends."""

import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import discord
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.settings import Channels
from cogs.cards import CARDS, board, render
from cogs.delivery.console import render as as_text
from cogs.feeds import FEEDS, entry_embed, summary_embed
from cogs.i18n.language import LANGUAGES, using_locale
from cogs.ui.embeds import EMBED, Button, CardBuilder, Colour, MessageContent, embed_length
from db.feeds import FeedCount
from tests.cogs.hostile import invisible, wire_texts
from tests.cogs.story import CAD_EVENTS, Story
from tests.fake_discord.errors import Problems
from tests.fake_discord.validation import check_message
from tests.webhook.harness import AppHarness, open_harness
from webhook import cad
from webhook.protocol.events import CAD, EVENTS, SYSTEM_EVENTS, Subject

WITHOUT_A_FORM = {"scanned": "comes with every visit, which is in a feed"}
"""Events that are neither on a card nor in a feed, and why."""

NOT_IN_USE: dict[str, str] = {}
"""Channels of the configuration that nothing is posted to yet, and why."""

IN_GERMAN = Path(__file__).parent / "evening_in_german.txt"
BOARD = board.SUBJECT
OF_NO_EVENT = [
    Subject("alarm-owner", "1"),
    Subject("alarm-call", "2-1"),
    Subject("removal-answer", "1"),
    Subject("approval-answer", "1"),
]
"""Cards whose subjects no event names: the follower and the watch make them."""

LONGEST_FOOTER = f"ref {'f' * 6}-c{2**31}.{999}"
OWN_MENTION = re.compile(r"(?<!\\)(?:<t:-?\d+:[A-Za-z]>|<@\d+>)")
LIVE_MENTION = re.compile(r"(?<!\\)(?:\\\\)*(?:@(?:everyone|here)|<[@#:/])")

EXAMPLES = max(5, settings().max_examples // 4)


async def _subjects(harness: AppHarness) -> list[Subject]:
    events = await harness.journal_events()
    found = (subject for event in events for subject in event.subjects)
    carded = dict.fromkeys(subject for subject in found if subject.kind in CARDS)
    return [*carded, *OF_NO_EVENT, BOARD]


async def _cards(harness: AppHarness) -> list[tuple[Subject, MessageContent]]:
    made = [
        (subject, await render(harness.database.read, subject))
        for subject in await _subjects(harness)
    ]
    return [(subject, content) for subject, content in made if content is not None]


async def _entries(harness: AppHarness) -> list[tuple[str, discord.Embed]]:
    return [
        (event.name, await entry_embed(harness.database.read, event))
        for event in await harness.journal_events()
        if event.name in FEEDS
    ]


async def _shown_cards(harness: AppHarness) -> str:
    return "\n\n".join(f"({subject})\n{as_text(card)}" for subject, card in await _cards(harness))


async def _shown_entries(harness: AppHarness) -> str:
    entries = await _entries(harness)
    return "\n\n".join(f"({name})\n{as_text(MessageContent([embed]))}" for name, embed in entries)


def check_as_discord(content: MessageContent) -> None:
    """Have the fake Discord look at a message as it is sent."""
    content.embeds[-1].set_footer(text=LONGEST_FOOTER)
    view = content.view()
    body = {
        "content": content.text,
        "embeds": [embed.to_dict() for embed in content.embeds],
        "components": view.to_components() if view is not None else [],
        "allowed_mentions": content.allowed_mentions().to_dict(),
        "nonce": LONGEST_FOOTER.removeprefix("ref "),
    }
    problems = Problems()
    check_message(body, 0, problems)
    problems.raise_if_any()


def texts_of(embeds: Iterable[discord.Embed]) -> Iterator[str]:
    for embed in embeds:
        yield from (embed.title or "", embed.description or "")
        for field in embed.fields:
            yield from (field.name or "", field.value or "")


def _check_pings_nobody(content: MessageContent) -> None:
    assert content.text is None
    assert dict(content.allowed_mentions().to_dict()) == {"parse": []}
    for text in texts_of(content.embeds):
        assert LIVE_MENTION.findall(OWN_MENTION.sub("", text)) == []
        assert invisible(text) == []


@settings(max_examples=EXAMPLES)
@given(
    st.lists(wire_texts, min_size=1, max_size=5),
    st.sampled_from([1, 7, 900]),
    st.sampled_from(sorted(LANGUAGES)),
)
@example(["@everyone <@&1> "], 300, "en")
@example(["*"], 5_000, "de")
@example(["😀"], 5_000, "de")
@example(["\n"], 5_000, "en")
@example(["x\n"], 2_500, "en")
@example([""], 1, "de")
@example(["\u202e"], 10, "en")
async def test_cards_and_feeds_stay_within_discords_limits_and_ping_nobody(
    texts: list[str], times: int, language: str
) -> None:
    words = itertools.cycle(text * times for text in texts)
    with TemporaryDirectory() as folder:
        async with open_harness(Path(folder) / "sentinel.db") as harness:
            await Story(harness, lambda _: next(words)).tell()
            with using_locale(language):
                cards, entries = await _cards(harness), await _entries(harness)
    assert {subject.kind for subject, _ in cards} == set(CARDS)
    assert {name for name, _ in entries} == set(FEEDS)
    for _, card in cards:
        with using_locale(language):
            check_as_discord(card)
        _check_pings_nobody(card)
    for _, entry in entries:
        _check_pings_nobody(MessageContent([entry]))
    largest = max((entry for _, entry in entries), key=embed_length)
    check_as_discord(MessageContent([largest.copy() for _ in range(10)]))


async def test_cards_read_like_this(harness: AppHarness) -> None:
    await Story(harness).tell()
    assert (await _shown_cards(harness)).splitlines() == CARDS_SHOWN.splitlines()


async def test_feed_entries_read_like_this(harness: AppHarness) -> None:
    await Story(harness).tell()
    assert (await _shown_entries(harness)).splitlines() == ENTRIES_SHOWN.splitlines()


async def test_the_evening_reads_like_this_in_german(harness: AppHarness) -> None:
    """After a change of what is shown: delete the file, run this, and read what it writes."""
    await Story(harness).tell()
    with using_locale("de"):
        shown = f"{await _shown_cards(harness)}\n\n{await _shown_entries(harness)}\n"
    if not IN_GERMAN.exists():
        IN_GERMAN.write_text(shown, "utf-8", newline="\n")
    assert shown.splitlines() == IN_GERMAN.read_text("utf-8").splitlines()


async def test_every_event_has_a_card_or_a_feed(harness: AppHarness) -> None:
    await Story(harness).tell()
    events = await harness.journal_events()
    assert {event.name for event in events} == {*EVENTS, *CAD_EVENTS, *SYSTEM_EVENTS}
    on_cards = {event.name for event in events for s in event.subjects if s.kind in CARDS}
    assert {event.name for event in events} - on_cards - set(FEEDS) == set(WITHOUT_A_FORM)


def test_every_cad_event_is_declared_with_the_card_or_the_feed_that_shows_it() -> None:
    declared = cad.DECLARATIONS.values()
    assert all(bool(each.card) != bool(each.feed) for each in declared)
    assert {each.card for each in declared if each.card} <= set(CARDS)
    in_feeds = {f"{CAD}.{each.push_type}" for each in declared if each.feed}
    assert in_feeds == {name for name in FEEDS if name.startswith(f"{CAD}.")}


def test_every_feed_is_of_an_event_that_there_is() -> None:
    assert set(FEEDS) <= {*EVENTS, *(f"{CAD}.{kind}" for kind in cad.EVENTS), *SYSTEM_EVENTS}


def test_every_channel_of_the_configuration_is_used() -> None:
    used = {kind.channel for kind in CARDS.values()} | {feed.channel for feed in FEEDS.values()}
    used.remove("direct")  # private messages
    assert used == set(Channels.model_fields) - set(NOT_IN_USE)


async def test_a_card_of_something_unknown_is_not_made(harness: AppHarness) -> None:
    for kind in set(CARDS) - {BOARD.kind}:
        key = f"9@{CAD}" if kind in ("emergency", "dispatch") else "9"
        assert await render(harness.database.read, Subject(kind, key)) is None


async def test_an_entry_that_cannot_be_made_is_named_by_its_number(
    harness: AppHarness, caplog: pytest.LogCaptureFixture
) -> None:
    await Story(harness).push("EVENT_UNIT_STATUS", {"identIds": [1], "status": 2})
    (event,) = await harness.journal_events()
    event.data.clear()
    embed = await entry_embed(harness.database.read, event)
    assert embed.title == f"cad.EVENT_UNIT_STATUS · event {event.id}"
    assert f"the feed entry {event.id} cannot be made" in caplog.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_summary_of_every_kind_of_entry_fits_into_a_message(language: str) -> None:
    counts = [FeedCount(name, 10**6, 0, 10**12) for name in FEEDS]
    with using_locale(language):
        check_as_discord(MessageContent([summary_embed(counts)]))


@given(st.lists(st.tuples(wire_texts, wire_texts), max_size=40))
def test_fields_beyond_discords_limits_are_left_out(fields: list[tuple[str, str]]) -> None:
    card = CardBuilder("x" * 256, Colour.GOOD, "y" * 2_000)
    for name, value in fields:
        card.add((name.strip() or "?")[:100], (value.strip() * 50)[:500])
    embed = card.build()
    assert embed_length(embed) <= EMBED - 100
    assert len(embed.fields) <= 25


def test_the_digest_tells_what_people_see_apart() -> None:
    def content(**changed: object) -> MessageContent:
        embed = discord.Embed(title=str(changed.get("title", "a")))
        label = str(changed.get("label", "b"))
        return MessageContent([embed], (Button(label, "x:y:1"),))

    assert content().digest() == content().digest()
    assert content(title="c").digest() != content().digest()
    assert content(label="c").digest() != content().digest()


CARDS_SHOWN = """\
(emergency:1@county)
911 CALL 1 · DISPATCHED
Smoke from the roof.
Caller: Wren Halloway
Location: [8031] Forum Dr
Received: 09:30:09 UTC
Dispatched: as dispatch call 10

(emergency:2@county)
911 CALL 2 · OVER
Smoke from the roof.
Caller: Wren Halloway
Location: [8031] Forum Dr
Received: 09:30:10 UTC
Removed: after 2 s

(emergency:3@county)
311 CALL 3
Smoke from the roof.
Caller: Wren Halloway
Location: [8031] Forum Dr
Received: 09:30:11 UTC

(dispatch:10@county)
DISPATCH CALL 10 · LAUNDROMAT FIRE
Flames visible.
Status: Active
Priority: 1
Code: 10-70
Address: 30 Forum Dr
Postal: 8031
Units: 7K-22 · Available
7K-30 · STAGING
From: 911 call 1 by Wren Halloway
Opened: 09:30:13 UTC
Last notes: 21:14 7K-22 Note 2
21:14 7K-22 Note 3
21:14 7K-22 Note 4
21:14 7K-22 Note 5
21:14 7K-22 Note 6

(dispatch:11@county)
DISPATCH CALL 11 · STRUCTURE FIRE · CLOSED
Flames visible.
Status: Closed
Priority: 1
Code: 10-70
Address: 30 Forum Dr
Postal: 8031
Units: 7K-22
Opened: 09:30:14 UTC
Closed: after 10 s

(panic:1)
PANIC · 7K-22, 7K-30 · CLEARED
7K-22, 7K-30: cleared after 43 s.
Location: Paleto Blvd
Since: 09:30:25 UTC

(notice:1)
PAGE · EMERGENCY
Meet at the north bay.
To: ENGINE-9, 7K-22
Sent: 09:30:34 UTC

(notice:2)
STATION ALERT · HARBOUR, HARBOUR, HARBOUR, HARBOUR, HARBOUR, HARBOUR, HARBOUR, HARBOUR, HARBOUR
Ship fire, dock two.
Doors: Harbour open Bay A; close Bay B
Harbour open Bay A; close Bay B
Harbour open Bay A; close Bay B
Harbour open Bay A; close Bay B
Harbour open Bay A; close Bay B
Harbour open Bay A; close Bay B
Harbour open Bay A; close Bay B
Harbour open Bay A; close Bay B
Harbour open Bay A; close Bay B
Lights: red
Tone: harbour-1
Sent: 09:30:35 UTC

(notice:3)
CALLOUT · STREET FIGHT
Four people, two bats.
Coordinates: 410, -2033
Details: Ped chance to surrender: 60
Sent: 09:30:36 UTC

(approval:1)
PROPERTY APPROVED · FORUM DR 8
A laundromat with a flat above.
Property: 1
Owner: Wren Halloway (license:owner)
Tier: 2
Size: 30 × 10 m
Coordinates: 11, -21
Added: 09:30:39 UTC
Status: ACTIVE
Decided by: tester

(approval:2)
PROPERTY WAITS FOR APPROVAL · FORUM DR 8
A laundromat with a flat above.
Property: 2
Owner: Wren Halloway (license:owner)
Tier: 1
Size: 20 × 10 m
Coordinates: 10, -20
Added: 09:30:40 UTC
[ Approve ] [ Reject ]

(flight:1)
DRONE OUT · FORUM DR 8
Alarm on the roof
Drone: 2 · Roof
Property: 1
Dispatched by: tester
Dispatched: 09:30:45 UTC
[ Recall ]

(flight:2)
DRONE BACK · FORUM DR 8
Drone: 3 · Roof
Property: 1
Dispatched by: tester
Dispatched: 09:30:46 UTC
Recalled by: tester
Was out: 1 s

(alarm:1)
ALARM RESOLVED · FORUM DR 8
Resolved by tester, 09:31:19 UTC.
Property: 1
Coordinates: 11, -21
Owner: Wren Halloway (license:owner)
Raised by: license:visitor
Raised: 09:30:48 UTC
How often: 2 times within 30 s
Last: license:visitor, 09:31:18 UTC
What was done: 3 earlier steps
09:31:14 UTC tester: It leaves
09:31:15 UTC tester: They are gone
09:31:16 UTC tester snoozed it until 09:46:16 UTC
09:31:17 UTC tester acknowledged it
09:31:19 UTC tester resolved it
( Map of Forum Dr 8. Property 1 · x 11, y -21; 30 × 10 m, x and y are its south-western corner; 1 camera: Roof; 1 drone out: Roof; Nearby: Forum Dr 8, Shed, Shed. )

(approval:3)
PROPERTY REMOVED · SHED
Property: 3
Owner: Wren Halloway (license:owner)
Tier: 1
Coordinates: 0, 0
Added: 09:30:58 UTC
Status: REMOVED
Decided by: tester

(approval:4)
PROPERTY REMOVAL REQUESTED · SHED
Property: 4
Owner: Wren Halloway (license:owner)
Tier: 1
Coordinates: 0, 0
Added: 09:30:59 UTC
Status: REMOVED
Decided by: tester

(approval:5)
PROPERTY WAITS FOR APPROVAL · SHED
Property: 5
Owner: Wren Halloway (license:owner)
Tier: 1
Coordinates: 0, 0
Added: 09:31:00 UTC
Approved so far by: <@7>
[ Approve ] [ Reject ]

(removal:1)
REMOVAL DENIED · FORUM DR 8
Moving away
Property: 1
Owner: Wren Halloway (license:owner)
Requested by: Wren Halloway (license:owner)
Requested: 09:31:01 UTC
Settled by: tester
Settled: 09:31:02 UTC
Answer: Not yet

(removal:2)
REMOVAL APPROVED · SHED
Moving away
Property: 3
Owner: Wren Halloway (license:owner)
Requested by: Wren Halloway (license:owner)
Requested: 09:31:03 UTC
Settled by: tester
Settled: 09:31:04 UTC
[ Restore ]

(removal:3)
REMOVAL REQUESTED · SHED
Moving away
Property: 4
Owner: Wren Halloway (license:owner)
Requested by: Wren Halloway (license:owner)
Requested: 09:31:05 UTC
[ Approve ] [ Deny ] [ Withdraw ]

(removal:4)
REMOVAL WITHDRAWN · FORUM DR 8
No reason given.
Property: 1
Owner: Wren Halloway (license:owner)
Requested by: tester
Requested: 09:31:09 UTC
Settled by: tester
Settled: 09:31:10 UTC

(alarm:2)
ALARM · FORUM DR 8
Nobody has acknowledged it. Waiting since 09:31:20 UTC.
Property: 2
Coordinates: 10, -20
Owner: Wren Halloway (license:owner)
Raised by: license:visitor
Raised: 09:31:20 UTC
How often: Once
What was done: 09:31:20 UTC tester: A window broke
( Map of Forum Dr 8. Property 2 · x 10, y -20; 20 × 10 m, x and y are its south-western corner; No camera and no drone; Nearby: Forum Dr 8, Shed, Shed. )
[ Acknowledge ] [ Note ] [ Snooze 15 min ] [ Snooze 1 h ] [ False alarm ] [ Resolve ]

(alarm-owner:1)
ALARM RESOLVED · FORUM DR 8
It is resolved.
Property: 1
Raised: 09:30:48 UTC
How often: 2 times within 30 s

(alarm-call:2-1)
NOBODY HAS ACKNOWLEDGED THE ALARM AT FORUM DR 8
Since 09:31:20 UTC.

(removal-answer:1)
REMOVAL DENIED · FORUM DR 8
Moving away
Property: 1
Owner: Wren Halloway (license:owner)
Requested by: Wren Halloway (license:owner)
Requested: 09:31:01 UTC
Settled by: tester
Settled: 09:31:02 UTC
Answer: Not yet

(approval-answer:1)
PROPERTY APPROVED · FORUM DR 8
A laundromat with a flat above.
Property: 1
Owner: Wren Halloway (license:owner)
Tier: 2
Size: 30 × 10 m
Coordinates: 11, -21
Added: 09:30:39 UTC
Status: ACTIVE
Decided by: tester

(board:units)
ON DUTY · 1
Last change 00:00:00 UTC
BCSO · 1: Available 7K-22
OPEN CALLS · 2
911 · 1 waiting
3 · 311 · [8031] Forum Dr
Dispatch calls · 1
10 · P1 · Laundromat fire · 7K-22, 7K-30
DRONES OUT · 1
Drone 2 · Forum Dr 8
"""

ENTRIES_SHOWN = """\
(cad.EVENT_UNIT_LOGIN)
UNIT 7K-22 ON DUTY
M. Okafor · Deputy II · BCSO

(cad.EVENT_UNIT_LOGIN)
DISPATCHER 7K-30 ON DUTY
R. Pike

(cad.EVENT_UNIT_STATUS)
7K-22, 7K-30 · STAGING

(cad.EVENT_UNIT_UPDATE)
7K-22 · UPDATED

(cad.EVENT_UNIT_GROUP_ADD)
7K-22 JOINED ENGINE 9

(cad.EVENT_UNIT_GROUP_REMOVE)
7K-22 LEFT ENGINE 9

(cad.EVENT_UNIT_GROUP_CHANGE_NAME)
GROUP RENAMED
Engine 9 → Ladder 9

(cad.EVENT_DISPATCH_TOGGLE_BODYCAM)
BODY CAMERA ON · 7K-22

(cad.EVENT_RECORD_ADD)
BOLO ADDED
BOLO · 46EEK 46EEK · 46EEK · 46EEK
ARMED

(cad.EVENT_RECORD_EDIT)
BOLO EDITED
BOLO · 46EEK 46EEK · 46EEK · 46EEK
ARMED

(cad.EVENT_RECORD_REMOVE)
BOLO REMOVED
BOLO · 46EEK 46EEK · 46EEK · 46EEK
ARMED

(cad.EVENT_PRINT_RECORD)
RECORD PRINTED · 7K-22

(cad.EVENT_CHAR_SELECTED)
CHARACTER SELECTED
2290

(cad.EVENT_COMMUNITY_LINK_VERIFIED)
ACCOUNT LINKED
license:9b41

(cad.EVENT_TONE)
TONE
Station 9 · Station 9 · Station 9 · Station 9 · Station 9 · Station 9 · Station 9 · Station 9

(cad.EVENT_STREETSIGN_UPDATED)
ROAD SIGN 14, 15, 16, 17, 18, 19, 20, 21
LANE · CLOSED

(property-status-change)
STATUS · FORUM DR 8 (1)
PENDING → ACTIVE

(property-equipment-change)
EQUIPMENT ADDED · FORUM DR 8 (1)
Camera 1 · Roof

(property-equipment-change)
EQUIPMENT ADDED · FORUM DR 8 (1)
Drone 2 · Roof

(property-equipment-change)
EQUIPMENT ADDED · FORUM DR 8 (1)
Drone 3 · Roof

(visits)
VISIT · FORUM DR 8 (1)
license:visitor was seen by Camera 1 · Roof.

(crimes)
CRIME · FORUM DR 8 (1)
Crime 1 was reported. Suspect: license:visitor.

(crimes)
CRIME · ELSEWHERE
Crime 2 was reported.

(auth-entries)
ACCESS REFUSED · FORUM DR 8 (1)
license:visitor is not on the list.

(auth-entries)
ACCESS · FORUM DR 8 (1)
Wren Halloway was let in.

(property-coordinates-changed)
MOVED · FORUM DR 8 (1)
Now at 11, -21.

(property-size-changed)
RESIZED · FORUM DR 8 (1)
30 × 10 m, 300 m² in all.

(property-tier-changed)
TIER · FORUM DR 8 (1)
Now Premium.

(property-equipment-change)
EQUIPMENT REMOVED · FORUM DR 8 (1)
Drone 3 · Roof

(property-removed)
PROPERTY REMOVED · SHED (5)

(property-restored)
PROPERTY RESTORED · SHED (5)

(cad.EVENT_UNIT_LOGOUT)
7K-30 OFF DUTY

(sentinel.cad-silent)
THE CAD IS SILENT
Nothing came from it for 31 min, although 1 unit is on duty.
If the CAD is in use, look whether it still pushes to this address, with the right key.

(sentinel.cad-back)
THE CAD IS BACK
It was silent for 35 min.

(sentinel.daily)
THE DAY UP TO 2026-11-23
38 pushes · 3 emergency calls · 2 dispatch calls · 1 panic
3 alarms · 1 visit · 2 drone flights · no messages to Discord · no problems in the log
"""
