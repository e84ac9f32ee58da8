"""Tells people of troubles: one message each in the log channel, edited when it is over.

Where the log channel itself is of no use, whoever ran /setup gets a private message instead.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress

from cogs.i18n.language import ENGLISH, using_locale
from cogs.routing.layout import SET_UP_BY
from cogs.routing.troubles import Trouble, Troubles
from db import settings, troubles
from db.database import Reader
from db.troubles import StoredTrouble
from webhook.protocol.context import Change, Context
from webhook.protocol.events import Subject, TroubleChanged

RETURN_WITHIN = 60 * 60 * 1000
"""Milliseconds after its end within which a trouble that is back has the same message."""

INTERVAL = 10.0
"""Seconds between two looks, if nobody says that something changed."""

log = logging.getLogger(__name__)


class TroubleReports:
    """Compares what is wrong with what people were told.

    `settle`: seconds that a trouble must last until it is told, and must be gone until it is over,
    so that what comes and goes is not told each time. `log_channel` returns the id of the log
    channel, 0 while Discord is off, None if there is none. `wake` has what was stored delivered.
    """

    def __init__(
        self,
        context: Context,
        present: Troubles,
        settle: float,
        log_channel: Callable[[], int | None],
        wake: Callable[[], None],
    ) -> None:
        self._context = context
        self._troubles = present
        self._settle = settle
        self._log_channel = log_channel
        self._wake = wake
        self.language = ENGLISH
        """The community's, which /setup may change at any time."""
        self._changed = asyncio.Event()
        self._logged: dict[str, str] = {}
        # Of the loop's clock and of the calendar: since when each is there, or is gone.
        self._since: dict[str, tuple[float, int]] = {}
        self._gone: dict[str, tuple[float, int]] = {}

    def note_change(self) -> None:
        """Look again now: something may be wrong, or mended."""
        self._changed.set()

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            self._changed.clear()
            await self.report_changes()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(INTERVAL, self._settle or INTERVAL)):
                    await self._changed.wait()

    async def report_changes(self) -> None:
        """Log and tell what is wrong now; each source is asked once in each language."""
        found = self._present(ENGLISH)
        self._log_changes(*found)
        await self._tell_changes(
            *(found if self.language == ENGLISH else self._present(self.language))
        )

    def _present(self, language: str) -> tuple[list[Trouble], bool]:
        with using_locale(language):
            return self._troubles.present_and_whether_all()

    def _log_changes(self, found: list[Trouble], is_all: bool) -> None:
        """Log what went wrong since the last time, once, and what was mended."""
        present = [trouble for trouble in found if trouble.is_told]
        for trouble in present:
            if self._logged.get(trouble.key) != trouble.sentence:
                about = f" ({trouble.about})" if trouble.about else ""
                log.warning("%s%s", trouble, about)
            self._logged[trouble.key] = trouble.sentence
        if is_all:
            for key in self._logged.keys() - {trouble.key for trouble in present}:
                log.info("fixed: %s", self._logged.pop(key))

    async def _tell_changes(self, found: list[Trouble], is_all: bool) -> None:
        """Store what is to be told; nothing is written while nothing changes."""
        present = {trouble.key: trouble for trouble in found}
        clock = (time.monotonic(), self._context.now())
        self._since = {key: self._since.get(key, clock) for key in present}
        told = {
            row.key: row
            for row in await troubles.open_or_ended_since(
                self._context.read, self._context.now() - RETURN_WITHIN
            )
        }
        gone = [key for key, row in told.items() if row.ended_at is None and key not in present]
        self._gone = {key: self._gone.get(key, clock) for key in gone if is_all}
        begun = [key for key in present if self._is_news(present[key], told.get(key))]
        over = [key for key in self._gone if self._has_settled(self._gone[key])]
        reworded = [key for key in present if _is_reworded(present[key], told.get(key))]
        if not (begun or over or reworded):
            return
        log_channel = self._log_channel()
        directly = log_channel is None or any(one.is_about(log_channel) for one in found)
        async with self._context.change() as change:
            for key in begun:
                await self._tell(change, present[key], told.get(key), directly=directly)
            for key in over:
                await troubles.end(change.sql, told[key].id, self._gone[key][1])
                await _note(change, told[key])
            for key in reworded:
                trouble = present[key]
                await troubles.reword(change.sql, told[key].id, trouble.sentence, trouble.cure)
                await _note(change, told[key])
        self._wake()

    def _is_news(self, trouble: Trouble, told: StoredTrouble | None) -> bool:
        is_open = told is not None and told.ended_at is None
        return trouble.is_told and not is_open and self._has_settled(self._since[trouble.key])

    def _has_settled(self, since: tuple[float, int]) -> bool:
        return time.monotonic() - since[0] >= self._settle

    async def _tell(
        self, change: Change, trouble: Trouble, told: StoredTrouble | None, *, directly: bool
    ) -> None:
        if told is not None:
            await troubles.reopen(change.sql, told.id)
            await _note(change, told)
            return
        member_id = await who_set_up(change.sql) if directly else 0
        began_at = trouble.since or self._since[trouble.key][1]
        trouble_id = await troubles.begin(
            change.sql,
            trouble.key,
            trouble.sentence,
            trouble.cure,
            trouble.about,
            member_id,
            began_at,
        )
        stored = await troubles.get(change.sql, trouble_id)
        assert stored is not None  # noqa: S101 - stored just now
        await _note(change, stored)


def _is_reworded(trouble: Trouble, told: StoredTrouble | None) -> bool:
    if told is None or told.ended_at is not None:
        return False
    return (trouble.sentence, trouble.cure) != (told.sentence, told.cure)


async def _note(change: Change, trouble: StoredTrouble) -> None:
    """Have the message of a trouble shown as it is stored now."""
    event = TroubleChanged(id=trouble.id, key=trouble.key, member_id=trouble.member_id)
    about = () if trouble.member_id else (Subject("trouble", str(trouble.id)),)
    await change.note(event, *about)


async def who_set_up(sql: Reader) -> int:
    """Return the id of who chose something in /setup last, or else of who typed it first.

    0: nobody has.
    """
    return int(await settings.get(sql, SET_UP_BY) or 0)
