"""Every query and event of the protocol's tables is there, with its model, scope and summary."""

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import get_origin

import pytest

from tests.seed import SEED_EVENTS, SEED_QUERIES
from webhook import queries
from webhook.protocol.context import Scope
from webhook.protocol.events import EVENTS
from webhook.protocol.wire import Reply, Wire
from webhook.queries import CATALOGUE

OUR_QUERIES = [
    "add-user",
    "remove-user",
    "get-equipment-types",
    "get-tiers",
    "deny-remove-property",
    "approve-property",
    "reject-property",
    "restore-property",
    "confirm-link",
    "link-user",
    "unlink-user",
    "withdraw-remove-property",
    "edit-property",
    "put-property",
    "change-property-owner",
    "get-drone-flights",
    "get-alarms",
    "acknowledge-alarm",
    "take-alarm",
    "release-alarm",
    "note-alarm",
    "snooze-alarm",
    "settle-alarm",
    "begin-simulation",
    "get-simulations",
    "end-simulation",
]

ALIASES = {
    "add-equipment": ("add-equipment-property",),
    "remove-equipment": ("remove-equipment-property",),
    "get-equipment": ("get-equipment-property",),
}

OUR_EVENTS = [
    "allowed-users-changed",
    "property-removed",
    "property-owner-change",
    "property-details-changed",
    "property-restored",
    "denied-remove-property",
    "approval-given",
    "withdrawn-remove-property",
    "alarm-changed",
    "incident-changed",
]

ADMIN = {"remove-property", "remove-user", "link-user", "unlink-user"}
APPROVE = {
    "approve-remove-property",
    "deny-remove-property",
    "approve-property",
    "reject-property",
    "restore-property",
}

DECLARED = {query.name: query for query in CATALOGUE.queries}


def scope_of(name: str) -> Scope:
    if name in ADMIN:
        return Scope.ADMIN
    if name in APPROVE:
        return Scope.APPROVE
    return Scope.READ if name.startswith(("get-", "search-")) else Scope.WRITE


def test_seed_has_37_queries() -> None:
    assert len(SEED_QUERIES) == len(set(SEED_QUERIES)) == 37


def test_every_query_is_declared_and_no_other() -> None:
    assert set(DECLARED) == {*SEED_QUERIES, *OUR_QUERIES}


def test_every_event_is_declared_and_no_other() -> None:
    assert set(EVENTS) == {*SEED_EVENTS, *OUR_EVENTS}


@pytest.mark.parametrize("name", DECLARED)
def test_every_query_has_its_models_scope_and_summary(name: str) -> None:
    query = DECLARED[name]
    assert issubclass(query.ask, Wire)
    assert issubclass(query.reply, Reply)
    assert query.scope is scope_of(name)
    assert query.summary.endswith(".")
    assert query.aliases == ALIASES.get(name, ())


OF_THE_CONFIGURATION = {"get-tiers", "get-equipment-types"}
OF_DAYS = {"get-crimes-in-area", "get-scanned-visitors"}
OF_FEW = {"get-simulations"}
CUT = {"get-property-detailed"}
"""Lists that cannot be long: what is configured, a row a day, MAX_DRILLS drills; or are cut."""


def test_every_list_that_can_grow_is_answered_in_parts() -> None:
    lists = {
        name
        for name, query in DECLARED.items()
        for field in query.reply.model_fields.values()
        if get_origin(field.annotation) in (list, dict)
    }
    parts = {"limit", "offset"}
    whole = {name for name in lists if not parts <= DECLARED[name].ask.model_fields.keys()}
    assert whole == OF_THE_CONFIGURATION | OF_DAYS | OF_FEW | CUT


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_described(name: str) -> None:
    assert EVENTS[name].__doc__
    assert EVENTS[name].model_fields


def functions_with_a_context() -> Iterator[Callable[..., object]]:
    """Every public function of the queries that takes a caller's context."""
    for module in pkgutil.walk_packages(queries.__path__, f"{queries.__name__}."):
        for name, function in inspect.getmembers(import_module(module.name), inspect.isfunction):
            is_own = function.__module__ == module.name and not name.startswith("_")
            if is_own and "context" in inspect.signature(function).parameters:
                yield function


def test_every_function_that_acts_for_a_caller_declares_a_scope() -> None:
    functions = list(functions_with_a_context())
    assert len(functions) > len(CATALOGUE.queries)
    undeclared = [f.__qualname__ for f in functions if inspect.unwrap(f) is f]
    assert undeclared == []
