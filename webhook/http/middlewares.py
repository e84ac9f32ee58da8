"""Middlewares of every request: errors without details, the log of rejections, unknown paths."""

import logging

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from webhook.http.connection_limits import ConnectionLimiter, RejectionLog
from webhook.http.push import PushListener

REJECTIONS = {
    404: ("a request to an unknown path", "pushes go to /event, scripts to /ws and /api/query"),
    405: ("a request with a wrong method", "pushes and queries are POST, /ws is GET"),
    408: ("a body that took too long", "the network between is slow or blocked"),
    415: ("a body that is compressed in an unknown way", "only gzip and deflate are supported"),
}
"""By status, the log line and the advice for requests that no handler answered."""

log = logging.getLogger(__name__)


@web.middleware
async def hide_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 500 without details; the path is logged, the query string may hold a token."""
    try:
        return await handler(request)
    except (web.HTTPException, ConnectionError):  # the client hung up
        raise
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        return web.Response(status=500, text="Internal Error")


def stranger_closer(limiter: ConnectionLimiter) -> Middleware:
    """Return a middleware that closes a connection after its first answer unless it authenticated.

    The requests behind it would cost much more to answer than to send.
    """

    @web.middleware
    async def close_strangers(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as rejection:
            if not limiter.is_authenticated(request.transport):
                rejection.force_close()
            raise
        if not limiter.is_authenticated(request.transport):
            response.force_close()
        return response

    return close_strangers


def rejection_logger(rejections: RejectionLog) -> Middleware:
    """Return a middleware that logs, within limits, requests that no handler answered."""

    @web.middleware
    async def log_rejections(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as rejection:
            if rejection.status in REJECTIONS:
                what, advice = REJECTIONS[rejection.status]
                path = request.rel_url.raw_path[:64]
                rejections.count(what, request.remote or "", f"{request.method} {path}; {advice}")
            raise

    return log_rejections


def unknown_path_answerer(push: PushListener) -> Middleware:
    """Return a middleware that ignores needless slashes, and takes pushes on any unknown path."""

    @web.middleware
    async def answer_unknown_path(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_path = request.rel_url.raw_path.startswith("/")  # unlike the target of a CONNECT
        if not is_path or request.match_info.http_exception is None:
            return await handler(request)
        path = "/" + "/".join(filter(None, request.rel_url.raw_path.split("/")))
        url = request.rel_url.with_path(path, encoded=True, keep_query=True)
        normalised = request.clone(rel_url=url)
        found = await request.app.router.resolve(normalised)
        if request.method == "POST" and found.http_exception is not None:
            return await push.receive_anywhere(normalised, found.http_exception)
        return await found.handler(normalised)

    return answer_unknown_path
