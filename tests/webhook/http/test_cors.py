"""Which web pages may ask, seen from a browser: preflights, and what a page may read."""

import pytest

from tests.webhook.harness import AppHarness
from tests.webhook.serving import BOSS, GAME_PAGE, PAGE, READER, AppOptions, RunningApp, serve
from webhook.http.cors import parse_origin

MESSAGE = {"type": "queries.get-tiers"}
TOKEN = {"Authorization": f"Bearer {BOSS}"}
ALLOWED = [PAGE, PAGE.upper(), f"{PAGE}/", f"{PAGE}:443", GAME_PAGE, GAME_PAGE.title()]
FOREIGN = [
    "null",
    "/",
    "*",
    "https://",
    f"{PAGE}.evil.example",
    f"{PAGE}:8443",
    f"{PAGE}/page",
    f"{PAGE}, https://evil.example",
    "http://panel.example",
    "https://cfx-nui-",
    "https://cfx-nui-a.evil.example",
    "https://cfx-nui-a:1234",
    "https://evil.example/https://cfx-nui-a",
    "https://cfx-nui-\N{KELVIN SIGN}",
]


@pytest.mark.parametrize("origin", ALLOWED)
async def test_allowed_page_may_ask_and_read(app: RunningApp, origin: str) -> None:
    asked = {"Origin": origin} | TOKEN
    async with app.http.post(f"{app.url}/api/query", json=MESSAGE, headers=asked) as answer:
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert "Origin" in answer.headers["Vary"]
        exposed = answer.headers["Access-Control-Expose-Headers"]
        assert {"Retry-After", "Idempotency-Replayed"} <= set(exposed.split(", "))


@pytest.mark.parametrize("origin", FOREIGN)
async def test_foreign_page_may_neither_ask_nor_read(app: RunningApp, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"} | TOKEN
    for method in ("POST", "OPTIONS"):
        async with app.http.request(method, f"{app.url}/api/query", headers=asked) as answer:
            assert answer.status == 403
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize("headers", [{}, {"Origin": ""}])
async def test_a_program_outside_a_browser_needs_no_origin(
    app: RunningApp, headers: dict[str, str]
) -> None:
    async with app.http.post(
        f"{app.url}/api/query", json=MESSAGE, headers=headers | TOKEN
    ) as answer:
        assert answer.status == 200
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/api/query", "POST"),
        ("/api/query/", "POST"),
        ("/api/events", "GET"),
        ("/api/schema", "GET"),
    ],
)
async def test_preflight_is_answered_without_a_token(
    app: RunningApp, path: str, method: str
) -> None:
    asked = {
        "Origin": GAME_PAGE,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key,x-event-age",
    }
    async with app.http.options(f"{app.url}{path}", headers=asked) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == GAME_PAGE
        assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")
        allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
        assert set(asked["Access-Control-Request-Headers"].split(",")) <= set(allowed)
        assert int(answer.headers["Access-Control-Max-Age"]) > 0


async def test_options_of_a_program_lists_the_methods(app: RunningApp) -> None:
    async with app.http.options(f"{app.url}/api/query") as answer:
        assert (answer.status, answer.headers["Allow"]) == (204, "OPTIONS, POST")


@pytest.mark.parametrize(
    ("path", "status"), [("/api/query", 401), ("/api/events", 401), ("/api/nothing", 404)]
)
async def test_a_page_may_read_errors(app: RunningApp, path: str, status: int) -> None:
    method = "POST" if path == "/api/query" else "GET"
    asked = {"Origin": PAGE}
    async with app.http.request(method, f"{app.url}{path}", headers=asked) as answer:
        assert answer.status == status
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE


async def test_page_may_read_an_error_and_a_poll(app: RunningApp) -> None:
    asked = {"Origin": PAGE, "Authorization": f"Bearer {READER}"}
    for path, status in (("names=nothing", 404), ("wait=0", 200)):
        async with app.http.get(f"{app.url}/api/events?{path}", headers=asked) as answer:
            assert answer.status == status
            assert answer.headers["Access-Control-Allow-Origin"] == PAGE


async def test_pages_may_not_read_other_paths(app: RunningApp) -> None:
    for path in ("/healthz", "/metrics"):
        async with app.http.get(f"{app.url}{path}", headers={"Origin": PAGE} | TOKEN) as answer:
            assert answer.status == 200
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_without_origins_no_page_is_allowed(harness: AppHarness) -> None:
    async with serve(harness, AppOptions(allowed_origins=())) as app:
        for origin in (PAGE, GAME_PAGE, "/"):
            asked = {"Origin": origin} | TOKEN
            async with app.http.post(f"{app.url}/api/query", json=MESSAGE, headers=asked) as answer:
                assert answer.status == 403


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        (" HTTPS://Map.Example.org:443/ ", "https://map.example.org"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://CFX-nui-*", "https://cfx-nui-*"),
        ("https://*.example.org", "https://*.example.org"),
        ("http://localhost:*", "http://localhost:*"),
        ("null", "null"),
    ],
)
def test_origin_is_written_as_browsers_do(text: str, origin: str) -> None:
    assert parse_origin(text) == origin


@pytest.mark.parametrize(
    "text", ["", "*", "https://*", "https://", "map.example.org", "https://a.b/page", "https://*.*"]
)
def test_an_invalid_origin_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="not the origin of a web page"):
        parse_origin(text)
