"""Callouts: each announcement has a card of its own, which says what the game server wrote."""

from typing import Any

import pytest

from cogs.cards import render
from tests.webhook.harness import MINUTE, AppHarness
from webhook.cad.store import store_push
from webhook.protocol.events import Subject


def callout(x: float, **data: Any) -> dict[str, Any]:
    described = {"CalloutName": "Armed Suspect", "CalloutLocations": [{"x": x, "y": 200, "z": 0}]}
    return {"callout": {"id": "armed_suspect", "data": described | {"Enabled": True} | data}}


async def push(harness: AppHarness, data: dict[str, Any], via: str = "/event") -> str:
    """Push a callout and return its subject."""
    body = {"type": "EVENT_NEW_CALLOUT", "data": data}
    await store_push(harness.context(), "cad", body, via)
    (subject,) = (await harness.journal_events())[-1].subjects
    return str(subject)


async def test_callout_of_a_kind_that_comes_again_is_announced_again(harness: AppHarness) -> None:
    assert await push(harness, callout(100)) == "notice:1"
    assert await push(harness, callout(-3000)) == "notice:2"
    harness.clock.now += MINUTE
    assert await push(harness, callout(100)) == "notice:1"
    harness.clock.now += 1
    assert await push(harness, callout(100)) == "notice:3"
    assert len(harness.dump()["notices"]) == 3


async def test_late_copy_of_a_callout_is_not_announced(harness: AppHarness) -> None:
    await push(harness, callout(100))
    harness.clock.now += 55_000
    await push(harness, callout(100), "/event+fxserver")
    assert len(await harness.journal_events()) == 1


@pytest.mark.parametrize(
    "places",
    [[{"x": 100, "y": 200}, {"x": 5, "y": 6}], {"1": {"x": 100, "y": 200}, "2": {"x": 5, "y": 6}}],
)
@pytest.mark.parametrize("descriptions", [["A man with a *gun*."], {"1": "A man with a *gun*."}])
async def test_card_shows_descriptions_units_and_places(
    harness: AppHarness, places: Any, descriptions: Any
) -> None:
    needed = {"policeRequired": True, "fireRequired": False, "description": "One suspect."}
    data = callout(
        100,
        CalloutDescriptions=descriptions,
        CalloutLocations=places,
        CalloutUnitsRequired=needed,
        PedChance=60,
    )
    content = await render(harness.database.read, Subject.parse(await push(harness, data)))
    assert content is not None
    (embed,) = content.embeds
    assert embed.title == "Callout · Armed Suspect"
    assert embed.description == "A man with a \\*gun\\*."
    assert {field.name: field.value for field in embed.fields[:3]} == {
        "Units": "Police\nOne suspect.",
        "Coordinates": "100, 200\n5, 6",
        "Details": "Ped chance\\: 60",
    }


@pytest.mark.parametrize(
    ("members", "description", "required"),
    [
        ({"CalloutDescriptions": [{"text": "Armed."}, None, "Go."]}, "Armed.\nGo.", None),
        ({"CalloutDescriptions": '["Armed.", "Go."]'}, "Armed.\nGo.", None),
        ({"CalloutDescriptions": ["x" * 400, "y" * 400]}, "x" * 400 + "\n" + "y" * 400, None),
        ({"Description": "z" * 1_500}, "z" * 1_500, None),
        ({"CalloutUnitsRequired": ["police", "EMS"]}, None, "Police, EMS"),
        (
            {"CalloutUnitsRequired": {"PoliceRequired": "True", "Description": "Two."}},
            None,
            "Police\nTwo.",
        ),
        ({"CalloutUnitsRequired": "police"}, None, "Police"),
        ({"CalloutUnitsRequired": {}, "CalloutDescriptions": {}}, None, None),
    ],
)
async def test_card_shows_callouts_of_any_shape(
    harness: AppHarness, members: dict[str, Any], description: str | None, required: str | None
) -> None:
    subject = Subject.parse(await push(harness, callout(100, **members)))
    content = await render(harness.database.read, subject)
    assert content is not None
    (embed,) = content.embeds
    shown = {field.name: field.value for field in embed.fields}
    assert (embed.description, shown.get("Units")) == (description, required)


async def test_callout_inside_of_a_text_is_read(harness: AppHarness) -> None:
    data = '{"CalloutName": "Fire", "CalloutLocations": "[{\\"x\\": 1, \\"y\\": 2}]"}'
    subject = Subject.parse(await push(harness, {"callout": {"id": "a", "Data": data}}))
    content = await render(harness.database.read, subject)
    assert content is not None
    assert content.embeds[0].title == "Callout · Fire"
    assert content.embeds[0].fields[0].value == "1, 2"
