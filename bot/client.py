"""A running instance as a program on the same machine sees it: pushes, queries, events."""

from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp
from aiohttp import ClientTimeout

from bot.certificate import BadCertificate, fingerprint
from bot.secrets import CAD_KEY_FILE, CLIENT_TOKEN_FILE, cad_key, client_token
from bot.settings import Settings
from webhook.protocol.errors import BadJson
from webhook.protocol.messages import QUERIES
from webhook.protocol.wire import clean_text, parse_json

PUSH_PATH = "/sonorancad/event"
WRONG_KEY = "Authentication Key Failed!"

ANSWERED_WITHIN = 15.0
"""Seconds that an instance has for an answer, beside what a long poll is meant to wait."""

SHOWN = 300
"""Characters that are repeated of what an instance, or whatever listens there, has said."""

_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
"""Addresses that mean every address of the machine, and the one to reach them by."""


class InstanceError(Exception):
    """What an instance refused, or why it cannot be asked; a sentence without secrets."""


class InstanceUnavailable(InstanceError):
    """Nobody answers right now; the same may succeed later."""


class Events(NamedTuple):
    """One answer of the long poll; `missed` if the journal no longer holds all that was asked."""

    events: list[dict[str, Any]]
    last: int
    missed: bool


class _Said(NamedTuple):
    """An answer as it came."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        """Return the answer as one short line."""
        return " ".join(clean_text(self.body.decode(errors="replace"), SHOWN).split())


class InstanceClient:
    """A connection to a running instance, open within `async with`."""

    def __init__(
        self,
        url: str,
        cad_key: str,
        client_token: str,
        *,
        certificate: bytes = b"",
        answered_within: float = ANSWERED_WITHIN,
    ) -> None:
        """Take what is needed to connect; `certificate` is the fingerprint of the only one trusted.

        It is asked for by an address of this machine, which no certificate names.
        """
        self.url = url.rstrip("/")
        self._tls = aiohttp.Fingerprint(certificate) if certificate else True
        self._answered_within = answered_within
        self._cad_key = cad_key
        self._client_token = client_token
        self._http: aiohttp.ClientSession | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Reach the instance that runs with this configuration.

        Raises:
            InstanceError: the configuration does not say where it listens, its certificate cannot
                be read, or a secret that the bot makes up at its first start is not there.
        """
        if not settings.http.port:
            raise InstanceError("http.port is 0, so nobody knows where the bot listens; set it")
        host = _LOOPBACK.get(settings.http.host, settings.http.host)
        shown = f"[{host}]" if ":" in host else host
        folder = settings.database.path.parent
        if not settings.cad.keys:
            _must_be_kept(folder / CAD_KEY_FILE, "cad.keys")
        if not settings.websocket.clients:
            _must_be_kept(folder / CLIENT_TOKEN_FILE, "websocket.clients")
        key, token = cad_key(settings).value, client_token(settings).value
        if settings.http.certificate is None:
            return cls(f"http://{shown}:{settings.http.port}", key, token)
        try:
            certificate = fingerprint(settings.http.certificate)
        except BadCertificate as fault:
            raise InstanceError(str(fault)) from None
        return cls(f"https://{shown}:{settings.http.port}", key, token, certificate=certificate)

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def push(self, type: str, data: dict[str, Any]) -> None:  # noqa: A002 - Sonoran's word
        """Deliver a push as the CAD would; when this returns, it is on the instance's disk.

        Raises:
            InstanceError: it was not answered with 200 OK.
        """
        body = {"key": self._cad_key, "type": type, "data": data}
        said = await self._say("POST", PUSH_PATH, json=body)
        if said.status == HTTPStatus.OK and said.body.strip() == b"OK":
            return
        if said.text == WRONG_KEY:
            raise InstanceError(
                f"{self.url} does not know this CAD key: was it started with other settings?"
            )
        self._must_not_fail(said)
        if said.status == HTTPStatus.OK:
            raise self._stranger()
        raise InstanceError(f"the push {type} was refused: {said.status} {said.text}")

    async def query(self, name: str, data: dict[str, Any]) -> dict[str, Any]:
        """Ask a query, named with or without `queries.`, and return the frame of its answer.

        An error frame is returned like any other.

        Raises:
            InstanceError: there was no frame.
        """
        message = {"type": QUERIES + name.removeprefix(QUERIES), "data": data}
        headers = {"Authorization": f"Bearer {self._client_token}"}
        return self._frame(await self._say("POST", "/api/query", json=message, headers=headers))

    async def events(self, after: int | None, names: Sequence[str], wait: int) -> Events:
        """Return the events after a number (None: from now on), waiting for the first of them.

        Raises:
            InstanceError: there were none because something is wrong.
        """
        params = {"names": ",".join(names), "wait": str(wait)}
        if after is not None:
            params["after"] = str(after)
        headers = {"Authorization": f"Bearer {self._client_token}"}
        said = await self._say("GET", "/api/events", wait, params=params, headers=headers)
        if said.status != HTTPStatus.OK:
            data = self._frame(said)["data"]
            fault = InstanceUnavailable if data.get("code") == "unavailable" else InstanceError
            raise fault(clean_text(str(data.get("error", "no reason given")), SHOWN))
        match self._document(said):
            case {"events": list(events), "last": int(last)} as page:
                return Events(events, last, missed=page.get("missed") is True)
        raise self._stranger()

    async def _say(self, method: str, path: str, wait: int = 0, **options: Any) -> _Said:
        """Send a request and return what comes back, whatever its status."""
        if self._http is None:
            raise RuntimeError("an InstanceClient is used within `async with`")
        within = self._answered_within + wait
        try:
            async with self._http.request(
                method,
                self.url + path,
                # A redirect would carry the secrets somewhere else.
                allow_redirects=False,
                ssl=self._tls,
                timeout=ClientTimeout(total=within),
                **options,
            ) as response:
                return _Said(response.status, await response.read())
        except TimeoutError:
            raise InstanceUnavailable(
                f"{self.url} did not answer within {within:g} seconds"
            ) from None
        except aiohttp.ServerFingerprintMismatch:
            raise InstanceUnavailable(
                f"{self.url} shows another certificate than the one in the configuration:"
                " if it was just renewed, try again in a minute"
            ) from None
        except aiohttp.ClientSSLError:
            raise InstanceError(
                f"{self.url} does not speak TLS: was it started with other settings?"
            ) from None
        except aiohttp.ClientConnectorError:
            raise InstanceUnavailable(
                f"nothing listens on {self.url}: is the bot running?"
            ) from None
        except aiohttp.InvalidURL:
            raise InstanceError(f"{self.url} is no address; look at http.host") from None
        except aiohttp.ClientError:
            raise InstanceUnavailable(
                f"{self.url} broke the connection off: was it stopped?"
            ) from None

    def _frame(self, said: _Said) -> dict[str, Any]:
        """Read the frame of an answer."""
        if said.status == HTTPStatus.UNAUTHORIZED:
            raise InstanceError(
                f"{self.url} does not know this client token: was it started with other settings?"
            )
        match self._document(said):
            case {"type": str(), "data": dict()} as frame:
                return frame
        raise self._stranger()

    def _document(self, said: _Said) -> dict[str, Any]:
        """Read the JSON object of an answer."""
        try:
            document = parse_json(said.body)
        except BadJson:
            self._must_not_fail(said)
            raise self._stranger() from None
        if not isinstance(document, dict):
            raise self._stranger()
        return document

    def _must_not_fail(self, said: _Said) -> None:
        if said.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise InstanceUnavailable(f"{self.url} cannot answer now: {said.status} {said.text}")

    def _stranger(self) -> InstanceError:
        return InstanceError(f"{self.url} does not answer like CAD Sentinel: who listens there?")


def _must_be_kept(file: Path, key: str) -> None:
    """Refuse to go on without a secret that only the bot itself makes up.

    Raises:
        InstanceError: its file is missing, empty or closed to this user.
    """
    try:
        is_kept = bool(file.read_text("ascii").strip())
    except FileNotFoundError:
        is_kept = False
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "not plain text"
        raise InstanceError(f"{file} cannot be read: {reason}") from None
    if not is_kept:
        raise InstanceError(
            f"{file} is missing: the bot was not yet started here;"
            f" start it once, or set {key} in the configuration"
        )
