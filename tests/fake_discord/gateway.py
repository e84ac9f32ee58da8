"""The gateway: sessions that outlive their connections, dispatches numbered and replayed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from .compression import Pack, packer
from .errors import JSON
from .faults import Faults
from .sockets import reset_connection
from .world import Guild, World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT = 0, 1, 2, 6, 7
REQUEST_MEMBERS, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 8, 9, 10, 11

UNKNOWN_OPCODE, DECODE_ERROR, NOT_AUTHENTICATED, AUTHENTICATION_FAILED = 4001, 4002, 4003, 4004
ALREADY_AUTHENTICATED, INVALID_INTENTS, DISALLOWED_INTENTS = 4005, 4013, 4014

GUILDS = 1 << 0
GUILD_MEMBERS = 1 << 1
GUILD_MESSAGES = 1 << 9
PRIVILEGED = GUILD_MEMBERS | 1 << 8 | 1 << 15

INTENTS = {
    "GUILD_MEMBER_ADD": GUILD_MEMBERS,
    "GUILD_MEMBER_UPDATE": GUILD_MEMBERS,
    "GUILD_MEMBER_REMOVE": GUILD_MEMBERS,
    "MESSAGE_CREATE": GUILD_MESSAGES,
    "MESSAGE_UPDATE": GUILD_MESSAGES,
    "MESSAGE_DELETE": GUILD_MESSAGES,
    "MESSAGE_DELETE_BULK": GUILD_MESSAGES,
    "INTERACTION_CREATE": 0,
}
"""What a session must have asked for to be told; everything else needs GUILDS."""

MOST_REPLAYED = 10_000


@dataclass(eq=False)
class Connection:
    """One websocket, with the messages that still have to go out on it."""

    socket: web.WebSocketResponse
    request: web.Request
    pack: Pack
    outgoing: asyncio.Queue[JSON | None] = field(default_factory=asyncio.Queue)
    session: GatewaySession | None = None

    def send(self, payload: JSON) -> None:
        """Have the payload sent after everything before it."""
        self.outgoing.put_nowait(payload)

    async def write(self) -> None:
        """Send what is queued until the connection ends."""
        with contextlib.suppress(ConnectionError):
            while (payload := await self.outgoing.get()) is not None:
                packed = self.pack(json.dumps(payload))
                if isinstance(packed, bytes):
                    await self.socket.send_bytes(packed)
                else:
                    await self.socket.send_str(packed)


@dataclass(eq=False)
class GatewaySession:
    """What a bot has identified as, and what it has been told so far."""

    intents: int
    connection: Connection | None
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    sequence: int = 0
    told: deque[JSON] = field(default_factory=lambda: deque(maxlen=MOST_REPLAYED))

    def dispatch(self, event: str, data: JSON) -> None:
        """Tell the bot, now or when it resumes."""
        self.sequence += 1
        payload = {"op": DISPATCH, "t": event, "s": self.sequence, "d": data}
        self.told.append(payload)
        if self.connection is not None:
            self.connection.send(payload)

    def hears(self, event: str) -> bool:
        """Whether the intents cover the event."""
        needed = INTENTS.get(event, GUILDS)
        return not needed or bool(self.intents & needed)


class Gateway:
    """Accepts bots, keeps their sessions, dispatches what happens in the world."""

    def __init__(self, world: World, token: Callable[[], str], faults: Faults) -> None:
        self._world = world
        self._token = token
        self._faults = faults
        self.url = ""
        self.heartbeat_interval = 41.25
        self.privileged_intents = False
        self.identifies = 0
        self.resumes = 0
        self.heartbeats = 0
        self.sessions: dict[str, GatewaySession] = {}
        self.connections: list[Connection] = []
        world.on_announce = self.announce

    @property
    def connected(self) -> bool:
        """Whether a bot is there that has been told READY or RESUMED."""
        return any(one.connection is not None for one in self.sessions.values())

    def announce(self, event: str, data: JSON) -> None:
        """Dispatch an event to every session whose intents cover it.

        That the bot itself was changed is told whatever the intents are.
        """
        is_own = event == "GUILD_MEMBER_UPDATE" and data["user"]["id"] == str(self._world.bot.id)
        for session in self.sessions.values():
            if is_own or session.hears(event):
                session.dispatch(event, data)

    # What goes wrong

    def drop(self, code: int | None = None, *, resumable: bool = True) -> None:
        """End every connection: with a close code, or without a word (None)."""
        for connection in list(self.connections):
            self._detach(connection, resumable=resumable)
            if code is None:
                reset_connection(connection.request)
            else:
                connection.outgoing.put_nowait(None)
                connection.send({"close": code})
        self._world.changes.happened()

    def ask_reconnect(self) -> None:
        """Ask every bot to connect again (op 7)."""
        for connection in self.connections:
            connection.send({"op": RECONNECT, "d": None})

    def invalidate_sessions(self, *, resumable: bool = False) -> None:
        """Tell every bot that its session is no longer good (op 9)."""
        for connection in list(self.connections):
            connection.send({"op": INVALID_SESSION, "d": resumable})
            self._detach(connection, resumable=resumable)
        self._world.changes.happened()

    def _detach(self, connection: Connection, *, resumable: bool) -> None:
        session, connection.session = connection.session, None
        if session is None:
            return
        session.connection = None
        if not resumable:
            self.sessions.pop(session.id, None)

    # One connection

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """Serve one websocket from HELLO to its end."""
        if self._faults.outage:
            raise web.HTTPServiceUnavailable
        pack = packer(request.query.get("compress"))
        if pack is None:
            raise web.HTTPBadRequest(reason="compression not available here")
        socket = web.WebSocketResponse(max_msg_size=0, timeout=1.0)
        await socket.prepare(request)
        connection = Connection(socket, request, pack)
        self.connections.append(connection)
        writer = asyncio.create_task(self._write(connection))
        connection.send(
            {"op": HELLO, "d": {"heartbeat_interval": int(self.heartbeat_interval * 1000)}}
        )
        try:
            await self._read(connection)
        finally:
            self.connections.remove(connection)
            self._detach(connection, resumable=True)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self._world.changes.happened()
        return socket

    async def _write(self, connection: Connection) -> None:
        await connection.write()
        last = connection.outgoing.get_nowait() if not connection.outgoing.empty() else {}
        code = (last or {}).get("close", WSCloseCode.GOING_AWAY)
        await connection.socket.close(code=code)

    async def _read(self, connection: Connection) -> None:
        async for message in connection.socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                payload = json.loads(message.data)
            except ValueError:
                await connection.socket.close(code=DECODE_ERROR)
                return
            code = self._take(connection, payload)
            if code is not None:
                await connection.socket.close(code=code)
                return

    def _take(self, connection: Connection, payload: JSON) -> int | None:
        """Answer one payload; the code to close with, if it is a fault."""
        op, data = payload.get("op"), payload.get("d")
        if op == HEARTBEAT:
            self.heartbeats += 1
            connection.send({"op": HEARTBEAT_ACK, "d": None})
            self._world.changes.happened()
            return None
        if op in (IDENTIFY, RESUME):
            return self._authenticate(connection, op, data or {})
        if connection.session is None:
            return NOT_AUTHENTICATED
        if op == REQUEST_MEMBERS:
            self._send_members(connection.session, data or {})
            return None
        return None if op in (3, 4, 31) else UNKNOWN_OPCODE

    def _authenticate(self, connection: Connection, op: int, data: JSON) -> int | None:
        if connection.session is not None:
            return ALREADY_AUTHENTICATED
        if data.get("token") != self._token():
            return AUTHENTICATION_FAILED
        if op == RESUME:
            self._resume(connection, data)
            return None
        return self._identify(connection, data)

    def _identify(self, connection: Connection, data: JSON) -> int | None:
        self.identifies += 1
        intents = data.get("intents")
        if not isinstance(intents, int):
            return INVALID_INTENTS
        if intents & PRIVILEGED and not self.privileged_intents:
            self._world.changes.happened()
            return DISALLOWED_INTENTS
        self._forget_abandoned_sessions()
        session = GatewaySession(intents, connection)
        connection.session = session
        self.sessions[session.id] = session
        session.dispatch("READY", self._ready(session))
        if intents & GUILDS:
            for guild in self._world.joined_guilds():
                if not guild.unavailable:
                    session.dispatch("GUILD_CREATE", {**guild.create_event(), "unavailable": False})
        self._world.changes.happened()
        return None

    def _forget_abandoned_sessions(self) -> None:
        for session in list(self.sessions.values()):
            if session.connection is None:
                del self.sessions[session.id]

    def _ready(self, session: GatewaySession) -> JSON:
        guilds = [{"id": str(one.id), "unavailable": True} for one in self._world.joined_guilds()]
        return {
            "v": 10,
            "user": self._world.me(),
            "guilds": guilds,
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": [0, 1],
            "application": {"id": str(self._world.application_id), "flags": 0},
            "private_channels": [],
        }

    def _resume(self, connection: Connection, data: JSON) -> None:
        session = self.sessions.get(str(data.get("session_id")))
        if session is None:
            connection.send({"op": INVALID_SESSION, "d": False})
            return
        self.resumes += 1
        session.connection, connection.session = connection, session
        missed = [one for one in session.told if one["s"] > int(data.get("seq") or 0)]
        for payload in missed:
            connection.send(payload)
        session.dispatch("RESUMED", {})
        self._world.changes.happened()

    def _send_members(self, session: GatewaySession, data: JSON) -> None:
        guild = self._world.find_guild(int(data["guild_id"]))
        members = [] if guild is None else _asked_for(guild, data)
        chunk: dict[str, Any] = {
            "guild_id": str(data["guild_id"]),
            "members": members,
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [],
            "nonce": data.get("nonce"),
        }
        session.dispatch("GUILD_MEMBERS_CHUNK", chunk)

    async def close(self) -> None:
        """End every connection and wait until it has ended."""
        sockets = [connection.socket.close(code=1001) for connection in self.connections]
        await asyncio.gather(*sockets, return_exceptions=True)


def _asked_for(guild: Guild, data: JSON) -> list[JSON]:
    wanted = data.get("user_ids") or []
    ids = {str(one) for one in (wanted if isinstance(wanted, list) else [wanted])}
    query = str(data.get("query") or "").lower()
    found = [
        member.to_dict()
        for member in guild.members
        if (str(member.id) in ids if ids else member.name.lower().startswith(query))
    ]
    limit = int(data.get("limit") or 0)
    return found[:limit] if limit else found
