"""`python -m benchmarks [--json FILE] [WORD…]`: measure, and print a table.

Without words every figure is measured; with words, those whose names contain one of them. The exit
code is 1 while a target is missed.
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

from benchmarks import command_line, discord, growth, memory, throughput
from benchmarks.figure import Figure, Result, measure

FIGURES: list[Figure] = [
    *throughput.FIGURES,
    *discord.FIGURES,
    *memory.FIGURES,
    *command_line.FIGURES,
    *growth.FIGURES,
]


async def run(figures: list[Figure]) -> list[Result]:
    """Measure one figure after the other, and print each as soon as it is there."""
    results = []
    print(f"{'figure':72} {'baseline':>10} {'ours':>10} {'ratio':>7}  target", flush=True)
    for figure in figures:
        with tempfile.TemporaryDirectory(prefix="sentinel-bench-") as folder:
            for result in await measure(figure, Path(folder)):
                results.append(result)
                print(_line(result), flush=True)
    return results


def _line(result: Result) -> str:
    baseline, ratio = "", ""
    if result.baseline is not None:
        baseline, ratio = f"{result.baseline:,.4g}", f"{result.value:.2f}"
    missed = "" if result.is_met else "  missed"
    name = f"{result.figure.name} ({result.target.unit})"
    return f"{name:72} {baseline:>10} {result.ours:>10,.4g} {ratio:>7}  {result.target}{missed}"


def as_json(results: list[Result]) -> str:
    """Write every round of the results, and the machine that they were measured on."""
    machine = {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": platform.system(),
        "cores": os.cpu_count(),
    }
    figures = [
        {
            "figure": result.figure.name,
            "unit": result.target.unit,
            "baseline_is": result.figure.baseline,
            "baseline": result.baseline,
            "ours": result.ours,
            "value": result.value,
            "target": str(result.target),
            "met": result.is_met,
            "rounds": result.rounds,
        }
        for result in results
    ]
    return json.dumps({"machine": machine, "figures": figures}, indent=2, ensure_ascii=False)


def main() -> int:
    """Measure the figures that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, prog="benchmarks")
    parser.add_argument("--json", type=Path, help="write every round into this file too")
    parser.add_argument("words", nargs="*", help="only figures whose names contain one of these")
    arguments = parser.parse_args()
    words = arguments.words or [""]
    figures = [figure for figure in FIGURES if any(word in figure.name for word in words)]
    results = uvloop.run(run(figures))
    if arguments.json is not None:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(as_json(results) + "\n", "utf-8")
    return 0 if all(result.is_met for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
