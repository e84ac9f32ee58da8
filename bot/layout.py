"""The configuration's channels and roles, and what /setup chose instead."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from bot.locks import AlreadyRunning, alone_on_database
from bot.settings import Channels, DiscordSettings, Roles, Settings
from cogs.routing.layout import Layout, choices, merged_layout, single_id, store_choices
from db.database import Database
from db.errors import StorageError
from webhook.http.authentication import LOCAL
from webhook.protocol.bus import Bus
from webhook.protocol.context import Context


def layout_of(discord: DiscordSettings) -> dict[str, tuple[int, ...]]:
    """Return what the configuration says."""
    return {
        "guild_id": _one(discord.guild_id),
        "panic_role": _one(discord.panic_role),
        **{f"channels.{name}": _one(channel_id) for name, channel_id in discord.channels},
        **{f"roles.{name}": tuple(ids) for name, ids in discord.roles},
    }


def effective(discord: DiscordSettings, chosen: Layout) -> DiscordSettings:
    """Return the settings that count: those of the file, except what /setup chose."""
    layout = merged_layout(layout_of(discord), chosen)
    return discord.model_copy(
        update={
            "guild_id": single_id(layout, "guild_id"),
            "panic_role": single_id(layout, "panic_role"),
            "channels": Channels(
                **{name: single_id(layout, f"channels.{name}") for name in Channels.model_fields}
            ),
            "roles": Roles(**{name: list(layout[f"roles.{name}"]) for name in Roles.model_fields}),
        }
    )


async def forget_setup(settings: Settings, say: Callable[[str], None]) -> int:
    """Forget every choice where nobody can reach /setup any more; return the exit code."""
    path, zone = settings.database.path, ZoneInfo(settings.community.timezone)
    try:
        with alone_on_database(path):
            async with Database.open(path) as database:
                context = Context(database, Bus(), LOCAL, zone)
                chosen = await choices(database.read)
                await store_choices(context, layout_of(settings.discord), dict.fromkeys(chosen))
    except (StorageError, AlreadyRunning, OSError) as fault:
        say(f"nothing was forgotten: {fault}")
        return 1
    say("the choices of /setup are forgotten, the file counts again: start the bot")
    return 0


def _one(number: int) -> tuple[int, ...]:
    return (number,) if number else ()
