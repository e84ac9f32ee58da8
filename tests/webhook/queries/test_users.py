"""Users of the game: added, renamed, removed, listed."""

from tests.webhook.harness import SHOP, AppHarness, property_data


async def test_user_is_added_renamed_and_removed(harness: AppHarness) -> None:
    assert await harness.ask("get-user", userId="u1") == {"found": False}
    assert await harness.ask("add-user", userId="u1", fullName="Wren") == {"success": True}
    assert await harness.ask("get-user", userId="u1") == {
        "found": True,
        "id": "u1",
        "fullName": "Wren",
    }
    await harness.ask("add-user", userId="u1", fullName="Wren Pike")
    assert await harness.ask("get-user", userId="u1") == {
        "found": True,
        "id": "u1",
        "fullName": "Wren Pike",
    }
    assert await harness.ask("remove-user", userId="u1") == {"success": True}
    assert await harness.ask("get-user", userId="u1") == {"found": False}
    assert await harness.error_code("remove-user", userId="u1") == "not-found"
    assert harness.take_events() == []


async def test_removed_user_is_on_no_list_and_its_properties_stay(harness: AppHarness) -> None:
    property_id = await harness.add_property(clientId="u1")
    await harness.ask("add-user", userId="u1", fullName="Wren")
    await harness.ask("add-allowed-user", propertyId=property_id, userId="u1")
    await harness.ask("remove-user", userId="u1")
    assert await harness.ask("get-allowed-users", propertyId=property_id) == {"allowedUsers": {}}
    detailed = await harness.ask("get-property-detailed", propertyId=property_id)
    assert (detailed["owner"], detailed["owner_full_name"]) == ("u1", "u1")


async def test_users_are_listed_by_page_and_search(harness: AppHarness) -> None:
    for number in range(12):
        await harness.ask("add-user", userId=f"u{number:02}", fullName=f"Éva {number}")
    assert len((await harness.ask("get-users"))["users"]) == 10
    page = await harness.ask("get-users", limit=3, offset=10)
    assert page == {
        "users": [{"id": "u10", "fullName": "Éva 10"}, {"id": "u11", "fullName": "Éva 11"}],
        "total": 12,
        "limit": 3,
        "offset": 10,
    }
    for search, total in (("", 12), ("éva 1", 3), ("u0", 10), ("nobody", 0)):
        assert (await harness.ask("get-users", search=search, limit=2))["total"] == total
        beyond = await harness.ask("get-users", search=search, offset=50)
        assert (beyond["total"], beyond["users"]) == (total, [])
    assert (await harness.ask("get-users", search="éVA 7"))["users"] == [
        {"id": "u07", "fullName": "Éva 7"}
    ]
    assert (await harness.ask("get-users", search="U11"))["users"][0]["id"] == "u11"


async def test_user_seen_for_the_first_time_is_named_by_its_id(harness: AppHarness) -> None:
    await harness.add_property(clientId=210987654321098765)
    user = await harness.ask("get-user", userId="210987654321098765")
    assert user["fullName"] == "210987654321098765"


async def test_users_properties_are_listed_with_their_prices(harness: AppHarness) -> None:
    number = await harness.add_property(**SHOP)
    await harness.add_property(clientId="somebody else")
    owned = await harness.ask("get-user-properties", userId="license:owner")
    assert owned == {
        "owner": "license:owner",
        "properties": [
            property_data(number, id=str(number))
            | {"propertyId": number, "name": "Forum Dr", "value": "99.99"},
        ],
    }
    assert await harness.ask("get-user-properties", userId="nobody") == {
        "owner": "nobody",
        "properties": [],
    }
