"""Fuzzes one target in a process of its own: `python -m tests.fuzz.child TARGET [libFuzzer …]`.

The target's own seeds are written into the last folder named, if that is called `seeds`.
"""

import sys
from importlib import import_module
from pathlib import Path

import atheris

PACKAGES = ["bot", "cogs", "webhook", "db", "tomllib", "pydantic_settings"]
"""What the fuzzer is guided by the coverage of."""


def main() -> None:
    """Fuzz until the time is up or something is found."""
    name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=PACKAGES):
        target = import_module(f"tests.fuzz.{name}")

    folder = Path(options[-1])
    if folder.name == "seeds":
        for number, seed in enumerate(target.seeds()):
            (folder / f"{number:04}").write_bytes(seed)

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        changed: bytes = target.mutate(data, seed) if seed % 2 else b""
        return changed if 0 < len(changed) <= most else bytes(atheris.Mutate(data, most))

    mutator = {"custom_mutator": mutate} if hasattr(target, "mutate") else {}
    atheris.Setup([sys.argv[0], *options], target.run_one, **mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
