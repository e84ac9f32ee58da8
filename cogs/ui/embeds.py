"""The content of a message: embeds, buttons, the roles it mentions."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

import discord
import orjson

from cogs.i18n.language import _
from cogs.ui.picture import Picture
from cogs.ui.text import length, pieces

HEADLINE = 300
TITLE = 256
DESCRIPTION = 2_000
"""Half of what Discord allows: a card is read on a phone."""
FIELD = 1_000
EMBED = 6_000
"""Discord's limit over all embeds of a message."""


class Colour(Enum):
    DANGER = 0xD32F2F
    WARNING = 0xF57C00
    NORMAL = 0x1976D2
    GOOD = 0x388E3C
    OVER = 0x757575


@dataclass(frozen=True, slots=True)
class Button:
    """A button; its id says what a press does and to what, so that it survives a restart.

    `label` is English; `text` is its translation. `url`: it opens this instead.
    """

    label: str
    custom_id: str
    style: discord.ButtonStyle = discord.ButtonStyle.secondary
    disabled: bool = False
    url: str = ""

    @property
    def text(self) -> str:
        return _(self.label)

    def item(self) -> discord.ui.Button[Any]:
        return discord.ui.Button(
            label=self.text,
            custom_id=self.custom_id or None,
            style=self.style,
            disabled=self.disabled,
            url=self.url or None,
        )


class CardInServer(NamedTuple):
    """The card that a private message is about: where it is, and whom it mentioned.

    `channel_id` and `message_id` are 0 until it is posted.
    """

    guild_id: int
    channel_id: int
    message_id: int
    mention: int

    @property
    def url(self) -> str:
        return f"https://discord.com/channels/{self.guild_id}/{self.channel_id}/{self.message_id}"


@dataclass(frozen=True, slots=True)
class MessageContent:
    """A message, wherever it will be posted.

    `headline`: the line above the embeds, all that a phone shows of the message before it is
    opened; inert, and true whatever state the message shows. Without one, a message that pings has
    the title of its first embed. `role_mentions`: ids of the roles that it pings when it is posted.
    `reply_to`: the message that it answers, if it is posted in the same channel.
    `picture`: what its last embed shows, if that can be drawn and Discord takes it.
    `about`: the card in the server that a private message is about: who was mentioned there is not
    told again, and who can see it gets a link. `age`: how many milliseconds after it happened was
    received what a private message tells. `is_silent`: it makes no sound.
    `thread_name`: what its post in a forum is called; blank: as its first embed.
    `only_edits`: it brings a message up to date that is posted, and is not worth a new one.
    """

    embeds: list[discord.Embed]
    buttons: tuple[Button, ...] = ()
    headline: str = ""
    role_mentions: tuple[int, ...] = ()
    reply_to: discord.MessageReference | None = None
    picture: Picture | None = None
    thread_name: str = ""
    only_edits: bool = False
    about: CardInServer | None = None
    age: int = 0
    is_silent: bool = False

    def digest(self) -> str:
        """Return a hash that changes when the message looks different."""
        shown = [embed.to_dict() for embed in self.embeds]
        buttons = [(button.text, button.custom_id or button.url) for button in self.buttons]
        pictures = [self.picture.digest] if self.picture is not None else []
        written = orjson.dumps([shown, buttons, self.text, *pictures])
        return hashlib.blake2b(written, digest_size=16).hexdigest()

    @property
    def is_over(self) -> bool:
        """Whether it shows the end of something, by its colour."""
        colour = self.embeds[0].colour
        is_good = colour == discord.Colour(Colour.GOOD.value) and not self.buttons
        return is_good or colour == discord.Colour(Colour.OVER.value)

    def embeds_with_picture(self) -> list[discord.Embed]:
        """Return the embeds, the last one showing the picture, which must be attached."""
        if self.picture is None:
            return self.embeds
        *before, last = self.embeds
        return [*before, last.copy().set_image(url=f"attachment://{self.picture.name}")]

    @property
    def text(self) -> str | None:
        """The content: the roles that it pings, and one line that says what it is about."""
        mentions = [f"<@&{role}>" for role in self.role_mentions]
        line = self.headline
        if mentions and not line:
            line = (self.embeds[0].title or "") if self.embeds else ""
        return " ".join(filter(None, [*mentions, line])) or None

    def allowed_mentions(self) -> discord.AllowedMentions:
        """Allow pings of the mentioned roles and of nothing else, on every create and edit."""
        roles = [discord.Object(role) for role in self.role_mentions] or False
        return discord.AllowedMentions(everyone=False, users=False, roles=roles, replied_user=False)

    def view(self) -> discord.ui.View | None:
        """Return the buttons."""
        if not self.buttons:
            return None
        return view_of(button.item() for button in self.buttons)


def embed_length(embed: discord.Embed) -> int:
    """Count an embed against Discord's limit over all embeds of a message."""
    texts = [embed.title, embed.description, embed.footer.text, embed.author.name]
    texts += [text for field in embed.fields for text in (field.name, field.value)]
    return sum(length(text) for text in texts if text)


def view_of(items: Iterable[discord.ui.Item[Any]]) -> discord.ui.View:
    """Return buttons and menus as a view.

    It is stopped at once: presses are dispatched by the item's id, and discord.py would keep a
    live view in memory for every message.
    """
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view


class CardField(NamedTuple):
    """A field; `keep`: others are left out before it is."""

    name: str
    value: str
    inline: bool
    keep: bool = False

    @property
    def length(self) -> int:
        return length(self.name) + length(self.value)


@dataclass
class CardBuilder:
    """Builds an embed; fields beyond Discord's limits are left out.

    Every text given to it is already inert and within its limit.
    """

    title: str
    colour: Colour
    description: str = ""
    fields: list[CardField] = field(default_factory=list)

    def add(self, label: str, value: str, *, inline: bool = True, keep: bool = False) -> None:
        """Add a field unless its value is blank; the English label is translated."""
        if value:
            self.fields.append(CardField(_(label), value, inline, keep))

    def add_named(self, name: str, value: str) -> None:
        """Add a full-width field whose name is not translated."""
        self.fields.append(CardField(name, value, inline=False))

    def add_long(self, label: str, text: str) -> None:
        """Add a text that must not be lost, in as many full-width fields as it needs."""
        name = _(label)
        for piece in pieces(text, FIELD):
            self.fields.append(CardField(name, piece, inline=False, keep=True))
            name = _("{label}, continued").format(label=_(label))

    def build(self) -> discord.Embed:
        """Return the embed, with room left for a footer."""
        embed = discord.Embed(
            title=self.title, description=self.description or None, colour=self.colour.value
        )
        left = EMBED - length(self.title) - length(self.description) - 100
        left -= sum(field.length for field in self.fields if field.keep)
        for name, value, inline, keep in self.fields[:25]:
            left -= 0 if keep else length(name) + length(value)
            if keep or left >= 0:
                embed.add_field(name=name, value=value, inline=inline)
        return embed
