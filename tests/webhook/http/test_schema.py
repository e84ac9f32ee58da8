"""`GET /api/schema`, and what the schemas say of the models."""

from pathlib import Path
from typing import Literal

import pytest

from tests.docs.performance import stage
from webhook.http import schema
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context, Scope
from webhook.protocol.wire import Id, Reply, Success, Wire
from webhook.queries import CATALOGUE


async def test_it_is_served_without_a_token(tmp_path: Path) -> None:
    async with (
        stage(tmp_path) as harness,
        harness.http.get(f"{harness.url}/api/schema") as response,
    ):
        assert response.status == 200
        assert response.content_type == "application/json"
        app = await response.json()
    assert app["asyncapi"]["asyncapi"] == "3.0.0"
    assert set(app["schemas"]) == {"requests", "answers", "events"}
    assert "queries.get-tiers" in app["schemas"]["requests"]


def test_it_is_made_once() -> None:
    assert schema.written(CATALOGUE) is schema.written(CATALOGUE)


def test_the_file_is_written_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "asyncapi.json"
    monkeypatch.setattr("sys.argv", ["schema", str(file)])
    schema.main()
    assert file.read_bytes() == schema.document(CATALOGUE)


class Knock(Wire):
    """Where to knock."""

    door_id: Id
    times: int = 1


class Knocked(Reply):
    """Whether anybody came.

    This is nobody's business.
    """

    heard: Literal["yes", "no"] = "no"


def _catalogue() -> Catalogue:
    table = Catalogue()

    @table.query("knock", "rap", scope=Scope.APPROVE)
    async def knock(context: Context, ask: Knock) -> Knocked:
        """Knock at a door."""
        return Knocked()

    return table


def test_a_request_is_told_by_its_model() -> None:
    request = schema.json_schemas(_catalogue())["requests"]["queries.knock"]
    assert request["properties"]["type"]["const"] == "queries.knock"
    assert request["required"] == ["type", "data"]
    asked = request["$defs"]["Knock"]
    assert asked["required"] == ["doorId"]
    assert asked["properties"]["times"] == {"type": "integer", "default": 1}
    assert [way["type"] for way in asked["properties"]["doorId"]["anyOf"]] == ["integer", "string"]


def test_an_answer_has_every_field() -> None:
    answers = schema.json_schemas(_catalogue())["answers"]
    assert answers["queries.knock"]["properties"]["type"]["const"] == "knock"
    assert answers["queries.rap"]["properties"]["type"]["const"] == "rap"
    told = answers["queries.rap"]["$defs"]["Knocked"]
    assert told["required"] == ["heard"]
    assert told["properties"]["heard"] == {"type": "string", "enum": ["yes", "no"]}
    assert told["description"] == "Whether anybody came."


def test_an_alias_is_another_type_of_the_same_operation() -> None:
    document = schema.asyncapi(_catalogue())
    assert "rap" not in document["operations"]
    messages = document["components"]["messages"]
    types = messages["knock.request"]["payload"]["properties"]["type"]["enum"]
    assert types == ["queries.knock", "queries.rap"]
    assert messages["knock.answer"]["payload"]["properties"]["type"]["enum"] == ["knock", "rap"]


def test_the_scope_is_one_that_a_client_can_have() -> None:
    operation = schema.asyncapi(_catalogue())["operations"]["knock"]
    assert operation["tags"] == [{"name": "scope:admin"}]


class Impostor(Wire):
    """A model with another one's name."""


def test_two_models_of_one_name_are_refused() -> None:
    table = Catalogue()
    impostor = type("Success", (Impostor,), {})

    async def pretend(context: Context, ask: Wire) -> Success:
        """Pretend."""
        return Success()

    pretend.__annotations__ = {"context": Context, "ask": impostor, "return": Success}
    table.query("pretend", scope=Scope.READ)(pretend)
    with pytest.raises(ValueError, match="Success"):
        schema.asyncapi(table)
