"""Random sequences of the property, drone and removal queries against a small model of them."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.webhook.harness import AppHarness, open_harness

Event = tuple[str, dict[str, Any]]

PLACES = st.integers(1, 4)
DEVICES = st.integers(1, 5)
SMALL = st.integers(0, 2)
CAMERA, DRONE = 1, 3


@dataclass
class Place:
    location: str
    tier: int
    x: int = 0
    y: int = 0
    width: int = 0
    height: int = 0
    status: str = "PENDING"
    description: str = ""
    before_request: str = ""


@dataclass
class Device:
    place: int
    kind: int


class Refused(Exception):
    """The model expects an error; its text is the code."""


class PropertiesMachine(RuleBasedStateMachine):
    """What a script expects, beside what the program answers, publishes and stores."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        directory = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.harness: AppHarness = self.runner.run(
            self.stack.enter_async_context(open_harness(Path(directory) / "sentinel.db"))
        )
        self.places: dict[int, Place] = {}
        self.removed: dict[int, tuple[Place, dict[int, Device]]] = {}
        self.devices: dict[int, Device] = {}
        self.out: list[int] = []
        self.added = 0
        self.built = 0
        self.told = 0

    def teardown(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()

    # The model.

    def place(self, number: int) -> Place:
        if number not in self.places:
            raise Refused("not-found")
        return self.places[number]

    def requested(self, number: int) -> Place:
        place = self.place(number)
        if place.status != "REMOVED":
            raise Refused("conflict")
        return place

    def changed(self, number: int, event: str, **values: Any) -> list[Event]:
        """Change a place; the same values again are an event that says so."""
        place = self.place(number)
        if all(getattr(place, name) == value for name, value in values.items()):
            return [(event, {"propertyId": number} | values | {"changed": False})]
        vars(place).update(values)
        return [(event, {"propertyId": number} | values)]

    def with_cause(self, number: int, status: str, previous: str, cause: str) -> list[Event]:
        """Return an event that brings another status with it, and that of the status."""
        told = {"propertyId": number, "status": status, "previous": previous}
        told["cause"] = f"events.{cause}"
        return [(cause, {"propertyId": number}), ("property-status-change", told)]

    def taken_away(self, number: int) -> list[Event]:
        """Remove a place with its equipment; return the events of drones that are recalled."""
        mine = {n: device for n, device in self.devices.items() if device.place == number}
        back = [drone for drone in self.out if self.devices[drone].place == number]
        self.out = [drone for drone in self.out if drone not in back]
        self.devices = {n: device for n, device in self.devices.items() if device.place != number}
        self.removed[number] = (self.places.pop(number), mine)
        return [("drone-recalled", {"propertyId": number, "droneId": drone}) for drone in back]

    # What both are asked.

    def ask(self, name: str, data: dict[str, Any], expected: list[Event] | Refused) -> Any:
        """Ask a query; its answer and its events must be what the model expects."""
        self.harness.clock.now += 1
        frame = self.runner.run(self.harness.frame(f"queries.{name}", data))
        events = self.harness.take_events()
        if isinstance(expected, Refused):
            assert (frame["type"], frame["data"].get("code")) == ("error", str(expected)), frame
            assert events == []
        else:
            assert frame["type"] in (name, "status"), frame
            assert events == expected
            self.told += len(events)
        return frame["data"]

    def attempt(self, model: Any, *arguments: Any, **values: Any) -> list[Event] | Refused:
        try:
            events: list[Event] = model(*arguments, **values)
        except Refused as refused:
            return refused
        return events

    @rule(tier=st.integers(1, 4), x=SMALL)
    def add_property(self, tier: int, x: int) -> None:
        data = {"location": f"l{x}", "tier": tier, "x": x, "y": 0, "description": ""}
        asked = data | {"clientId": "o"}
        if tier == 4:
            self.ask("add-property", asked, Refused("not-found"))
            return
        self.added += 1
        self.places[self.added] = Place(f"l{x}", tier, x)
        event = ("property-added", {"id": self.added, "owner": "o"} | asked)
        assert self.ask("add-property", asked, [event]) == {"success": True, "id": self.added}

    @rule(number=PLACES, width=SMALL, height=SMALL)
    def resize(self, number: int, width: int, height: int) -> None:
        told = self.attempt(
            self.changed, number, "property-size-changed", width=width, height=height
        )
        if isinstance(told, list):
            for _, data in told:
                data["size"] = width * height
        data = {"propertyId": number, "width": width, "height": height}
        self.ask("change-property-size", data, told)

    @rule(number=PLACES, x=SMALL, y=SMALL)
    def move(self, number: int, x: int, y: int) -> None:
        told = self.attempt(self.changed, number, "property-coordinates-changed", x=x, y=y)
        self.ask("change-property-coordinates", {"propertyId": number, "x": x, "y": y}, told)

    @rule(number=PLACES, tier=st.integers(1, 4))
    def change_tier(self, number: int, tier: int) -> None:
        if tier == 4:
            told: list[Event] | Refused = Refused("not-found")
        else:
            told = self.attempt(self.changed, number, "property-tier-changed", tier=tier)
        self.ask("change-property-tier", {"propertyId": number, "tier": tier}, told)

    @rule(number=PLACES, status=st.sampled_from(["Active", "pending", "SOLD", "removed"]))
    def change_status(self, number: int, status: str) -> None:
        def model() -> list[Event]:
            place = self.place(number)
            previous = place.status
            is_same = previous.upper() == status.upper()
            if status == "removed" and not is_same:
                return self.removal_requested(number)
            place.status = previous if status == "removed" else status
            told = {"propertyId": number, "status": place.status, "previous": previous}
            return [("property-status-change", told | ({"changed": False} if is_same else {}))]

        asked = {"propertyId": number, "status": status}
        self.ask("change-property-status", asked, self.attempt(model))

    def removal_requested(self, number: int) -> list[Event]:
        place = self.place(number)
        if place.status == "REMOVED":
            return []
        place.before_request, place.status = place.status, "REMOVED"
        cause = "requested-remove-property"
        return self.with_cause(number, "REMOVED", place.before_request, cause)

    @rule(number=PLACES)
    def remove_property(self, number: int) -> None:
        def model() -> list[Event]:
            told = self.with_cause(number, "REMOVED", self.place(number).status, "property-removed")
            return [*self.taken_away(number), *told]

        self.ask("remove-property", {"propertyId": number}, self.attempt(model))

    @rule(number=PLACES)
    def request_removal(self, number: int) -> None:
        told = self.attempt(self.removal_requested, number)
        self.ask("request-remove-property", {"propertyId": number}, told)

    @rule(number=PLACES)
    def approve_removal(self, number: int) -> None:
        def model() -> list[Event]:
            self.requested(number)
            told = self.with_cause(number, "REMOVED", "REMOVED", "approved-remove-property")
            return [*self.taken_away(number), *told]

        self.ask("approve-remove-property", {"propertyId": number}, self.attempt(model))

    @rule(number=PLACES)
    def deny_removal(self, number: int) -> None:
        def model() -> list[Event]:
            place = self.requested(number)
            place.status = place.before_request
            return self.with_cause(number, place.status, "REMOVED", "denied-remove-property")

        self.ask("deny-remove-property", {"propertyId": number}, self.attempt(model))

    @rule(number=PLACES)
    def restore_property(self, number: int) -> None:
        def model() -> list[Event]:
            if number in self.places:
                raise Refused("conflict")
            if number not in self.removed:
                raise Refused("not-found")
            place, devices = self.removed.pop(number)
            if place.status == "REMOVED":
                place.status = place.before_request
            self.places = dict(sorted({**self.places, number: place}.items()))
            self.devices |= devices
            status = place.status
            told = self.with_cause(number, status, "REMOVED", "property-restored")
            told[0][1]["status"] = status
            return told

        self.ask("restore-property", {"propertyId": number}, self.attempt(model))

    @rule(number=PLACES, kind=st.sampled_from([CAMERA, DRONE, DRONE, 9]))
    def add_equipment(self, number: int, kind: int) -> None:
        def model() -> list[Event]:
            self.place(number)
            if kind == 9:
                raise Refused("not-found")
            self.built += 1
            self.devices[self.built] = Device(number, kind)
            told = {"propertyId": number, "equipmentId": self.built}
            more = {"equipmentType": kind, "description": "d"}
            return [("property-equipment-change", told | more)]

        asked = {"propertyId": number, "equipmentType": kind, "description": "d"}
        self.ask("add-equipment", asked, self.attempt(model))

    @rule(number=PLACES, device=DEVICES)
    def remove_equipment(self, number: int, device: int) -> None:
        def model() -> list[Event]:
            self.place(number)
            if device not in self.devices:
                return []
            if self.devices[device].place != number:
                raise Refused("not-found")
            if device in self.out:
                raise Refused("conflict")
            del self.devices[device]
            told = {"propertyId": number, "equipmentId": device}
            return [("property-equipment-change", told)]

        asked = {"propertyId": number, "equipmentId": device}
        self.ask("remove-equipment", asked, self.attempt(model))

    @rule(number=PLACES)
    def dispatch(self, number: int) -> None:
        def model() -> list[Event]:
            self.place(number)
            free = [
                drone
                for drone, device in sorted(self.devices.items())
                if device == Device(number, DRONE) and drone not in self.out
            ]
            if not free:
                raise Refused("conflict")
            self.out.append(free[0])
            return [("drone-dispatched", {"propertyId": number, "droneId": free[0]})]

        self.ask("dispatch-drone", {"propertyId": number}, self.attempt(model))

    @rule(drone=DEVICES)
    def recall(self, drone: int) -> None:
        def model() -> list[Event]:
            if drone not in self.devices or self.devices[drone].kind != DRONE:
                raise Refused("not-found")
            if drone not in self.out:
                return []
            self.out.remove(drone)
            told = {"propertyId": self.devices[drone].place, "droneId": drone}
            return [("drone-recalled", told)]

        self.ask("recall-drone", {"droneId": drone}, self.attempt(model))

    # What must always agree.

    def listed(self, name: str, key: str, **data: object) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.runner.run(self.harness.ask(name, **data))[key]
        return rows

    @invariant()
    def the_answers_agree(self) -> None:
        shown = {
            number: {name: value for name, value in vars(place).items() if name != "before_request"}
            | {"id": number}
            for number, place in self.places.items()
        }
        assert self.listed("get-properties", "properties", limit=100) == list(shown.values())
        for status, query in [
            ("PENDING", "get-pending-properties"),
            ("REMOVED", "search-removal-properties"),
        ]:
            of_status = [row for row in shown.values() if row["status"].upper() == status]
            assert self.listed(query, "properties") == of_status
        drones = self.listed("get-dispatched-drones", "drones", limit=100)
        assert [int(drone["id"]) for drone in drones] == self.out

    @invariant()
    def the_rows_agree(self) -> None:
        rows = self.harness.dump()
        assert {row[0] for row in rows["properties"] if row[12] is None} == set(self.places)
        assert {row[0]: Device(row[1], row[2]) for row in rows["equipment"] if row[5] is None} == (
            self.devices
        )
        assert sorted(row[1] for row in rows["flights"] if row[5] is None) == sorted(self.out)
        waiting = {number for number, place in self.places.items() if place.status == "REMOVED"}
        assert {row[1] for row in rows["removals"] if row[6] is None} == waiting
        assert len(rows["journal"]) == self.told


TestProperties = PropertiesMachine.TestCase
TestProperties.settings = settings(max_examples=4, stateful_step_count=25, deadline=None)
