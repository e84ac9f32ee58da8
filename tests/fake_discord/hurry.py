"""Takes discord.py's long waits away, which would make tests of reconnects last for seconds."""

from __future__ import annotations

from typing import Any

import discord
import pytest

READY_TIMEOUT = 0.02
BACKOFF = 0.01


class _ShortBackoff:
    """Stands in for discord.py's exponential backoff between two attempts to connect."""

    def delay(self) -> float:
        """Hardly any."""
        return BACKOFF


async def _identify_at_once(
    _client: discord.Client, _shard_id: int | None, *, initial: bool = False
) -> None:
    """Stands in for the hook that waits 5 s before every IDENTIFY but the first."""


def hurry(patch: pytest.MonkeyPatch) -> None:
    """Have clients reconnect, identify anew and become ready at once, until the patch ends."""
    begin = discord.state.ConnectionState.__init__

    def begin_hurried(state: Any, **options: Any) -> None:
        options.setdefault("guild_ready_timeout", READY_TIMEOUT)
        begin(state, **options)

    patch.setattr(discord.state.ConnectionState, "__init__", begin_hurried)
    patch.setattr(discord.client, "ExponentialBackoff", _ShortBackoff)
    patch.setattr(discord.Client, "before_identify_hook", _identify_at_once)
