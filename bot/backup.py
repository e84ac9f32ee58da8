"""Backups: made by hand or every day, listed, and restored."""

import asyncio
import glob
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

from bot.locks import AlreadyRunning, alone_on_database
from bot.settings import DatabaseSettings, Settings
from db import backup as db_backup
from db.errors import StorageError
from db.integrity import SIDE_FILES, beside, full_check

CHECK_INTERVAL = 600.0
"""Seconds between two checks whether a backup is due; also the pause after a failure."""

STAMP = "%Y%m%d-%H%M%S"
DIGITS = f"-{'[0-9]' * 8}-{'[0-9]' * 6}.db"
"""What the names of backups made by the bot end in."""

MEGABYTE = 1_000_000

log = logging.getLogger(__name__)


class Backups:
    """The backups that the running bot makes of its database, named by their time in UTC."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self.folder = settings.path.parent / settings.backup_folder

    def existing(self) -> list[tuple[datetime, Path]]:
        """Return the time and the file of every backup made by a bot, the oldest first."""
        found = []
        for path in self.folder.glob(glob.escape(self._settings.path.stem) + DIGITS):
            with suppress(ValueError):  # digits that are no time
                stamp = path.stem[-len("yyyymmdd-hhmmss") :]
                found.append((datetime.strptime(f"{stamp}Z", f"{STAMP}%z"), path))
        return sorted(found)

    def is_due(self, now: datetime) -> bool:
        """Whether the newest backup is old enough; those from the future do not count."""
        every = timedelta(hours=self._settings.backup_hours)
        return not any(now - every < at <= now for at, _ in self.existing())

    def make(self, now: datetime, stop: Event) -> Path:
        """Make a backup, then delete the oldest of those made by a bot that are too many.

        Raises:
            StorageError: it could not be made; nothing was deleted.
            OSError: the folder cannot be used.
            db_backup.CopyStopped: `stop` was set.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in self.folder.glob(f"{glob.escape(self._settings.path.stem)}{DIGITS}.part*"):
            part.unlink()  # of a bot that was killed; this one is alone
        target = self.folder / f"{self._settings.path.stem}-{now:{STAMP}}.db"
        db_backup.copy(self._settings.path, target, stop=stop)
        others = [path for _, path in self.existing() if path != target]
        for path in others[: max(0, len(others) + 1 - self._settings.backups_kept)]:
            path.unlink()
        return target


async def back_up_regularly(backups: Backups) -> None:
    """Make backups when they are due until cancelled, whatever becomes of one of them."""
    failing = False
    while True:
        stop = Event()
        try:
            if await asyncio.to_thread(backups.is_due, datetime.now(UTC)):
                made = await asyncio.to_thread(backups.make, datetime.now(UTC), stop)
                log.info("backed up to %s", made)
                failing = False
        except asyncio.CancelledError:
            stop.set()  # the thread ends soon; the loop waits for it when it closes
            raise
        except (StorageError, OSError) as fault:
            if not failing:
                log.error("no backup could be made, trying again every ten minutes: %s", fault)
            failing = True
        await asyncio.sleep(CHECK_INTERVAL)


def backup(settings: Settings, target: Path, *, force: bool, say: Callable[[str], None]) -> int:
    """Back up to a file; return the exit code."""
    database = settings.database.path
    if target.resolve() in (beside(database.resolve(), end) for end in ("", ".lock", *SIDE_FILES)):
        say(f"{target} belongs to the database itself: name another file")
        return 1
    if target.exists() and not force and not target.is_dir():
        say(f"{target} already exists: name another file, or use --force to replace it")
        return 1
    try:
        schema = db_backup.copy(database, target)
    except StorageError as fault:
        say(str(fault))
        return 1
    say(f"backed up to {target}: {_size(target)}, schema {schema}, every page of it checked")
    return 0


def list_backups(settings: Settings, say: Callable[[str], None]) -> int:
    """List the files of the backup folder, the newest first; return 1 if one is not usable."""
    backups = Backups(settings.database)
    files = _newest_first(backups.folder)
    if not files:
        say(f"there is no backup in {backups.folder}")
    faults = 0
    for path in files:
        try:
            verdict = f"schema {full_check(path)}, ok"
        except StorageError as fault:
            verdict = f"NOT USABLE: {fault}"
            faults += 1
        at = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
        say(f"{at:%Y-%m-%d %H:%M}  {_size(path):>10}  {path}  {verdict}")
    return 1 if faults else 0


def restore(settings: Settings, file: Path, say: Callable[[str], None]) -> int:
    """Put a backup in the database's place; return the exit code."""
    path = settings.database.path
    try:
        with alone_on_database(path):
            kept = db_backup.restore(file, path)
    except StorageError as fault:
        say(str(fault))
        return 1
    except (AlreadyRunning, OSError) as fault:
        say(f"nothing was restored: {fault}")
        return 1
    if kept is not None:
        say(f"the old database is kept in {kept}")
    say(f"restored {file} to {path}: start the bot")
    return 0


def suggested_restore(settings: Settings, config: Path | None) -> str:
    """Return what to do about a damaged database; the command names the configuration if given."""
    command = (
        "cad-sentinel restore" if config is None else f"cad-sentinel --config {config} restore"
    )
    folder = Backups(settings.database).folder
    for path in _newest_first(folder):
        try:
            full_check(path)
        except StorageError:
            continue
        return f"restore the newest usable backup: {command} {path}"
    return f"there is no usable backup in {folder}; with one from elsewhere: {command} FILE"


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.db"), key=lambda path: path.stat().st_mtime, reverse=True)


def _size(path: Path) -> str:
    return f"{path.stat().st_size / MEGABYTE:.1f} MB"
