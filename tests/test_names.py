"""Class names are unique, folders stay small, and modules are named for their contents."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("bot", "cogs", "webhook", "db")

MOST_MODULES = 21
"""Modules of a folder that a reader can keep in mind."""

ONE_FOR_EACH_NOUN = {"db"}
"""Folders that grow with the community's nouns: whoever knows the noun knows the module."""

VAGUE = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc", "base"}


def _modules() -> Iterator[Path]:
    for layer in LAYERS:
        yield from sorted((ROOT / layer).rglob("*.py"))


def test_class_names_are_unique() -> None:
    found = defaultdict(list)
    for module in _modules():
        for node in ast.parse(module.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef):
                found[node.name].append(f"{module.relative_to(ROOT)}:{node.lineno}")
    assert {name: files for name, files in found.items() if len(files) > 1} == {}


def test_folders_stay_small() -> None:
    modules = defaultdict(list)
    for module in _modules():
        if module.name != "__init__.py":
            modules[module.parent.relative_to(ROOT).as_posix()].append(module.name)
    large = {folder: names for folder, names in modules.items() if len(names) > MOST_MODULES}
    assert large.keys() - ONE_FOR_EACH_NOUN == set()


def test_no_module_has_a_vague_name() -> None:
    assert [str(module) for module in _modules() if module.stem in VAGUE] == []
