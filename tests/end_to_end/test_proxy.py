"""Discord is reached only through a proxy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import discord
import pytest

from bot.discord_pipeline import discord_proxy
from bot.settings import DiscordSettings
from tests.end_to_end.environment import BotEnvironment, call_911

CHUNK = 65_536


class ForwardingProxy:
    """A proxy for http:// addresses, which asks for a name and a password."""

    def __init__(self) -> None:
        self.address = ""
        self.hosts: set[str] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.address = f"http://sentinel:hunter22@127.0.0.1:{port}"
        try:
            yield
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line, _, headers = head.partition(b"\r\n")
        method, address, version = line.split(b" ")
        # "sentinel:hunter22"
        if b"proxy-authorization: basic c2vudgluzww6ahvudgvymji=" not in headers.lower():
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        target = urlsplit(address.decode())
        self.hosts.add(target.netloc)
        path = target.path + (f"?{target.query}" if target.query else "")
        ahead, out = await asyncio.open_connection(target.hostname, target.port)
        # One request a connection, so that the next one comes as a request of the proxy again.
        is_upgrade = b"upgrade: websocket" in headers.lower()
        if not is_upgrade:
            headers = b"Connection: close\r\n" + headers
        out.write(b" ".join((method, path.encode() or b"/", version)) + b"\r\n" + headers)
        await asyncio.gather(_copy(reader, out), _copy(ahead, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def test_everything_goes_to_discord_through_the_proxy(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = ForwardingProxy()
    async with proxy.running():
        settings = env.settings()
        behind = settings.discord.model_copy(update={"proxy": proxy.address})
        proxied = settings.model_copy(update={"discord": behind})
        monkeypatch.setattr(env, "settings", lambda: proxied)
        async with env.bot_running():
            await env.wait_for_commands()
            assert await env.push("EVENT_911", call_911(1)) == 200
            await env.channel("emergency").next_message()
            seen = {urlsplit(url).netloc for url in (env.fake.rest_url, env.fake.gateway_url)}
            assert proxy.hosts == seen


def test_the_proxy_of_the_machine_is_used_for_discord_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example.org:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setattr(discord.http.Route, "BASE", "https://discord.com/api/v10")
    assert discord_proxy(DiscordSettings()) == "http://proxy.example.org:3128"
    other = DiscordSettings(proxy="http://other:1")
    assert discord_proxy(other) == "http://other:1"
    monkeypatch.setenv("no_proxy", "discord.com")
    assert discord_proxy(DiscordSettings()) is None
    monkeypatch.setattr(discord.http.Route, "BASE", "http://127.0.0.1:1/api/v10")
    monkeypatch.delenv("no_proxy")
    assert discord_proxy(DiscordSettings()) is None
