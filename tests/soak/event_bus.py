"""Idle pages of the original web client, in real time: `python -m tests.soak.event_bus`.

One page a transport says nothing but its pings, for longer than every timeout of the event bus.
Then an event must reach each of them. The exit code is 1 if one was disconnected or heard nothing.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

import uvloop

from tests.webhook.harness import open_harness
from tests.webhook.http.test_original_client import TRANSPORTS, open_pages
from tests.webhook.serving import serve

IDLE = float(os.environ.get("SOAK_SECONDS", "60"))
"""Seconds that the pages idle: twelve pings, two heartbeats."""


async def main() -> int:
    """Let the pages idle and print what became of them."""
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        async with (
            open_harness(Path(folder) / "sentinel.db") as harness,
            serve(harness) as app,
            open_pages(app) as pages,
        ):
            for transport in TRANSPORTS:
                await pages.connect(transport, transports=[transport], id=transport)
                await pages("subscribe", transport, names=["alerts"])
            await asyncio.sleep(IDLE)
            async with harness.context().change() as change:
                await change.emit_named("alerts", b"{}")
            for transport in TRANSPORTS:
                events = await pages("events", transport, count=1)
                state = await pages("rest", transport, seconds=0)
                is_well = len(events) == 1 and state["closed"] is None and not state["errors"]
                failures += not is_well
                print(f"{transport:15}{'ok' if is_well else state}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
