"""Whatever a push holds, its cards and its entry in a feed can be shown."""

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import given

from cogs.cards import CARDS, render
from cogs.feeds import feed_of
from tests.examples import examples
from tests.webhook.cad.test_properties import mutated_bodies
from tests.webhook.harness import open_harness
from webhook.cad import InvalidPush, UnhandledType
from webhook.cad.store import store_push


async def show(body: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with open_harness(Path(folder) / "sentinel.db") as harness:
            with suppress(InvalidPush, UnhandledType):
                await store_push(harness.context(), "cad", body)
            for event in await harness.journal_events():
                for subject in event.subjects:
                    if subject.kind in CARDS:
                        await render(harness.database.read, subject)
                if (feed := feed_of(event.name)) is not None:
                    (await feed.render(harness.database.read, event)).build()


def check_shown(body: dict[str, Any]) -> None:
    asyncio.run(show(body))


@given(mutated_bodies())
@examples(0.5)
def test_cards_and_entries_of_odd_pushes_can_be_shown(body: dict[str, Any]) -> None:
    check_shown(body)
