"""A Discord in which something is always wrong: `python -m tests.soak.discord [SECONDS] [SEED]`.

Ten times as fast as the real one: a minute here is ten of the minutes by which Discord bans.
"""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from aiohttp.test_utils import unused_port

from cogs.delivery.delivery_context import Pace
from tests.cogs.discord_failures import DELIVERIES, FAILURES
from tests.end_to_end.environment import BotEnvironment
from tests.fake_discord import FakeDiscord, Rate, add_forum, add_thread
from tests.soak.ledger import Ledger, broken_promises, caught_up
from tests.soak.load import Load
from tests.soak.process import Haste, bot_process, stopped

SECONDS = 60.0
TENTH = Haste(Pace(edit=0.1, gather=0.02, feed=0.1, retry=0.1, closed=30.0), refused=6.0)
PAUSE = 0.2
"""Seconds between two deeds of one of the load: about as much as Discord lets be shown."""

POSTS = DELIVERIES.replace("messages", "(messages|threads)")
"""Where is posted, also to a forum."""

LONGEST_FAILURE = 1.0
LONGEST_PEACE = 2.0
MOST_INVALID = 0.01
"""The share of refused requests (401, 403, 429) that is still polite."""

GATEWAY: dict[str, Callable[[FakeDiscord], None]] = {
    "gateway drop": lambda fake: fake.drop_gateway(),
    "gateway drop, no resume": lambda fake: fake.drop_gateway(resumable=False),
    "gateway op 7": lambda fake: fake.ask_reconnect(),
    "gateway op 9": lambda fake: fake.invalidate_sessions(),
    "outage": lambda fake: fake.outage(),
}


@dataclass
class Report:
    """What was done, and the promises that broke."""

    failures: Counter[str] = field(default_factory=Counter)
    faults: int = 0
    done: int = 0
    requests: int = 0
    invalid: int = 0
    messages: int = 0
    broken: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Say it in plain words."""
        return [
            f"failures: {self.failures.total()} {dict(self.failures)}",
            f"requests: {self.requests}, gone wrong on purpose: {self.faults}",
            f"refused with 401, 403 or 429: {self.invalid} ({self.invalid / self.requests:.2%})",
            f"answered as done: {self.done}; messages in Discord: {self.messages}",
            f"broken promises: {len(self.broken)}",
            *(f"  {text[:500]}" for text in self.broken[:20]),
        ]


async def misbehave(env: BotEnvironment, seconds: float, seed: int) -> Report:
    """Have one failure after the other under load, then peace, and compare."""
    report, ledger, random, fake = Report(), Ledger(), Random(seed), env.fake
    load = Load(env, ledger, Random(seed), PAUSE)
    with bot_process(env, unused_port(), TENTH) as process:
        await env.healthy()
        await load.prepare()
        await fake.until(lambda: bool(env.guild.commands), timeout=30)
        working = asyncio.create_task(load.run())
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            await asyncio.sleep(random.uniform(0.0, LONGEST_PEACE))
            failure, lasts = (
                random.choice([*FAILURES, *GATEWAY]),
                random.uniform(0.0, LONGEST_FAILURE),
            )
            report.failures[failure] += 1
            if failure in GATEWAY:
                GATEWAY[failure](fake)
            else:
                told = _lasting(FAILURES[failure], lasts)
                channel = random.choice(list(env.channels.values()))
                path = POSTS.replace(r"\d+", str(channel.id))
                fake.fault("*", path if _is_of_channel(told) else POSTS, **told)
            await asyncio.sleep(lasts)
            report.faults += sum(fault.hits for fault in fake.faults.pending)
            fake.recover()
        working.cancel()
        await asyncio.wait({working})
        for place in env.channels.values():
            place.deny("manage_messages")  # rights changed: closed channels are tried again
        await caught_up(env)
        if not await stopped(process):
            report.broken.append(f"the stop ended with {process.exitcode}")
    report.broken += await broken_promises(env, ledger)
    report.done, report.requests = ledger.done.total(), len(fake.requests)
    report.invalid, report.messages = fake.invalid_requests, len(fake.messages)
    if report.invalid > MOST_INVALID * report.requests:
        report.broken.append(f"more than {MOST_INVALID:.0%} of the requests were refused")
    return report


def _is_of_channel(failure: dict[str, Any]) -> bool:
    """Tell whether Discord itself refuses something about a channel, which others do not share."""
    body = failure.get("body")
    return isinstance(body, dict) and not body.get("global")


def _lasting(failure: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Have a failure last so long, and say so where it says how long it lasts."""
    lasting = failure | {"times": None}
    body, headers = failure.get("body"), failure.get("headers")
    if isinstance(body, dict) and "retry_after" in body:
        lasting["body"] = body | {"retry_after": seconds}
    if headers and "Retry-After" in headers:
        lasting["headers"] = headers | {"Retry-After": f"{seconds:.2f}"}
    return lasting


def _use_threads(env: BotEnvironment) -> None:
    """Have cards and feeds in threads and forums too."""
    parent = env.guild.add_channel("everything")
    env.channels["emergency"] = add_thread(parent, "911", env.dora.user)
    env.channels["visits"] = add_thread(parent, "Visits", env.dora.user)
    env.channels["dispatch"] = add_forum(env.guild, "calls", "open", "closed")
    env.channels["access"] = add_forum(env.guild, "doors")


async def _main(seconds: float, seed: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        async with FakeDiscord() as fake:
            fake.limits.messages = Rate(5, 0.5)
            fake.limits.everything = Rate(50, 0.1)
            env = BotEnvironment(fake, Path(folder))
            _use_threads(env)
            report = await misbehave(env, seconds, seed)
    print(f"discord: {seconds:.0f} s, seed {seed}")
    print("\n".join(report.lines()))
    return 1 if report.broken else 0


if __name__ == "__main__":
    told = [float(argument) for argument in sys.argv[1:]]
    seconds, seed = told + [SECONDS, time.time_ns() % 10**6][len(told) :]
    sys.exit(asyncio.run(_main(seconds, int(seed))))
