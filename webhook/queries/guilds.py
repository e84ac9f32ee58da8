"""What is stored of the guilds that the bot is in: which one links lead to, and its commands."""

import orjson

from db import settings
from db.database import Database, Reader
from webhook.protocol.catalogue import operation
from webhook.protocol.context import Context, Scope

HOME_NAME = "discord.guild_name"
"""The setting that holds its name, which private messages begin with."""

HOME_GUILD = "discord.guild"
"""The setting that names the guild of the channels, which links to messages hold."""


async def home_guild(sql: Reader) -> str | None:
    """Return the id of the guild that links lead to, if one is known."""
    return await settings.get(sql, HOME_GUILD)


async def home_name(sql: Reader) -> str:
    """Return the name of that guild, blank if it is not known."""
    return await settings.get(sql, HOME_NAME) or ""


async def store_home_guild(database: Database, guild_id: int, name: str) -> None:
    async with database.write() as sql:
        await settings.put(sql, HOME_GUILD, str(guild_id))
        await settings.put(sql, HOME_NAME, name)


@operation(scope=Scope.NONE)
async def get_command_ids(context: Context, guild_id: int) -> dict[str, int]:
    """Return the ids of a guild's commands by name, as Discord gave them."""
    return await command_ids(context.read, guild_id)


async def command_ids(sql: Reader, guild_id: int) -> dict[str, int]:
    """Return the ids of the commands that were registered in a guild last, by name."""
    stored = await settings.get(sql, _ids(guild_id))
    found: dict[str, int] = orjson.loads(stored) if stored else {}
    return found


async def commands_digest(sql: Reader, guild_id: int) -> str | None:
    """Return the digest of the commands that were registered in a guild last."""
    return await settings.get(sql, _digest(guild_id))


async def store_commands(
    database: Database, guild_id: int, digest: str, ids: dict[str, int]
) -> None:
    """Store which commands are registered in a guild, and their ids by name."""
    async with database.write() as sql:
        await settings.put(sql, _digest(guild_id), digest)
        await settings.put(sql, _ids(guild_id), orjson.dumps(ids).decode())


async def was_greeted(sql: Reader, guild_id: int) -> bool:
    """Tell whether somebody in a guild was told what to do next."""
    return await settings.get(sql, _greeting(guild_id)) is not None


async def store_greeting(database: Database, guild_id: int) -> None:
    async with database.write() as sql:
        await settings.put(sql, _greeting(guild_id), "1")


async def forget_greeting(database: Database, guild_id: int) -> None:
    """Have a guild greeted again when the bot comes back."""
    async with database.write() as sql:
        await settings.forget(sql, _greeting(guild_id))


async def forget_commands(database: Database, guild_id: int) -> None:
    """Forget a guild's commands, as Discord does when the bot leaves."""
    async with database.write() as sql:
        await settings.forget(sql, _digest(guild_id))
        await settings.forget(sql, _ids(guild_id))


def _digest(guild_id: int) -> str:
    return f"discord.commands.{guild_id}"


def _greeting(guild_id: int) -> str:
    return f"discord.greeted.{guild_id}"


def _ids(guild_id: int) -> str:
    return f"discord.command_ids.{guild_id}"
