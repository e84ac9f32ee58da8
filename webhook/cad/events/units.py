"""Units: who is on duty, what they are doing, and who is in danger.

The number in every `idents` is the id of a unit's identifier; one account may have several.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Annotated, Self

from pydantic import Field

from webhook.cad.events import ids, positions, values
from webhook.cad.events.event import (
    CadEvent,
    Coordinates,
    InvalidPush,
    Members,
    Partial,
    PlaceholderId,
    ReadBy,
    ReadFrom,
    note_skipped,
)
from webhook.cad.events.fields import Code, Flag, Line, Location
from webhook.cad.events.registry import cad_event

UNITS_PER_EVENT = 32
"""A push about more units than this becomes several events, so that none grows without bound."""

OFFLINE = "OFFLINE"
UNIT_STATUS = {
    0: "UNAVAILABLE",
    1: "BUSY",
    2: "AVAILABLE",
    3: "ENROUTE",
    4: "ON_SCENE",
    100: OFFLINE,
}
_STATUS_CODES = {name: code for code, name in UNIT_STATUS.items()}
_PAGE = {-1: "UNKNOWN", 0: "POLICE", 1: "FIRE", 2: "EMS", 3: "DISPATCH"}
_BESIDE_DATA = ("accId", "status", "isPanic", "isDispatch", "location", "aop")
"""The members of a unit that are not in its `data`."""


_IDENTS = ("idents", "identIds", "ident", "identId")


def read_idents(data: Members) -> list[int] | None:
    """Read the ids of the units in a push; until 2021-04 it listed the units in full."""
    found = ids.collect(data, *_IDENTS)
    if found is None and data.get("units") is not None:
        return [unit_id for unit_id, _ in _entries(data["units"])]
    return found


def optional_idents(data: Members) -> list[int] | None:
    """Read the ids of units in a push that is about something else."""
    if any(data.get(name) is not None for name in _IDENTS) or data.get("units") is None:
        return ids.collect_optional(data, *_IDENTS)
    try:
        return read_idents(data)
    except ids.NoId:
        return []


def required_idents(data: Members) -> list[int]:
    """Read the ids of the units in a push.

    Raises:
        InvalidPush: there are none.
    """
    found = read_idents(data)
    if found is None:
        raise InvalidPush("identIds: missing")
    return found


def _entries(units: object) -> Iterable[tuple[int, Members]]:
    """Return the units of a push by id; the last of two counts.

    A number is the unit of that id, of which nothing else is said. What has no id is skipped.
    """
    found: dict[int, Members] = {}
    given = values.items(units)
    for item in given:
        entry = item if isinstance(item, dict) else {"id": item}
        unit_id = ids.optional_id(entry, "id")
        if unit_id is not None:
            found[unit_id] = entry
    if len(found) > ids.MAX_IDS:
        raise InvalidPush(f"units: more than {ids.MAX_IDS}")
    if not found and any(not isinstance(item, dict) and item is not None for item in given):
        raise ids.NoId("units")
    return found.items()


Idents = Annotated[list[int], ReadFrom(required_idents)]
"""The ids of the units that an event is about."""


class UnitReport(Partial):
    """One unit, as far as the push describes it.

    `status` is the CAD's own name of it (communities rename what people see), or the number as
    text if it is one of their own; `status_code` is that number.
    """

    id: int
    acc_id: Code = ""
    unit_num: Code = ""
    name: Line = ""
    department: Line = ""
    subdivision: Line = ""
    rank: Line = ""
    district: Line = ""
    group: Line = ""
    page: Annotated[str, ReadBy(partial(values.choice, names=_PAGE))] = ""
    status: Annotated[str, ReadBy(partial(values.choice, names=UNIT_STATUS))] = ""
    status_code: int | None = None
    is_panic: Flag = False
    is_dispatch: Flag = False
    location: Location = ""
    aop: Line = ""
    coordinates: Coordinates | None = None
    identities: list[str] = Field(default_factory=list)

    @classmethod
    def read(cls, entry: Members, unit_id: int) -> Self:
        data = entry.get("data")
        inner: Members = data if isinstance(data, dict) else {}
        found = cls.read_members({**inner, **{name: entry.get(name) for name in _BESIDE_DATA}})
        if "status" in found:
            found["statusCode"] = _status_code(entry["status"], found["status"])
        places = (entry.get("coordinates"), entry.get("location"))
        if points := [point for place in places if (point := positions.coordinates(place))]:
            found["coordinates"] = points[0]
        if whose := ids.identities(inner, entry):
            found["identities"] = whose
        return cls.model_validate({"id": unit_id, **found})


class UnitsEvent(CadEvent):
    """Something happened to units; a push about none of them is no event."""

    idents: Idents


@cad_event("EVENT_UNIT_LOGIN", feed="units", on_board=True)
class UnitLogin(CadEvent):
    """A unit or a dispatcher went on duty.

    sonoran-wire: one unit per push since 2021-04. Before, a push listed units, then had the id
    beside the unit.
    """

    unit: UnitReport
    is_dispatch: Flag = False
    self_dispatch: Flag = False

    @classmethod
    def read(cls, data: Members) -> list[Self]:
        if data.get("unit") is None:
            units = _required_units(data)
        else:
            entry = values.members(data["unit"], "unit")
            unit_id = ids.optional_id(entry, "id")
            if unit_id is None:
                unit_id = ids.optional_id(data, "id")
            if unit_id is None and values.is_placeholder(entry.get("id")):
                raise PlaceholderId("unit.id")
            if unit_id is None:
                raise InvalidPush("unit.id: missing")
            units = [UnitReport.read(entry, unit_id)]
        return [cls.model_validate(cls._of_unit(unit, cls.read_members(data))) for unit in units]

    @staticmethod
    def _of_unit(unit: UnitReport, beside: Members) -> Members:
        """`isDispatch` may be in the unit or beside it, where it counts more."""
        if "isDispatch" not in beside:
            return {**beside, "unit": unit, "isDispatch": unit.is_dispatch}
        return {**beside, "unit": unit.model_copy(update={"is_dispatch": beside["isDispatch"]})}


@cad_event("EVENT_UNIT_LOGOUT", feed="units", on_board=True)
class UnitLogout(UnitsEvent):
    """Units went off duty (sonoran-wire: before 2021-04 a push listed them in full)."""


@cad_event("EVENT_UNIT_STATUS", feed="units", on_board=True)
class UnitStatus(UnitsEvent):
    """Units have a new status, all of them the same one.

    `units` has what else the push had of them, and is empty if it only had their ids. In a push,
    units with a status each win over ids with a common one.
    """

    status: str
    status_code: int | None = None
    units: list[UnitReport] = Field(default_factory=list)

    @classmethod
    def read(cls, data: Members) -> list[Self]:
        events = list(cls._of_units(data)) if data.get("units") is not None else None
        if events or (events == [] and ids.collect(data, *_IDENTS) is None):
            return events
        idents = required_idents(data)
        status = values.choice(data.get("status"), UNIT_STATUS)
        if status is None:
            raise InvalidPush("status: missing or no status")
        code = _status_code(data["status"], status)
        return [cls(idents=idents, status=status, status_code=code)] if idents else []

    @classmethod
    def _of_units(cls, data: Members) -> Iterator[Self]:
        by_status: dict[tuple[str, int | None], list[UnitReport]] = {}
        common = values.choice(data.get("status"), UNIT_STATUS)
        units = _required_units(data)
        for unit in units:
            if unit.status:
                by_status.setdefault((unit.status, unit.status_code), []).append(unit)
            elif common is not None:
                code = _status_code(data["status"], common)
                by_status.setdefault((common, code), []).append(unit)
            else:
                note_skipped("units.status")
        if units and not by_status:
            raise InvalidPush("units.status: missing or no status")
        for (status, code), alike in by_status.items():
            for batch in _batches(alike):
                idents = [unit.id for unit in batch]
                yield cls(idents=idents, status=status, status_code=code, units=batch)


@cad_event("EVENT_UNIT_UPDATE", feed="units", on_board=True)
class UnitUpdate(CadEvent):
    """Units changed in some way (sonoran-wire: undocumented, pushed since 2026-07)."""

    units: list[UnitReport]

    @classmethod
    def read(cls, data: Members) -> list[Self]:
        units = _required_units(data)
        described = [unit for unit in units if unit.changes()]
        if units and not described:
            raise InvalidPush("units: nothing but ids")
        return [cls(units=batch) for batch in _batches(described)]


@cad_event("EVENT_UNIT_PANIC", card="panic", names_card=True, on_board=True)
class UnitPanic(UnitsEvent):
    """Units pressed or released the panic button.

    Before 3.21.0 a push did not have `isPanic`, and pressed is the safe reading.
    """

    is_panic: Flag = True


@cad_event("EVENT_UNIT_GROUP_ADD", feed="units")
class UnitGroupAdd(UnitsEvent):
    """Units joined a group."""

    group_name: Line = ""


@cad_event("EVENT_UNIT_GROUP_REMOVE", feed="units")
class UnitGroupRemove(UnitsEvent):
    """Units left a group."""

    group_name: Line = ""


@cad_event("EVENT_UNIT_GROUP_CHANGE_NAME", feed="units")
class UnitGroupRename(CadEvent):
    """A group has a new name (sonoran-wire: since 2023-05); `idents` are its members, if any."""

    any_of = ("newName", "oldName")

    idents: Annotated[list[int], ReadFrom(optional_idents)] = Field(default_factory=list)
    old_name: Line = ""
    new_name: Line = ""


def _required_units(data: Members) -> list[UnitReport]:
    if data.get("units") is None:
        raise InvalidPush("units: missing")
    return [UnitReport.read(entry, unit_id) for unit_id, entry in _entries(data["units"])]


def _batches(units: list[UnitReport]) -> Iterator[list[UnitReport]]:
    for start in range(0, len(units), UNITS_PER_EVENT):
        yield units[start : start + UNITS_PER_EVENT]


def _status_code(value: object, status: str) -> int | None:
    code = values.code(value)
    return _STATUS_CODES.get(status) if code is None else code
