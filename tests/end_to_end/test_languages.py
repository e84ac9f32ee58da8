"""Everybody is answered in the language of their Discord; cards speak the community's."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.town import Town
from tests.fake_discord import InteractionReply, render


async def _said(town: Town, reply: InteractionReply, text: str) -> None:
    await town.fake.until(lambda: text in render(reply))
    assert reply.ephemeral


def _in_german(town: Town) -> None:
    for member in (town.vic, town.dora, town.anna, town.stranger):
        member.user.locale = "de"


def _speaking_german(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = town.settings()
    community = settings.community.model_copy(update={"language": "de"})
    german = settings.model_copy(update={"community": community})
    monkeypatch.setattr(town, "settings", lambda: german)


async def test_answers_are_german_while_cards_stay_english(
    town: Town,
) -> None:
    _in_german(town)
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        place = await town.add_property("Villa")
        await town.query("request-remove-property", propertyId=place, userId="owner")
        approvals = town.channel("approvals")
        await town.fake.until(
            lambda: "Removal requested" in str(list(map(render, approvals.messages)))
        )
        card = next(m for m in approvals.messages if "Removal requested" in render(m))
        await _said(town, await town.fake.slash(town.vic, "cad units"), "Niemand ist im Dienst")
        refused = await town.fake.click(town.dora, card, "Approve")
        await _said(
            town, refused, f"Dafür brauchst du die Rolle Genehmiger: <@&{town.approvers.id}>."
        )
        unknown = await town.fake.slash(town.vic, "cad call", id="7")
        await _said(town, unknown, "Kein Einsatz oder Notruf '7' ist bekannt.")
        form = await town.fake.click(town.anna, card, "Deny")
        assert form.modal is not None
        assert form.modal["title"] == "Entfernung ablehnen"
        denied = await town.fake.submit(town.anna, form, {"Grund": "Nein"})
        await _said(town, denied, f"Entfernung der Immobilie {place} abgelehnt.")
        await town.fake.until(lambda: "Removal denied" in render(card))
        assert "Settled by" in render(card)


async def test_cards_are_german_while_answers_stay_english(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    _speaking_german(town, monkeypatch)
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        place = await town.add_property("Villa", drones=1)
        await town.query("dispatch-drone", propertyId=place)
        card = await town.channel("drones").next_message()
        assert "Drohne unterwegs · Villa" in render(card)
        refused = await town.fake.click(town.stranger, card, "Zurückrufen")
        await _said(town, refused, "This needs the dispatcher role")
        town.stranger.user.locale = "fr"
        refused = await town.fake.click(town.stranger, card, "Zurückrufen")
        await _said(town, refused, "Dafür brauchst du die Rolle Disponent")
        await town.fake.click(town.dora, card, "Zurückrufen")
        await town.fake.until(lambda: "Drohne zurück" in render(card))


async def test_commands_are_registered_with_german_names(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
    (cad,) = (one.definition for one in town.guild.commands if one.name == "cad")
    assert [sub["name_localizations"]["de"] for sub in cad["options"]] == [
        "einsätze",
        "einsatz",
        "einheiten",
        "einheit",
    ]
    for definition in _all(command.definition for command in town.guild.commands):
        assert definition["description_localizations"]["de"] != definition["description"]
    monkeypatch.setattr(
        "cogs.i18n.translator.translated_for",
        lambda locale, _context, text: "streifen" if (locale, text) == ("de", "units") else text,
    )
    async with town.bot_running():
        await town.fake.until(lambda: town.fake.sync_count(town.guild) == 2)
    (cad,) = (one.definition for one in town.guild.commands if one.name == "cad")
    assert cad["options"][2]["name_localizations"] == {"de": "streifen"}


def _all(definitions: Any) -> Iterator[dict[str, Any]]:
    for definition in definitions:
        yield definition
        yield from _all(definition.get("options") or [])
