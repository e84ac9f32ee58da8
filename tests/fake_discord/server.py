"""The fake Discord as one object: start it, look into it, act in it, break it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TypeVar

import discord
import yarl
from aiohttp import web

from .errors import JSON
from .faults import Fault, Faults
from .gateway import Gateway
from .interactions import Choice, InteractionReply, Interactions
from .limits import Headers, Limits
from .messages import Message
from .people import People, Subject, Value, Values
from .rest import RecordedRequest, Rest
from .world import Channel, Command, Guild, Member, User, World

T = TypeVar("T")

HOST = "127.0.0.1"
TIMEOUT = 20.0
MOST_UPLOADED = 128 * 1024 * 1024


class FakeDiscord:
    """Discord's REST interface and gateway on loopback, with a world behind them."""

    def __init__(self) -> None:
        self.token = "fake.bot.token"
        self.world = World()
        self.limits = Limits()
        self.faults = Faults()
        self.interactions = Interactions(self.world)
        self.gateway = Gateway(self.world, lambda: self.token, self.faults)
        self.rest = Rest(
            self.world, self.interactions, self.limits, self.faults, lambda: self.token
        )
        self.people = People(self.world, self.interactions)
        self.port = 0
        self._runner: web.AppRunner | None = None
        self._pointed_at = (
            discord.http.Route.BASE,
            discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY,
        )

    # Starting and stopping

    @property
    def rest_url(self) -> str:
        """What stands for https://discord.com/api/v10."""
        return f"http://{HOST}:{self.port}/api/v10"

    @property
    def gateway_url(self) -> str:
        """What stands for wss://gateway.discord.gg/."""
        return f"ws://{HOST}:{self.port}/gateway-socket"

    async def start(self) -> None:
        """Listen on a free port and point discord.py of this process at it."""
        await self.plug_in()
        self.point_here()

    async def plug_in(self) -> None:
        """Listen, after `unplug` on the same port as before."""
        app = web.Application(client_max_size=MOST_UPLOADED)
        app.router.add_get("/gateway-socket", self.gateway.accept)
        app.router.add_route("*", "/{path:.*}", self.rest.serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self.port)
        await site.start()
        self.port = int(self._runner.addresses[0][1])
        self.gateway.url = self.rest.gateway_url = self.gateway_url

    async def unplug(self) -> None:
        """Stop listening, so that connections are refused; the world stays as it is.

        Listening ends first: a bot that connects anew at once would be accepted and never answered.
        """
        if self._runner is None:
            return
        for site in list(self._runner.sites):
            await site.stop()
        await self.gateway.close()
        await self._runner.cleanup()
        self._runner = None

    def point_here(self) -> None:
        """Have discord.py of this process talk to this fake."""
        point_discord_py(self.rest_url, self.gateway_url)

    async def close(self) -> None:
        """Stop listening and point discord.py back to where it pointed."""
        rest_url, gateway_url = self._pointed_at
        point_discord_py(rest_url, str(gateway_url))
        await self.unplug()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
        if self.rest.crashes and error is None:
            raise ExceptionGroup("the fake itself went wrong", self.rest.crashes)

    # The world

    @property
    def guilds(self) -> list[Guild]:
        """Every guild, whether the bot is in it or not."""
        return self.world.guilds

    @property
    def commands(self) -> list[Command]:
        """The global commands; those of a guild are in `guild.commands`."""
        return self.world.commands

    def add_guild(self, name: str = "Guild", *, joined: bool = True) -> Guild:
        """Make a guild; the bot is in it at once, or joins later with `join`."""
        guild = Guild(self.world, name, joined=joined)
        self.world.guilds.append(guild)
        if joined:
            self.world.announce("GUILD_CREATE", guild.create_event())
        return guild

    async def add_guild_live(self, name: str = "Guild", *, channels: Iterable[str] = ()) -> Guild:
        """Make a guild with channels and have the bot added to it while it runs."""
        guild = self.add_guild(name, joined=False)
        for channel in channels:
            guild.add_channel(channel)
        self.join(guild)
        return guild

    def join(self, guild: Guild, by: Member | None = None) -> None:
        """Add the bot to a guild (again), as the audit log says `by` its owner or somebody else."""
        guild.joined = True
        guild.invitations.append(((by or guild.owner).user, datetime.now(UTC)))
        if guild.bot_member not in guild.members:
            guild.bot_member.joined_at = datetime.now(UTC)
            guild.members.append(guild.bot_member)
        self.world.announce("GUILD_CREATE", guild.create_event())

    def kick(self, guild: Guild) -> None:
        """Remove the bot from a guild, and with it the guild's own commands."""
        guild.joined = False
        guild.commands.clear()
        guild.members.remove(guild.bot_member)
        self.world.announce("GUILD_DELETE", {"id": str(guild.id)})

    def make_unavailable(self, guild: Guild) -> None:
        """Have one guild suffer an outage of Discord's."""
        guild.unavailable = True
        self.world.announce("GUILD_DELETE", {"id": str(guild.id), "unavailable": True})

    def make_available(self, guild: Guild) -> None:
        """End the outage of one guild."""
        guild.unavailable = False
        self.world.announce("GUILD_CREATE", {**guild.create_event(), "unavailable": False})

    def sync_count(self, guild: Guild | None = None) -> int:
        """How often the commands of the guild, or the global ones, were replaced in bulk."""
        return self.world.syncs[None if guild is None else guild.id]

    @property
    def messages(self) -> list[Message]:
        """Every message standing in any channel or thread, in the order of their creation."""
        found = [
            one
            for guild in self.guilds
            for channel in (*guild.channels, *guild.threads)
            for one in channel.messages
        ]
        return sorted(found, key=lambda message: message.id)

    # What was seen

    @property
    def requests(self) -> list[RecordedRequest]:
        """Every request, in the order they came in."""
        return self.rest.requests

    @property
    def unexpected(self) -> list[RecordedRequest]:
        """The requests to routes the fake does not have (answered 404)."""
        return self.rest.unexpected

    @property
    def too_many_requests(self) -> int:
        """How many requests were answered 429."""
        return self.limits.too_many_requests

    @property
    def invalid_requests(self) -> int:
        """How many requests were answered 401, 403 or 429."""
        return self.rest.invalid_requests

    @property
    def identifies(self) -> int:
        """How often a bot identified with a new session."""
        return self.gateway.identifies

    @property
    def resumes(self) -> int:
        """How often a bot resumed its session."""
        return self.gateway.resumes

    @property
    def connected(self) -> bool:
        """Whether a bot is there that has been told READY or RESUMED."""
        return self.gateway.connected

    def requests_to(self, method: str, path_regex: str) -> list[RecordedRequest]:
        """The requests of a method ("*": any) whose path the expression finds."""
        pattern = re.compile(path_regex)
        return [
            one for one in self.requests if method in ("*", one.method) and pattern.search(one.path)
        ]

    # Waiting

    async def until(self, condition: Callable[[], T], timeout: float = TIMEOUT) -> T:  # noqa: ASYNC109
        """The condition's first truthy value; it is looked at whenever the fake changes."""
        return await self.world.changes.until(condition, timeout)

    async def wait_connected(self, timeout: float = TIMEOUT) -> None:  # noqa: ASYNC109
        """Wait until a bot has been told READY or RESUMED."""
        await self.world.changes.until(lambda: self.connected, timeout, "a connected bot")

    async def wait_disconnected(self, timeout: float = TIMEOUT) -> None:  # noqa: ASYNC109
        """Wait until no bot is connected."""
        await self.world.changes.until(
            lambda: not self.gateway.connections, timeout, "no connected bot"
        )

    # Breaking it

    def fault(
        self,
        method: str,
        path_regex: str,
        *,
        status: int | None = None,
        times: int | None = 1,
        body: JSON | list[JSON] | str | None = None,
        headers: Headers | None = None,
        reset: bool = False,
        after: bool = False,
        delay: float = 0.0,
        cut: bool = False,
    ) -> Fault:
        """Have the next fitting requests go wrong.

        They are answered `status` (503 unless told), or with `reset` the connection is
        dropped. With `after` what they ask for is done all the same. With only a `delay`
        they are answered rightly, but late; with `cut` the right answer breaks off.
        """
        return self.faults.add(
            Fault(
                method,
                re.compile(path_regex),
                status or 503,
                times,
                body,
                headers,
                reset,
                after,
                delay,
                cut,
                replaces=status is not None or reset or not (delay or cut),
            )
        )

    def outage(self) -> None:
        """Have all of Discord be gone: REST answers 503, the gateway drops everybody."""
        self.faults.outage = True
        self.gateway.drop()

    def recover(self) -> None:
        """End the outage and every fault that has not happened yet."""
        self.faults.clear()
        self.world.changes.happened()

    def drop_gateway(self, code: int | None = None, *, resumable: bool = True) -> None:
        """Cut the gateway connections, with a close code or (None) without a word."""
        self.gateway.drop(code, resumable=resumable)

    def ask_reconnect(self) -> None:
        """Have the gateway ask for a reconnect (op 7)."""
        self.gateway.ask_reconnect()

    def invalidate_sessions(self, *, resumable: bool = False) -> None:
        """Have the gateway declare the sessions invalid (op 9)."""
        self.gateway.invalidate_sessions(resumable=resumable)

    def forget_nonces(self) -> None:
        """Have every nonce be as good as new."""
        self.rest.forget_nonces()

    @property
    def nonce_memory(self) -> float:
        """Seconds for which a nonce keeps its message from being made again."""
        return self.rest.nonce_memory

    @nonce_memory.setter
    def nonce_memory(self, seconds: float) -> None:
        self.rest.nonce_memory = seconds

    # People acting

    async def slash(
        self,
        member: Member,
        command: str,
        /,
        *,
        channel: Channel | None = None,
        options: Mapping[str, Value] | None = None,
        timeout: float = TIMEOUT,  # noqa: ASYNC109
        until_answered: bool = True,
        **more_options: Value,
    ) -> InteractionReply:
        """Have a member use a command: `await fake.slash(alice, "drone dispatch", property="12")`.

        Options named like a parameter go into `options`. With `until_answered=False`
        a deferral is enough.
        """
        given = {**(options or {}), **more_options}
        return await self.people.slash(member, command, channel, given, timeout, until_answered)

    async def use_menu(
        self,
        member: Member,
        command: str,
        target: Member | User | Message,
        *,
        timeout: float = TIMEOUT,  # noqa: ASYNC109
        until_answered: bool = True,
    ) -> InteractionReply:
        """Have a member use a command in the menu of another one, or of a message."""
        return await self.people.use_menu(member, command, target, timeout, until_answered)

    async def autocomplete(
        self,
        member: Member,
        command: str,
        /,
        *,
        focused: str,
        value: str = "",
        channel: Channel | None = None,
        options: Mapping[str, Value] | None = None,
        timeout: float = TIMEOUT,  # noqa: ASYNC109
        **more_options: Value,
    ) -> list[Choice]:
        """Have a member type into an option; what the bot suggests."""
        given = {**(options or {}), **more_options}
        return await self.people.autocomplete(
            member, command, focused, value, channel, given, timeout
        )

    async def click(
        self,
        member: Member,
        message: Message | InteractionReply,
        button: str,
        *,
        timeout: float = TIMEOUT,  # noqa: ASYNC109
        until_answered: bool = True,
    ) -> InteractionReply:
        """Have a member press a button, by label or custom id."""
        return await self.people.click(member, message, button, timeout, until_answered)

    async def choose(
        self,
        member: Member,
        message: Message | InteractionReply,
        select: str,
        values: Sequence[str | Subject],
        *,
        timeout: float = TIMEOUT,  # noqa: ASYNC109
        until_answered: bool = True,
    ) -> InteractionReply:
        """Have a member choose from a menu, by custom id or placeholder."""
        return await self.people.choose(member, message, select, values, timeout, until_answered)

    async def submit(
        self,
        member: Member,
        reply: InteractionReply,
        values: Mapping[str, Values],
        *,
        timeout: float = TIMEOUT,  # noqa: ASYNC109
        until_answered: bool = True,
    ) -> InteractionReply:
        """Have a member fill in the modal of a reply, inputs by custom id or label."""
        return await self.people.submit(member, reply, values, timeout, until_answered)

    def offered_commands(self, member: Member, channel: Channel | None = None) -> list[str]:
        """The full names of the slash commands the member is offered."""
        return self.people.commands(member, channel)


def point_discord_py(rest_url: str, gateway_url: str) -> None:
    """Have discord.py of this process use these addresses."""
    discord.http.Route.BASE = rest_url
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)


__all__ = ["FakeDiscord", "point_discord_py"]
