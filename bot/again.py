"""Work in the background that a mistake does not end, nor the program with it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from db.errors import StorageUnavailable

log = logging.getLogger(__name__)


async def again_and_again(work: Callable[[], Awaitable[object]], pause: float) -> None:
    """Do work until cancelled, with `pause` seconds between; what fails is logged and tried again.

    The task's name stands in the log; that storage cannot be used stands there once.
    """
    task = asyncio.current_task()
    name = task.get_name() if task is not None else ""
    is_waiting = False
    while True:
        try:
            await work()
            is_waiting = False
        except StorageUnavailable as fault:
            if not is_waiting:
                log.warning("%s waits for storage: %s", name, fault)
            is_waiting = True
        except Exception:
            log.exception("%s failed, it is tried again in %.0f s", name, pause)
        await asyncio.sleep(pause)
