"""Which of its servers the bot works for: whoever invites it to another one gains nothing by it."""

from collections.abc import Collection, Sequence

import discord

from cogs.i18n.language import _
from cogs.ui.text import inert_line


def home_guild(
    guilds: Sequence[discord.Guild], chosen: int, channel_ids: Collection[int]
) -> int | None:
    """Return the id of the server; None if the bot is in several and nothing says which it is.

    It is the `chosen` one, or else the only one, or the only one that has configured channels.
    """
    if chosen:
        return chosen
    if len(guilds) == 1:
        return guilds[0].id
    found = {guild.id for guild in guilds if any(map(guild.get_channel, channel_ids))}
    return found.pop() if len(found) == 1 else None


def several_servers(guilds: Sequence[tuple[int, str]]) -> str:
    """Say that the bot does not know which server, by id and name, is its own, and what to do."""
    names = [inert_line(name, 100) for _id, name in guilds]
    numbered = [f"{number} ({name})" for (number, _), name in zip(guilds, names, strict=True)]
    text = _(
        "The bot is in {number} servers: {names}. Put guild_id = {ids} into config.toml under"
        " [discord] and restart it, or remove it from the others."
    )
    ids = _(" or ").join(numbered)
    return text.format(number=len(guilds), names=", ".join(names), ids=ids)
