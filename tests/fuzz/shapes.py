"""Changes JSON as JSON, so that most inputs get beyond the parser; several documents by line."""

import json
import random
from collections.abc import Iterator
from typing import Any

Place = tuple[Any, Any]
"""An object or array, and the key in it."""

ODD = [
    None, True, -1, 0, 1, 61, 4410, 2**63 - 1, 2**63, 1.0, 1.5, 1e300, "", "0", "1.0", "-1", "nil",
    [], {}, [None], [[1]], {"x": 1, "y": 2}, "vector3(1.0, 2.0, 3.0)", "@everyone", "\n# x",
    "**x**", "<t:1:R>", "[a](https://b.example)", "\u202ex", "e" + "\u0301" * 40, "\ud83d",
    "\U0001f6a8" * 20, "x" * 5_000, "9" * 30, "a\u0000b", ":smile:", "discord.gg/x",
]  # fmt: skip


def mutate_lines(data: bytes, seed: int) -> bytes:
    """Change one place in one of the documents; nothing is left of what is no JSON."""
    luck = random.Random(seed)
    lines = data.split(b"\n")
    number = luck.randrange(len(lines))
    if luck.random() < 0.1:
        lines.insert(number, luck.choice(lines))  # the same, or another one, once more
        return b"\n".join(lines)
    try:
        document = json.loads(lines[number])
        places = list(_places(document))
        if not places:
            return b""
        _change(places, luck)
        lines[number] = json.dumps(document).encode()
    except (ValueError, RecursionError):
        return b""
    return b"\n".join(lines)


def _change(places: list[Place], luck: random.Random) -> None:
    holder, key = luck.choice(places)
    other, name = luck.choice(places)
    choice = luck.random()
    if choice < 0.15:
        del holder[key]
    elif choice < 0.3 and isinstance(holder, dict):
        holder[str(name)] = _copy(other[name])
    elif choice < 0.45:
        holder[key] = _copy(other[name])
    elif choice < 0.55:
        holder[key] = [holder[key]]
    elif choice < 0.65 and isinstance(holder[key], str | list):
        holder[key] = holder[key] * 2
    else:
        holder[key] = _copy(luck.choice(ODD))


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _places(document: Any) -> Iterator[Place]:
    """Yield every place in a document."""
    rest = [document]
    while rest:
        holder = rest.pop()
        if isinstance(holder, dict | list):
            for key in holder if isinstance(holder, dict) else range(len(holder)):
                yield holder, key
                rest.append(holder[key])
