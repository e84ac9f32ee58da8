"""A Discord that refuses: `python -m tests.soak.refusals [SEED]`.

Each code that Discord documents is its answer to posts and to edits, once and for a while, under
load; meanwhile channels, roles and the bot's own roles change, and the bot is killed and started
again with another clock. In the end somebody presses *Post again*, and every accepted event must be
shown once.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from aiohttp.test_utils import unused_port

from cogs.delivery.delivery_context import Pace
from cogs.delivery.rest.codes import MESSAGE_GONE
from tests.cogs.discord_codes import DOCUMENTED_CODES
from tests.end_to_end.environment import BotEnvironment
from tests.fake_discord import FakeDiscord, render
from tests.soak.ledger import Ledger, broken_promises, caught_up
from tests.soak.load import Load
from tests.soak.process import Haste, bot_process, stopped

CLOCKS = (0.0, 7_200.0, -7_200.0, 600.0)
"""Seconds that the clock is ahead, of one process after the other."""

HASTE = Haste(Pace(edit=0.02, gather=0.02, feed=0.02, retry=0.02, closed=0.2), refused=0.1)
LASTS = 0.15
PAUSE = 0.2
"""Seconds of a lasting refusal, and between two deeds of one of the load."""

ONLY_ORDER = ": lost Counter(), extra Counter(), or out of order"
"""What the ledger says of a feed whose rejected entries were posted again, after later ones."""


async def refuse(
    env: BotEnvironment, seed: int, codes: Sequence[int], clocks: Sequence[float] = CLOCKS
) -> list[str]:
    """Have Discord refuse with each code; return the promises that broke."""
    ledger, random = Ledger(), Random(seed)
    load = Load(env, ledger, Random(seed), PAUSE)
    working: asyncio.Task[None] | None = None
    for part, clock in enumerate(clocks):
        with bot_process(env, unused_port(), HASTE, clock) as process:
            await env.healthy()
            if working is None:
                await load.prepare()
                working = asyncio.create_task(load.run())
            await env.fake.until(lambda: bool(env.guild.commands), timeout=30)
            for code in codes[part :: len(clocks)]:
                await _refuse_with(env, random, code)
            if part < len(clocks) - 1:
                continue  # killed; what it did not store is in doubt
            working.cancel()
            await asyncio.wait({working})
            _restore(env)
            await _post_again(env)
            await caught_up(env)
            if not await stopped(process):
                return [f"the stop ended with {process.exitcode}"]
    faults = await broken_promises(env, ledger)
    return [fault for fault in faults if not fault.endswith(ONLY_ORDER)]


async def _refuse_with(env: BotEnvironment, random: Random, code: int) -> None:
    status = random.choice((400, 403, 404))
    body = {"code": code, "message": f"refused with {code}"}
    for times in (1, None):
        env.fake.fault("POST", r"^/channels/\d+/messages$", status=status, body=body, times=times)
        if code not in MESSAGE_GONE:  # the message would be there all the same
            edits = r"^/channels/\d+/messages/\d+$"
            env.fake.fault("PATCH", edits, status=status, body=body, times=times)
        random.choice(DANCE)(env, random)
        await asyncio.sleep(random.uniform(0.0, LASTS))
        env.fake.recover()


def _deny(env: BotEnvironment, random: Random) -> None:
    rights = random.choice(("send_messages", "view_channel", "mention_everyone", "embed_links"))
    random.choice(list(env.channels.values())).deny(rights)


def _give_role(env: BotEnvironment, random: Random) -> None:
    env.guild.bot_member.add_role(env.guild.add_role(f"crew {random.random()}"))


def _change_role(env: BotEnvironment, random: Random) -> None:
    env.on_call.grant(random.choice(("view_channel", "mention_everyone")))


def _restore(env: BotEnvironment, _: Random | None = None) -> None:
    for channel in env.channels.values():
        channel.restore()


DANCE: tuple[Callable[[BotEnvironment, Random], None], ...] = (
    _deny,
    _restore,
    _give_role,
    _change_role,
)


async def _post_again(env: BotEnvironment) -> None:
    """Press the button until nothing is refused any more."""
    while True:
        status = await env.fake.slash(env.dora, "status")
        await env.fake.until(lambda: "Version" in render(status))  # noqa: B023
        if "Post again" not in render(status):
            return
        await env.fake.click(env.dora, status, "Post again")
        await caught_up(env)


async def _main(seed: int) -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        async with FakeDiscord() as fake:
            fake.limits.hurry()
            fake.interactions.deadline = 15.0
            env = BotEnvironment(fake, Path(folder))
            env.feed_age_minutes = 0
            broken = await refuse(env, seed, DOCUMENTED_CODES)
    print(f"refusals: {len(DOCUMENTED_CODES)} codes, seed {seed}, {time.monotonic() - began:.0f} s")
    print(f"requests: {len(fake.requests)}, messages in Discord: {len(fake.messages)}")
    print(f"broken promises: {len(broken)}", *broken[:20], sep="\n  ")
    return 1 if broken else 0


if __name__ == "__main__":
    told = [int(argument) for argument in sys.argv[1:]]
    sys.exit(asyncio.run(_main(*told or [time.time_ns() % 10**6])))
