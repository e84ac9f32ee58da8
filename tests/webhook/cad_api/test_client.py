"""What the client makes of answers as no CAD should give them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from webhook.cad_api import client as client_module
from webhook.cad_api.client import CadApiClient, number_of
from webhook.cad_api.endpoints import ApiAccess
from webhook.cad_api.transport import AnswerLostError, ApiAnswer, NotSentError, TooManyError

KEY = "KEY-OF-THE-CAD-7f3a"


class OddCad:
    """Answers every request with the same bytes."""

    def __init__(self) -> None:
        self.answer = b"HTTP/1.1 400 This is no TLS\r\n\r\n"
        self.pause = 0.0
        self.url = ""
        self.asked = 0
        self.answering: set[asyncio.Task[None] | None] = set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        self.answering.add(asyncio.current_task())
        await reader.read(65_536)
        try:
            if self.pause:
                for byte in self.answer:
                    writer.write(bytes([byte]))
                    await asyncio.sleep(self.pause)
            writer.write(self.answer)
            await writer.drain()
        except ConnectionError:
            pass  # it has heard enough
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def says(
        self, status: int, body: str | bytes, *headers: str, length: int | None = None
    ) -> None:
        raw = body.encode() if isinstance(body, str) else body
        lines = [f"HTTP/1.1 {status} Said", *headers]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        self.answer = "\r\n".join([*lines, "Connection: close", "", ""]).encode() + raw


@pytest.fixture
async def cad() -> AsyncIterator[OddCad]:
    odd = OddCad()
    server = await asyncio.start_server(odd, "127.0.0.1")
    odd.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield odd
    server.close()
    tasks = list(filter(None, odd.answering))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def asking(url: str, resolver: AbstractResolver | None = None) -> AsyncIterator[CadApiClient]:
    connector = aiohttp.TCPConnector(resolver=resolver) if resolver else None
    async with aiohttp.ClientSession(connector=connector) as http:
        yield CadApiClient(http, ApiAccess(KEY, url=url))


async def asked(cad: OddCad) -> ApiAnswer:
    async with asking(cad.url) as client:
        return await client.ask("close", {"callIds": [5]})


@pytest.mark.parametrize(
    ("status", "body", "length"),
    [
        (200, "<html><body>Welcome</body></html>", None),
        (200, '"INVALID API KEY"', None),
        (200, "17", None),
        (200, '{"callIds": [5', None),
        (200, '{"callIds": [5', 400),
        (200, '{"status": 503, "title": "Service Unavailable"}', None),
        (502, "<html>Bad gateway</html>", None),
        (408, "", None),
        (200, b"\x00\xff\xfe", None),
    ],
)
async def test_what_is_no_answer_tells_nothing(
    cad: OddCad, status: int, body: str | bytes, length: int | None
) -> None:
    cad.says(status, body, length=length)
    with pytest.raises(AnswerLostError):
        await asked(cad)


@pytest.mark.parametrize(
    "body",
    [
        '{"success": false, "message": "No such plan."}',
        '{"error": "No such plan."}',
        '{"status": 400, "detail": "No such plan.", "title": "Bad Request"}',
    ],
)
async def test_a_fault_that_is_answered_as_a_success_is_one(cad: OddCad, body: str) -> None:
    cad.says(200, body)
    answer = await asked(cad)
    assert (answer.is_good, answer.status, answer.detail) == (False, 400, "No such plan.")


@pytest.mark.parametrize("body", ["", "null", "{}", "[]", '{"callIds": [5], "status": 2}'])
async def test_a_success_may_say_little(cad: OddCad, body: str) -> None:
    cad.says(200, body)
    assert (await asked(cad)).is_good


@pytest.mark.parametrize(
    ("written", "number"),
    [(55, 55), ("55", 55), ("55.0", 55), (-1, None), (True, None), ("9" * 19, None), ("", None)],
)
def test_an_id_is_whole_or_none(written: object, number: int | None) -> None:
    assert number_of(written) == number


@pytest.mark.parametrize("before", ["The key ", "x" * (client_module.DETAIL_LENGTH - 10)])
async def test_nobody_reads_the_key_in_a_fault(cad: OddCad, before: str) -> None:
    cad.says(400, f'{{"detail": "{before}{KEY.lower()} is bad\\u202e @everyone"}}')
    detail = (await asked(cad)).detail
    assert KEY[:6].lower() not in detail.lower()
    assert "***" in detail
    assert len(detail) <= client_module.DETAIL_LENGTH


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_the_key_follows_to_no_other_address(cad: OddCad, status: int) -> None:
    cad.says(status, "", f"Location: {cad.url}/elsewhere")
    assert "leads elsewhere" in (await asked(cad)).detail
    assert cad.asked == 1


@pytest.mark.parametrize(
    ("header", "least"),
    [
        ("Retry-After: 7", 6),
        ("Retry-After: 1e9", 1),
        ("Retry-After: -5", 1),
        ("Retry-After: nan", 1),
        ("Retry-After: Mon, 30 Nov 2026 02:00:00 GMT", 1),
        ("Retry-After: 3000", 59),
        ("X-RateLimit-Reset: 9", 8),
        ("X-Nothing: 1", 1),
    ],
)
async def test_a_refusal_for_now_holds_for_a_minute_at_most(
    cad: OddCad, header: str, least: float
) -> None:
    cad.says(429, '{"message": "API rate limit exceeded"}', header)
    async with asking(cad.url) as client:
        with pytest.raises(TooManyError):
            await client.ask("close", {"callIds": [5]})
        assert least - 0.5 < client.wait("close") <= 60


async def test_long_answers_have_a_limit(cad: OddCad, monkeypatch: pytest.MonkeyPatch) -> None:
    cad.says(200, '{"title": "' + "x" * 5_000_000 + '"}')
    assert (await asked(cad)).is_good
    monkeypatch.setattr(client_module, "MAX_ANSWER", 1_000_000)
    with pytest.raises(AnswerLostError, match="too long"):
        await asked(cad)


async def test_an_answer_that_drips_is_given_up(
    cad: OddCad, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "TIMEOUT", aiohttp.ClientTimeout(total=0.2))
    cad.says(200, "{}")
    cad.pause = 0.02
    with pytest.raises(AnswerLostError):
        await asked(cad)


class _NoNames(AbstractResolver):
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        raise OSError("no such name")

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (lambda url: url.replace("http:", "https:"), "certificate"),
        (lambda _: "https://cad.example", "host's name"),
        (lambda _: "http://127.0.0.1:1", "cannot be reached"),
        (lambda _: "http://[", "address"),
    ],
)
async def test_what_cannot_be_reached_has_got_nothing(
    cad: OddCad, address: Callable[[str], str], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with asking(address(cad.url), _NoNames()) as client:
        with pytest.raises(NotSentError, match=why) as fault:
            await client.ask("close", {"callIds": [5]})
    shown: list[Any] = [str(fault.value), caplog.text]
    assert KEY not in "".join(shown)
