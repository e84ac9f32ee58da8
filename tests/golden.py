"""Texts that people read, compared with files; `UPDATE_GOLDEN=1` writes the files anew."""

import os
from pathlib import Path


def check_golden(path: Path, text: str) -> None:
    """Check that a text is what the file says; line ends do not matter."""
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")
    assert text.splitlines() == path.read_text("utf-8").splitlines()
