"""kill -9: what was answered as done is there, and is told exactly once."""

import time

from tests.end_to_end.town import Town
from tests.soak.crash import crash

ROUNDS = 10


async def test_nothing_is_lost_and_nothing_told_twice_through_kills_at_any_moment(
    town: Town,
) -> None:
    seed = time.time_ns() % 10**6
    report = await crash(town, ROUNDS, seed, longest=1.0)
    assert report.broken == [], f"seed {seed}"
    assert report.kills == ROUNDS
    # Clicks and commands are in it too.
    assert {"cad.EVENT_911", "auth-entries", "drone-dispatched"} <= report.deeds.keys(), seed
