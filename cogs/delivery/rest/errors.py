"""What Discord's errors mean: which wait, which are final, and which stop everything.

Discord bans an address whose requests it rejects (401, 403, 429) 10,000 times in ten minutes, so an
error that concerns every request holds every request back.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Container
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple

import aiohttp
import discord
import orjson

from cogs.delivery.rest.clock import DiscordClock
from cogs.delivery.rest.codes import (
    CHANNEL,
    CHANNEL_GONE,
    CONTENT,
    EDGE,
    MEMBER,
    MESSAGE_GONE,
    MOMENT,
    NO_MESSAGE_CHANNEL,
    NO_REPLY,
    THREAD_ARCHIVED,
    THREAD_EXISTS,
    TOKEN,
    TOO_MANY_OLD_EDITS,
)

TIMEOUT = 60.0
"""Seconds that one delivery may take, discord.py's own retries and waits included."""

MAX_SLEEP = 10.0
"""Seconds that discord.py may sleep on a 429 of one channel; longer ones are raised."""

DEFAULT_RETRY_AFTER = 60.0
"""Seconds to wait where an edge server rejects everything and does not say for how long."""

UNAUTHORIZED_RETRY = 300.0
"""Seconds between two tries with a token that Discord rejects: it may be Discord's own fault."""

CHECK_INTERVAL = 1.0
"""Seconds after which a queue asks again whether the circuit breaker is closed."""

log = logging.getLogger(__name__)


class DeliveryError(Exception):
    """A message that Discord did not take.

    `outcome` is how it is counted, `code` Discord's own number for why, 0 without one.
    """

    outcome = "failed"
    code = 0


class Unreachable(DeliveryError):
    """Discord did not answer, or not as it should: the message may or may not be there."""

    outcome = "unreachable"


class DiscordRateLimited(DeliveryError):
    """Discord accepts nothing, or nothing of this kind, for `seconds`."""

    outcome = "slow-down"

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.seconds = seconds


class CircuitOpen(DeliveryError):
    """The circuit breaker is open, so nothing was sent; ask again in `seconds`."""

    outcome = "held-back"

    def __init__(self, seconds: float) -> None:
        super().__init__("Discord accepts nothing at present")
        self.seconds = seconds


class ChannelClosed(DeliveryError):
    """The channel is gone, or the bot may not post in it."""

    outcome = "closed"


class Postponed(DeliveryError):
    """Discord does not take this message now, and does not say that it never will."""

    outcome = "postponed"


class ChannelGone(ChannelClosed):
    """The channel or the thread was deleted."""


class NoMessageChannel(ChannelClosed):
    """The channel takes no messages, as a forum does: its posts are threads."""


class ThreadArchived(Postponed):
    """The thread is archived: nothing in it can be changed until it is opened again."""


class MessageGone(DeliveryError):
    """The message to edit was deleted."""

    outcome = "gone"


class MessageTooOld(DeliveryError):
    """Discord edits this old message no more."""

    outcome = "too-old"


class Rejected(DeliveryError):
    """Discord will never accept this content."""

    outcome = "refused"


class DirectMessagesClosed(Postponed):
    """The member does not accept private messages from the bot."""

    outcome = "refused"


class ReplyRejected(Postponed):
    """The bot may not reply to messages there, as it may not read them."""


class ThreadExists(Postponed):
    """The message has a thread already."""


class AllRejected(DiscordRateLimited):
    """Discord rejects every request."""


class Hindrance(NamedTuple):
    """Why messages of a channel wait: Discord's words and its code for them.

    `is_closed`: nothing at all can be posted there.
    """

    reason: str
    code: int
    is_closed: bool


class DiscordCircuitBreaker:
    """Guards every request of the deliveries; open while Discord would reject any of them."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._is_open = False
        self._closes_at = 0.0

    @asynccontextmanager
    async def guard(self) -> AsyncIterator[None]:
        """Turn what goes wrong with the requests of the block into delivery errors.

        Raises:
            CircuitOpen: the circuit breaker is open; the block did not run.
            DeliveryError: Discord did not do what the block asked for.
        """
        if self._client.is_closed():
            raise Unreachable("the connection to Discord has ended")
        if self._is_open:
            left = self._closes_at - time.monotonic()
            if left > 0:
                raise CircuitOpen(min(left, CHECK_INTERVAL))
            # One request tries whether it is over; the others wait for its answer.
            self._closes_at = time.monotonic() + TIMEOUT
        try:
            async with asyncio.timeout(TIMEOUT):
                yield
        except discord.HTTPException as fault:
            error = error_of(fault)
            self._note(error)
            raise error from fault
        except DeliveryError as error:  # from `_raise_on_429`
            self._note(error)
            raise
        except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as fault:
            raise Unreachable(str(fault) or type(fault).__name__) from fault
        except (ValueError, KeyError, TypeError) as fault:
            raise Unreachable(f"Discord's answer cannot be read: {fault!r}") from fault
        self._is_open = False

    def _note(self, error: DeliveryError) -> None:
        if not isinstance(error, AllRejected):
            self._is_open = False
            return
        if not self._is_open:
            log.error("%s; nothing is sent for %.0f s", error, error.seconds)
        self._is_open = True
        self._closes_at = time.monotonic() + error.seconds


def error_of(fault: discord.HTTPException) -> DeliveryError:
    """Return what an error means; a page from somewhere on the way is not Discord's verdict."""
    if fault.status == 401:
        return _token_rejected()
    if _is_from_discord(fault):
        error = _of_code(fault)
        error.code = fault.code
        return error
    if fault.status in (403, 429):
        return AllRejected(
            "Discord's edge rejects this address", _retry_after(fault.response.headers)
        )
    return Unreachable(str(fault))


def _token_rejected() -> DeliveryError:
    text = "Discord rejects the token; if it was reset, put the new one in"
    return AllRejected(text, UNAUTHORIZED_RETRY)


def _of_code(fault: discord.HTTPException) -> DeliveryError:
    """Return what an answer of Discord's own means; what it may yet take is never given up."""
    code, text = fault.code, str(fault)
    if fault.status >= 500 or fault.status == 429:
        return Unreachable(text)
    if code in TOKEN:
        return _token_rejected()
    if code == EDGE:
        return AllRejected(text, DEFAULT_RETRY_AFTER)
    if code == TOO_MANY_OLD_EDITS:
        return MessageTooOld(text)
    if code == NO_REPLY:
        return ReplyRejected(text)
    kinds: dict[type[DeliveryError], Container[int]] = {
        ChannelGone: CHANNEL_GONE,
        NoMessageChannel: NO_MESSAGE_CHANNEL,
        ThreadArchived: THREAD_ARCHIVED,
        ThreadExists: THREAD_EXISTS,
        MessageGone: MESSAGE_GONE,
        DirectMessagesClosed: MEMBER,
        ChannelClosed: CHANNEL,
        Rejected: CONTENT,
        Postponed: MOMENT.keys() - {0},
    }
    found = (kind for kind, codes in kinds.items() if code in codes)
    kind = next(found, _OF_STATUS.get(fault.status, Postponed))
    return kind(text)


def _is_from_discord(fault: discord.HTTPException) -> bool:
    headers = fault.response.headers
    is_json = headers.get("Content-Type", "").startswith("application/json")
    return is_json and (fault.status != 429 or "Via" in headers)


def trace_answers(clock: DiscordClock) -> aiohttp.TraceConfig:
    """Return a trace that sets the clock, and raises on 429s before discord.py sleeps on them.

    Between Discord's answer and discord.py's sleep, aiohttp's traces are the only code of ours. It
    would sleep for the hours of a message that was edited too often, and a delivery that times
    out while discord.py sleeps on a global limit would leave discord.py locked for ever. Its own
    setting, `max_ratelimit_timeout`, begins at 30 s and knows neither of the two.
    """
    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(clock.read)
    trace.on_request_end.append(_raise_on_429)
    return trace


async def _raise_on_429(
    _session: aiohttp.ClientSession, _: SimpleNamespace, request: aiohttp.TraceRequestEndParams
) -> None:
    response, path = request.response, request.url.path
    is_ours = "/channels/" in path or path.endswith("/commands")
    if response.status != 429 or not is_ours or "Via" not in response.headers:
        return
    body = _json(await response.read())
    if body.get("code") == TOO_MANY_OLD_EDITS:
        raise MessageTooOld("too many edits of an old message")
    seconds = body.get("retry_after")
    is_readable = isinstance(seconds, float | int)
    wait = float(seconds or 0) if is_readable else _retry_after(response.headers)
    if body.get("global"):
        raise AllRejected("Discord's limit over all requests is reached", wait)
    if wait > MAX_SLEEP or not is_readable:
        raise DiscordRateLimited(f"Discord's rate limit lasts {wait:.0f} s", wait)


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
        return DEFAULT_RETRY_AFTER


_OF_STATUS: dict[int, type[DeliveryError]] = {403: ChannelClosed, 413: Rejected}
"""What an answer whose code stands in no list means; Discord counts the ones with 403."""
