"""`python -m benchmarks.path`: the functions that an EVENT_911 passes until its card is sent.

The bot runs in this process, connected to the fake Discord, and takes one 911 call before, so that
nothing is done for the first time. Then every function of bot, cogs, webhook and db is counted that
is called between the next push and the arrival of the create-message request.

A function counts once, however often it is called. Comprehensions, lambdas and generator
expressions count as part of the function around them. Counted like this, commit 4474795 has 201
functions in 54 files (a review of it counted 197 in 51).

The walk is printed in the order of the first calls, indented below the caller. `·` marks a leaf
helper, which calls no other function of ours: a reader may skip it, so the summary also says how
many remain without them.
"""

import asyncio
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType

from cogs.delivery.delivery_context import Pace
from tests.end_to_end.environment import BotEnvironment, call_911
from tests.fake_discord import FakeDiscord

ROOT = Path(__file__).resolve().parents[1]
OURS = tuple(f"{ROOT / folder}/" for folder in ("bot", "cogs", "webhook", "db"))
MOST_FUNCTIONS, MOST_FILES = 110, 25


@dataclass
class Step:
    """A function that was called: its first caller, and how many of ours it calls itself."""

    code: CodeType
    caller: "Step | None"
    callees: set[CodeType] = field(default_factory=set)

    @property
    def depth(self) -> int:
        """How many functions of ours were on the way to it."""
        return 0 if self.caller is None else self.caller.depth + 1

    @property
    def is_leaf(self) -> bool:
        """Whether it is a helper that calls nothing of ours."""
        return self.caller is not None and not self.callees

    @property
    def file(self) -> str:
        """Its file, relative to the repository."""
        return str(Path(self.code.co_filename).relative_to(ROOT))

    def __str__(self) -> str:
        mark = "·" if self.is_leaf else " "
        name = f"{'  ' * self.depth}{self.code.co_qualname.replace('.<locals>', '')}"
        return f"{mark} {name}  {self.file}:{self.code.co_firstlineno}"


class Path911:
    """Collects the functions of ours that are called while it is on."""

    def __init__(self) -> None:
        self.steps: dict[CodeType, Step] = {}
        self.changes_of_file = 0
        self.is_on = False
        self._file = ""

    def profile(self, frame: FrameType, event: str, _: object) -> None:
        """Note a call, as `sys.setprofile` reports it."""
        if event != "call" or not self.is_on or not _is_counted(frame):
            return
        code = frame.f_code
        caller = next((self.steps.get(outer.f_code) for outer in _callers(frame)), None)
        if caller is not None and caller.code is not code:
            caller.callees.add(code)
        if code not in self.steps:
            self.steps[code] = Step(code, caller)
        if code.co_filename != self._file:
            self._file = code.co_filename
            self.changes_of_file += 1


def _is_counted(frame: FrameType) -> bool:
    code = frame.f_code
    return code.co_filename.startswith(OURS) and not code.co_name.startswith("<")


def _callers(frame: FrameType) -> Iterator[FrameType]:
    """Yield the functions of ours that are on the way to a frame, the nearest first."""
    outer = frame.f_back
    while outer is not None:
        if _is_counted(outer):
            yield outer
        outer = outer.f_back


async def record() -> Path911:
    """Push a call and wait for the request that posts its card."""
    path = Path911()
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder  # where the bot looks for others with its Discord token
        async with FakeDiscord() as fake:
            env = BotEnvironment(fake, Path(folder))
            configured = env.settings()
            urls = {"api_url": fake.rest_url, "gateway_url": fake.gateway_url}
            discord = configured.discord.model_copy(update=urls)
            env.settings = lambda: configured.model_copy(update={"discord": discord})  # type: ignore[method-assign]
            threading.setprofile(path.profile)
            async with env.bot_running(Pace()):
                await fake.wait_connected()
                await fake.until(lambda: bool(env.guild.commands))
                await env.add_property("Laundromat")
                sys.setprofile(path.profile)
                await _post(env, 1, path)
                path.steps.clear()
                path.changes_of_file = 0
                await _post(env, 2, path)
                sys.setprofile(None)
            threading.setprofile(None)
    return path


async def _post(env: BotEnvironment, call_id: int, path: Path911) -> None:
    """Push a call; end the record as soon as the request for its card has arrived."""
    channel = env.channel("emergency")
    env.fake.requests.clear()
    path.is_on = True
    push = asyncio.create_task(env.push("EVENT_911", call_911(call_id)))
    while not any(  # noqa: ASYNC110 - the request is recorded before the fake answers it
        (request.method, request.path) == ("POST", channel.messages_path)
        for request in env.fake.requests
    ):
        await asyncio.sleep(0)
    path.is_on = False
    await push
    await channel.next_message()
    await asyncio.sleep(0.2)


def main() -> int:
    """Print the walk and what it comes to; return 1 while it is too long."""
    path = asyncio.run(record())
    steps = list(path.steps.values())
    for step in steps:
        print(step)
    functions, files = len(steps), len({step.file for step in steps})
    without = [step for step in steps if not step.is_leaf]
    print(
        f"\nEVENT_911 to its card: {functions} functions (at most {MOST_FUNCTIONS}) in"
        f" {files} files (at most {MOST_FILES}), {path.changes_of_file} changes of file;"
        f" without leaf helpers {len(without)} in {len({step.file for step in without})}"
    )
    return 0 if functions <= MOST_FUNCTIONS and files <= MOST_FILES else 1


if __name__ == "__main__":
    sys.exit(main())
