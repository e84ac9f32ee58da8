"""The endpoints of Sonoran's API v2 that are used, and how often (its documentation, 2026-08)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SHARE = 2 / 3
"""The part of a published limit that is used: the game server asks with the same key."""

CALLER = 0
"""The origin of a call that somebody reported."""

_SERVER = "/emergency/servers/{server}"


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """How a CAD is asked: its key, the number of its server, and the origin of calls we open."""

    key: str = field(repr=False)
    server: int = 1
    url: str = "https://api.sonorancad.com"
    origin: int = CALLER


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of the API; `published`: how often a minute the CAD takes it, for each key.

    `repeatable`: whether doing it twice is the same as doing it once.
    """

    name: str
    method: str
    path: str
    published: int
    repeatable: bool = True

    @property
    def most(self) -> int:
        """How often a minute we use it."""
        return max(1, int(self.published * SHARE))

    def request(self, body: Mapping[str, Any], server: int) -> tuple[str, dict[str, Any]]:
        """Return the path and the body; what the path names is not in the body."""
        named = {name: body[name] for name in ("callId", "uuid") if f"{{{name}}}" in self.path}
        rest = {name: value for name, value in body.items() if name not in named}
        return self.path.format(server=server, **named), rest


ENDPOINTS = {
    endpoint.name: endpoint
    for endpoint in (
        Endpoint("panic", "PATCH", f"{_SERVER}/units/panic", 20),
        Endpoint("attach", "POST", f"{_SERVER}/dispatch-calls/{{callId}}/attachments", 10),
        Endpoint("detach", "DELETE", f"{_SERVER}/dispatch-calls/attachments", 10),
        Endpoint("close", "POST", f"{_SERVER}/dispatch-calls/close", 20),
        Endpoint("note", "POST", f"{_SERVER}/dispatch-calls/{{callId}}/notes", 60, False),
        Endpoint("status", "PATCH", f"{_SERVER}/units/status", 30),
        Endpoint("remove-911", "DELETE", f"{_SERVER}/calls/911/{{callId}}", 10),
        Endpoint("create-911", "POST", f"{_SERVER}/calls/911", 10, False),
        Endpoint("create-dispatch", "POST", f"{_SERVER}/dispatch-calls", 20, False),
        Endpoint("calls", "GET", f"{_SERVER}/calls", 5),
        Endpoint("units", "GET", f"{_SERVER}/units", 3),
        Endpoint("account", "GET", "/general/accounts/account", 10),
        Endpoint("account-units", "GET", f"{_SERVER}/accounts/{{uuid}}/units", 10),
        Endpoint("version", "GET", "/general/version", 10),
    )
}
"""By the kind of a request; the last three are asked on the way, or to test."""
