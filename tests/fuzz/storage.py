"""A house for many inputs: what one has changed is put back before the next."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import mkdtemp
from threading import Thread
from typing import Any

from tests.webhook.harness import START, AppHarness, open_harness


class Storage:
    """An open house; the fuzzer ends the process, and its parent removes the folder."""

    harness: AppHarness

    def __init__(self, furnish: Callable[[AppHarness], Coroutine[Any, Any, None]]) -> None:
        self._loop = asyncio.new_event_loop()
        self._stack = AsyncExitStack()
        folder = Path(mkdtemp(prefix="fuzz-"))

        def move_in() -> None:
            self.harness = self.run(
                self._stack.enter_async_context(open_harness(folder / "house.db"))
            )

        # Threads of a daemon are daemons, so that SQLite's do not outlive a finding.
        opening = Thread(target=move_in, daemon=True)
        opening.start()
        opening.join()
        self.run(furnish(self.harness))
        self._beside = sqlite3.connect(folder / "house.db", isolation_level=None)
        self._beside.execute(f"VACUUM INTO '{folder / 'furnished.db'}'")
        self._beside.execute(f"ATTACH '{folder / 'furnished.db'}' AS furnished")
        # The audit log lets nobody put it back; the indexes of searches follow their tables.
        for name in ("audit_is_not_changed", "audit_is_not_deleted"):
            self._beside.execute(f"DROP TRIGGER main.{name}")
        names = (
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
            " AND name <> 'sqlite_schema'"
        )
        self._tables = [name for (name,) in self._beside.execute(names).fetchall()]
        self._version = self._data_version()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to its end."""
        return self._loop.run_until_complete(work)

    def has_changed(self) -> bool:
        """Tell whether anything was written since it was put back."""
        return self._data_version() != self._version

    def put_back(self) -> None:
        """Undo whatever was written."""
        self.harness.clock.now = START
        self.harness.published.clear()
        if not self.has_changed():
            return
        self._beside.execute("BEGIN IMMEDIATE")
        for table in self._tables:
            self._beside.execute(f"DELETE FROM main.{table}")  # noqa: S608
            self._beside.execute(
                f"INSERT INTO main.{table} SELECT * FROM furnished.{table}"  # noqa: S608
            )
        self._beside.execute("COMMIT")
        self._version = self._data_version()

    def _data_version(self) -> int:
        """Return what another connection's commit changes."""
        (version,) = self._beside.execute("PRAGMA data_version").fetchone()
        return int(version)
