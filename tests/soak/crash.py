"""kill -9 again and again under load: `python -m tests.soak.crash [ROUNDS] [SEED]`."""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from aiohttp.test_utils import unused_port

from tests.end_to_end.environment import BotEnvironment
from tests.fake_discord import FakeDiscord
from tests.soak.ledger import Ledger, broken_promises, caught_up
from tests.soak.load import Load
from tests.soak.process import bot_process, stopped

ROUNDS = 200
LONGEST_LIFE = 2.0
"""Seconds from a start to the kill at the most; a start takes a part of them."""

UNDER_WAY = 100
"""Requests among which those are that were not answered yet."""

FAILURES = ("none", "slow", "failing", "unheard", "silent", "down")
"""How Discord is while the bot is killed: `unheard` and `silent` do what they deny."""


@dataclass
class Report:
    """What was done, and the promises that broke."""

    kills: int = 0
    forgotten: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    messages: int = 0
    broken: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Say it in plain words."""
        return [
            f"kills: {self.kills}, after {self.forgotten} of them Discord had forgotten the nonces",
            f"Discord during the kills: {dict(self.failures)}",
            f"answered as done: {self.deeds.total()} {dict(self.deeds)}",
            f"without an answer: {self.unanswered}",
            f"messages in Discord: {self.messages}",
            f"broken promises: {len(self.broken)}",
            *(f"  {text[:6000]}" for text in self.broken[:20]),
        ]


async def crash(
    env: BotEnvironment, rounds: int, seed: int, longest: float = LONGEST_LIFE
) -> Report:
    """Kill the bot in each round, have it catch up in the end, and compare."""
    report, ledger, port = Report(), Ledger(), unused_port()
    random = Random(seed)
    load = Load(env, ledger, Random(seed))  # its own: it is asked in whatever order
    with bot_process(env, port):
        await env.healthy()
        await load.prepare()
        await env.fake.until(lambda: bool(env.guild.commands), timeout=30)
    running = asyncio.create_task(load.run())
    for _ in range(rounds):
        failure = random.choice(FAILURES)
        _cause(env.fake, failure)
        with bot_process(env, port) as process:
            await asyncio.sleep(random.uniform(0.0, longest))
            process.kill()
        report.kills += 1
        report.failures[failure] += 1
        if random.random() < 0.5:
            await _landed(env.fake)
            env.fake.forget_nonces()
            report.forgotten += 1
        if random.random() < 0.5:
            env.fake.recover()
    running.cancel()
    await asyncio.wait({running})
    env.fake.recover()
    with bot_process(env, port) as process:
        await caught_up(env)
        if not await stopped(process):
            report.broken.append(f"the last stop ended with {process.exitcode}")
    report.broken += await broken_promises(env, ledger)
    for name, times in ledger.done.items():
        report.deeds[name.split()[0]] += times
    if missing := {"cad.EVENT_911", "auth-entries", "drone-dispatched"} - report.deeds.keys():
        report.broken.append(f"never answered as done in the whole run: {missing}")
    report.unanswered = (ledger.begun - ledger.done).total()
    report.messages = len(env.fake.messages)
    return report


def _cause(fake: FakeDiscord, failure: str) -> None:
    """Have Discord's answers to deliveries go wrong; what was so before ends."""
    fake.recover()
    deliveries = ("*", r"^/channels/\d+/messages")
    match failure:
        case "slow":
            fake.fault("POST", deliveries[1], delay=0.4, times=None)
            fake.fault("PATCH", deliveries[1], delay=0.1, times=None)
        case "failing":
            fake.fault(*deliveries, status=503, times=20)
        case "unheard":
            fake.fault(*deliveries, status=503, after=True, times=20)
        case "silent":
            fake.fault(*deliveries, reset=True, after=True, times=20)
        case "down":
            fake.outage()


async def _landed(fake: FakeDiscord) -> None:
    """Wait for requests that are still under way: no nonce is forgotten within seconds."""
    await fake.until(lambda: all(one.status is not None for one in fake.requests[-UNDER_WAY:]))


async def _main(rounds: int, seed: int) -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        async with FakeDiscord() as fake:
            fake.limits.hurry()
            report = await crash(BotEnvironment(fake, Path(folder)), rounds, seed)
    print(f"crash: {rounds} rounds, seed {seed}, {time.monotonic() - began:.0f} s")
    print("\n".join(report.lines()))
    return 1 if report.broken else 0


if __name__ == "__main__":
    told = [int(argument) for argument in sys.argv[1:]]
    sys.exit(asyncio.run(_main(*(told + [ROUNDS, time.time_ns() % 10**6][len(told) :]))))
