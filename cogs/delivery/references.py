"""References: how a message is recognised that was posted without our note of it."""

import secrets

from cogs.delivery.messenger import Messenger
from cogs.ui.embeds import MessageContent
from db import settings
from db.database import Database

INSTANCE = "discord.instance"
"""The setting that tells this database's messages from those of another one."""

FOOTER = "ref "


class References:
    """Which messages of a channel may have been posted without our note of it.

    `started_at`: when this process began, in milliseconds; what could have been posted before may
    be there. `unconfirmed`: the messages that this process tried to post without storing an id.
    """

    def __init__(
        self, messenger: Messenger, channel_id: int, started_at: int, unconfirmed: set[str]
    ) -> None:
        self._messenger = messenger
        self._channel_id = channel_id
        self._started_at = started_at
        self._doubted = unconfirmed
        self._footers: dict[str, int] | None = None
        self._searched_since = 0

    def is_doubtful(self, reference: str, since: int) -> bool:
        """Tell whether the message may be there: the process before this one, or a failed try."""
        return since < self._started_at or reference in self._doubted

    def doubt(self, reference: str) -> None:
        """Note that a try begins."""
        self._doubted.add(reference)

    def settle(self, reference: str) -> None:
        """Note that the try is on disk."""
        self._doubted.discard(reference)

    async def find(self, reference: str, since: int) -> int | None:
        """Look for the message in the channel; one look serves all that a crash left open."""
        stale = reference in self._doubted or since < self._searched_since
        if self._footers is None or stale:
            self._footers = await self._messenger.footers(self._channel_id, since)
            self._searched_since = since
        return self._footers.get(f"{FOOTER}{reference}")


def sign(content: MessageContent, reference: str) -> None:
    """Put a message's reference where it is found again."""
    content.embeds[-1].set_footer(text=f"{FOOTER}{reference}")


async def instance_name(database: Database) -> str:
    """Return what tells this database's messages from those of another one; made up once."""
    name = await settings.get(database.read, INSTANCE)
    if name is None:
        name = secrets.token_hex(3)
        async with database.write() as sql:
            await settings.put(sql, INSTANCE, name)
    return name
