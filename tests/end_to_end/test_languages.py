"""Everybody is answered in the language of their Discord; cards speak the community's."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.answers import expect
from tests.end_to_end.environment import BotEnvironment
from tests.fake_discord import render


def _in_german(env: BotEnvironment) -> None:
    for member in (env.vic, env.dora, env.anna, env.stranger):
        member.user.locale = "de"


def _speaking_german(env: BotEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = env.settings()
    community = settings.community.model_copy(update={"language": "de"})
    german = settings.model_copy(update={"community": community})
    monkeypatch.setattr(env, "settings", lambda: german)


async def test_answers_are_german_while_cards_stay_english(
    env: BotEnvironment,
) -> None:
    _in_german(env)
    async with env.bot_running():
        await env.wait_for_commands()
        property_id = await env.add_property("Villa")
        await env.query("request-remove-property", propertyId=property_id, userId="owner")
        approvals = env.channel("approvals")
        await env.fake.until(
            lambda: "Removal requested" in str(list(map(render, approvals.messages)))
        )
        card = next(m for m in approvals.messages if "Removal requested" in render(m))
        await expect(env, await env.fake.slash(env.vic, "cad units"), "Niemand ist im Dienst")
        refused = await env.fake.click(env.dora, card, "Approve")
        await expect(
            env, refused, f"Dafür brauchst du die Rolle Genehmiger: <@&{env.approvers.id}>."
        )
        unknown = await env.fake.slash(env.vic, "cad call", id="7")
        await expect(env, unknown, "Kein Einsatz oder Notruf passt zu „7“.")
        form = await env.fake.click(env.anna, card, "Deny")
        assert form.modal is not None
        assert form.modal["title"] == "Entfernung ablehnen"
        denied = await env.fake.submit(env.anna, form, {"Grund": "Nein"})
        await expect(env, denied, f"(#{property_id}) abgelehnt.")
        await env.fake.until(lambda: "Removal denied" in render(card))
        assert "Settled by" in render(card)


async def test_cards_are_german_while_answers_stay_english(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    _speaking_german(env, monkeypatch)
    async with env.bot_running():
        await env.wait_for_commands()
        property_id = await env.add_property("Villa", drones=1)
        await env.query("dispatch-drone", propertyId=property_id)
        card = await env.channel("drones").next_message()
        assert "Drohne unterwegs · Villa" in render(card)
        refused = await env.fake.click(env.stranger, card, "Zurückrufen")
        await expect(env, refused, "This needs the dispatcher role")
        env.stranger.user.locale = "fr"
        refused = await env.fake.click(env.stranger, card, "Zurückrufen")
        await expect(env, refused, "Dafür brauchst du die Rolle Disponent")
        await env.fake.click(env.dora, card, "Zurückrufen")
        await env.fake.until(lambda: "Drohne zurück" in render(card))


async def test_commands_are_registered_with_german_names(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
    (cad,) = (one.definition for one in env.guild.commands if one.name == "cad")
    assert [_german(sub) for sub in cad["options"]] == [
        "einsätze",
        "einsatz",
        "einheiten",
        "einheit",
        "notiz",
        "schließen",
        "status",
    ]
    menus = [command for command in env.guild.commands if command.type != 1]
    assert [_german(menu.definition) for menu in menus] == [
        "Mit Nutzer im Spiel verknüpfen…",
        "Verknüpfung beenden",
        "Schwärzen…",
    ]
    for command in set(env.guild.commands) - set(menus):
        for definition in _all([command.definition]):
            assert definition["description_localizations"]["de"] != definition["description"]
    monkeypatch.setattr(
        "cogs.command_sync.translated_for",
        lambda locale, _context, text: "streifen" if (locale, text) == ("de", "units") else text,
    )
    async with env.bot_running():
        await env.fake.until(lambda: env.fake.sync_count(env.guild) == 2)
    (cad,) = (one.definition for one in env.guild.commands if one.name == "cad")
    assert cad["options"][2]["name_localizations"] == {"de": "streifen"}


def _german(definition: dict[str, Any]) -> Any:
    """Return the German name; none is registered that equals the English one."""
    return definition.get("name_localizations", {}).get("de", definition["name"])


def _all(definitions: Any) -> Iterator[dict[str, Any]]:
    for definition in definitions:
        yield definition
        yield from _all(definition.get("options") or [])
