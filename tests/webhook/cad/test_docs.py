"""docs/cad.md is complete, and its examples are what the parser produces."""

import json
import re
from pathlib import Path

import pytest

from webhook.cad import EVENTS, HANDLED_TYPES, parse
from webhook.cad.events.records import Record
from webhook.cad.events.units import UnitReport

DOCS = (Path(__file__).parents[3] / "docs" / "cad.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", DOCS, re.DOTALL | re.MULTILINE))


def test_every_event_has_a_section() -> None:
    assert list(SECTIONS) == list(dict.fromkeys(SECTIONS))
    assert set(SECTIONS) == set(EVENTS)


def test_every_type_is_mentioned() -> None:
    assert all(re.search(rf"\b{push_type}\b", DOCS) for push_type in HANDLED_TYPES)


@pytest.mark.parametrize("push_type", EVENTS)
def test_table_has_every_field(push_type: str) -> None:
    rows = re.findall(r"^\| (`.*?) \|", SECTIONS[push_type], re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    fields = EVENTS[push_type].model_fields.values()
    assert sorted(listed) == sorted(str(field.alias) for field in fields)


@pytest.mark.parametrize("model", [UnitReport, Record])
def test_units_and_records_are_described(model: type[UnitReport | Record]) -> None:
    assert all(f"`{field.alias}`" in DOCS for field in model.model_fields.values())


@pytest.mark.parametrize("push_type", EVENTS)
def test_example_is_what_the_parser_returns(push_type: str) -> None:
    section = SECTIONS[push_type]
    (push,) = re.findall(r"```json push\n(.*?)```", section, re.DOTALL)
    (shown,) = re.findall(r"```json event\n(.*?)```", section, re.DOTALL)
    (event,) = parse(json.loads(push))
    assert event.type == push_type
    assert event.model_dump(by_alias=True) == json.loads(shown)
