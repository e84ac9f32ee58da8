"""`cad-sentinel simulate`: an invented evening in Los Santos, played to a running instance.

Everything in it says that it is a drill. What it leaves behind is told at the end.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.client import InstanceClient, InstanceError, InstanceUnavailable
from webhook.protocol.wire import clean_text

DRILL = "SIMULATION"
"""Stands in every text that is played, so that nobody sends real help."""

UNITS = 3
SHOWN = 300

Say = Callable[[str], None]
"""Takes one line for the person at the terminal."""


_POLICE, _DISPATCHER = 0, 3
_CAMERA, _BADGE_READER, _DRONE = 1, 2, 3
_AVAILABLE, _ENROUTE, _ON_SCENE = 2, 3, 4
_PENDING, _ACTIVE = 0, 1
_NOBODY = -1


@dataclass(frozen=True)
class Known:
    """A place in a step's data for a number that is known only once the evening is played."""

    name: str


@dataclass(frozen=True)
class Push:
    """What the CAD pushes."""

    type: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Ask:
    """What a script in the game asks; `keep` says where its answer has numbers for later steps."""

    query: str
    data: dict[str, Any] = field(default_factory=dict)
    keep: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One thing that happens: after so many seconds, told like this, seen in this channel.

    `look` may name known numbers in braces; an empty channel means that Discord shows nothing.
    """

    after: float
    does: Push | Ask
    told: str
    channel: str = ""
    look: str = ""


class _Refused(Exception):
    """A step that could not be done; the text says why."""


def drill_numbers(milliseconds: int) -> dict[str, int]:
    """Return the numbers of calls and units for an evening that starts at this time.

    A call's number is the time itself in milliseconds since 1970, and a unit's that followed by
    one more digit: thirteen and fourteen digits, where a CAD counts up from 1, and another number
    for every evening. All of them are exact in the doubles of JavaScript and Lua.
    """
    units = {f"unit {place}": milliseconds * 10 + place for place in range(1, UNITS + 1)}
    return {"emergency": milliseconds, "dispatch": milliseconds} | units


def _unit(place: int, number: str, name: str, department: str, page: int) -> dict[str, Any]:
    return {
        "id": Known(f"unit {place}"),
        "status": _AVAILABLE,
        "isPanic": False,
        "location": "Mission Row / Sinner St",
        "data": {
            "unitNum": number,
            "name": f"{name} ({DRILL})",
            "department": department,
            "page": page,
        },
    }


def _login(place: int, number: str, name: str, department: str, page: int) -> Push:
    unit = _unit(place, number, name, department, page)
    return Push("EVENT_UNIT_LOGIN", {"unit": unit, "isDispatch": page == _DISPATCHER})


def _status(place: int, status: int) -> Push:
    return Push("EVENT_UNIT_STATUS", {"identIds": [Known(f"unit {place}")], "status": status})


def _attach(place: int) -> Push:
    return Push(
        "EVENT_DISPATCH_UNIT_ATTACH",
        {"callId": Known("dispatch"), "idents": [Known(f"unit {place}")]},
    )


def _note(clock: str, label: str, content: str) -> Push:
    note = {"time": clock, "label": label, "type": "text", "content": f"{DRILL}: {content}"}
    return Push("EVENT_DISPATCH_NOTE", {"callId": Known("dispatch"), "note": note})


def _panic(*, is_panic: bool) -> Push:
    return Push("EVENT_UNIT_PANIC", {"identIds": [Known("unit 2")], "isPanic": is_panic})


def _call(status: int, priority: int, code: str, primary: Known | int = _NOBODY) -> dict[str, Any]:
    return {
        "callId": Known("dispatch"),
        "origin": 0,
        "status": status,
        "priority": priority,
        "block": "804",
        "address": "Innocence Blvd / Strawberry Ave",
        "postal": "8041",
        "title": f"{DRILL} - Armed robbery",
        "code": code,
        "description": f"{DRILL} - two masked men in the 24/7, one with a pump shotgun",
        "notes": "",
        "primary": primary,
        "metaData": {"origin911": Known("emergency"), "postal": "8041"},
    }


def _equip(kind: int, description: str, keep: str = "") -> Ask:
    return Ask(
        "add-equipment",
        {
            "propertyId": Known("property"),
            "equipmentType": kind,
            "description": f"{DRILL}: {description}",
        },
        {keep: ("id",)} if keep else {},
    )


def _person(user: str, full_name: str) -> Ask:
    return Ask("add-user", {"userId": user, "fullName": f"{full_name} ({DRILL})"})


def _at_villa(query: str, user: str, **more: Any) -> Ask:
    return Ask(query, {"propertyId": Known("property"), "userId": user, **more})


_OWNER = "simulation:vivian-castellane"
_VISITOR = "simulation:tomas-okafor"
_BURGLAR = "simulation:rex-dillard"

EVENING: tuple[Step, ...] = (
    # The shift begins.
    Step(
        0,
        _login(1, "D-7", "Noor Halvorsen", "LS Communications", _DISPATCHER),
        "dispatcher D-7 comes on duty",
        "units",
        "D-7 on duty",
    ),
    Step(
        3,
        _login(2, "1-A-12", "Marcus Teller", "LSPD", _POLICE),
        "patrol 1-A-12 comes on duty in Mission Row",
        "units",
        "1-A-12 on duty",
    ),
    Step(
        3,
        _login(3, "3-S-31", "June Alvarado", "BCSO", _POLICE),
        "patrol 3-S-31 comes on duty in Sandy Shores",
        "units",
        "3-S-31 on duty",
    ),
    # A villa gets its protection.
    Step(
        4,
        Ask("get-tiers", {}, {"tier": ("tiers", 0, "id")}),
        "the installers ask which tiers are on offer",
    ),
    Step(1, _person(_OWNER, "Vivian Castellane"), "Vivian Castellane signs a contract"),
    Step(
        2,
        Ask(
            "add-property",
            {
                "location": f"{DRILL}: villa, 3655 Wild Oats Dr, Vinewood Hills",
                "tier": Known("tier"),
                "x": -174,
                "y": 502,
                "width": 40,
                "height": 25,
                "description": f"{DRILL}: two storeys, pool, private drive",
                "clientId": _OWNER,
            },
            {"property": ("id",)},
        ),
        "her villa in Vinewood Hills is added",
        "approvals",
        "property {property}, pending",
    ),
    Step(
        4,
        Ask("change-property-status", {"propertyId": Known("property"), "status": "ACTIVE"}),
        "the villa is approved",
        "properties",
        "the status of {property}: PENDING to ACTIVE; in approvals its card is settled",
    ),
    Step(
        2,
        _equip(_CAMERA, "camera at the gate", "camera"),
        "a camera goes up at the gate",
        "properties",
        "camera {camera} added",
    ),
    Step(
        1,
        _equip(_CAMERA, "camera over the pool"),
        "another one over the pool",
        "properties",
        "a second camera added",
    ),
    Step(
        1,
        _equip(_BADGE_READER, "badge reader at the front door"),
        "a badge reader at the front door",
        "properties",
        "a badge reader added",
    ),
    Step(
        1,
        _equip(_DRONE, "drone on the garage roof"),
        "a drone on the garage roof",
        "properties",
        "a drone added",
    ),
    Step(
        1,
        _equip(_DRONE, "drone by the pool house"),
        "a second drone by the pool house",
        "properties",
        "another drone added",
    ),
    Step(3, _person(_VISITOR, "Tomas Okafor"), "Tomas Okafor drives up, a friend of the house"),
    Step(1, _at_villa("add-allowed-user", _VISITOR), "he is put on the list of those allowed in"),
    Step(
        2,
        _at_villa("add-visitor", _VISITOR, cameraId=Known("camera")),
        "the camera at the gate sees him",
        "visits",
        "Tomas Okafor seen by camera {camera}",
    ),
    Step(
        2,
        _at_villa("add-auth-entry", _VISITOR),
        "his badge opens the front door",
        "access",
        "Tomas Okafor let in",
    ),
    # A robbery in Strawberry.
    Step(
        10,
        Push(
            "EVENT_911",
            {
                "call": {
                    "callId": Known("emergency"),
                    "isEmergency": True,
                    "caller": f"Dolores Quint ({DRILL})",
                    "location": "[8041] Innocence Blvd / Strawberry Ave",
                    "description": f"{DRILL} - two men with masks are robbing the 24/7!",
                    "metaData": {"postal": "8041", "x": "29.4", "y": "-1346.9", "z": "29.5"},
                }
            },
        ),
        "Dolores Quint calls 911 from Strawberry",
        "emergency",
        "911 call {emergency}",
    ),
    Step(
        6,
        Push(
            "EVENT_DISPATCH_NEW",
            {"eventOriginIdent": Known("unit 1"), "dispatch": _call(_PENDING, 2, "10-90")},
        ),
        "D-7 makes a dispatch call of it",
        "dispatch",
        "call {dispatch}, pending, priority 2; in emergency the 911 call points to it",
    ),
    Step(
        1,
        Push("EVENT_REMOVE_911", {"callIds": [Known("emergency")]}),
        "the 911 call leaves the list",
        "emergency",
        "911 call {emergency} is over",
    ),
    Step(3, _attach(2), "1-A-12 is put onto the call", "dispatch", "1-A-12 on call {dispatch}"),
    Step(1, _status(2, _ENROUTE), "1-A-12 is en route", "units", "1-A-12 ENROUTE"),
    Step(
        5,
        _note("21:14:30", "Dispatch", "caller hides in the store room, line is open"),
        "D-7 notes what the caller says",
        "dispatch",
        "a note on call {dispatch}",
    ),
    Step(8, _status(2, _ON_SCENE), "1-A-12 arrives", "units", "1-A-12 ON_SCENE"),
    Step(
        4,
        Push(
            "EVENT_DISPATCH_EDIT",
            {
                "eventOriginIdent": Known("unit 1"),
                "dispatch": _call(_ACTIVE, 1, "10-90 CODE 3", Known("unit 2")),
            },
        ),
        "shots fired: D-7 raises the call",
        "dispatch",
        "call {dispatch} now active, priority 1",
    ),
    Step(
        3,
        _panic(is_panic=True),
        "1-A-12 presses the panic button",
        "panic",
        "a panic of 1-A-12, on",
    ),
    Step(2, _attach(3), "3-S-31 joins the call", "dispatch", "3-S-31 beside 1-A-12"),
    Step(1, _status(3, _ENROUTE), "3-S-31 is en route", "units", "3-S-31 ENROUTE"),
    Step(
        8,
        _note("21:19:05", "1-A-12", "one suspect in custody, the other ran up Davis Ave"),
        "1-A-12 notes an arrest",
        "dispatch",
        "a second note on call {dispatch}",
    ),
    Step(
        5,
        _panic(is_panic=False),
        "1-A-12 is safe again",
        "panic",
        "the same message, the panic over",
    ),
    # Meanwhile, in Vinewood Hills.
    Step(8, _person(_BURGLAR, "Rex Dillard"), "Rex Dillard climbs a wall in Vinewood Hills"),
    Step(
        2,
        _at_villa("add-auth-entry", _BURGLAR),
        "he tries a stolen badge at the front door",
        "access",
        "Rex Dillard refused",
    ),
    Step(
        2,
        _at_villa("add-alert", _BURGLAR),
        "a window breaks",
        "alerts",
        "the alarm at property {property}",
    ),
    Step(
        1,
        Ask("dispatch-drone", {"propertyId": Known("property")}, {"drone": ("droneId",)}),
        "a drone takes off",
        "drones",
        "drone {drone} out",
    ),
    Step(
        4,
        Ask(
            "add-crime",
            {
                "propertyId": Known("property"),
                "clientId": _BURGLAR,
                "description": f"{DRILL}: burglary, jewellery taken from the bedroom",
            },
        ),
        "a burglary is reported",
        "crimes",
        "the crime at property {property}",
    ),
    Step(
        10,
        Ask("recall-drone", {"droneId": Known("drone")}),
        "the drone comes home",
        "drones",
        "the same message, drone {drone} back",
    ),
    # The shift ends.
    Step(
        6,
        Push(
            "EVENT_DISPATCH_CLOSED",
            {"eventOriginIdent": Known("unit 1"), "callIds": [Known("dispatch")]},
        ),
        "D-7 closes the call in Strawberry",
        "dispatch",
        "call {dispatch} closed",
    ),
    Step(1, _status(2, _AVAILABLE), "1-A-12 is available", "units", "1-A-12 AVAILABLE"),
    Step(
        3,
        Push(
            "EVENT_UNIT_LOGOUT",
            {"identIds": [Known(f"unit {place}") for place in range(1, UNITS + 1)]},
        ),
        "everybody goes off duty",
        "units",
        "D-7, 1-A-12 and 3-S-31 off duty",
    ),
    # What is left to decide.
    Step(
        4,
        Ask(
            "request-remove-property",
            {
                "propertyId": Known("property"),
                "userId": _OWNER,
                "reason": f"{DRILL}: after that night I am moving to Paleto Bay",
            },
        ),
        "Vivian Castellane wants out of her contract",
        "approvals",
        "press Approve or Deny on the removal of property {property}",
    ),
    Step(
        3,
        Ask(
            "add-property",
            {
                "location": f"{DRILL}: garage, 1402 Alhambra Dr, Sandy Shores",
                "tier": Known("tier"),
                "x": 1774,
                "y": 3641,
                "description": f"{DRILL}: corrugated iron, two bays, one dog",
                "clientId": _VISITOR,
            },
            {"garage": ("id",)},
        ),
        "Tomas Okafor wants his garage in Sandy Shores protected",
        "approvals",
        "press Approve or Deny on property {garage}",
    ),
)
"""The evening, step by step: about two minutes and a half at speed 1."""


async def simulate(instance: InstanceClient, *, speed: float, say: Say) -> int:
    """Play the evening; return 0 if every step was taken in, else 1.

    `speed` divides the pauses between the steps; with 0 or infinity there are none.
    """
    known: dict[str, int] = drill_numbers(time.time_ns() // 1_000_000)
    width = len(str(len(EVENING)))
    refused = 0
    say(f"Playing {len(EVENING)} steps to {instance.url}; everything in them says {DRILL}.")
    for number, step in enumerate(EVENING, 1):
        await _pause(step.after, speed)
        place = f"[{number:{width}}/{len(EVENING)}] {step.told}"
        try:
            known |= await _carry_out(instance, step.does, known)
        except InstanceUnavailable as fault:
            say(f"{place}\n    STOPPED: {fault}")
            return 1
        except _Refused as fault:
            refused += 1
            say(f"{place}\n    REFUSED: {fault}")
        else:
            say(f"{place}{_where_to_look(step, known)}")
    for line in _left_behind(known):
        say(line)
    say(f"{refused} of {len(EVENING)} steps were refused." if refused else "Every step went well.")
    return 1 if refused else 0


async def _pause(seconds: float, speed: float) -> None:
    if speed > 0 and math.isfinite(speed):
        await asyncio.sleep(seconds / speed)


async def _carry_out(
    instance: InstanceClient, does: Push | Ask, known: Mapping[str, int]
) -> dict[str, int]:
    """Do what a step says; return what its answer adds to the known numbers."""
    data = _filled_in(does.data, known)
    try:
        if isinstance(does, Push):
            await instance.push(does.type, data)
            return {}
        frame = await instance.query(does.query, data)
    except InstanceUnavailable:
        raise
    except InstanceError as fault:
        raise _Refused(str(fault)) from None
    if frame["type"] == "error":
        code, sentence = frame["data"].get("code"), frame["data"].get("error")
        raise _Refused(clean_text(f"{does.query}: {code}: {sentence}", SHOWN))
    return {name: _number_at(frame["data"], path) for name, path in does.keep.items()}


def _filled_in(data: Any, known: Mapping[str, int]) -> Any:
    """Return a step's data with the numbers in their places."""
    match data:
        case Known(name):
            if name not in known:
                raise _Refused(f"this needs the number of the {name}, which an earlier step lacks")
            return known[name]
        case dict():
            return {name: _filled_in(value, known) for name, value in data.items()}
        case list():
            return [_filled_in(value, known) for value in data]
    return data


def _number_at(answer: Any, path: tuple[str | int, ...]) -> int:
    try:
        for part in path:
            answer = answer[part]
        return int(answer)
    except (LookupError, TypeError, ValueError):
        where = ".".join(map(str, path))
        raise _Refused(f"the answer has no number under {where}") from None


def _where_to_look(step: Step, known: Mapping[str, int]) -> str:
    return f" -> {step.channel}: {step.look.format_map(known)}" if step.channel else ""


def _left_behind(known: Mapping[str, int]) -> list[str]:
    """Say what stays open for people to decide, and how it goes away."""
    left = [str(known[name]) for name in ("property", "garage") if name in known]
    if not left:
        return []
    return [
        f"Left behind: {' and '.join(f'property {number}' for number in left)}, for somebody to"
        " decide on in Discord. To be rid of one at once:"
        f" cad-sentinel query remove-property '{{\"propertyId\": {left[0]}}}'"
    ]
