"""A bot that does what the test says, for the in-game resource: no network, no waiting."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fivem.http_client import GameRequest

Refuse = Callable[[dict[str, Any]], int]


def _take_all(message: dict[str, Any]) -> int:
    del message
    return 200


@dataclass
class ScriptedBot:
    """Keeps each message once by its key, as the bot does.

    `refuse` gives the status of a message; `is_down` has nobody listen, `is_another_server` some
    other program; `loses_answers` is how many of the next answers get lost after the message was
    carried out. `replies` has the data of answers by the type of the message. `wants_cad`: whether
    it has no API key, None: it is too old to ask; `cad_requests` are given out once, `cad_answers`
    what came of them, `working_on` those of which the last poll knew.
    """

    token: str = ""
    is_another_server: bool = False
    is_down: bool = False
    loses_answers: int = 0
    refuse: Refuse = _take_all
    has_batches: bool = True
    version: str = "0.1.0"
    events: list[dict[str, Any]] = field(default_factory=list)
    missed: bool = False
    messages: list[dict[str, Any]] = field(default_factory=list)
    requests: list[GameRequest] = field(default_factory=list)
    replies: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    wants_cad: bool | None = None
    cad_requests: list[dict[str, Any]] = field(default_factory=list)
    cad_answers: list[dict[str, Any]] = field(default_factory=list)
    working_on: list[str] = field(default_factory=list)

    def answer(self, request: GameRequest) -> tuple[int, str] | None:
        """Answer a request; None: a poll that waits."""
        self.requests.append(request)
        if self.is_down:
            return 0, ""
        if self.is_another_server:
            return 404, "Route not found."
        if request.headers.get("Authorization", "") != (self.token and f"Bearer {self.token}"):
            return 401, "401: Unauthorized"
        path = urlsplit(request.url).path
        if path == "/api/events":
            return self._poll(request)
        if path == "/healthz":
            return 200, json.dumps({"version": self.version})
        if path == "/api/cad-requests":
            return self._exchange_requests(json.loads(request.body.encode("latin-1")))
        status, text = self._carry_out(path, request)
        if self.loses_answers:
            self.loses_answers -= 1
            return 0, ""
        return status, text

    def _poll(self, request: GameRequest) -> tuple[int, str] | None:
        query = parse_qs(urlsplit(request.url).query)
        newest = self.events[-1]["id"] if self.events else 0
        after = int(query.get("after", [newest])[0])
        later = [event for event in self.events if event["id"] > after]
        if not later and query["wait"] != ["0"] and not self.missed:
            return None
        page = {"events": later, "last": newest}
        if self.missed:
            page["missed"] = True
            self.missed = False
        return 200, json.dumps(page)

    def _exchange_requests(self, poll: dict[str, Any]) -> tuple[int, str] | None:
        if self.wants_cad is None:
            return 404, "404: Not Found"
        if self.loses_answers:
            self.loses_answers -= 1
            return 0, ""
        if any(len(json.dumps(answer)) > 1000 for answer in poll["answers"]):
            return 413, "413: Too Large"
        self.cad_answers += poll["answers"]
        given: list[dict[str, Any]] = []
        if "wait" in poll:
            self.working_on = poll["workingOn"]
            given, self.cad_requests = self.cad_requests, []
            if not given and self.wants_cad:
                return None
        return 200, json.dumps({"isWanted": self.wants_cad, "requests": given})

    def _carry_out(self, path: str, request: GameRequest) -> tuple[int, str]:
        if path == "/api/batch":
            if not self.has_batches:
                return 404, "404: Not Found"
            messages = json.loads(request.body.encode("latin-1"))["messages"]
            return 200, json.dumps({"answers": [self._store(message) for message in messages]})
        body = request.body.encode("latin-1")
        message = {"push": body.decode()} if path == "/sonorancad/event" else json.loads(body)
        if "Idempotency-Key" in request.headers:
            message["key"] = request.headers["Idempotency-Key"]
            message["age"] = float(request.headers["X-Event-Age"])
        answer = self._store(message)
        return answer["status"], json.dumps(answer["frame"])

    def _store(self, message: dict[str, Any]) -> dict[str, Any]:
        key = message.get("key")
        if key in self.answers:
            return self.answers[key] | {"replayed": True}
        status = self.refuse(message)
        if status != 200:
            frame = {"type": "error", "data": {"code": "no", "message": f"because of {status}"}}
            return {"status": status, "replayed": False, "frame": frame}
        self.messages.append(message)
        data = self.replies.get(message.get("type", ""), {"success": True})
        frame = {"type": "done", "data": data}
        answer = {"status": 200, "replayed": False, "frame": frame}
        if key:
            self.answers[key] = answer
        return answer

    def notes(self) -> list[str]:
        """The notes of the alarms, in the order in which they were carried out."""
        return [message["data"]["note"] for message in self.messages]

    def emit(self, number: int, name: str, **data: Any) -> None:
        """Publish an event; a poll that waits has to be answered by the test."""
        self.events.append({"id": number, "type": f"events.{name}", "data": data})
