"""`cad-sentinel simulate`: an invented evening in Los Santos, played to the running bot.

The evening is bot/evening.toml. Everything in it says that it is a drill; what it leaves behind is
listed at the end.
"""

import math
import re
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from bot.client import InstanceClient, InstanceError, InstanceUnavailable
from webhook.protocol.clean_text import clean_text

DRILL = "SIMULATION"
"""Stands in every text that is played, so that nobody sends real help."""

UNITS = 3
SHOWN = 300

NUMBER = re.compile(r"\{(\w+)\}")
"""Stands in a step's data for a number that is known only once the evening is played."""


@dataclass(frozen=True)
class ScenarioStep:
    """One thing that happens, as bot/evening.toml describes it; either a push or a query."""

    after: float
    text: str
    channel: str = ""
    expect: str = ""
    push: str = ""
    query: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    keep: dict[str, str] = field(default_factory=dict)


class _StepFailed(Exception):
    """A step that could not be done; the text says why."""


def read_evening() -> list[ScenarioStep]:
    document = tomllib.loads(files("bot").joinpath("evening.toml").read_text("utf-8"))
    return [ScenarioStep(**step) for step in document["steps"]]


def drill_numbers(milliseconds: int) -> dict[str, int]:
    """Return the numbers of calls and units for an evening that starts at this time.

    A call's number is the time itself in milliseconds since 1970, and a unit's that followed by
    one more digit: thirteen and fourteen digits, where a CAD counts up from 1, and another number
    for every evening. All of them are exact in the doubles of JavaScript and Lua.
    """
    units = {f"unit_{unit}": milliseconds * 10 + unit for unit in range(1, UNITS + 1)}
    return {"emergency": milliseconds, "dispatch": milliseconds} | units


def simulate(client: InstanceClient, *, speed: float, say: Callable[[str], None]) -> int:
    """Play the evening; return 0 if every step succeeded, else 1.

    `speed` divides the pauses between the steps; with 0 or infinity there are none.
    """
    evening = read_evening()
    numbers = drill_numbers(time.time_ns() // 1_000_000)
    width = len(str(len(evening)))
    failed = 0
    say(f"Playing {len(evening)} steps to {client.url}; everything in them says {DRILL}.")
    for count, step in enumerate(evening, 1):
        if speed > 0 and math.isfinite(speed):
            time.sleep(step.after / speed)
        title = f"[{count:{width}}/{len(evening)}] {step.text}"
        try:
            numbers |= _play(client, step, numbers)
        except InstanceUnavailable as error:
            say(f"{title}\n    STOPPED: {error}")
            return 1
        except (InstanceError, _StepFailed) as error:
            failed += 1
            say(f"{title}\n    REFUSED: {error}")
        else:
            seen = f" -> {step.channel}: {step.expect.format_map(numbers)}" if step.channel else ""
            say(f"{title}{seen}")
    for line in _left_behind(numbers):
        say(line)
    say(f"{failed} of {len(evening)} steps were refused." if failed else "Every step went well.")
    return 1 if failed else 0


def _play(client: InstanceClient, step: ScenarioStep, numbers: Mapping[str, int]) -> dict[str, int]:
    """Do what a step says; return the numbers that its answer has for later steps."""
    data = _fill_in(step.data, numbers)
    if step.push:
        client.push(step.push, data)
        return {}
    frame = client.query(step.query, data)
    if frame["type"] == "error":
        code, sentence = frame["data"].get("code"), frame["data"].get("error")
        raise _StepFailed(clean_text(f"{step.query}: {code}: {sentence}", SHOWN))
    return {name: _number_at(frame["data"], path) for name, path in step.keep.items()}


def _fill_in(data: Any, numbers: Mapping[str, int]) -> Any:
    """Return a step's data with the numbers in their places."""
    match data:
        case dict():
            return {name: _fill_in(value, numbers) for name, value in data.items()}
        case list():
            return [_fill_in(value, numbers) for value in data]
        case str() if found := NUMBER.fullmatch(data):
            name = found[1]
            if name not in numbers:
                raise _StepFailed(
                    f"this needs the number of the {name}, which an earlier step lacks"
                )
            return numbers[name]
    return data


def _number_at(answer: Any, path: str) -> int:
    """Return the number at a path like `tiers.0.id`."""
    try:
        for part in path.split("."):
            answer = answer[int(part) if isinstance(answer, list) else part]
        return int(answer)
    except (LookupError, TypeError, ValueError):
        raise _StepFailed(f"the answer has no number under {path}") from None


def _left_behind(numbers: Mapping[str, int]) -> list[str]:
    """Callable[[str], None] what is left for people to decide, and how to remove it."""
    left = [str(numbers[name]) for name in ("property", "garage") if name in numbers]
    if not left:
        return []
    return [
        f"Left behind: {' and '.join(f'property {number}' for number in left)}, for somebody to"
        " decide on in Discord. To remove one at once:"
        f" cad-sentinel query remove-property '{{\"propertyId\": {left[0]}}}'"
    ]
