"""The stand-in behaves as FXServer is documented to (facts: A of the design, and its sources)."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.fivem import http_client
from tests.fivem.fxserver import FXServer


def test_threads_wait_by_the_servers_clock(server: FXServer) -> None:
    server.add_script(
        "clock",
        """
        CreateThread(function() Wait(100) print("thread", GetGameTimer()) end)
        SetTimeout(40, function() print("timeout", GetGameTimer()) end)
        """,
    )
    server.start("clock")
    server.run(seconds=1.0)
    assert server.console == ["timeout\t40", "thread\t100"]


def test_events_reach_other_resources_as_copies(server: FXServer) -> None:
    server.add_script(
        "hears",
        """
        AddEventHandler("things", function(data)
            data.changed = true
            print(json.encode(data), source == "")
        end)
        """,
    )
    server.add_script(
        "tells",
        """
        local data = { list = { 1, 2.5, "ä" }, empty = {}, where = vector3(1, 2, 3) }
        TriggerEvent("things", data)
        print(data.changed)
        """,
    )
    recorded = server.record("things")
    server.start("hears", "tells")
    seen = '{"changed":true,"empty":[],"list":[1,2.5,"ä"],"where":{"x":1.0,"y":2.0,"z":3.0}}'
    assert server.console == [seen + "\ttrue", "nil"]
    assert recorded[0][0]["list"] == [1, 2.5, "ä"]


def test_players_reach_only_events_that_are_registered_for_them(server: FXServer) -> None:
    server.add_script(
        "hears",
        """
        AddEventHandler("local", function() print("local", source) end)
        RegisterNetEvent("net", function(text) print("net", source, text) end)
        """,
    )
    server.start("hears")
    server.join(7, "Wren", license="41aa90be")
    server.trigger_from_player(7, "local")
    server.trigger_from_player(7, "net", "hello")
    assert server.console == ["net\t7\thello"]


def test_exports_and_functions_die_with_their_owner(server: FXServer) -> None:
    server.add_script("owner", 'exports("Twice", function(n, f) return f(n) * 2, nil, "end" end)')
    server.add_script(
        "caller",
        """
        exports("Keep", function(f) kept = f return type(f) end)
        exports("Ask", function() return pcall(kept) end)
        print(exports.owner:Twice(4, function(n) return n + 1 end))
        """,
    )
    server.add_script(
        "lender", 'print(exports["caller"]:Keep(function() return GetCurrentResourceName() end))'
    )
    server.start("owner", "caller", "lender")
    assert server.console == ["10\tnil\tend", "table"]
    assert server.call("caller", "Ask") == [True, "lender"]
    server.stop("lender")
    [done, problem] = server.call("caller", "Ask")
    assert not done
    assert "belonged to a resource that was stopped" in problem
    server.stop("owner")
    with pytest.raises(RuntimeError, match="No such export Twice in resource owner"):
        server.call("owner", "Twice", 1)


def test_stored_values_survive_a_kill_and_keys_are_sorted(tmp_path: Path) -> None:
    script = """
        local found, handle = {}, StartFindKvp("s:")
        repeat
            local key = FindKvp(handle)
            found[#found + 1] = key
        until not key
        EndFindKvp(handle)
        print(table.concat(found, " "), GetResourceKvpString("s:02"))
        SetResourceKvp("s:10", "later")
        SetResourceKvp("s:02", "cut\\0off")
        SetResourceKvpNoSync("lost", "x")
        print(GetResourceKvpString("s:02"), GetResourceKvpString("lost"))
    """
    consoles = []
    for power_fails in (True, False):
        server = FXServer(tmp_path)
        server.add_script("keeps", script + ' print(GetResourceKvpString("lost"))')
        server.start("keeps")
        consoles.append(server.console[:2])
        server.kill(power_fails)
    assert consoles == [["\tnil", "cut\tx"], ["s:02 s:10\tcut", "cut\tx"]]


def test_full_disk_loses_writes_in_silence(server: FXServer) -> None:
    server.kvp.is_full = True
    server.add_script("keeps", 'SetResourceKvp("a", "1") print(GetResourceKvpString("a"))')
    server.start("keeps")
    assert server.console == ["nil"]


class _Peer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        name = self.path[1:]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if name == "quiet":
            self.rfile.read(1)  # until the other side gives up
            return
        texts = {"nul": b"be\0hind", "echo": json.dumps(dict(self.headers)).encode() + body}
        answer = texts.get(name, b"because")
        self.send_response(503 if name == "busy" else 200)
        self.send_header("Retry-After", "7")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def _peer() -> Iterator[str]:
    listener = ThreadingHTTPServer(("127.0.0.1", 0), _Peer)
    threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.server_address[1]}"
    finally:
        listener.shutdown()
        listener.server_close()


REQUESTS = """
    for _, name in ipairs({ "echo", "nul", "busy", "quiet" }) do
        PerformHttpRequest(URL .. name, function(status, body, headers, fault)
            print(name, status, body, headers["Retry-After"], fault)
        end, "POST", "{}", { ["X-Own"] = "1" })
    end
"""


def test_requests_behave_like_those_of_the_game_server(
    server: FXServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_client, "SILENCE", 0.3)
    with _peer() as url:
        server.add_script("asks", f'local URL = "{url}/"\n{REQUESTS}')
        server.start("asks")
        server.run(until=lambda: len(server.console) == 4)
    answers = dict(line.split("\t", 1) for line in server.console)
    assert '"User-Agent": "FXServer/PerformHttpRequest"' in answers["echo"]
    assert '"X-Own": "1"' in answers["echo"]
    assert answers["nul"] == "200\tbe\t7\tnil"
    assert answers["busy"] == "503\tnil\tnil\tHTTP 503: because"
    assert answers["quiet"].startswith("0\tnil\tnil\tCallback aborted - CURL error code 42 (")
    assert http_client.CONNECTIONS_PER_HOST == 8


def test_silence_of_five_seconds_is_the_documented_limit() -> None:
    assert http_client.SILENCE == 5.0


def test_nobody_listening_is_status_zero(server: FXServer) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server.add_script(
        "asks",
        f'PerformHttpRequest("http://127.0.0.1:{port}/", function(...) print(...) end)',
    )
    server.start("asks")
    server.run(until=lambda: server.console)
    assert server.console[0].startswith("0\tnil\ttable:")
    assert "CURL error code 7" in server.console[0]


HANDLER = """
    SetHttpHandler(function(request, response)
        request.setDataHandler(function(body)
            response.writeHead(202, { ["X-Path"] = request.path })
            response.send(body:upper())
        end)
    end)
"""


def test_handlers_answer_on_the_servers_port(server: FXServer) -> None:
    server.add_script("hears", HANDLER)
    server.start("hears")
    assert server.post("/hears/a/b", "body") == (202, "BODY")
    assert server.post("/nobody/a", "body")[0] == 404
    url = f"http://127.0.0.1:{server.port}/hears/x"
    server.add_script(
        "asks",
        f"""
        PerformHttpRequest("{url}", function(status, body, headers)
            print(status, body, headers["X-Path"])
        end, "POST", "ab")
        """,
    )
    server.start("asks")
    server.run(until=lambda: server.console)
    assert server.console == ["202\tAB\t/x"]


def test_commands_know_who_typed_them(server: FXServer) -> None:
    server.add_script(
        "orders",
        """
        RegisterCommand("Do", function(from, words, raw) print(from, words[1], raw) end, true)
        """,
    )
    server.start("orders")
    server.join(3, "Vic")
    assert server.command("do this") == ["0\tthis\tdo this"]
    assert server.command("do this", source=3) == ["Access denied for command do."]


def test_json_is_that_of_the_game(server: FXServer) -> None:
    server.add_script(
        "json",
        r"""
        print(json.encode({}), json.encode({ a = 1, b = 1.0 }), json.encode("\n\"ü\1"))
        print(json.decode("[1, 1.5, \"\\u00fc\\ud83d\\ude00\", null, true]")[3], json.decode("{"))
        """,
    )
    server.start("json")
    assert server.console[0] == '[]\t{"a":1,"b":1.0}\t"\\n\\"ü\\u0001"'
    assert server.console[1].startswith("ü😀\tnil\t")


def test_scripts_have_no_way_to_the_machine(server: FXServer) -> None:
    server.add_script("probe", "print(io, require, os.execute, dofile, python)")
    server.start("probe")
    assert server.console == ["nil\tnil\tnil\tnil\tnil"]
