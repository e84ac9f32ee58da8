"""The HTTP headers of requests with an idempotency key."""

from aiohttp import web

from webhook.protocol.idempotency import KEY

REPLAYED = "Idempotency-Replayed"


def key_of(request: web.Request) -> object:
    """Return the key of a request, None without one, a list of them if it has several."""
    keys = request.headers.getall(KEY, [])
    return keys[0] if len(keys) == 1 else keys or None


def replayed_header(*, is_replayed: bool) -> dict[str, str]:
    return {REPLAYED: "true"} if is_replayed else {}
