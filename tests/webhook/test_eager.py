"""Work that is begun at once: done if it never waits, and otherwise a task like any other."""

import asyncio

import pytest

from webhook.eager import begin


async def test_what_never_waits_is_done_at_once_and_without_a_task() -> None:
    done = []

    async def work() -> None:
        done.append("all of it")

    async with asyncio.TaskGroup() as group:
        assert begin(group, work()) is None
        assert done == ["all of it"]


async def test_what_waits_goes_on_in_a_task_with_what_it_waited_for() -> None:
    awaited = asyncio.get_running_loop().create_future()
    seen: list[object] = []

    async def work() -> None:
        seen.append("before")
        seen.append(await awaited)
        await asyncio.sleep(0)
        seen.append(asyncio.current_task())

    async with asyncio.TaskGroup() as group:
        task = begin(group, work())
        assert seen == ["before"]
        awaited.set_result("came")
    assert seen == ["before", "came", task]


async def test_a_fault_of_what_it_waits_for_reaches_the_work() -> None:
    awaited = asyncio.get_running_loop().create_future()
    seen = []

    async def work() -> None:
        try:
            await awaited
        except ArithmeticError as fault:
            seen.append(fault)
            await asyncio.sleep(0)
            seen.append(fault)

    fault = ArithmeticError()
    async with asyncio.TaskGroup() as group:
        begin(group, work())
        awaited.set_exception(fault)
    assert seen == [fault, fault]


@pytest.mark.parametrize("waits", [False, True])
async def test_a_fault_of_the_work_ends_the_group_or_reaches_who_began_it(waits: bool) -> None:
    async def work() -> None:
        if waits:
            await asyncio.sleep(0)
        raise ArithmeticError

    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as group:
            begin(group, work())
    assert caught.group_contains(ArithmeticError)


async def test_it_is_cancelled_where_it_waits() -> None:
    seen = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async with asyncio.TaskGroup() as group:
        task = begin(group, work())
        assert task is not None
        await asyncio.sleep(0)
        task.cancel()
    assert seen == ["cancelled"]
    assert task.cancelled()
