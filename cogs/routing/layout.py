"""Where things are posted and whose roles count: as the file says, unless /setup chose otherwise.

A layout holds Discord ids by what they are for: `channels.emergency`, `roles.viewer`,
`panic_role`, `alarms.supervisor`, `guild_id`. Without ids nothing is posted there, or nobody has
the role.
"""

from collections.abc import Mapping

from db import settings
from db.database import Reader
from webhook.protocol.context import Context
from webhook.protocol.events import Subject

Layout = Mapping[str, tuple[int, ...]]

SETUP = "setup."
"""How the settings begin that hold what /setup chose."""

SET_UP_BY = "discord.set_up_by"
"""The setting with the id of the member who chose something in /setup last."""

CATEGORY = "category"
"""The category that /setup created; no file names it."""

PRESET = "preset"
"""Which set of channels /setup created: the first is 1; no file names it."""

GUILD = "guild_id"
"""The server that the bot works for; the first /setup in its only server chooses that."""

SUPERVISOR_ROLES = "alarms.supervisor"
"""The roles that are called when an alarm waits for long."""


def merged_layout(file: Layout, chosen: Layout) -> dict[str, tuple[int, ...]]:
    """Return what counts; a choice that this version knows nothing of counts for nothing.

    Only of the server the file has the last word: it is the way to another one.
    """
    return {
        what: ids if what == GUILD and ids else chosen.get(what, ids) for what, ids in file.items()
    }


def single_id(layout: Layout, what: str) -> int:
    """Return the only id of a thing, 0 for none."""
    return next(iter(layout.get(what, ())), 0)


def channel_ids(layout: Layout) -> frozenset[int]:
    """Return every channel of a layout."""
    return frozenset(
        number for key, ids in layout.items() if key.startswith("channels.") for number in ids
    )


async def choices(sql: Reader) -> dict[str, tuple[int, ...]]:
    stored = await settings.beginning_with(sql, SETUP)
    return {fact.name.removeprefix(SETUP): tuple(map(int, fact.value.split())) for fact in stored}


async def store_choices(
    context: Context, file: Layout, wanted: Mapping[str, tuple[int, ...] | None]
) -> None:
    """Keep choices, and audit what they change; None goes back to what the file says."""
    async with context.change() as change:
        chosen = await choices(change.sql)
        if context.caller.member_id is not None:
            await settings.put(change.sql, SET_UP_BY, str(context.caller.member_id))
        for what, ids in wanted.items():
            usual = file.get(what, ())
            before, after = chosen.get(what, usual), usual if ids is None else ids
            if after == usual:
                await settings.forget(change.sql, SETUP + what)
            else:
                await settings.put(change.sql, SETUP + what, " ".join(map(str, after)))
            if before != after:
                group, _, name = what.rpartition(".")
                await change.audit(
                    "setup",
                    Subject("setup", group or what),
                    before={name: _written(before)},
                    after={name: _written(after)},
                )


def _written(ids: tuple[int, ...]) -> str:
    return " ".join(map(str, ids))
