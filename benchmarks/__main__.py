"""`python -m benchmarks [--large] [--json FILE] [WORD…]`: measure, and print a table.

Without words every figure is measured; with words, those whose names hold one of them. The exit
code is 1 if a figure missed its target.
"""

import argparse
import json
import os
import platform
import sqlite3
import sys
import tempfile
from pathlib import Path

import uvloop

from benchmarks import discord, large, memory, pushes, websockets
from benchmarks.figure import Figure, Measured, measure

FIGURES: list[Figure] = [
    *websockets.FIGURES,
    *pushes.FIGURES,
    *discord.FIGURES,
    *memory.FIGURES,
]

LARGE: list[Figure] = large.FIGURES


async def run(figures: list[Figure]) -> list[Measured]:
    """Measure one figure after the other, and print each as soon as it is known."""
    found = []
    print(f"{'figure':66} {'baseline':>12} {'ours':>12} {'ratio':>8}  target", flush=True)
    for figure in figures:
        with tempfile.TemporaryDirectory(prefix="sentinel-bench-") as folder:
            for measured in await measure(figure, Path(folder)):
                found.append(measured)
                print(_line(measured), flush=True)
    return found


def _line(measured: Measured) -> str:
    baseline, ratio = "", ""
    if measured.baseline is not None:
        baseline, ratio = f"{measured.baseline:,.4g}", f"{measured.value:.2f}"
    verdict = "" if measured.is_met else "  missed"
    name = f"{measured.figure} ({measured.unit})"
    ours = f"{measured.ours:,.4g}"
    return f"{name:66} {baseline:>12} {ours:>12} {ratio:>8}  {measured.target}{verdict}"


def as_json(found: list[Measured]) -> str:
    """Write what was found, every round of it, and on what."""
    machine = {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": platform.system(),
        "cores": os.cpu_count(),
    }
    figures = [
        {
            "figure": one.figure,
            "unit": one.unit,
            "baseline": one.baseline,
            "ours": one.ours,
            "value": one.value,
            "target": str(one.target),
            "met": one.is_met,
            "rounds": one.rounds,
        }
        for one in found
    ]
    return json.dumps({"machine": machine, "figures": figures}, indent=2, ensure_ascii=False)


def main() -> int:
    """Measure what was asked for."""
    asked = argparse.ArgumentParser(description=__doc__, prog="benchmarks")
    asked.add_argument("--large", action="store_true", help="the figures on large databases")
    asked.add_argument("--json", type=Path, help="write every round into this file too")
    asked.add_argument("words", nargs="*")
    given = asked.parse_args()
    figures = [
        figure
        for figure in (LARGE if given.large else FIGURES)
        if not given.words or any(word in figure.name for word in given.words)
    ]
    found = uvloop.run(run(figures))
    if given.json is not None:
        given.json.write_text(as_json(found) + "\n", "utf-8")
    return 0 if all(measured.is_met for measured in found) else 1


if __name__ == "__main__":
    sys.exit(main())
