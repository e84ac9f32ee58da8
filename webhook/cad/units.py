"""Units: who is on duty, what they are doing, and who is in danger.

The number in every `idents` is the id of a unit's identifier; one account may have several.
"""

from pydantic import Field

from webhook.cad.events import CadEvent, Coordinates, Partial
from webhook.cad.registry import cad_event

UNITS_PER_EVENT = 32
"""A push about more units than this becomes several events, so that none grows without bound."""


class Unit(Partial):
    """One unit, as far as the push describes it.

    `status` is the CAD's own name of it (communities rename what people see), or the number as
    text if it is one of their own; `status_code` is that number.
    """

    id: int
    acc_id: str = ""
    unit_num: str = ""
    name: str = ""
    department: str = ""
    subdivision: str = ""
    rank: str = ""
    district: str = ""
    group: str = ""
    page: str = ""
    status: str = ""
    status_code: int | None = None
    is_panic: bool = False
    is_dispatch: bool = False
    location: str = ""
    aop: str = ""
    coordinates: Coordinates | None = None
    identities: list[str] = Field(default_factory=list)


@cad_event("EVENT_UNIT_LOGIN", feed="units", on_board=True)
class UnitLogin(CadEvent):
    """A unit or a dispatcher went on duty (sonoran-wire: one unit per push since 2021-04)."""

    unit: Unit
    is_dispatch: bool = False
    self_dispatch: bool = False


@cad_event("EVENT_UNIT_LOGOUT", feed="units", on_board=True)
class UnitLogout(CadEvent):
    """Units went off duty."""

    idents: list[int]


@cad_event("EVENT_UNIT_STATUS", feed="units", on_board=True)
class UnitStatus(CadEvent):
    """Units have a new status, all of them the same one.

    `units` has what else the push said of them, and is empty if it only had their ids.
    """

    idents: list[int]
    status: str
    status_code: int | None = None
    units: list[Unit] = Field(default_factory=list)


@cad_event("EVENT_UNIT_UPDATE", feed="units", on_board=True)
class UnitUpdate(CadEvent):
    """Units changed in some way (sonoran-wire: undocumented, pushed since 2026-07)."""

    units: list[Unit]


@cad_event("EVENT_UNIT_PANIC", card="panic", names_card=True, on_board=True)
class UnitPanic(CadEvent):
    """Units pressed or released the panic button."""

    idents: list[int]
    is_panic: bool = True


@cad_event("EVENT_UNIT_GROUP_ADD", feed="units")
class UnitGroupAdd(CadEvent):
    """Units joined a group."""

    idents: list[int]
    group_name: str = ""


@cad_event("EVENT_UNIT_GROUP_REMOVE", feed="units")
class UnitGroupRemove(CadEvent):
    """Units left a group."""

    idents: list[int]
    group_name: str = ""


@cad_event("EVENT_UNIT_GROUP_CHANGE_NAME", feed="units")
class UnitGroupRename(CadEvent):
    """A group has a new name (sonoran-wire: since 2023-05); `idents` are its members."""

    idents: list[int] = Field(default_factory=list)
    old_name: str = ""
    new_name: str = ""
