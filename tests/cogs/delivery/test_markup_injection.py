"""Whatever is written into any text is only shown: on cards, feeds, in answers and choices."""

from collections.abc import Iterator
from functools import partial

import discord
import pytest

from bot.settings import RuleSettings
from cogs.cards import CARDS, board, render
from cogs.delivery.feed_queue import count_that_fit
from cogs.delivery.rest.messenger import as_text
from cogs.feeds import FEEDS, entry_embed
from cogs.ui.embeds import MessageContent
from db import community
from db.community import EquipmentType, Tier
from tests.cogs.cards.test_cards import check_as_discord
from tests.cogs.hostile_texts import invisible
from tests.cogs.markdown import foreign, look
from tests.cogs.payloads import PAYLOADS, check_inert, check_plain, check_whole, words
from tests.cogs.scenario import Scenario
from tests.end_to_end.environment import BotEnvironment, call_911, dispatch_call
from tests.fake_discord import InteractionReply
from tests.fake_discord.validation import TEXT_DISPLAY, every_component
from tests.webhook.harness import AppHarness
from webhook.protocol.clean_text import clean_text

OFFSETS = range(0, len(PAYLOADS), 9)
"""Where the payloads begin: each field meets several of them, each of them several fields."""


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("a **b**", "strong"),
        ("a\n# b", "heading"),
        ("  -# b", "subtext"),
        ("> a", "quote"),
        ("3. a", "list"),
        ("||a||", "spoiler"),
        ("```a```", "code"),
        ("[a](b)", "link"),
        ("http://b", "address"),
        ("<t:1:R>", "time"),
        ("<@1>", "user"),
        ("@everyone", "mention"),
        ("</a b:1>", "mention"),
        (":wave:", "emoji"),
        ("discord.gg/abc", "invite"),
        ("\\\\*a*", "star"),
        ("a\u200bb", "unseen"),
    ],
)
def test_the_model_finds_active_markup(source: str, kind: str) -> None:
    assert kind in [found for found, _ in look(source).alive]


@pytest.mark.parametrize(
    "source", ["\\*a\\*", "a #1 - b", "10:15", "1.5 km", "\\<@1>", "a_b", "\\# a"]
)
def test_the_model_ignores_plain_text(source: str) -> None:
    assert look(source).alive == []
    assert look(source).text == source.replace("\\", "")


def test_a_payload_that_is_not_shown_whole_is_reported() -> None:
    with pytest.raises(AssertionError):
        check_whole("zq00x")
    with pytest.raises(AssertionError):
        check_inert("**zq00x**")
    check_inert("\\*\\*zq00x\\*\\*")


def _check_embeds(embeds: list[discord.Embed]) -> None:
    for embed in embeds:
        for text in (embed.title, embed.description):
            check_inert(text or "")
        for field in embed.fields:
            check_inert(field.name or "")
            # Of a tone's address only the end is shown.
            check_inert(field.value or "", cut_in_front=field.name == "Tone")


@pytest.mark.parametrize("offset", OFFSETS)
async def test_payloads_are_plain_text_on_cards_in_feeds_and_in_the_log(
    harness: AppHarness, offset: int
) -> None:
    payloads = words(offset)
    async with harness.database.write() as sql:
        await community.replace(
            sql,
            [Tier(number, next(payloads), next(payloads)[:32]) for number in (1, 2, 3)],
            [EquipmentType(number, next(payloads)) for number in (1, 2, 3)],
        )
    await Scenario(harness, lambda _: next(payloads)).play()
    sql_read = harness.database.read
    events = await harness.journal_events()
    subjects = dict.fromkeys(
        subject for event in events for subject in event.subjects if subject.kind in CARDS
    )
    contents = [await render(sql_read, subject) for subject in [*subjects, board.SUBJECT]]
    shown = [content for content in contents if content is not None]
    shown += [
        MessageContent([await entry_embed(sql_read, event)])
        for event in events
        if event.name in FEEDS
    ]
    for content in shown:
        _check_embeds(content.embeds)
        assert invisible(as_text(content)) == []


async def test_a_name_before_our_colon_does_not_become_an_emoji(harness: AppHarness) -> None:
    scenario = Scenario(harness, lambda _: ":wave")
    await scenario.announcements()
    data = {"callout": {"calloutName": "x", ":wave": "y"}}
    await scenario.push("EVENT_NEW_CALLOUT", data)
    await scenario.push("EVENT_UNIT_LOGIN", {"unit": {"id": 61, "data": {"unitNum": ":wave"}}})
    await scenario.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True})
    await scenario.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": False})
    events = await harness.journal_events()
    for subject in {subject for event in events for subject in event.subjects}:
        card = await render(harness.database.read, subject) if subject.kind in CARDS else None
        if card is not None:
            _check_embeds(card.embeds)


async def test_as_many_of_the_longest_records_share_a_message_as_fit(harness: AppHarness) -> None:
    await Scenario(harness, lambda _: "\U0001f6a8" * 500).records()
    for event in await harness.journal_events():
        if event.name in FEEDS:
            embed = await entry_embed(harness.database.read, event)
            ten = [embed.copy() for _ in range(10)]
            assert count_that_fit(ten) >= 3
            check_as_discord(MessageContent(ten[: count_that_fit(ten)]))


COMMANDS: dict[str, dict[str, str]] = {
    "drone list": {"property": "1"},
    "drone dispatch": {"property": "1"},
    "drone recall": {"drone": "1"},
    "removal list": {},
    "removal approve": {"property": "2"},
    "cad calls": {},
    "cad call": {"id": "2"},
    "cad units": {},
    "cad unit": {"number": "61@cad"},
    "route test": {"event": "1"},
}
TYPED = {
    "drone dispatch": "property",
    "drone recall": "drone",
    "removal approve": "property",
    "cad call": "id",
    "cad unit": "number",
    "route test": "event",
}
"""Commands by the option that offers choices, and that people may type anything into."""


def _texts(reply: InteractionReply) -> list[str]:
    """Return the texts of a layout, without the marks of its title and its footer."""
    return [
        str(component["content"]).removeprefix("### ").removeprefix("-# ")
        for _path, component in every_component(reply.components)
        if component["type"] == TEXT_DISPLAY
    ]


def _is_answered(reply: InteractionReply) -> bool:
    return reply.answered


async def _fill(env: BotEnvironment, text: Iterator[str]) -> None:
    """Have something of everything, named by players."""
    for _ in range(3):
        place = {"location": next(text), "description": next(text), "clientId": next(text)}
        added = await env.query("add-property", tier=1, x=0, y=0, **place)
        for _ in range(2):
            kind = {"propertyId": added["id"], "equipmentType": 3}
            await env.query("add-equipment", **kind, description=next(text))
    for number in (2, 3):
        await env.query(
            "request-remove-property", propertyId=number, userId=next(text), reason=next(text)
        )
    await env.query("dispatch-drone", propertyId=2)
    named = ("unitNum", "name", "department", "subdivision", "rank", "group")
    unit = {"id": 61, "status": next(text), "data": {name: next(text) for name in named}}
    await env.push("EVENT_UNIT_LOGIN", {"unit": unit | {"location": next(text)}})
    told = {"caller": next(text), "location": next(text), "description": next(text)}
    await env.push("EVENT_911", call_911(1, **told))
    told = {name: next(text) for name in ("title", "code", "address", "postal", "description")}
    call = dispatch_call(2, **told, idents=[61])
    await env.push("EVENT_DISPATCH_NEW", call)
    note = {"label": next(text), "content": next(text), "time": next(text)}
    await env.push("EVENT_DISPATCH_NOTE", {"callId": 2, "note": note})


@pytest.mark.parametrize("offset", [0, 20, 40])
async def test_payloads_are_plain_text_in_answers_and_choices(
    env: BotEnvironment, offset: int
) -> None:
    text = words(offset)
    name = " ".join(next(text).split())
    env.rules = [RuleSettings(name=clean_text(name, 60), keywords=[name], silent=True)]
    owner = env.guild.add_member("Owner", env.guild.add_role("Owner", permissions=1 << 5))
    async with env.bot_running():
        await env.fake.until(lambda: bool(env.guild.commands))
        await _fill(env, text)
        for command, option in TYPED.items():
            for choice in await env.fake.autocomplete(owner, command, focused=option, value=""):
                check_plain(choice.name)
        for command, options in COMMANDS.items():
            reply = await env.fake.slash(owner, command, options=options)
            await env.fake.until(partial(_is_answered, reply))
            own_lists = command == "route test"
            check_inert(reply.content.replace("\n- ", "\n") if own_lists else reply.content)
            _check_embeds([discord.Embed.from_dict(embed) for embed in reply.embeds])
            for shown in _texts(reply):
                check_inert(shown)
        form = await env.fake.slash(owner, "removal deny", property="3")
        await env.fake.until(lambda: form.modal is not None)
        check_plain(form.modal["title"] if form.modal else "")
        done = await env.fake.submit(owner, form, {"Reason": next(text)})
        await env.fake.until(lambda: bool(done.content))
        check_inert(done.content)
        for command, option in TYPED.items():
            typed = next(text)[:100]
            reply = await env.fake.slash(owner, command, options={option: typed})
            await env.fake.until(partial(_is_answered, reply))
            assert foreign(reply.content) == []  # quoted as Python does, so it need not be whole


async def test_lists_of_the_longest_names_fit_into_an_answer(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.fake.until(lambda: bool(env.guild.commands))
        for _ in range(20):
            texts = {"location": "*" * 200, "clientId": "_" * 64, "description": ""}
            place = (await env.query("add-property", tier=1, x=0, y=0, **texts))["id"]
            for of in (place, 1):
                drone = {"propertyId": of, "equipmentType": 3}
                await env.query("add-equipment", **drone, description="_" * 200)
            await env.query("dispatch-drone", propertyId=place)
            await env.query("request-remove-property", propertyId=place)
        for command, options in {"drone list": {"property": "1"}, "removal list": {}}.items():
            reply = await env.fake.slash(env.anna, command, options=options)
            await env.fake.until(partial(_is_answered, reply))
            assert sum(text.count("\n") + 1 for text in _texts(reply)) == 12, command
