"""What the fake refuses is what Discord refuses, in Discord's words and shape."""

from typing import Any

import aiohttp
import pytest

from tests.fake_discord import FakeDiscord, Guild

JSON = dict[str, Any]

BUTTON: JSON = {"type": 2, "style": 1, "label": "a", "custom_id": "a"}
OPTION: JSON = {"label": "a", "value": "a"}
SELECT: JSON = {"type": 3, "custom_id": "s", "options": [OPTION]}


def row(*components: JSON) -> JSON:
    """An action row."""
    return {"type": 1, "components": list(components)}


def buttons(count: int) -> list[JSON]:
    """Buttons with different ids."""
    return [{**BUTTON, "custom_id": str(number)} for number in range(count)]


async def send(fake: FakeDiscord, method: str, path: str, body: Any) -> tuple[int, Any]:
    """Status and body of the answer to a request of the bot."""
    headers = {"Authorization": f"Bot {fake.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, fake.rest_url + path, json=body) as answer,
    ):
        return answer.status, await answer.json() if answer.status != 204 else None


def places(errors: JSON, path: str = "") -> dict[str, str]:
    """Discord's nested errors as a flat mapping: where and which code."""
    found: dict[str, str] = {}
    for key, inner in errors.items():
        if key == "_errors":
            found[path] = inner[0]["code"]
        else:
            found |= places(inner, f"{path}.{key}" if path else key)
    return found


TOO_LONG = "BASE_TYPE_MAX_LENGTH"

FIELD = {"name": "a", "value": "b"}

REFUSED = [
    ({"content": "x" * 2001}, "content", TOO_LONG),
    ({"content": "😀" * 1001}, "content", TOO_LONG),
    ({"content": "x", "nonce": "n" * 26}, "nonce", TOO_LONG),
    ({"embeds": [{"title": "x"}] * 11}, "embeds", TOO_LONG),
    ({"embeds": [{"title": "x" * 257}]}, "embeds.0.title", TOO_LONG),
    ({"embeds": [{"description": "x" * 4097}]}, "embeds.0.description", TOO_LONG),
    ({"embeds": [{"fields": [FIELD] * 26}]}, "embeds.0.fields", TOO_LONG),
    (
        {"embeds": [{"fields": [FIELD, {"name": " ", "value": "x"}]}]},
        "embeds.0.fields.1.name",
        "BASE_TYPE_REQUIRED",
    ),
    (
        {"embeds": [{"fields": [{"name": "x", "value": ""}]}]},
        "embeds.0.fields.0.value",
        "BASE_TYPE_REQUIRED",
    ),
    (
        {"embeds": [{"fields": [{"name": "x" * 257, "value": "x"}]}]},
        "embeds.0.fields.0.name",
        TOO_LONG,
    ),
    (
        {"embeds": [{"fields": [{"name": "x", "value": "x" * 1025}]}]},
        "embeds.0.fields.0.value",
        TOO_LONG,
    ),
    (
        {"embeds": [{"footer": {"text": "x" * 2049}}]},
        "embeds.0.footer.text",
        TOO_LONG,
    ),
    ({"embeds": [{"author": {"name": "x" * 257}}]}, "embeds.0.author.name", TOO_LONG),
    ({"embeds": [{"description": "x" * 3001}] * 2}, "embeds", "MAX_EMBED_SIZE_EXCEEDED"),
    ({"embeds": [{"title": "x", "url": "x"}]}, "embeds.0.url", "URL_TYPE_INVALID_URL"),
    (
        {"embeds": [{"title": "x", "timestamp": "now"}]},
        "embeds.0.timestamp",
        "DATE_TIME_TYPE_PARSE",
    ),
    ({"embeds": [{"title": "x", "color": 1 << 24}]}, "embeds.0.color", "NUMBER_TYPE_MAX"),
    ({"components": [row(BUTTON)] * 6}, "components", TOO_LONG),
    ({"components": [row()]}, "components.0.components", "BASE_TYPE_BAD_LENGTH"),
    ({"components": [row(*buttons(6))]}, "components.0.components", "BASE_TYPE_BAD_LENGTH"),
    (
        {"components": [row(BUTTON), row(BUTTON)]},
        "components.1.components.0.custom_id",
        "COMPONENT_CUSTOM_ID_DUPLICATED",
    ),
    (
        {"components": [row({**BUTTON, "custom_id": "x" * 101})]},
        "components.0.components.0.custom_id",
        TOO_LONG,
    ),
    (
        {"components": [row({**BUTTON, "label": "x" * 81})]},
        "components.0.components.0.label",
        TOO_LONG,
    ),
    (
        {"components": [row({"type": 2, "style": 1, "label": "x"})]},
        "components.0.components.0.custom_id",
        "BASE_TYPE_REQUIRED",
    ),
    (
        {"components": [row({"type": 2, "style": 5, "label": "x"})]},
        "components.0.components.0.url",
        "BUTTON_COMPONENT_URL_REQUIRED",
    ),
    (
        {"components": [row({"type": 2, "style": 2, "custom_id": "x"})]},
        "components.0.components.0",
        "BUTTON_COMPONENT_INVALID",
    ),
    (
        {"components": [row(SELECT, BUTTON)]},
        "components.0.components",
        "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
    ),
    (
        {"components": [row({**SELECT, "options": [OPTION] * 26})]},
        "components.0.components.0.options",
        "BASE_TYPE_BAD_LENGTH",
    ),
    ({"components": [BUTTON]}, "components.0.type", "UNION_TYPE_CHOICES"),
    (
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
        "allowed_mentions",
        "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
    ),
    (
        {"content": "x", "flags": 1 << 15, "components": [{"type": 10, "content": "y"}]},
        "content",
        "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
    ),
    (
        {"flags": 1 << 15, "components": [{"type": 10, "content": "y" * 4001}]},
        "components",
        "COMPONENT_TEXT_TOO_LONG",
    ),
    (
        {"content": "x", "message_reference": {"message_id": "1"}},
        "message_reference",
        "REPLIES_UNKNOWN_MESSAGE",
    ),
]


@pytest.mark.parametrize(("body", "place", "code"), REFUSED, ids=lambda one: str(one)[:40])
async def test_messages_that_are_refused(
    fake: FakeDiscord, guild: Guild, body: JSON, place: str, code: str
) -> None:
    path = f"/channels/{guild.channels[0].id}/messages"
    status, answer = await send(fake, "POST", path, body)
    assert (status, answer["code"], answer["message"]) == (400, 50035, "Invalid Form Body")
    assert places(answer["errors"])[place] == code
    assert guild.channels[0].messages == []


@pytest.mark.parametrize("body", [{}, {"content": " \n"}, {"embeds": [{}]}, {"embeds": []}])
async def test_empty_messages_are_refused(fake: FakeDiscord, guild: Guild, body: JSON) -> None:
    path = f"/channels/{guild.channels[0].id}/messages"
    assert (await send(fake, "POST", path, body))[1]["code"] == 50006


@pytest.mark.parametrize(
    "body",
    [
        {"content": "x" * 2000},
        {"embeds": [{"title": "x" * 256, "description": "x" * 4096}]},
        {"embeds": [{"image": {"url": "attachment://map.png"}}]},
        {"embeds": [{"description": "x" * 600}] * 10},
        {"embeds": [{"fields": [{"name": "\u200b", "value": "\u200b"}] * 25}]},
        {"components": [row(*buttons(5)), row(SELECT)]},
        {"flags": 1 << 15, "components": [{"type": 10, "content": "text"}, row(BUTTON)]},
    ],
    ids=lambda one: str(one)[:40],
)
async def test_messages_that_just_fit(fake: FakeDiscord, guild: Guild, body: JSON) -> None:
    path = f"/channels/{guild.channels[0].id}/messages"
    assert (await send(fake, "POST", path, body))[0] == 200


def command(**changes: Any) -> JSON:
    """A command that is right but for the changes."""
    return {"name": "drone", "description": "Drones", "type": 1, **changes}


def option(**changes: Any) -> JSON:
    """An option that is right but for the changes."""
    return {"name": "place", "description": "Where", "type": 3, **changes}


COMMANDS = [
    ([command(name="Drone")], "0.name", "APPLICATION_COMMAND_INVALID_NAME"),
    ([command(name="dr one")], "0.name", "APPLICATION_COMMAND_INVALID_NAME"),
    (
        [command(name_localizations={"de": "Drohne"})],
        "0.name_localizations.de.name",
        "APPLICATION_COMMAND_INVALID_NAME",
    ),
    (
        [command(description_localizations={"de": "d" * 101})],
        "0.description_localizations.de",
        "BASE_TYPE_MAX_LENGTH",
    ),
    (
        [command(options=[option(), option(name="ort", name_localizations={"de": "place"})])],
        "0.options",
        "APPLICATION_COMMANDS_DUPLICATE_NAME",
    ),
    ([command(name="d" * 33)], "0.name", "APPLICATION_COMMAND_INVALID_NAME"),
    ([command(description="")], "0.description", "BASE_TYPE_REQUIRED"),
    ([command(description="x" * 101)], "0.description", TOO_LONG),
    ([command(), command()], "1", "APPLICATION_COMMANDS_DUPLICATE_NAME"),
    (
        [command(options=[option(name=f"o{number}") for number in range(26)])],
        "0.options",
        TOO_LONG,
    ),
    (
        [command(options=[option(), option(name="b", required=True)])],
        "0.options.1",
        "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
    ),
    (
        [command(options=[option(), option()])],
        "0.options",
        "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
    ),
    (
        [command(options=[option(type=1), option(name="b")])],
        "0.options",
        "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
    ),
    (
        [command(options=[option(choices=[{"name": "x" * 101, "value": "x"}])])],
        "0.options.0.choices.0.name",
        TOO_LONG,
    ),
    (
        [
            command(
                options=[
                    option(
                        name=f"o{number}",
                        choices=[{"name": "x" * 99 + str(n), "value": str(n)} for n in range(5)],
                    )
                    for number in range(20)
                ]
            )
        ],
        "0",
        "APPLICATION_COMMAND_TOO_LARGE",
    ),
]


@pytest.mark.parametrize(("body", "place", "code"), COMMANDS, ids=lambda one: str(one)[:40])
async def test_commands_that_are_refused(
    fake: FakeDiscord, guild: Guild, body: list[JSON], place: str, code: str
) -> None:
    path = f"/applications/{fake.world.application_id}/guilds/{guild.id}/commands"
    status, answer = await send(fake, "PUT", path, body)
    assert status == 400
    assert places(answer["errors"])[place] == code
    assert fake.sync_count(guild) == 0


async def test_commands_one_by_one(fake: FakeDiscord, guild: Guild) -> None:
    path = f"/applications/{fake.world.application_id}/commands"
    created = await send(fake, "POST", path, command())
    again = await send(fake, "POST", path, command(description="Other"))
    assert (created[0], again[0]) == (201, 200)
    assert created[1]["id"] == again[1]["id"]
    one = f"{path}/{created[1]['id']}"
    edited = await send(fake, "PATCH", one, {"description": "Third"})
    assert (await send(fake, "GET", one, None))[1] == edited[1]
    kept = await send(fake, "PUT", path, [command(description="Third")])
    assert kept[1][0]["version"] == edited[1]["version"]
    assert (await send(fake, "DELETE", one, None))[0] == 204
    assert (await send(fake, "GET", one, None))[1]["code"] == 10063
    assert fake.commands == []
    assert fake.sync_count() == 1


async def test_too_many_commands(fake: FakeDiscord, guild: Guild) -> None:
    path = f"/applications/{fake.world.application_id}/commands"
    body = [command(name=f"c{number}") for number in range(101)]
    assert (await send(fake, "PUT", path, body))[1]["code"] == 30032
