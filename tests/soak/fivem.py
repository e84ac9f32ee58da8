"""The in-game resource against the real bot, at its worst: `python -m tests.soak.fivem [SEED…]`.

For each seed: things happen in the game while the bot and the game server are killed at random, 5 %
of the answers get lost and 1 % come after 6 s. Then, once: what a stopped bot costs the game
server, a backlog that drains, and a quiet minute of long polls.
"""

import itertools
import multiprocessing
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from aiohttp.test_utils import unused_port

from tests.fivem.bot_process import TOKEN, BotProcess
from tests.fivem.conftest import NAME, RESOURCE
from tests.fivem.fxserver import TICK, FXServer
from tests.fivem.happenings import Outcome, happen, outcome, stored_numbers
from tests.fivem.lossy_proxy import Losses, LossyProxy

SEEDS = (1, 2, 3)
HAPPENINGS = 300
EAGERNESS = 0.15
"""How likely it is that something happens in a tick."""
LONGEST_LIFE = 3.0
"""Seconds until the next kill, at the most."""
CALM = 300.0
"""Seconds in which everything has to arrive once nothing is killed any more."""

QUIET = 60.0
LIVE = 1_000_000
"""The numbers of what happens elsewhere begin here."""
LATEST = 1.0
"""Seconds until an event has to be in the game."""
BACKLOG, DRAINED_WITHIN = 10_000, 60.0
DEAREST_TICK = 0.0001
"""Seconds of processor time that a tick may cost while the bot is stopped."""

_PROCESSES = multiprocessing.get_context("forkserver")


@dataclass
class Ledger:
    """What was begun and what was promised to be kept, in a file that survives the game server."""

    path: Path

    def write(self, word: str, number: int) -> None:
        with self.path.open("a") as file:
            file.write(f"{word} {number}\n")

    def numbers(self, word: str) -> set[int]:
        """The numbers of the lines that begin so."""
        if not self.path.exists():
            return set()
        lines = self.path.read_text().splitlines()
        return {int(line.split()[1]) for line in lines if line.startswith(word)}


def game_server(folder: Path, url: str) -> FXServer:
    """A game server with the resource, started."""
    folder.mkdir(exist_ok=True)
    server = FXServer(folder)
    server.convars |= {"cad_sentinel_url": url, "cad_sentinel_token": TOKEN}
    server.add(RESOURCE)
    server.start(NAME)
    return server


def _waiting(server: FXServer) -> int:
    return int(server.call(NAME, "Status")[0]["waiting"])


def _play(folder: Path, url: str, seed: int, last: int) -> None:
    """One life of the game server; it ends by itself once all has happened and arrived."""
    ledger, random = Ledger(folder / "ledger.txt"), Random(seed)
    server = game_server(folder, url)
    number = max(ledger.numbers("begun"), default=0)
    while number < last:
        began = time.monotonic()
        server.tick()
        time.sleep(max(0.0, TICK / 1000 - (time.monotonic() - began)))
        if random.random() < EAGERNESS:
            number += 1
            ledger.write("begun", number)
            if happen(server, number):
                ledger.write("kept", number)
    server.run(CALM, until=lambda: _waiting(server) == 0)
    if server.errors:
        raise RuntimeError(server.errors[0])


@dataclass
class Evening:
    """What was done to both, and what came of it."""

    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    outcome: Outcome = field(default_factory=Outcome)
    begun: int = 0

    @property
    def is_good(self) -> bool:
        """Whether all promises were kept."""
        return not self.outcome.missing and not self.outcome.doubled and self.outcome.is_in_order

    def line(self) -> str:
        """Say it in plain words."""
        return (
            f"seed {self.seed}: {self.begun} happenings, kills {dict(self.kills)},"
            f" answers {dict(self.answers)}, missing {len(self.outcome.missing)},"
            f" doubled {len(self.outcome.doubled)}, in order: {self.outcome.is_in_order}"
        )


def evening(folder: Path, seed: int, happenings: int = HAPPENINGS) -> Evening:
    """Kill both again and again while things happen, then let all arrive, and compare."""
    report, random = Evening(seed), Random(seed)
    ledger = Ledger(folder / "game" / "ledger.txt")
    port = unused_port()
    bot = BotProcess(folder, port)
    is_over = threading.Event()

    def kill_the_bot(random: Random) -> None:
        while not is_over.is_set():
            bot.start()
            is_over.wait(random.uniform(0.2, LONGEST_LIFE))
            bot.kill()
            report.kills["bot"] += 1

    killer = threading.Thread(target=kill_the_bot, args=(Random(seed + 1),))
    with LossyProxy(port, Random(seed + 2), Losses()) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        killer.start()
        while max(ledger.numbers("begun"), default=0) < happenings:
            arguments = (folder / "game", url, random.random(), happenings)
            game = _PROCESSES.Process(target=_play, args=arguments)
            game.start()
            game.join(random.uniform(0.5, LONGEST_LIFE))
            if game.is_alive():
                report.kills["game server"] += 1
            game.kill()
            game.join()
        is_over.set()
        killer.join()
        with bot:
            bot.wait()
            with game_server(folder / "game", url) as server:
                server.run(CALM, until=lambda: _waiting(server) == 0)
        report.answers = proxy.counts
    report.begun = len(ledger.numbers("begun"))
    report.outcome = outcome(bot.database, ledger.numbers("kept"))
    return report


def quiet_minute(folder: Path) -> list[str]:
    """Poll for a minute in which nothing happens, then have something happen."""
    broken = []
    with BotProcess(folder, unused_port()) as bot:
        bot.wait()
        with game_server(folder / "game", bot.url) as server:
            crimes = server.record("cad-sentinel:crimes")
            states = []
            ends = time.monotonic() + QUIET
            while time.monotonic() < ends:
                server.tick()
                states.append(server.global_state.get("cadSentinel"))
            failures = states.count("down")
            bot.query("add-crime", description="something")
            began = time.monotonic()
            server.run(10.0, until=lambda: crimes)
            took = time.monotonic() - began
    print(f"quiet for {QUIET:.0f} s: {failures} ticks without the bot; event after {took:.2f} s")
    if failures or took > 1.0:
        broken.append("a quiet minute")
    return broken


def backlog(folder: Path) -> list[str]:
    """Collect a backlog while the bot is stopped, see what that costs, then drain it."""
    port = unused_port()
    bot = BotProcess(folder, port)
    with game_server(folder / "game", bot.url) as server:
        for number in range(1, BACKLOG + 1):
            happen(server, number)
        server.run(5.0)  # the first, quick tries are over
        before, ticks = server.cost(NAME), 3_000
        for _ in range(ticks):
            server.tick()
        cost = (server.cost(NAME) - before) / ticks
        with bot:
            bot.wait()
            began = time.monotonic()
            latest = _drain_beside_live_events(server, bot)
            took = time.monotonic() - began
    stored = [number for number in stored_numbers(bot.database) if number < LIVE]
    is_whole = stored == list(range(1, BACKLOG + 1))
    print(f"stopped bot: {cost * 1000:.4f} ms a tick of {TICK} ms, {BACKLOG} messages waiting")
    print(f"backlog of {BACKLOG}: {took:.1f} s, whole and in order: {is_whole}")
    print(f"events of others meanwhile: in the game after {latest:.2f} s at the latest")
    broken = [] if is_whole else ["the backlog did not arrive as it was"]
    broken += ["the backlog took too long"] if took > DRAINED_WITHIN else []
    broken += ["an event of others came late"] if latest > LATEST else []
    return broken + (["a tick cost too much"] if cost > DEAREST_TICK else [])


def _drain_beside_live_events(server: FXServer, bot: BotProcess) -> float:
    """Drain while another client has something happen each second.

    Returns the longest time in seconds until such an event was in the game.
    """
    crimes = server.record("cad-sentinel:crimes")
    server.run(60.0, until=lambda: server.kvp.get(f"res:{NAME}:after"))  # hears from then on
    asked_at: dict[int, float] = {}
    arrived_at: dict[int, float] = {}
    is_over = threading.Event()

    def live() -> None:
        for number in itertools.count(LIVE):
            began = time.monotonic()
            asked_at[int(bot.query("add-crime", description=str(number))["id"])] = began
            if is_over.wait(1.0):
                return

    other = threading.Thread(target=live)
    other.start()
    heard = 0
    ends = time.monotonic() + CALM
    while _waiting(server) or other.is_alive() or set(asked_at) - set(arrived_at):
        if time.monotonic() > ends:
            raise TimeoutError(f"{_waiting(server)} messages wait, {len(asked_at)} events asked")
        server.tick()
        for data, _ in crimes[heard:]:
            arrived_at[data["crimeId"]] = time.monotonic()
        heard = len(crimes)
        if not _waiting(server):
            is_over.set()
    other.join()
    return max(arrived_at[crime] - began for crime, began in asked_at.items())


def main(seeds: tuple[int, ...]) -> int:
    """Run all of it; 1 if a promise was broken."""
    broken = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            report = evening(Path(folder), seed)
        print(report.line(), flush=True)
        if not report.is_good:
            broken.append(f"seed {seed}: {report.outcome}")
    for part in (backlog, quiet_minute):
        with tempfile.TemporaryDirectory() as folder:
            broken += part(Path(folder))
    print(f"broken promises: {len(broken)}", *broken, sep="\n  ")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(tuple(map(int, sys.argv[1:])) or SEEDS))
