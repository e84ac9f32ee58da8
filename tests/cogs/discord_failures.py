"""How Discord, its edge servers and the network refuse, fail and fall silent."""

from typing import Any

DELIVERIES = r"^/channels/\d+/messages"

CLOUDFLARE = "<html><title>Access denied | discord.com</title>error code: 1015</html>"
LIMITED = {"message": "You are being rate limited.", "retry_after": 0.05, "global": False}
MISSING_ACCESS = {"message": "Missing Access", "code": 50001}
MISSING_PERMISSIONS = {"message": "Missing Permissions", "code": 50013}
UNKNOWN_CHANNEL = {"message": "Unknown Channel", "code": 10003}
VIA = {"Via": "1.1 google"}
SOON = {"Retry-After": "0.05"}
SHARED = VIA | SOON | {"X-RateLimit-Scope": "shared"}

FAILURES: dict[str, dict[str, Any]] = {
    "500": {"status": 500, "times": 1},
    "502": {"status": 502, "times": 1},
    "503": {"status": 503},
    "504": {"status": 504, "times": 1},
    "520 of the edge": {"status": 520, "body": CLOUDFLARE},
    "503, yet done": {"status": 503, "after": True},
    "429": {"status": 429, "body": LIMITED},
    "429 without headers": {"status": 429, "body": LIMITED, "headers": VIA},
    "429 without a time": {"status": 429, "body": {"code": 0}, "headers": VIA | SOON},
    "429 without JSON": {"status": 429, "body": CLOUDFLARE, "headers": VIA | SOON},
    "429 of the edge": {"status": 429, "body": CLOUDFLARE, "headers": SOON},
    "429 of the edge without a time": {"status": 429, "body": CLOUDFLARE, "headers": {}},
    "429 for everything": {"status": 429, "body": LIMITED | {"global": True}},
    "429 shared": {"status": 429, "body": LIMITED, "headers": SHARED},
    "429 for long": {"status": 429, "body": LIMITED | {"retry_after": 0.5}},
    "403 of the edge": {"status": 403, "body": CLOUDFLARE},
    "400 of the edge": {"status": 400, "body": CLOUDFLARE},
    "404 of the edge": {"status": 404, "body": CLOUDFLARE},
    "401": {"status": 401},
    "50001 missing access": {"status": 403, "body": MISSING_ACCESS},
    "50013 missing permissions": {"status": 403, "body": MISSING_PERMISSIONS},
    "10003 unknown channel": {"status": 404, "body": UNKNOWN_CHANNEL},
    "reset before": {"reset": True},
    "reset, yet done": {"reset": True, "after": True},
    "cut short": {"cut": True},
    "a page instead of JSON": {"status": 200, "body": CLOUDFLARE, "after": True},
    "too late": {"delay": 0.6, "times": 1},
}
"""What `FakeDiscord.fault` is told, by what happens."""
