"""The HTTP application: its routes, and what they are made of."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from webhook.cad.silence import LastPush
from webhook.cad.store import PushConfig
from webhook.http import schema
from webhook.http.api import Api
from webhook.http.authentication import Authenticator
from webhook.http.bodies import Bodies
from webhook.http.proxies import Network, behind
from webhook.http.push import PATHS, CadKey, PushListener
from webhook.http.websocket import ConnectionLimits, WebSocketHandler
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context
from webhook.protocol.metrics import Metrics
from webhook.protocol.session import SessionSettings

log = logging.getLogger(__name__)


async def _nothing() -> None:
    """Measure nothing."""


@dataclass(frozen=True)
class AppDependencies:
    """What the application is given.

    `health` tells whether it is ready, and details; `measure` brings those metrics up to date that
    nobody counts; `last_push` notes every push that carries a valid key.
    """

    context: Context
    catalogue: Catalogue
    cad_keys: list[CadKey]
    authenticator: Authenticator
    event_names: frozenset[str]
    health: Callable[[], tuple[bool, dict[str, object]]]
    push_bytes: int
    messages_per_second: int
    limits: ConnectionLimits = field(default_factory=ConnectionLimits)
    push_config: PushConfig = field(default_factory=PushConfig)
    metrics: Metrics = field(default_factory=Metrics)
    measure: Callable[[], Awaitable[None]] = _nothing
    last_push: LastPush = field(default_factory=LastPush)
    trusted_proxies: Sequence[Network] = ()
    live_clients: Counter[str] = field(default_factory=Counter)


def make_app(dependencies: AppDependencies) -> web.Application:
    """Put the application together."""
    metrics = dependencies.metrics
    rules = SessionSettings(
        dependencies.event_names,
        dependencies.messages_per_second,
        dependencies.live_clients,
        metrics=metrics,
    )
    bodies = Bodies()
    push = PushListener(
        dependencies.context,
        dependencies.cad_keys,
        dependencies.push_config,
        bodies,
        dependencies.push_bytes,
        dependencies.authenticator.limiter,
        metrics,
        dependencies.last_push,
    )
    channel = WebSocketHandler(
        dependencies.context,
        dependencies.catalogue,
        rules,
        dependencies.authenticator,
        dependencies.limits,
    )
    api = Api(
        dependencies.context,
        dependencies.catalogue,
        dependencies.event_names,
        dependencies.authenticator,
        dependencies.limits.frame_bytes,
        dependencies.limits.connections_per_client,
        dependencies.messages_per_second,
        metrics,
        bodies,
    )

    async def healthz(_: web.Request) -> web.Response:
        ready, details = dependencies.health()
        body = {"ready": ready, "live": True, "problems": [], "pushes": dict(push.counts)}
        return web.json_response(body | details, status=200 if ready else 503)

    async def measured(request: web.Request) -> web.Response:
        await dependencies.authenticator.authenticate(request)  # whoever is let in may read
        await dependencies.measure()
        accept = request.headers.get("Accept", "")
        page, form = await asyncio.to_thread(metrics.written, accept)
        return web.Response(body=page, headers={"Content-Type": form})

    async def described(_: web.Request) -> web.Response:
        body = await asyncio.to_thread(
            schema.written, dependencies.catalogue
        )  # slow the first time
        return web.Response(body=body, content_type="application/json")

    async def end_waits(_: web.Application) -> None:
        api.close()
        await channel.close()

    outermost = [behind(dependencies.trusted_proxies)] if dependencies.trusted_proxies else []
    app = web.Application(middlewares=[*outermost, _last_resort])
    for path in PATHS:
        app.router.add_post(path, push.receive)
    app.router.add_get("/ws", channel.connect)
    app.router.add_post("/api/query", api.query)
    app.router.add_get("/api/events", api.events)
    app.router.add_get("/api/schema", described)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/metrics", measured)
    # aiohttp waits for open websockets and polls at shutdown unless they are ended first.
    app.on_shutdown.append(end_waits)
    return app


@web.middleware
async def _last_resort(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer 500 without details; the path is logged, the query string may hold a token."""
    try:
        return await handler(request)
    except (web.HTTPException, ConnectionError):  # the latter: they hung up
        raise
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        return web.Response(status=500, text="Internal Error")
