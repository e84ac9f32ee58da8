"""Rate limits: buckets with a fixed window, the headers that tell of them, the 429 answers."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass, field

from .errors import JSON, DiscordError

Headers = dict[str, str]


@dataclass(frozen=True)
class Rate:
    """So many requests in so many seconds."""

    limit: int
    per: float


class TooManyRequests(DiscordError):
    """The answer to a request too many."""

    def __init__(self, retry_after: float, headers: Headers, *, scope: str, code: int = 0) -> None:
        super().__init__(
            429,
            code,
            "You are being rate limited.",
            retry_after=round(retry_after, 3),
        )
        self.body["global"] = scope == "global"
        if not code:
            del self.body["code"]
        self.headers = {**headers, **refusal_headers(retry_after, scope)}


def refusal_headers(retry_after: float, scope: str) -> Headers:
    """What Discord's own 429s carry besides the bucket; `Via` tells them from Cloudflare's."""
    headers = {
        "Retry-After": str(max(1, math.ceil(retry_after))),
        "X-RateLimit-Scope": scope,
        "Via": "1.1 google",
    }
    return {**headers, "X-RateLimit-Global": "true"} if scope == "global" else headers


@dataclass
class Bucket:
    """The requests counted in the present window of one route and channel."""

    name: str
    used: int = 0
    ends: float = 0.0

    def take(self, rate: Rate, *, scope: str) -> Headers:
        """Count a request and give its headers, or refuse it."""
        now = time.monotonic()
        if now >= self.ends:
            self.used, self.ends = 0, now + rate.per
        if self.used >= rate.limit:
            raise TooManyRequests(self.ends - now + 0.001, self._headers(rate, now), scope=scope)
        self.used += 1
        return self._headers(rate, now)

    def _headers(self, rate: Rate, now: float) -> Headers:
        # Rounded up: a client that waits as told must not come a fraction too early.
        left = math.ceil((self.ends - now) * 1000) / 1000
        return {
            "X-RateLimit-Limit": str(rate.limit),
            "X-RateLimit-Remaining": str(max(0, rate.limit - self.used)),
            "X-RateLimit-Reset": f"{time.time() + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": self.name,
        }


@dataclass
class Limits:
    """All the limits of the fake; every number may be changed at any time."""

    messages: Rate = Rate(5, 5.0)
    """Creating messages, per channel."""
    edits: Rate | None = None
    """Editing messages, per channel; None: edits share the bucket of creations."""
    webhooks: Rate = Rate(30, 5.0)
    """Follow-ups, per interaction."""
    others: Rate = Rate(50, 1.0)
    """Every other route."""
    everything: Rate | None = None
    """All requests except interaction answers (Discord: 50 a second); None: not limited."""
    old_after: float = 3600.0
    """From this age in seconds on a message is old."""
    old_edits: int | None = None
    """How often an old message can be edited (afterwards: 429 with 30046); None: for ever."""
    old_edit_retry_after: float = 0.05
    too_many_requests: int = 0
    """How many requests were refused with 429."""
    _buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)
    _global_until: float = 0.0

    def hurry(self, limit: int = 1000, per: float = 0.1) -> None:
        """Loosen the limits of messages, for tests about something else."""
        self.messages = Rate(limit, per)

    def limit_globally(self, seconds: float) -> None:
        """Refuse every request with a global 429 for so long."""
        self._global_until = time.monotonic() + seconds

    def forget(self) -> None:
        """Start with empty buckets again."""
        self._buckets.clear()
        self._global_until = 0.0

    def take_global(self) -> None:
        """Count a request against the limit of everything, or refuse it."""
        left = self._global_until - time.monotonic()
        if left > 0:
            raise TooManyRequests(left, {}, scope="global")
        if self.everything is not None:
            bucket = self._bucket("global", "")
            try:
                bucket.take(self.everything, scope="global")
            except TooManyRequests as refusal:
                refusal.headers.pop("X-RateLimit-Bucket", None)
                raise

    def take(self, kind: str, major: str) -> Headers:
        """Count a request of that kind (messages, edits, webhooks or a route)."""
        if kind == "edits" and self.edits is None:
            kind = "messages"
        return self._bucket(kind, major).take(self._rate(kind), scope="user")

    def _rate(self, kind: str) -> Rate:
        if kind == "messages":
            return self.messages
        if kind == "edits" and self.edits is not None:
            return self.edits
        return self.webhooks if kind == "webhooks" else self.others

    def _bucket(self, kind: str, major: str) -> Bucket:
        # The hash names the route's limit; discord.py adds the channel itself.
        name = hashlib.blake2b(kind.encode(), digest_size=16).hexdigest()
        return self._buckets.setdefault((kind, major), Bucket(name))


def too_many_old_edits(retry_after: float) -> DiscordError:
    """The refusal of an edit to a message older than an hour: a 429 of its own."""
    refusal = TooManyRequests(retry_after, {}, scope="user", code=30046)
    message = "Maximum number of edits to messages older than 1 hour reached. Try again later"
    refusal.body["message"] = message
    return refusal


def body_of_429(retry_after: float, *, everywhere: bool = False) -> JSON:
    """The body of a 429, for faults made on demand."""
    message = "You are being rate limited."
    return {"message": message, "retry_after": retry_after, "global": everywhere}
