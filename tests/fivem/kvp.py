"""The key-value store of a game server: one log file, each write on disk before it returns."""

import json
import os
from pathlib import Path

Value = str | int | float

MOST_FINDS = 64
"""Searches that may be open at a time; further ones find nothing."""


class KvpStore:
    """What all resources stored, under `res:<resource>:<key>`; texts are bytes as Latin-1.

    While `is_full`, writes are lost without a word, as FXServer ignores what its database says.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, Value] = {}
        self._finds: dict[int, list[str]] = {}
        self._find_count = 0
        self.is_full = False
        self._load()
        self._log = path.open("a", encoding="ascii")
        self._synced = path.stat().st_size

    def _load(self) -> None:
        if not self._path.exists():
            return
        intact = 0
        for line in self._path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            intact += len(line)
            key, *value = json.loads(line)
            if value:
                self._values[key] = value[0]
            else:
                self._values.pop(key, None)
        os.truncate(self._path, intact)

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    def set(self, key: str, value: Value, is_synced: bool = True) -> None:
        """Store a value; a text ends at its first NUL."""
        if self.is_full:
            return
        if isinstance(value, str):
            value = value.split("\0")[0]
        self._values[key] = value
        self._write([key, value], is_synced)

    def delete(self, key: str, is_synced: bool = True) -> None:
        """Forget a value; on a full disk this fails as well."""
        if not self.is_full and self._values.pop(key, None) is not None:
            self._write([key], is_synced)

    def _write(self, entry: list[Value], is_synced: bool) -> None:
        self._log.write(json.dumps(entry) + "\n")
        self._log.flush()
        if is_synced:
            self.flush()

    def flush(self) -> None:
        """Put what was written without sync on disk."""
        os.fsync(self._log.fileno())
        self._synced = os.fstat(self._log.fileno()).st_size

    def get(self, key: str) -> Value | None:
        """Return what is stored."""
        return self._values.get(key)

    def start_find(self, prefix: str) -> int:
        """Search for keys in bytewise order; -1 if too many searches are open."""
        if len(self._finds) >= MOST_FINDS:
            return -1
        self._find_count += 1
        self._finds[self._find_count] = sorted(
            (key for key in self._values if key.startswith(prefix)), reverse=True
        )
        return self._find_count

    def find(self, handle: int) -> str | None:
        """Return the next key."""
        found = self._finds.get(handle)
        return found.pop() if found else None

    def end_find(self, handle: int) -> None:
        """Close a search."""
        self._finds.pop(handle, None)

    @property
    def open_finds(self) -> int:
        """Searches that were not closed."""
        return len(self._finds)

    def destroy(self) -> None:
        """Lose everything, as FXServer does with a database that it cannot repair."""
        self._values.clear()
        self._log.truncate(0)

    def lose_unsynced(self) -> None:
        """Lose what was never synced, as in a power failure; to be opened anew."""
        self._log.close()
        os.truncate(self._path, self._synced)
