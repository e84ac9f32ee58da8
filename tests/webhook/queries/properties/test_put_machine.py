"""Random sequences with a script that puts, sells and removes properties by its own ids."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from tests.webhook.queries.test_machine import (
    PLACES,
    SMALL,
    Event,
    Place,
    PropertiesMachine,
    Refused,
)

HOUSES = st.sampled_from(["1", "2"])
PEOPLE = st.sampled_from(["o", "p", "q"])
GIVEN = {
    "location": st.sampled_from(["l0", "l1"]),
    "description": st.sampled_from(["", "d"]),
    "width": SMALL,
    "tier": st.integers(1, 4),
    "owner": PEOPLE,
    "status": st.sampled_from(["PENDING", "ACTIVE", "SOLD"]),
}
CORNER = st.fixed_dictionaries({"x": SMALL, "y": SMALL})
WHOLE = st.fixed_dictionaries(GIVEN | {"x": SMALL, "y": SMALL})
SENT = st.builds(dict.__or__, st.fixed_dictionaries({}, optional=GIVEN), CORNER | st.just({}))


def external_of(house: str) -> dict[str, Any]:
    return {"source": "ps-housing", "id": house}


@dataclass
class House(Place):
    external: dict[str, Any] = field(default_factory=dict)


class PutMachine(PropertiesMachine):
    """The model of the other machine, and which houses of a script are in it."""

    def __init__(self) -> None:
        super().__init__()
        self.houses: dict[int, str] = {}
        """The house that each property is or was."""
        self.owners: dict[int, str] = {}
        self.allowed: dict[int, set[str]] = {}

    def number_of(self, house: str) -> int | None:
        present = [number for number in self.places if self.houses.get(number) == house]
        return present[0] if present else None

    def ask(self, name: str, data: dict[str, Any], expected: list[Event] | Refused) -> Any:
        if isinstance(expected, list):
            for _, told in expected:
                house = self.houses.get(int(told["propertyId" if "propertyId" in told else "id"]))
                if house is not None:
                    told["external"] = external_of(house)
        return super().ask(name, data, expected)

    def given_to(self, number: int, owner: str, *, keep: bool = False) -> list[Event]:
        previous = self.owners.get(number, "o")
        if previous == owner:
            return []
        self.owners[number] = owner
        gone: list[Event] = []
        if not keep:
            gone = [
                ("allowed-users-changed", {"propertyId": number, "userId": user, "allowed": False})
                for user in sorted(self.allowed.pop(number, set()))
            ]
        told = {"propertyId": number, "owner": owner, "previous": previous}
        return [*gone, ("property-owner-change", told)]

    def with_status(self, number: int, status: str) -> list[Event]:
        place = self.places[number]
        previous, place.status = place.status, status
        if previous.upper() == status.upper():
            return []
        told = {"propertyId": number, "status": status, "previous": previous}
        return [("property-status-change", told)]

    def new(self, house: str, sent: dict[str, Any]) -> list[Event]:
        if not {"location", "x", "owner"} <= sent.keys():
            raise Refused("invalid-data")
        if sent.get("tier") == 4:
            raise Refused("not-found")
        self.added += 1
        shown: dict[str, Any] = {"tier": 1, "description": "", "width": 0} | sent
        owner, status = shown.pop("owner"), shown.pop("status", "PENDING")
        self.places[self.added] = House(**shown, external=external_of(house))
        self.houses[self.added], self.owners[self.added] = house, owner
        del shown["width"]
        told = {"id": self.added, "owner": owner, "clientId": owner} | shown
        return [("property-added", told), *self.with_status(self.added, status)]

    def differing(self, number: int, sent: dict[str, Any]) -> list[Event]:
        place = self.places[number]
        changed = {
            name: value
            for name, value in sent.items()
            if name in vars(place) and getattr(place, name) != value
        }
        if changed.get("tier") == 4:
            raise Refused("not-found")
        status = changed.pop("status", None)
        vars(place).update(changed)
        size = {"width": place.width, "height": place.height, "size": place.width * place.height}
        text: dict[str, Any] = {
            name: changed[name] for name in ("location", "description") if name in changed
        }
        told: list[tuple[str, dict[str, Any], bool]] = [
            ("property-size-changed", size, "width" in changed),
            (
                "property-coordinates-changed",
                {"x": place.x, "y": place.y},
                bool({"x", "y"} & changed.keys()),
            ),
            ("property-details-changed", text, bool(text)),
            ("property-tier-changed", {"tier": place.tier}, "tier" in changed),
        ]
        events: list[Event] = [
            (name, {"propertyId": number} | data) for name, data, differs in told if differs
        ]
        events += self.given_to(number, sent.get("owner", self.owners.get(number, "o")))
        if status is not None:
            events += self.with_status(number, status)
        elif place.status == "REMOVED":
            place.status = place.before_request
            events += self.with_cause(number, place.status, "REMOVED", "withdrawn-remove-property")
        return events

    @initialize(sent=WHOLE)
    def begin(self, sent: dict[str, Any]) -> None:
        """Have a house and a property that is none, so that more than errors comes of the rest."""
        self.add_property(1, 0)
        self.put("1", sent | {"tier": 1})

    @rule(house=HOUSES, sent=SENT | WHOLE)
    def put(self, house: str, sent: dict[str, Any]) -> None:
        known = self.number_of(house)
        expected = (
            self.attempt(self.new, house, sent)
            if known is None
            else self.attempt(self.differing, known, sent)
        )
        answer = self.ask("put-property", {"external": external_of(house)} | sent, expected)
        if isinstance(expected, list):
            assert answer == {
                "success": True,
                "id": self.added if known is None else known,
                "added": known is None,
                "changed": bool(expected),
            }

    @rule(number=PLACES, house=HOUSES)
    def become_a_house(self, number: int, house: str) -> None:
        def model() -> list[Event]:
            known = self.number_of(house)
            if known == number:
                return self.differing(number, {})
            place = self.place(number)
            if known is not None or number in self.houses:
                raise Refused("conflict")
            shown = {name: value for name, value in vars(place).items() if name != "external"}
            self.places[number] = House(**shown, external=external_of(house))
            self.houses[number] = house
            return self.differing(number, {})

        asked = {"external": external_of(house), "propertyId": number}
        self.ask("put-property", asked, self.attempt(model))

    @rule(house=HOUSES)
    def remove_house(self, house: str) -> None:
        def model() -> list[Event]:
            number = self.number_of(house)
            if number is None:
                raise Refused("not-found")
            place = self.places[number]
            if place.status == "REMOVED":
                return []
            place.before_request, place.status = place.status, "REMOVED"
            before = place.before_request
            return self.with_cause(number, "REMOVED", before, "requested-remove-property")

        asked = {"external": external_of(house)}
        self.ask("request-remove-property", asked, self.attempt(model))

    @rule(number=PLACES)
    def restore_property(self, number: int) -> None:
        taken = number in self.removed and self.number_of(self.houses.get(number, "")) is not None
        if taken:
            self.ask("restore-property", {"propertyId": number}, Refused("conflict"))
        else:
            super().restore_property(number)

    @rule(number=PLACES, owner=PEOPLE, keep=st.booleans())
    def sell(self, number: int, owner: str, keep: bool) -> None:
        def model() -> list[Event]:
            self.place(number)
            return self.given_to(number, owner, keep=keep)

        asked = {"propertyId": number, "owner": owner, "keepAllowed": keep}
        self.ask("change-property-owner", asked, self.attempt(model))

    @rule(number=PLACES, user=PEOPLE)
    def allow(self, number: int, user: str) -> None:
        def model() -> list[Event]:
            self.place(number)
            if user in self.allowed.setdefault(number, set()):
                return []
            self.allowed[number].add(user)
            told = {"propertyId": number, "userId": user, "allowed": True}
            return [("allowed-users-changed", told)]

        asked = {"propertyId": number, "userId": user}
        self.ask("add-allowed-user", asked, self.attempt(model))

    @invariant()
    def the_houses_agree(self) -> None:
        for house in ("1", "2"):
            asked = {"external": external_of(house)}
            frame = self.runner.run(self.harness.frame("queries.get-property-detailed", asked))
            number = self.number_of(house)
            if number is None:
                assert frame["data"]["code"] == "not-found"
                continue
            assert frame["data"]["id"] == number
            assert frame["data"]["owner"] == self.owners.get(number, "o")
            allowed = self.runner.run(self.harness.ask("get-allowed-users", **asked))
            assert set(allowed["allowedUsers"]) == self.allowed.get(number, set())


TestHouses = PutMachine.TestCase
TestHouses.settings = settings(max_examples=4, stateful_step_count=25, deadline=None)
