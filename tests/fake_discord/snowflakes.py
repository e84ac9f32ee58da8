"""Ids as Discord makes them: milliseconds since 2015, so that ids can be compared with times."""

from datetime import UTC, datetime
from time import time  # whatever a test makes of the bot's clock

DISCORD_EPOCH = 1_420_070_400_000

_last = 0


def discord_time() -> float:
    """What time it is in Discord, in seconds since 1970."""
    return time()


def next_snowflake() -> int:
    """A new id made of the present time, greater than every id before it."""
    global _last
    now = (int(discord_time() * 1000) - DISCORD_EPOCH) << 22
    _last = max(_last + 1, now)
    return _last


def snowflake_at(moment: datetime) -> int:
    """The lowest id that could have been made at the moment."""
    return (int(moment.timestamp() * 1000) - DISCORD_EPOCH) << 22


def moment_of(snowflake: int) -> datetime:
    """When the id was made."""
    return datetime.fromtimestamp(((snowflake >> 22) + DISCORD_EPOCH) / 1000, UTC)
