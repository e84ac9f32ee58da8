"""The paths, modules and links in the documentation lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("fivem/**/*.md")])

PACKAGES = "bot|cogs|webhook|db|tests|benchmarks"
PATH = re.compile(rf"(?<![\w./-])(?:{PACKAGES}|docs|deploy)/[\w./-]*\w")
MODULE = re.compile(rf"(?<![\w./-])(?:{PACKAGES})(?:\.\w+)+")
LINK = re.compile(r"\]\(([^)\s:#]*)(?:#([^)\s]+))?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_module_and_link_exists(page: Path) -> None:
    text = page.read_text()
    missing = [path for path in PATH.findall(text) if not (ROOT / path).exists()]
    missing += [name for name in MODULE.findall(text) if not _is_module(name)]
    for link, section in LINK.findall(text):
        target = page.parent / link if link else page
        if not target.exists() or (section and section not in _sections(target)):
            missing.append(f"{link}#{section}")
    assert missing == []


def _is_module(name: str) -> bool:
    """Return whether a dotted name is a package, a module, or something defined in a module."""
    path = ROOT.joinpath(*name.split("."))
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    module, member = path.parent.with_suffix(".py"), path.name
    return module.is_file() and re.search(rf"\b{member}\b", module.read_text()) is not None


def _sections(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
