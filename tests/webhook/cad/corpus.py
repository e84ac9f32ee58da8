"""The corpus of pushes: 185 bodies, each with prose on what it must become.

The bulk of four hostile cases is grown here instead of being stored.
"""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Case = dict[str, Any]


def _long_description(case: Case) -> None:
    case["body"]["data"]["call"]["description"] *= 60_000


def _many_keys(case: Case) -> None:
    case["body"]["data"]["call"]["metaData"] = {f"k{number}": "v" for number in range(5_000)}


def _many_units(case: Case) -> None:
    (unit,) = case["body"]["data"]["units"]
    case["body"]["data"]["units"] = [unit | {"id": 1_000 + number} for number in range(300)]


def _deep_arrays(case: Case) -> None:
    case["raw"] = case["raw"].replace("[]", "[" * 60_000 + "]" * 60_000)


_GROWN: dict[str, Callable[[Case], None]] = {
    "hostile_description_60000_one_word": _long_description,
    "hostile_meta_5000_keys": _many_keys,
    "hostile_300_units": _many_units,
    "bad_raw_depth_60000": _deep_arrays,
}


def _read() -> list[Case]:
    lines = Path(__file__).with_name("push_corpus.jsonl").read_text("utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    for case in cases:
        if grow := _GROWN.get(case["name"]):
            grow(case)
    return cases


CASES = _read()


def document(case: Case) -> bytes:
    """Write a case as the bytes that come over the wire."""
    if "raw_b64" in case:
        return base64.b64decode(case["raw_b64"])
    if "raw" in case:
        return str(case["raw"]).encode()
    return json.dumps(case["body"]).encode()
