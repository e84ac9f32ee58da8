"""Who may enter a property, and who identified themselves there."""

import pytest

from db import access
from db.access import AuthEntry
from tests.webhook.harness import AppHarness

AT = "2026-11-22T09:30:00.123Z"


async def test_allowed_users_are_added_listed_and_removed(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    await harness.ask("add-user", userId="u1", fullName="Wren")
    for expected in (True, False):
        added = await harness.ask("add-allowed-user", propertyId=property_id, userId="u1")
        assert added == {"success": True, "changed": expected}
    await harness.ask("add-allowed-user", propertyId=property_id, userId="u2")
    listed = await harness.ask("get-allowed-users", propertyId=property_id)
    assert listed == {"allowedUsers": {"u1": "Wren", "u2": "u2"}}
    removed = await harness.ask("remove-allowed-user", propertyId=property_id, userId="u1")
    assert removed == {"success": True, "changed": True}
    asked = {"propertyId": property_id, "userId": "u1"}
    assert await harness.ask("remove-allowed-user", **asked) == {"success": True, "changed": False}
    assert harness.take_events() == [
        ("allowed-users-changed", {"propertyId": property_id, "userId": user, "allowed": allowed})
        for user, allowed in (("u1", True), ("u2", True), ("u1", False))
    ]


async def test_auth_entries_say_whether_the_user_may_enter(harness: AppHarness) -> None:
    property_id = await harness.add_property(clientId="owner")
    await harness.ask("add-allowed-user", propertyId=property_id, userId="friend")
    harness.take_events()
    for user in ("owner", "friend", "stranger"):
        added = await harness.ask("add-auth-entry", propertyId=str(property_id), userId=user)
        assert added == {"success": True}
    assert harness.take_events() == [
        ("auth-entries", {"propertyId": str(property_id), "clientId": user, "allowed": allowed})
        for user, allowed in [("owner", True), ("friend", True), ("stranger", False)]
    ]
    assert await harness.ask("get-auth-entries", propertyId=property_id) == {
        "authEntries": [
            {"user_id": user, "timestamp": AT, "allowed": user != "stranger"}
            for user in ("stranger", "friend", "owner")
        ]
    }


@pytest.mark.parametrize(
    ("sent", "is_allowed"), [(1, True), (0.0, False), ("true", True), ("0", False)]
)
async def test_databases_yes_and_no_are_read(
    harness: AppHarness, sent: object, is_allowed: bool
) -> None:
    at = {"propertyId": await harness.add_property()}
    await harness.ask("add-auth-entry", **at, userId="u1", allowed=sent)
    [entry] = (await harness.ask("get-auth-entries", **at))["authEntries"]
    assert entry["allowed"] is is_allowed


async def test_a_long_list_is_answered_in_parts(harness: AppHarness) -> None:
    at = {"propertyId": await harness.add_property()}
    async with harness.database.write() as sql:
        for number in range(1_005):
            await access.add_entry(sql, 1, AuthEntry(f"u{number}", number, 1, "", ""))

    async def users(**part: int) -> list[str]:
        found = (await harness.ask("get-auth-entries", **at, **part))["authEntries"]
        return [entry["user_id"] for entry in found]

    first = await users()
    assert (len(first), first[0]) == (1_000, "u1004")
    assert await users(offset=1_000) == await users(page=2) == ["u4", "u3", "u2", "u1", "u0"]
    assert await users(limit=2, page=2) == ["u1002", "u1001"]
    for user in ("a", "b", "c"):
        await harness.ask("add-allowed-user", **at, userId=user)
    part = await harness.ask("get-allowed-users", **at, limit=1, offset=1)
    assert part == {"allowedUsers": {"b": "b"}}
