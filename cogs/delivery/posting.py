"""Posts messages exactly once: each carries its reference as its nonce and in its footer.

By the nonce Discord itself rejects a second copy for some minutes; in the footer the message is
found after a crash that came between Discord's answer and our storing of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cogs.delivery.delivery_context import DeliveryContext
from cogs.delivery.rest.errors import DeliveryError, Unreachable
from cogs.delivery.rest.messenger import SentMessage
from cogs.ui.embeds import MessageContent
from cogs.ui.text import plain_line

SENDER = "CAD Sentinel"

SEARCHED_BEFORE = timedelta(minutes=5)
"""How long before its first try a message is looked for, as Discord's clocks differ a little."""


class Poster:
    """Posts in one channel; that of private messages to a member has no id until it is opened."""

    def __init__(self, context: DeliveryContext, channel_id: int, member_id: int) -> None:
        self.channel_id = channel_id
        self.member_id = member_id
        self._context = context
        self._messenger = context.messenger
        # The bot's own messages in the channel when the queue began, by their references.
        self._own_messages: dict[str, SentMessage] | None = None

    async def open_direct(self) -> None:
        """Open the channel of private messages, if that is what this is."""
        if self.member_id and not self.channel_id:
            self.channel_id = await self._messenger.open_direct(self.member_id)

    async def post(
        self, content: MessageContent, reference: str, *, is_doubtful: bool, into: int = 0
    ) -> SentMessage:
        """Post a message unless it is there already; `into` a post of this channel, a forum.

        `is_doubtful`: an earlier process may have posted it. So may this one, if it tried and did
        not learn or store what came of it.
        """
        found = await self.find(reference, is_doubtful=is_doubtful)
        if found is not None:
            return found
        is_first_try = reference not in self._context.unconfirmed
        self._context.unconfirmed.setdefault(reference, self._context.clock.now())
        try:
            return await self._messenger.post(into or self.channel_id, content, reference)
        except Unreachable:
            raise
        except DeliveryError:
            if is_first_try:  # Discord answered, so it is not there
                del self._context.unconfirmed[reference]
            raise

    async def find(self, reference: str, *, is_doubtful: bool) -> SentMessage | None:
        """Return a message that was posted without our knowing, None if there is none.

        When an earlier process posted it nobody knows, as the clock may have been another: the
        last messages are looked through, once for all. What this process tried, since then.
        """
        tried_at = self._context.unconfirmed.get(reference)
        if tried_at is not None:
            after = datetime.fromtimestamp(tried_at, UTC) - SEARCHED_BEFORE
            own = await self._messenger.own_references(self.channel_id, after)
        elif not is_doubtful:
            return None
        elif self._own_messages is None:
            own = self._own_messages = await self._messenger.own_references(self.channel_id, None)
        else:
            own = self._own_messages
        return own.get(reference)

    @contextmanager
    def counting(self, channel: str, kind: str) -> Iterator[None]:
        outcome = "failed"
        try:
            yield
            outcome = "ok"
        except DeliveryError as fault:
            outcome = fault.outcome
            raise
        finally:
            # A series per member would grow without end, and name members.
            label = "direct" if self.member_id else channel
            self._context.metrics.deliveries.labels(label, kind, outcome).inc()


def signed(content: MessageContent, reference: str, name: str = "") -> MessageContent:
    """Write into the footer what a message is, who sent it and, as its last word, its reference."""
    *before, last = content.embeds
    text = " · ".join(filter(None, [name, SENDER, reference]))
    return replace(content, embeds=[*before, last.copy().set_footer(text=text)])


def from_server(content: MessageContent, name: str) -> MessageContent:
    """Have a private message begin with the server that it is from."""
    if not name:
        return content
    first, *others = content.embeds
    return replace(content, embeds=[first.copy().set_author(name=plain_line(name, 256)), *others])
