"""References: how a message is recognised that was posted although its id was not stored."""

import secrets
from dataclasses import replace

from cogs.delivery.messenger import Messenger
from cogs.ui.embeds import MessageContent
from db import settings
from db.database import Database

INSTANCE = "discord.instance"
"""The setting that tells this database's messages from those of another one."""

FOOTER = "ref "


class References:
    """Finds the messages of a channel that may have been posted without our storing of it.

    `started_at`: when this process began, in milliseconds; what could have been posted before may
    be there. `unconfirmed`: what this process tried to post and has not stored.
    """

    def __init__(self, messenger: Messenger, started_at: int, unconfirmed: set[str]) -> None:
        self._messenger = messenger
        self._started_at = started_at
        self._unconfirmed = unconfirmed
        self._footers: dict[str, int] | None = None
        self._searched_since = 0

    def is_doubtful(self, reference: str, since: int) -> bool:
        """Tell whether a message may be there that could have been posted since a time."""
        return since < self._started_at or reference in self._unconfirmed

    async def find(self, channel_id: int, reference: str, since: int) -> int | None:
        """Look for the message; one search serves all that a crash left open."""
        is_known = reference not in self._unconfirmed and since >= self._searched_since
        if self._footers is None or not is_known:
            self._footers = await self._messenger.own_footers(channel_id, since)
            self._searched_since = since
        return self._footers.get(f"{FOOTER}{reference}")


def signed(content: MessageContent, reference: str) -> MessageContent:
    """Return the content with the reference in its footer."""
    *before, last = content.embeds
    return replace(content, embeds=[*before, last.copy().set_footer(text=f"{FOOTER}{reference}")])


async def instance_name(database: Database) -> str:
    """Return what tells this database's messages from those of another one; made up once."""
    name = await settings.get(database.read, INSTANCE)
    if name is None:
        name = secrets.token_hex(3)
        async with database.write() as sql:
            await settings.put(sql, INSTANCE, name)
    return name
