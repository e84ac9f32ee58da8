"""The cards of one channel: each is posted once, and edited until Discord shows its state."""

import logging
import math
import time
from collections.abc import Callable, Collection
from dataclasses import replace

import discord

from cogs.cards import CARDS, CardKind, card_name
from cogs.cards.dependents import linking_to
from cogs.delivery.delivery_context import DeliveryContext
from cogs.delivery.holds import Holds
from cogs.delivery.posting import Poster, from_server, signed
from cogs.delivery.rest.errors import (
    ChannelClosed,
    ChannelGone,
    DeliveryError,
    DirectMessagesClosed,
    MessageGone,
    MessageTooOld,
    Postponed,
    Rejected,
)
from cogs.delivery.rest.messenger import SentMessage
from cogs.delivery.rest.threads import ThreadLocked
from cogs.delivery.thread_keeping import keep_thread
from cogs.i18n.language import _
from cogs.ui.embeds import Button, MessageContent
from db import cards, private_answers, settings
from db.cards import MAX_REASON, Card
from db.errors import StorageUnavailable
from webhook.protocol.context import now
from webhook.protocol.events import Subject
from webhook.queries.daily_report import MESSAGES
from webhook.queries.guilds import home_name

log = logging.getLogger(__name__)


class CardQueue:
    """The cards of one channel whose messages are missing or outdated."""

    def __init__(
        self,
        context: DeliveryContext,
        names: list[str],
        poster: Poster,
        holds: Holds,
        wake: Callable[[Collection[str]], None],
    ) -> None:
        self._context = context
        self._database = context.database
        self._messenger = context.messenger
        self._pace = context.pace
        self._names = names
        self._poster = poster
        self._holds = holds
        self._wake_queues = wake
        # Of the loop's clock: when the channel, and each of its cards, may be edited again.
        self._next_edit = -math.inf
        self._next_edit_of_card: dict[int, float] = {}
        # Without Discord: the version and digest that the log shows of cards, by their ids.
        self._logged: dict[int, tuple[int, str]] = {}

    async def deliver_due(self) -> float:
        """Post a card without a message, or else edit one; return the seconds until one is due."""
        held = self._holds.current()
        card = await cards.next_unposted(self._database.read, self._names, held)
        wait = 0.0
        if card is None:
            card, wait = await self._next_outdated(held)
        if card is not None:
            await self._deliver_card(card)
        return min([wait, *held.values()]) if wait else 0.0

    async def _next_outdated(self, held: Collection[int]) -> tuple[Card | None, float]:
        """Return the card to edit, not a held one, or none and the seconds until one may be edited.

        First comes the one that has waited longest since its last edit: a card that changes all the
        time lets the others through.
        """
        clock = time.monotonic()
        if self._next_edit > clock:
            return None, self._next_edit - clock
        outdated = {
            card.id: card
            for card in await cards.outdated(self._database.read, self._names)
            if card.id not in held and self._logged.get(card.id, (0, ""))[0] != card.version
        }
        self._next_edit_of_card = {
            card_id: at
            for card_id, at in self._next_edit_of_card.items()
            if card_id in outdated or at > clock
        }
        if not outdated:
            return None, math.inf
        first = min(outdated, key=lambda card_id: self._next_edit_of_card.get(card_id, -math.inf))
        wait = self._next_edit_of_card.get(first, -math.inf) - clock
        return (None, wait) if wait > 0 else (outdated[first], 0.0)

    async def _deliver_card(self, card: Card) -> None:
        """Make the card's message show the card; a failure raises and leaves the card stale."""
        subject = Subject.parse(card.subject)
        kind = CARDS[subject.kind]
        content = await self._render(card, kind, subject)
        if content is not None and self._poster.member_id:
            content = await self._for_member(card, content)
        digest = content.digest() if content is not None else ""
        is_shown = card.message_id is not None and digest == card.digest
        if content is None or (is_shown and not self._is_elsewhere(card, kind)):
            if content is not None:
                await keep_thread(self._database, self._messenger, card, content)
            await self._mark_shown(card._replace(digest=digest))
            return
        if self._logged.get(card.id, (0, ""))[1] == digest:
            self._logged[card.id] = card.version, digest
            return
        if card.message_id is None and await self._edit_answer(kind, subject, content):
            await self._mark_shown(card._replace(digest=digest))
            return
        self._next_edit_of_card[card.id] = time.monotonic() + kind.edit_interval
        reference = f"{self._context.before.instance}-c{card.id}.{card.posting}"
        content = signed(content, reference, card_name(subject))
        card = card._replace(digest=digest)
        try:
            await self._poster.open_direct()
            # A card that was posted while Discord was off is only in the log.
            if card.message_id is None or (self._poster.channel_id and not card.channel_id):
                await self._post_card(card, content, reference)
            elif self._is_worn(card, kind) or self._is_elsewhere(card, kind):
                await self._remove_message(card)
            else:
                await self._edit_card(card, content)
                await keep_thread(self._database, self._messenger, card, content)
        except (Postponed, MessageGone, MessageTooOld, Rejected) as fault:
            await self._note_rejection(card, fault)
        else:
            if self._holds.release(card.id):
                log.info("Discord takes the card of %s now", card.subject)

    async def _note_rejection(self, card: Card, fault: DeliveryError) -> None:
        """Have a card wait, or give it up if its content can never be taken.

        Raises:
            Postponed: it waits.
        """
        if self._poster.member_id and isinstance(fault, DirectMessagesClosed):
            log.info("member %s takes no private messages: %s", self._poster.member_id, fault)
            await self._mark_shown(card._replace(digest=""))
        elif isinstance(fault, Rejected):
            # Trying again helps nobody; the next change gets its chance.
            log.error("Discord rejects the card of %s: %s", card.subject, fault)
            async with self._database.write() as sql:
                await cards.mark_rejected(sql, card, now(), str(fault)[:MAX_REASON])
        else:
            self._holds.postpone(card.id, f"the card of {card.subject}", fault)
        self._holds.release(card.id)

    async def _render(self, card: Card, kind: CardKind, subject: Subject) -> MessageContent | None:
        """Render a card; a mistake in that is logged and must not hold up other cards."""
        try:
            content = await kind.render(self._database.read, subject)
        except StorageUnavailable:
            raise
        except Exception:
            log.exception("the card of %s cannot be rendered", card.subject)
            return None
        if content is None:
            return None
        roles = dict.fromkeys(filter(None, (card.mention, *content.role_mentions)))
        is_first = card.posting == 1  # posted again it pings nobody
        return replace(content, role_mentions=tuple(roles) if is_first else ())

    async def _edit_answer(self, kind: CardKind, subject: Subject, content: MessageContent) -> bool:
        """Have the private answer that the member waits with show a card; return whether it does.

        A crash before that is stored does it again, which nobody sees.
        """
        if kind.answer_key is None:
            return False
        key = kind.answer_key(subject, self._poster.member_id)
        answer = await private_answers.get(self._database.read, key)
        return answer is not None and await self._messenger.edit_answer(
            answer.token, answer.message_id, content
        )

    async def _for_member(self, card: Card, content: MessageContent) -> MessageContent | None:
        """Make a message private: say which server it is from; None if the member knows already.

        They do if the card that it is about mentioned a role of theirs.
        """
        content = from_server(content, await home_name(self._database.read))
        content = replace(content, is_silent=content.age > self._context.ping_within)
        about = content.about
        if about is None:
            return content
        reader = await self._messenger.reader(
            self._poster.member_id, about.guild_id, about.channel_id
        )
        if card.message_id is None and about.mention in reader.roles:
            return None
        if not reader.sees or not about.message_id:
            return content
        link = Button(_("See the card"), "", discord.ButtonStyle.link, url=about.url)
        return replace(content, buttons=(*content.buttons, link))

    async def _post_card(self, card: Card, content: MessageContent, reference: str) -> None:
        is_doubtful = card.id <= self._context.before.card
        if content.only_edits:
            sent_before = await self._poster.find(reference, is_doubtful=is_doubtful)
            if sent_before is None:
                await self._mark_shown(card)
                return
        with self._poster.counting(card.channel, "card post"):
            sent = await self._poster.post(content, reference, is_doubtful=is_doubtful)
        card = card._replace(
            channel_id=sent.channel_id or self._poster.channel_id,
            message_id=sent.message_id,
            picture=sent.picture,
        )
        async with self._database.write() as sql:
            await settings.add(sql, MESSAGES, 1)
            if sent.is_current:
                await cards.mark_shown(sql, card)
            else:  # it may show an older state, so the card stays stale and is edited
                await cards.mark_posted(sql, card)
            # Other cards can link to this one now.
            others = await linking_to(sql, Subject.parse(card.subject))
            touched = await cards.touch(sql, [str(other) for other in others])
        self._context.unconfirmed.pop(reference, None)
        self._wake_queues(dict.fromkeys(touched))
        await keep_thread(self._database, self._messenger, card, content)

    async def _edit_card(self, card: Card, content: MessageContent) -> None:
        # Changes that come until then go into the same edit.
        self._next_edit = time.monotonic() + self._pace.edit
        channel_id, message_id = card.channel_id or 0, card.message_id or 0
        try:
            with self._poster.counting(card.channel, "card edit"):
                sent = await self._messenger.edit(
                    channel_id, SentMessage(message_id, card.picture), content
                )
        except MessageGone:
            await self._forget_message(card, content)
        except ThreadLocked as fault:
            log.info("the card of %s is left as it is: %s", card.subject, fault)
            await self._mark_shown(card)
        except MessageTooOld:
            await self._remove_message(card)
        except ChannelClosed as fault:
            is_post = channel_id == message_id
            if is_post and isinstance(fault, ChannelGone):
                await self._forget_message(card, content)
            elif is_post or channel_id == self._poster.channel_id:
                raise
            else:
                await self._mark_lost(card)  # the configuration names another channel by now
        else:
            if self._messenger.is_discord:
                await self._mark_shown(card._replace(picture=sent.picture))
            else:  # Discord still shows the old state
                self._logged[card.id] = card.version, card.digest

    async def _forget_message(self, card: Card, content: MessageContent) -> None:
        """Post a card again whose message was deleted, if there is something new to tell.

        A moderator who deletes a message wants it gone: that something ended, or that another card
        changed, does not bring it back.
        """
        if content.is_over or card.news <= card.shown:
            log.info("the card of %s was deleted in Discord, it stays away", card.subject)
            await self._mark_shown(card)
            return
        log.warning("the card of %s was deleted in Discord, it is posted again", card.subject)
        await self._mark_lost(card)

    async def _remove_message(self, card: Card) -> None:
        """Have a card posted afresh; its old message goes first, so that there are never two."""
        try:
            await self._messenger.delete(card.channel_id or 0, card.message_id or 0)
        except ChannelClosed:
            if card.channel_id == self._poster.channel_id:
                raise
        await self._mark_lost(card)

    def _is_worn(self, card: Card, kind: CardKind) -> bool:
        """Tell whether a message is so old that Discord allows few more edits of it."""
        if not kind.max_age or not card.message_id or not self._messenger.is_discord:
            return False
        posted_at = discord.utils.snowflake_time(card.message_id).timestamp()
        return self._context.clock.now() - posted_at > kind.max_age

    def _is_elsewhere(self, card: Card, kind: CardKind) -> bool:
        """Tell whether what is replaced now and then follows its channel; other cards stay."""
        moved = card.channel_id != self._poster.channel_id
        return moved and bool(kind.max_age and card.channel_id and self._poster.channel_id)

    async def _mark_shown(self, card: Card) -> None:
        async with self._database.write() as sql:
            await cards.mark_shown(sql, card)

    async def _mark_lost(self, card: Card) -> None:
        async with self._database.write() as sql:
            await cards.mark_lost(sql, card)
