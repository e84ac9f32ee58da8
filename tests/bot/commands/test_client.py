"""The client of a running instance: what it gets through, and what it says when it does not."""

import asyncio
from asyncio import to_thread
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web

from bot.commands.client import InstanceClient, InstanceError, InstanceUnavailable
from bot.settings import HttpSettings, Settings
from tests.bot.conftest import KEY, TOKEN, BotServer, configured, serve

CALL = {"call": {"callId": 7, "caller": "Dolores", "location": "Forum Dr", "description": "help"}}
VILLA = {
    "location": "Wild Oats Dr",
    "tier": 1,
    "x": -174,
    "y": 502,
    "description": "",
    "clientId": "owner",
}


def settings(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 30150,
    keys: bool = True,
    clients: bool = True,
) -> Settings:
    return configured(folder, HttpSettings(host=host, port=port), keys=keys, clients=clients)


async def test_push_is_in_the_journal_when_it_returns(
    server: BotServer, client: InstanceClient
) -> None:
    await to_thread(client.push, "EVENT_911", CALL)
    assert await server.journal_names() == ["cad.EVENT_911"]


async def test_wrong_key_is_reported_without_its_value(server: BotServer) -> None:
    stranger = server.client(key="SOME-OTHER-KEY")
    with pytest.raises(InstanceError, match="does not know this CAD key") as refused:
        await to_thread(stranger.push, "EVENT_911", CALL)
    assert "SOME-OTHER-KEY" not in str(refused.value)
    assert await server.journal_names() == []


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        ("EVENT_NOBODY_KNOWS", {}, "the push EVENT_NOBODY_KNOWS was rejected: 400 Invalid Type"),
        ("EVENT_911", {"call": {}}, "the push EVENT_911 was rejected: 400 Invalid Data: callId"),
    ],
)
async def test_refused_push_says_why(
    client: InstanceClient, kind: str, data: dict[str, object], reason: str
) -> None:
    with pytest.raises(InstanceError, match=reason) as refused:
        await to_thread(client.push, kind, data)
    assert not isinstance(refused.value, InstanceUnavailable)


async def test_query_takes_its_name_with_and_without_prefix(client: InstanceClient) -> None:
    added = await to_thread(client.query, "add-property", VILLA)
    assert added == {
        "type": "add-property",
        "query": "queries.add-property",
        "data": {"success": True, "id": 1},
    }
    found = await to_thread(client.query, "queries.get-property", {"propertyId": 1})
    assert found["data"]["location"] == "Wild Oats Dr"


async def test_error_frame_is_an_answer(client: InstanceClient) -> None:
    frame = await to_thread(client.query, "get-property", {"propertyId": 404})
    assert frame["type"] == "error"
    assert frame["data"]["code"] == "not-found"


async def test_wrong_token_is_reported_without_its_value(server: BotServer) -> None:
    stranger = server.client(token="some-other-token")
    with pytest.raises(InstanceError, match="does not know this client token") as refused:
        await to_thread(stranger.query, "get-tiers", {})
    with pytest.raises(InstanceError, match="does not know this client token"):
        await to_thread(stranger.events, None, ["all"], 0)
    assert "some-other-token" not in str(refused.value)


async def test_events_after_a_number_come_at_once(client: InstanceClient) -> None:
    await to_thread(client.push, "EVENT_911", CALL)
    await to_thread(client.push, "EVENT_REMOVE_911", {"callIds": [7]})
    batch = await to_thread(client.events, 0, ["cad"], 0)
    assert [event["type"] for event in batch.events] == [
        "events.cad.EVENT_911",
        "events.cad.EVENT_REMOVE_911",
    ]
    assert (batch.last, batch.missed) == (2, False)
    assert (await to_thread(client.events, 1, ["cad.EVENT_911"], 0)).events == []


async def test_events_are_waited_for(client: InstanceClient) -> None:
    waiting = asyncio.create_task(to_thread(client.events, 0, ["cad"], 50))
    await to_thread(client.push, "EVENT_911", CALL)
    assert [event["id"] for event in (await waiting).events] == [1]


async def test_events_of_a_journal_that_was_put_back_are_missed(client: InstanceClient) -> None:
    assert await to_thread(client.events, 99, ["all"], 0) == ([], 0, True)


async def test_unknown_event_is_rejected(client: InstanceClient) -> None:
    with pytest.raises(InstanceError, match="unknown event 'weather'") as refused:
        await to_thread(client.events, None, ["weather"], 0)
    assert not isinstance(refused.value, InstanceUnavailable)


async def test_nothing_listens(server: BotServer, client: InstanceClient) -> None:
    await server.stop()
    sentence = f"nothing listens on {server.url}: is the bot running\\?"
    with pytest.raises(InstanceUnavailable, match=sentence):
        await to_thread(client.push, "EVENT_911", CALL)
    with pytest.raises(InstanceUnavailable, match=sentence):
        await to_thread(client.query, "get-tiers", {})
    with pytest.raises(InstanceUnavailable, match=sentence):
        await to_thread(client.events, None, ["all"], 0)


async def test_connection_that_breaks_off() -> None:
    async def hang_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hang_up)
    async with AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{await serve(stack, app)}"
        client = InstanceClient(url, KEY, TOKEN)
        with pytest.raises(InstanceUnavailable, match="closed the connection"):
            await to_thread(client.push, "EVENT_911", CALL)


@pytest.mark.parametrize(
    ("status", "text", "reason", "is_passing"),
    [
        (200, "OK, what is it?", "does not answer like CAD Sentinel", False),
        (200, '["OK"]', "does not answer like CAD Sentinel", False),
        (302, "elsewhere", "does not answer like CAD Sentinel|rejected: 302", False),
        (404, "not here", "does not answer like CAD Sentinel|rejected: 404", False),
        (502, "bad \x1b[31mgateway", r"cannot answer now: 502 bad \[31mgateway", True),
    ],
)
async def test_another_server_on_the_port_is_an_error(
    status: int, text: str, reason: str, is_passing: bool
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text, headers={"Location": "http://[::1]:1/"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{await serve(stack, app)}"
        client = InstanceClient(url, KEY, TOKEN)
        for request in (
            partial(client.push, "EVENT_911", CALL),
            partial(client.query, "get-tiers", {}),
            partial(client.events, None, ["all"], 0),
        ):
            with pytest.raises(InstanceError, match=reason) as fault:
                await to_thread(request)
            assert isinstance(fault.value, InstanceUnavailable) is is_passing
            assert not {KEY, TOKEN} & set(str(fault.value).split())


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Padding: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
)
async def test_answer_must_be_complete_in_time(start: bytes) -> None:
    has_ended = asyncio.Event()

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        reading = asyncio.create_task(reader.read())
        while not reading.done():  # until the client hangs up
            writer.write(b"a" if start else b"")
            await asyncio.wait({reading}, timeout=0.01)
        writer.close()
        await asyncio.gather(reading, writer.wait_closed(), return_exceptions=True)
        has_ended.set()

    async with await asyncio.start_server(trickle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = InstanceClient(f"http://127.0.0.1:{port}", KEY, TOKEN, timeout=0.1)
        with pytest.raises(InstanceUnavailable, match=r"did not answer within 0\.1 seconds"):
            await to_thread(client.query, "get-tiers", {})
        await has_ended.wait()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:30150"),
        ("0.0.0.0", "http://127.0.0.1:30150"),  # noqa: S104
        ("::", "http://[::1]:30150"),
        ("fd00::5", "http://[fd00::5]:30150"),
        ("sentinel.lan", "http://sentinel.lan:30150"),
    ],
)
def test_address_of_the_configuration(tmp_path: Path, host: str, url: str) -> None:
    assert InstanceClient.from_settings(settings(tmp_path, host=host)).url == url


def test_port_zero_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match=r"http\.port is 0"):
        InstanceClient.from_settings(settings(tmp_path, port=0))


@pytest.mark.parametrize(
    ("keys", "clients", "file", "key"),
    [
        (False, True, "cad-key.txt", "cad.keys"),
        (True, False, "client-token.txt", "websocket.clients"),
        (False, False, "cad-key.txt", "cad.keys"),
    ],
)
def test_bot_that_was_never_started(
    tmp_path: Path, keys: bool, clients: bool, file: str, key: str
) -> None:
    with pytest.raises(InstanceError) as fault:
        InstanceClient.from_settings(settings(tmp_path, keys=keys, clients=clients))
    assert f"{tmp_path / 'data' / file} is missing: the bot has not been started" in str(
        fault.value
    )
    assert f"set {key}" in str(fault.value)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("content", ["", " \n"])
def test_empty_secret_stays_empty(tmp_path: Path, content: str) -> None:
    file = tmp_path / "data" / "client-token.txt"
    file.parent.mkdir()
    file.write_text(content)
    with pytest.raises(InstanceError, match="is missing"):
        InstanceClient.from_settings(settings(tmp_path, clients=False))
    assert file.read_text() == content


def test_secret_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "data" / "client-token.txt").mkdir(parents=True)
    with pytest.raises(InstanceError, match=r"client-token\.txt cannot be read: "):
        InstanceClient.from_settings(settings(tmp_path, clients=False))


async def test_generated_secrets_are_used(server: BotServer, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "cad-key.txt").write_text(f"{KEY}\n")
    (folder / "client-token.txt").write_text(f"{TOKEN}\n")
    port = int(server.url.rpartition(":")[2])
    found = settings(tmp_path, port=port, keys=False, clients=False)
    client = InstanceClient.from_settings(found)
    await to_thread(client.push, "EVENT_911", CALL)
    assert (await to_thread(client.query, "get-tiers", {}))["type"] == "get-tiers"
