"""Fuzzes every target for some time and says what was done; exits with 1 if anything was found.

Inputs that found something stand in `.fuzz/<target>/found/`; to try one again:
`python -m tests.fuzz.child TARGET FILE`. What was learned stays in `.fuzz/<target>/corpus/`.
"""

import argparse
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

TARGETS = ("pushes", "frames", "config", "text")
FOLDER = Path(".fuzz")
LONGEST = 64 * 1024
"""Bytes of an input."""

PER_INPUT = 20
"""Seconds that one input may take."""

_STATE = re.compile(r"^#\d+\s.* cov: (\d+) ft: (\d+)", re.MULTILINE)
_DONE = re.compile(r"stat::number_of_executed_units:\s+(\d+)")


def main() -> int:
    """Fuzz; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)}; all without any")
    arguments = parser.parse_args()
    if unknown := set(arguments.targets) - set(TARGETS):
        parser.error(f"there is no target {', '.join(unknown)}")
    if find_spec("atheris") is None:
        parser.error("atheris is missing: it has wheels for CPython on Linux, see pyproject.toml")
    found = [_fuzz(name, arguments.seconds) for name in arguments.targets or TARGETS]
    return 1 if any(found) else 0


def _fuzz(name: str, seconds: int) -> bool:
    """Fuzz one target and say what was done; tell whether something was found."""
    corpus, seeds, findings = (FOLDER / name / part for part in ("corpus", "seeds", "found"))
    for folder in (corpus, seeds, findings):
        folder.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST}",
        f"-timeout={PER_INPUT}",
        f"-artifact_prefix={findings}/",
        "-print_final_stats=1",
    ]
    # What lives for a moment needs no disk.
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
    with TemporaryDirectory(dir=memory) as short_lived:
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.child", name, *options, str(corpus), str(seeds)],
            env=os.environ | {"TMPDIR": short_lived},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    said = done.stdout + done.stderr
    covered, features = (_STATE.findall(said) or [("?", "?")])[-1]
    executions = (_DONE.findall(said) or ["?"])[-1]
    verdict = "nothing found" if done.returncode == 0 else f"FOUND, see {findings}"
    print(  # noqa: T201
        f"{name:8} {executions} executions, coverage {covered} (features {features}), "
        f"{len(list(corpus.iterdir()))} inputs kept: {verdict}",
        flush=True,
    )
    if done.returncode:
        print(said[max(0, said.find("Uncaught Python exception")) :][:6_000], flush=True)  # noqa: T201
    return done.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
