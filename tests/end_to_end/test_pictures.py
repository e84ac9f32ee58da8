"""Pictures arrive in Discord, with words for those who cannot see them, when they changed."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from PIL import Image

from bot.settings import MapSettings
from cogs.cards import CARDS, CardKind, calls
from cogs.ui.embeds import MessageContent
from cogs.ui.picture import Picture
from db.database import Reader
from tests.end_to_end.environment import BotEnvironment, call_911, dispatch_call
from tests.fake_discord import Message, RecordedRequest, render
from tests.fake_discord.openapi import OpenApi
from webhook.protocol.events import Subject


class Painter:
    """Gives the cards of 911 calls a picture, which shows what `shown` says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown: str | None = "first"
        self.drawn: list[str] = []
        monkeypatch.setitem(CARDS, "emergency", CardKind("emergency", self._card))

    async def _card(self, sql: Reader, subject: Subject) -> MessageContent | None:
        content = await calls.emergency(sql, subject)
        if content is None or self.shown is None:
            return content
        picture = Picture.of("map.png", f"Shows {self.shown}.", self.shown, self._draw)
        return MessageContent(content.embeds, content.buttons, picture=picture)

    def _draw(self, shown: str) -> bytes:
        self.drawn.append(shown)
        if shown == "broken":
            raise ValueError("cannot be drawn")
        return shown.encode()


@pytest.fixture
def painter(monkeypatch: pytest.MonkeyPatch) -> Painter:
    """Cards with pictures."""
    return Painter(monkeypatch)


def _pictures(card: Message) -> list[str]:
    """Return what the pictures of a card say, if its embed shows them."""
    shown = [str((embed.get("image") or {}).get("url", "")) for embed in card.embeds]
    described = [str(one.get("description", "")) for one in card.attachments]
    assert [url for url in shown if url] == [
        f"attachment://{x['filename']}" for x in card.attachments
    ]
    return described


def _uploads(env: BotEnvironment) -> list[RecordedRequest]:
    return [one for one in env.fake.requests if one.files]


async def _posted(env: BotEnvironment) -> Message:
    assert await env.push("EVENT_911", call_911(1)) == 200
    return await env.channel("emergency").next_message()


async def _changed(env: BotEnvironment, card: Message, caller: str) -> None:
    """Have the card change, and wait until it does."""
    assert await env.push("EVENT_911", call_911(1, caller=caller)) == 200
    await env.fake.until(lambda: caller in render(card))


async def test_a_card_is_posted_with_its_picture_and_alternative_text(
    env: BotEnvironment, painter: Painter
) -> None:
    async with env.bot_running():
        card = await _posted(env)
    assert _pictures(card) == ["Shows first."]
    (upload,) = _uploads(env)
    assert upload.body["attachments"] == [
        {"id": 0, "filename": "map.png", "description": "Shows first."}
    ]
    description = OpenApi.load()
    assert description is None or description.faults(env.fake.requests) == []


async def test_an_edit_without_a_change_of_the_picture_draws_and_uploads_nothing(
    env: BotEnvironment, painter: Painter
) -> None:
    async with env.bot_running():
        card = await _posted(env)
        await _changed(env, card, "Ann")
    async with env.bot_running():
        await _changed(env, card, "Bob")
    assert _pictures(card) == ["Shows first."]
    assert (len(_uploads(env)), painter.drawn) == (1, ["first"])
    edits = env.fake.requests_to("PATCH", rf"/messages/{card.id}$")
    assert len(edits) == 2
    assert not any("attachments" in one.body for one in edits)


async def test_a_changed_picture_replaces_the_one_before(
    env: BotEnvironment, painter: Painter
) -> None:
    async with env.bot_running():
        card = await _posted(env)
        painter.shown = "second"
        await _changed(env, card, "Ann")
        assert _pictures(card) == ["Shows second."]
        painter.shown = None
        await _changed(env, card, "Bob")
        assert _pictures(card) == []
    assert painter.drawn == ["first", "second"]
    description = OpenApi.load()
    assert description is None or description.faults(env.fake.requests) == []


async def test_a_picture_that_cannot_be_drawn_stops_no_card(
    env: BotEnvironment, painter: Painter, caplog: pytest.LogCaptureFixture
) -> None:
    painter.shown = "broken"
    async with env.bot_running():
        card = await _posted(env)
        assert _pictures(card) == []
        painter.shown = "good"
        await _changed(env, card, "Ann")
        assert _pictures(card) == ["Shows good."]
        painter.shown = "broken"
        await _changed(env, card, "Bob")
        assert _pictures(card) == [], "an outdated picture is not left there"
    assert "the picture map.png cannot be drawn" in caplog.text


@pytest.mark.parametrize(
    "status", [pytest.param(400, id="invalid"), pytest.param(413, id="too large")]
)
async def test_a_picture_that_discord_refuses_is_left_out(
    env: BotEnvironment, painter: Painter, status: int
) -> None:
    channel = env.channel("emergency")
    env.fake.fault("POST", rf"/{channel.id}/messages$", status=status, body={"code": 40005})
    async with env.bot_running():
        card = await _posted(env)
        assert _pictures(card) == []
        env.fake.fault("PATCH", rf"/messages/{card.id}$", status=status, body={"code": 40005})
        await _changed(env, card, "Ann")
        assert _pictures(card) == []
        await _changed(env, card, "Bob")
        assert _pictures(card) == ["Shows first."], "the next edit tries again"
    assert channel.created == [card]


async def test_a_channel_where_files_may_not_be_attached_is_asked_once(
    env: BotEnvironment, painter: Painter
) -> None:
    env.channel("emergency").deny("attach_files")
    async with env.bot_running():
        card = await _posted(env)
        await _changed(env, card, "Ann")
        await _changed(env, card, "Bob")
        assert _pictures(card) == []
        assert len(_uploads(env)) == 1
    env.channel("emergency").restore()
    async with env.bot_running():
        await _changed(env, card, "Cleo")
        assert _pictures(card) == ["Shows first."]


async def test_a_card_with_a_picture_is_recognised_after_a_crash(
    env: BotEnvironment, painter: Painter
) -> None:
    async with env.bot_running():
        card = await _posted(env)
    await asyncio.to_thread(_forget_the_message, env)
    async with env.bot_running():
        await env.fake.until(lambda: card.edit_count == 1)
    assert env.channel("emergency").created == [card]
    assert _pictures(card) == ["Shows first."]


def _forget_the_message(env: BotEnvironment) -> None:
    """Have the database be as if the bot had died between Discord's answer and its note of it."""
    with closing(sqlite3.connect(env.folder / "sentinel.db")) as database:
        database.execute(
            "UPDATE cards SET shown = 0, digest = '', picture = '', channel_id = NULL,"
            " message_id = NULL"
        )
        database.commit()


async def test_without_discord_the_alternative_text_is_logged(
    env: BotEnvironment, painter: Painter, caplog: pytest.LogCaptureFixture
) -> None:
    with_discord = env.settings()
    off = with_discord.discord.model_copy(update={"token": ""})
    env.settings = lambda: with_discord.model_copy(update={"discord": off})  # type: ignore[method-assign]
    with caplog.at_level(logging.INFO, "cogs.delivery.rest.messenger"):
        async with env.bot_running():
            assert await env.push("EVENT_911", call_911(1)) == 200
            async with asyncio.timeout(10):
                while "( Shows first. )" not in caplog.text:  # noqa: ASYNC110 - a log has no event
                    await asyncio.sleep(0.01)
    assert painter.drawn == []


# The map of a property


async def _map(env: BotEnvironment, member: Any, property_id: int) -> Any:
    shown = await env.fake.slash(member, "property show", property=str(property_id))
    await env.fake.until(lambda: shown.answered)
    if not shown.embeds:
        return shown
    reply = await env.fake.click(member, shown, "Map")
    await env.fake.until(lambda: reply.answered)
    return reply


async def test_viewers_get_the_map_of_a_property(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        property_id = await env.add_property("Vinewood *villa*", drones=2)
        call = dispatch_call(7, address="Vinewood *villa*")
        assert await env.push("EVENT_DISPATCH_NEW", call) == 200
        reply = await _map(env, env.vic, property_id)
        choices = await env.fake.autocomplete(
            env.vic, "property show", focused="property", value="vine"
        )
    assert [choice.name for choice in choices] == [f"Vinewood *villa* ({property_id})"]
    assert reply.ephemeral
    assert render(reply) == (
        "(only you can see this)\n"
        "┌ #1976d2\n"
        "│ # Map · Vinewood \\*villa\\*\n"
        "│ ~ Property: 1\n"
        "│ ~ Coordinates: 0, 0\n"
        "│ (image attachment://map.png)\n"
        "└\n"
        "(file map.png: Map of Vinewood *villa*. Property 1 · x 0, y 0; Its size is not known;"
        " 2 drones ready: Drone 1, Drone 2; Call 7 Structure fire · at the property.)"
    )
    (attached,) = reply.message.attachments
    assert attached["content_type"] == "image/png"
    assert attached["width"] >= 800


async def test_members_without_a_role_get_only_maps_of_their_own_properties(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        theirs = await env.add_property("Small flat")
        other = await env.add_property("Other house")
        await env.query("add-allowed-user", propertyId=theirs, userId="license:them")
        await env.query("link-user", memberId=str(env.stranger.id), userId="license:them")
        allowed = await _map(env, env.stranger, theirs)
        refused = await _map(env, env.stranger, other)
    (attached,) = allowed.message.attachments
    assert "Map of Small flat" in attached["description"]
    assert "Other house" not in attached["description"]
    assert refused.content == (
        f"This needs the viewer role: <@&{env.viewers.id}>, or to be the owner or"
        " on the access list of the property."
    )
    assert not refused.message.attachments


async def test_an_answer_goes_without_the_picture_that_discord_refuses(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        property_id = await env.add_property("Villa")
        shown = await env.fake.slash(env.vic, "property show", property=str(property_id))
        env.fake.fault("POST", r"^/webhooks/", status=413, body={"code": 40005})
        reply = await env.fake.click(env.vic, shown, "Map")
    assert "Map · Villa" in render(reply)
    assert "map.png" not in render(reply)


async def test_the_configured_map_image_is_drawn_under_the_map(env: BotEnvironment) -> None:
    file = env.folder / "map.png"
    Image.new("RGB", (400, 400), (0, 200, 0)).save(file)
    points = [[0.0, 0.0, -900.0, 1_100.0], [400.0, 400.0, 1_100.0, -900.0]]
    plain = env.settings()
    with_image = plain.model_copy(update={"map": MapSettings(image=str(file), points=points)})
    sizes: list[int] = []
    for settings in (plain, with_image):
        env.settings = lambda it=settings: it  # type: ignore[method-assign, misc]
        async with env.bot_running():
            await env.fake.wait_connected()
            await env.wait_for_commands()
            if not sizes:
                await env.add_property("Villa")
            sizes.append((await _map(env, env.vic, 1)).message.attachments[0]["size"])
    assert sizes[0] != sizes[1]
