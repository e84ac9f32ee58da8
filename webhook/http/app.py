"""The HTTP application: its routes, and what they are made of."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from aiohttp import web

from webhook.cad.silence import LastPush
from webhook.cad.store import PushConfig
from webhook.cad_api.game_server import GameServerTransport
from webhook.http.addresses import Network, trust_proxies
from webhook.http.api import Api
from webhook.http.asyncapi import asyncapi
from webhook.http.authentication import Authenticator
from webhook.http.bodies import BodyReader
from webhook.http.connection import ConnectionCounter, ConnectionLimits
from webhook.http.event_bus import PING_TIMEOUT, EventBus
from webhook.http.game_requests import GameRequests
from webhook.http.long_poll import LongPoll
from webhook.http.middlewares import (
    hide_errors,
    rejection_logger,
    stranger_closer,
    unknown_path_answerer,
)
from webhook.http.push import PATHS, CadKey, PushListener
from webhook.http.sockjs import SockJs
from webhook.http.websocket import WebSocketHandler
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context
from webhook.protocol.session import SessionSettings

PIECE = 16 * 1024
"""Bytes of the protocol's description that are sent at once."""


async def _refresh_nothing() -> None: ...


def _ignore_arrival() -> None: ...


@dataclass(frozen=True)
class AppDependencies:
    """What the application works with.

    `health` returns whether it is ready, and details; `refresh_metrics` updates the metrics that
    are read rather than counted; `last_push` records every push that carries a valid key.
    `game_cads`: the CADs that their game servers ask for us; `game_server_came` is called when
    one is there.
    """

    context: Context
    catalogue: Catalogue
    cad_keys: list[CadKey]
    authenticator: Authenticator
    sessions: SessionSettings
    health: Callable[[], tuple[bool, dict[str, object]]]
    push_bytes: int
    limits: ConnectionLimits = field(default_factory=ConnectionLimits)
    push_config: PushConfig = field(default_factory=PushConfig)
    refresh_metrics: Callable[[], Awaitable[None]] = _refresh_nothing
    last_push: LastPush = field(default_factory=LastPush)
    trusted_proxies: Sequence[Network] = ()
    game_cads: Mapping[str, GameServerTransport] = field(default_factory=dict)
    game_server_came: Callable[[], None] = _ignore_arrival


def make_app(dependencies: AppDependencies) -> web.Application:
    metrics = dependencies.sessions.metrics
    bodies = BodyReader()
    connections = ConnectionCounter(dependencies.limits)
    push = PushListener(
        dependencies.context,
        dependencies.cad_keys,
        dependencies.push_config,
        bodies,
        dependencies.push_bytes,
        dependencies.authenticator.limiter,
        dependencies.sessions,
        dependencies.last_push,
    )
    websockets = WebSocketHandler(
        dependencies.context,
        dependencies.catalogue,
        dependencies.sessions,
        dependencies.authenticator,
        dependencies.limits,
        connections,
    )
    event_bus = EventBus(dependencies.context, dependencies.catalogue, dependencies.sessions)
    sockjs = SockJs(
        event_bus.serve,
        PING_TIMEOUT,
        dependencies.authenticator,
        dependencies.limits,
        connections,
        bodies,
        metrics,
    )
    api = Api(
        dependencies.context,
        dependencies.catalogue,
        dependencies.sessions,
        dependencies.authenticator,
        dependencies.limits,
        bodies,
        push,
    )
    long_poll = LongPoll(
        dependencies.context,
        dependencies.sessions,
        dependencies.authenticator,
        dependencies.limits,
    )
    game_requests = GameRequests(
        dependencies.context,
        dependencies.authenticator,
        bodies,
        dependencies.game_cads,
        dependencies.game_server_came,
    )

    async def healthz(_: web.Request) -> web.Response:
        ready, details = dependencies.health()
        body = {"ready": ready, "live": True, "problems": [], "pushes": dict(push.counts)}
        body["unknownTypes"] = dict(push.unknown_types)
        return web.json_response(body | details, status=200 if ready else 503)

    async def greet(request: web.Request) -> web.StreamResponse:
        """Answer people who try an address in a browser, and scripts that expect a websocket."""
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await websockets.connect(request)
        return web.Response(text="CAD Sentinel is listening\n")

    async def show_metrics(request: web.Request) -> web.Response:
        await dependencies.authenticator.authenticate(request)  # any scope will do
        await dependencies.refresh_metrics()
        accept = request.headers.get("Accept", "")
        page, content_type = await asyncio.to_thread(metrics.render, accept)
        return web.Response(body=page, headers={"Content-Type": content_type})

    schema: list[bytes] = []

    async def show_schema(request: web.Request) -> web.StreamResponse:
        """Answer piece by piece: whoever does not read must not hold the whole of it."""
        if not schema:
            document = await asyncio.to_thread(asyncapi, dependencies.catalogue)  # slow
            schema[:] = [orjson.dumps({"asyncapi": document})]
        (body,) = schema
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = len(body)
        await response.prepare(request)
        if request.method != "HEAD":
            for start in range(0, len(body), PIECE):
                await response.write(body[start : start + PIECE])
                await asyncio.sleep(0)  # which does not wait while the system takes it all
        await response.write_eof()
        return response

    async def end_open_requests(_: web.Application) -> None:
        long_poll.close()
        game_requests.close()
        sockjs.close()
        await websockets.close()

    outermost = (
        [trust_proxies(dependencies.trusted_proxies)] if dependencies.trusted_proxies else []
    )
    origins = dependencies.authenticator.origins
    limiter = dependencies.authenticator.limiter
    app = web.Application(
        middlewares=[
            *outermost,
            stranger_closer(limiter),
            hide_errors,
            rejection_logger(limiter.rejection_log),
            origins.answer_preflight,
            unknown_path_answerer(push),
        ]
    )
    app.on_response_prepare.append(origins.add_headers)
    for path in PATHS:
        app.router.add_post(path, push.receive)
        app.router.add_get(path, greet)
    app.router.add_get("/ws", websockets.connect)
    app.router.add_post("/api/query", api.query)
    app.router.add_post("/api/batch", api.batch)
    app.router.add_get("/api/events", long_poll.answer)
    app.router.add_post("/api/cad-requests", game_requests.answer)
    app.router.add_get("/api/schema", show_schema)
    sockjs.add_routes(app.router)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/metrics", show_metrics)
    # aiohttp waits for open websockets and polls at shutdown unless they are ended first.
    app.on_shutdown.append(end_open_requests)
    return app
