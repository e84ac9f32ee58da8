"""`cad-sentinel simulate`: an invented evening in Los Santos, played to the running bot.

The evening is evening.toml, beside this module. Everything in it says that it is a drill. The bot
is told that one begins, and gives it a number by which all of it is known (db/simulations.py): so
nobody is called, and what is left at the end, or was left by a drill that was killed, is removed.
"""

import math
import re
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from bot.commands.client import InstanceClient, InstanceError, InstanceUnavailable
from webhook.protocol.clean_text import clean_text

DRILL = "SIMULATION"
"""Stands in every text that is played, so that nobody sends real help."""

UNITS = 3
PEOPLE = ("vivian", "tomas", "rex")
SHOWN = 300

NUMBER = re.compile(r"\{(\w+)\}")
"""Stands in a step's data for a number or an id that is known only once the evening is played."""

Name = int | str
"""A call's or a unit's number, or a user's id."""


@dataclass(frozen=True)
class ScenarioStep:
    """One thing that happens, as evening.toml describes it; either a push or a query."""

    after: float
    text: str
    channel: str = ""
    expect: str = ""
    push: str = ""
    query: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    keep: dict[str, str] = field(default_factory=dict)


class _StepFailed(InstanceError):
    """A step that could not be done; the text says why."""


def read_evening() -> list[ScenarioStep]:
    document = tomllib.loads(files("bot.commands").joinpath("evening.toml").read_text("utf-8"))
    return [ScenarioStep(**step) for step in document["steps"]]


def drill_names(simulation: int) -> dict[str, Name]:
    """Return the numbers of the calls and units of a drill, and the ids of its users.

    A call's number is that of the drill, a time in milliseconds since 1970, and a unit's that
    followed by one more digit: thirteen and fourteen digits, where a CAD counts up from 1. All of
    them are exact in the doubles of JavaScript and Lua.
    """
    units = {f"unit_{unit}": simulation * 10 + unit for unit in range(1, UNITS + 1)}
    people = {person: f"simulation:{simulation}:{person}" for person in PEOPLE}
    return {"emergency": simulation, "dispatch": simulation} | units | people


def simulate(
    client: InstanceClient, *, speed: float, pings: bool = False, say: Callable[[str], None]
) -> int:
    """Play the evening and remove what it made; return 0 if every step succeeded, else 1.

    `speed` divides the pauses between the steps; with 0 or infinity there are none. `pings`: it
    mentions the roles that the real thing would.
    """
    evening = read_evening()
    is_off = client.health().get("discord") == "off"
    simulation = _number_at(_ask(client, "begin-simulation", {"pings": pings}), "simulationId")
    say(f"Playing {len(evening)} steps to {client.url}; everything in them says {DRILL}.")
    if is_off:
        say("Discord is off: what it would show is in the bot's log.")
    try:
        failed = _play_all(client, evening, simulation, speed, say, is_off=is_off)
        _end(client, simulation)
    except InstanceUnavailable as error:
        say(f"STOPPED: {error}\nOnce the bot answers: cad-sentinel simulate --clean")
        return 1
    except KeyboardInterrupt:
        _end(client, simulation)
        raise
    say("What the evening left behind is removed.")
    say(f"{failed} of {len(evening)} steps were refused." if failed else "Every step went well.")
    return 1 if failed else 0


def clean(client: InstanceClient, say: Callable[[str], None]) -> int:
    """Remove what drills left behind, also those that were killed; return the exit code."""
    ended = _end(client)
    drills = "1 drill" if ended == 1 else f"{ended} drills"
    say(f"Removed what {drills} left behind." if ended else "No drill left anything behind.")
    return 0


def _play_all(
    client: InstanceClient,
    evening: list[ScenarioStep],
    simulation: int,
    speed: float,
    say: Callable[[str], None],
    *,
    is_off: bool,
) -> int:
    """Play the steps; return how many were refused.

    Raises:
        InstanceUnavailable: the bot does not answer any more.
    """
    names = drill_names(simulation)
    width = len(str(len(evening)))
    failed = 0
    for count, step in enumerate(evening, 1):
        if speed > 0 and math.isfinite(speed):
            time.sleep(step.after / speed)
        title = f"[{count:{width}}/{len(evening)}] {step.text}"
        try:
            names |= _play(client, step, names)
        except InstanceUnavailable:
            say(title)
            raise
        except InstanceError as error:
            failed += 1
            say(f"{title}\n    REFUSED: {error}")
        else:
            where = "log" if is_off else step.channel
            seen = f" -> {where}: {step.expect.format_map(names)}" if step.channel else ""
            say(f"{title}{seen}")
    return failed


def _end(client: InstanceClient, only: int | None = None) -> int:
    """End what is open of a drill, or of all, and remove the rest; return how many there were.

    Raises:
        InstanceError: the bot refuses it or does not answer.
    """
    left = _ask(client, "get-simulations", {})["simulations"]
    ended = [drill for drill in left if only in (None, drill["simulationId"])]
    for drill in ended:
        pushes = {
            "EVENT_UNIT_PANIC": {"identIds": drill["panics"], "isPanic": False},
            "EVENT_REMOVE_911": {"callIds": drill["emergencies"]},
            "EVENT_DISPATCH_CLOSED": {"callIds": drill["dispatches"]},
            "EVENT_UNIT_LOGOUT": {"identIds": drill["units"]},
        }
        for type_, data in pushes.items():
            if any(data.values()):
                client.push(type_, data)
        _ask(client, "end-simulation", {"simulationId": drill["simulationId"]})
    return len(ended)


def _play(client: InstanceClient, step: ScenarioStep, names: Mapping[str, Name]) -> dict[str, int]:
    """Do what a step says; return the numbers that its answer has for later steps."""
    data = _fill_in(step.data, names)
    if step.push:
        client.push(step.push, data)
        return {}
    answer = _ask(client, step.query, data)
    return {name: _number_at(answer, path) for name, path in step.keep.items()}


def _ask(client: InstanceClient, query: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of an answer.

    Raises:
        InstanceError: there was none.
    """
    frame = client.query(query, data)
    answer: dict[str, Any] = frame["data"]
    if frame["type"] == "error":
        code, sentence = answer.get("code"), answer.get("error")
        raise _StepFailed(clean_text(f"{query}: {code}: {sentence}", SHOWN))
    return answer


def _fill_in(data: Any, names: Mapping[str, Name]) -> Any:
    """Return a step's data with the numbers and ids in their places."""
    match data:
        case dict():
            return {name: _fill_in(value, names) for name, value in data.items()}
        case list():
            return [_fill_in(value, names) for value in data]
        case str() if found := NUMBER.fullmatch(data):
            name = found[1]
            if name not in names:
                raise _StepFailed(
                    f"this needs the number of the {name}, which an earlier step lacks"
                )
            return names[name]
    return data


def _number_at(answer: Any, path: str) -> int:
    """Return the number at a path like `tiers.0.id`."""
    try:
        for part in path.split("."):
            answer = answer[int(part) if isinstance(answer, list) else part]
        return int(answer)
    except (LookupError, TypeError, ValueError):
        raise _StepFailed(f"the answer has no number under {path}") from None
