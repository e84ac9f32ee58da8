"""Alarms: opened by an alert, acknowledged, noted, snoozed, settled."""

import asyncio
from typing import Any

import orjson
import pytest

from db import alarm_steps, alarms, audit, properties
from tests.webhook.harness import MINUTE, START, AppHarness
from webhook.protocol.context import Caller, Context, Scope
from webhook.protocol.errors import Conflict, Forbidden
from webhook.queries.alarms import (
    OfAlarm,
    TakeOver,
    acknowledge_alarm,
    release_alarm,
    take_alarm,
)
from webhook.queries.properties.drones import WhichDrone, dispatch_drone

AT = "2026-11-22T09:30:00.123Z"


async def raised(harness: AppHarness, property_id: int, user: str = "u1", **more: object) -> int:
    """Raise the alarm and return the id of the alarm that counts it."""
    await harness.ask("add-alert", propertyId=property_id, userId=user, **more)
    alarm = await alarms.open_of_property(harness.database.read, property_id)
    assert alarm is not None
    return alarm.id


async def listed(harness: AppHarness, **asked: object) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await harness.ask("get-alarms", **asked))["alarms"]
    return rows


async def steps(harness: AppHarness, alarm: int) -> list[tuple[str, str, str | int]]:
    found, _total = await alarm_steps.last(harness.database.read, alarm, 100)
    return [(step.who, step.action, step.text or step.number or "") for step in found]


async def test_alarms_and_properties_are_counted_until_their_rows_are_gone(
    harness: AppHarness,
) -> None:
    places = [await harness.add_property() for _ in range(3)]
    for property_id in (places[0], places[0], places[1]):
        await harness.ask("add-alert", propertyId=property_id, userId="u1")
        alarm = await alarms.open_of_property(harness.database.read, property_id)
        assert alarm is not None
        await harness.ask("settle-alarm", alarmId=alarm.id, outcome="false")
    await harness.ask("approve-property", propertyId=places[1])
    await harness.ask("remove-property", propertyId=places[2])

    async def totals() -> list[int]:
        sql = harness.database.read
        alarmed = [(await alarms.page(sql, of, 1, 0))[1] for of in (None, *places)]
        return alarmed + [await properties.count(sql, of) for of in (None, "PENDING", "ACTIVE")]

    assert await totals() == [3, 2, 1, 0, 2, 1, 1]
    assert await properties.statuses(harness.database.read) == ["ACTIVE", "PENDING"]
    await harness.ask("restore-property", propertyId=places[2])
    assert await totals() == [3, 2, 1, 0, 3, 2, 1]
    await harness.ask("remove-property", propertyId=places[2])
    async with harness.database.write() as sql:
        await sql.run("DELETE FROM properties WHERE id = ?", places[0])
    assert await totals() == [1, 0, 1, 0, 1, 0, 1]
    assert await properties.statuses(harness.database.read) == ["ACTIVE"]


async def test_first_alert_opens_an_alarm_and_the_others_count_up_on_it(
    harness: AppHarness,
) -> None:
    property_id = await harness.add_property()
    first = await raised(harness, property_id, "u1")
    harness.clock.now += 2 * MINUTE
    assert await raised(harness, property_id, "u2") == first
    assert await listed(harness) == [
        {
            "id": first,
            "propertyId": property_id,
            "state": "waiting",
            "raisedAt": AT,
            "raisedBy": "u1",
            "lastAt": "2026-11-22T09:32:00.123Z",
            "lastBy": "u2",
            "repeats": 2,
            "acknowledgedBy": None,
            "snoozedUntil": None,
            "settledAt": None,
            "settledBy": None,
        }
    ]
    assert [name for name, _ in harness.take_events()] == ["alerts", "alerts"]


async def test_alert_after_the_end_of_an_alarm_opens_another_one(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    first = await raised(harness, property_id)
    await harness.ask("settle-alarm", alarmId=first, outcome="false")
    second = await raised(harness, property_id)
    assert second != first
    assert [row["state"] for row in await listed(harness)] == ["waiting", "false"]


async def test_alarm_steps_are_recorded_published_and_audited(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    alarm = await raised(harness, property_id, note=" A window broke ")
    harness.take_events()
    await harness.ask("snooze-alarm", alarmId=alarm, minutes=15)
    await harness.ask("note-alarm", alarmId=alarm, text=" Nobody there ")
    await harness.ask("acknowledge-alarm", alarmId=alarm)
    await harness.ask("settle-alarm", alarmId=alarm, outcome="resolved")
    done = [
        ("snoozed", START + 15 * MINUTE),
        ("noted", "Nobody there"),
        ("acknowledged", ""),
        ("resolved", ""),
    ]
    noted = ("tester", "noted", "A window broke")
    assert await steps(harness, alarm) == [noted, *(("tester", *step) for step in done)]
    told = {"alarmId": alarm, "propertyId": property_id, "by": "tester"}
    assert harness.take_events() == [
        ("alarm-changed", told | {"action": action}) for action, _ in done
    ]
    records = await audit.page(harness.database.read, f"alarm:{alarm}", None, 10, 0)
    assert [
        (row.who, row.action, orjson.loads(row.before).get("state")) for row in reversed(records)
    ] == [
        ("tester", "alarm-snoozed", "waiting"),
        ("tester", "alarm-noted", None),
        ("tester", "alarm-acknowledged", "snoozed"),
        ("tester", "alarm-resolved", "acknowledged"),
    ]
    (row,) = await listed(harness)
    assert (row["state"], row["settledBy"], row["settledAt"]) == ("resolved", "tester", AT)


async def test_repeats_do_not_change_an_acknowledged_or_snoozed_alarm(harness: AppHarness) -> None:
    for number, (query, data, state) in enumerate(
        [
            ("acknowledge-alarm", {}, "acknowledged"),
            ("snooze-alarm", {"minutes": 15}, "snoozed"),
        ]
    ):
        property_id = await harness.add_property(location=f"place {number}")
        alarm = await raised(harness, property_id)
        await harness.ask(query, alarmId=alarm, **data)
        assert await raised(harness, property_id) == alarm
        (row,) = await listed(harness, propertyId=property_id)
        assert (row["state"], row["repeats"]) == (state, 2)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("acknowledge-alarm", {}),
        ("note-alarm", {"text": "x"}),
        ("snooze-alarm", {"minutes": 1}),
        ("settle-alarm", {"outcome": "resolved"}),
    ],
)
async def test_alarm_that_is_over_or_unknown_cannot_be_changed(
    harness: AppHarness, name: str, data: dict[str, object]
) -> None:
    alarm = await raised(harness, await harness.add_property())
    await harness.ask("settle-alarm", alarmId=alarm, outcome="false")
    before = harness.dump()
    assert await harness.error_code(name, alarmId=alarm, **data) == "conflict"
    assert await harness.error_code(name, alarmId=99, **data) == "not-found"
    assert harness.dump() == before


def member(harness: AppHarness, number: int, scope: Scope = Scope.WRITE, user: str = "") -> Context:
    """Return the context of a member, who may be a user of the game."""
    name = f"discord:{number}"
    ids = (user, name) if user else (name,)
    return harness.context().of(Caller(name, scope, ids))


async def handler(harness: AppHarness, alarm: int) -> str | None:
    found = await alarms.get(harness.database.read, alarm)
    assert found is not None
    return found.acknowledged_by


async def test_acknowledged_alarm_is_not_acknowledged_again(harness: AppHarness) -> None:
    alarm = await raised(harness, await harness.add_property())
    await harness.ask("acknowledge-alarm", alarmId=alarm)
    assert await harness.error_code("acknowledge-alarm", alarmId=alarm) == "conflict"


async def test_a_snoozed_alarm_has_no_handler(harness: AppHarness) -> None:
    alarm = await raised(harness, await harness.add_property())
    await harness.ask("acknowledge-alarm", alarmId=alarm)
    await harness.ask("snooze-alarm", alarmId=alarm, minutes=1)
    assert await harness.error_code("snooze-alarm", alarmId=alarm, minutes=1) == "conflict"
    assert [row["state"] for row in await listed(harness)] == ["snoozed"]
    assert await handler(harness, alarm) is None


async def test_journal_steps_and_audit_say_from_whom_an_alarm_was_taken(
    harness: AppHarness,
) -> None:
    alarm = await raised(harness, await harness.add_property())
    await acknowledge_alarm(member(harness, 7), OfAlarm(alarm_id=alarm))
    harness.take_events()
    await take_alarm(member(harness, 8), TakeOver(alarm_id=alarm))
    assert await handler(harness, alarm) == "discord:8"
    assert harness.take_events() == [
        (
            "alarm-changed",
            {
                "alarmId": alarm,
                "propertyId": 1,
                "action": "taken",
                "by": "discord:8",
                "previous": "discord:7",
            },
        )
    ]
    assert (await steps(harness, alarm))[-1] == ("discord:8", "taken", "discord:7")
    (entry,) = [
        row
        for row in await audit.page(harness.database.read, None, None, 10, 0)
        if row.action == "alarm-taken"
    ]
    assert (orjson.loads(entry.before), orjson.loads(entry.after)) == (
        {"handler": "discord:7"},
        {"handler": "discord:8"},
    )


async def test_of_two_who_take_an_alarm_from_the_same_member_one_succeeds(
    harness: AppHarness,
) -> None:
    alarm = await raised(harness, await harness.add_property())
    await acknowledge_alarm(member(harness, 7), OfAlarm(alarm_id=alarm))
    seen = TakeOver(alarm_id=alarm, handler="discord:7")
    found = await asyncio.gather(
        *(take_alarm(member(harness, number), seen) for number in (8, 9)), return_exceptions=True
    )
    assert sum(isinstance(each, Conflict) for each in found) == 1
    with pytest.raises(Conflict):  # from oneself
        await take_alarm(
            member(harness, int(str(await handler(harness, alarm)).removeprefix("discord:"))),
            TakeOver(alarm_id=alarm),
        )


async def test_alarm_that_nobody_handles_is_acknowledged_by_taking_it(harness: AppHarness) -> None:
    alarm = await raised(harness, await harness.add_property())
    await harness.ask("take-alarm", alarmId=alarm)
    assert [step[1] for step in await steps(harness, alarm)] == ["acknowledged"]


async def test_released_alarm_waits_from_now_on(harness: AppHarness) -> None:
    alarm = await raised(harness, await harness.add_property())
    assert await harness.error_code("release-alarm", alarmId=alarm) == "conflict"
    await harness.ask("acknowledge-alarm", alarmId=alarm)
    harness.clock.now += 7 * MINUTE
    await harness.ask("release-alarm", alarmId=alarm)
    found = await alarms.get(harness.database.read, alarm)
    assert found is not None
    assert (found.state, found.waiting_since) == ("waiting", START + 7 * MINUTE)
    assert (await steps(harness, alarm))[-1] == ("tester", "released", "tester")


async def test_owner_releases_only_what_they_handle(harness: AppHarness) -> None:
    alarm = await raised(harness, await harness.add_property(clientId="license:owner"))
    owner = member(harness, 5, Scope.NONE, "license:owner")
    await acknowledge_alarm(member(harness, 7), OfAlarm(alarm_id=alarm))
    for forbidden in (
        release_alarm(owner, OfAlarm(alarm_id=alarm)),
        take_alarm(owner, TakeOver(alarm_id=alarm)),
    ):
        with pytest.raises(Forbidden):
            await forbidden
    await release_alarm(member(harness, 8), OfAlarm(alarm_id=alarm))  # any dispatcher may
    await acknowledge_alarm(owner, OfAlarm(alarm_id=alarm))
    await release_alarm(owner, OfAlarm(alarm_id=alarm))
    assert await handler(harness, alarm) is None


@pytest.mark.parametrize(
    ("scope", "user", "handles"),
    [
        (Scope.WRITE, "", True),
        (Scope.NONE, "license:owner", True),
        (Scope.NONE, "license:friend", False),  # who may not answer alarms either
    ],
)
async def test_who_sends_a_drone_handles_the_alarm_if_they_may(
    harness: AppHarness, scope: Scope, user: str, *, handles: bool
) -> None:
    property_id = await harness.add_property(clientId="license:owner")
    await harness.add_equipment(property_id, 3)
    await harness.ask("add-allowed-user", propertyId=property_id, userId="license:friend")
    alarm = await raised(harness, property_id)
    await harness.ask("snooze-alarm", alarmId=alarm, minutes=15)
    await dispatch_drone(member(harness, 7, scope, user), WhichDrone(property_id=property_id))
    assert await handler(harness, alarm) == ("discord:7" if handles else None)
    done = [step[1] for step in await steps(harness, alarm)]
    assert done == ["snoozed", "drone", *["acknowledged"] * handles]


async def test_a_drone_changes_nothing_about_who_handles_an_alarm(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    for _ in range(2):
        await harness.add_equipment(property_id, 3)
    alarm = await raised(harness, property_id)
    await harness.ask("dispatch-drone", propertyId=property_id)  # by a script, which sees nothing
    assert await handler(harness, alarm) is None
    await acknowledge_alarm(member(harness, 7), OfAlarm(alarm_id=alarm))
    await dispatch_drone(member(harness, 8), WhichDrone(property_id=property_id))
    assert await handler(harness, alarm) == "discord:7"


@pytest.mark.parametrize("data", [{"text": " "}, {"text": "x" * 2_001}, {}])
async def test_note_is_not_empty(harness: AppHarness, data: dict[str, object]) -> None:
    assert await harness.error_code("note-alarm", alarmId=1, **data) == "invalid-data"


async def test_of_five_at_once_one_acknowledges(harness: AppHarness) -> None:
    alarm = await raised(harness, await harness.add_property())
    frames = await asyncio.gather(
        *(harness.frame("queries.acknowledge-alarm", {"alarmId": alarm}) for _ in range(5))
    )
    assert sorted(frame["type"] for frame in frames) == ["acknowledge-alarm"] + ["error"] * 4


async def test_drone_that_is_sent_out_is_noted_on_the_open_alarm(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    for _ in range(2):
        await harness.add_equipment(property_id, 3)
    first = (await harness.ask("dispatch-drone", propertyId=property_id))["droneId"]
    alarm = await raised(harness, property_id)
    second = (await harness.ask("dispatch-drone", propertyId=property_id))["droneId"]
    assert first != second
    assert await steps(harness, alarm) == [("tester", "drone", second)]
    sent = (await harness.journal_events())[-1]
    assert f"alarm:{alarm}" in [str(subject) for subject in sent.subjects]


@pytest.mark.parametrize("name", ["remove-property", "approve-remove-property"])
async def test_alarm_of_a_removed_property_is_over(harness: AppHarness, name: str) -> None:
    property_id = await harness.add_property()
    alarm = await raised(harness, property_id)
    await harness.ask("request-remove-property", propertyId=property_id)
    await harness.ask(name, propertyId=property_id)
    assert (
        "alarm-changed",
        {"alarmId": alarm, "propertyId": property_id, "action": "removed"},
    ) in [
        (told, {key: value for key, value in data.items() if key != "by"})
        for told, data in harness.take_events()
    ]
    (row,) = await listed(harness)
    assert (row["state"], row["settledBy"]) == ("removed", "tester")


async def test_alarms_that_wait_are_listed_before_newer_ones(harness: AppHarness) -> None:
    places = [await harness.add_property(location=f"place {number}") for number in range(4)]
    numbers = [await raised(harness, property_id) for property_id in places]
    await harness.ask("settle-alarm", alarmId=numbers[1], outcome="resolved")
    await harness.ask("settle-alarm", alarmId=numbers[2], outcome="resolved")
    await harness.ask("acknowledge-alarm", alarmId=numbers[3])
    page = await harness.ask("get-alarms", limit=3)
    assert [row["id"] for row in page["alarms"]] == [numbers[0], numbers[3], numbers[2]]
    assert page["total"] == 4
    rest = await listed(harness, limit=3, offset=3)
    assert [row["id"] for row in rest] == [numbers[1]]
    assert [row["id"] for row in await listed(harness, propertyId=places[1])] == [numbers[1]]
    assert await harness.error_code("get-alarms", propertyId=99) == "not-found"


async def test_member_without_a_link_who_raises_the_alarm_is_not_stored_as_a_user(
    harness: AppHarness,
) -> None:
    property_id = await harness.add_property()
    await raised(harness, property_id, "tester")
    assert (await harness.ask("get-users", search="tester"))["users"] == []


async def test_alerts_are_published_and_listed_newest_first(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    numbers = []
    for user in ("u1", "u2", "u3"):
        added = await harness.ask("add-alert", propertyId=property_id, userId=user)
        assert added == {"success": True, "id": added["id"], "alarmId": 1}
        numbers.append(added["id"])
    assert harness.take_events()[0] == (
        "alerts",
        {
            "propertyId": str(property_id),
            "user": "u1",
            "alertId": numbers[0],
            "alarmId": 1,
            "timestamp": "2026-11-22T09:30:00.123Z",
        },
    )
    page = await harness.ask("get-alerts", propertyId=property_id, limit=2, offset=1)
    assert page == {
        "alerts": [
            {"id": numbers[1], "alarmId": 1, "userId": "u2", "timestamp": AT},
            {"id": numbers[0], "alarmId": 1, "userId": "u1", "timestamp": AT},
        ],
        "total": 3,
        "limit": 2,
        "offset": 1,
    }


async def test_all_alerts_are_listed_unless_a_page_is_asked_for(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    for _ in range(15):
        await harness.ask("add-alert", propertyId=property_id, userId="u")
    for page, count in (
        ({}, 15),
        ({"limit": None}, 15),
        ({"limit": "12"}, 12),
        ({"offset": 10}, 5),
        ({"page": 2}, 5),
    ):
        found = await harness.ask("get-alerts", propertyId=property_id, **page)
        assert (len(found["alerts"]), found["total"]) == (count, 15)


async def test_alarm_is_acknowledged_by_the_id_that_the_alert_names(harness: AppHarness) -> None:
    """Alerts and alarms are numbered apart: here the third alert repeats the first alarm."""
    places = [await harness.add_property() for _ in range(3)]
    answers = [
        await harness.ask("add-alert", propertyId=places[place], userId="u")
        for place in (0, 1, 0, 1, 2)
    ]
    told = [data for name, data in harness.take_events() if name == "alerts"]
    assert [data["alarmId"] for data in told] == [answer["alarmId"] for answer in answers]
    rows = (await harness.ask("get-alerts", propertyId=places[0]))["alerts"]
    assert {row["alarmId"] for row in rows} == {answers[2]["alarmId"]}
    await harness.ask("acknowledge-alarm", alarmId=answers[2]["alarmId"])
    states = {
        alarm["propertyId"]: alarm["state"] for alarm in (await harness.ask("get-alarms"))["alarms"]
    }
    assert states == {places[0]: "acknowledged", places[1]: "waiting", places[2]: "waiting"}
