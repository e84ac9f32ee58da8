"""Properties: added, listed, searched, changed, removed."""

import asyncio

import pytest

from tests.webhook.harness import SHOP, AppHarness, property_data
from webhook.protocol.context import Caller, Scope
from webhook.protocol.errors import Forbidden
from webhook.queries.properties.edits import PropertyEdit, edit_property
from webhook.queries.properties.removals import RemovalRequest, request_remove_property


async def names(harness: AppHarness, query: str, key: str, **data: object) -> list[object]:
    return [row["location"] for row in (await harness.ask(query, **data))[key]]


CHANGES = [
    ("size", {"width": 30, "height": 20}, {"width": 30, "height": 20, "size": 600}),
    ("coordinates", {"x": 5, "y": -6}, {"x": 5, "y": -6}),
    ("tier", {"tier": 3}, {"tier": 3}),
]


async def test_edit_changes_everything_that_is_given_or_nothing(harness: AppHarness) -> None:
    property_id = await harness.add_property(width=10, height=10)
    asked = {"propertyId": property_id, "x": 5, "width": 30, "tier": 2, "status": "open"}
    await harness.ask("edit-property", **asked)
    assert [name for name, _ in harness.take_events()] == [
        "property-size-changed",
        "property-coordinates-changed",
        "property-tier-changed",
        "property-status-change",
    ]
    stored = await harness.ask("get-property", propertyId=property_id)
    assert (stored["x"], stored["y"], stored["width"], stored["height"]) == (5, -20, 30, 10)
    assert (stored["tier"], stored["status"]) == (2, "open")
    before = harness.dump()
    await harness.ask("edit-property", **asked)
    for field, wrong, code in (
        ("tier", 9, "not-found"),
        ("ifStatus", "pending", "conflict"),
        ("x", 10**7, "invalid-data"),
    ):
        refused = {"propertyId": property_id, "height": 99, field: wrong}
        assert await harness.error_code("edit-property", **refused) == code
    assert harness.dump() == before
    assert harness.take_events() == []
    await harness.ask("edit-property", propertyId=property_id, height=99, ifStatus="open")


async def test_person_needs_the_approver_role_to_change_a_status_that_approvers_decide_on(
    harness: AppHarness,
) -> None:
    number = await harness.add_property()
    dispatcher = harness.context().of(Caller("discord:1", Scope.WRITE, ("discord:1",)))
    opened = PropertyEdit(property_id=number, status="OPEN")
    with pytest.raises(Forbidden):
        await edit_property(dispatcher, opened)
    await edit_property(dispatcher, PropertyEdit(property_id=number, x=5))
    await edit_property(harness.context(Scope.WRITE), opened)
    await edit_property(dispatcher, PropertyEdit(property_id=number, status="SHUT"))
    await request_remove_property(dispatcher, RemovalRequest(property_id=number))
    with pytest.raises(Forbidden):
        await edit_property(dispatcher, opened)


async def test_of_ten_changes_from_the_same_status_at_once_one_succeeds(
    harness: AppHarness,
) -> None:
    property_id = await harness.add_property()

    async def decide(status: str) -> None:
        asked = PropertyEdit(property_id=property_id, status=status, if_status="PENDING")
        await edit_property(harness.context(), asked)

    outcomes = await asyncio.gather(
        *(decide(status) for status in ["ACTIVE", "REJECTED"] * 5), return_exceptions=True
    )
    assert outcomes.count(None) == 1


@pytest.mark.parametrize(
    "name", ["add-allowed-user", "remove-allowed-user", "add-alert", "add-auth-entry"]
)
async def test_queries_about_an_unknown_property_are_not_found(
    harness: AppHarness, name: str
) -> None:
    before = harness.dump()
    assert await harness.error_code(name, propertyId=99, userId="u") == "not-found"
    assert harness.dump() == before


async def test_property_is_added_pending(harness: AppHarness) -> None:
    added = await harness.ask("add-property", **SHOP)
    number = added["id"]
    assert added == {"success": True, "id": number}
    assert harness.take_events() == [
        ("property-added", {"id": number, "owner": "license:owner"} | SHOP),
    ]
    shown = property_data(number)
    assert await harness.ask("get-property", propertyId=number) == shown | {"property": shown}
    assert await harness.ask("get-pending-properties") == {
        "properties": [shown],
        "pendingProperties": [shown],
    }


async def test_property_may_be_added_with_a_size(harness: AppHarness) -> None:
    number = await harness.add_property(**SHOP, width=30, height=20.0)
    shown = await harness.ask("get-property", propertyId=str(number))
    assert shown["property"] == property_data(number, width=30, height=20)


async def test_property_of_an_unknown_tier_is_not_found(harness: AppHarness) -> None:
    assert await harness.error_code("add-property", **SHOP | {"tier": 9}) == "not-found"
    assert harness.dump()["users"] == []


async def test_description_may_be_missing_and_a_tier_may_be_named(harness: AppHarness) -> None:
    asked = {name: value for name, value in SHOP.items() if name != "description"}
    for tier in ("premium", "2", 2.0):
        number = (await harness.ask("add-property", **asked | {"tier": tier}))["id"]
        stored = (await harness.ask("get-property", propertyId=number))["property"]
        assert stored == property_data(number, description="")
    await harness.ask("change-property-tier", propertyId=number, tier="OPTIMUM")
    assert (await harness.ask("get-property", propertyId=number))["tier"] == 3
    code = await harness.error_code("change-property-tier", propertyId=number, tier="Gold")
    assert code == "not-found"


@pytest.mark.parametrize("field", sorted(SHOP.keys() - {"description"}))
async def test_missing_field_is_named_in_the_error(harness: AppHarness, field: str) -> None:
    asked = {name: value for name, value in SHOP.items() if name != field}
    frame = await harness.frame("queries.add-property", asked)
    assert [fault["field"] for fault in frame["data"]["fields"]] == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("location", ""),
        ("location", " \u200b\u2060 "),
        ("location", "x" * 201),
        ("location", 7),
        ("tier", True),
        ("x", "one"),
        ("x", 1e300),
        ("y", 1_000_001),
        ("width", -1),
        ("height", "wide"),
        ("description", "x" * 2_001),
        ("clientId", ""),
        ("clientId", None),
    ],
)
async def test_invalid_field_is_named_in_the_error(
    harness: AppHarness, field: str, value: object
) -> None:
    frame = await harness.frame("queries.add-property", SHOP | {field: value})
    assert frame["data"]["code"] == "invalid-data"
    assert [fault["field"] for fault in frame["data"]["fields"]] == [field]
    assert frame["data"]["fields"][0]["problem"]


async def test_detailed_property_has_its_tier_owner_and_equipment(harness: AppHarness) -> None:
    number = await harness.add_property(**SHOP)
    await harness.ask("add-user", userId="license:owner", fullName="Wren")
    camera = await harness.add_equipment(number, 1, "door")
    detailed = await harness.ask("get-property-detailed", propertyId=number)
    flat = property_data(number) | {
        "tier_name": "Premium",
        "owner": "license:owner",
        "owner_full_name": "Wren",
        "equipment": [{"id": camera, "type": 1, "description": "door", "name": "Camera"}],
    }
    assert detailed == flat | {"property": flat}


async def test_properties_are_listed_by_page(harness: AppHarness) -> None:
    numbers = [await harness.add_property(location=f"place {n}") for n in range(12)]
    first = (await harness.ask("get-properties"))["properties"]
    assert [row["id"] for row in first] == numbers[:10]
    rest = (await harness.ask("get-properties", offset=10, limit=100))["properties"]
    assert [row["id"] for row in rest] == numbers[10:]


@pytest.mark.parametrize(
    ("page", "field"),
    [
        ({"limit": "ten"}, "limit"),
        ({"limit": True}, "limit"),
        ({"offset": [1]}, "offset"),
        ({"page": "last"}, "page"),
        ({"search": True}, "search"),
        ({"search": "x" * 201}, "search"),
    ],
)
async def test_invalid_page_is_named_in_the_error(
    harness: AppHarness, page: dict[str, object], field: str
) -> None:
    frame = await harness.frame("queries.get-properties", page)
    assert [fault["field"] for fault in frame["data"]["fields"]] == [field]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("%", ["100% off"]),
        ("_", ["under_score"]),
        ("\\", ["back\\slash"]),
        ("'", ["Wren's"]),
        ('"', ['the "Den"']),
        ("é", ["CAFÉ"]),
        ("É", ["CAFÉ"]),
        ("e\u0301", ["CAFÉ"]),
        ("", None),
        ("nowhere", []),
    ],
)
async def test_search_has_no_wildcards(
    harness: AppHarness, search: str, found: list[str] | None
) -> None:
    places = ["100% off", "under_score", "back\\slash", "Wren's", 'the "Den"', "CAFÉ"]
    for property_id in places:
        await harness.add_property(location=property_id, description="-")
    expected = places if found is None else found
    for query in ("get-properties", "search-pending-properties"):
        assert await names(harness, query, "properties", search=search) == expected


async def test_search_looks_through_descriptions_and_ids(harness: AppHarness) -> None:
    for number in range(1, 13):
        await harness.add_property(
            location="place", description=f"shop {'abcdefghijkl'[number - 1]}"
        )
    by_text = (await harness.ask("get-properties", search="SHOP K"))["properties"]
    assert [row["id"] for row in by_text] == [11]
    by_id = (await harness.ask("get-properties", search="1"))["properties"]
    assert [row["id"] for row in by_id] == [1, 10, 11, 12]


@pytest.mark.parametrize(("what", "asked", "told"), CHANGES)
async def test_change_is_published_once_and_repeating_it_changes_nothing(
    harness: AppHarness, what: str, asked: dict[str, int], told: dict[str, int]
) -> None:
    number = await harness.add_property(**SHOP)
    event = "property-coordinates-changed" if what == "coordinates" else f"property-{what}-changed"
    query = f"change-property-{what}"
    assert await harness.ask(query, propertyId=number, **asked) == {"success": True}
    assert harness.take_events() == [(event, {"propertyId": number} | told)]
    stored = (await harness.ask("get-property", propertyId=number))["property"]
    assert stored == property_data(number, **asked)
    assert await harness.ask(query, propertyId=number, **asked) == {"success": True}
    assert harness.take_events() == [(event, {"propertyId": number, "changed": False} | told)]


@pytest.mark.parametrize(("what", "asked", "_"), CHANGES)
async def test_unknown_property_cannot_be_changed(
    harness: AppHarness, what: str, asked: dict[str, int], _: object
) -> None:
    assert await harness.error_code(f"change-property-{what}", propertyId=7, **asked) == "not-found"


async def test_unknown_tier_is_not_found(harness: AppHarness) -> None:
    number = await harness.add_property()
    assert (
        await harness.error_code("change-property-tier", propertyId=number, tier=9) == "not-found"
    )


async def test_size_may_be_zero_but_not_negative(harness: AppHarness) -> None:
    number = await harness.add_property(**SHOP, width=4, height=4)
    await harness.ask("change-property-size", propertyId=number, width=0, height=0)
    assert harness.take_events()[0][1]["size"] == 0
    assert (
        await harness.error_code("change-property-size", propertyId=number, width=-1, height=0)
        == "invalid-data"
    )


async def test_status_is_stored_as_it_was_written_and_compared_without_case(
    harness: AppHarness,
) -> None:
    number = await harness.add_property()
    for written in ("Sold to Bob\u200b", "SOLD to bob", " pending "):
        done = await harness.ask("change-property-status", propertyId=number, status=written)
        assert done == {"success": True}
    changed, again, back = (data for _, data in harness.take_events())
    told = {"propertyId": number, "status": "Sold to Bob", "previous": "PENDING"}
    assert changed == told
    assert again == {
        "propertyId": number,
        "status": "SOLD to bob",
        "previous": "Sold to Bob",
        "changed": False,
    }
    assert (back["status"], back["previous"]) == ("pending", "SOLD to bob")
    assert [row["status"] for row in (await harness.ask("get-pending-properties"))["properties"]]
    assert (await harness.ask("search-pending-properties", search="forum"))["total"] == 1
    await harness.ask("approve-property", propertyId=number)


@pytest.mark.parametrize("status", ["", "  ", "\u200b", "x" * 33, 7])
async def test_status_has_1_to_32_characters(harness: AppHarness, status: object) -> None:
    number = await harness.add_property()
    code = await harness.error_code("change-property-status", propertyId=number, status=status)
    assert code == "invalid-data"


@pytest.mark.parametrize("status", ["REMOVED", "removed", " Removed", "re\u200bmoved\u2060"])
async def test_status_removed_is_a_request_for_removal(harness: AppHarness, status: str) -> None:
    number = await harness.add_property()
    for _ in range(2):
        await harness.ask("change-property-status", propertyId=number, status=status)
    told = {"propertyId": number, "status": "REMOVED"}
    requested = {"previous": "PENDING", "cause": "events.requested-remove-property"}
    assert harness.take_events() == [
        ("requested-remove-property", {"propertyId": number}),
        ("property-status-change", told | requested),
        ("property-status-change", told | {"previous": "REMOVED", "changed": False}),
    ]
    await harness.ask("deny-remove-property", propertyId=number)
    assert (await harness.ask("get-property", propertyId=number))["status"] == "PENDING"


async def test_removed_property_is_gone_from_every_answer(harness: AppHarness) -> None:
    number = await harness.add_property(**SHOP)
    camera = await harness.add_equipment(number, 1)
    drone = await harness.add_equipment(number, 3)
    await harness.ask("add-visitor", propertyId=number, userId="v", cameraId=camera)
    await harness.ask("add-crime", propertyId=number)
    await harness.ask("dispatch-drone", propertyId=number)
    harness.take_events()
    assert await harness.ask("remove-property", propertyId=number) == {"success": True}
    assert harness.take_events() == [
        ("drone-recalled", {"propertyId": number, "droneId": drone}),
        ("property-removed", {"propertyId": number}),
        (
            "property-status-change",
            {
                "propertyId": number,
                "status": "REMOVED",
                "previous": "PENDING",
                "cause": "events.property-removed",
            },
        ),
    ]
    for query in ("get-property", "get-property-detailed", "get-equipment", "get-free-drones"):
        assert await harness.error_code(query, propertyId=number) == "not-found"
    for query in ("get-allowed-users", "get-alerts", "get-weekly-visitors", "get-auth-entries"):
        assert await harness.error_code(query, propertyId=number) == "not-found"
    assert await harness.error_code("remove-property", propertyId=number) == "not-found"
    assert await harness.error_code("recall-drone", droneId=drone) == "not-found"
    for query in ("get-properties", "get-pending-properties"):
        assert (await harness.ask(query))["properties"] == []
    owned = await harness.ask("get-user-properties", userId="license:owner")
    assert owned["properties"] == []
    assert (await harness.ask("get-dispatched-drones"))["drones"] == []
    crimes = (await harness.ask("get-crimes-in-area"))["crimes"]
    assert [day["count"] for day in crimes] == [0, 0, 0]


async def test_id_of_a_removed_property_is_never_given_again(harness: AppHarness) -> None:
    number = await harness.add_property()
    await harness.ask("remove-property", propertyId=number)
    assert await harness.add_property() > number


async def test_removing_needs_the_scope_admin(harness: AppHarness) -> None:
    for scope in (Scope.READ, Scope.WRITE, Scope.APPROVE):
        frame = await harness.frame("queries.remove-property", {"propertyId": 1}, scope)
        assert frame["data"]["code"] == "forbidden"


@pytest.mark.parametrize(
    ("sent", "ids"),
    [
        ({"limit": "2", "offset": "1"}, [2, 3]),
        ({"limit": None, "offset": None, "search": None}, [1, 2, 3]),
        ({"limit": 0}, [1]),
        ({"limit": 1_000, "offset": -5}, [1, 2, 3]),
        ({"limit": 2.0, "page": 2}, [3]),
        ({"limit": 2, "page": "1"}, [1, 2]),
        ({"limit": 1, "page": 3, "offset": 0}, [1]),
        ({"page": 0, "limit": 1}, [1]),
        ({"search": 2}, [2]),
    ],
)
async def test_page_is_taken_as_clients_send_it(
    harness: AppHarness, sent: dict[str, object], ids: list[int]
) -> None:
    for _ in range(3):
        await harness.add_property()
    found = await harness.ask("get-properties", **sent)
    assert [row["id"] for row in found["properties"]] == ids
