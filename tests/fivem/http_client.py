"""`PerformHttpRequest`: libcurl, set up as FXServer's client is."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, NamedTuple, Protocol

import pycurl

SILENCE = 5.0
"""Seconds without a byte of the answer's body after which a request is aborted."""
CONNECTIONS_PER_HOST = 8
USER_AGENT = "FXServer/PerformHttpRequest"


class GameRequest(NamedTuple):
    """What a script asked for; texts are bytes as Latin-1."""

    url: str
    method: str
    body: str
    headers: dict[str, str]
    follows: bool = True


class GameResponse(NamedTuple):
    """What the callback is given: of a refusal only its status and a text."""

    status: int
    body: str | None
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed
    problem: str | None = None

    @classmethod
    def of(cls, status: int, body: str, headers: dict[str, str]) -> "GameResponse":
        """What is left of an answer: FXServer hides much of what is no success."""
        body = body.split("\0")[0]
        if status >= 400:
            return cls(status, None, {}, f"HTTP {status}: {body}")
        return cls(status, body, headers)


Deliver = Callable[[GameResponse], None]


class HttpClient(Protocol):
    """What carries the requests of scripts."""

    def request(self, request: GameRequest, deliver: Deliver) -> None:
        """Begin a request; `deliver` is called in a later `poll`."""

    def poll(self, seconds: float) -> bool:
        """Work on the requests, for so long at the most; tell whether any is under way."""

    def close(self) -> None:
        """Give up all requests."""


@dataclass
class _Transfer:
    curl: pycurl.Curl
    deliver: Deliver
    headers: dict[str, str] = field(default_factory=dict)
    body: BytesIO = field(default_factory=BytesIO)
    first_progress: float | None = None

    def progress(self, total: int, now: int, *_: int) -> int:
        """Abort (1) when no byte of a body came for too long."""
        if self.first_progress is None:
            self.first_progress = time.monotonic()
        waited = time.monotonic() - self.first_progress
        return int(total == 0 and now == 0 and waited > SILENCE)

    def header(self, line: bytes) -> None:
        name, colon, value = line.decode("latin-1").partition(":")
        if colon:
            self.headers[name] = value.strip()
        elif line.startswith(b"HTTP/"):
            self.headers.clear()  # of the redirection before


class CurlClient:
    """The game server's own client, over a real network."""

    def __init__(self) -> None:
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, CONNECTIONS_PER_HOST)
        self._transfers: dict[Any, _Transfer] = {}

    def request(self, request: GameRequest, deliver: Deliver) -> None:
        curl = pycurl.Curl()
        transfer = _Transfer(curl, deliver)
        curl.setopt(pycurl.URL, request.url.encode("latin-1"))
        curl.setopt(pycurl.CUSTOMREQUEST, request.method)
        if request.method != "GET" or request.body:
            curl.setopt(pycurl.POSTFIELDS, request.body.encode("latin-1"))
        lines = [f"{name}: {value}".encode("latin-1") for name, value in request.headers.items()]
        curl.setopt(pycurl.HTTPHEADER, [*lines, b"Expect:"])
        curl.setopt(pycurl.USERAGENT, USER_AGENT)
        curl.setopt(pycurl.FOLLOWLOCATION, request.follows)
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.SSL_VERIFYPEER, 0)
        curl.setopt(pycurl.SSL_VERIFYHOST, 0)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.NOPROGRESS, 0)
        curl.setopt(pycurl.XFERINFOFUNCTION, transfer.progress)
        curl.setopt(pycurl.HEADERFUNCTION, transfer.header)
        curl.setopt(pycurl.WRITEDATA, transfer.body)
        self._transfers[curl] = transfer
        self._multi.add_handle(curl)

    def poll(self, seconds: float) -> bool:
        if not self._transfers:
            return False
        self._multi.perform()
        if not self._finish() and seconds:
            self._multi.select(seconds)
            self._multi.perform()
            self._finish()
        return bool(self._transfers)

    def _finish(self) -> bool:
        _, done, failed = self._multi.info_read()
        for curl in done:
            transfer = self._remove(curl)
            status = curl.getinfo(pycurl.RESPONSE_CODE)
            body = transfer.body.getvalue().decode("latin-1")
            transfer.deliver(GameResponse.of(status, body, transfer.headers))
        for curl, code, problem in failed:
            name = "Callback aborted" if code == pycurl.E_ABORTED_BY_CALLBACK else problem
            text = f"{name} - CURL error code {code} ({problem})"
            self._remove(curl).deliver(GameResponse(0, None, {}, text))
        return bool(done or failed)

    def _remove(self, curl: Any) -> _Transfer:
        self._multi.remove_handle(curl)
        return self._transfers.pop(curl)

    def close(self) -> None:
        for curl in list(self._transfers):
            self._remove(curl)
        self._multi.close()


class ScriptedClient:
    """Answers of the test's own, without a network: `answer` is called for each request.

    What it returns is (status, body), or None for a request that gets no answer until `release`.
    """

    def __init__(self, answer: Callable[[GameRequest], tuple[int, str] | None]) -> None:
        self.answer = answer
        self.requests: list[GameRequest] = []
        self.held: list[tuple[GameRequest, Deliver]] = []
        self._ready: list[tuple[GameResponse, Deliver]] = []

    def request(self, request: GameRequest, deliver: Deliver) -> None:
        self.requests.append(request)
        answer = self.answer(request)
        if answer is None:
            self.held.append((request, deliver))
        else:
            self._answer(deliver, *answer)

    def release(self, status: int, body: str = "") -> None:
        """Answer all requests that wait; a status of 0 is a broken connection."""
        held, self.held = self.held, []
        for _, deliver in held:
            self._answer(deliver, status, body)

    def _answer(self, deliver: Deliver, status: int, body: str) -> None:
        if status == 0:
            problem = "Could not connect to server - CURL error code 7 (Connection refused)"
            self._ready.append((GameResponse(0, None, {}, problem), deliver))
        else:
            self._ready.append((GameResponse.of(status, body, {}), deliver))

    def poll(self, seconds: float) -> bool:
        del seconds  # nothing takes time here
        ready, self._ready = self._ready, []
        for response, deliver in ready:
            deliver(response)
        return False

    def close(self) -> None:
        self.held.clear()
        self._ready.clear()
