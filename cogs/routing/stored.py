"""Rules and pauses that admins made in Discord; they are stored beside the choices of /setup."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import orjson

from cogs.i18n.language import _
from cogs.routing.rules import Pause, Rule
from cogs.ui.text import timestamp
from db import settings
from db.database import Reader, Transaction
from webhook.protocol.context import Context
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.events import CardsOutdated, Subject

RULE = "rule."
"""How the settings begin that hold a rule each; a number follows, by which they are in order."""

PAUSE = "pause."
"""How the settings begin that hold a pause each; the channel's name follows, `all` for all."""

ALL = "all"
MOST_RULES = 100


class StoredRouting(NamedTuple):
    """What is stored: rules as the fields that the file would have, in order, and pauses."""

    rules: tuple[dict[str, Any], ...] = ()
    pauses: tuple[Pause, ...] = ()


async def stored_routing(sql: Reader) -> StoredRouting:
    rules = await settings.beginning_with(sql, RULE)
    pauses = await settings.beginning_with(sql, PAUSE)
    return StoredRouting(
        tuple(orjson.loads(fact.value) for fact in rules),
        tuple(Pause(**orjson.loads(fact.value)) for fact in pauses),
    )


async def pause_lines(sql: Reader, at: int) -> list[str]:
    """Say until when nobody is mentioned where, a line for each pause that lasts."""
    pauses = [pause for pause in (await stored_routing(sql)).pauses if pause.until > at]
    text = _("Mentions are off until {time}: {channel}")
    return [
        text.format(time=timestamp(pause.until), channel=pause.channel or _("everywhere"))
        for pause in pauses
    ]


class RoutingStore:
    """Adds and removes rules and pauses, and has them applied.

    `check` makes a rule of its fields as of those of the file, and raises as `add` says; `in_use`
    returns the rules in their order; `apply` goes by what is stored now.
    """

    def __init__(
        self,
        check: Callable[[Mapping[str, Any]], Rule],
        in_use: Callable[[], tuple[Rule, ...]],
        apply: Callable[[], Awaitable[None]],
    ) -> None:
        self.check = check
        self.in_use = in_use
        self._apply = apply

    async def add(self, context: Context, fields: Mapping[str, Any]) -> Rule:
        """Store a rule, behind those that are stored and before those of the file.

        Raises:
            InvalidData: the file would not take a field either.
            Conflict: it would not take the fields together, there is one of that name, or there
                are too many.
        """
        rule = self.check(fields)
        if any(rule.name == other.name for other in self.in_use()):
            raise Conflict("there is a rule named “{name}” already", name=rule.name)
        async with context.change() as change:
            stored = await settings.beginning_with(change.sql, RULE)
            if len(stored) >= MOST_RULES:
                raise Conflict("there are {number} rules already", number=len(stored))
            number = max((int(fact.name.removeprefix(RULE)) for fact in stored), default=0) + 1
            value = orjson.dumps(dict(fields)).decode()
            await settings.put(change.sql, f"{RULE}{number:06}", value)
            await change.audit("add-rule", Subject("rule", rule.name), after=fields)
        await self._apply()
        return rule

    async def remove(self, context: Context, name: str) -> None:
        """Delete a stored rule.

        Raises:
            NotFound: no rule of this name was made in Discord.
        """
        async with context.change() as change:
            for fact in await settings.beginning_with(change.sql, RULE):
                fields = orjson.loads(fact.value)
                if fields["name"] == name:
                    await settings.forget(change.sql, fact.name)
                    await change.audit("remove-rule", Subject("rule", name), before=fields)
                    break
            else:
                raise NotFound("no rule named “{name}” was made in Discord", name=name[:64])
        await self._apply()

    async def pause(self, context: Context, channel: str, until: int) -> None:
        """Have nobody mentioned in a channel of the map, or anywhere, until a time.

        In milliseconds since 1970; 0 ends every pause.
        """
        async with context.change() as change:
            if until:
                where = "" if channel == ALL else channel
                await _store(change.sql, Pause(where, until, context.caller.name))
                after = {"until": until}
            else:
                for pause in (await stored_routing(change.sql)).pauses:
                    if pause.until > change.received:  # the end counts for alarms that waited
                        await _store(change.sql, pause._replace(until=change.received))
                after = {}
            await change.note(CardsOutdated(subjects=[]))  # the board
            await change.audit("pause", Subject("pause", channel), after=after)
        await self._apply()


async def _store(sql: Transaction, pause: Pause) -> None:
    value = orjson.dumps(pause._asdict()).decode()
    await settings.put(sql, PAUSE + (pause.channel or ALL), value)
