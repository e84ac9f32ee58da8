"""What was made of rows and is asked for again, kept until one of their tables changes."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable

from db.connection import Connection

TABLES = frozenset(
    {"properties", "equipment", "equipment_types", "tiers", "users", "allowed_users"}
)
"""The tables that change seldom."""

MOST_BYTES = 4 * 1024 * 1024

LONGEST = 1.0
"""Seconds after which all of it is made anew: another program may write to the file too."""

Tables = frozenset[str]


class Kept:
    """Bytes by the tables that they were made of and a key.

    What is put in by a reader that began before a change is refused: `version` tells.
    """

    def __init__(self) -> None:
        self.version = 0
        self._made_of: defaultdict[Tables, dict[bytes, bytes]] = defaultdict(dict)
        self._bytes = 0
        self._expiry: asyncio.TimerHandle | None = None
        self._changed: set[str] = set()

    async def watch(self, writer: Connection) -> None:
        """Have the connection that writes tell which tables it changes, whatever way it does."""
        await writer.create_function("note_change", 1, self._changed.add)
        for table in sorted(TABLES):
            for change in ("INSERT", "UPDATE", "DELETE"):
                await writer.execute_fetchall(
                    f"CREATE TEMP TRIGGER {table}_{change} AFTER {change} ON main.{table}"
                    f" BEGIN SELECT note_change('{table}'); END"
                )

    def get(self, tables: Tables, key: bytes) -> bytes | None:
        """Return what was put in, if it is still true."""
        return self._made_of[tables].get(key)

    def put(self, tables: Tables, key: bytes, made: bytes, version: int) -> None:
        """Keep something that was made of these tables since the version was that."""
        if version != self.version:
            return
        if self._bytes > MOST_BYTES:
            self._forget(self._made_of)
        if self._expiry is None:
            self._expiry = asyncio.get_running_loop().call_later(LONGEST, self._expire)
        self._made_of[tables][key] = made
        self._bytes += len(key) + len(made)

    def settle(self) -> None:
        """Forget what the transactions that have just ended made untrue."""
        if self._changed:
            self._forget([tables for tables in self._made_of if tables & self._changed])
            self._changed.clear()

    def _expire(self) -> None:
        self._expiry = None
        self._forget(self._made_of)

    def _forget(self, parts: Iterable[Tables]) -> None:
        self.version += 1
        for tables in list(parts):
            kept = self._made_of[tables]
            self._bytes -= sum(map(len, kept)) + sum(map(len, kept.values()))
            kept.clear()
