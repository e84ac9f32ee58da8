"""Interactions: what a person did, how the bot answered, and the rules for answering."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from .attachments import kept_attachments
from .errors import JSON, DiscordError, Problems, invalid_form, unknown
from .mentions import pings
from .messages import (
    CHAT_INPUT_COMMAND,
    EPHEMERAL,
    IS_COMPONENTS_V2,
    LOADING,
    REPLY,
    SUPPRESS_EMBEDS,
    Body,
    Message,
)
from .permissions import EVERYONE, Permission
from .snowflakes import next_snowflake
from .validation import (
    check_choices,
    check_message,
    check_modal,
    every_component,
    numbered,
    refuse_empty,
)
from .world import Channel, Command, DirectChannel, Guild, Member, World

APPLICATION_COMMAND, MESSAGE_COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5

MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9

KEPT_FLAGS = EPHEMERAL | SUPPRESS_EMBEDS | 1 << 12 | IS_COMPONENTS_V2

ALLOWED_CALLBACKS = {
    APPLICATION_COMMAND: {MESSAGE, DEFERRED_MESSAGE, MODAL},
    MESSAGE_COMPONENT: {MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, MODAL},
    AUTOCOMPLETE: {CHOICES},
    MODAL_SUBMIT: {MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE},
}


@dataclass(frozen=True)
class Choice:
    """One suggestion of an autocomplete."""

    name: str
    value: str | int | float


@dataclass(eq=False)
class Interaction:
    """One thing a person did, from its dispatch to the last follow-up."""

    type: int
    member: Member
    channel: Channel
    data: JSON
    message: Message | None = None
    """The message whose component was used, or from which the modal came."""
    came_from: JSON | None = None
    id: int = field(default_factory=next_snowflake)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    at: float = field(default_factory=time.monotonic)
    acknowledged_at: float | None = None
    callback: JSON | None = None
    original: Message | None = None
    """What @original stands for: the answer, or the updated message."""
    answered: bool = False
    """Whether the person sees an answer, not only that the bot is thinking."""
    followups: list[Message] = field(default_factory=list)

    @property
    def guild(self) -> Guild:
        """Where it happened."""
        return self.channel.guild

    @property
    def callback_type(self) -> int | None:
        """How the bot acknowledged it."""
        return None if self.callback is None else int(self.callback["type"])

    @property
    def callback_data(self) -> JSON:
        """What came with the acknowledgement."""
        return {} if self.callback is None else self.callback.get("data") or {}

    @property
    def metadata(self) -> JSON:
        """What the messages that answer it tell about it."""
        data: JSON = {
            "id": str(self.id),
            "type": self.type,
            "user": self.member.user.to_dict(),
            "authorizing_integration_owners": {"0": str(self.guild.id)},
        }
        if self.type == MESSAGE_COMPONENT and self.message is not None:
            data["interacted_message_id"] = str(self.message.id)
        if self.type == MODAL_SUBMIT:
            data["triggering_interaction_metadata"] = self.came_from
        return data

    def _in_guild(self) -> JSON:
        """What is told of where it happened, and by whom: a member with roles and permissions."""
        guild, bot = self.guild, self.guild.bot_member
        return {
            "guild_id": str(guild.id),
            "guild": {"id": str(guild.id), "locale": guild.preferred_locale, "features": []},
            "channel": {
                **self.channel.to_dict(),
                "permissions": str(int(self.member.permissions_in(self.channel))),
            },
            "member": interacting_member(self.member, self.channel),
            "app_permissions": str(int(bot.permissions_in(self.channel))),
            "guild_locale": guild.preferred_locale,
            "authorizing_integration_owners": {"0": str(guild.id)},
            "context": 0,
        }

    def _in_private(self) -> JSON:
        """The same between the bot and one person: a user, of whose servers nothing is told."""
        return {
            "channel": self.channel.to_dict(),
            "user": self.member.user.to_dict(),
            "app_permissions": str(int(EVERYONE)),
            "authorizing_integration_owners": {"0": "0"},
            "context": 1,
        }

    def to_dict(self, world: World) -> JSON:
        """The INTERACTION_CREATE dispatch."""
        data: JSON = {
            "id": str(self.id),
            "application_id": str(world.application_id),
            "type": self.type,
            "token": self.token,
            "version": 1,
            "data": self.data,
            "channel_id": str(self.channel.id),
            "locale": self.member.user.locale,
            "entitlements": [],
            "attachment_size_limit": 10 * 1024 * 1024,
            **(self._in_private() if isinstance(self.channel, DirectChannel) else self._in_guild()),
        }
        if self.message is not None:
            data["message"] = self.message.to_dict()
        return data


def interacting_member(member: Member, channel: Channel) -> JSON:
    """The member object of an interaction, which tells the permissions in the channel."""
    return {**member.to_dict(), "permissions": str(int(member.permissions_in(channel)))}


class Interactions:
    """All interactions, and Discord's rules for answering them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._all: dict[int, Interaction] = {}
        self._by_token: dict[str, Interaction] = {}
        self.deadline = 3.0
        """How long the bot may take for the first answer."""
        self.token_life = 900.0
        """How long the follow-up token lives."""

    def begin(self, interaction: Interaction) -> Interaction:
        """Remember the interaction and dispatch it to the bot."""
        self._all[interaction.id] = interaction
        self._by_token[interaction.token] = interaction
        self._world.announce("INTERACTION_CREATE", interaction.to_dict(self._world))
        return interaction

    def awaiting(self, interaction_id: int, token: str) -> Interaction:
        """The interaction a callback is meant for, if it may still be answered."""
        found = self._all.get(interaction_id)
        if found is None or found.token != token:
            raise unknown("interaction")
        if found.callback is not None:
            raise DiscordError(400, 40060, "Interaction has already been acknowledged.")
        if time.monotonic() - found.at > self.deadline:
            raise unknown("interaction")
        return found

    def answerable(self, token: str) -> Interaction:
        """The interaction a follow-up token belongs to, if it has been acknowledged."""
        found = self._by_token.get(token)
        if found is None or found.callback is None:
            raise unknown("Webhook")
        if time.monotonic() - found.at > self.token_life:
            raise DiscordError(401, 50027, "Invalid Webhook Token")
        return found

    # The first answer

    def acknowledge(self, interaction: Interaction, callback: JSON, files: list[JSON]) -> JSON:
        """Take the bot's first answer; what `with_response` gives back."""
        kind = callback.get("type")
        if kind not in ALLOWED_CALLBACKS[interaction.type]:
            message = f"This interaction cannot be answered with type {kind}."
            errors = {"type": {"_errors": [{"code": "BASE_TYPE_CHOICES", "message": message}]}}
            raise invalid_form(errors)
        data = callback.get("data") or {}
        self._act(interaction, int(kind), data, files)
        interaction.callback = callback
        interaction.acknowledged_at = time.monotonic()
        interaction.answered = kind not in (DEFERRED_MESSAGE,)
        self._world.changes.happened()
        return self._response(interaction, int(kind))

    def _act(self, interaction: Interaction, kind: int, data: JSON, files: list[JSON]) -> None:
        if kind == MESSAGE:
            interaction.original = self._create(interaction, data, files)
        elif kind == DEFERRED_MESSAGE:
            flags = int(data.get("flags") or 0) & EPHEMERAL | LOADING
            interaction.original = self._show(interaction, self._blank(interaction, flags))
        elif kind in (DEFERRED_UPDATE, UPDATE):
            if interaction.message is None:
                raise unknown("Message")
            interaction.original = interaction.message
            if kind == UPDATE:
                self.edit(interaction, interaction.message, data, files)
        elif kind == CHOICES:
            check_choices(data.get("choices") or [])
        elif kind == MODAL:
            check_modal(data)
            data["components"] = numbered(data["components"])

    def _response(self, interaction: Interaction, kind: int) -> JSON:
        original = interaction.original
        told: JSON = {"id": str(interaction.id), "type": interaction.type}
        answer: JSON = {"interaction": told}
        if original is not None:
            told["response_message_id"] = str(original.id)
            told["response_message_loading"] = original.loading
            told["response_message_ephemeral"] = original.ephemeral
            if kind in (MESSAGE, UPDATE):
                answer["resource"] = {"type": kind, "message": original.to_dict()}
        return answer

    # Messages of an interaction

    def follow_up(self, interaction: Interaction, data: JSON, files: list[JSON]) -> Message:
        """Take a follow-up; the first one after a deferral becomes the answer itself."""
        original = interaction.original
        if original is not None and original.loading and not interaction.answered:
            self.edit(interaction, original, data, files)
            return original
        message = self._create(interaction, data, files, reply_to=original)
        interaction.followups.append(message)
        interaction.answered = True
        self._world.changes.happened()
        return message

    def find(self, interaction: Interaction, wanted: str) -> Message:
        """A message of the interaction: by id, or @original."""
        known = [interaction.original, *interaction.followups, interaction.message]
        for message in known:
            if message is None or message.deleted:
                continue
            if wanted == "@original" and message is interaction.original:
                return message
            if wanted == str(message.id):
                return message
        raise unknown("Message")

    def edit(
        self, interaction: Interaction, message: Message, data: JSON, files: list[JSON]
    ) -> None:
        """Change a message of the interaction, whoever may see it."""
        changed = changed_body(message, data, files)
        message.flags |= int(data.get("flags") or 0) & IS_COMPONENTS_V2
        if message is interaction.original:
            interaction.answered = True
        message.change(changed, data.get("allowed_mentions"))

    def _create(
        self,
        interaction: Interaction,
        data: JSON,
        files: list[JSON],
        reply_to: Message | None = None,
    ) -> Message:
        flags = int(data.get("flags") or 0) & KEPT_FLAGS
        body = new_body(data, flags, files)
        message = self._blank(interaction, flags)
        message.content = body.content
        message.embeds, message.components = list(body.embeds), list(body.components)
        message.attachments = list(body.attachments)
        message.allowed_mentions = data.get("allowed_mentions")
        message.first = message.body
        if reply_to is not None:
            message.type, message.message_reference = REPLY, reply_to
        return self._show(interaction, message)

    def _blank(self, interaction: Interaction, flags: int) -> Message:
        command = interaction.type == APPLICATION_COMMAND
        return Message(
            channel=interaction.channel,
            author=self._world.bot,
            flags=flags,
            type=CHAT_INPUT_COMMAND if command else 0,
            interaction=interaction.metadata,
            for_member=interaction.member if flags & EPHEMERAL else None,
        )

    def _show(self, interaction: Interaction, message: Message) -> Message:
        if message.ephemeral:
            self._world.changes.happened()
            return message
        message.pings = [] if message.reply_to else pings(message)
        interaction.channel.take(message)
        return message


def new_body(data: JSON, flags: int, files: Sequence[JSON]) -> Body:
    """What a new message shows, once nothing in it is refused."""
    problems = Problems()
    check_message(data, flags, problems)
    problems.raise_if_any()
    content = str(data.get("content") or "").strip()
    embeds = [_shown(embed) for embed in data.get("embeds") or []]
    components = numbered(data.get("components") or [])
    refuse_empty(content, embeds, [*components, *files])
    return Body(content, tuple(embeds), tuple(components), tuple(files))


def changed_body(message: Message, data: JSON, files: Sequence[JSON]) -> Body:
    """What the message shows once the parts that were sent replace its own."""
    problems = Problems()
    check_message(data, message.flags | int(data.get("flags") or 0), problems)
    problems.raise_if_any()
    before = message.body
    content, embeds, components = before.content, before.embeds, before.components
    if "content" in data:
        content = str(data["content"] or "").strip()
    if "embeds" in data:
        embeds = tuple(_shown(embed) for embed in data["embeds"] or [])
    if "components" in data:
        components = tuple(numbered(data["components"] or []))
    attachments = list(before.attachments)
    if "attachments" in data:
        attachments = kept_attachments(attachments, data["attachments"] or [])
    attachments += files
    if int(data.get("flags") or 0) & IS_COMPONENTS_V2:  # what it showed before must be gone
        check_message({"content": content, "embeds": embeds}, IS_COMPONENTS_V2, problems)
        problems.raise_if_any()
    refuse_empty(content, embeds, [*components, *attachments])
    return Body(content, embeds, components, tuple(attachments))


def _shown(embed: JSON) -> JSON:
    shown: JSON = {**embed, "type": "rich"}
    if "fields" in embed:
        shown["fields"] = [{"inline": False, **one} for one in embed["fields"] or []]
    return shown


# What the person sees


@dataclass(eq=False)
class InteractionReply:
    """The bot's answer to one interaction, always as it stands at present."""

    interaction: Interaction

    @property
    def message(self) -> Message | None:
        """The message that answers, or the one that was updated."""
        return self.interaction.original

    @property
    def content(self) -> str:
        """The text of the answer."""
        return self.message.content if self.message else ""

    @property
    def embeds(self) -> list[JSON]:
        """The embeds of the answer."""
        return self.message.embeds if self.message else []

    @property
    def components(self) -> list[JSON]:
        """The components of the answer, or those of the modal."""
        if self.modal is not None:
            return list(self.modal.get("components") or [])
        return self.message.components if self.message else []

    @property
    def ephemeral(self) -> bool:
        """Whether only the person sees it."""
        return self.message is not None and self.message.ephemeral

    @property
    def deferred(self) -> bool:
        """Whether the bot first said that it is thinking (or, silently, that it will update)."""
        return self.interaction.callback_type in (DEFERRED_MESSAGE, DEFERRED_UPDATE)

    @property
    def updated(self) -> bool:
        """Whether the answer was to change the message whose component was used."""
        return self.interaction.callback_type in (DEFERRED_UPDATE, UPDATE)

    @property
    def answered(self) -> bool:
        """Whether there is more than "the bot is thinking"."""
        return self.interaction.answered

    @property
    def modal(self) -> JSON | None:
        """The modal that was opened."""
        is_modal = self.interaction.callback_type == MODAL
        return self.interaction.callback_data if is_modal else None

    @property
    def choices(self) -> list[Choice]:
        """The suggestions of an autocomplete."""
        choices = self.interaction.callback_data.get("choices") or []
        return [Choice(str(one["name"]), one["value"]) for one in choices]

    @property
    def followups(self) -> list[Message]:
        """What the bot sent after its answer."""
        return self.interaction.followups

    @property
    def acknowledged_after(self) -> float:
        """Seconds from the person's act to the bot's first answer."""
        if self.interaction.acknowledged_at is None:
            return float("inf")
        return self.interaction.acknowledged_at - self.interaction.at

    @property
    def text(self) -> str:
        """A readable picture of the answer."""
        from .render import render

        return render(self)


def offered(command: Command, member: Member, channel: Channel) -> bool:
    """Whether Discord offers the command to the member in the channel."""
    needed = command.needs
    allowed = member.permissions_in(channel)
    if Permission.VIEW_CHANNEL not in allowed or Permission.USE_APPLICATION_COMMANDS not in allowed:
        return False
    if needed is None or Permission.ADMINISTRATOR in allowed:
        return True
    roles = {member.guild.id, *(role.id for role in member.roles)}
    if roles & member.guild.allowed_commands.get(command.name, set()):
        return True  # as the guild's owner chose in Server Settings › Integrations
    return bool(needed) and needed in allowed


def component_by(components: Sequence[JSON], wanted: str) -> JSON | None:
    """The component of that custom id, label or placeholder."""
    for key in ("custom_id", "label", "placeholder"):
        for _, one in every_component(components):
            if one.get(key) == wanted:
                return one
    return None
