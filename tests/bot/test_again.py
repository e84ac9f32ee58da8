"""Work in the background goes on after whatever it does."""

import asyncio

import pytest

from bot.again import again_and_again
from db.errors import StorageUnavailable


async def test_work_that_fails_is_logged_under_its_name_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = asyncio.Event()
    faults = [KeyError("unforeseen"), *[StorageUnavailable("disk full")] * 3, ValueError("again")]

    async def work() -> None:
        if faults:
            raise faults.pop(0)
        done.set()

    task = asyncio.create_task(again_and_again(work, 0.0), name="chore")
    await asyncio.wait_for(done.wait(), 10)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert [record.getMessage() for record in caplog.records] == [
        "chore failed, it is tried again in 0 s",
        "chore waits for storage: disk full",
        "chore failed, it is tried again in 0 s",
    ]
    assert "KeyError: 'unforeseen'" in caplog.text
