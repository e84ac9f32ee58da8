"""What Discord's refusals mean: which wait, which are final, and which stop everything.

Discord bans an address that is refused (401, 403, 429) 10,000 times in ten minutes, so a refusal
that concerns every request holds every request back.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import orjson

TIMEOUT = 60.0
"""Seconds that one delivery may take, discord.py's own retries and waits included."""

PATIENCE = 10.0
"""Seconds that discord.py may sleep through a 429 of one channel; longer ones come to the queue."""

BANNED = 60.0
"""Seconds to wait where an edge server refuses everything and does not say for how long."""

UNAUTHORISED = 300.0
"""Seconds between two tries with a token that Discord refuses: it may be Discord's own fault."""

GLANCE = 1.0
"""Seconds between two looks of a queue whether the gate is open."""

TOO_MANY_OLD_EDITS = 30046

log = logging.getLogger(__name__)


class DeliveryError(Exception):
    """A message that Discord did not take; `outcome` is how it is counted."""

    outcome = "failed"


class Unreachable(DeliveryError):
    """Discord did not answer, or not as it should: the message may or may not be there."""

    outcome = "unreachable"


class SlowDown(DeliveryError):
    """Discord takes nothing, or nothing like this, for `seconds`."""

    outcome = "slow-down"

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.seconds = seconds


class HeldBack(DeliveryError):
    """Discord takes nothing at present, so nothing was sent; look again in `seconds`."""

    outcome = "held-back"

    def __init__(self, seconds: float) -> None:
        super().__init__("Discord takes nothing at present")
        self.seconds = seconds


class ChannelClosed(DeliveryError):
    """The channel is gone, or the bot may not post in it."""

    outcome = "closed"


class MessageGone(DeliveryError):
    """The message to edit was deleted."""

    outcome = "gone"


class MessageTooOld(DeliveryError):
    """Discord edits this old message no more."""

    outcome = "too-old"


class Refused(DeliveryError):
    """Discord will never take this content."""

    outcome = "refused"


class NotWanted(Refused):
    """The member takes no private messages from the bot."""


class NoReply(Refused):
    """The bot may not answer messages there, as it may not read them."""


class _Stop(SlowDown):
    """Discord takes nothing at all."""


class Gate:
    """Where every delivery passes; shut while Discord would refuse it whatever it is."""

    def __init__(self) -> None:
        self._is_shut = False
        self._opens_at = 0.0

    @asynccontextmanager
    async def passing(self) -> AsyncIterator[None]:
        """Turn what goes wrong with the requests of the block into delivery errors.

        Raises:
            HeldBack: the gate is shut; the block did not run.
            DeliveryError: Discord did not do what the block asked for.
        """
        if self._is_shut:
            left = self._opens_at - time.monotonic()
            if left > 0:
                raise HeldBack(min(left, GLANCE))
            # One request tries whether it is over; the others wait for its answer.
            self._opens_at = time.monotonic() + TIMEOUT
        try:
            async with asyncio.timeout(TIMEOUT):
                yield
        except discord.HTTPException as fault:
            stop = _stop(fault)
            if stop is not None:
                self._shut(stop)
                raise stop from fault
            self._is_shut = False
            raise _kind(fault)(str(fault)) from fault
        except _Stop as stop:
            self._shut(stop)
            raise
        except DeliveryError:  # from `_read`
            self._is_shut = False
            raise
        except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as fault:
            raise Unreachable(str(fault) or type(fault).__name__) from fault
        except (ValueError, KeyError, TypeError) as fault:
            raise Unreachable(f"Discord's answer cannot be read: {fault!r}") from fault
        self._is_shut = False

    def _shut(self, stop: _Stop) -> None:
        if not self._is_shut:
            log.error("%s; nothing is sent for %.0f s", stop, stop.seconds)
        self._is_shut = True
        self._opens_at = time.monotonic() + stop.seconds


def _stop(fault: discord.HTTPException) -> _Stop | None:
    """Tell whether a refusal concerns every request."""
    if fault.status == 401:
        return _Stop("Discord refuses the token; if it was reset, put the new one in", UNAUTHORISED)
    if fault.status in (403, 429) and not _is_from_discord(fault):
        return _Stop("Discord's edge refuses this address", _retry_after(fault.response.headers))
    return None


def _kind(fault: discord.HTTPException) -> type[DeliveryError]:
    """Tell what a refusal means; a page from somewhere on the way is not Discord's verdict."""
    if not _is_from_discord(fault):
        return Unreachable
    return _OF_CODE.get(fault.code) or _OF_STATUS.get(fault.status, Unreachable)


def _is_from_discord(fault: discord.HTTPException) -> bool:
    headers = fault.response.headers
    is_json = headers.get("Content-Type", "").startswith("application/json")
    return is_json and (fault.status != 429 or "Via" in headers)


def reading_429s() -> aiohttp.TraceConfig:
    """Have 429s acted on that discord.py would only sleep through, or could not read.

    It would sleep for the hours of a message that was edited too often, and a delivery that is
    given up while discord.py sleeps through a global limit would leave it locked for ever.
    """
    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(_read)
    return trace


async def _read(
    _session: aiohttp.ClientSession, _: SimpleNamespace, told: aiohttp.TraceRequestEndParams
) -> None:
    response = told.response
    if response.status != 429 or "/channels/" not in told.url.path or "Via" not in response.headers:
        return
    body = _json(await response.read())
    if body.get("code") == TOO_MANY_OLD_EDITS:
        raise MessageTooOld("too many edits of an old message")
    seconds = body.get("retry_after")
    is_readable = isinstance(seconds, float | int)
    wait = float(seconds or 0) if is_readable else _retry_after(response.headers)
    if body.get("global"):
        raise _Stop("Discord's limit over all requests is reached", wait)
    if wait > PATIENCE or not is_readable:
        raise SlowDown(f"Discord takes no such message for {wait:.0f} s", wait)


def _json(text: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _retry_after(headers: Any) -> float:
    try:
        return max(0.0, float(headers["Retry-After"]))
    except (KeyError, ValueError):
        return BANNED


_OF_CODE: dict[int, type[DeliveryError]] = {
    10003: ChannelClosed,  # unknown channel
    10008: MessageGone,  # unknown message
    TOO_MANY_OLD_EDITS: MessageTooOld,
    50001: ChannelClosed,  # missing access
    50007: NotWanted,  # cannot send messages to this user
    50013: ChannelClosed,  # missing permissions
    50278: NotWanted,  # no guild in common
    160002: NoReply,  # cannot reply without permission to read message history
}

_OF_STATUS: dict[int, type[DeliveryError]] = {
    400: Refused,
    403: ChannelClosed,
    404: ChannelClosed,
    413: Refused,
}
