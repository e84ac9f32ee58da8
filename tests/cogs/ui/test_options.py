"""What is offered while somebody types, and what is meant by what they typed."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogs.ui.options import (
    MAX_CHOICES,
    drone_choices,
    property_choices,
    ranked_choices,
    removal_choices,
)
from tests.cogs.hostile_texts import invisible, wire_texts
from tests.end_to_end.environment import BotEnvironment
from tests.fake_discord.validation import check_choices
from tests.webhook.harness import AppHarness, open_harness
from webhook.protocol.clean_text import clean_text
from webhook.protocol.errors import Conflict, NotFound
from webhook.queries.properties.find import find_property
from webhook.queries.users import find_user

locations = st.builds(
    lambda text, times: (text * times)[:200], wire_texts, st.sampled_from([1, 40])
).filter(lambda text: bool(clean_text(text)))


@given(st.lists(locations, min_size=1, max_size=5), wire_texts)
async def test_choices_fit_discords_limits_whatever_the_names(names: list[str], typed: str) -> None:
    with TemporaryDirectory() as folder:
        async with open_harness(Path(folder) / "sentinel.db") as harness:
            for name in names:
                property_id = await harness.add_property(location=name)
                await harness.add_equipment(property_id, 3, name)
                await harness.ask("dispatch-drone", propertyId=property_id)
                await harness.ask("request-remove-property", propertyId=property_id)
            context = harness.context()
            for offer in (property_choices, removal_choices, drone_choices):
                found = await offer(context, "")
                assert len(found) == len(names)
                check_choices([choice.to_dict() for choice in found])
                assert not any(invisible(choice.name) for choice in found)
                await offer(context, typed)
            for choice in await property_choices(context, ""):
                assert str((await find_property(context, choice.value)).id) == choice.value


async def test_at_most_25_choices_are_offered(harness: AppHarness) -> None:
    for number in range(MAX_CHOICES + 5):
        await harness.add_property(location=f"Villa {number}")
    assert len(await property_choices(harness.context(), "")) == MAX_CHOICES
    assert [choice.name for choice in await property_choices(harness.context(), " villa 29 ")] == [
        "Villa 29 (30)"
    ]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("2", 2), (" 2 ", 2), ("villa", 1), ("VILLA", 1), ("Villa 2", 2), ("shed", 3), ("(3", None)],
)
async def test_a_property_is_found_by_id_location_or_part_of_it(
    harness: AppHarness, typed: str, meant: int | None
) -> None:
    for name in ("Villa", "Villa 2", "Old shed"):
        await harness.add_property(location=name)
    if meant is None:
        with pytest.raises(NotFound):
            await find_property(harness.context(), typed)
    else:
        assert (await find_property(harness.context(), typed)).id == meant


async def test_an_ambiguous_location_is_rejected(harness: AppHarness) -> None:
    for name in ("North villa", "South villa"):
        await harness.add_property(location=name)
    with pytest.raises(Conflict, match="several properties match “villa”"):
        await find_property(harness.context(), "villa")


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("drone dispatch", "property"),
        ("drone recall", "drone"),
        ("drone list", "property"),
        ("removal approve", "property"),
        ("removal deny", "property"),
        ("route test", "event"),
        ("drone dispatch", "drone"),
        ("drone history", "drone"),
        ("property show", "property"),
        ("property add", "tier"),
        ("property add", "owner"),
        ("property edit", "status"),
        ("equipment add", "type"),
        ("equipment remove", "equipment"),
        ("access deny", "user"),
        ("visitors", "camera"),
        ("crimes", "property"),
    ],
)
async def test_autocomplete_without_permission_offers_nothing(
    env: BotEnvironment, command: str, option: str, caplog: pytest.LogCaptureFixture
) -> None:
    hidden = ("setup", "route", "audit", "pause", "test")
    env.guild.allowed_commands = {key: {env.guild.id} for key in hidden}
    async with env.bot_running():
        await env.wait_for_commands()
        await env.add_property("Villa", drones=1)
        offered = await env.fake.autocomplete(env.stranger, command, focused=option, value="")
    assert offered == []
    assert "Traceback" not in caplog.text
    assert "Ignoring exception" not in caplog.text


async def test_autocomplete_offers_nothing_while_storage_fails(
    env: BotEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        await asyncio.to_thread(_rename, env, "flights", "gone")
        offered = await env.fake.autocomplete(env.dora, "drone recall", focused="drone", value="")
        reply = await env.fake.slash(env.dora, "drone list")
        await asyncio.to_thread(_rename, env, "gone", "flights")
    assert offered == []
    assert "an autocomplete failed" in caplog.text
    assert reply.ephemeral
    assert reply.content == "Internal error, see the log."


def _rename(env: BotEnvironment, table: str, name: str) -> None:
    with closing(sqlite3.connect(env.folder / "sentinel.db")) as database:
        database.execute(f"ALTER TABLE {table} RENAME TO {name}")
        database.commit()


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("7", ["7", "1", "2"]),
        ("roof", ["2", "3", "1"]),
        ("ROOF c", ["2"]),
        ("", ["1", "2", "3", "7"]),
        ("xyz", []),
    ],
)
def test_choices_are_ranked_by_how_they_match(typed: str, found: list[str]) -> None:
    known = [(1, "Sunroof 7"), (2, "roof camera 17"), (3, "The roof"), (7, "Gate")]
    assert [choice.value for choice in ranked_choices(typed, known)] == found


async def test_a_new_user_id_is_recognised_by_its_format(harness: AppHarness) -> None:
    await harness.ask("add-user", userId="u1", fullName="Wren Hall")
    for name in ("u2", "u3"):
        await harness.ask("add-user", userId=name, fullName="Ann")
    context = harness.context()
    for typed, user in {"u1": "u1", " wren hall ": "u1", "license:new": "license:new"}.items():
        assert await find_user(context, typed) == user
    assert await find_user(context, "80351110224678912") == "80351110224678912"
    with pytest.raises(NotFound):
        await find_user(context, "Wren")
    with pytest.raises(Conflict):
        await find_user(context, "Ann")
