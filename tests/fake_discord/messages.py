"""A message: what it says, how it came about, how often it changed, whom it pinged."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from .attachments import placed
from .errors import JSON
from .snowflakes import next_snowflake

if TYPE_CHECKING:
    from .world import Channel, Member, Role, User

DEFAULT = 0
REPLY = 19
CHAT_INPUT_COMMAND = 20

SUPPRESS_EMBEDS = 1 << 2
CROSSPOSTED = 1 << 0
EPHEMERAL = 1 << 6
LOADING = 1 << 7
IS_COMPONENTS_V2 = 1 << 15


@dataclass(frozen=True)
class Body:
    """What a message shows."""

    content: str = ""
    embeds: tuple[JSON, ...] = ()
    components: tuple[JSON, ...] = ()
    attachments: tuple[JSON, ...] = ()


@dataclass(frozen=True)
class Edit:
    """One change of a message: when, what it showed afterwards, what was sent along."""

    at: datetime
    body: Body
    allowed_mentions: JSON | None


@dataclass(eq=False)
class Message:
    """One message, in a channel or (ephemeral) before one person's eyes."""

    channel: Channel = field(repr=False)
    author: User = field(repr=False)
    content: str = ""
    embeds: list[JSON] = field(default_factory=list)
    components: list[JSON] = field(default_factory=list, repr=False)
    attachments: list[JSON] = field(default_factory=list, repr=False)
    nonce: str | int | None = None
    message_reference: Message | None = field(default=None, repr=False)
    allowed_mentions: JSON | None = field(default=None, repr=False)
    """As sent with the creation; those of later edits stand in `edits`."""
    flags: int = 0
    type: int = DEFAULT
    interaction: JSON | None = field(default=None, repr=False)
    for_member: Member | None = field(default=None, repr=False)
    """Who alone sees it, when it is ephemeral."""
    id: int = field(default_factory=next_snowflake)
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    edited_timestamp: datetime | None = None
    pings: list[Member | Role | str] = field(default_factory=list)
    """Whom its creation notified: members, roles, "@everyone", "@here"."""
    first: Body = field(default_factory=Body, repr=False)
    """What it showed when it was created."""
    edits: list[Edit] = field(default_factory=list, repr=False)
    old_edits: int = 0
    """How often it was edited after it had grown old (see limits)."""
    deleted: bool = False

    def __post_init__(self) -> None:
        self.first = self.body

    @property
    def body(self) -> Body:
        """What it shows at present."""
        return Body(
            self.content, tuple(self.embeds), tuple(self.components), tuple(self.attachments)
        )

    @property
    def ephemeral(self) -> bool:
        """Whether only one person sees it."""
        return bool(self.flags & EPHEMERAL)

    @property
    def loading(self) -> bool:
        """Whether it still says that the bot is thinking."""
        return bool(self.flags & LOADING)

    @property
    def edit_count(self) -> int:
        """How often it has been edited."""
        return len(self.edits)

    @property
    def reply_to(self) -> Message | None:
        """The message this one answers."""
        return self.message_reference

    @property
    def text(self) -> str:
        """A readable picture of it."""
        from .render import render

        return render(self)

    @property
    def jump_url(self) -> str:
        """The link that leads to it."""
        guild = self.channel.guild.id
        return f"https://discord.com/channels/{guild}/{self.channel.id}/{self.id}"

    def change(self, changed: Body, allowed_mentions: JSON | None) -> None:
        """Show something else from now on; tells about it, notifies nobody."""
        self.content = changed.content
        self.embeds = list(changed.embeds)
        self.components = list(changed.components)
        self.attachments = list(changed.attachments)
        self.edited_timestamp = datetime.now(UTC)
        self.flags &= ~LOADING
        self.edits.append(Edit(self.edited_timestamp, self.body, allowed_mentions))
        guild = self.channel.guild
        if self.ephemeral:
            guild.world.changes.happened()
        else:
            guild.announce("MESSAGE_UPDATE", self.event())

    def delete(self) -> None:
        """Remove it, as its author or a moderator would."""
        if self.deleted:
            return
        self.deleted = True
        guild = self.channel.guild
        if self not in self.channel.messages:
            guild.world.changes.happened()
            return
        self.channel.messages.remove(self)
        event = {
            "id": str(self.id),
            "channel_id": str(self.channel.id),
            "guild_id": str(guild.id),
        }
        guild.announce("MESSAGE_DELETE", event)

    def grow_older(self, by: timedelta) -> None:
        """Have it be as if written longer ago, for the edit limit of old messages."""
        self.created_at -= by

    def event(self) -> JSON:
        """The message as the gateway dispatches it."""
        event = {**self.to_dict(), "guild_id": str(self.channel.guild.id)}
        member = self.channel.guild.find_member(self.author.id)
        if member is not None:
            event["member"] = {key: v for key, v in member.to_dict().items() if key != "user"}
        return event

    def to_dict(self) -> JSON:
        """The message object."""
        from .mentions import mentioned

        users, roles, everyone = mentioned(self)
        embeds, attachments = placed(self.embeds, self.attachments)
        data: JSON = {
            "id": str(self.id),
            "type": self.type,
            "channel_id": str(self.channel.id),
            "author": self.author.to_dict(),
            "content": self.content,
            "embeds": embeds,
            "components": self.components,
            "attachments": attachments,
            "mentions": [user.to_dict() for user in users],
            "mention_roles": [str(role.id) for role in roles],
            "mention_everyone": everyone,
            "timestamp": self.created_at.isoformat(),
            "edited_timestamp": self.edited_timestamp and self.edited_timestamp.isoformat(),
            "flags": self.flags,
            "pinned": False,
            "tts": False,
        }
        if self.nonce is not None:
            data["nonce"] = self.nonce
        if self.interaction is not None:
            data["interaction_metadata"] = self.interaction
            data["application_id"] = data["webhook_id"] = str(self.author.id)
        if self.message_reference is not None:
            data |= self._reference(self.message_reference)
        return data

    def _reference(self, target: Message) -> JSON:
        reference = {
            "type": 0,
            "message_id": str(target.id),
            "channel_id": str(target.channel.id),
            "guild_id": str(target.channel.guild.id),
        }
        shown = None if target.deleted else {**target.to_dict(), "referenced_message": None}
        return {"message_reference": reference, "referenced_message": shown}
