"""The community's own names of statuses and codes, as the configuration has them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from webhook.cad.events.calls import CALL_STATUS
from webhook.cad.events.units import UNIT_STATUS


@dataclass(frozen=True)
class StatusNames:
    """Names by the CAD's word or number, in any case: of unit statuses, call statuses, codes.

    `calls` also has the statuses of custom layouts by their ids.
    """

    units: Mapping[str, str] = field(default_factory=dict)
    calls: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, units: Mapping[str, str], calls: Mapping[str, str], codes: Mapping[str, str]
    ) -> Self:
        """Make the names of a configuration, in which a status may be a word or its number."""
        return cls(_by_word(units, UNIT_STATUS), _by_word(calls, CALL_STATUS), _by_word(codes, {}))

    def unit(self, status: str) -> str:
        """Return the name of a unit's status; blank if the community has none."""
        return self.units.get(_folded(status), "")

    def call(self, status: str, status_id: str = "") -> str:
        """Return the name of a call's status, first of the one of its layout."""
        return self.calls.get(_folded(status_id), "") or self.calls.get(_folded(status), "")

    def code(self, code: str) -> str:
        return self.codes.get(_folded(code), "")

    def add_to(self, data: dict[str, Any]) -> None:
        """Add the names to the data of an event: `statusName` and `codeName` where they exist."""
        is_call = "callId" in data
        status, status_id = data.get("status") or "", data.get("statusId") or ""
        name = self.call(status, status_id) if is_call else self.unit(status)
        if name:
            data["statusName"] = name
        if is_call and (name := self.code(data.get("code") or "")):
            data["codeName"] = name
        for unit in [data.get("unit"), *(data.get("units") or [])]:
            if isinstance(unit, dict) and (name := self.unit(unit.get("status") or "")):
                unit["statusName"] = name


def _by_word(names: Mapping[str, str], words: Mapping[int, str]) -> dict[str, str]:
    found = {_folded(key): name for key, name in names.items()}
    for number, word in words.items():
        if str(number) in found:
            found.setdefault(_folded(word), found[str(number)])
    return found


def _folded(word: str) -> str:
    return "_".join(word.casefold().split())
