"""A stand-in for FXServer: resources in real Lua 5.4, driven tick by tick by a test.

    with FXServer(tmp_path) as server:
        server.convars["cad_sentinel_url"] = bot.url
        server.add(Path("fivem/cad-sentinel"))
        server.add_script("mine", "exports['cad-sentinel']:Alarm({property = 1, user = 1})")
        server.join(1, "Wren", license="41aa90be")
        server.start("cad-sentinel", "mine")
        server.run(until=lambda: bot_has_it())
        assert server.errors == []

Each resource has an interpreter of its own; values are copied between them, and functions become
references that die with their owner. A tick is 20 ms of the server's own clock. It waits in real
time only while HTTP requests are under way. Nothing of it comes from FXServer's sources.
"""

import json
import shutil
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

from lupa import lua54

from tests.fivem.http_client import CurlClient, GameRequest, GameResponse, HttpClient
from tests.fivem.http_handler import GamePort, IncomingRequest
from tests.fivem.kvp import KvpStore, Value

HERE = Path(__file__).parent
TICK = 20
"""Milliseconds of a tick."""
CONSOLE = 0
"""The source of a command that is typed into the server's console."""

CallResult = tuple[str | None, str, str | None]
"""A problem or the packed results; or the number of a call that waits for something."""


def _read_lua(name: str) -> str:
    return (HERE / name).read_text("latin-1")


def _new_lua() -> Any:
    return lua54.LuaRuntime(
        encoding="latin-1",  # each byte is one character: Lua's texts may be any bytes
        unpack_returned_tuples=True,
        register_eval=False,
        register_builtins=False,
    )


@dataclass
class GamePlayer:
    """A player on the server; identifiers by type, without their prefix."""

    name: str
    identifiers: dict[str, str]
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    aces: set[str] = field(default_factory=set)
    bucket: int = 0


@dataclass
class Resource:
    """A folder with a manifest, or a script of the test; `runtime` while it is started."""

    name: str
    folder: Path
    script: str | None = None
    metadata: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    runtime: "ResourceRuntime | None" = None

    def sources(self) -> list[tuple[str, str]]:
        """The server's scripts as (name, text), in the order of the manifest."""
        if self.script is not None:
            return [(f"@{self.name}", self.script)]
        patterns = self.metadata["shared_script"] + self.metadata["server_script"]
        files = [
            file
            for pattern in patterns
            for file in (
                sorted(self.folder.glob(pattern)) if "*" in pattern else [self.folder / pattern]
            )
        ]
        return [
            (f"@{self.name}/{file.relative_to(self.folder).as_posix()}", file.read_text("latin-1"))
            for file in dict.fromkeys(files)
        ]

    def read_manifest(self) -> None:
        """Read the manifest anew, as at each start."""
        self.metadata.clear()
        if self.script is None:
            text = (self.folder / "fxmanifest.lua").read_text("latin-1")
            # `server_scripts { … }` is an entry of `server_script` for each.
            _new_lua().execute(
                _read_lua("manifest.lua"),
                text,
                lambda name, value: self.metadata[name.removesuffix("s")].append(value),
            )


class FXServer:
    """The game server. `folder` holds its key-value store and what scripts save.

    `console` is what was printed, `errors` what went wrong in scripts, `client_events` what was
    sent to players as (name, player, arguments), `global_state` what players see of GlobalState.
    """

    def __init__(self, folder: Path, http: HttpClient | None = None, now: float = 0.0) -> None:
        self.folder = folder
        self.http = http or CurlClient()
        self.kvp = KvpStore(folder / "kvp.log")
        self.convars: dict[str, str] = {}
        self.players: dict[int, GamePlayer] = {}
        self.resources: dict[str, Resource] = {}
        self.console: list[str] = []
        self.errors: list[str] = []
        self.client_events: list[tuple[str, int, list[Any]]] = []
        self.global_state: dict[str, Any] = {}
        self._recorded: dict[str, list[list[Any]]] = {}
        self._packed_state: dict[str, str] = {}
        self._started_at = now or time.time()
        self._milliseconds = 0
        self._queue: list[Callable[[], object]] = []
        self._instances = 0
        self._invoking: list[str] = []
        self._canceled = False
        self._port: GamePort | None = None
        runtime = _new_lua()
        serial = runtime.execute(_read_lua("serial.lua"))
        self._pack_json, self._unpack_json = serial.pack_json, serial.unpack_json
        self._empty = serial.pack()
        self._lua = runtime

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self, power_fails: bool = False) -> None:
        """End without a word to any resource; a power failure also loses what was not synced."""
        for resource in self.resources.values():
            resource.runtime = None
        self.http.close()
        if self._port:
            self._port.close()
        if power_fails:
            self.kvp.lose_unsynced()
        self.kvp.close()

    # resources

    def add(self, folder: Path, name: str = "") -> None:
        """Copy a resource's folder to the server, over an older version."""
        name = name or folder.name
        copy = self.folder / "resources" / name
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        self.resources[name] = Resource(name, copy)

    def add_script(self, name: str, script: str) -> None:
        """Make a resource of one server script."""
        folder = self.folder / "resources" / name
        folder.mkdir(parents=True, exist_ok=True)
        text = script.encode().decode("latin-1")
        self.resources[name] = Resource(name, folder, text)

    def start(self, *names: str) -> None:
        """Start resources, one after the other."""
        for name in names:
            resource = self.resources[name]
            if resource.runtime:
                continue
            resource.read_manifest()
            self._instances += 1
            self._trigger_json("onResourceStarting", [name])
            resource.runtime = ResourceRuntime(self, resource, f"{name}#{self._instances}")
            resource.runtime.load()
            self._trigger_json("onResourceStart", [name])
            self._later(partial(self._trigger_json, "onServerResourceStart", [name]))

    def stop(self, name: str) -> None:
        """Stop a resource: its functions die, and what it asked for is never answered."""
        self._trigger_json("onResourceStop", [name])
        self.resources[name].runtime = None
        self._later(partial(self._trigger_json, "onServerResourceStop", [name]))

    def restart(self, name: str) -> None:
        """Stop and start a resource, as `ensure` does."""
        if self.resources[name].runtime:
            self.stop(name)
        self.start(name)

    def running(self) -> list["ResourceRuntime"]:
        """The started resources, in the order in which they were added."""
        return [one.runtime for one in self.resources.values() if one.runtime]

    def cost(self, name: str) -> float:
        """Seconds of processor time that a resource has taken in its ticks since its start."""
        runtime = self.resources[name].runtime
        return runtime.seconds if runtime else 0.0

    # time

    @property
    def now(self) -> int:
        """Milliseconds since the server started, by its own clock."""
        return self._milliseconds

    @property
    def unix_time(self) -> float:
        """Seconds since 1970, by its own clock."""
        return self._started_at + self._milliseconds / 1000

    def move_clock(self, seconds: float) -> None:
        """Set the clock of the machine, not the time since the start."""
        self._started_at += seconds

    def tick(self) -> None:
        """Do one frame's work: what is queued, HTTP, and what scripts wait for."""
        began = time.monotonic()
        is_busy = self.http.poll(0)
        queue, self._queue = self._queue, []
        for work in queue:
            work()
        while self._port and not self._port.incoming.empty():
            self._accept(self._port.incoming.get())
        for runtime in self.running():
            runtime.tick()
        self._milliseconds += TICK
        ends = began + TICK / 1000
        while is_busy and (remaining := ends - time.monotonic()) > 0.001:
            self.http.poll(remaining)

    def run(self, seconds: float = 30.0, until: Callable[[], object] | None = None) -> None:
        """Tick until something is so, or for so long by the server's clock.

        Raises TimeoutError if it does not come to be so.
        """
        ends = self._milliseconds + seconds * 1000
        while self._milliseconds < ends:
            if until and until():
                return
            self.tick()
        if until and not until():
            raise TimeoutError(f"not within {seconds} s; console: {self.console[-10:]}")

    # what a test does and sees

    def join(
        self,
        source: int,
        name: str,
        position: tuple[float, float, float] = (0.0, 0.0, 0.0),
        **identifiers: str,
    ) -> GamePlayer:
        """Have a player join, for example `join(1, "Wren", license="41aa90be")`."""
        player = self.players[source] = GamePlayer(name, identifiers, position)
        self._trigger_json("playerJoining", [], str(source))
        return player

    def leave(self, source: int) -> None:
        """Have a player leave."""
        self._trigger_json("playerDropped", ["Exiting"], str(source))
        del self.players[source]

    def trigger(self, name: str, *arguments: Any) -> None:
        """Trigger an event on the server, as any resource may."""
        self._trigger_json(name, list(arguments))

    def trigger_from_player(self, source: int, name: str, *arguments: Any) -> None:
        """Trigger an event as a player's game does; only those registered for it hear it."""
        packed = self._pack(list(arguments))
        for runtime in self.running():
            if name in runtime.net_events:
                runtime.event(name, packed, source)

    def call(self, resource: str, export: str, *arguments: Any) -> list[Any]:
        """Call an export and return all that it returns; raises RuntimeError if it fails."""
        problem, packed, number = self._call_export(resource, export, self._pack(list(arguments)))
        if problem or number:
            raise RuntimeError(problem or f"{export} waits for something")
        return self._unpack(packed)

    def record(self, event: str) -> list[list[Any]]:
        """Return a list that grows by the arguments of each such event on the server."""
        return self._recorded.setdefault(event, [])

    def command(self, line: str, source: int = CONSOLE) -> list[str]:
        """Carry out a command and return what was printed meanwhile; "" if nobody may."""
        name = line.split()[0].lower()
        before = len(self.console)
        for runtime in self.running():
            if name not in runtime.commands:
                continue
            if runtime.commands[name] and not self._may(source, f"command.{name}"):
                self.console.append(f"Access denied for command {name}.")
                continue
            runtime.command(name, source, line)
        return self.console[before:]

    def post(
        self, path: str, body: str, method: str = "POST", headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """Send a request to the server's port, without a network, and return status and text."""
        text = body.encode().decode("latin-1")
        request = IncomingRequest("127.0.0.1:50000", path, method, headers or {}, text)
        self._accept(request)
        self.run(5.0, until=lambda: request.is_answered)
        return request.status, request.answer.encode("latin-1").decode(errors="replace")

    @property
    def port(self) -> int:
        """The server's real port for `SetHttpHandler`, opened when it is first asked for."""
        if self._port is None:
            self._port = GamePort()
        return self._port.port

    # what resources ask for

    def _may(self, source: int, ace: str) -> bool:
        return source == CONSOLE or (source in self.players and ace in self.players[source].aces)

    def _later(self, work: Callable[[], object]) -> None:
        self._queue.append(work)

    def _pack(self, arguments: list[Any]) -> str:
        return str(self._pack_json(json.dumps(arguments, ensure_ascii=True), len(arguments)))

    def _unpack(self, packed: str) -> list[Any]:
        values: list[Any] = json.loads(self._unpack_json(packed).encode("latin-1"))
        return values

    def _trigger_json(self, name: str, arguments: list[Any], source: str = "") -> None:
        self._trigger(name, self._pack(arguments), int(source) if source else "")

    def _trigger(self, name: str, packed: str, source: int | str = "") -> bool:
        if name in self._recorded:
            self._recorded[name].append(self._unpack(packed))
        for runtime in self.running():
            if name in runtime.events:
                runtime.event(name, packed, source)
        return True

    def _trigger_client(self, name: str, target: int, packed: str) -> None:
        self.client_events.append((name, int(target), self._unpack(packed)))

    def _call_export(self, resource: str, name: str, packed: str) -> CallResult:
        owner = self.resources.get(resource)
        if owner is None or owner.runtime is None:
            return f"No such export {name} in resource {resource}", self._empty, None
        problem, results, number = owner.runtime.call_export(name, packed)
        return problem, results or self._empty, number

    def _call_reference(self, reference: str, packed: str) -> CallResult:
        instance = reference.rpartition(":")[0]
        for runtime in self.running():
            if runtime.instance == instance:
                problem, results, number = runtime.call_reference(reference, packed)
                return problem, results or self._empty, number
        problem = f"the function {reference} belonged to a resource that was stopped"
        return problem, self._empty, None

    def _settle(self, number: str, problem: str | None, packed: str | None) -> None:
        """Tell whoever called a function that has waited what came of it."""
        for runtime in self.running():
            runtime.settle(number, problem, packed or self._empty)

    def _accept(self, request: IncomingRequest) -> None:
        name, _, rest = request.path.removeprefix("/").partition("/")
        owner = self.resources.get(name)
        if owner is None or owner.runtime is None:
            request.respond(404, {}, "Not found.")
            return
        owner.runtime.http_request(request, "/" + rest)


class ResourceRuntime:
    """A started resource: its interpreter, and the functions that its scripts can call."""

    def __init__(self, server: FXServer, resource: Resource, instance: str) -> None:
        self._server = server
        self._resource = resource
        self.instance = instance
        self.events: set[str] = set()
        self.net_events: set[str] = set()
        self.commands: dict[str, bool] = {}
        self.seconds = 0.0
        self._requests = 0
        self._incoming: dict[int, IncomingRequest] = {}
        self._lua = _new_lua()
        host = self._lua.table_from(self._host())
        entry = self._lua.execute(_read_lua("runtime.lua"), host, _read_lua("serial.lua"))
        self._run = entry.run
        self._tick = entry.tick
        self.event = entry.event
        self.command = entry.command
        self.call_export = entry.call_export
        self.call_reference = entry.call_reference
        self.settle = entry.settle
        self._response = entry.response
        self._http_request = entry.http_request

    def load(self) -> None:
        """Run the scripts."""
        for name, text in self._resource.sources():
            self._run(text, name)

    def tick(self) -> None:
        """Resume the threads that are due."""
        began = time.thread_time()
        self._tick()
        self.seconds += time.thread_time() - began

    def http_request(self, request: IncomingRequest, path: str) -> None:
        """Hand a request to the script's handler."""
        self._requests += 1
        self._incoming[self._requests] = request
        self._http_request(
            self._requests,
            request.address,
            path,
            request.method,
            json.dumps(request.headers),
            request.body,
        )

    def _host(self) -> dict[str, object]:
        server, kvp = self._server, self._server.kvp
        prefix = f"res:{self._resource.name}:"

        def store(is_synced: bool) -> Callable[[str, Value], None]:
            return lambda key, value: kvp.set(prefix + key, value, is_synced)

        def stored(*kinds: type) -> Callable[[str], Value | None]:
            def read(key: str) -> Value | None:
                value = kvp.get(prefix + key)
                return value if isinstance(value, kinds) else None

            return read

        def find(handle: int) -> str | None:
            key = kvp.find(handle)
            return None if key is None else key.removeprefix(prefix)

        return {
            "resource": self._resource.name,
            "instance": self.instance,
            "now": lambda: server.now,
            "unix_time": lambda: server.unix_time,
            "print": lambda text: server.console.append(_text(text)),
            "report_error": self._report_error,
            "listen": self.events.add,
            "listen_to_players": self.net_events.add,
            "trigger": lambda name, packed: server._trigger(name, packed),
            "trigger_client": server._trigger_client,
            "call_export": self._as_invoker(server._call_export),
            "call_reference": server._call_reference,
            "settle": lambda *of_it: server._later(lambda: server._settle(*of_it)),
            "GetInvokingResource": lambda: server._invoking[-1] if server._invoking else None,
            "register_command": self.commands.__setitem__,
            "ExecuteCommand": lambda line: bool(server.command(line)),
            "request": self._request,
            "respond": self._respond,
            "set_global_state": self._set_global_state,
            "global_state": lambda name: server._packed_state.get(name, server._empty),
            "players": lambda: " ".join(str(source) for source in server.players),
            "GetPlayerName": lambda source: self._of_player(source, lambda one: one.name),
            "GetPlayerIdentifierByType": lambda source, kind: self._of_player(
                source, lambda one: one.identifiers.get(kind) and f"{kind}:{one.identifiers[kind]}"
            ),
            "GetNumPlayerIdentifiers": lambda source: (
                self._of_player(source, lambda one: len(one.identifiers)) or 0
            ),
            "GetPlayerIdentifier": lambda source, place: self._of_player(
                source,
                lambda one: ":".join(list(one.identifiers.items())[int(place)]),
            ),
            "GetPlayerPed": lambda source: self._of_player(source, lambda _: _number(source)) or 0,
            "GetPlayerRoutingBucket": lambda source: (
                self._of_player(source, lambda one: one.bucket) or 0
            ),
            "coords": lambda ped: self._of_player(ped, lambda one: one.position) or (0.0, 0.0, 0.0),
            "IsPlayerAceAllowed": lambda source, ace: server._may(_number(source), ace),
            "GetConvar": server.convars.get,
            "SetConvar": server.convars.__setitem__,
            "SetResourceKvp": store(True),
            "SetResourceKvpInt": store(True),
            "SetResourceKvpFloat": store(True),
            "SetResourceKvpNoSync": store(False),
            "SetResourceKvpIntNoSync": store(False),
            "SetResourceKvpFloatNoSync": store(False),
            "GetResourceKvpString": stored(str),
            "GetResourceKvpInt": lambda key: stored(int)(key) or 0,
            "GetResourceKvpFloat": lambda key: stored(int, float)(key) or 0.0,
            "DeleteResourceKvp": lambda key: kvp.delete(prefix + key),
            "DeleteResourceKvpNoSync": lambda key: kvp.delete(prefix + key, is_synced=False),
            "FlushResourceKvp": kvp.flush,
            "StartFindKvp": lambda start: kvp.start_find(prefix + start),
            "FindKvp": find,
            "EndFindKvp": kvp.end_find,
            "GetResourceState": self._state,
            "GetNumResources": lambda: len(server.resources),
            "GetResourceByFindIndex": lambda index: list(server.resources)[index],
            "GetNumResourceMetadata": lambda name, key: len(self._metadata(name, key)),
            "GetResourceMetadata": lambda name, key, index=0: (
                self._metadata(name, key)[int(index)]
                if int(index) < len(self._metadata(name, key))
                else None
            ),
            "LoadResourceFile": self._load_file,
            "SaveResourceFile": self._save_file,
            "StartResource": lambda name: server._later(lambda: server.start(name)),
            "StopResource": lambda name: server._later(lambda: server.stop(name)),
        }

    def _report_error(self, text: str) -> None:
        self._server.errors.append(f"{self._resource.name}: {_text(text)}")
        self._server.console.append(f"SCRIPT ERROR: {_text(text)}")

    def _as_invoker(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def invoke(*arguments: Any) -> Any:
            self._server._invoking.append(self._resource.name)
            try:
                return call(*arguments)
            finally:
                self._server._invoking.pop()

        return invoke

    def _request(self, url: str, method: str, body: str, headers: str, follows: bool) -> int:
        self._requests += 1
        number = self._requests
        server = self._server

        def answer(response: GameResponse) -> None:
            if self._resource.runtime is self:
                self._response(
                    number,
                    response.status,
                    response.body,
                    json.dumps(response.headers),
                    response.problem,
                )

        server.http.request(
            GameRequest(url, method, body, json.loads(headers), follows),
            lambda response: server._later(lambda: answer(response)),
        )
        return number

    def _respond(self, number: int, status: int, headers: str, answer: str) -> None:
        self._incoming.pop(number).respond(status, json.loads(headers), answer)

    def _set_global_state(self, name: str, packed: str) -> None:
        self._server._packed_state[name] = packed
        self._server.global_state[name] = self._server._unpack(packed)[0]

    def _of_player(self, source: Any, read: Callable[[GamePlayer], Any]) -> Any:
        player = self._server.players.get(_number(source))
        return None if player is None else read(player)

    def _state(self, name: str) -> str:
        resource = self._server.resources.get(name)
        return "missing" if resource is None else "started" if resource.runtime else "stopped"

    def _metadata(self, name: str, key: str) -> list[str]:
        resource = self._server.resources.get(name)
        return resource.metadata.get(key.removesuffix("s"), []) if resource else []

    def _load_file(self, name: str, path: str) -> str | None:
        resource = self._server.resources.get(name)
        if resource is None:
            return None
        file = (resource.folder / path).resolve()
        inside = file.is_relative_to(resource.folder.resolve()) and file.is_file()
        return file.read_text("latin-1") if inside else None

    def _save_file(self, name: str, path: str, text: str, length: int = -1) -> bool:
        if name != self._resource.name:
            return False
        file = self._server.resources[name].folder / path
        file.write_text(text if length < 0 else text[:length], "latin-1")
        return True


def _text(text: str) -> str:
    """A Lua text as people read it."""
    return text.encode("latin-1").decode(errors="replace")


def _number(source: Any) -> int:
    """The number of a player, which scripts also give as a text; -1 for anything else."""
    try:
        return int(source)
    except (TypeError, ValueError):
        return -1
