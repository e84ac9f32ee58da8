"""`GET /api/schema`, and what the AsyncAPI document makes of the models."""

from pathlib import Path
from typing import Any, Literal

import pytest

from tests.webhook.serving import RunningApp
from webhook.http import asyncapi
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context, Scope
from webhook.protocol.wire import Id, Reply, Success, Wire
from webhook.queries import CATALOGUE


async def test_document_is_served_without_a_token(app: RunningApp) -> None:
    async with app.http.get(f"{app.url}/api/schema") as response:
        assert response.status == 200
        assert response.content_type == "application/json"
        body = await response.json()
    assert body == {"asyncapi": asyncapi.asyncapi(CATALOGUE)}


def test_document_is_made_once() -> None:
    assert asyncapi.asyncapi(CATALOGUE) is asyncapi.asyncapi(CATALOGUE)


def test_file_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "asyncapi.json"
    monkeypatch.setattr("sys.argv", ["asyncapi", str(file)])
    asyncapi.main()
    assert file.read_bytes() == asyncapi.document(CATALOGUE)


class Knock(Wire):
    """Where to knock."""

    door_id: Id
    times: int = 1


class Knocked(Reply):
    """Whether anybody answered.

    This is nobody's business.
    """

    answered: Literal["yes", "no"] = "no"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document of a catalogue with one query."""
    table = Catalogue()

    @table.query("knock", "rap", scope=Scope.APPROVE)
    async def knock(context: Context, ask: Knock) -> Knocked:
        """Knock at a door."""
        return Knocked()

    return asyncapi.asyncapi(table)


def test_request_is_described_by_its_model(document: dict[str, Any]) -> None:
    frame = document["components"]["messages"]["knock.request"]["payload"]
    assert frame["required"] == ["type", "data"]
    model = document["components"]["schemas"]["Knock"]
    assert model["required"] == ["doorId"]
    assert model["properties"]["times"] == {"type": "integer", "default": 1}
    assert [way["type"] for way in model["properties"]["doorId"]["anyOf"]] == ["integer", "string"]


def test_answer_has_every_field(document: dict[str, Any]) -> None:
    model = document["components"]["schemas"]["Knocked"]
    assert model["required"] == ["answered"]
    assert model["properties"]["answered"] == {"type": "string", "enum": ["yes", "no"]}
    assert model["description"] == "Whether anybody answered."


def test_alias_is_another_type_of_the_same_operation(document: dict[str, Any]) -> None:
    assert "rap" not in document["operations"]
    messages = document["components"]["messages"]
    types = messages["knock.request"]["payload"]["properties"]["type"]["enum"]
    assert types == ["queries.knock", "queries.rap"]
    assert messages["knock.answer"]["payload"]["properties"]["type"]["enum"] == ["knock", "rap"]


def test_scope_is_one_that_a_client_can_have(document: dict[str, Any]) -> None:
    assert document["operations"]["knock"]["tags"] == [{"name": "scope:admin"}]


class Impostor(Wire):
    """A model with another one's name."""


def test_two_models_of_one_name_are_an_error() -> None:
    table = Catalogue()
    impostor = type("Success", (Impostor,), {})

    async def pretend(context: Context, ask: Wire) -> Success:
        """Pretend."""
        return Success()

    pretend.__annotations__ = {"context": Context, "ask": impostor, "return": Success}
    table.query("pretend", scope=Scope.READ)(pretend)
    with pytest.raises(ValueError, match="Success"):
        asyncapi.asyncapi(table)
