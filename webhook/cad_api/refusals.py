"""Why the CAD did not do what was asked, as one word that people then read as a sentence."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from webhook.cad.events.units import OFFLINE, UNIT_STATUS
from webhook.cad.events.values import choice
from webhook.cad_api.client import number_of
from webhook.cad_api.transport import ApiAnswer

_PLAN = re.compile(r"version (?:pro|plus)|required plan|subscription|\bplan\b", re.IGNORECASE)
_SERVER = re.compile(r"server", re.IGNORECASE)


class Refusal(NamedTuple):
    """A word for why, and the CAD's own text about it."""

    why: str
    detail: str = ""


Read = Callable[[str, Mapping[str, Any]], Awaitable[ApiAnswer | None]]
"""Asks the CAD for something on the way; None: there is no answer, or it would take waiting."""


async def refusal_of(read: Read, kind: str, body: Mapping[str, Any], answer: ApiAnswer) -> Refusal:
    """Say why an answer is a refusal; for members it is found out whether they have a unit."""
    status, detail = answer.status, answer.detail
    if status == 401:
        return Refusal("key")
    if status == 402 or (status in (400, 403) and _PLAN.search(detail)):
        return Refusal("plan", detail)
    if status == 403:
        return Refusal("forbidden", detail)
    if status == 404 and _SERVER.search(detail):
        return Refusal("server", detail)
    if "discord" in body:
        found = await unit_of(read, body["discord"])
        if isinstance(found, Refusal):
            return found
        if found and status == 404 and kind == "attach":
            return Refusal("no-call")
    if status == 404:
        return Refusal("no-call", detail)
    return Refusal("refused", detail)


async def unit_of(read: Read, member: str) -> list[int] | Refusal:
    """Return the units of a member that are on duty; empty if that cannot be found out."""
    account = await read("account", {"discord": member})
    if account is None:
        return []
    if account.status in (400, 404):
        return Refusal("unlinked")
    uuid = account.data.get("uuid") if isinstance(account.data, dict) else None
    if not account.is_good or not isinstance(uuid, str) or not re.fullmatch(r"[\w-]{1,64}", uuid):
        return []
    listed = await read("account-units", {"uuid": uuid})
    if listed is None or not (listed.is_good or listed.status == 404):
        return []
    units = listed.data
    if isinstance(units, dict):
        units = units.get("Units", units.get("units"))
    idents = [_on_duty(unit) for unit in units] if isinstance(units, list) else []
    return [ident for ident in idents if ident is not None] or Refusal("no-unit")


def _on_duty(unit: Any) -> int | None:
    """Return the number of a unit that is on duty."""
    if not isinstance(unit, dict) or choice(unit.get("status"), UNIT_STATUS) == OFFLINE:
        return None
    return number_of(unit.get("id"))
