"""A client of the running bot on the same machine: it pushes, queries and reads events.

It is synchronous and uses the standard library only, so that `cad-sentinel query` starts quickly.
"""

import hashlib
import hmac
import json
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPSConnection,
    IncompleteRead,
    InvalidURL,
)
from pathlib import Path
from threading import Event, Timer
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode, urlsplit

from bot.certificate import BadCertificate, fingerprint
from bot.secrets import (
    CAD_KEY_FILE,
    CLIENT_TOKEN_FILE,
    UnreadableSecret,
    cad_key,
    client_token,
    read_secret,
)
from bot.settings import Settings
from webhook.protocol.clean_text import clean_text
from webhook.protocol.errors import BadJson
from webhook.protocol.json_reader import parse_json

QUERIES = "queries."
PUSH_PATH = "/sonorancad/event"
WRONG_KEY = "Authentication Key Failed!"

TIMEOUT = 15.0
"""Seconds to wait for the bot, on top of the wait that a long poll asks for."""

JSON = "application/json"

SHOWN = 300
"""Characters of an answer that are repeated in an error."""

_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
"""Addresses that mean every address of the machine, and the one to connect to."""


_Headers = Mapping[str, str | bytes]


class InstanceError(Exception):
    """The bot rejected a request or cannot be reached; a sentence without secrets."""


class InstanceUnavailable(InstanceError):
    """The bot does not answer right now; the same request may succeed later."""


class EventBatch(NamedTuple):
    """One answer of the long poll; `missed` if the journal no longer holds all that was asked."""

    events: list[dict[str, Any]]
    last: int
    missed: bool


class _Response(NamedTuple):
    status: int
    body: bytes

    @property
    def text(self) -> str:
        """The body as one short line."""
        return " ".join(clean_text(self.body.decode(errors="replace"), SHOWN).split())


class InstanceClient:
    """Sends each request over a connection of its own."""

    def __init__(
        self,
        url: str,
        cad_key: str,
        client_token: str,
        *,
        certificate: bytes = b"",
        timeout: float = TIMEOUT,
    ) -> None:
        """Take the address and the secrets; nothing is sent yet.

        `certificate` is the SHA-256 fingerprint of the only certificate to trust: the address is
        one of this machine, which no certificate names.
        """
        self.url = url.rstrip("/")
        self._certificate = certificate
        self._timeout = timeout
        self._cad_key = cad_key
        self._bearer = {"Authorization": f"Bearer {client_token}".encode()}

    @classmethod
    def from_settings(cls, settings: Settings, timeout: float = TIMEOUT) -> Self:
        """Return a client of the bot that runs with this configuration.

        Raises:
            InstanceError: the configuration does not say where it listens, its certificate cannot
                be read, or a secret that the bot generates at its first start is missing.
        """
        if not settings.http.port:
            raise InstanceError("http.port is 0, so it is not known where the bot listens; set it")
        host = _LOOPBACK.get(settings.http.host, settings.http.host)
        address = (
            f"[{host}]:{settings.http.port}" if ":" in host else f"{host}:{settings.http.port}"
        )
        folder = settings.database.path.parent
        if not settings.cad.keys:
            _require_secret(folder / CAD_KEY_FILE, "cad.keys")
        if not settings.websocket.clients:
            _require_secret(folder / CLIENT_TOKEN_FILE, "websocket.clients")
        key, token = cad_key(settings).value, client_token(settings).value
        if settings.http.certificate is None:
            return cls(f"http://{address}", key, token, timeout=timeout)
        try:
            certificate = fingerprint(settings.http.certificate)
        except BadCertificate as fault:
            raise InstanceError(str(fault)) from None
        url = f"https://{address}"
        return cls(url, key, token, certificate=certificate, timeout=timeout)

    def push(self, type: str, data: dict[str, Any]) -> None:  # noqa: A002 - Sonoran's word
        """Send a push as the CAD does; when this returns, the bot has stored it.

        Raises:
            InstanceError: the answer was not 200 OK.
        """
        response = self._post(PUSH_PATH, {"key": self._cad_key, "type": type, "data": data}, {})
        if response.status == 200 and response.body.strip() == b"OK":
            return
        if response.text == WRONG_KEY:
            raise InstanceError(
                f"{self.url} does not know this CAD key: was it started with other settings?"
            )
        self._raise_if_unavailable(response)
        if response.status == 200:
            raise self._not_sentinel()
        raise InstanceError(f"the push {type} was rejected: {response.status} {response.text}")

    def query(self, name: str, data: dict[str, Any]) -> dict[str, Any]:
        """Send a query, named with or without `queries.`, and return the frame of its answer.

        An error frame is returned like any other.

        Raises:
            InstanceError: there was no frame.
        """
        message = {"type": QUERIES + name.removeprefix(QUERIES), "data": data}
        return self._frame(self._post("/api/query", message, self._bearer))

    def health(self) -> dict[str, Any]:
        """Return what the bot says of itself, also while it is not ready.

        Raises:
            InstanceError: it cannot be reached, or something else listens there.
        """
        document = self._document(self._request("GET", "/healthz", {}))
        if "ready" not in document:
            raise self._not_sentinel()
        return document

    def events(self, after: int | None, names: Sequence[str], wait: int) -> EventBatch:
        """Return the events after a number (None: from now on); wait up to `wait` seconds for one.

        Raises:
            InstanceError: the bot rejected the request or cannot be reached.
        """
        parameters = {"names": ",".join(names), "wait": str(wait)}
        if after is not None:
            parameters["after"] = str(after)
        path = f"/api/events?{urlencode(parameters)}"
        response = self._request("GET", path, self._bearer, wait=wait)
        if response.status != 200:
            data = self._frame(response)["data"]
            kind = InstanceUnavailable if data.get("code") == "unavailable" else InstanceError
            raise kind(clean_text(str(data.get("error", "no reason given")), SHOWN))
        match self._document(response):
            case {"events": list(events), "last": int(last)} as page:
                return EventBatch(events, last, missed=page.get("missed") is True)
        raise self._not_sentinel()

    def _post(self, path: str, document: dict[str, Any], headers: _Headers) -> _Response:
        body = json.dumps(document).encode()
        return self._request("POST", path, {"Content-Type": JSON, **headers}, body)

    def _request(
        self,
        method: str,
        path: str,
        headers: _Headers,
        body: bytes | None = None,
        wait: int = 0,
    ) -> _Response:
        """Send a request and return the response, whatever its status.

        A redirect is not followed: it would carry the secrets somewhere else.
        """
        timeout = self._timeout + wait
        try:
            with closing(self._connect(timeout)) as connection, _deadline(connection, timeout):
                connection.request(method, path, body, {"Connection": "close", **headers})
                response = connection.getresponse()
                return _Response(response.status, response.read())
        except TimeoutError:
            raise InstanceUnavailable(
                f"{self.url} did not answer within {timeout:g} seconds"
            ) from None
        except (InvalidURL, UnicodeError):
            raise InstanceError(f"{self.url} is not an address; check http.host") from None
        except (OSError, IncompleteRead):
            raise InstanceUnavailable(
                f"{self.url} closed the connection: was it stopped?"
            ) from None
        except HTTPException:
            raise self._not_sentinel() from None

    def _connect(self, timeout: float) -> HTTPConnection:
        address = urlsplit(self.url)
        host, port = address.hostname or "", address.port
        if address.scheme == "http":
            connection = HTTPConnection(host, port, timeout=timeout)
        else:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE  # its fingerprint is compared instead
            connection = HTTPSConnection(host, port, timeout=timeout, context=context)
        try:
            connection.connect()
        except TimeoutError:
            raise
        except ssl.SSLError:
            raise InstanceError(
                f"{self.url} does not speak TLS: was it started with other settings?"
            ) from None
        except OSError:
            raise InstanceUnavailable(
                f"nothing listens on {self.url}: is the bot running?"
            ) from None
        if isinstance(connection.sock, ssl.SSLSocket):
            shown = connection.sock.getpeercert(binary_form=True) or b""
            if not hmac.compare_digest(hashlib.sha256(shown).digest(), self._certificate):
                connection.close()
                raise InstanceUnavailable(
                    f"{self.url} shows another certificate than the one in the configuration:"
                    " if it was just renewed, try again in a minute"
                )
        return connection

    def _frame(self, response: _Response) -> dict[str, Any]:
        if response.status == 401:
            raise InstanceError(
                f"{self.url} does not know this client token: was it started with other settings?"
            )
        match self._document(response):
            case {"type": str(), "data": dict()} as frame:
                return frame
        raise self._not_sentinel()

    def _document(self, response: _Response) -> dict[str, Any]:
        try:
            document = parse_json(response.body)
        except BadJson:
            self._raise_if_unavailable(response)
            raise self._not_sentinel() from None
        if not isinstance(document, dict):
            raise self._not_sentinel()
        return document

    def _raise_if_unavailable(self, response: _Response) -> None:
        if response.status >= 500:
            raise InstanceUnavailable(
                f"{self.url} cannot answer now: {response.status} {response.text}"
            )

    def _not_sentinel(self) -> InstanceError:
        return InstanceError(
            f"{self.url} does not answer like CAD Sentinel: does another program listen there?"
        )


@contextmanager
def _deadline(connection: HTTPConnection, seconds: float) -> Iterator[None]:
    """End what is done with a connection in time; its own timeout is for each wait for data.

    Raises:
        TimeoutError: the time was over.
    """
    expired = Event()
    # The connection itself forgets its socket once it has read the header of an answer.
    connected: socket.socket = connection.sock

    def expire() -> None:
        expired.set()
        with suppress(OSError):  # already closed by the other side
            connected.shutdown(socket.SHUT_RDWR)

    timer = Timer(seconds, expire)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if expired.is_set():
            raise TimeoutError


def _require_secret(file: Path, key: str) -> None:
    """Check that a secret that only the bot itself generates is there.

    Raises:
        InstanceError: its file is missing, empty or closed to this user.
    """
    try:
        is_there = bool(read_secret(file))
    except FileNotFoundError:
        is_there = False
    except UnreadableSecret as fault:
        raise InstanceError(str(fault)) from None
    except OSError as fault:
        raise InstanceError(f"{file} cannot be read: {fault.strerror}") from None
    if not is_there:
        raise InstanceError(
            f"{file} is missing: the bot has not been started here yet;"
            f" start it once, or set {key} in the configuration"
        )
