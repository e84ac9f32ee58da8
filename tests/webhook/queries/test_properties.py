"""The queries on users and properties, answer by answer and event by event."""

from typing import Any

import pytest

from db import community
from tests.webhook.harness import KINDS, TIERS, AppHarness
from webhook.protocol.context import Scope

SHOP = {
    "location": "Forum Dr",
    "tier": 2,
    "x": -213,
    "y": 1332,
    "description": "a shop",
    "clientId": "license:owner",
}


def told_as(number: int, **changed: object) -> dict[str, Any]:
    """The property object of SHOP."""
    shown = {name: SHOP[name] for name in ("location", "tier", "x", "y", "description")}
    return {"id": number, "width": 0, "height": 0, "status": "PENDING"} | shown | changed


async def names(harness: AppHarness, query: str, key: str, **data: object) -> list[object]:
    return [row["location"] for row in (await harness.ask(query, **data))[key]]


async def test_a_user_is_added_renamed_and_removed(harness: AppHarness) -> None:
    assert await harness.error_code("get-user", userId="u1") == "not-found"
    assert await harness.ask("add-user", userId="u1", fullName="Wren") == {"success": True}
    assert await harness.ask("get-user", userId="u1") == {"id": "u1", "fullName": "Wren"}
    await harness.ask("add-user", userId="u1", fullName="Wren Pike")
    assert await harness.ask("get-user", userId="u1") == {"id": "u1", "fullName": "Wren Pike"}
    assert await harness.ask("remove-user", userId="u1") == {"success": True}
    assert await harness.error_code("get-user", userId="u1") == "not-found"
    assert await harness.error_code("remove-user", userId="u1") == "not-found"
    assert harness.take_events() == []


async def test_a_removed_user_is_on_no_list_and_its_properties_stay(harness: AppHarness) -> None:
    place = await harness.add_property(clientId="u1")
    await harness.ask("add-user", userId="u1", fullName="Wren")
    await harness.ask("add-allowed-user", propertyId=place, userId="u1")
    await harness.ask("remove-user", userId="u1")
    assert await harness.ask("get-allowed-users", propertyId=place) == {"allowedUsers": {}}
    detailed = await harness.ask("get-property-detailed", propertyId=place)
    assert (detailed["owner"], detailed["owner_full_name"]) == ("u1", "u1")


async def test_users_are_listed_by_page_and_search(harness: AppHarness) -> None:
    for number in range(12):
        await harness.ask("add-user", userId=f"u{number:02}", fullName=f"Éva {number}")
    assert len((await harness.ask("get-users"))["users"]) == 10
    page = await harness.ask("get-users", limit=3, offset=10)
    assert page == {
        "users": [{"id": "u10", "fullName": "Éva 10"}, {"id": "u11", "fullName": "Éva 11"}]
    }
    assert (await harness.ask("get-users", search="éVA 7"))["users"] == [
        {"id": "u07", "fullName": "Éva 7"}
    ]
    assert (await harness.ask("get-users", search="U11"))["users"][0]["id"] == "u11"


async def test_a_user_seen_for_the_first_time_is_named_by_its_id(harness: AppHarness) -> None:
    await harness.add_property(clientId=210987654321098765)
    user = await harness.ask("get-user", userId="210987654321098765")
    assert user["fullName"] == "210987654321098765"


async def test_what_a_user_owns_is_listed_with_its_price(harness: AppHarness) -> None:
    number = await harness.add_property(**SHOP)
    await harness.add_property(clientId="somebody else")
    owned = await harness.ask("get-user-properties", userId="license:owner")
    assert owned == {
        "owner": "license:owner",
        "properties": [
            told_as(number, id=str(number)) | {"name": "Forum Dr", "value": "99.99"},
        ],
    }
    assert await harness.ask("get-user-properties", userId="nobody") == {
        "owner": "nobody",
        "properties": [],
    }


async def test_a_property_is_added_pending(harness: AppHarness) -> None:
    added = await harness.ask("add-property", **SHOP)
    number = added["id"]
    assert added == {"success": True, "id": number}
    assert harness.take_events() == [
        ("property-added", {"id": number, "owner": "license:owner"} | SHOP),
    ]
    assert await harness.ask("get-property", propertyId=number) == told_as(number)
    assert await harness.ask("get-pending-properties") == {"properties": [told_as(number)]}


async def test_a_property_may_be_added_with_a_size(harness: AppHarness) -> None:
    number = await harness.add_property(**SHOP, width=30, height=20.0)
    shown = await harness.ask("get-property", propertyId=str(number))
    assert shown == told_as(number, width=30, height=20)


async def test_a_property_of_an_unknown_tier_is_not_found(harness: AppHarness) -> None:
    assert await harness.error_code("add-property", **SHOP | {"tier": 9}) == "not-found"
    assert harness.dump()["users"] == []


@pytest.mark.parametrize("field", SHOP)
async def test_a_missing_field_is_named(harness: AppHarness, field: str) -> None:
    asked = {name: value for name, value in SHOP.items() if name != field}
    frame = await harness.frame("queries.add-property", asked)
    assert [fault["field"] for fault in frame["data"]["fields"]] == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("location", ""),
        ("location", "x" * 201),
        ("location", 7),
        ("tier", True),
        ("x", "1"),
        ("x", 1.5),
        ("x", 1e300),
        ("y", 1_000_001),
        ("width", -1),
        ("height", "wide"),
        ("description", "x" * 2_001),
        ("clientId", ""),
        ("clientId", None),
    ],
)
async def test_a_wrong_field_is_named(harness: AppHarness, field: str, value: object) -> None:
    frame = await harness.frame("queries.add-property", SHOP | {field: value})
    assert frame["data"]["code"] == "invalid-data"
    assert [fault["field"] for fault in frame["data"]["fields"]] == [field]
    assert frame["data"]["fields"][0]["problem"]


async def test_a_detailed_property_has_its_tier_owner_and_equipment(harness: AppHarness) -> None:
    number = await harness.add_property(**SHOP)
    await harness.ask("add-user", userId="license:owner", fullName="Wren")
    camera = await harness.add_equipment(number, 1, "door")
    assert await harness.ask("get-property-detailed", propertyId=number) == told_as(number) | {
        "tier_name": "Premium",
        "owner": "license:owner",
        "owner_full_name": "Wren",
        "equipment": [{"id": camera, "type": 1, "description": "door", "name": "Camera"}],
    }


async def test_properties_are_listed_by_page(harness: AppHarness) -> None:
    numbers = [await harness.add_property(location=f"place {n}") for n in range(12)]
    first = (await harness.ask("get-properties"))["properties"]
    assert [row["id"] for row in first] == numbers[:10]
    rest = (await harness.ask("get-properties", offset=10, limit=100))["properties"]
    assert [row["id"] for row in rest] == numbers[10:]


@pytest.mark.parametrize(
    ("page", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"offset": -1}, "offset"),
        ({"search": 7}, "search"),
        ({"limit": "10"}, "limit"),
        ({"search": "x" * 201}, "search"),
    ],
)
async def test_a_wrong_page_is_named(
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
async def test_a_search_takes_everything_as_text(
    harness: AppHarness, search: str, found: list[str] | None
) -> None:
    places = ["100% off", "under_score", "back\\slash", "Wren's", 'the "Den"', "CAFÉ"]
    for place in places:
        await harness.add_property(location=place, description="-")
    expected = places if found is None else found
    for query in ("get-properties", "search-pending-properties"):
        assert await names(harness, query, "properties", search=search) == expected


async def test_a_search_looks_through_descriptions_and_ids(harness: AppHarness) -> None:
    for number in range(1, 13):
        await harness.add_property(
            location="place", description=f"shop {'abcdefghijkl'[number - 1]}"
        )
    by_text = (await harness.ask("get-properties", search="SHOP K"))["properties"]
    assert [row["id"] for row in by_text] == [11]
    by_id = (await harness.ask("get-properties", search="1"))["properties"]
    assert [row["id"] for row in by_id] == [1, 10, 11, 12]


CHANGES = [
    ("size", {"width": 30, "height": 20}, {"width": 30, "height": 20, "size": 600}),
    ("coordinates", {"x": 5, "y": -6}, {"x": 5, "y": -6}),
    ("tier", {"tier": 3}, {"tier": 3}),
]


@pytest.mark.parametrize(("what", "asked", "told"), CHANGES)
async def test_a_change_is_told_once_and_the_same_again_is_nothing(
    harness: AppHarness, what: str, asked: dict[str, int], told: dict[str, int]
) -> None:
    number = await harness.add_property(**SHOP)
    event = "property-coordinates-changed" if what == "coordinates" else f"property-{what}-changed"
    query = f"change-property-{what}"
    assert await harness.ask(query, propertyId=number, **asked) == {"success": True}
    assert harness.take_events() == [(event, {"propertyId": number} | told)]
    assert await harness.ask("get-property", propertyId=number) == told_as(number, **asked)
    assert await harness.ask(query, propertyId=number, **asked) == {"success": True}
    assert harness.take_events() == []


@pytest.mark.parametrize(("what", "asked", "_"), CHANGES)
async def test_what_is_not_there_cannot_be_changed(
    harness: AppHarness, what: str, asked: dict[str, int], _: object
) -> None:
    assert await harness.error_code(f"change-property-{what}", propertyId=7, **asked) == "not-found"


async def test_an_unknown_tier_is_not_found(harness: AppHarness) -> None:
    number = await harness.add_property()
    assert (
        await harness.error_code("change-property-tier", propertyId=number, tier=9) == "not-found"
    )


async def test_a_size_may_be_nothing_but_not_less(harness: AppHarness) -> None:
    number = await harness.add_property(**SHOP, width=4, height=4)
    await harness.ask("change-property-size", propertyId=number, width=0, height=0)
    assert harness.take_events()[0][1]["size"] == 0
    assert (
        await harness.error_code("change-property-size", propertyId=number, width=-1, height=0)
        == "invalid-data"
    )


async def test_a_status_is_kept_in_upper_case_and_told_with_the_previous(
    harness: AppHarness,
) -> None:
    number = await harness.add_property()
    for _ in range(2):
        done = await harness.ask("change-property-status", propertyId=number, status=" active ")
        assert done == {"success": True}
    assert harness.take_events() == [
        (
            "property-status-change",
            {"propertyId": number, "status": "ACTIVE", "previous": "PENDING"},
        )
    ]
    assert (await harness.ask("get-pending-properties"))["properties"] == []


@pytest.mark.parametrize("status", ["", "  ", "x" * 33, "ß" * 17, 7])
async def test_a_status_has_1_to_32_characters(harness: AppHarness, status: object) -> None:
    number = await harness.add_property()
    code = await harness.error_code("change-property-status", propertyId=number, status=status)
    assert code == "invalid-data"


@pytest.mark.parametrize("status", ["REMOVED", "removed", " Removed"])
async def test_removed_is_set_by_a_request_only(harness: AppHarness, status: str) -> None:
    number = await harness.add_property()
    code = await harness.error_code("change-property-status", propertyId=number, status=status)
    assert code == "conflict"


async def test_a_removed_property_is_gone_from_every_answer(harness: AppHarness) -> None:
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
    ]
    for query in ("get-property", "get-property-detailed", "get-equipment", "get-free-drones"):
        assert await harness.error_code(query, propertyId=number) == "not-found"
    for query in ("get-allowed-users", "get-alerts", "get-weekly-visitors", "get-auth-entries"):
        assert await harness.error_code(query, propertyId=number) == "not-found"
    assert await harness.error_code("remove-property", propertyId=number) == "not-found"
    assert await harness.error_code("recall-drone", droneId=drone) == "not-found"
    for query in ("get-properties", "get-pending-properties"):
        assert await harness.ask(query) == {"properties": []}
    owned = await harness.ask("get-user-properties", userId="license:owner")
    assert owned["properties"] == []
    assert (await harness.ask("get-dispatched-drones"))["drones"] == []
    crimes = (await harness.ask("get-crimes-in-area"))["crimes"]
    assert [day["count"] for day in crimes] == [0, 0, 0]


async def test_the_number_of_a_removed_property_is_never_given_again(harness: AppHarness) -> None:
    number = await harness.add_property()
    await harness.ask("remove-property", propertyId=number)
    assert await harness.add_property() > number


async def test_tiers_and_types_are_those_on_offer(harness: AppHarness) -> None:
    number = await harness.add_property(**SHOP)
    async with harness.database.write() as sql:
        await community.replace(sql, TIERS[:1], KINDS[2:])
    assert await harness.ask("get-tiers") == {
        "tiers": [{"id": 1, "name": "Basic", "price": "59.99"}]
    }
    assert await harness.ask("get-equipment-types") == {
        "equipmentTypes": [{"type": 3, "name": "Drone"}]
    }
    detailed = await harness.ask("get-property-detailed", propertyId=number)
    assert (detailed["tier"], detailed["tier_name"]) == (2, "Premium")
    assert await harness.error_code("add-property", **SHOP) == "not-found"
    owned = await harness.ask("get-user-properties", userId="license:owner")
    assert owned["properties"][0]["value"] == "99.99"


async def test_removing_needs_the_scope_admin(harness: AppHarness) -> None:
    for scope in (Scope.READ, Scope.WRITE, Scope.APPROVE):
        frame = await harness.frame("queries.remove-property", {"propertyId": 1}, scope)
        assert frame["data"]["code"] == "forbidden"


@pytest.mark.parametrize("scope", [Scope.READ, Scope.WRITE])
@pytest.mark.parametrize("name", ["approve-remove-property", "deny-remove-property"])
async def test_settling_a_removal_needs_the_scope_approve(
    harness: AppHarness, name: str, scope: Scope
) -> None:
    frame = await harness.frame(f"queries.{name}", {"propertyId": 1}, scope)
    assert frame["data"]["code"] == "forbidden"
    frame = await harness.frame(f"queries.{name}", {"propertyId": 1}, Scope.APPROVE)
    assert frame["data"]["code"] == "not-found"
