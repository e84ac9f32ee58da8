"""Cards and feed entries: what people see, within Discord's limits whatever the game sends."""

import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import discord
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.settings import Channels
from cogs.cards import CARDS, board, render
from cogs.delivery.feed_queue import count_that_fit
from cogs.delivery.rest.messenger import as_text
from cogs.feeds import FEEDS, entry_embed, summary_embed
from cogs.i18n.language import LANGUAGES, using_locale
from cogs.ui.embeds import EMBED, Button, CardBuilder, Colour, MessageContent, embed_length
from db.calls import CallKey
from db.feeds import FeedCount
from tests.cogs.hostile_texts import invisible, wire_texts
from tests.cogs.scenario import CAD_EVENTS, Scenario
from tests.examples import examples
from tests.fake_discord.errors import Problems
from tests.fake_discord.validation import check_message
from tests.golden import check_golden
from tests.webhook.harness import AppHarness, open_harness
from webhook import cad
from webhook.cad.events.event import dispatch_subject
from webhook.cad.store import store_push
from webhook.protocol.events import CAD, EVENTS, SYSTEM_EVENTS, MemberLinked, Subject

WITHOUT_A_FORM = {
    "scanned": "comes with every visit, which is in a feed",
    MemberLinked.name: "is a private message",
}
"""Events that are neither on a card nor in a feed, and why."""

NOT_IN_USE: dict[str, str] = {}
"""Channels of the configuration that nothing is posted to yet, and why."""

GOLDEN = Path(__file__).parent / "golden"
BOARD = board.SUBJECT
OF_NO_EVENT = [
    Subject("alarm-owner", "1"),
    Subject("alarm-owner-again", "1"),
    Subject("alarm-call", "2-1"),
    Subject("alarm-again", "2"),
    Subject("panic-again", "1"),
    Subject("emergency-again", "1@county"),
    Subject("removal-answer", "1"),
    Subject("removal-owner", "1"),
    Subject("removal-owner", "3"),
    Subject("approval-answer", "1"),
    Subject("trouble-direct", "1"),
    Subject("drill", "1"),
    Subject("asked", "1"),
]
"""Cards whose subjects no event names: the follower and the watch make them."""

PRIVATE = {
    "property-removed": "property-message",
    "property-restored": "property-message",
    "property-owner-change": "property-message",
    "sentinel.member-linked": "linked",
}
"""Events that have a private message of their own, and its kind."""

LONGEST_REFERENCE = f"{'f' * 6}-c{2**31}.{999}"
LONGEST_FOOTER = f"Dispatch call {2**53} · CAD Sentinel · {LONGEST_REFERENCE}"
OWN_MENTION = re.compile(r"(?<!\\)(?:<t:-?\d+:[A-Za-z]>|<@\d+>)")
LIVE_MENTION = re.compile(r"(?<!\\)(?:\\\\)*(?:@(?:everyone|here)|<[@#:/])")


async def _subjects(harness: AppHarness) -> list[Subject]:
    events = await harness.journal_events()
    found = (subject for event in events for subject in event.subjects)
    carded = dict.fromkeys(subject for subject in found if subject.kind in CARDS)
    private = [
        Subject(PRIVATE[event.name], f"{event.id}@{member}")
        for event in events
        if event.name in PRIVATE
        for member in ((7, 8) if event.name == "property-owner-change" else (7,))
    ]
    return [*carded, *OF_NO_EVENT, *private, BOARD]


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
        if event.name in FEEDS and not event.is_redundant
    ]


async def _cards_as_text(harness: AppHarness) -> dict[str, str]:
    """Return what each kind of card reads like."""
    shown: dict[str, list[str]] = {}
    for subject, card in await _cards(harness):
        shown.setdefault(subject.kind, []).append(f"({subject})\n{as_text(card)}\n")
    return {kind: "\n".join(texts) for kind, texts in shown.items()}


async def _feeds_as_text(harness: AppHarness) -> str:
    entries = await _entries(harness)
    return "\n".join(f"({name})\n{as_text(MessageContent([embed]))}\n" for name, embed in entries)


def check_as_discord(content: MessageContent) -> None:
    """Have the fake Discord look at a message as it is sent."""
    content.embeds[-1].set_footer(text=LONGEST_FOOTER)
    view = content.view()
    body = {
        "content": content.text,
        "embeds": [embed.to_dict() for embed in content.embeds],
        "components": view.to_components() if view is not None else [],
        "allowed_mentions": content.allowed_mentions().to_dict(),
        "nonce": LONGEST_REFERENCE,
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
    assert dict(content.allowed_mentions().to_dict()) == {"parse": []}
    for text in (content.text or "", *texts_of(content.embeds)):
        assert LIVE_MENTION.findall(OWN_MENTION.sub("", text)) == []
        assert invisible(text) == []


@examples(0.12)
@given(
    st.lists(wire_texts, min_size=1, max_size=5),
    st.sampled_from([1, 7, 900]),
    st.sampled_from(sorted(LANGUAGES)),
)
@example(["@everyone <@&1> "], 300, "en")
@example(["*"], 5_000, "de")
@example(["😀"], 5_000, "de")
@example(["x\n"], 2_500, "en")
@example(["", "\u202e", "\n"], 1_700, "de")
async def test_cards_and_feeds_stay_within_discords_limits_and_ping_nobody(
    texts: list[str], times: int, language: str
) -> None:
    words = itertools.cycle(text * times for text in texts)
    with TemporaryDirectory() as folder:
        async with open_harness(Path(folder) / "sentinel.db") as harness:
            await Scenario(harness, lambda _: next(words)).play()
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
    ten = [largest.copy() for _ in range(10)]
    check_as_discord(MessageContent(ten[: count_that_fit(ten)]))


async def test_cards_and_feeds_match_their_golden_files(harness: AppHarness) -> None:
    await Scenario(harness).play()
    for kind, text in (await _cards_as_text(harness)).items():
        check_golden(GOLDEN / f"{kind}.txt", text)
    check_golden(GOLDEN / "feeds.txt", await _feeds_as_text(harness))
    with using_locale("de"):
        german = [*(await _cards_as_text(harness)).values(), await _feeds_as_text(harness)]
    check_golden(GOLDEN / "german.txt", "\n".join(german))


async def test_every_event_has_a_card_or_a_feed(harness: AppHarness) -> None:
    await Scenario(harness).play()
    events = await harness.journal_events()
    assert {event.name for event in events} == {
        *EVENTS,
        *CAD_EVENTS,
        *SYSTEM_EVENTS,
        MemberLinked.name,
    }
    on_cards = {event.name for event in events for s in event.subjects if s.kind in CARDS}
    assert {event.name for event in events} - on_cards - set(FEEDS) == set(WITHOUT_A_FORM)


def test_every_cad_event_is_declared_with_the_card_or_the_feed_that_shows_it() -> None:
    declared = cad.EVENTS.values()
    assert all(bool(each.card) != bool(each.feed) for each in declared)
    assert {each.card for each in declared if each.card} <= set(CARDS)
    in_feeds = {f"{CAD}.{each.type}" for each in declared if each.feed}
    assert in_feeds == {name for name in FEEDS if name.startswith(f"{CAD}.")}


def test_every_feed_names_an_existing_event() -> None:
    assert set(FEEDS) <= {*EVENTS, *(f"{CAD}.{kind}" for kind in cad.EVENTS), *SYSTEM_EVENTS}


def test_every_channel_of_the_configuration_is_used() -> None:
    used = {kind.channel for kind in CARDS.values()} | {feed.channel for feed in FEEDS.values()}
    used.remove("direct")  # private messages
    assert used == set(Channels.model_fields) - set(NOT_IN_USE)


async def test_an_unknown_subject_has_no_card(harness: AppHarness) -> None:
    for kind in set(CARDS) - {BOARD.kind}:
        key = f"9@{CAD}" if kind in ("emergency", "dispatch") else "9"
        assert await render(harness.database.read, Subject(kind, key)) is None


async def test_calls_of_which_only_the_end_is_known_have_no_card(harness: AppHarness) -> None:
    async def push(kind: str, data: object) -> None:
        await store_push(harness.context(), "cad", {"type": kind, "data": data})

    async def has_card(number: int) -> bool:
        subject = dispatch_subject(CallKey("cad", number))
        return await render(harness.database.read, subject) is not None

    await push("EVENT_DISPATCH_NOTE", {"callId": 7, "note": "A shot"})
    await push("EVENT_DISPATCH_CLOSED", {"callIds": [7, 8, 9]})
    assert [await has_card(number) for number in (7, 8, 9)] == [True, False, False]
    await push("EVENT_DISPATCH_NEW", {"dispatch": {"callId": 8, "title": "Robbery"}})
    assert await has_card(8)


async def test_the_feed_of_units_translates_the_statuses_of_the_cad(harness: AppHarness) -> None:
    await Scenario(harness).push("EVENT_UNIT_STATUS", {"identIds": [1], "status": 3})
    (event,) = await harness.journal_events()
    assert (await entry_embed(harness.database.read, event)).title == "1 · En route"
    with using_locale("de"):
        embed = await entry_embed(harness.database.read, event)
    assert embed.title == "1 · Anfahrt"


async def test_a_feed_entry_that_cannot_be_rendered_shows_its_number(
    harness: AppHarness, caplog: pytest.LogCaptureFixture
) -> None:
    await Scenario(harness).push("EVENT_UNIT_STATUS", {"identIds": [1], "status": 2})
    (event,) = await harness.journal_events()
    event.data.clear()
    embed = await entry_embed(harness.database.read, event)
    assert embed.title == f"cad.EVENT_UNIT_STATUS · event {event.id}"
    assert f"the feed entry {event.id} cannot be rendered" in caplog.text


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


def test_the_digest_differs_when_visible_content_differs() -> None:
    def content(**changed: object) -> MessageContent:
        embed = discord.Embed(title=str(changed.get("title", "a")))
        label = str(changed.get("label", "b"))
        return MessageContent([embed], (Button(label, "x:y:1"),))

    assert content().digest() == content().digest()
    assert content(title="c").digest() != content().digest()
    assert content(label="c").digest() != content().digest()
