"""The REST interface: routes, and what each of them does to the world."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from aiohttp import web

from .attachments import new_attachment
from .commands import CommandBook
from .errors import (
    JSON,
    DiscordError,
    Problems,
    missing_access,
    missing_permissions,
    unauthorized,
    unknown,
)
from .faults import Fault, Faults
from .founding import new_channel, new_role, remove_overwrite, set_overwrite
from .interactions import (
    KEPT_FLAGS,
    Interactions,
    changed_body,
    new_body,
)
from .limits import Headers, Limits, TooManyRequests, too_many_old_edits
from .mentions import pings
from .messages import CROSSPOSTED, REPLY, Message
from .permissions import Permission
from .snowflakes import discord_time, moment_of, snowflake_at
from .sockets import reset_connection
from .threads import (
    Thread,
    change_thread,
    new_post,
    open_post,
    refuse_change,
    refuse_write,
    thread_on,
)
from .validation import FILE_SIZE, FILES
from .world import GUILD_ANNOUNCEMENT, Channel, DirectChannel, Guild, Member, World

BOT_ADD = 28
"""The audit log's number for the invitation of a bot."""

IN_THREADS = {Permission.SEND_MESSAGES: Permission.SEND_MESSAGES_IN_THREADS}
"""What is needed in a thread instead."""

DROPPED = 0
"""The status recorded for a request whose connection was dropped."""

Answer = tuple[int, Any]


@dataclass(eq=False)
class RecordedRequest:
    """A request as it came in, and how it was answered."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    files: list[JSON]
    at: float
    """When it came, by the clock of `time.monotonic`: once its head was read."""
    status: int | None = None
    """None while it is not answered, 0 when the connection was dropped."""
    answer: Any = None


@dataclass(frozen=True)
class Route:
    """One route: how its path looks, what it does, how it is limited."""

    method: str
    path: re.Pattern[str]
    act: Callable[..., Answer]
    limit: str
    authorised: bool = True


class Rest:
    """Answers the requests of the bot."""

    def __init__(
        self,
        world: World,
        interactions: Interactions,
        limits: Limits,
        faults: Faults,
        token: Callable[[], str],
    ) -> None:
        self._world = world
        self._interactions = interactions
        self._limits = limits
        self._faults = faults
        self._token = token
        self._commands = CommandBook(world)
        self._nonces: dict[tuple[int, int, str], tuple[float, Message]] = {}
        self.nonce_memory = 180.0
        """Seconds for which a nonce keeps its message from being made again."""
        self.gateway_url = ""
        self.sessions_left, self.sessions_reset_after = 999, 86_400_000
        """How many sessions may still be begun, and in how many milliseconds they are 1,000."""
        self.requests: list[RecordedRequest] = []
        self.unexpected: list[RecordedRequest] = []
        self.crashes: list[Exception] = []
        """What went wrong in the fake itself."""
        self.invalid_requests = 0
        """Requests answered 401, 403 or 429, of which Discord tolerates 10,000 in 10 minutes."""
        self._routes = self._table()

    def forget_nonces(self) -> None:
        """Have every nonce be as good as new."""
        self._nonces.clear()

    # From request to answer

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, faults and outages included."""
        came = time.monotonic()
        body, files = await _read(request)
        path = re.sub(r"^/api(/v\d+)?", "", request.path)
        record = RecordedRequest(request.method, path, dict(request.query), body, files, came)
        self.requests.append(record)
        if self._faults.outage:
            return self._finish(record, 503, "<html>503 Service Unavailable</html>", {})
        fault = self._faults.take(request.method, path)
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        if fault is not None and fault.replaces and not fault.after:
            return self._go_wrong(request, record, fault)
        try:
            status, answer, headers = self._answer(request, record)
        except Exception as crash:
            self.crashes.append(crash)
            return self._finish(record, 500, {"message": repr(crash), "code": 0}, {})
        if fault is not None and fault.replaces:
            return self._go_wrong(request, record, fault)
        cut = fault is not None and fault.cut
        return self._finish(record, status, answer, headers, cut=cut)

    def _go_wrong(
        self, request: web.Request, record: RecordedRequest, fault: Fault
    ) -> web.StreamResponse:
        if fault.reset:
            reset_connection(request)
            return self._finish(record, DROPPED, None, {})
        return self._finish(record, fault.status, fault.answer_body, fault.answer_headers)

    def _finish(
        self,
        record: RecordedRequest,
        status: int,
        answer: Any,
        headers: Headers,
        *,
        cut: bool = False,
    ) -> web.StreamResponse:
        record.status, record.answer = status, answer
        headers = {"Date": formatdate(discord_time(), usegmt=True), **headers}
        if status == 429:
            self._limits.too_many_requests += 1
        if status in (401, 403, 429):
            self.invalid_requests += 1
        self._world.changes.happened()
        if answer is None:
            return web.Response(status=status or 500, headers=headers)
        if isinstance(answer, str):
            return web.Response(
                status=status, text=answer, content_type="text/html", headers=headers
            )
        body = json.dumps(answer).encode()
        # discord.py reads JSON only from exactly this type, without a charset.
        return web.Response(
            status=status,
            body=body[: len(body) // 2] if cut else body,
            content_type="application/json",
            headers=headers,
        )

    def _answer(self, request: web.Request, record: RecordedRequest) -> tuple[int, Any, Headers]:
        headers: Headers = {}
        try:
            route, found = self._find(record)
            if route.authorised and request.headers.get("Authorization") != f"Bot {self._token()}":
                raise unauthorized()
            if any(file["size"] > FILE_SIZE for file in record.files):
                raise DiscordError(413, 40005, "Request entity too large")
            if route.limit not in ("callback", "webhooks"):
                # Discord exempts interactions from the limit over everything.
                self._limits.take_global()
            if route.limit != "callback":
                major = next(iter(found.values()), "")
                headers = self._limits.take(route.limit, major)
            status, answer = route.act(record, **found)
        except TooManyRequests as refusal:
            return refusal.status, refusal.body, {**headers, **refusal.headers}
        except DiscordError as refusal:
            return refusal.status, refusal.body, headers
        return status, answer, headers

    def _find(self, record: RecordedRequest) -> tuple[Route, dict[str, str]]:
        for route in self._routes:
            match = route.path.fullmatch(record.path)
            if match is not None and route.method == record.method:
                return route, match.groupdict()
        self.unexpected.append(record)
        raise DiscordError(404, 0, "404: Not Found")

    def _table(self) -> list[Route]:
        app = r"/applications/\d+"
        in_guild = app + r"/guilds/(?P<guild>\d+)"
        channel = r"/channels/(?P<channel>\d+)"
        message = channel + r"/messages/(?P<message>\d+)"
        overwrite = channel + r"/permissions/(?P<subject>\d+)"
        guild = r"/guilds/(?P<guild>\d+)"
        webhook = r"/webhooks/\d+/(?P<token>[\w%.~-]+)"
        of_webhook = webhook + r"/messages/(?P<message>\d+|@original|%40original)"
        command = r"/commands/(?P<command>\d+)"
        callback = r"/interactions/(?P<id_>\d+)/(?P<token>[\w%.~-]+)/callback"
        table: list[tuple[str, str, Callable[..., Answer]]] = [
            ("GET", "/users/@me", self._me),
            ("GET", "/users/@me/guilds", self._my_guilds),
            ("GET", r"/users/(?P<user>\d+)", self._user),
            ("POST", "/users/@me/channels", self._open_direct),
            ("GET", "/gateway", self._gateway),
            ("GET", "/gateway/bot", self._gateway_bot),
            ("GET", "/(oauth2/)?applications/@me", self._application),
            ("GET", guild, self._guild),
            ("GET", guild + "/channels", self._guild_channels),
            ("POST", guild + "/channels", self._create_channel),
            ("GET", guild + "/roles", self._guild_roles),
            ("POST", guild + "/roles", self._create_role),
            ("GET", guild + "/audit-logs", self._audit_log),
            ("GET", guild + "/members/search", self._search_members),
            ("GET", guild + r"/members/(?P<user>\d+)", self._member),
            ("GET", channel, self._channel),
            ("PATCH", channel, self._change_channel),
            ("DELETE", channel, self._delete_channel),
            ("POST", channel + "/threads", self._create_post),
            ("POST", message + "/threads", self._create_thread),
            ("GET", guild + "/threads/active", self._active_threads),
            ("GET", channel + "/threads/archived/public", self._archived_threads),
            ("PUT", overwrite, self._set_overwrite),
            ("DELETE", overwrite, self._remove_overwrite),
            ("POST", channel + "/typing", self._typing),
            ("POST", channel + "/messages", self._create_message),
            ("GET", channel + "/messages", self._list_messages),
            ("POST", channel + "/messages/bulk-delete", self._delete_messages),
            ("POST", message + "/crosspost", self._crosspost),
            ("GET", message, self._get_message),
            ("PATCH", message, self._edit_message),
            ("DELETE", message, self._delete_message),
            ("POST", callback, self._callback),
            ("POST", webhook, self._follow_up),
            ("GET", of_webhook, self._get_followup),
            ("PATCH", of_webhook, self._edit_followup),
            ("DELETE", of_webhook, self._delete_followup),
        ]
        for scope in (app, in_guild):
            table += [
                ("GET", scope + "/commands", self._list_commands),
                ("PUT", scope + "/commands", self._replace_commands),
                ("POST", scope + "/commands", self._create_command),
                ("GET", scope + command, self._get_command),
                ("PATCH", scope + command, self._edit_command),
                ("DELETE", scope + command, self._delete_command),
            ]
        return [
            Route(method, re.compile(path), act, _limit_of(method, path), not _by_token(path))
            for method, path, act in table
        ]

    # The bot itself

    def _me(self, _record: RecordedRequest) -> Answer:
        return 200, self._world.me()

    def _my_guilds(self, _record: RecordedRequest) -> Answer:
        return 200, [
            {
                "id": str(guild.id),
                "name": guild.name,
                "icon": None,
                "banner": None,
                "owner": False,
                "permissions": str(int(guild.bot_member.permissions)),
                "features": [],
            }
            for guild in self._world.joined_guilds()
        ]

    def _user(self, _record: RecordedRequest, user: str) -> Answer:
        found = self._world.find_user(int(user))
        if found is None:
            raise unknown("User")
        return 200, found.to_dict()

    def _open_direct(self, record: RecordedRequest) -> Answer:
        wanted = int(_object(record.body)["recipient_id"])
        for guild in self._world.joined_guilds():
            member = guild.find_member(wanted)
            if member is not None:
                return 200, guild.direct(member).to_dict()
        raise DiscordError(400, 50033, "Invalid Recipient(s)")

    def _application(self, _record: RecordedRequest) -> Answer:
        return 200, self._world.application()

    def _gateway(self, _record: RecordedRequest) -> Answer:
        return 200, {"url": self.gateway_url}

    def _gateway_bot(self, _record: RecordedRequest) -> Answer:
        limit = {
            "total": 1000,
            "remaining": self.sessions_left,
            "reset_after": self.sessions_reset_after,
            "max_concurrency": 1,
        }
        return 200, {"url": self.gateway_url, "shards": 1, "session_start_limit": limit}

    # Guilds

    def _joined(self, guild_id: str) -> Guild:
        guild = self._world.find_guild(int(guild_id))
        if guild is None:
            raise unknown("Guild")
        if not guild.joined:
            raise missing_access()
        return guild

    def _guild(self, _record: RecordedRequest, guild: str) -> Answer:
        found = self._joined(guild)
        count = len(found.members)
        counts = {"approximate_member_count": count, "approximate_presence_count": count}
        return 200, {**found.to_dict(), **counts}

    def _guild_channels(self, _record: RecordedRequest, guild: str) -> Answer:
        return 200, [channel.to_dict() for channel in self._joined(guild).channels]

    def _guild_roles(self, _record: RecordedRequest, guild: str) -> Answer:
        return 200, [role.to_dict() for role in self._joined(guild).roles]

    def _create_channel(self, record: RecordedRequest, guild: str) -> Answer:
        where = self._managed(guild, Permission.MANAGE_CHANNELS)
        body = _object(record.body)
        return 201, new_channel(where, body).to_dict()

    def _create_role(self, record: RecordedRequest, guild: str) -> Answer:
        where = self._managed(guild, Permission.MANAGE_ROLES)
        return 200, new_role(where, _object(record.body)).to_dict()

    def _audit_log(self, record: RecordedRequest, guild: str) -> Answer:
        """The invitations of the bot, newest first; the fake keeps nothing else."""
        where = self._managed(guild, Permission.VIEW_AUDIT_LOG)
        kind = record.query.get("action_type", str(BOT_ADD))
        found = list(reversed(where.invitations)) if kind == str(BOT_ADD) else []
        limit = int(record.query.get("limit", "50"))
        entries = [
            {
                "id": str(snowflake_at(at)),
                "action_type": BOT_ADD,
                "user_id": str(user.id),
                "target_id": str(self._world.bot.id),
            }
            for user, at in found[:limit]
        ]
        users = {user.id: user.to_dict() for user, _at in found[:limit]}
        empty: dict[str, list[Any]] = {
            name: []
            for name in (
                "application_commands",
                "auto_moderation_rules",
                "guild_scheduled_events",
                "integrations",
                "threads",
                "webhooks",
            )
        }
        people = [*users.values(), self._world.bot.to_dict()]
        return 200, {"audit_log_entries": entries, "users": people, **empty}

    def _managed(self, guild_id: str, needed: Permission) -> Guild:
        guild = self._joined(guild_id)
        if needed not in guild.bot_member.permissions:
            raise missing_permissions()
        return guild

    def _member(self, _record: RecordedRequest, guild: str, user: str) -> Answer:
        member = self._joined(guild).find_member(int(user))
        if member is None:
            raise unknown("User" if self._world.find_user(int(user)) is None else "Member")
        return 200, member.to_dict()

    def _search_members(self, record: RecordedRequest, guild: str) -> Answer:
        start = record.query.get("query", "").lower()
        limit = int(record.query.get("limit", "1"))
        members: Sequence[Member] = self._joined(guild).members
        found = [one.to_dict() for one in members if one.name.lower().startswith(start)]
        return 200, found[:limit]

    # Channels and messages

    def _seen(self, channel_id: str, *needed: Permission) -> Channel:
        channel = self._world.find_channel(int(channel_id))
        if channel is None:
            raise unknown("Channel")
        if not channel.guild.joined:
            raise missing_access()
        allowed = channel.guild.bot_member.permissions_in(channel)
        if Permission.VIEW_CHANNEL not in allowed:
            raise missing_access()
        if isinstance(channel, Thread):
            needed = tuple(IN_THREADS.get(one, one) for one in needed)
        if any(one not in allowed for one in needed):
            raise missing_permissions()
        return channel

    def _channel(self, _record: RecordedRequest, channel: str) -> Answer:
        return 200, self._seen(channel).to_dict()

    def _change_channel(self, record: RecordedRequest, channel: str) -> Answer:
        where = self._seen(channel)
        if not isinstance(where, Thread):
            raise missing_permissions()
        change_thread(where, _object(record.body), where.guild.bot_member)
        return 200, where.to_dict()

    def _delete_channel(self, _record: RecordedRequest, channel: str) -> Answer:
        where = self._seen(channel)
        needed = Permission.MANAGE_CHANNELS
        if isinstance(where, Thread):
            needed = Permission.MANAGE_THREADS
        self._seen(channel, needed).delete()
        return 200, where.to_dict()

    def _create_post(self, record: RecordedRequest, channel: str) -> Answer:
        """A post in a forum, with its first message."""
        forum = self._seen(channel, *_needed(record))
        body = _object(record.body)
        thread = new_post(forum, body, forum.guild.bot_member)
        message = self._new_message(thread, _object(body.get("message")), record.files)
        open_post(thread, message)
        return 201, {**thread.to_dict(), "message": message.to_dict()}

    def _create_thread(self, record: RecordedRequest, channel: str, message: str) -> Answer:
        where = self._seen(channel)
        found = self._message(where, message)
        bot = where.guild.bot_member
        return 201, thread_on(found, _object(record.body), bot).to_dict()

    def _active_threads(self, _record: RecordedRequest, guild: str) -> Answer:
        found = [one for one in self._joined(guild).threads if not one.archived]
        return 200, {"threads": [one.to_dict() for one in found], "members": []}

    def _archived_threads(self, _record: RecordedRequest, channel: str) -> Answer:
        where = self._seen(channel, Permission.READ_MESSAGE_HISTORY)
        found = [one for one in where.guild.threads if one.archived and one.parent is where]
        listed = [one.to_dict() for one in reversed(found)]
        return 200, {"threads": listed, "members": [], "has_more": False}

    def _set_overwrite(self, record: RecordedRequest, channel: str, subject: str) -> Answer:
        where = self._seen(channel, Permission.MANAGE_ROLES)
        set_overwrite(where, int(subject), _object(record.body))
        return 204, None

    def _remove_overwrite(self, _record: RecordedRequest, channel: str, subject: str) -> Answer:
        remove_overwrite(self._seen(channel, Permission.MANAGE_ROLES), int(subject))
        return 204, None

    def _typing(self, _record: RecordedRequest, channel: str) -> Answer:
        self._seen(channel, Permission.SEND_MESSAGES)
        return 204, None

    def _create_message(self, record: RecordedRequest, channel: str) -> Answer:
        where = self._seen(channel, *_needed(record))
        if isinstance(where, DirectChannel) and where.closed:
            raise DiscordError(403, 50007, "Cannot send messages to this user")
        body = _object(record.body)
        refuse_write(where, where.guild.bot_member)
        earlier = self._same_nonce(where, body)
        if earlier is not None:
            return 200, earlier.to_dict()
        message = self._new_message(where, body, record.files)
        where.take(message)
        return 200, message.to_dict()

    def _new_message(self, where: Channel, body: JSON, files: list[JSON]) -> Message:
        flags = int(body.get("flags") or 0) & KEPT_FLAGS
        shown = new_body(body, flags, files)
        reference = self._reference(where, body)
        message = Message(
            channel=where,
            author=self._world.bot,
            content=shown.content,
            embeds=list(shown.embeds),
            components=list(shown.components),
            attachments=list(shown.attachments),
            nonce=body.get("nonce"),
            message_reference=reference,
            allowed_mentions=body.get("allowed_mentions"),
            flags=flags,
            type=0 if reference is None else REPLY,
        )
        message.pings = pings(message)
        if message.nonce is not None:
            key = (self._world.bot.id, where.id, str(message.nonce))
            self._nonces[key] = (time.monotonic(), message)
        return message

    def _same_nonce(self, channel: Channel, body: JSON) -> Message | None:
        nonce = body.get("nonce")
        if nonce is None or not body.get("enforce_nonce"):
            return None
        key = (self._world.bot.id, channel.id, str(nonce))
        made, message = self._nonces.get(key, (float("-inf"), None))
        if message is None or message.deleted or time.monotonic() - made > self.nonce_memory:
            return None
        return message

    def _reference(self, channel: Channel, body: JSON) -> Message | None:
        wanted = body.get("message_reference")
        if not wanted:
            return None
        bot = channel.guild.bot_member
        if Permission.READ_MESSAGE_HISTORY not in bot.permissions_in(channel):
            raise DiscordError(
                400, 160002, "Cannot reply without permission to read message history"
            )
        found = channel.find_message(int(wanted["message_id"]))
        if found is None and wanted.get("fail_if_not_exists", True):
            problems = Problems()
            code = "REPLIES_UNKNOWN_MESSAGE"
            problems.add(("message_reference",), code, "Unknown message")
            problems.raise_if_any()
        return found

    def _list_messages(self, record: RecordedRequest, channel: str) -> Answer:
        where = self._seen(channel)
        bot = where.guild.bot_member
        if Permission.READ_MESSAGE_HISTORY not in bot.permissions_in(where):
            return 200, []
        return 200, [message.to_dict() for message in _page(where.messages, record.query)]

    def _message(self, channel: Channel, message_id: str) -> Message:
        found = channel.find_message(int(message_id))
        if found is None:
            raise unknown("Message")
        return found

    def _get_message(self, _record: RecordedRequest, channel: str, message: str) -> Answer:
        where = self._seen(channel, Permission.READ_MESSAGE_HISTORY)
        return 200, self._message(where, message).to_dict()

    def _edit_message(self, record: RecordedRequest, channel: str, message: str) -> Answer:
        where = self._seen(channel, *([Permission.ATTACH_FILES] if record.files else []))
        found = self._message(where, message)
        if found.author is not self._world.bot:
            raise DiscordError(403, 50005, "Cannot edit a message authored by another user")
        body = _object(record.body)
        changed = changed_body(found, body, record.files)
        refuse_change(where)
        self._refuse_old_edit(found)
        found.change(changed, body.get("allowed_mentions"))
        return 200, found.to_dict()

    def _refuse_old_edit(self, message: Message) -> None:
        age = time.time() - message.created_at.timestamp()
        if self._limits.old_edits is None or age < self._limits.old_after:
            return
        if message.old_edits >= self._limits.old_edits:
            raise too_many_old_edits(self._limits.old_edit_retry_after)
        message.old_edits += 1

    def _delete_message(self, _record: RecordedRequest, channel: str, message: str) -> Answer:
        where = self._seen(channel)
        found = self._message(where, message)
        if found.author is not self._world.bot:
            self._seen(channel, Permission.MANAGE_MESSAGES)
        refuse_change(where)
        found.delete()
        return 204, None

    def _crosspost(self, _record: RecordedRequest, channel: str, message: str) -> Answer:
        where = self._seen(channel, Permission.SEND_MESSAGES)
        found = self._message(where, message)
        if where.type != GUILD_ANNOUNCEMENT:
            raise DiscordError(400, 50068, "Invalid message type")
        if found.author is not self._world.bot:
            self._seen(channel, Permission.MANAGE_MESSAGES)
        if found.flags & CROSSPOSTED:
            raise DiscordError(400, 40033, "This message has already been crossposted.")
        found.flags |= CROSSPOSTED
        self._world.changes.happened()
        return 200, found.to_dict()

    def _delete_messages(self, record: RecordedRequest, channel: str) -> Answer:
        where = self._seen(channel, Permission.MANAGE_MESSAGES)
        ids = [int(one) for one in _object(record.body).get("messages") or []]
        if not 2 <= len(ids) <= 100:
            raise DiscordError(400, 50016, "Provided too few or too many messages to delete.")
        if any(time.time() - moment_of(one).timestamp() > 14 * 86_400 for one in ids):
            raise DiscordError(400, 50034, "You can only bulk delete messages under 14 days old.")
        for message in [one for one in where.messages if one.id in ids]:
            message.delete()
        return 204, None

    # Interactions

    def _callback(self, record: RecordedRequest, id_: str, token: str) -> Answer:
        interaction = self._interactions.awaiting(int(id_), token)
        body = _object(record.body)
        answer = self._interactions.acknowledge(interaction, body, record.files)
        if record.query.get("with_response") in ("1", "true"):
            return 200, answer
        return 204, None

    def _follow_up(self, record: RecordedRequest, token: str) -> Answer:
        interaction = self._interactions.answerable(token)
        body = _object(record.body)
        return 200, self._interactions.follow_up(interaction, body, record.files).to_dict()

    def _of_interaction(self, token: str, message: str) -> Message:
        interaction = self._interactions.answerable(token)
        return self._interactions.find(interaction, message.replace("%40", "@"))

    def _get_followup(self, _record: RecordedRequest, token: str, message: str) -> Answer:
        return 200, self._of_interaction(token, message).to_dict()

    def _edit_followup(self, record: RecordedRequest, token: str, message: str) -> Answer:
        interaction = self._interactions.answerable(token)
        found = self._of_interaction(token, message)
        self._interactions.edit(interaction, found, _object(record.body), record.files)
        return 200, found.to_dict()

    def _delete_followup(self, _record: RecordedRequest, token: str, message: str) -> Answer:
        self._of_interaction(token, message).delete()
        return 204, None

    # Application commands

    def _scope(self, guild: str | None) -> Guild | None:
        return None if guild is None else self._joined(guild)

    def _list_commands(self, _record: RecordedRequest, guild: str | None = None) -> Answer:
        commands = self._commands.scope(self._scope(guild))
        return 200, [self._commands.to_dict(command) for command in commands]

    def _replace_commands(self, record: RecordedRequest, guild: str | None = None) -> Answer:
        if not isinstance(record.body, list):
            raise DiscordError(400, 50109, "The request body contains invalid JSON.")
        commands = self._commands.replace_all(self._scope(guild), record.body)
        return 200, [self._commands.to_dict(command) for command in commands]

    def _create_command(self, record: RecordedRequest, guild: str | None = None) -> Answer:
        command, new = self._commands.upsert(self._scope(guild), _object(record.body))
        return 201 if new else 200, self._commands.to_dict(command)

    def _get_command(
        self, _record: RecordedRequest, command: str, guild: str | None = None
    ) -> Answer:
        found = self._commands.find(self._scope(guild), int(command))
        return 200, self._commands.to_dict(found)

    def _edit_command(
        self, record: RecordedRequest, command: str, guild: str | None = None
    ) -> Answer:
        changes = _object(record.body)
        found = self._commands.edit(self._scope(guild), int(command), changes)
        return 200, self._commands.to_dict(found)

    def _delete_command(
        self, _record: RecordedRequest, command: str, guild: str | None = None
    ) -> Answer:
        self._commands.delete(self._scope(guild), int(command))
        return 204, None


def _limit_of(method: str, path: str) -> str:
    if path.endswith("/callback"):
        return "callback"
    if path.startswith("/webhooks"):
        return "webhooks"
    if path.endswith("/messages") and method == "POST":
        return "messages"
    if method == "PATCH" and "/messages/" in path:
        return "edits"
    return f"{method} {path}"


def _by_token(path: str) -> bool:
    return path.startswith(("/webhooks", "/interactions", "/gateway")) and "bot" not in path


def _needed(record: RecordedRequest) -> list[Permission]:
    needed = [Permission.SEND_MESSAGES]
    if isinstance(record.body, dict) and record.body.get("embeds"):
        needed.append(Permission.EMBED_LINKS)
    if record.files:
        needed.append(Permission.ATTACH_FILES)
    return needed


def _object(body: Any) -> JSON:
    if not isinstance(body, dict):
        raise DiscordError(400, 50109, "The request body contains invalid JSON.")
    return body


def _page(messages: Sequence[Message], query: dict[str, str]) -> list[Message]:
    """One page of messages, newest first."""
    limit = int(query.get("limit", "50"))
    if not 1 <= limit <= 100:
        problems = Problems()
        problems.add(("limit",), "NUMBER_TYPE_COERCE", f"Value {limit} is not between 1 and 100.")
        problems.raise_if_any()
    if "around" in query:
        pivot = int(query["around"])
        older = [one for one in messages if one.id < pivot]
        newer = [one for one in messages if one.id >= pivot]
        return [*older[-(limit // 2) :], *newer[: limit - limit // 2]][::-1]
    if "after" in query:
        newer = [one for one in messages if one.id > int(query["after"])]
        return newer[:limit][::-1]
    if "before" in query:
        messages = [one for one in messages if one.id < int(query["before"])]
    return list(messages[-limit:])[::-1]


async def _read(request: web.Request) -> tuple[Any, list[JSON]]:
    """The body of the request, and its files as attachment objects."""
    if request.content_type.startswith("multipart/"):
        return await _read_form(request)
    text = await request.text()
    if not text:
        return None, []
    try:
        return json.loads(text), []
    except ValueError:
        return None, []


async def _read_form(request: web.Request) -> tuple[Any, list[JSON]]:
    form = await request.post()
    payload = form.get("payload_json")
    body = json.loads(payload) if isinstance(payload, str) else {}
    described = _described(body)
    files = [
        new_attachment(field_.filename, field_.file.read(), described.get(name[6:-1], {}))
        for name, field_ in form.items()
        if isinstance(field_, web.FileField)
    ]
    return body, files[:FILES]


def _described(body: JSON) -> dict[str, JSON]:
    """What the body says about the files, by their number: `files[0]` is described by id 0."""
    data = body.get("data") or body.get("message") or body  # a callback's, a post's, a message's
    return {str(one.get("id")): one for one in data.get("attachments") or []}
