"""Faults on demand: an answer that is wrong, late, or never comes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from .errors import JSON
from .limits import Headers, body_of_429, refusal_headers

RETRY_AFTER = 0.05


@dataclass(eq=False)
class Fault:
    """What goes wrong with the next requests that fit."""

    method: str
    path: re.Pattern[str]
    status: int = 503
    times: int | None = 1
    """How often it still happens; None: until cleared."""
    body: JSON | list[JSON] | str | None = None
    headers: Headers | None = None
    reset: bool = False
    after: bool = False
    delay: float = 0.0
    cut: bool = False
    """Whether the real answer breaks off in the middle of its JSON."""
    replaces: bool = True
    """Whether the real answer is withheld, instead of only delayed."""
    hits: int = 0
    """How often it has happened."""

    def fits(self, method: str, path: str) -> bool:
        """Whether it concerns the request."""
        if self.times is not None and self.hits >= self.times:
            return False
        return self.method in ("*", method) and self.path.search(path) is not None

    @property
    def answer_body(self) -> JSON | list[JSON] | str:
        """What stands in the faulty answer."""
        if self.body is not None:
            return self.body
        if self.status == 429:
            return body_of_429(RETRY_AFTER)
        if self.status in (500, 502, 503, 504):
            return "<html>upstream connect error</html>"
        return {"message": f"{self.status}: Fault", "code": 0}

    @property
    def answer_headers(self) -> Headers:
        """The headers of the faulty answer; a 429 without any of its own looks like Discord's."""
        if self.headers is not None:
            return self.headers
        if self.status != 429:
            return {}
        body: Any = self.answer_body
        retry_after = float(body.get("retry_after", 0)) if isinstance(body, dict) else 0.0
        return refusal_headers(retry_after, "user")


@dataclass
class Faults:
    """The faults that are still to happen, and the outage of everything."""

    pending: list[Fault] = field(default_factory=list)
    outage: bool = False

    def add(self, fault: Fault) -> Fault:
        """Have the fault happen."""
        self.pending.append(fault)
        return fault

    def clear(self) -> None:
        """Have no fault happen any more."""
        self.pending.clear()
        self.outage = False

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that happens to the request, counted."""
        fault = next((one for one in self.pending if one.fits(method, path)), None)
        if fault is not None:
            fault.hits += 1
        return fault
