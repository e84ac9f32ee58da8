"""The game server's resource introduces itself: `/status` and `check` show it."""

import pytest
from yarl import URL

from bot.commands.check import check
from bot.settings import DiscordSettings
from tests.end_to_end.answers import expect
from tests.end_to_end.environment import BotEnvironment
from tests.fake_discord import render
from webhook.protocol.game_servers import GameServers


async def _checked(env: BotEnvironment, scope: str = "admin") -> str:
    """Return what `check` says beside a running bot; nothing about Discord."""
    settings = env.settings()
    clients = [one.model_copy(update={"scope": scope}) for one in settings.websocket.clients]
    websocket = settings.websocket.model_copy(update={"clients": clients})
    http = settings.http.model_copy(update={"port": URL(env.url).port})
    offline = settings.model_copy(
        update={"http": http, "discord": DiscordSettings(), "websocket": websocket}
    )
    lines: list[str] = []
    await check(offline, None, lines.append)
    return "\n".join(lines)


async def test_game_server_is_shown_with_its_version_and_backlog(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        assert "note  no game server with the resource cad-sentinel" in await _checked(env)
        env.headers = {"X-Sentinel-Resource": "cad-sentinel/1.2.0; waiting=12; refused=1"}
        await env.query("get-tiers")
        env.headers = {}
        checked = await _checked(env)
        assert "ok    the game server's resource cad-sentinel 1.2.0 is connected" in checked
        assert "messages waiting in it: 12" in checked
        assert "note  messages of it that were refused: 1" in checked
        assert "FAULT the game server's resource cad-sentinel 1.2.0 has the token of" in (
            await _checked(env, "read")
        )
        reply = await env.fake.slash(env.dora, "status")
        shown = await expect(env, reply, "script: cad-sentinel 1.2.0")
        assert "12 wait · 1 refused" in shown
        monkeypatch.setattr(GameServers, "silence", lambda *_: 10 * 60_000)
        checked = await _checked(env)
        assert "FAULT the game server's resource cad-sentinel 1.2.0 has sent nothing" in checked
        assert "for 10 minutes" in checked
        reply = await env.fake.slash(env.dora, "status")
        assert "gone" in await expect(env, reply, "Something needs attention")
    assert "nothing listens on" in await _checked(env)


async def test_a_game_server_that_is_gone_is_not_back_because_the_bot_was_restarted(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, introduced = env.channel("log"), "cad-sentinel/1.2.0; waiting=0; refused=0"
    async with env.bot_running():
        await env.wait_for_commands()
        env.headers = {"X-Sentinel-Resource": introduced}
        await env.query("get-tiers")
        monkeypatch.setattr(GameServers, "silence", lambda *_: 10 * 60_000)
        told = await log.next_message()
        assert "resource script sends nothing" in render(told)
    env.headers = {}
    async with env.bot_running():
        await env.fake.wait_connected()
        reply = await env.fake.slash(env.dora, "status")
        await expect(env, reply, "resource script sends nothing")
        await env.fake.slash(env.dora, "status")
        assert "This is over" not in render(told)
        monkeypatch.undo()
        env.headers = {"X-Sentinel-Resource": introduced}
        await env.query("get-tiers")
        await env.fake.until(lambda: "This is over" in render(told))
    assert len(log.created) == 1
