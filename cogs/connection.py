"""Logging in to Discord and staying connected, whatever Discord and the network do."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
import discord

from cogs.bot_token import HOW_TO_GET_IT, describe_rejection
from cogs.delivery.outage import GATEWAY, Outage

MAX_BACKOFF = 300.0
"""Seconds between two tries to log in, at most."""

TOKEN_REFUSED = 4004
"""The gateway's close code for a token that does not hold, or no longer does."""

SPARED_SESSIONS = 100
"""Of the 1,000 connections that Discord allows in a day, those that are begun slowly."""

LOGIN = "login"

UNREADABLE = (ValueError, KeyError, TypeError)
"""What discord.py raises on an answer that was cut short, or is not Discord's."""

UNREADABLE_BACKOFF = 5.0
"""Seconds until the gateway is tried again after it sent something unreadable."""

log = logging.getLogger(__name__)


@dataclass
class DiscordStatus:
    """How things stand with Discord: `off`, `connecting`, `ready` or `refused`."""

    state: str = "off"


class DiscordConnection:
    """Logs a client in and keeps it connected; `on_login` is called once requests can be sent."""

    def __init__(
        self,
        client: discord.Client,
        status: DiscordStatus,
        outage: Outage,
        on_login: Callable[[], None],
    ) -> None:
        self._client = client
        self._status = status
        self._outage = outage
        self._on_login = on_login

    async def run_until_cancelled(self, token: str) -> None:
        """Log in and stay connected; while Discord is down, try again and again.

        Returns if Discord rejects the token: trying again would only get the address banned.
        """
        self._status.state = "connecting"
        try:
            with self._outage.instead_of_tracebacks():
                await self._log_in(token)
                self._on_login()
                await self._spare_sessions()
                await self._stay_connected()
        except discord.LoginFailure:
            self._give_up(f"{describe_rejection(token)}; {HOW_TO_GET_IT}")
        except discord.ConnectionClosed as fault:
            if fault.code == TOKEN_REFUSED:
                self._give_up(f"{describe_rejection(token)}; {HOW_TO_GET_IT}")
            else:
                self._give_up(f"Discord ended the connection: {fault}")
        except discord.PrivilegedIntentsRequired as fault:
            self._give_up(str(fault))

    def lose_connection(self) -> None:
        """Note that the connection ended, if there was one."""
        if self._status.state == "ready":
            self._status.state = "connecting"

    async def _stay_connected(self) -> None:
        """Be connected for good; what discord.py does not foresee is another connection's end."""
        while not self._client.is_closed():
            try:
                await self._client.connect(reconnect=True)
            except UNREADABLE as fault:
                self._outage.begin(GATEWAY, f"its gateway sent something unreadable: {fault!r}")
                self.lose_connection()
                if self._client.ws is not None:
                    await self._client.ws.close()
                await asyncio.sleep(UNREADABLE_BACKOFF)

    async def _spare_sessions(self) -> None:
        """Wait if few of the day's connections are left: a crash loop must not use them up.

        Discord resets the token of a bot that begins more sessions than it may.
        """
        try:
            answer = await self._client.http.request(discord.http.Route("GET", "/gateway/bot"))
            limit = answer["session_start_limit"]
            left, until_reset = int(limit["remaining"]), int(limit["reset_after"]) / 1000
        except (discord.DiscordException, aiohttp.ClientError, OSError, *UNREADABLE):
            return
        if left < SPARED_SESSIONS:
            wait = until_reset / max(1, left)
            log.warning(
                "only %s connections to Discord are left for %.0f s, as the bot was started again"
                " and again; connecting in %.0f s",
                left,
                until_reset,
                wait,
            )
            await asyncio.sleep(wait)

    async def _log_in(self, token: str) -> None:
        backoff = 1.0
        while True:
            try:
                await self._client.login(token)
                self._outage.end(LOGIN)
                return
            except discord.LoginFailure:
                raise
            except (
                discord.HTTPException,
                aiohttp.ClientError,
                OSError,
                TimeoutError,
                *UNREADABLE,
            ) as fault:
                self._outage.begin(LOGIN, str(fault) or type(fault).__name__)
            await self._client.http.close()
            # `close` closes the connector as well, and `login` would use it again.
            self._client.http.connector = aiohttp.TCPConnector(limit=0)
            await asyncio.sleep(backoff * random.uniform(0.8, 1.2))  # noqa: S311 - spreads load
            backoff = min(MAX_BACKOFF, backoff * 2)

    def _give_up(self, reason: str) -> None:
        self._status.state = "refused"
        log.error("%s", reason)
