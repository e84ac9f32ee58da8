"""Where the configuration is written: its file, and in which line or variable a setting is."""

import codecs
import os
from pathlib import Path

from bot.settings.toml_lines import line_of

DEFAULT_FILE = Path("config.toml")
PREFIX = "SENTINEL_"
"""What the names of environment variables begin with that are settings."""

Location = tuple[int | str, ...]
"""The keys to a setting, and for a list the number of the item."""


def text_of(path: Path) -> str:
    """Read a file as Windows' editors and shells save it, which TOML does not know.

    Raises:
        OSError: it cannot be read.
        UnicodeError: it has another encoding.
    """
    raw = path.read_bytes()
    is_utf_16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = raw.decode("utf-16" if is_utf_16 else "utf-8-sig")
    if "\0" in text:
        raise UnicodeError
    return text.replace("\r\n", "\n").replace("\r", "\n")


def variables() -> dict[str, str]:
    """Return the environment variables by their names in capitals."""
    return {name.removeprefix("\ufeff").upper(): value for name, value in os.environ.items()}


class Sources:
    """A configuration file, if there is one, and the environment, which wins over it."""

    def __init__(self, file: Path | None) -> None:
        self._file = file if file is not None else DEFAULT_FILE if DEFAULT_FILE.exists() else None
        try:
            self._text = text_of(self._file) if self._file is not None else ""
        except (OSError, UnicodeError):
            self._text = ""

    def variable(self, where: Location) -> str:
        """Return the environment variable that a setting comes from; blank if from none."""
        keys = [str(part) for part in where if isinstance(part, str)]
        names = [PREFIX + "__".join(keys[:number]).upper() for number in range(len(keys), 0, -1)]
        found = variables()
        within = [name for name in sorted(found) if name.startswith(f"{names[0]}__")]
        return next(
            (name for name in [*names, *(within if len(keys) > 1 else [])] if found.get(name)), ""
        )

    def of(self, where: Location) -> str:
        """Say where a setting is written; blank if nowhere."""
        if variable := self.variable(where):
            return f"environment: {variable}"
        line = line_of(self._text, where)
        return f"{self._file}, line {line}" if line else ""
