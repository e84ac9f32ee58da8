"""The server: strict about methods, paths and bodies, with a switch for all that is unpublished."""

import asyncio
import copy
import socket
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Self
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, web
from aiohttp.test_utils import TestServer

from tests.fake_cad.echoes import Echo
from tests.fake_cad.limits import RateWindows

STATUS = {0: "UNAVAILABLE", 1: "BUSY", 2: "AVAILABLE", 3: "ENROUTE", 4: "ON_SCENE", 100: "OFFLINE"}
TARGETS = {"communityUserId", "communityUserIds", "accountUuid", "accounts", "roblox", "discord"}

FIRST_NUMBER = 101

Json = dict[str, Any]
Handler = Callable[[web.Request, Json], Awaitable[web.Response]]

_NEEDED: dict[str, dict[str, type]] = {
    "create-911": {"isEmergency": bool, "caller": str, "location": str, "description": str},
    "create-dispatch": {"origin": int, "status": int, "priority": int, "title": str},
    "note": {"note": str, "noteType": str, "label": str},
    "close": {"callIds": list},
    "status": {"status": int},
    "panic": {"isPanic": bool},
}
_OPTIONAL: dict[str, dict[str, type]] = {
    "create-911": {"deleteAfterMinutes": int, "metaData": dict},
    "create-dispatch": {
        "block": str,
        "address": str,
        "postal": str,
        "code": str,
        "description": str,
        "notes": list,
        "metaData": dict,
        "deleteAfterMinutes": int,
    },
}


class FakeCad:
    """One server of a community, its units and calls, and its pushes to the bot.

    `echoes`: when it pushes what a kind of request did, `array`: as an array. `lose`: how often it
    does a kind of request and loses the answer; `hold_before`, `hold`: what it waits for before and
    after it does a kind of request that is `held`; before it does any, if none is. `refuse_429`:
    how many requests of a kind it refuses so, `retry_after` with that header. `empty_targets`:
    whether a member without a unit is no fault.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self.key = "FAKE-CAD-API-KEY-0001"
        self.server_id = 1
        self.windows = RateWindows() if clock is None else RateWindows(clock)
        self.accounts: dict[str, str] = {}
        """Account uuids by Discord id."""
        self.units: dict[int, Json] = {}
        self.emergencies: dict[int, Json] = {}
        self.dispatches: dict[int, Json] = {}
        self.closed: dict[int, Json] = {}
        self.created: list[Json] = []
        """Every call that was ever made over the API."""
        self.requests: list[tuple[str, str, str, Json]] = []
        """Kind, method, path and body of every request."""
        self.faults: list[str] = []
        """What the bot did that the documents forbid."""
        self.echoes: Mapping[str, Echo] = {}
        self.array = False
        self.lose: defaultdict[str, int] = defaultdict(int)
        self.refuse_429: defaultdict[str, int] = defaultdict(int)
        self.retry_after: str | None = None
        self.hold_before: asyncio.Event | None = None
        self.hold: asyncio.Event | None = None
        self.held: set[str] = set()
        self.is_down = False
        self.empty_targets = True
        self.plan_is_too_low = False
        self.extra_members = False
        self.answers: dict[str, Any] = {}
        """What is answered to a kind of reading in place of what there is."""
        self.bodies: dict[str, str] = {}
        """What the body of the next success of a kind is in place of its own, after it was done."""
        self.open_pushes = 0
        """How many pushes wait for the bot's answer."""
        self.bot_url = ""
        self.push_key = self.key
        self._heard = asyncio.Event()
        self._abandoned: list[asyncio.Event] = []
        self._late: list[tuple[str, Any]] = []
        self._numbers = {"911": FIRST_NUMBER - 1, "dispatch": FIRST_NUMBER - 1}
        self._server: TestServer | None = None
        self._url = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, port: int | None = None) -> None:
        app = web.Application()
        server = "/v2/emergency/servers/{server}"
        for kind, method, path, handler in (
            ("create-911", "POST", f"{server}/calls/911", self._create_911),
            ("remove-911", "DELETE", f"{server}/calls/911/{{call}}", self._remove_911),
            ("create-dispatch", "POST", f"{server}/dispatch-calls", self._create_dispatch),
            ("close", "POST", f"{server}/dispatch-calls/close", self._close),
            ("detach", "DELETE", f"{server}/dispatch-calls/attachments", self._detach),
            ("attach", "POST", f"{server}/dispatch-calls/{{call}}/attachments", self._attach),
            ("note", "POST", f"{server}/dispatch-calls/{{call}}/notes", self._note),
            ("status", "PATCH", f"{server}/units/status", self._status),
            ("panic", "PATCH", f"{server}/units/panic", self._panic),
            ("units", "GET", f"{server}/units", self._units),
            ("calls", "GET", f"{server}/calls", self._calls),
            ("account", "GET", "/v2/general/accounts/account", self._account),
            ("account-units", "GET", f"{server}/accounts/{{uuid}}/units", self._account_units),
            ("version", "GET", "/v2/general/version", self._version),
        ):
            app.router.add_route(method, path, self._endpoint(kind, handler))
        app.router.add_route("*", "/{rest:.*}", self._elsewhere)
        self._server = TestServer(app, port=port)
        await self._server.start_server(shutdown_timeout=0)
        self._url = str(self._server.make_url("")).rstrip("/")

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.close()

    @contextmanager
    def port_kept(self) -> Iterator[None]:
        """Let nobody else listen on the stopped CAD's port, such as another test's CAD."""
        with socket.socket() as kept:
            kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # it has just been closed
            kept.bind(("127.0.0.1", urlsplit(self._url).port or 0))
            kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
            yield

    @property
    def url(self) -> str:
        return self._url

    def add_member(self, discord: int | str, ident: int | None = None, number: str = "") -> None:
        """Link a Discord account, with a unit on duty if there is an ident."""
        account = self.accounts.setdefault(str(discord), str(uuid.uuid4()))
        if ident is not None:
            data = {"unitNum": number or str(ident), "name": f"Officer {ident}"}
            self.units[ident] = {
                "id": ident,
                "accId": account,
                "status": 2,
                "isPanic": False,
                "isDispatch": False,
                "location": "",
                "data": data,
            }

    def asked(self, kind: str) -> list[Json]:
        """Return the bodies of the requests of a kind."""
        return [body for name, _method, _path, body in self.requests if name == kind]

    async def until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until something is so, looking at each request."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._heard.clear()
                await self._heard.wait()

    async def next_request(self) -> None:
        """Wait a moment for the next request or its end."""
        self._heard.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.02):
                await self._heard.wait()

    def begin_holding(self) -> None:
        """Hold every request back, before it is done."""
        self.hold_before = asyncio.Event()

    def end_holding(self, *, abandon: bool = False) -> None:
        """Go on with what was held back, or have it never happen."""
        assert self.hold_before is not None
        if abandon:
            self._abandoned.append(self.hold_before)
        self.hold_before.set()
        self.hold_before = None

    def use_numbers_again(self) -> None:
        """Number calls from the start, as after somebody has wiped them."""
        self._numbers = dict.fromkeys(self._numbers, FIRST_NUMBER - 1)

    def snapshot_calls(self) -> None:
        """Answer readings of calls with what there is now, from now on."""
        self.answers["calls"] = self._listed_calls()

    def poll_as_game_server(self) -> None:
        """Count what SonoranCADFiveM asks every minute with the same key."""
        self.windows.take("units")
        self.windows.take("calls")

    def _endpoint(self, kind: str, handler: Handler) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.StreamResponse:
            text = await request.text()
            if request.method == "GET" and text:
                self.faults.append(f"{kind}: GET with a body")
            body = await request.json() if text else dict(request.query)
            self.requests.append((kind, request.method, request.path, body))
            self._heard.set()
            within = self.windows.take(kind)
            if self.refuse_429[kind] or not within:
                self.refuse_429[kind] -= within
                return self._too_many()
            if self.is_down:
                return _problem(503, "Service Unavailable", "")
            problem = self._check(kind, request, body)
            if problem is not None:
                return problem
            if self.hold_before is not None and (not self.held or kind in self.held):
                holding = self.hold_before
                await holding.wait()
                if holding in self._abandoned:
                    return _problem(503, "Service Unavailable", "")
            response = await handler(request, body)
            self._heard.set()
            if kind in self.bodies and response.status < 300:
                response = web.Response(text=self.bodies.pop(kind), status=response.status)
            if self.hold is not None and kind in self.held:
                await self.hold.wait()
            if self.lose[kind] and response.status < 300:
                self.lose[kind] -= 1
                assert request.transport is not None
                request.transport.close()
            return response

        return answer

    def _too_many(self) -> web.Response:
        headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
        body = {"message": "API rate limit exceeded", "request_id": uuid.uuid4().hex}
        return web.json_response(body, status=429, headers=headers)

    def _check(self, kind: str, request: web.Request, body: Json) -> web.Response | None:
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return _problem(401, "Unauthorized", "The API key is invalid.")
        if request.match_info.get("server", str(self.server_id)) != str(self.server_id):
            return _problem(404, "Not Found", "The server is not configured.")
        if self.plan_is_too_low and kind not in ("version", "account"):
            return _problem(402, "Payment Required", "VERSION PRO REQUIRED")
        needed, optional = _NEEDED.get(kind, {}), _OPTIONAL.get(kind, {})
        if request.method != "GET":
            for name, of_type in {**needed, **optional}.items():
                if name not in body and name in optional:
                    continue
                if type(body.get(name)) is not of_type:
                    return self._fault(f"{kind}: {name} is not {of_type.__name__}")
            allowed = {*needed, *optional, *TARGETS, "identIds", "groupName"}
            if set(body) - allowed:
                return self._fault(f"{kind}: unknown {sorted(set(body) - allowed)}")
        meta = body.get("metaData", {})
        if any(not isinstance(value, str) for value in meta.values()):
            return self._fault(f"{kind}: metadata are texts")
        targets = [name for name in (*TARGETS, "identIds", "groupName") if name in body]
        wants = kind in ("attach", "detach", "status", "panic", "create-dispatch", "account")
        if wants != (len(targets) == 1):
            return self._fault(f"{kind}: exactly one target is needed, not {targets}")
        return None

    def _fault(self, text: str) -> web.Response:
        self.faults.append(text)
        return _problem(400, "Bad Request", text)

    async def _elsewhere(self, request: web.Request) -> web.Response:
        self.faults.append(f"{request.method} {request.path}")
        return _problem(404, "Not Found", "")

    def _idents(self, body: Mapping[str, Any]) -> list[int] | web.Response:
        """Return the units of a target; of a member who has none, as the switch says."""
        if "identIds" in body:
            return [ident for ident in body["identIds"] if ident in self.units]
        if "communityUserIds" in body:
            return []
        account = self.accounts.get(str(body["discord"]))
        if account is None:
            return _problem(404, "Not Found", "No account was found for the target.")
        found = [
            ident
            for ident, unit in self.units.items()
            if unit["accId"] == account and unit["status"] != 100
        ]
        if not found and not self.empty_targets:
            return _problem(404, "Not Found", "The target has no active unit.")
        return found

    async def _create_911(self, request: web.Request, body: Json) -> web.Response:
        call = {"callId": self._next("911"), **body, "updated": "2026-11-30T12:00:00Z"}
        self.emergencies[call["callId"]] = call
        self.created.append(call)
        push = {"call": call, "apiIds": []}
        return await self._done("create-911", "EVENT_911", push, call)

    async def _remove_911(self, request: web.Request, body: Json) -> web.Response:
        number = int(request.match_info["call"])
        if self.emergencies.pop(number, None) is None:
            return _problem(404, "Not Found", "There is no such call.")
        answer = {"callId": number, "serverId": self.server_id}
        return await self._done("remove-911", "EVENT_REMOVE_911", {"callIds": [number]}, answer)

    async def _create_dispatch(self, request: web.Request, body: Json) -> web.Response:
        idents = self._idents(body)
        if isinstance(idents, web.Response):
            return idents
        rest = {name: value for name, value in body.items() if name not in TARGETS}
        call = {"callId": self._next("dispatch"), **rest, "idents": idents, "notes": []}
        self.dispatches[call["callId"]] = call
        self.created.append(call)
        push = {"dispatch": call}
        return await self._done("create-dispatch", "EVENT_DISPATCH_NEW", push, call, status=201)

    async def _close(self, request: web.Request, body: Json) -> web.Response:
        for number in body["callIds"]:
            if number in self.dispatches:
                self.closed[number] = self.dispatches.pop(number) | {"status": 2}
        ids = {"callIds": body["callIds"]}
        return await self._done("close", "EVENT_DISPATCH_CLOSED", ids, ids)

    async def _attach(self, request: web.Request, body: Json) -> web.Response:
        number = int(request.match_info["call"])
        call = self.dispatches.get(number)
        if call is None:
            return _problem(404, "Not Found", "There is no such call.")
        idents = self._idents(body)
        if isinstance(idents, web.Response):
            return idents
        call["idents"] = sorted({*call["idents"], *idents})
        push = {"callId": number, "idents": idents}
        answer = {"callId": number, "identIds": idents}
        return await self._done("attach", "EVENT_DISPATCH_UNIT_ATTACH", push, answer)

    async def _detach(self, request: web.Request, body: Json) -> web.Response:
        idents = self._idents(body)
        if isinstance(idents, web.Response):
            return idents
        for call in self.dispatches.values():
            call["idents"] = [ident for ident in call["idents"] if ident not in idents]
        push, answer = {"idents": idents}, {"identIds": idents}
        return await self._done("detach", "EVENT_DISPATCH_UNIT_DETACH", push, answer)

    async def _note(self, request: web.Request, body: Json) -> web.Response:
        number = int(request.match_info["call"])
        call = self.dispatches.get(number)
        if call is None:
            return _problem(404, "Not Found", "There is no such call.")
        note = {"time": "12:00:00", "label": body["label"], "type": "text", "content": body["note"]}
        call["notes"].append(note)
        push = {"callId": number, "note": note}
        return await self._done(
            "note", "EVENT_DISPATCH_NOTE", push, {"callId": number, "note": note}
        )

    async def _status(self, request: web.Request, body: Json) -> web.Response:
        idents = self._idents(body)
        if isinstance(idents, web.Response):
            return idents
        for ident in idents:
            self.units[ident]["status"] = body["status"]
        push = {"identIds": idents, "status": body["status"]}
        answer = {"updated": bool(idents), "status": STATUS[body["status"]]}
        return await self._done("status", "EVENT_UNIT_STATUS", push, answer)

    async def _panic(self, request: web.Request, body: Json) -> web.Response:
        idents = self._idents(body)
        if isinstance(idents, web.Response):
            return idents
        for ident in idents:
            self.units[ident]["isPanic"] = body["isPanic"]
        push = {"identIds": idents, "isPanic": body["isPanic"]}
        answer = {"updated": bool(idents), "isPanic": body["isPanic"]}
        return await self._done("panic", "EVENT_UNIT_PANIC", push, answer)

    async def _units(self, request: web.Request, body: Json) -> web.Response:
        return web.json_response(self.answers.get("units", list(self.units.values())))

    async def _calls(self, request: web.Request, body: Json) -> web.Response:
        return web.json_response(self.answers.get("calls", self._listed_calls()))

    def _listed_calls(self) -> Json:
        return {
            "ActiveCalls": list(self.dispatches.values()),
            "EmergencyCalls": list(self.emergencies.values()),
            "ClosedCalls": list(self.closed.values())[-10:],
            "ClosedCallCount": len(self.closed),
        }

    async def _account(self, request: web.Request, body: Json) -> web.Response:
        account = self.accounts.get(body["discord"])
        if account is None:
            return _problem(404, "Not Found", "The account was not found.")
        return web.json_response(
            {"uuid": account, "username": "x", "communityUserId": "", "status": 1}
        )

    async def _account_units(self, request: web.Request, body: Json) -> web.Response:
        account = request.match_info["uuid"]
        found = [unit for unit in self.units.values() if unit["accId"] == account]
        return web.json_response({"Units": found})

    async def _version(self, request: web.Request, body: Json) -> web.Response:
        return web.json_response({"version": 3, "name": "Plus"})

    def _next(self, space: str) -> int:
        self._numbers[space] += 1
        return self._numbers[space]

    async def _done(
        self, kind: str, push_type: str, data: Json, answer: Json, status: int = 200
    ) -> web.Response:
        when, echo = self.echoes.get(kind), copy.deepcopy([data] if self.array else data)
        if when in ("early", "twice"):
            await self.push(push_type, echo)
        if when in ("late", "twice"):
            self._late.append((push_type, echo))
        extra = {"somethingNew": {"a": 1}} if self.extra_members else {}
        return web.json_response(answer | extra, status=status)

    async def push_late_echoes(self) -> None:
        """Push what was done since the last time, and is to be pushed late."""
        late, self._late = self._late, []
        for push_type, data in late:
            await self.push(push_type, data)

    async def push(self, push_type: str, data: Any) -> None:
        """Push to the bot, as the CAD does without its API too; one that is gone hears nothing."""
        body = {"key": self.push_key, "type": push_type, "data": data}
        self.open_pushes += 1
        with suppress(ClientError):
            async with (
                ClientSession() as http,
                http.post(f"{self.bot_url}/sonorancad/event", json=body) as got,
            ):
                if got.status != 200:
                    self.faults.append(f"the bot answered {got.status} to {push_type}")
        self.open_pushes -= 1
        self._heard.set()


def _problem(status: int, title: str, detail: str) -> web.Response:
    return web.json_response(
        {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
            "instance": "/v2",
            "traceId": uuid.uuid4().hex,
        },
        status=status,
        content_type="application/problem+json",
    )
