"""`query` and `listen`: what stands on the terminal."""

import asyncio
import json
import re
from asyncio import to_thread
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest

from bot.commands.client import InstanceClient, InstanceError
from bot.commands.query import listen, query
from tests.bot.commands.test_client import CALL, VILLA
from tests.bot.conftest import BotServer

Ask = Callable[..., Awaitable[tuple[int, list[str]]]]


@pytest.fixture
def ask(client: InstanceClient) -> Ask:
    """Asks a query and returns the exit code and the lines on the terminal."""

    async def ask(
        name: str, data: object = None, *, as_json: bool = False
    ) -> tuple[int, list[str]]:
        lines: list[str] = []
        text = data if isinstance(data, str) or data is None else json.dumps(data)
        code = await to_thread(query, client, name, text, as_json=as_json, say=lines.append)
        return code, lines

    return ask


async def test_object_is_aligned(ask: Ask) -> None:
    await ask("add-property", VILLA)
    assert await ask("queries.get-property", '{"propertyId": 1}') == (
        0,
        [
            "id:          1",
            "location:    Wild Oats Dr",
            "tier:        1",
            "x:           -174",
            "y:           502",
            "width:       0",
            "height:      0",
            "status:      PENDING",
            "description:",
        ],
    )


async def test_list_is_a_table(ask: Ask) -> None:
    assert await ask("get-tiers") == (
        0,
        ["tiers:", "  id  name     price", "  1   Basic    59.99", "  2   Premium  99.99"],
    )


async def test_success_prints_done(ask: Ask) -> None:
    assert await ask("add-property", VILLA) == (0, ["done", "id: 1"])
    user = {"propertyId": 1, "userId": "u"}
    assert await ask("add-allowed-user", user) == (0, ["done"])
    assert await ask("add-allowed-user", user) == (0, ["done, but nothing changed"])


async def test_objects_in_objects_are_indented(ask: Ask) -> None:
    await ask("add-property", VILLA)
    assert await ask("get-allowed-users", {"propertyId": 1}) == (0, ["allowedUsers: -"])
    await ask("add-allowed-user", {"propertyId": 1, "userId": "u"})
    assert await ask("get-allowed-users", {"propertyId": 1}) == (0, ["allowedUsers:", "  u: u"])
    await ask("add-equipment", {"propertyId": 1, "equipmentType": 1, "description": "gate"})
    await ask("add-visitor", {"propertyId": 1, "cameraId": 1, "userId": "u"})
    code, lines = await ask("get-weekly-visitors", {"propertyId": 1})
    assert code == 0
    assert lines[:-1] == ["visitors: u", "cameras:", "  1:", "    name: gate", "    data:"]
    assert re.fullmatch(r"      \d{4}-\d\d-\d\d: 1", lines[-1])


async def test_error_says_code_sentence_and_fields(ask: Ask) -> None:
    assert await ask("get-property", {"propertyId": 9}) == (
        1,
        ["not-found: there is no property 9"],
    )
    code, lines = await ask("get-property", {"propertyId": "nine"})
    assert code == 1
    assert lines == ["invalid-data:", "  propertyId: must be a number, without anything else"]
    assert (await ask("make-tea"))[1] == [
        "unknown-type: unknown message type 'queries.make-tea'",
        "Without a name, all queries are listed",
    ]
    assert (await ask("get-propertys"))[1][1].endswith("; did you mean get-property?")


async def test_raw_frame(ask: Ask) -> None:
    code, lines = await ask("add-property", VILLA, as_json=True)
    assert (code, lines) == (
        0,
        [
            '{"type": "add-property", "query": "queries.add-property",'
            ' "data": {"success": true, "id": 1}}'
        ],
    )
    code, lines = await ask("get-property", {"propertyId": 9}, as_json=True)
    assert code == 1
    assert json.loads(lines[0])["data"]["code"] == "not-found"


@pytest.mark.parametrize("as_json", [False, True])
async def test_text_of_players_cannot_control_the_terminal(ask: Ask, *, as_json: bool) -> None:
    evil = "\x1b[2J\x9b31m\x07\x7f nice\u202e pool\nstatus: ACTIVE"
    await ask("add-property", {**VILLA, "description": evil})
    for name in ("get-property", "get-properties"):
        code, lines = await ask(name, {"propertyId": 1}, as_json=as_json)
        assert code == 0
        assert all(line.isprintable() for line in lines)
        assert not any(line.startswith("status: ACTIVE") for line in lines)
    if as_json:
        frame = json.loads((await ask("get-property", {"propertyId": 1}, as_json=True))[1][0])
        assert frame["data"]["description"] == evil


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"propertyId": 1', "line 1 column 17"),
        ('{"propertyId": NaN}', "line 1 column 16"),
        ("[1]", "no JSON object"),
        ("1", "no JSON object"),
    ],
)
async def test_bad_data_is_rejected_before_the_request(
    server: BotServer, ask: Ask, text: str, sentence: str
) -> None:
    await server.stop()
    code, lines = await ask("get-property", text)
    assert code == 1
    assert sentence in lines[0]
    assert "Windows" not in lines[0]


@pytest.mark.parametrize("text", ["{propertyId: 1}", "'{\"propertyId\": 1}'", "'{propertyId:"])
async def test_windows_hint(ask: Ask, text: str) -> None:
    code, lines = await ask("get-property", text)
    assert code == 1
    assert r'"{\"propertyId\": 1}"' in lines[0]


async def test_instance_that_is_gone(server: BotServer, ask: Ask) -> None:
    await server.stop()
    with pytest.raises(InstanceError, match="nothing listens"):
        await ask("get-tiers")


class Interrupted(Exception):
    """Stands for Ctrl-C, which a test cannot send to a thread."""


@asynccontextmanager
async def listening(
    server: BotServer, *names: str, as_json: bool = False
) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """Listen in a thread; gives the lines one by one."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    is_over = False

    def say(line: str) -> None:
        if is_over:
            raise Interrupted
        loop.call_soon_threadsafe(lines.put_nowait, line)

    work = partial(
        listen, server.client(), list(names), as_json=as_json, say=say, retry_after=0.001
    )
    task = asyncio.create_task(to_thread(work))
    try:
        yield lines.get
    finally:
        is_over = True
        if not server.is_listening:
            await server.start()
        await to_thread(server.client().push, "EVENT_REMOVE_911", {"callIds": [99]})
        with suppress(Interrupted):
            await task


async def test_events_are_shown_as_they_come(server: BotServer, client: InstanceClient) -> None:
    async with listening(server) as line:
        assert await line() == f"Listening to all of {server.url}; stop with Ctrl-C."
        await to_thread(client.push, "EVENT_REMOVE_911", {"callIds": [7, 8]})
        assert await line() == "1 cad.EVENT_REMOVE_911  callIds=7, 8"
        await to_thread(
            client.query, "add-property", {**VILLA, "description": "\x1b[2J two\nlines"}
        )
        assert "description=[2J two lines" in await line()


async def test_only_requested_events_are_printed(server: BotServer, client: InstanceClient) -> None:
    async with listening(server, "property-added", "cad.EVENT_REMOVE_911") as line:
        await line()
        await to_thread(client.push, "EVENT_911", CALL)
        await to_thread(client.push, "EVENT_REMOVE_911", {"callIds": [7]})
        assert await line() == "2 cad.EVENT_REMOVE_911  callIds=7"


async def test_listening_survives_a_restart(server: BotServer, client: InstanceClient) -> None:
    async with listening(server) as line:
        await line()
        await to_thread(client.push, "EVENT_REMOVE_911", {"callIds": [1]})
        assert await line() == "1 cad.EVENT_REMOVE_911  callIds=1"
        await server.stop_during_poll(after=1)
        assert (await line()).startswith("Connection lost: ")
        # What happens before it is back is not lost.
        async with server.context.change() as change:
            await change.emit_named("cad.EVENT_REMOVE_911", b'{"callIds":[2]}')
        await server.start()
        assert await line() == f"{server.url} is back."
        assert await line() == "2 cad.EVENT_REMOVE_911  callIds=2"
        await to_thread(client.push, "EVENT_REMOVE_911", {"callIds": [3]})
        assert await line() == "3 cad.EVENT_REMOVE_911  callIds=3"


async def test_missed_events_are_reported(server: BotServer, client: InstanceClient) -> None:
    async with listening(server, as_json=True) as line:
        await line()
        await to_thread(client.push, "EVENT_REMOVE_911", {"callIds": [1]})
        assert json.loads(await line()) == {
            "type": "events.cad.EVENT_REMOVE_911",
            "id": 1,
            "data": {"callIds": [1]},
        }
        await server.stop_during_poll(after=1)
        assert "Connection lost" in json.loads(await line())["data"]["message"]
        async with server.context.change() as change:
            for number in (2, 3):
                await change.emit_named("cad.EVENT_REMOVE_911", b'{"callIds":[%d]}' % number)
            await change.sql.run("DELETE FROM journal WHERE id < 3")
        await server.start()
        assert "is back" in json.loads(await line())["data"]["message"]
        assert "missed" in json.loads(await line())["data"]["message"]
        assert json.loads(await line())["id"] == 3


async def test_listening_without_a_running_bot_fails(
    server: BotServer, client: InstanceClient
) -> None:
    await server.stop()
    with pytest.raises(InstanceError, match="nothing listens"):
        await to_thread(listen, client, [], as_json=False, say=print)


async def test_listening_for_an_unknown_event_fails(client: InstanceClient) -> None:
    with pytest.raises(InstanceError, match=r"unknown event 'alert'; did you mean alerts\?"):
        await to_thread(listen, client, ["alert"], as_json=False, say=print)
