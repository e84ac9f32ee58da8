"""Scripts name properties by ids of their own: put, found, given to others, removed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import access, approvals
from tests.webhook.harness import AppHarness, open_harness
from tests.webhook.queries.test_plans import ASKED, give_code
from webhook.protocol.context import ApprovalRules, Caller, Context, ExternalRules, Scope
from webhook.protocol.errors import Conflict, InvalidData
from webhook.protocol.wire import ExternalId, validate
from webhook.queries import CATALOGUE
from webhook.queries.models import OfProperty, PropertyReference
from webhook.queries.properties.approvals import approve_property
from webhook.queries.properties.edits import PropertyEdit, edit_property
from webhook.queries.properties.find import get_property

HOUSE: dict[str, Any] = {"source": "ps-housing", "id": "17"}
NEW: dict[str, Any] = {
    "external": HOUSE,
    "location": "4 Grove Street",
    "x": -14,
    "y": -1441,
    "owner": "license:owner",
}
STORED = {
    "id": 1,
    "location": "4 Grove Street",
    "tier": 1,
    "x": -14,
    "y": -1441,
    "width": 0,
    "height": 0,
    "status": "PENDING",
    "description": "",
    "external": HOUSE,
}


def put(number: int, *, added: bool = False, changed: bool = True) -> dict[str, object]:
    """Return what a put answers."""
    return {"success": True, "id": number, "added": added, "changed": changed}


def member(harness: AppHarness, name: str, scope: Scope = Scope.NONE) -> Context:
    """Return the context of a member of the Discord server, where two approve."""
    caller = Caller(f"discord:{name}", scope, (f"license:{name}",))
    return replace(harness.context().of(caller), approvals=ApprovalRules(approvers=2))


async def test_put_adds_a_property_that_waits_for_approval(harness: AppHarness) -> None:
    assert await harness.ask("put-property", **NEW) == put(1, added=True)
    assert await harness.ask("get-property", external=HOUSE) == STORED | {"property": STORED}
    names = [name for name, _ in harness.take_events()]
    assert names == ["property-added"]
    pending = await harness.ask("get-pending-properties")
    assert pending["properties"] == [STORED]


async def test_put_twice_is_as_good_as_once(harness: AppHarness) -> None:
    whole = NEW | {"tier": 2, "description": "d", "width": 4, "height": 5, "status": "FOR SALE"}
    assert await harness.ask("put-property", **whole) == put(1, added=True)
    before, audited = await harness.ask("get-property", propertyId=1), harness.dump()["audit"]
    harness.take_events()
    assert await harness.ask("put-property", **whole) == put(1, changed=False)
    assert await harness.ask("get-property", propertyId=1) == before
    assert harness.take_events() == []
    assert harness.dump()["audit"] == audited


async def test_put_changes_only_given_values_and_publishes_each_change_once(
    harness: AppHarness,
) -> None:
    await harness.ask("put-property", **NEW)
    harness.take_events()
    told = {"external": HOUSE, "propertyId": 1}
    changes: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
        ({"location": "Grove Street 4"}, "property-details-changed", {}),
        ({"description": "Two floors"}, "property-details-changed", {}),
        ({"x": 7, "y": 8}, "property-coordinates-changed", {}),
        ({"width": 3, "height": 2}, "property-size-changed", {"size": 6}),
        ({"tier": 3}, "property-tier-changed", {}),
        ({"status": "FOR SALE"}, "property-status-change", {"previous": "PENDING"}),
        ({"owner": "license:new"}, "property-owner-change", {"previous": "license:owner"}),
    ]
    for change, event, more in changes:
        assert await harness.ask("put-property", external=HOUSE, **change) == put(1)
        assert harness.take_events() == [(event, told | change | more)]
    shown = await harness.ask("get-property-detailed", propertyId=1)
    for change, *_ in changes:
        assert shown | change == shown


async def test_new_property_is_active_at_once_if_the_configuration_says_so(
    harness: AppHarness,
) -> None:
    harness.external = ExternalRules(active=True)
    await harness.ask("put-property", **NEW)
    assert [name for name, _ in harness.take_events()] == [
        "property-added",
        "property-status-change",
    ]
    assert (await harness.ask("get-property", external=HOUSE))["status"] == "ACTIVE"
    events = await harness.journal_events()
    assert {str(subject) for event in events for subject in event.subjects} == {"property:1"}
    await harness.ask("change-property-status", propertyId=1, status="CLOSED")
    await harness.ask("put-property", **NEW)
    assert (await harness.ask("get-property", external=HOUSE))["status"] == "CLOSED"


async def test_new_property_needs_location_coordinates_and_owner(harness: AppHarness) -> None:
    frame = await harness.frame("queries.put-property", {"external": HOUSE, "tier": 2, "x": 1})
    assert frame["data"]["code"] == "invalid-data"
    assert [field["field"] for field in frame["data"]["fields"]] == ["location", "y", "owner"]
    assert await harness.error_code("put-property", **NEW | {"tier": 9}) == "not-found"
    assert harness.dump()["properties"] == []


async def test_same_id_in_other_words_is_the_same_property(harness: AppHarness) -> None:
    await harness.ask("put-property", **NEW)
    for number in (17, "17", 17.0, "17.0", " 17 ", "1\u200b7"):
        again = {"source": "ps-housing", "id": number}
        assert await harness.ask("put-property", external=again) == put(1, changed=False), number


async def test_other_ids_are_other_properties(harness: AppHarness) -> None:
    await harness.ask("put-property", **NEW)
    ids = ("017", "17a", -17, "17.5", "١٧", "'; --")
    others: list[dict[str, Any]] = [{"source": "ps-housing", "id": number} for number in ids]
    for external in (*others, {"source": "Ps-housing", "id": 17}):
        frame = await harness.frame("queries.get-property", {"external": external})
        assert frame["data"]["code"] == "not-found", external
        assert str(external["id"]) in frame["data"]["message"]


NO_IDS: list[object] = [
    "17",
    17,
    [],
    {},
    {"id": 17},
    {"source": "ps-housing"},
    {"source": "", "id": 17},
    {"source": "\u200b \n", "id": 17},
    {"source": "ps-housing", "id": None},
    {"source": "ps-housing", "id": True},
    {"source": "ps-housing", "id": 17.5},
    {"source": "ps-housing", "id": 1e300},
    {"source": "ps-housing", "id": [17]},
    {"source": "ps-housing", "id": "x" * 129},
    {"source": "x" * 65, "id": 17},
]


async def test_an_invalid_external_id_is_rejected(harness: AppHarness) -> None:
    for external in NO_IDS:
        for query in ("get-property", "put-property"):
            frame = await harness.frame(f"queries.{query}", NEW | {"external": external})
            assert frame["data"]["code"] == "invalid-data", external
            assert frame["data"]["fields"][0]["field"].startswith("external")


@given(source=st.text(), number=st.text() | st.integers() | st.floats(allow_nan=False))
def test_external_id_is_read_the_same_when_it_comes_back(source: str, number: object) -> None:
    try:
        read = validate(ExternalId, {"source": source, "id": number})
    except InvalidData:
        return
    assert validate(ExternalId, read.model_dump()) == read
    assert "\0" not in read.source + read.id


def test_every_query_about_a_property_takes_its_external_id() -> None:
    about = [query for query in CATALOGUE.queries if "property_id" in query.ask.model_fields]
    assert len(about) > 30
    for query in about:
        assert issubclass(query.ask, PropertyReference) or query.name == "put-property"


async def test_queries_answer_the_same_by_either_id(tmp_path: Path) -> None:
    async with (
        open_harness(tmp_path / "number.db") as by_number,
        open_harness(tmp_path / "external.db") as by_external,
    ):
        for harness in (by_number, by_external):
            await give_code(harness)
            await harness.ask("put-property", **NEW)
        for name, data in ASKED:
            by_house = dict(data)
            if by_house.get("propertyId") == 1:
                by_house["external"] = HOUSE
                del by_house["propertyId"]
            expected = await by_number.frame(f"queries.{name}", data)
            answer = await by_external.frame(f"queries.{name}", by_house)
            if name == "remove-property":  # by its external id it is only requested
                assert answer["data"] == expected["data"] | {"removed": False}
            else:
                answer["data"].pop("removed", None)
                assert answer == expected, name


async def test_external_id_and_number_must_be_the_same_property(harness: AppHarness) -> None:
    await harness.ask("put-property", **NEW)
    other = await harness.add_property()
    assert (await harness.ask("get-property", propertyId=1, external=HOUSE))["id"] == 1
    frame = await harness.frame("queries.get-property", {"propertyId": other, "external": HOUSE})
    assert frame["data"]["code"] == "invalid-data"
    assert "propertyId" in frame["data"]["message"]


async def test_optional_property_may_be_named_by_its_external_id(harness: AppHarness) -> None:
    await harness.ask("put-property", **NEW)
    await harness.ask("add-alert", external=HOUSE, userId="u")
    await harness.ask("add-crime", external=HOUSE)
    await harness.ask("add-crime")
    assert (await harness.ask("get-alarms", external=HOUSE))["total"] == 1
    crimes = await harness.ask("get-crimes-in-area", external=HOUSE)
    assert crimes["today"] == 1
    assert await harness.error_code("get-alarms", external=HOUSE | {"id": 18}) == "not-found"


async def test_every_event_of_the_property_names_its_external_id(harness: AppHarness) -> None:
    plain = await harness.add_property()
    await harness.ask("put-property", **NEW)
    for property_ in ({"external": HOUSE}, {"propertyId": plain}):
        drone = await harness.ask("add-equipment", **property_, equipmentType=3, description="")
        await harness.ask("dispatch-drone", **property_)
        await harness.ask("recall-drone", droneId=drone["id"])
        alarm = await harness.ask("add-alert", **property_, userId="u")
        await harness.ask("settle-alarm", alarmId=alarm["id"], outcome="false")
        await harness.ask("add-visitor", **property_, userId="u")
        await harness.ask("add-auth-entry", **property_, userId="u")
        await harness.ask("request-remove-property", **property_)
        await harness.ask("deny-remove-property", **property_)
    for name, data in harness.take_events():
        number = data["id"] if name == "property-added" else int(data["propertyId"])
        assert data.get("external") == (None if number == plain else HOUSE), name


async def test_rows_of_a_list_name_the_external_ids_of_their_properties(
    harness: AppHarness,
) -> None:
    await harness.ask("put-property", **NEW)
    plain = await harness.add_property()
    for number in (1, plain):
        await harness.add_equipment(number, 3)
        await harness.ask("add-alert", propertyId=number, userId="u")
        await harness.ask("dispatch-drone", propertyId=number)
    for query, name in (
        ("get-alarms", "alarms"),
        ("get-dispatched-drones", "drones"),
        ("get-drone-flights", "flights"),
    ):
        rows = (await harness.ask(query))[name]
        shown = {row["propertyId"]: row.get("external", "none") for row in rows}
        assert shown == {1: HOUSE, plain: "none"}, query


async def test_removal_by_external_id_is_a_request_or_at_once(harness: AppHarness) -> None:
    await harness.ask("put-property", **NEW)
    for query in ("remove-property", "request-remove-property"):
        asked = await harness.ask(query, external=HOUSE)
        assert asked == {"success": True, "removed": False}
    assert (await harness.ask("get-property", external=HOUSE))["status"] == "REMOVED"
    harness.external = ExternalRules(remove=True)
    harness.take_events()
    frame = await harness.frame("queries.request-remove-property", {"external": HOUSE}, Scope.WRITE)
    assert frame["data"] == {"success": True, "removed": True}
    assert [name for name, _ in harness.take_events()] == [
        "property-removed",
        "property-status-change",
    ]
    assert await harness.error_code("request-remove-property", external=HOUSE) == "not-found"


async def test_removal_by_number_does_not_depend_on_the_configuration(harness: AppHarness) -> None:
    harness.external = ExternalRules(remove=True)
    await harness.ask("put-property", **NEW)
    assert await harness.ask("request-remove-property", propertyId=1) == {"success": True}
    assert (await harness.ask("get-property", propertyId=1))["status"] == "REMOVED"
    frame = await harness.frame("queries.remove-property", {"external": HOUSE}, Scope.WRITE)
    assert frame["data"]["code"] == "forbidden"


async def test_put_after_a_removal_is_a_new_property(harness: AppHarness) -> None:
    await harness.ask("put-property", **NEW)
    await harness.ask("remove-property", propertyId=1)
    assert await harness.ask("put-property", **NEW) == put(2, added=True)
    assert (await harness.ask("get-property", external=HOUSE))["id"] == 2
    assert await harness.error_code("restore-property", external=HOUSE) == "conflict"
    await harness.ask("remove-property", propertyId=2)
    harness.clock.now += 1
    await harness.ask("restore-property", external=HOUSE)
    assert (await harness.ask("get-property", external=HOUSE))["id"] == 2


async def test_put_withdraws_the_request_of_the_same_client_only(harness: AppHarness) -> None:
    await harness.ask("put-property", **NEW)
    for by, status in (("tester", "PENDING"), ("somebody", "REMOVED")):
        data = {"external": HOUSE}
        await harness.frame("queries.request-remove-property", data, name=by)
        harness.take_events()
        told = ["withdrawn-remove-property", "property-status-change"]
        withdrawn = told if status == "PENDING" else []
        assert await harness.ask("put-property", **NEW) == put(1, changed=bool(withdrawn))
        assert [name for name, _ in harness.take_events()] == withdrawn
        assert (await harness.ask("get-property", external=HOUSE))["status"] == status


async def test_stored_property_receives_an_external_id(harness: AppHarness) -> None:
    number = await harness.add_property()
    given = await harness.ask("put-property", propertyId=number, external=HOUSE, tier=3)
    assert given == put(number)
    shown = await harness.ask("get-property", external=HOUSE)
    assert (shown["id"], shown["tier"], shown["external"]) == (number, 3, HOUSE)
    other = await harness.add_property()
    for data in (
        {"propertyId": other, "external": HOUSE},
        {"propertyId": number, "external": HOUSE | {"id": 18}},
    ):
        assert await harness.error_code("put-property", **data) == "conflict"
    unknown = {"propertyId": 99, "external": HOUSE | {"id": 18}}
    assert await harness.error_code("put-property", **unknown) == "not-found"


async def test_status_removed_is_put_as_a_request(harness: AppHarness) -> None:
    for _ in range(2):
        put = await harness.ask("put-property", **NEW | {"status": "removed"})
        assert (await harness.ask("get-property", propertyId=put["id"]))["status"] == "REMOVED"


async def test_new_text_is_found_by_a_search(harness: AppHarness) -> None:
    await harness.ask("put-property", **NEW)
    await harness.ask("put-property", external=HOUSE, location="Vespucci 9", description="pool")
    for search, found in (("vespucci", 1), ("pool", 1), ("grove", 0)):
        page = await harness.ask("get-properties", search=search)
        assert len(page["properties"]) == found


async def test_new_owner_begins_with_an_empty_access_list(harness: AppHarness) -> None:
    number = await harness.add_property()
    for keep, left in ((True, {"license:guest"}), (False, set())):
        for user in ("license:guest", "license:next"):
            await harness.ask("add-allowed-user", propertyId=number, userId=user)
        owner = "license:next" if keep else "license:last"
        await harness.ask("change-property-owner", propertyId=number, owner=owner, keepAllowed=keep)
        allowed = await harness.ask("get-allowed-users", propertyId=number)
        assert set(allowed["allowedUsers"]) - {"license:next"} == left


async def test_visibility_follows_the_owner(harness: AppHarness) -> None:
    number = await harness.add_property(clientId="license:old")
    ask = OfProperty(property_id=number)
    old, new = member(harness, "old"), member(harness, "new")
    assert (await get_property(old, ask)).id == number
    await harness.ask("change-property-owner", propertyId=number, owner="license:new")
    assert (await get_property(new, ask)).id == number
    assert await access.share_of(harness.database.read, number, ["license:old"]) is None
    mine = await harness.ask("get-user-properties", userId="license:new")
    assert [row["id"] for row in mine["properties"]] == [str(number)]
    rows = [row for row in harness.dump()["audit"] if "change-property-owner" in row]
    assert len(rows) == 1


async def test_new_owner_is_taken_under_each_of_its_names(harness: AppHarness) -> None:
    number = await harness.add_property()
    for name in ("owner", "clientId", "userId", "user"):
        await harness.ask("change-property-owner", propertyId=number, **{name: name.lower()})
        shown = await harness.ask("get-property-detailed", propertyId=number)
        assert shown["owner"] == name.lower()


async def test_same_owner_again_changes_nothing(harness: AppHarness) -> None:
    number = await harness.add_property()
    await harness.ask("add-allowed-user", propertyId=number, userId="guest")
    harness.take_events()
    await harness.ask("change-property-owner", propertyId=number, owner="license:owner")
    assert harness.take_events() == []
    assert (await harness.ask("get-allowed-users", propertyId=number))["allowedUsers"]


async def test_a_property_awaiting_a_decision_cannot_be_transferred(harness: AppHarness) -> None:
    number = await harness.add_property()
    dispatcher = member(harness, "dora", Scope.WRITE)
    ask = PropertyEdit(property_id=number, owner="license:new")
    with pytest.raises(Conflict):
        await edit_property(dispatcher, ask)
    await harness.ask("approve-property", propertyId=number)
    await edit_property(dispatcher, ask)
    shown = await harness.ask("get-property-detailed", propertyId=number)
    assert shown["owner"] == "license:new"


async def test_approval_does_not_survive_a_change_of_owner(harness: AppHarness) -> None:
    number = await harness.add_property()
    approver = member(harness, "anna", Scope.APPROVE)
    await approve_property(approver, OfProperty(property_id=number))
    subject = f"approval:{number}"
    assert await approvals.of_subject(harness.database.read, subject)
    await harness.ask("change-property-owner", propertyId=number, owner="license:anna")
    assert await approvals.of_subject(harness.database.read, subject) == []


@pytest.mark.parametrize("name", ["owner", "clientId", "userId"])
async def test_put_takes_its_owner_under_the_names_of_other_queries(
    harness: AppHarness, name: str
) -> None:
    given = {key: value for key, value in NEW.items() if key != "owner"} | {name: "license:wren"}
    assert await harness.ask("put-property", **given) == put(1, added=True)
    found = await harness.ask("get-property-detailed", external=HOUSE)
    assert found["owner"] == "license:wren"
