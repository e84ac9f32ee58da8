"""Floods against the real program: `python -m tests.soak.floods [ATTACK…]`.

Each attack comes from a process of its own and from many addresses of loopback, while well-behaved
clients push, query and ask for its health. A table says how they fared and what it cost; the exit
code is 1 if a bound was broken.

Judged is what the program did, in processor time, as Linux counts it for each thread: waiting for a
machine that is busy with other things is not its fault.
"""

import asyncio
import contextlib
import gzip
import json
import math
import os
import random
import resource
import sqlite3
import statistics
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

from tests.end_to_end.environment import CAD_KEY, TOKEN, BotEnvironment, call_911
from tests.fake_discord import FakeDiscord

LONG = float(os.environ.get("SOAK_SECONDS", "15"))
"""Seconds that each attack lasts."""

MOST_GROWTH = 150
"""MiB that the process may grow by."""
MOST_WORK = 0.1
"""Processor seconds of the event loop before a message that needs no disk is answered, in 99 of 100
cases: those of the two or three turns in which it is read, carried out and answered."""

LONGEST_WORK = 0.25
"""The same in the worst case, with a full run of the garbage collector."""

MOST_WORK_OF_PUSH = 1.0
"""Processor seconds of all threads before a push is answered."""

MOST_LINES = 1_000
"""Lines that one attack may write into the log."""
MOST_CLIENTS = 1_000
"""Client ids of a token whose subscriptions may be kept."""

BODY = 1536 * 1024
WRONG_KEY = b'{"key":"wrong-key","type":"EVENT_911","data":{}}'

Attack = Callable[[int], Coroutine[Any, Any, None]]


def address(number: int) -> str:
    """One of 200 addresses of this machine, none of which well-behaved clients have."""
    return f"127.0.1.{1 + number % 200}"


async def connect(port: int, number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(address(number), 0))


def post(path: str, length: int, **headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


async def many(number: int, one: Callable[[int], Awaitable[None]]) -> None:
    """Run `one` side by side, over and over; whatever the listener does about it is right."""

    async def again(place: int) -> None:
        while True:
            with contextlib.suppress(OSError, EOFError, aiohttp.ClientError):
                await one(place)
            await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as group:
        for place in range(number):
            group.create_task(again(place))


async def talk(port: int, place: int, *parts: bytes, wait: float = 60.0) -> bytes:
    """Send bytes and return what is answered."""
    reader, writer = await connect(port, place)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                return await reader.read(65536)
        return b""
    finally:
        writer.transport.abort()


async def idle(port: int) -> None:
    """10,000 connections that say nothing."""
    await many(10_000, lambda place: silent(port, place))


async def idle_one(port: int) -> None:
    """3,000 of them from one address."""
    await many(3_000, lambda _: silent(port, 0))


async def silent(port: int, place: int) -> None:
    await talk(port, place)


async def headers(port: int) -> None:
    """4,000 requests whose headers never end."""
    start = b"POST /event HTTP/1.1\r\nHost: x\r\n"
    given = b"".join(b"X-%d: %b\r\n" % (number, b"a" * 4_000) for number in range(40))

    async def one(place: int) -> None:
        await talk(port, place, start, given)

    await many(4_000, one)


async def trickle(port: int) -> None:
    """2,000 pushes of 1.5 MiB whose last bytes never come."""
    body = b"x" * (BODY - 1000)

    async def one(place: int) -> None:
        await talk(port, place, post("/event", BODY), body)

    await many(2_000, one)


async def endless(port: int) -> None:
    """200 chunked bodies that never end."""
    start = b"POST /event HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def one(place: int) -> None:
        await talk(port, place, start, *([b"1\r\nx\r\n" * 1_000] * 10_000))

    await many(200, one)


async def bombs(port: int) -> None:
    """100 compressed bodies at a time that unpack to a gigabyte."""
    packed = gzip.compress(b"\0" * 2**30, 9)
    halves = [post("/event", len(packed), Content_Encoding="gzip"), packed]
    await many(100, lambda place: swallow(talk(port, place, *halves)))


async def swallow(work: Awaitable[bytes]) -> None:
    await work


async def keys(port: int) -> None:
    """Wrong keys, more than 1,000 a second."""

    async def one(place: int) -> None:
        reader, writer = await connect(port, place)
        request = post("/event", len(WRONG_KEY)) + WRONG_KEY
        with contextlib.closing(writer):
            while True:
                writer.write(request)
                await reader.readuntil(b"Failed!")
                await asyncio.sleep(0.05)

    await many(100, one)


async def tokens(port: int) -> None:
    """Wrong tokens at all doors, 500 at a time."""
    ask = b"GET %b HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %d\r\n\r\n"

    async def one(place: int) -> None:
        path = (b"/ws", b"/api/events", b"/ws?token=x")[place % 3]
        await talk(port, place, ask % (path, place))

    await many(500, one)


async def pipelines(port: int) -> None:
    """200 connections with wrong tokens, each sending requests with long headers behind them."""
    given = b"".join(b"X-%d: %b\r\n" % (number, b"a" * 4_000) for number in range(40))
    ask = b"GET /api/events HTTP/1.1\r\nHost: x\r\n%b\r\n" % given

    async def one(place: int) -> None:
        await talk(port, place, *([ask] * 40))

    await many(200, one)


async def crowd(port: int) -> None:
    """500 connections that ask for the health at once, each many times in a kilobyte."""
    ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 28
    everybody = asyncio.Barrier(500)

    async def one(place: int) -> None:
        reader, writer = await connect(port, place)
        with contextlib.closing(writer):
            await everybody.wait()
            writer.write(ask)
            async with asyncio.timeout(10):
                await reader.read()

    await many(500, one)


def hostile_bodies() -> list[bytes]:
    """Documents that take long to read."""
    wrong = b'{"key":"wrong","data":%b}'
    data = [
        b"{" + b",".join(b'"%x":1' % number for number in range(150_000)) + b"}",
        b"[" + b"[]," * 500_000 + b"1]",
        b"[" + b"1," * 700_000 + b'"\\ud800"]',
        b'["' + b"\\ud800" * 250_000 + b'"]',
        b"[" * 1_500_000,
        b"1" * 1_500_000,
        b'"' + "\u200b".encode() * 500_000 + b'"',
    ]
    broken = [
        b"a=" + b"%zz" * 20_000,
        b"a=" + b"%zz" * 500_000,
        b"[" + b"1.5," * 14_000 + b"NaN]",
        b'["' + b"\xed\xa0\xbd\xed\xb8\x80" * 40_000 + b'"]',
    ]
    return [*((wrong % body)[:BODY] for body in data), *broken]


async def documents(port: int) -> None:
    """Documents that take long to read, 40 at a time."""
    bodies = hostile_bodies()

    async def one(place: int) -> None:
        body = random.choice(bodies)
        await talk(port, place, post("/event", len(body)), body)

    await many(40, one)


async def authentic(port: int) -> None:
    """Hostile pushes with the right key, as from a CAD that somebody has taken over."""
    shapes = [
        {"callIds": [1] * 49_000},
        {"callIds": list(range(49_000))},
        {"call": {"callId": 1, "metaData": {chr(0xF0000 + n): None for n in range(40_000)}}},
        {"call": {"callId": 1, "description": "\u200b" * 400_000}},
        {"dispatch": {"callId": 1, "notes": [{"content": "x" * 20}] * 24_000}},
        {"units": [{"id": 1}] * 24_000},
        {"pad": ["x"] * 49_000},
    ]
    kinds = ["EVENT_REMOVE_911", "EVENT_911", "EVENT_DISPATCH_NEW", "EVENT_UNIT_UPDATE", "NONE"]
    bodies = [
        json.dumps({"key": CAD_KEY, "type": kind, "data": shape}, ensure_ascii=False).encode()
        for shape in shapes
        for kind in kinds
    ]

    async def one(place: int) -> None:
        body = random.choice(bodies)
        await talk(port, place, post("/event", len(body)), body, wait=5.0)

    await many(4, one)


def framed(opcode: int, payload: bytes, fin: bool = True) -> bytes:
    """A websocket frame, masked with zeros."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size)
    return bytes([0x80 * fin | opcode]) + length + b"\0\0\0\0" + payload


def upgrade(path: str) -> bytes:
    """The request for a websocket with a valid token."""
    return (
        f"GET {path}?token={TOKEN} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()


async def frames(port: int) -> None:
    """100 websockets that send garbage, binary, pings, fragments and frames too huge to be true."""
    kinds = [
        framed(1, b"{") * 10_000,
        framed(2, b"x" * 100) * 10_000,
        framed(9, b"ping") * 10_000,
        framed(10, b"") * 10_000,
        framed(1, b"", fin=False) + framed(0, b"", fin=False) * 10_000,
        b"\x81\xff" + b"\xff" * 8 + b"\0" * 1_000,
        framed(1, b'{"type":"queries.get-tiers"}') * 10_000,
        framed(1, b"[" * 60_000) * 10,
    ]

    async def one(place: int) -> None:
        kind = kinds[place % len(kinds)]
        more = kind if kind[0] & 0x80 else kind[6:]
        await talk(port, place, upgrade("/ws"), kind, *([more] * 100), wait=10.0)

    await many(100, one)


async def subscriptions(port: int) -> None:
    """Sessions of ever new clients, each with a subscription, on 100 connections."""
    number = count()

    async def one(_: int) -> None:
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"http://127.0.0.1:{port}/ws?token={TOKEN}") as ws,
        ):
            while True:
                client = f"client-{os.getpid()}-{next(number)}"
                await ws.send_json({"type": "session", "data": {"id": client}})
                await ws.send_json({"type": "subscribe", "data": {"id": "events.alerts"}})
                await ws.receive(timeout=10)
                await ws.receive(timeout=10)

    await many(100, one)


INBOX = {"type": "send", "address": "events.from.martians"}
BUS_FRAMES: list[dict[str, Any]] = [
    INBOX | {"body": {"type": "queries.get-tiers", "data": {"requestIdentifier": "x"}}},
    INBOX | {"body": "[" * 1_000},
    INBOX | {"address": "events.to.martians.another", "body": {}},
    {"type": "register", "address": "events.to.martians.flood"},
    {"type": "nonsense", "address": "events.x"},
    {"type": "ping"},
]


async def bus_frames(port: int) -> None:
    """The same on 100 event buses, half of them without SockJS."""

    def kinds(wrap: Callable[[str], str]) -> list[bytes]:
        return [
            framed(1, b"{") * 10_000,
            framed(1, wrap("{").encode()) * 10_000,
            framed(2, b"x" * 100) * 10_000,
            framed(9, b"ping") * 10_000,
            framed(1, b"") * 10_000,
            b"\x81\xff" + b"\xff" * 8 + b"\0" * 1_000,
            framed(1, wrap(json.dumps(BUS_FRAMES[0])).encode()) * 10_000,
            framed(1, wrap("[" * 60_000).encode()) * 10,
        ]

    on_sockjs, bare = kinds(lambda text: json.dumps([text])), kinds(str)

    async def one(place: int) -> None:
        path, of_path = (
            ("/events/0/flood/websocket", on_sockjs),
            ("/events/websocket", bare),
        )[place % 2]
        kind = of_path[place // 2 % len(of_path)]
        await talk(port, place, upgrade(path), *([kind] * 100), wait=10.0)

    await many(100, one)


async def bus_sessions(port: int) -> None:
    """Ever new sessions over HTTP that nobody comes back to, 200 at a time."""
    number = count()

    async def one(place: int) -> None:
        path = f"/events/0/{os.getpid()}-{next(number)}/xhr?token={TOKEN}"
        await talk(port, place, post(path, 0), wait=1.0)

    await many(200, one)


async def bus_posts(port: int) -> None:
    """100 sessions over HTTP, each with more messages than can be carried out."""
    body = json.dumps([json.dumps(frame) for frame in BUS_FRAMES] * 200).encode()

    async def one(place: int) -> None:
        path = f"/events/0/{os.getpid()}-{place}"
        poll = asyncio.create_task(
            swallow(talk(port, place, post(f"{path}/xhr_streaming?token={TOKEN}", 0)))
        )
        send = post(f"{path}/xhr_send?token={TOKEN}", len(body)) + body
        with contextlib.suppress(TimeoutError):
            await talk(port, place, send, send, send, wait=5.0)
        poll.cancel()

    await many(100, one)


async def bus_subscribers(port: int) -> None:
    """200 pages that subscribe to everything and never read, over websocket and over HTTP."""
    frames = [
        {"type": "register", "address": "events.to.martians.slow"},
        INBOX | {"body": {"type": "session", "data": {"id": "slow"}}},
        INBOX | {"body": {"type": "subscribe", "data": {"id": "events.all", "cad": True}}},
    ]
    texts = [json.dumps(frame) for frame in frames]
    ping = framed(1, json.dumps(['{"type":"ping"}']).encode())
    sessions = count()

    async def over_websocket(place: int) -> None:
        reader, writer = await connect(port, place)
        with contextlib.closing(writer):
            writer.write(upgrade(f"/events/0/{place}/websocket"))
            await reader.readuntil(b"\r\n\r\n")
            writer.write(framed(1, json.dumps(texts).encode()))
            while not writer.is_closing():
                writer.write(ping)
                await writer.drain()
                await asyncio.sleep(3)

    async def over_http(place: int) -> None:
        path = f"/events/0/{os.getpid()}-{next(sessions)}"  # a new one begins with `o`
        reader, writer = await connect(port, place)
        with contextlib.closing(writer):
            writer.write(post(f"{path}/xhr_streaming?token={TOKEN}", 0))
            await reader.readuntil(b"\r\no\n")
            for body in (json.dumps(texts).encode(), *([b'["{\\"type\\":\\"ping\\"}"]'] * 20)):
                send = post(f"{path}/xhr_send?token={TOKEN}", len(body)) + body
                await talk(port, place, send, wait=3.0)

    async def one(place: int) -> None:
        await (over_websocket, over_http)[place % 2](place)

    async def push_much() -> None:
        """Push large calls, as the CAD: all of them wait for who does not read."""
        data = {"call": {"callId": 7, "description": "x" * 3_000}}
        for number in count():
            data["call"]["caller"] = f"caller {number}"
            body = json.dumps({"key": CAD_KEY, "type": "EVENT_911", "data": data}).encode()
            await swallow(talk(port, 0, post("/event", len(body)), body, wait=1.0))
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        group.create_task(many(200, one))
        group.create_task(push_much())


async def oddities(port: int) -> None:
    """What is no HTTP, or hardly, 100 at a time."""
    smuggled = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    odd = [
        b"POST /event HTTP/1.1\r\nHost: x\r\n" + smuggled,
        b"POST /event HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://elsewhere/healthz HTTP/1.0\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 100_000,
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 1_000,
    ]

    async def one(place: int) -> None:
        await talk(port, place, odd[place % len(odd)], wait=1.0)

    await many(100, one)


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        idle,
        idle_one,
        headers,
        trickle,
        endless,
        bombs,
        keys,
        tokens,
        pipelines,
        crowd,
        documents,
        authentic,
        frames,
        subscriptions,
        bus_frames,
        bus_sessions,
        bus_posts,
        bus_subscribers,
        oddities,
    )
}


@dataclass
class Fared:
    """How well-behaved clients fared, and what the process with this id did meanwhile."""

    pid: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    work: dict[str, list[float]] = field(default_factory=dict)
    """Processor seconds before each answer: of the event loop, but for pushes of all threads."""
    failures: Counter[str] = field(default_factory=Counter)

    async def each(self, name: str, pause: float, ask: Callable[[], Awaitable[bool]]) -> None:
        """Ask again and again."""
        times, work = self.seconds.setdefault(name, []), self.work.setdefault(name, [])
        processor = loop_seconds if name == "turn" else all_seconds
        while True:
            began, worked = time.perf_counter(), processor(self.pid)
            try:
                async with asyncio.timeout(60):
                    good = await ask()
            except (OSError, aiohttp.ClientError, TimeoutError) as fault:
                self.failures[f"{name}: {fault!r}"[:80]] += 1
            else:
                times.append(time.perf_counter() - began)
                work.append(processor(self.pid) - worked)
                self.failures[f"{name}: refused"] += not good
            await asyncio.sleep(pause)

    def figures(self, name: str) -> str:
        return "".join(f"{part * 1e3:6.0f}" for part in spread(self.seconds.get(name, [])))

    def worked(self, name: str) -> str:
        return "".join(f"{part * 1e3:5.0f}" for part in spread(self.work.get(name, [])))


def spread(times: list[float]) -> tuple[float, float, float]:
    """Return the median, the 99th percentile and the longest."""
    if not times:
        return (math.inf,) * 3
    ordered = sorted(times)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.99)], ordered[-1]


def loop_seconds(pid: int) -> float:
    """Return the processor time of the thread that runs a process's event loop."""
    return _processor_seconds(Path(f"/proc/{pid}/task/{pid}"))


def all_seconds(pid: int) -> float:
    """Return the processor time of all threads that a process has now."""
    return sum(map(_processor_seconds, Path(f"/proc/{pid}/task").iterdir()))


def _processor_seconds(thread: Path) -> float:
    try:
        return int((thread / "schedstat").read_text().split()[0]) / 1e9
    except OSError:  # it has just ended
        return 0.0


def memory(pid: int) -> int:
    """Return how much memory a process has, in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 2**20


async def watch(pid: int, seen: list[int]) -> None:
    while True:
        seen.append(memory(pid))
        await asyncio.sleep(0.1)


async def behave(env: BotEnvironment, fared: Fared, calls: "count[int]") -> None:
    """Be all the well-behaved clients: a script, the CAD, and what looks after the program."""

    async def push() -> bool:
        return await env.push("EVENT_911", call_911(next(calls))) == 200

    async def health() -> bool:
        async with aiohttp.ClientSession() as http, http.get(f"{env.url}/healthz") as got:
            return got.status == 200

    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{env.url}/ws?token={TOKEN}") as ws,
        asyncio.TaskGroup() as group,
    ):

        async def turn() -> bool:
            """One turn of the event loop: nothing is read from disk to answer this."""
            await ws.send_str('{"type":"nothing"}')
            return "unknown-type" in str((await ws.receive()).data)

        group.create_task(fared.each("turn", 0.02, turn))
        group.create_task(fared.each("push", 0.1, push))
        group.create_task(fared.each("health", 0.25, health))


async def suffer(env: BotEnvironment, pid: int, name: str, calls: "count[int]") -> bool:
    """Go through one attack; tell whether all bounds held."""
    log = env.folder / "log.txt"
    written = log.stat().st_size
    fared, seen = Fared(pid), [memory(pid)]
    good = asyncio.create_task(behave(env, fared, calls))
    watching = asyncio.create_task(watch(pid, seen))
    attacker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.soak.floods",
        "--attack",
        name,
        env.url.rpartition(":")[2],
        stdout=asyncio.subprocess.PIPE,
    )
    assert attacker.stdout is not None
    await attacker.stdout.readline()
    await asyncio.sleep(LONG)
    attacker.kill()
    await attacker.wait()
    await asyncio.sleep(2)
    for task in (good, watching):
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            fared.failures[f"gave up: {task.exception()!r}"[:200]] += 1
    said = log.read_bytes()[written:].decode(errors="replace")
    rows = 0
    with contextlib.suppress(OSError, aiohttp.ClientError, TimeoutError):
        async with asyncio.timeout(30):
            rows = len((await env.query("get-tiers"))["tiers"])
    _, most_work, longest_work = spread(fared.work.get("turn", []))
    *_, work_of_push = spread(fared.work.get("push", []))
    faults = {
        f"grew by {max(seen) - seen[0]} MiB": max(seen) - seen[0] > MOST_GROWTH,
        f"failures: {dict(+fared.failures)}": bool(+fared.failures),
        f"the loop did {most_work:.2f} s of work in a turn": most_work > MOST_WORK,
        f"and once {longest_work:.2f} s": longest_work > LONGEST_WORK,
        f"a push waited for {work_of_push:.2f} s of work": work_of_push > MOST_WORK_OF_PUSH,
        f"{said.count(chr(10))} lines in the log": said.count("\n") > MOST_LINES,
        "a traceback in the log": "Traceback" in said,
        "no answer afterwards": rows != 3,
    }
    broken = [fault for fault, is_broken in faults.items() if is_broken]
    figures = [f"{name:15}{seen[0]:5}{max(seen):5}{seen[-1]:5}"]
    figures += [*map(fared.worked, ("turn", "push")), *map(fared.figures, ("turn", "push"))]
    print(
        f"{'  '.join(figures)}{said.count(chr(10)):7}  " + ("; ".join(broken) or "ok"),
        flush=True,
    )
    return not broken


async def main(names: list[str]) -> int:
    """Start the program, go through the attacks, print the table."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    print(f"open files: {files}; each attack lasts {LONG:.0f} s; milliseconds are p50, p99, max")
    print(
        f"{'':15}{'MiB: before, most,':>18}  {'processor time before':^28}"
        f"  {'time of a':^36}     log\n"
        f"{'':15}{'after':>15}   {'turn':^15}  {'push':^13}   {'turn':^17}   {'push':^17}  lines"
    )
    calls, port = count(1), 30_999
    held = True
    with tempfile.TemporaryDirectory() as folder:
        async with FakeDiscord() as fake:
            env = BotEnvironment(fake, Path(folder))
            async with env.bot_process(port) as process:
                await started(env)
                for name in names or ATTACKS:
                    held &= await suffer(env, process.pid, name, calls)
        kept = await stored_clients(Path(folder) / "sentinel.db")
    print(f"clients with subscriptions in the database: {kept}")
    return 0 if held and kept <= MOST_CLIENTS else 1


async def started(env: BotEnvironment) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(60):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(f"{env.url}/healthz") as got:
                    if got.status == 200:
                        return
            await asyncio.sleep(0.1)


async def stored_clients(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as database:
        (number,) = database.execute("SELECT count(DISTINCT client) FROM subscriptions").fetchone()
    return int(number)


if __name__ == "__main__":
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    if sys.argv[1:2] == ["--attack"]:
        print("ready", flush=True)
        uvloop.run(ATTACKS[sys.argv[2]](int(sys.argv[3])))
    else:
        sys.exit(uvloop.run(main(sys.argv[1:])))
