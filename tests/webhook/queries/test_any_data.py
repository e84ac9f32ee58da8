"""Whatever a script sends as its data, there is one answer, and an error changes nothing."""

from functools import partial
from typing import Any, NamedTuple

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import examples
from tests.webhook.harness import AppHarness
from webhook.protocol.context import Scope
from webhook.protocol.messages import answer_message, read_message
from webhook.queries import CATALOGUE

NAMES = [name for query in CATALOGUE.queries for name in (query.name, *query.aliases)]
ASKS = {name: query.ask for query in CATALOGUE.queries for name in (query.name, *query.aliases)}

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=70),
    st.sampled_from(["", "0", "1", "%", "É", "\x00", "removed", "9" * 19, "9" * 400, "٣"]),
)
JSON = st.recursive(
    ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
LIKELY = st.one_of(
    st.integers(-1, 6),
    st.integers(0, 6).map(str),
    st.sampled_from(["2026-11-20", "2026-11-22", "license:owner", "active", 3.0, "a shop"]),
    JSON,
)


PARTS = st.sampled_from(["ps-housing", "17", 17, 17.0, " ", "\x00"]) | ODD
EXTERNAL = st.fixed_dictionaries({"source": PARTS, "id": PARTS}) | LIKELY


def data_of(name: str) -> st.SearchStrategy[object]:
    """Data that mostly has the query's fields, and mostly something likely in them."""
    fields = [str(field.alias) for field in ASKS[name].model_fields.values()]
    optional: dict[str, st.SearchStrategy[object]] = {"requestIdentifier": ODD}
    if "external" in fields:
        optional |= {"propertyId": LIKELY, "external": EXTERNAL}
    needed = dict.fromkeys([field for field in fields if field not in optional], LIKELY)
    shaped = st.fixed_dictionaries(needed, optional=optional)
    partial = st.dictionaries(st.sampled_from([*fields, "other"]) | st.text(), LIKELY, max_size=6)
    return st.one_of(shaped, partial, JSON)


class Stored(NamedTuple):
    """A house, and all that is stored of it, renewed with each example."""

    harness: AppHarness
    rows: dict[str, list[tuple[Any, ...]]]


@pytest.fixture
async def lively(harness: AppHarness) -> Stored:
    """A house in which something already happened."""
    for number in range(3):
        place = await harness.add_property(location=f"place {number}")
        for kind in (1, 2, 3, 3):
            await harness.add_equipment(place, kind)
        await harness.ask("dispatch-drone", propertyId=place)
    await harness.ask("put-property", propertyId=3, external={"source": "ps-housing", "id": 17})
    await harness.ask("request-remove-property", propertyId=2)
    await harness.ask("add-visitor", propertyId=1, userId="v", cameraId=1)
    await harness.ask("add-allowed-user", propertyId=1, userId="v")
    harness.take_events()
    return Stored(harness, harness.dump())


@pytest.mark.parametrize("name", NAMES)
@examples(0.4)
@given(drawn=st.data())
async def test_any_data_gets_one_answer_and_an_error_changes_nothing(
    lively: Stored, name: str, drawn: st.DataObject
) -> None:
    harness = lively.harness
    data = drawn.draw(data_of(name))
    before = dict(lively.rows)
    context = harness.context(Scope.ADMIN)
    message = read_message(orjson.dumps({"type": f"queries.{name}", "data": data}))
    outcome = await answer_message(message, partial(CATALOGUE.run, context), harness.metrics)
    frame: dict[str, Any] = orjson.loads(outcome.frame)
    assert set(frame) == {"type", "data"}
    assert frame["data"].get("requestIdentifier") == message.identifier
    events = harness.take_events()
    lively.rows.update(harness.dump())
    if frame["type"] == "error":
        assert frame["data"]["code"] != "internal"
        assert lively.rows == before
        assert events == []
    else:
        assert frame["type"] in (name, "status")
        assert len(lively.rows["journal"]) == len(before["journal"]) + len(events)
