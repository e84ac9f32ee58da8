"""What exists in the fake Discord: guilds, roles, members, channels, the application."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .changes import Changes
from .errors import JSON
from .messages import Message
from .permissions import ALL, BOT, EVERYONE, NONE, Permission, permission_set
from .snowflakes import next_snowflake

if TYPE_CHECKING:
    from .threads import Thread

GUILD_TEXT = 0
GUILD_ANNOUNCEMENT = 5
DM = 1
GUILD_CATEGORY = 4
PUBLIC_THREAD = 11
GUILD_FORUM = 15
GUILD_MEDIA = 16

ROLE_OVERWRITE = 0
MEMBER_OVERWRITE = 1

Announce = Callable[[str, JSON], None]


@dataclass(eq=False)
class User:
    """An account, human or bot."""

    name: str
    bot: bool = False
    id: int = field(default_factory=next_snowflake)
    locale: str = "en-US"
    """The language of the account's client."""

    @property
    def mention(self) -> str:
        """How a message mentions the account."""
        return f"<@{self.id}>"

    def to_dict(self) -> JSON:
        """The user object."""
        return {
            "id": str(self.id),
            "username": re.sub(r"[^a-z0-9_.]", "", self.name.lower()) or "someone",
            "global_name": None if self.bot else self.name,
            "discriminator": "1234" if self.bot else "0",
            "avatar": None,
            "bot": self.bot,
            "public_flags": 0,
            "flags": 0,
            "primary_guild": None,
        }


@dataclass(eq=False)
class Role:
    """A role of a guild; the one whose id is the guild's is @everyone."""

    guild: Guild = field(repr=False)
    name: str
    permissions: Permission
    mentionable: bool = False
    managed: bool = False
    position: int = 1
    id: int = field(default_factory=next_snowflake)

    @property
    def mention(self) -> str:
        """How a message mentions the role."""
        return f"<@&{self.id}>"

    @property
    def everyone(self) -> bool:
        """Whether this is the role that everybody has."""
        return self.id == self.guild.id

    def grant(self, permissions: Permission | int | str) -> None:
        """Change what the role may do, in the whole guild."""
        self.permissions = permission_set(permissions)
        self.guild.announce("GUILD_ROLE_UPDATE", self._event())

    def delete(self) -> None:
        """Remove the role from the guild and from everybody who has it."""
        guild = self.guild
        guild.roles.remove(self)
        for member in guild.members:
            if self in member.roles:
                member.remove_role(self)
        guild.announce("GUILD_ROLE_DELETE", {"guild_id": str(guild.id), "role_id": str(self.id)})

    def _event(self) -> JSON:
        return {"guild_id": str(self.guild.id), "role": self.to_dict()}

    def to_dict(self) -> JSON:
        """The role object."""
        return {
            "id": str(self.id),
            "name": self.name,
            "permissions": str(int(self.permissions)),
            "position": self.position,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "managed": self.managed,
            "mentionable": self.mentionable,
            "icon": None,
            "unicode_emoji": None,
            "flags": 0,
        }


@dataclass(eq=False)
class Member:
    """An account in one guild, with its roles there."""

    guild: Guild = field(repr=False)
    user: User
    roles: list[Role] = field(default_factory=list, repr=False)
    nick: str | None = None
    joined_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def id(self) -> int:
        """The account's id."""
        return self.user.id

    @property
    def name(self) -> str:
        """The name shown in the guild."""
        return self.nick or self.user.name

    @property
    def mention(self) -> str:
        """How a message mentions the member."""
        return self.user.mention

    @property
    def permissions(self) -> Permission:
        """What the roles allow in the guild as a whole."""
        if self.guild.owner is self:
            return ALL
        allowed = self.guild.everyone.permissions
        for role in self.roles:
            allowed |= role.permissions
        return ALL if Permission.ADMINISTRATOR in allowed else allowed

    def permissions_in(self, channel: Channel) -> Permission:
        """What the member may do in the channel, overwrites included."""
        channel = channel.permitted_as
        allowed = int(self.permissions)
        if allowed & Permission.ADMINISTRATOR:
            return ALL
        everyone = channel.overwrites.get(self.guild.id, Overwrite())
        allowed = everyone.applied_to(allowed)
        of_roles = Overwrite()
        for role in self.roles:
            of_roles = of_roles.joined_with(channel.overwrites.get(role.id, Overwrite()))
        allowed = of_roles.applied_to(allowed)
        own = channel.overwrites.get(self.id, Overwrite())
        return Permission(own.applied_to(allowed))

    def add_role(self, role: Role) -> None:
        """Give the member a role."""
        self.roles.append(role)
        self.guild.announce("GUILD_MEMBER_UPDATE", self._event())

    def remove_role(self, role: Role) -> None:
        """Take a role away from the member."""
        self.roles.remove(role)
        self.guild.announce("GUILD_MEMBER_UPDATE", self._event())

    def leave(self) -> None:
        """Leave the guild."""
        self.guild.members.remove(self)
        event = {"guild_id": str(self.guild.id), "user": self.user.to_dict()}
        self.guild.announce("GUILD_MEMBER_REMOVE", event)

    def _event(self) -> JSON:
        return {"guild_id": str(self.guild.id), **self.to_dict()}

    def to_dict(self) -> JSON:
        """The member object."""
        return {
            "user": self.user.to_dict(),
            "nick": self.nick,
            "avatar": None,
            "banner": None,
            "roles": [str(role.id) for role in self.roles],
            "joined_at": self.joined_at.isoformat(),
            "premium_since": None,
            "communication_disabled_until": None,
            "pending": False,
            "deaf": False,
            "mute": False,
            "flags": 0,
        }


@dataclass(frozen=True)
class Overwrite:
    """What a channel allows and denies to one role or member."""

    kind: int = ROLE_OVERWRITE
    allow: int = 0
    deny: int = 0

    def applied_to(self, permissions: int) -> int:
        """The permissions once the overwrite has been applied."""
        return permissions & ~self.deny | self.allow

    def joined_with(self, other: Overwrite) -> Overwrite:
        """Both overwrites as one, as Discord joins those of several roles."""
        return Overwrite(self.kind, self.allow | other.allow, self.deny | other.deny)


@dataclass(eq=False)
class Channel:
    """A channel and the messages in it, oldest first."""

    guild: Guild = field(repr=False)
    name: str
    type: int = GUILD_TEXT
    topic: str | None = None
    category: Channel | None = field(default=None, repr=False)
    position: int = 0
    id: int = field(default_factory=next_snowflake)
    messages: list[Message] = field(default_factory=list, repr=False)
    created: list[Message] = field(default_factory=list, repr=False)
    """Every message that was ever made here, deleted ones too."""
    overwrites: dict[int, Overwrite] = field(default_factory=dict, repr=False)
    deleted: bool = False
    _read: int = field(default=0, repr=False)

    @property
    def mention(self) -> str:
        """How a message links the channel."""
        return f"<#{self.id}>"

    @property
    def permitted_as(self) -> Channel:
        """The channel whose overwrites count."""
        return self

    @property
    def messages_path(self) -> str:
        """Where its messages are created and read."""
        return f"/channels/{self.id}/messages"

    @property
    def texts(self) -> list[str]:
        """The content of every message."""
        return [message.content for message in self.messages]

    @property
    def forbidden(self) -> bool:
        """Whether the bot cannot see the channel (403 50001)."""
        bot = self.guild.bot_member
        return Permission.VIEW_CHANNEL not in bot.permissions_in(self)

    @forbidden.setter
    def forbidden(self, forbidden: bool) -> None:
        if forbidden:
            self.deny("view_channel")
        else:
            self.restore()

    @property
    def muted(self) -> bool:
        """Whether the bot sees the channel but may not write in it (403 50013)."""
        bot = self.guild.bot_member
        return Permission.SEND_MESSAGES not in bot.permissions_in(self)

    @muted.setter
    def muted(self, muted: bool) -> None:
        if muted:
            self.deny("send_messages")
        else:
            self.restore()

    def deny(self, permissions: Permission | int | str) -> None:
        """Take permissions in this channel away from the bot."""
        denied = Overwrite(MEMBER_OVERWRITE, deny=int(permission_set(permissions)))
        self.change_overwrites({**self.overwrites, self.guild.bot_member.id: denied})

    def restore(self) -> None:
        """Give the bot back what its roles allow."""
        bot_id = self.guild.bot_member.id
        self.change_overwrites({i: one for i, one in self.overwrites.items() if i != bot_id})

    def hide_from(self, subject: Role | Member) -> None:
        """Have a role or a member no longer see the channel."""
        kind = ROLE_OVERWRITE if isinstance(subject, Role) else MEMBER_OVERWRITE
        hidden = Overwrite(kind, deny=int(Permission.VIEW_CHANNEL))
        self.change_overwrites({**self.overwrites, subject.id: hidden})

    @property
    def synced(self) -> list[Channel]:
        """The channels in this category whose overwrites are the category's own."""
        inside = [one for one in self.guild.channels if one.category is self]
        return [one for one in inside if one.overwrites == self.overwrites]

    def change_overwrites(self, overwrites: dict[int, Overwrite]) -> None:
        """Change the overwrites; the channels that are synced with a category follow it."""
        for channel in [self, *self.synced]:
            channel.overwrites = dict(overwrites)
            self.guild.announce("CHANNEL_UPDATE", channel.to_dict())

    def delete(self) -> None:
        """Remove the channel and what stands in it."""
        self.deleted = True
        self.guild.channels.remove(self)
        self.guild.announce("CHANNEL_DELETE", self.to_dict())

    def post(self, member: Member, content: str) -> Message:
        """A person writes a message."""
        message = Message(channel=self, author=member.user, content=content)
        self.take(message)
        return message

    def take(self, message: Message) -> None:
        """Put a new message into the channel and tell about it."""
        self.messages.append(message)
        self.created.append(message)
        self.guild.announce("MESSAGE_CREATE", message.event())

    def find_message(self, message_id: int) -> Message | None:
        """The message of that id, if it still stands."""
        return next((one for one in reversed(self.messages) if one.id == message_id), None)

    async def next_message(self, timeout: float = 20.0) -> Message:  # noqa: ASYNC109
        """The oldest message this has not returned yet; waits until there is one."""
        changes = self.guild.world.changes
        await changes.until(
            lambda: len(self.created) > self._read, timeout, f"a message in #{self.name}"
        )
        self._read += 1
        return self.created[self._read - 1]

    def skip_messages(self) -> None:
        """Have next_message wait for messages younger than all there are."""
        self._read = len(self.created)

    def to_dict(self) -> JSON:
        """The channel object."""
        overwrites = [
            {"id": str(id_), "type": one.kind, "allow": str(one.allow), "deny": str(one.deny)}
            for id_, one in self.overwrites.items()
        ]
        last = str(self.created[-1].id) if self.created else None
        return {
            "id": str(self.id),
            "type": self.type,
            "guild_id": str(self.guild.id),
            "name": self.name,
            "topic": self.topic,
            "position": self.position,
            "parent_id": str(self.category.id) if self.category else None,
            "permission_overwrites": overwrites,
            "nsfw": False,
            "rate_limit_per_user": 0,
            "last_message_id": last,
            "flags": 0,
        }


@dataclass(eq=False)
class DirectChannel(Channel):
    """The private messages between the bot and one person."""

    recipient: Member = field(kw_only=True, repr=False)
    closed: bool = False
    """Whether the person takes no messages from the bot (403 50007)."""

    def to_dict(self) -> JSON:
        """The channel object."""
        last = str(self.created[-1].id) if self.created else None
        recipients = [self.recipient.user.to_dict()]
        return {
            "id": str(self.id),
            "type": DM,
            "recipients": recipients,
            "last_message_id": last,
            "flags": 0,
        }


@dataclass(eq=False)
class Command:
    """An application command as the bot registered it."""

    definition: JSON
    guild_id: int | None
    id: int = field(default_factory=next_snowflake)
    version: int = field(default_factory=next_snowflake)

    @property
    def name(self) -> str:
        """The first word people type."""
        return str(self.definition["name"])

    @property
    def type(self) -> int:
        """1 chat input, 2 user, 3 message."""
        return int(self.definition.get("type") or 1)

    @property
    def key(self) -> tuple[int, str]:
        """What must be unique within one scope."""
        return (self.type, self.name)

    @property
    def needs(self) -> Permission | None:
        """The permissions a member needs to be offered the command; None: nobody needs any."""
        value = self.definition.get("default_member_permissions")
        return None if value is None else Permission(int(value))


@dataclass(eq=False)
class Guild:
    """A guild with its roles, channels and members."""

    world: World = field(repr=False)
    name: str
    id: int = field(default_factory=next_snowflake)
    joined: bool = True
    """Whether the bot is in it."""
    unavailable: bool = False
    preferred_locale: str = "en-US"
    """The language that the guild's owner chose for it."""
    invitations: list[tuple[User, datetime]] = field(default_factory=list, repr=False)
    """Who added the bot, and when, as the audit log has it."""
    roles: list[Role] = field(default_factory=list, repr=False)
    channels: list[Channel] = field(default_factory=list, repr=False)
    members: list[Member] = field(default_factory=list, repr=False)
    commands: list[Command] = field(default_factory=list, repr=False)
    allowed_commands: dict[str, set[int]] = field(default_factory=dict, repr=False)
    """The roles, or everyone, that the owner offers a command to; others need its permissions."""
    directs: list[DirectChannel] = field(default_factory=list, repr=False)
    threads: list[Thread] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        everyone = Role(self, "@everyone", EVERYONE, position=0, id=self.id)
        self.roles.append(everyone)
        self.owner = Member(self, User("Owner"))
        self.bot_role = Role(self, self.world.bot.name, BOT, managed=True)
        self.roles.append(self.bot_role)
        self.bot_member = Member(self, self.world.bot, [self.bot_role])
        self.members += [self.owner, self.bot_member]

    @property
    def everyone(self) -> Role:
        """The role that everybody has."""
        return self.roles[0]

    def add_channel(
        self,
        name: str,
        *,
        type: int = GUILD_TEXT,  # noqa: A002
        topic: str | None = None,
        category: Channel | None = None,
        overwrites: dict[int, Overwrite] | None = None,
    ) -> Channel:
        """Make a channel in the guild."""
        position = len(self.channels)
        channel = Channel(self, name, type, topic, category, position)
        channel.overwrites |= overwrites or {}
        self.channels.append(channel)
        self.announce("CHANNEL_CREATE", channel.to_dict())
        return channel

    def add_role(
        self,
        name: str,
        permissions: Permission | int | str = NONE,
        *,
        mentionable: bool = False,
    ) -> Role:
        """Make a role; permissions by bits or names: "administrator", "manage_guild …"."""
        allowed = permission_set(permissions)
        role = Role(self, name, allowed, mentionable, position=len(self.roles))
        self.roles.append(role)
        self.announce("GUILD_ROLE_CREATE", {"guild_id": str(self.id), "role": role.to_dict()})
        return role

    def add_member(self, name: str, *roles: Role, user: User | None = None) -> Member:
        """A new person in the guild, or an account known from another guild."""
        member = Member(self, user or User(name), list(roles))
        self.members.append(member)
        event = {"guild_id": str(self.id), **member.to_dict()}
        self.announce("GUILD_MEMBER_ADD", event)
        return member

    def channel(self, name: str) -> Channel:
        """The channel of that name."""
        return next(one for one in self.channels if one.name == name)

    def find_member(self, user_id: int) -> Member | None:
        """The member with that account."""
        return next((one for one in self.members if one.id == user_id), None)

    def direct(self, member: Member) -> DirectChannel:
        """The private messages between the bot and a member."""
        for channel in self.directs:
            if channel.recipient is member:
                return channel
        self.directs.append(DirectChannel(self, member.name, DM, recipient=member))
        return self.directs[-1]

    def find_role(self, role_id: int) -> Role | None:
        """The role of that id."""
        return next((one for one in self.roles if one.id == role_id), None)

    def find_channel(self, channel_id: int) -> Channel | None:
        """The channel of that id."""
        known = [*self.channels, *self.threads, *self.directs]
        return next((one for one in known if one.id == channel_id), None)

    def announce(self, event: str, data: JSON) -> None:
        """Dispatch something that happened here, if the bot is in the guild."""
        if self.joined:
            self.world.announce(event, data)
        else:
            self.world.changes.happened()

    def to_dict(self) -> JSON:
        """The guild object, as REST gives it."""
        return {
            "id": str(self.id),
            "name": self.name,
            "icon": None,
            "description": None,
            "home_header": None,
            "splash": None,
            "discovery_splash": None,
            "features": [],
            "banner": None,
            "owner_id": str(self.owner.id),
            "application_id": None,
            "region": "deprecated",
            "afk_channel_id": None,
            "afk_timeout": 300,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "widget_enabled": False,
            "widget_channel_id": None,
            "verification_level": 1,
            "roles": [role.to_dict() for role in self.roles],
            "default_message_notifications": 1,
            "mfa_level": 0,
            "explicit_content_filter": 0,
            "max_presences": None,
            "max_members": 500_000,
            "max_stage_video_channel_users": 50,
            "max_video_channel_users": 25,
            "vanity_url_code": None,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "preferred_locale": self.preferred_locale,
            "rules_channel_id": None,
            "safety_alerts_channel_id": None,
            "public_updates_channel_id": None,
            "premium_progress_bar_enabled": False,
            "nsfw": False,
            "nsfw_level": 0,
            "emojis": [],
            "stickers": [],
            "incidents_data": None,
        }

    def create_event(self) -> JSON:
        """The GUILD_CREATE dispatch, which for a bot without privileges names only itself."""
        return {
            **self.to_dict(),
            "joined_at": self.bot_member.joined_at.isoformat(),
            "large": False,
            "member_count": len(self.members),
            "members": [self.bot_member.to_dict()],
            "channels": [channel.to_dict() for channel in self.channels],
            "threads": [one.to_dict() for one in self.threads if not one.archived],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }


def nobody_listens(_event: str, _data: JSON) -> None:
    """Announces to nobody; stands in until a gateway is there."""


@dataclass(eq=False)
class World:
    """Everything the fake remembers, whoever connects to it."""

    changes: Changes = field(default_factory=Changes, repr=False)
    bot: User = field(default_factory=lambda: User("Sentinel", bot=True))
    guilds: list[Guild] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    """The global commands."""
    syncs: Counter[int | None] = field(default_factory=Counter)
    """How often the commands of a guild, or the global ones (None), were replaced in bulk."""
    on_announce: Announce = field(default=nobody_listens, repr=False)

    @property
    def application_id(self) -> int:
        """The bot's application, which shares its account's id."""
        return self.bot.id

    def announce(self, event: str, data: JSON) -> None:
        """Dispatch an event to the bot and wake whoever waits for a change."""
        self.on_announce(event, data)
        self.changes.happened()

    def joined_guilds(self) -> Iterable[Guild]:
        """The guilds the bot is in."""
        return (guild for guild in self.guilds if guild.joined)

    def find_guild(self, guild_id: int) -> Guild | None:
        """The guild of that id, whether the bot is in it or not."""
        return next((one for one in self.guilds if one.id == guild_id), None)

    def find_channel(self, channel_id: int) -> Channel | None:
        """The channel of that id in any guild."""
        found = (guild.find_channel(channel_id) for guild in self.guilds)
        return next((channel for channel in found if channel), None)

    def find_user(self, user_id: int) -> User | None:
        """The account of that id."""
        if user_id == self.bot.id:
            return self.bot
        found = (guild.find_member(user_id) for guild in self.guilds)
        return next((member.user for member in found if member), None)

    def application(self) -> JSON:
        """The application object."""
        return {
            "id": str(self.application_id),
            "name": self.bot.name,
            "icon": None,
            "description": "",
            "type": None,
            "verify_key": "0" * 64,
            "flags": 0,
            "flags_new": "0",
            "redirect_uris": [],
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "owner": User("Owner", id=self.application_id - 1).to_dict(),
            "approximate_guild_count": len(list(self.joined_guilds())),
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "team": None,
            "eligible_oauth2_scopes": [],
            "bot_public": False,
            "bot_require_code_grant": False,
            "bot": self.bot.to_dict(),
        }

    def me(self) -> JSON:
        """The bot's own account, with what only it may read."""
        private: dict[str, Any] = {"verified": True, "email": None}
        return {**self.bot.to_dict(), "mfa_enabled": False, "locale": "en-US", **private}
