"""Threads and forums: made from a message or as a post, archived, locked, found again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .errors import JSON, DiscordError, Problems, missing_permissions
from .permissions import Permission
from .snowflakes import next_snowflake
from .validation import check_text
from .world import GUILD_FORUM, GUILD_MEDIA, PUBLIC_THREAD, Channel

if TYPE_CHECKING:
    from .messages import Message
    from .world import Guild, Member, User

NAME = 100
TAGS = 5
ARCHIVE_AFTER = (60, 1440, 4320, 10080)
REQUIRE_TAG = 1 << 4


@dataclass(eq=False)
class ForumTag:
    """A tag that the posts of a forum can have."""

    name: str
    moderated: bool = False
    id: int = field(default_factory=next_snowflake)

    def to_dict(self) -> JSON:
        """The tag object."""
        return {
            "id": str(self.id),
            "name": self.name,
            "moderated": self.moderated,
            "emoji_id": None,
            "emoji_name": None,
        }


@dataclass(eq=False)
class Forum(Channel):
    """A forum or media channel: its posts are threads."""

    tags: list[ForumTag] = field(default_factory=list)
    flags: int = 0

    def to_dict(self) -> JSON:
        """The channel object."""
        return {
            **super().to_dict(),
            "available_tags": [tag.to_dict() for tag in self.tags],
            "default_reaction_emoji": None,
            "default_sort_order": None,
            "default_forum_layout": 0,
            "flags": self.flags,
        }


@dataclass(eq=False)
class Thread(Channel):
    """A thread in a channel, or a post in a forum."""

    parent: Channel = field(kw_only=True, repr=False)
    owner: User = field(kw_only=True, repr=False)
    archived: bool = False
    locked: bool = False
    auto_archive: int = 1440
    applied_tags: list[int] = field(default_factory=list)

    @property
    def permitted_as(self) -> Channel:
        """The channel whose overwrites count: a thread has none of its own."""
        return self.parent

    def change(self, **values: bool) -> None:
        """Archive or lock it, or undo that, as a moderator does."""
        for name, value in values.items():
            setattr(self, name, value)
        self.guild.announce("THREAD_UPDATE", self.to_dict())

    def take(self, message: Message) -> None:
        """Put a new message in; an archived thread is then open again."""
        if self.archived:
            self.change(archived=False)
        super().take(message)

    def delete(self) -> None:
        """Remove the thread."""
        self.deleted = True
        self.guild.threads.remove(self)
        ids = {"id": str(self.id), "guild_id": str(self.guild.id)}
        parent = {"parent_id": str(self.parent.id), "type": self.type}
        self.guild.announce("THREAD_DELETE", ids | parent)

    def to_dict(self) -> JSON:
        """The channel object."""
        described = super().to_dict()
        for name in ("topic", "position", "permission_overwrites", "nsfw"):
            del described[name]
        return {
            **described,
            "parent_id": str(self.parent.id),
            "owner_id": str(self.owner.id),
            "message_count": len(self.messages),
            "member_count": 1,
            "total_message_sent": len(self.created),
            "applied_tags": [str(tag) for tag in self.applied_tags],
            "thread_metadata": {
                "archived": self.archived,
                "locked": self.locked,
                "auto_archive_duration": self.auto_archive,
                "archive_timestamp": "2026-01-01T00:00:00+00:00",
                "create_timestamp": "2026-01-01T00:00:00+00:00",
            },
        }


def add_forum(
    guild: Guild, name: str, *tags: str, media: bool = False, must_tag: bool = False
) -> Forum:
    """Make a forum, or a media channel."""
    kind = GUILD_MEDIA if media else GUILD_FORUM
    forum = Forum(guild, name, kind, position=len(guild.channels))
    forum.tags += [ForumTag(tag) for tag in tags]
    forum.flags = REQUIRE_TAG if must_tag else 0
    guild.channels.append(forum)
    guild.announce("CHANNEL_CREATE", forum.to_dict())
    return forum


def add_thread(parent: Channel, name: str, owner: User) -> Thread:
    """Make a thread that hangs on no message, as a person does."""
    return _opened(Thread(parent.guild, name, PUBLIC_THREAD, parent=parent, owner=owner))


def _opened(thread: Thread) -> Thread:
    thread.guild.threads.append(thread)
    thread.guild.announce("THREAD_CREATE", {**thread.to_dict(), "newly_created": True})
    return thread


def thread_on(message: Message, body: JSON, owner: Member) -> Thread:
    """Make the thread of a message, which has the message's id."""
    channel, guild = message.channel, message.channel.guild
    if isinstance(channel, Thread | Forum):
        raise DiscordError(400, 50024, "Cannot execute action on this channel type")
    if Permission.CREATE_PUBLIC_THREADS not in owner.permissions_in(channel):
        raise missing_permissions()
    if any(one.id == message.id for one in guild.threads):
        raise DiscordError(400, 160004, "A thread has already been created for this message")
    name = _name(body)
    return _opened(
        Thread(guild, name, PUBLIC_THREAD, parent=channel, owner=owner.user, id=message.id)
    )


def new_post(forum: Channel, body: JSON, owner: Member) -> Thread:
    """Make a post without its first message, whose id the post will have."""
    if not isinstance(forum, Forum):
        raise DiscordError(400, 50024, "Cannot execute action on this channel type")
    name = _name(body)
    tags = [int(tag) for tag in body.get("applied_tags") or []]
    known = {tag.id: tag for tag in forum.tags}
    if any(tag not in known for tag in tags):
        raise DiscordError(400, 10087, "Unknown Tag")
    if len(tags) > TAGS:
        raise DiscordError(400, 50035, "Invalid Form Body")
    if forum.flags & REQUIRE_TAG and not tags:
        raise DiscordError(400, 40067, "A tag is required to create a forum post in this channel")
    is_moderator = Permission.MANAGE_THREADS in owner.permissions_in(forum)
    if any(known[tag].moderated for tag in tags) and not is_moderator:
        raise missing_permissions()
    return Thread(
        forum.guild, name, PUBLIC_THREAD, parent=forum, owner=owner.user, applied_tags=tags
    )


def open_post(thread: Thread, message: Message) -> None:
    """Show a new post with its first message."""
    thread.id = message.id
    _opened(thread)
    thread.parent.created.append(message)
    thread.take(message)


def _name(body: JSON) -> str:
    problems = Problems()
    check_text(body.get("name"), ("name",), NAME, problems, least=1)
    duration = body.get("auto_archive_duration")
    if duration is not None and duration not in ARCHIVE_AFTER:
        problems.add(
            ("auto_archive_duration",), "BASE_TYPE_CHOICES", "Value must be one of the set"
        )
    problems.raise_if_any()
    return str(body["name"])


def change_thread(thread: Thread, body: JSON, by: Member) -> None:
    """Archive, lock, rename or tag a thread; a locked one only moderators open again."""
    is_moderator = Permission.MANAGE_THREADS in by.permissions_in(thread)
    is_own = thread.owner is by.user
    opens = body.get("archived") is False
    if thread.archived and not opens:
        raise DiscordError(400, 50083, "Thread is archived")
    if not is_moderator and (thread.locked or "locked" in body):
        raise missing_permissions()
    may_open = opens and Permission.SEND_MESSAGES_IN_THREADS in by.permissions_in(thread)
    if not is_moderator and not is_own and not may_open:
        raise missing_permissions()
    if "name" in body:
        thread.name = _name(body)
    if "applied_tags" in body:
        thread.applied_tags = [int(tag) for tag in body["applied_tags"]]
    states = {name: bool(body[name]) for name in ("archived", "locked") if name in body}
    thread.change(**states)


def refuse_write(thread: Channel, by: Member) -> None:
    """Refuse a new message in a locked thread; an archived one opens with it."""
    if isinstance(thread, Forum):
        raise DiscordError(400, 50008, "Cannot send messages in a non-text channel")
    is_locked = isinstance(thread, Thread) and thread.locked
    if is_locked and Permission.MANAGE_THREADS not in by.permissions_in(thread):
        raise DiscordError(400, 160005, "Thread is locked")


def refuse_change(thread: Channel) -> None:
    """Refuse to change a message in an archived thread."""
    if isinstance(thread, Thread) and thread.archived:
        raise DiscordError(400, 50083, "Thread is archived")
