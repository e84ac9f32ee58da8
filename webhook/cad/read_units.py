"""From the data of a push to the events of units.

Each reader takes one data object of a push and returns the events in it.
"""

from collections.abc import Callable, Iterator
from typing import Any

from webhook.cad import fields
from webhook.cad.events import CadEvent, InvalidPush
from webhook.cad.fields import Members
from webhook.cad.units import (
    UNITS_PER_EVENT,
    Unit,
    UnitGroupAdd,
    UnitGroupRemove,
    UnitGroupRename,
    UnitLogin,
    UnitLogout,
    UnitPanic,
    UnitStatus,
    UnitUpdate,
)

_STATUS = {
    0: "UNAVAILABLE",
    1: "BUSY",
    2: "AVAILABLE",
    3: "ENROUTE",
    4: "ON_SCENE",
    100: "OFFLINE",
}
_STATUS_CODES = {name: code for code, name in _STATUS.items()}
_PAGE = {-1: "UNKNOWN", 0: "POLICE", 1: "FIRE", 2: "EMS", 3: "DISPATCH"}


def unit_login(data: Members) -> list[CadEvent]:
    """EVENT_UNIT_LOGIN; before 2021-04 it listed units, then had the id beside the unit."""
    if data.get("unit") is None:
        units = _required_units(data)
    else:
        entry = fields.members(data["unit"], "unit")
        unit_id = fields.optional_id(entry, "id")
        if unit_id is None:
            unit_id = fields.optional_id(data, "id")
        if unit_id is None:
            raise InvalidPush("unit.id: missing")
        units = [_unit(entry, unit_id)]
    beside = fields.flag(data.get("isDispatch"))
    self_dispatch = fields.flag(data.get("selfDispatch")) or False
    return [
        UnitLogin(
            unit=unit if beside is None else unit.model_copy(update={"is_dispatch": beside}),
            is_dispatch=unit.is_dispatch if beside is None else beside,
            self_dispatch=self_dispatch,
        )
        for unit in units
    ]


def unit_logout(data: Members) -> list[CadEvent]:
    """EVENT_UNIT_LOGOUT; before 2021-04 it listed units."""
    found = required_idents(data)
    return [UnitLogout(idents=found)] if found else []


def unit_status(data: Members) -> list[CadEvent]:
    """EVENT_UNIT_STATUS: units with a status each win over ids with a common one."""
    if data.get("units") is not None:
        return list(_status_of_units(data))
    found = required_idents(data)
    status = fields.choice(data.get("status"), _STATUS)
    if status is None:
        raise InvalidPush("status: missing or no status")
    code = _status_code(data["status"], status)
    return [UnitStatus(idents=found, status=status, status_code=code)] if found else []


def unit_update(data: Members) -> list[CadEvent]:
    """EVENT_UNIT_UPDATE."""
    return [UnitUpdate(units=units) for units in _batches(_required_units(data))]


def unit_panic(data: Members) -> list[CadEvent]:
    """EVENT_UNIT_PANIC; before 3.21.0 it did not say on or off, and ON is the safe reading."""
    found = required_idents(data)
    is_panic = fields.flag(data.get("isPanic")) is not False
    return [UnitPanic(idents=found, is_panic=is_panic)] if found else []


def group_add(data: Members) -> list[CadEvent]:
    """EVENT_UNIT_GROUP_ADD."""
    found, name = required_idents(data), fields.line(data.get("groupName"))
    return [UnitGroupAdd(idents=found, group_name=name)] if found else []


def group_remove(data: Members) -> list[CadEvent]:
    """EVENT_UNIT_GROUP_REMOVE."""
    found, name = required_idents(data), fields.line(data.get("groupName"))
    return [UnitGroupRemove(idents=found, group_name=name)] if found else []


def group_rename(data: Members) -> list[CadEvent]:
    """EVENT_UNIT_GROUP_CHANGE_NAME; a group without members can be renamed too."""
    if data.get("oldName") is None and data.get("newName") is None:
        raise InvalidPush("newName: missing")
    return [
        UnitGroupRename(
            idents=idents(data) or [],
            old_name=fields.line(data.get("oldName")),
            new_name=fields.line(data.get("newName")),
        )
    ]


def idents(data: Members) -> list[int] | None:
    """Read which units are meant: by id under any of the names, or (until 2021-04) in full."""
    found = fields.ids(data, "idents", "identIds", "ident", "identId")
    if found is None and data.get("units") is not None:
        return [unit_id for unit_id, _ in _entries(data["units"])]
    return found


def required_idents(data: Members) -> list[int]:
    """Read which units are meant.

    Raises:
        InvalidPush: nothing says it.
    """
    found = idents(data)
    if found is None:
        raise InvalidPush("identIds: missing")
    return found


def _required_units(data: Members) -> list[Unit]:
    if data.get("units") is None:
        raise InvalidPush("units: missing")
    return [_unit(entry, unit_id) for unit_id, entry in _entries(data["units"])]


def _entries(units: object) -> list[tuple[int, Members]]:
    """List the units of a push by id, without those that have none; the last of two counts."""
    if not isinstance(units, list | dict):
        raise InvalidPush("units: not a list")
    found: dict[int, Members] = {}
    for item in [units] if isinstance(units, dict) else units:
        if item is not None:
            entry = fields.members(item, "units")
            unit_id = fields.optional_id(entry, "id")
            if unit_id is not None:
                found[unit_id] = entry
    if len(found) > fields.MAX_IDS:
        raise InvalidPush(f"units: more than {fields.MAX_IDS}")
    return list(found.items())


def _status_of_units(data: Members) -> Iterator[UnitStatus]:
    by_status: dict[tuple[str, int | None], list[Unit]] = {}
    common = fields.choice(data.get("status"), _STATUS)
    for unit in _required_units(data):
        if unit.status:
            by_status.setdefault((unit.status, unit.status_code), []).append(unit)
        elif common is not None:
            code = _status_code(data["status"], common)
            by_status.setdefault((common, code), []).append(unit)
        else:
            raise InvalidPush("units.status: missing or no status")
    for (status, code), units in by_status.items():
        for some in _batches(units):
            known = [unit.id for unit in some]
            yield UnitStatus(idents=known, status=status, status_code=code, units=some)


def _batches(units: list[Unit]) -> Iterator[list[Unit]]:
    for start in range(0, len(units), UNITS_PER_EVENT):
        yield units[start : start + UNITS_PER_EVENT]


def _unit(entry: Members, unit_id: int) -> Unit:
    data = entry.get("data")
    inner: Members = data if isinstance(data, dict) else {}
    known: dict[str, Any] = {"id": unit_id}
    for place, readers in ((entry, _READERS), (inner, _INNER_READERS)):
        for name, read in readers.items():
            value = place.get(name)
            if value is not None and (found := read(value)) is not None:
                known[name] = found
    if "status" in known:
        known["statusCode"] = _status_code(entry["status"], known["status"])
    point = fields.coordinates(entry.get("coordinates")) or fields.coordinates(
        entry.get("location")
    )
    if point is not None:
        known["coordinates"] = point
    if whose := fields.identities(inner, entry):
        known["identities"] = whose
    return Unit.model_validate(known)


def _status_code(value: object, status: str) -> int | None:
    code = fields.code(value)
    return _STATUS_CODES.get(status) if code is None else code


def _short(value: object) -> str:
    return fields.line(value, fields.CODE_LIMIT)


_READERS: dict[str, Callable[[object], Any]] = {
    "accId": _short,
    "status": lambda value: fields.choice(value, _STATUS),
    "isPanic": fields.flag,
    "isDispatch": fields.flag,
    "location": fields.location,
    "aop": fields.line,
}
_INNER_READERS: dict[str, Callable[[object], Any]] = {
    "unitNum": _short,
    "name": fields.line,
    "department": fields.line,
    "subdivision": fields.line,
    "rank": fields.line,
    "district": fields.line,
    "group": fields.line,
    "page": lambda value: fields.choice(value, _PAGE),
}
