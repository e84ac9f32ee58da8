"""Registers the slash commands in the guilds where they changed, in every language."""

import hashlib
import logging
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import aiohttp
import discord
import orjson
from discord import app_commands

from cogs.delivery.rest.errors import DeliveryError, DiscordRateLimited
from cogs.i18n.language import ENGLISH, LANGUAGES, _, translated_for
from cogs.routing.troubles import Trouble
from db.errors import StorageUnavailable
from webhook.protocol.context import Context
from webhook.queries.guilds import (
    command_ids,
    commands_digest,
    forget_commands,
    forget_greeting,
    store_commands,
    store_home_guild,
)

COMMAND, OPTION = "command", "option"
"""The catalogue contexts of names, which have rules of their own.

Descriptions and choices have no context.
"""

TRANSLATED = tuple(
    locale.value
    for locale in discord.Locale
    if (language := locale.value.partition("-")[0]) in LANGUAGES and language != ENGLISH
)
"""Those of Discord's 32 languages that have a catalogue."""

CHAT_INPUT = discord.AppCommandType.chat_input.value
SUBCOMMANDS = (
    discord.AppCommandOptionType.subcommand.value,
    discord.AppCommandOptionType.subcommand_group.value,
)

SOONEST = 1.0
FIRST_BACKOFF = 5.0
MAX_BACKOFF = 300.0
"""Seconds until commands that could not be registered are tried again: after a rate limit at least,
otherwise at first and at most."""

FAULTS = (
    discord.DiscordException,
    DeliveryError,
    aiohttp.ClientError,
    OSError,
    TimeoutError,
    ValueError,
    StorageUnavailable,
)
"""How commands can fail to be registered; ValueError: an answer cannot be read."""

JSON = dict[str, Any]

log = logging.getLogger(__name__)


class _Failure(NamedTuple):
    """Why the commands of a guild could not be registered, and when that is tried again."""

    reason: str
    tries: int
    until: float


class CommandSync:
    """Keeps the commands in Discord as they are meant, without sending again what is there.

    What was registered last is stored as a digest. Once in a process Discord is asked whether it
    still has it: other programs may hold the token, and a database may come from a backup.
    `leftovers`: commands for all servers, which are another program's or an earlier version's.
    """

    def __init__(self, tree: app_commands.CommandTree[Any], context: Context) -> None:
        self._tree = tree
        self._context = context
        self._failures: dict[int, _Failure] = {}
        self._compared = set[int]()
        self._payload: list[JSON] = []
        self.leftovers: list[str] | None = None

    async def sync_all(self, guilds: Sequence[discord.Guild], configured: int) -> float:
        """Register the commands in the configured guild, or with 0 in all, and nowhere else.

        A guild that has an outage is left for later. Return the seconds until what failed is to be
        tried again; infinity: nothing failed.
        """
        await self._store_home(guilds, configured)
        here = {guild.id for guild in guilds}
        self._failures = {id_: one for id_, one in self._failures.items() if id_ in here}
        for guild in guilds:
            if not guild.unavailable and self._wait(guild.id) <= 0:
                await self._try(guild, configured)
        if self.leftovers is None:
            with suppress(*FAULTS):
                self.leftovers = [each.name for each in await self._tree.fetch_commands()]
        return min((max(0.0, self._wait(id_)) for id_ in self._failures), default=math.inf)

    async def register_anew(self, guilds: Sequence[discord.Guild], configured: int) -> list[str]:
        """Register everything whatever is stored, and delete leftovers; return what failed."""
        self._compared.clear()
        self._failures.clear()
        for guild in guilds:
            with _unless_unavailable():
                await forget_commands(self._context.database, guild.id)
            await self._try(guild, configured)
        with suppress(*FAULTS):
            for command in await self._tree.fetch_commands():
                await command.delete()
        self.leftovers = None
        return [failure.reason for failure in self._failures.values()]

    def troubles(self) -> Iterator[Trouble]:
        """Say what of the commands is not as it is meant."""
        for failure in self._failures.values():
            sentence = _("Discord does not accept the bot's commands, they are outdated.")
            text = _(
                "The bot tries again by itself. If the permission is missing, invite it again with"
                " the scopes bot and applications.commands ({reason})."
            )
            yield Trouble("command.refused", sentence, text.format(reason=failure.reason))
        if self.leftovers:
            sentence = _("Discord offers commands of another program or version; they do not work.")
            text = _("Press Register commands in /status, which removes {names}.")
            names = ", ".join(f"/{name}" for name in self.leftovers[:10])
            yield Trouble("command.leftover", sentence, text.format(names=names))

    def _wait(self, guild_id: int) -> float:
        failure = self._failures.get(guild_id)
        return failure.until - time.monotonic() if failure is not None else 0.0

    async def _try(self, guild: discord.Guild, configured: int) -> None:
        """Register the commands of a guild; a failure is logged when it begins."""
        try:
            await self.sync(guild, configured)
        except FAULTS as fault:
            failed = self._failures.get(guild.id)
            tries = failed.tries + 1 if failed is not None else 1
            backoff = min(MAX_BACKOFF, FIRST_BACKOFF * 2 ** min(tries - 1, 10))
            if isinstance(fault, DiscordRateLimited):
                backoff = max(SOONEST, fault.seconds)
            self._failures[guild.id] = _Failure(str(fault), tries, time.monotonic() + backoff)
            if failed is None:
                log.error(
                    "the commands could not be registered in server %s, trying again: %s",
                    guild.id,
                    fault,
                )
        else:
            self._failures.pop(guild.id, None)

    async def sync(self, guild: discord.Guild, configured: int) -> None:
        """Register the commands of a guild unless Discord has them; raises one of FAULTS."""
        is_wanted = configured in (0, guild.id)
        payload: list[JSON] = []
        if is_wanted:
            self._tree.copy_global_to(guild=guild)
            payload = self._translated()
        else:
            log.info("server %s is not the chosen guild_id, so it gets no commands", guild.id)
            self._tree.clear_commands(guild=guild)
        digest = _digest(payload, guild)
        last = await commands_digest(self._context.read, guild.id)
        if last is None and not is_wanted:
            return
        if last == digest and await self._is_registered(guild, payload):
            return
        ids = await self._register(guild, payload)
        self._compared.add(guild.id)
        done = "registered the commands in" if payload else "removed the commands from"
        log.info("%s server %s", done, guild.id)
        with _unless_unavailable():
            await store_commands(self._context.database, guild.id, digest, ids)

    def _translated(self) -> list[JSON]:
        """Return the commands in every language, as Discord takes them; they never change."""
        if not self._payload:
            self._payload = [command.to_dict(self._tree) for command in self._tree.get_commands()]
            for command in self._payload:
                translate(command, COMMAND if command["type"] == CHAT_INPUT else "")
        return self._payload

    async def _register(self, guild: discord.Guild, payload: list[JSON]) -> dict[str, int]:
        """Register commands, and return their ids by name.

        `CommandTree.sync` does the same, but translates everything once more, and asks for each of
        700 texts in each of Discord's languages.
        """
        client = self._tree.client
        if client.application_id is None:
            raise app_commands.MissingApplicationID
        registered = await client.http.bulk_upsert_guild_commands(
            client.application_id, guild.id, payload
        )
        return {command["name"]: int(command["id"]) for command in registered}

    async def _is_registered(self, guild: discord.Guild, payload: Sequence[JSON]) -> bool:
        """Tell whether Discord has the commands that were stored; asked once for each guild."""
        if guild.id in self._compared:
            return True
        found = await self._tree.fetch_commands(guild=guild)
        self._compared.add(guild.id)
        shapes = sorted(_shape(command.to_dict()) for command in found)
        ids = await command_ids(self._context.read, guild.id)
        is_same = {command.name: command.id for command in found} == ids
        if is_same and shapes == sorted(map(_shape, payload)):
            return True
        log.warning("the commands in server %s are not those that were registered", guild.id)
        return False

    async def forget(self, guild: discord.Guild) -> None:
        """Forget a guild's commands, as Discord does when the bot leaves."""
        with _unless_unavailable():
            await forget_commands(self._context.database, guild.id)
            await forget_greeting(self._context.database, guild.id)

    async def _store_home(self, guilds: Sequence[discord.Guild], configured: int) -> None:
        """Store which guild links lead to: the configured one, or else the only one."""
        homes = [guild for guild in guilds if configured in (0, guild.id)]
        if len(homes) == 1:
            with _unless_unavailable():
                await store_home_guild(self._context.database, homes[0].id, homes[0].name)


def translate(shown: JSON, context: str) -> None:
    """Add the translations of a command, an option or a choice, and of all below it.

    Discord shows each member their language; what equals the English text is left out.
    """
    for field, kind in (("name", context), ("description", "")):
        if text := shown.get(field):
            translations = {at: translated_for(at, kind, text) for at in TRANSLATED}
            found = {at: other for at, other in translations.items() if other != text}
            if found:
                shown[f"{field}_localizations"] = found
    for option in shown.get("options", ()):
        translate(option, COMMAND if option["type"] in SUBCOMMANDS else OPTION)
    for choice in shown.get("choices", ()):
        translate(choice, "")


def _digest(payload: Sequence[JSON], guild: discord.Guild) -> str:
    # With the bot Discord forgets its commands; invited again, it has joined at another time.
    joined_at = guild.me.joined_at if guild.me is not None else None
    return hashlib.blake2b(orjson.dumps([payload, joined_at]), digest_size=16).hexdigest()


def _shape(command: Any) -> tuple[str, str, tuple[Any, ...]]:
    """Return what people see of a command or an option: names and descriptions, also below it."""
    options = map(_shape, command.get("options") or ())
    return command["name"], command.get("description") or "", tuple(options)


@contextmanager
def _unless_unavailable() -> Iterator[None]:
    """Go on without what cannot be stored; it is stored after the next connection."""
    try:
        yield
    except StorageUnavailable as fault:
        log.warning(
            "the commands of a server could not be stored, trying again at the next connection: %s",
            fault,
        )
