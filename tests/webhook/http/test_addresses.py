"""Who asks through a proxy is told by the proxy, and by nobody else."""

import asyncio
import ipaddress

import pytest
from multidict import CIMultiDict

from tests.webhook.harness import AppHarness
from tests.webhook.serving import AppOptions, RunningApp, serve

BEHIND = AppOptions(
    trusted_proxies=(ipaddress.ip_network("127.0.0.1/32"), ipaddress.ip_network("10.0.0.0/24"))
)


async def push(app: RunningApp, *forwarded: str) -> None:
    """Push without a key, which is logged with whom it came from."""
    headers = CIMultiDict([("X-Forwarded-For", value) for value in forwarded])
    async with app.http.post(f"{app.url}/event", json={}, headers=headers) as answer:
        assert answer.status == 400


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ([], "127.0.0.1"),
        (["203.0.113.7"], "203.0.113.7"),
        (["2001:db8::7"], "2001:db8::7"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1, 203.0.113.7"], "203.0.113.7"),  # the client made the first one up
        (["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
        (["127.0.0.1, 203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7, 10.0.0.9"], "203.0.113.7"),  # through two proxies of ours
        (["198.51.100.1,203.0.113.7 ,10.0.0.9"], "203.0.113.7"),
        (["10.0.0.8"], "10.0.0.8"),  # a proxy that asks for itself
        (["somebody"], "127.0.0.1"),
        (["203.0.113.7, unknown"], "127.0.0.1"),
        (["203.0.113.7,"], "127.0.0.1"),
    ],
)
async def test_client_is_the_last_address_that_is_not_a_trusted_proxy(
    harness: AppHarness, caplog: pytest.LogCaptureFixture, forwarded: list[str], client: str
) -> None:
    async with serve(harness, BEHIND) as app:
        await push(app, *forwarded)
    assert f"wrong or missing CAD key from {client}" in caplog.text


async def test_forwarding_headers_are_ignored_without_trusted_proxies(
    app: RunningApp, caplog: pytest.LogCaptureFixture
) -> None:
    await push(app, "203.0.113.7")
    assert "wrong or missing CAD key from 127.0.0.1" in caplog.text


async def test_forwarded_client_is_never_this_machine(
    harness: AppHarness,
) -> None:
    options = AppOptions(trusted_proxies=BEHIND.trusted_proxies, open_to_loopback=True)
    async with serve(harness, options) as app:
        for claimed, status in (("127.0.0.1", 401), ("::1", 401), (None, 200)):
            headers = {"X-Forwarded-For": claimed} if claimed else {}
            async with app.http.get(f"{app.url}/api/events", headers=headers) as answer:
                assert answer.status == status


async def test_wrong_token_through_a_proxy_delays_only_its_client(harness: AppHarness) -> None:
    async with serve(harness, BEHIND) as app:

        async def guess(client: str) -> None:
            given = {"Authorization": "Bearer wrong", "X-Forwarded-For": client}
            async with app.http.get(f"{app.url}/api/events", headers=given) as answer:
                assert answer.status == 401

        await guess("203.0.113.7")
        await guess("203.0.113.7")
        slowed = asyncio.create_task(guess("203.0.113.7"))
        await guess("203.0.113.8")
        assert not slowed.done()
        await slowed
