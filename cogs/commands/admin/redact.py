"""Redact: approvers have a text disappear from Discord, by the menu of a message or `/redact`."""

import re
from collections.abc import Iterable

import discord
from discord import app_commands
from discord.app_commands import Choice, Transform

from cogs.cards import CARDS, card_name
from cogs.commands.admin.status import RuntimeStatus
from cogs.i18n.language import N_, _, plural
from cogs.ui.buttons import OutdatedButton, control
from cogs.ui.embeds import Button, CardBuilder, Colour, MessageContent
from cogs.ui.modals import Answers, Form, form
from cogs.ui.options import MAX_CHOICES, TextOption, choice
from cogs.ui.permissions import needs
from cogs.ui.responder import Responder, SentinelCog, before_modal, reply_embed
from cogs.ui.text import plain_line, redacted, redacted_texts
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.events import Subject
from webhook.protocol.redacted_texts import (
    read_redaction,
    redaction_of,
    written_redaction,
)
from webhook.queries.redactions import (
    MESSAGE,
    RedactableText,
    card_of_message,
    get_redactable,
    list_recent_cards,
    redact,
    undo_redaction,
)
from webhook.queries.rows import Redaction

MENU_NAME = N_("Redact…")
"""The command in the menu of a message."""

_WHAT = {
    "title": N_("Title"),
    "description": N_("Description"),
    "caller": N_("Caller"),
    "location": N_("Location"),
    "note": N_("Note"),
    "property": N_("Property"),
    "reason": N_("Reason"),
    "drone": N_("Drone"),
    "text": N_("Text"),
}

PREVIEW = 100
MAX_TEXTS = 25
MAX_TYPED = 1_000

_LINK = re.compile(
    r"https://(?:\w+\.)?discord(?:app)?\.com/channels/\d{1,20}/(\d{1,20})/(\d{1,20})"
)
_CUSTOM_EMOJI_AND_MENTIONS = re.compile(r"<[@#&!:t][^>\s]*>|\]\(https?://\S+\)")


async def _card_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer the newest cards, also those whose messages were deleted."""
    offered = []
    for card in await list_recent_cards(context, MAX_CHOICES * 4):
        subject = Subject.parse(card.subject)
        name = card_name(subject)
        if not name or "-" in subject.kind:
            continue
        texts = await get_redactable(context, subject)
        shown = plain_line(" · ".join([name, *(text.text for text in texts[:1])]), PREVIEW)
        if typed.strip().casefold() in shown.casefold():
            offered.append(choice(shown, card.subject))
        if len(offered) == MAX_CHOICES:
            break
    return offered


CardOption = Transform[str, TextOption(_card_choices)]


class RedactCommands(SentinelCog):
    def __init__(self, responder: Responder, status: RuntimeStatus, bot: discord.Client) -> None:
        super().__init__(responder)
        self._status = status
        self._bot = bot
        menu = app_commands.ContextMenu(
            name=MENU_NAME, callback=self._redact_menu, extras=needs(Scope.APPROVE)
        )
        menu.guild_only = True
        self.context_menus = (menu,)

    @app_commands.command(
        description="Have a text disappear from everything that the bot shows, for good",
        extras=needs(Scope.APPROVE),
    )
    @app_commands.guild_only()
    @app_commands.describe(message="The link of the message, or a card from the list")
    async def redact(self, interaction: discord.Interaction, message: CardOption) -> None:
        context = self._responder.context(interaction)
        async with before_modal():
            subject = await _find(context, message)
            opened = await _ask(context, subject)
        await interaction.response.send_modal(opened)

    async def _redact_menu(
        self, interaction: discord.Interaction, message: discord.Message
    ) -> None:
        """Ask in a form which texts of a message are to go."""
        if self._bot.user is None or message.author.id != self._bot.user.id:
            raise Conflict("this is no message of the bot; delete it in Discord")
        context = self._responder.context(interaction)
        async with before_modal():
            subject = await _subject_of(context, message.channel.id, message.id)
            opened = await _ask(context, subject, message.embeds)
        await interaction.response.send_modal(opened)

    @control("redact:texts", scope=Scope.APPROVE)
    async def redact_more(self, interaction: discord.Interaction, subject: str) -> None:
        context = self._responder.context(interaction)
        async with before_modal():
            opened = await _ask(context, Subject.parse(subject))
        await interaction.response.send_modal(opened)

    @form("redact:texts", Scope.APPROVE, "words", optional=["texts"], read_argument=str)
    async def submit(self, context: Context, subject: str, answers: Answers) -> MessageContent:
        about = Subject.parse(subject)
        texts = [read_redaction(value) for value in answers.choices.get("texts", [])]
        typed = redaction_of(answers.text("words"))
        found = [text for text in (*texts, typed) if text is not None]
        if not found:
            raise Conflict("choose a text, or type what must go")
        act, channels = await redact(context, found, about, redacted_texts())
        self._status.deliver(channels)
        note = await self._redact_message(about)
        return _done(found, act, about, note)

    @control("redact:undo", scope=Scope.APPROVE)
    async def undo_button(self, interaction: discord.Interaction, argument: str) -> None:
        context = await self._responder.defer(interaction)
        act, _colon, subject = argument.partition(":")
        if not (act.isascii() and act.isdecimal() and len(act) < 18):
            raise OutdatedButton
        about = Subject.parse(subject)
        self._status.deliver(await undo_redaction(context, int(act), about, redacted_texts()))
        text = _("Cards show it again. Messages of feeds stay as they are.")
        card = CardBuilder(_("Redaction undone"), Colour.NORMAL, text)
        await reply_embed(interaction, MessageContent([card.build()]))

    async def _redact_message(self, about: Subject) -> str:
        """Remove redacted texts from a message without a card; return what people must do."""
        if about.kind != MESSAGE:
            return ""
        channel_id, message_id = map(int, about.key.split("-"))
        channel = self._bot.get_partial_messageable(channel_id)
        try:
            message = await channel.fetch_message(message_id)
            await message.edit(
                content=redacted(message.content, single_words=True) or None,
                embeds=[_redacted_embed(embed) for embed in message.embeds],
                allowed_mentions=discord.AllowedMentions.none(),
            )
        except discord.NotFound:
            return ""
        except discord.HTTPException:
            return _("This message could not be edited; delete it in Discord.")
        return ""


async def _find(context: Context, typed: str) -> Subject:
    """Return what a link leads to, or a card from the list shows.

    Raises:
        NotFound: neither is known.
    """
    link = _LINK.match(typed.strip())
    if link is not None:
        return await _subject_of(context, int(link[1]), int(link[2]))
    subject = Subject.parse(typed.strip())
    if subject.kind in CARDS and await get_redactable(context, subject):
        return subject
    raise NotFound("there is no such card; copy the link of the message, or choose from the list")


async def _subject_of(context: Context, channel_id: int, message_id: int) -> Subject:
    card = await card_of_message(context, message_id)
    if card is None:
        return Subject(MESSAGE, f"{channel_id}-{message_id}")
    return Subject.parse(card.subject)


async def _ask(context: Context, subject: Subject, embeds: Iterable[discord.Embed] = ()) -> Form:
    """Return the form that asks what is to go, and says what that means."""
    texts = await get_redactable(context, subject) or _texts_of_embeds(embeds)
    opened = Form(_("Redact for good"), f"redact:texts:{subject}")
    options = [
        discord.SelectOption(
            label=plain_line(_(_WHAT.get(one.what, one.what)), PREVIEW) or "—",
            description=shown,
            value=written_redaction(redaction),
        )
        for one in texts
        if (redaction := redaction_of(one.text)) is not None
        and (shown := plain_line(one.text, PREVIEW)) != _("(redacted)")
    ]
    distinct = list({option.value: option for option in options}.values())[:MAX_TEXTS]
    if distinct:
        menu: discord.ui.Select[discord.ui.View] = discord.ui.Select(
            placeholder=_("Nothing of these"),
            options=distinct,
            min_values=0,
            max_values=len(distinct),
            required=False,
        )
        opened.add_menu("texts", _("What must go from all that the bot shows"), menu)
    opened.add_text(
        "words",
        _("Other words that must go"),
        placeholder=_("Exactly as they stand there"),
        max_length=MAX_TYPED,
        required=False,
        lines=True,
    )
    return opened


def _texts_of_embeds(embeds: Iterable[discord.Embed]) -> list[RedactableText]:
    """Return what a message says that is no card: an entry of a feed."""
    texts = []
    for embed in embeds:
        texts.append(RedactableText("title", _without_markup(embed.title or "")))
        texts.append(RedactableText("description", _without_markup(embed.description or "")))
        texts += [
            RedactableText(field.name or "text", _without_markup(field.value or ""))
            for field in embed.fields
        ]
    return texts


def _without_markup(text: str) -> str:
    return _CUSTOM_EMOJI_AND_MENTIONS.sub(" ", text).replace("\\", "").replace("**", "")


def _redacted_embed(embed: discord.Embed) -> discord.Embed:
    changed = embed.copy()
    changed.title = redacted(embed.title or "", single_words=True) or None
    changed.description = redacted(embed.description or "", single_words=True) or None
    for index, field in enumerate(embed.fields):
        changed.set_field_at(
            index,
            name=redacted(field.name or "", single_words=True),
            value=redacted(field.value or "", single_words=True),
            inline=field.inline,
        )
    return changed


def _done(texts: list[Redaction], act: int, about: Subject, note: str) -> MessageContent:
    said = plural(
        "{number} text is gone from cards, lists and suggestions, also where it comes again.",
        "{number} texts are gone from cards, lists and suggestions, also where they come again.",
        len(texts),
    )
    kept = _("Other messages of feeds that say it must be redacted or deleted one by one.")
    card = CardBuilder(_("Redacted"), Colour.NORMAL, "\n".join(filter(None, [said, kept, note])))
    return MessageContent(
        [card.build()],
        (
            Button("Redact more…", f"redact:texts:{about}"),
            Button("Undo", f"redact:undo:{act}:{about}"),
        ),
    )
