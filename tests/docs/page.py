"""docs/protocol.md, taken apart: its sections, their tables, and the examples in order."""

import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "protocol.md").read_text("utf-8")

_HEADING = re.compile(r"^(##+) (.+)$")
_FENCE = re.compile(r"^```(.*)$")
_CELL = re.compile(r"(?<!\\)\|")

BY_PEOPLE = {"events.approval-given", "events.incident-changed"}
"""The events that only people in Discord can cause."""


@dataclass(frozen=True)
class Block:
    """A fenced block: what stands behind its fence, and what is in it."""

    info: str
    body: str


@dataclass(frozen=True)
class Section:
    """What stands below one heading; `part` is the heading of the part that it belongs to."""

    name: str
    part: str
    text: str
    blocks: tuple[Block, ...]

    def table(self, first: str) -> list[list[str]]:
        """Return the rows of the table whose first column has this title; none without one."""
        rows = [
            [cell.strip() for cell in _CELL.split(line.strip().strip("|"))]
            for line in self.text.splitlines()
            if line.startswith("|")
        ]
        titles = [number for number, row in enumerate(rows) if row[0] == first]
        if not titles:
            return []
        body = rows[titles[0] + 2 :]
        ends = [number for number, row in enumerate(body) if set(row[0]) <= set("-: ")]
        # The row above the next rule is the title of the next table.
        return body[: ends[0] - 1] if ends else body

    def marked(self, label: str) -> str:
        """Return what stands behind a bold label, up to the next label or paragraph."""
        found = re.findall(rf"\*\*{label}:\*\* (.*?)(?=\*\*\w+:\*\*|\n\n|\Z)", self.text, re.DOTALL)
        assert len(found) == 1, f"{self.name} says {len(found)} times what {label} is"
        return str(found[0])


def _sections() -> list[Section]:
    sections: list[Section] = []
    part = name = ""
    lines: list[str] = []
    blocks: list[Block] = []
    info: str | None = None
    body: list[str] = []

    def end() -> None:
        sections.append(Section(name, part, "\n".join(lines), tuple(blocks)))
        lines.clear()
        blocks.clear()

    for line in TEXT.splitlines():
        if fence := _FENCE.match(line):
            if info is None:
                info = fence[1]
            else:
                blocks.append(Block(info, "\n".join(body)))
                info = None
                body.clear()
        elif info is not None:
            body.append(line)
        elif heading := _HEADING.match(line):
            end()
            name = heading[2]
            part = name if heading[1] == "##" else part
        else:
            lines.append(line)
    assert info is None, "a fence is not closed"
    end()
    return sections


SECTIONS = _sections()


def sections_of(part: str) -> dict[str, Section]:
    """Return the sections below a part by name; a name that occurs twice is a mistake."""
    found = [section for section in SECTIONS if section.part == part and section.name != part]
    by_name = {section.name: section for section in found}
    assert len(by_name) == len(found), f"a section of {part} occurs twice"
    return by_name
