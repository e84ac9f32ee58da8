"""The options of slash commands that offer choices while somebody types, the likeliest first.

An option holds what was typed or chosen: an id or a name. The command looks up what it means once
it has deferred its answer: Discord waits for three seconds, and storage may be slow.
"""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import discord
from discord import app_commands
from discord.app_commands import Choice, Transform

from cogs.ui.names import plain_property_status
from cogs.ui.responder import SentinelClient
from cogs.ui.text import BLANK, length, one_line, plain_line
from db.search import fold_case
from webhook.protocol.context import Context, Share
from webhook.queries.alarms import list_open_alarms
from webhook.queries.community import get_equipment_types, get_tiers
from webhook.queries.models import (
    MAX_ROWS,
    MAX_SEARCH,
    OfProperty,
    PropertyData,
    PropertyLongList,
    SearchPage,
)
from webhook.queries.properties.access import get_access_list
from webhook.queries.properties.approvals import list_restorable
from webhook.queries.properties.drones import (
    get_free_drones,
    suggest_drones,
    suggest_drones_out,
    suggest_with_drone,
)
from webhook.queries.properties.equipment import get_equipment
from webhook.queries.properties.find import (
    StatusPage,
    find_property,
    list_properties,
    list_statuses,
    suggest_properties,
)
from webhook.queries.properties.removals import RemovalDecision, suggest_removals
from webhook.queries.rows import CAMERA, DRONE, PENDING, OpenAlarm, Property
from webhook.queries.users import suggest_users

MAX_CHOICES = 25
CHOICE_NAME = 100

_NO_MATCH = 4

Command = TypeVar("Command", bound=Callable[..., object])

Offer = Callable[..., Awaitable[list[Choice[str]]]]
"""Returns the choices in a context for what was typed so far, and for what stands in the option
`property` if the choices depend on it.

Raises:
    SentinelError: the caller may not read them; nothing is offered.
"""


class TextOption(app_commands.Transformer):
    """An option with choices; any other text, of that length, may be typed too.

    `of_own`: whether those who may use the command only on their own are offered only their own.
    """

    def __init__(
        self,
        offer: Offer,
        *,
        of_property: bool = False,
        of_own: bool = True,
        length: tuple[int, int] | None = None,
    ) -> None:
        self._offer = offer
        self._of_own = of_own
        self._of_property = of_property
        self._length = length

    @property
    def min_value(self) -> int | None:
        return self._length[0] if self._length else None

    @property
    def max_value(self) -> int | None:
        return self._length[1] if self._length else None

    async def transform(self, _: discord.Interaction[Any], value: Any, /) -> str:
        return str(value)

    async def autocomplete(  # type: ignore[override]  # discord.py's lists hold numbers as well
        self, interaction: discord.Interaction[SentinelClient], value: Any, /
    ) -> list[Choice[str]]:
        typed = [str(value)]
        if self._of_property:
            typed.append(interaction.namespace.property or "")

        async def offer(context: Context) -> list[Choice[str]]:
            return await self._offer(context, *typed)

        responder = interaction.client.responder
        return await responder.choices(interaction, offer, of_own=self._of_own)


def ranked_choices(typed: str, pairs: Iterable[tuple[object, str]]) -> list[Choice[str]]:
    """Return what matches of (value, name): by value, start of the name, of a word, anywhere."""
    wanted = fold_case(typed.strip())
    ranked = sorted(
        ((_rank(wanted, fold_case(value), fold_case(name)), value, name) for value, name in pairs),
        key=lambda one: one[0],
    )
    return [choice(name, value) for rank, value, name in ranked if rank < _NO_MATCH][:MAX_CHOICES]


def _rank(wanted: str, value: str, name: str) -> int:
    if wanted == value:
        return 0
    if name.startswith(wanted):
        return 1
    if any(word.startswith(wanted) for word in name.split()):
        return 2
    return 3 if wanted in name or wanted in value else _NO_MATCH


def choice(name: str, value: object) -> Choice[str]:
    """Return a choice that Discord takes, whatever the thing is called."""
    return Choice(
        name=plain_line(name, CHOICE_NAME) or BLANK, value=one_line(str(value), CHOICE_NAME)
    )


def search_page(typed: str, limit: int = MAX_ROWS) -> SearchPage:
    return SearchPage(limit=limit, search=typed.strip()[:MAX_SEARCH])


def property_option(
    property_: str = "The property; type a part of its name", **others: str
) -> Callable[[Command], Command]:
    """Describe a command's options; `property_` is called `property` in Discord."""

    def decorate(command: Command) -> Command:
        app_commands.rename(property_="property")(command)
        return app_commands.describe(property_=property_, **others)(command)

    return decorate


# Properties


async def property_choices(
    context: Context, typed: str, least: Share = Share.ALLOWED
) -> list[Choice[str]]:
    """Offer properties; to those without a role only those where they have at least this share."""
    found = await suggest_properties(context, search_page(typed, MAX_CHOICES), least)
    return [_property_choice(row) for row in found]


async def _with_drone_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer properties with a drone that can be sent out."""
    found = await suggest_with_drone(context, search_page(typed, MAX_CHOICES))
    return [_property_choice(row) for row in found]


async def _pending_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer properties that wait for approval."""
    page = StatusPage(status=PENDING, search=typed.strip()[:MAX_SEARCH], limit=MAX_CHOICES)
    return [_property_choice(row) for row in (await list_properties(context, page)).properties]


def _property_choice(row: PropertyData | Property) -> Choice[str]:
    """Name a property in a choice; a long name leaves room for the number."""
    number = f" ({row.id})"
    where = plain_line(row.location, CHOICE_NAME - length(number)) or BLANK
    return choice(where + number, row.id)


async def removal_choices(
    context: Context, typed: str, decision: RemovalDecision = "deny"
) -> list[Choice[str]]:
    """Offer properties with a removal request on which the caller may decide so."""
    found = await suggest_removals(context, search_page(typed), decision)
    wanted = fold_case(typed.strip())
    found.sort(key=lambda row: _rank(wanted, fold_case(row.id), fold_case(row.location)))
    return [_property_choice(row) for row in found[:MAX_CHOICES]]


async def _restorable_choices(context: Context, typed: str) -> list[Choice[str]]:
    found = await list_restorable(context)
    return ranked_choices(typed, ((row.id, f"{row.location} ({row.id})") for row in found))


async def _status_choices(context: Context, typed: str) -> list[Choice[str]]:
    return ranked_choices(
        typed, ((status, plain_property_status(status)) for status in await list_statuses(context))
    )


async def _tier_choices(context: Context, typed: str) -> list[Choice[str]]:
    tiers = (await get_tiers(context)).tiers
    return ranked_choices(typed, ((tier.id, f"{tier.name} · {tier.price}") for tier in tiers))


# Alarms


async def _alarm_choices(
    context: Context, typed: str, wanted: Callable[[Context, OpenAlarm], bool]
) -> list[Choice[str]]:
    """Offer the open alarms about which the command can do something."""
    found = [alarm for alarm in await list_open_alarms(context) if wanted(context, alarm)]
    return ranked_choices(typed, ((alarm.id, f"{alarm.location} · {alarm.id}") for alarm in found))


def _is_open(_: Context, _alarm: OpenAlarm) -> bool:
    return True


def _is_unhandled(_: Context, alarm: OpenAlarm) -> bool:
    return alarm.acknowledged_by is None


def _is_handled(_: Context, alarm: OpenAlarm) -> bool:
    return alarm.acknowledged_by is not None


def _is_handled_by_others(context: Context, alarm: OpenAlarm) -> bool:
    return alarm.acknowledged_by not in (None, context.caller.name)


# Equipment


async def drone_choices(context: Context, typed: str) -> list[Choice[str]]:
    """Offer drones that are out and that the caller may recall."""
    found = await suggest_drones_out(context, search_page(typed))
    return ranked_choices(
        typed, ((drone.drone_id, f"{drone.drone_id} · {drone.description}") for drone in found)
    )


async def _free_drone_choices(context: Context, typed: str, property_: str) -> list[Choice[str]]:
    found = await find_property(context, property_)
    free = (await get_free_drones(context, PropertyLongList(property_id=found.id))).drones
    return ranked_choices(
        typed, ((drone.id, f"{drone.id} · {drone.description}") for drone in free)
    )


async def _any_drone_choices(context: Context, typed: str, property_: str) -> list[Choice[str]]:
    """Offer drones, out or not: those of a property, or of all."""
    if property_:
        return await _equipment_choices(context, typed, property_, DRONE)
    found = await suggest_drones(context, search_page(typed, MAX_CHOICES))
    return [choice(f"{row.id} · {row.name} · {row.description}", row.id) for row in found]


async def _equipment_choices(
    context: Context, typed: str, property_: str, kind: int | None = None
) -> list[Choice[str]]:
    found = await find_property(context, property_)
    equipment = (await get_equipment(context, PropertyLongList(property_id=found.id))).equipment
    return ranked_choices(
        typed,
        (
            (row.id, f"{row.id} · {row.name} · {row.description}")
            for row in equipment
            if kind in (None, row.type)
        ),
    )


async def _equipment_type_choices(context: Context, typed: str) -> list[Choice[str]]:
    types = (await get_equipment_types(context)).equipment_types
    return ranked_choices(typed, ((kind.type, kind.name) for kind in types))


# People


async def _user_choices(context: Context, typed: str) -> list[Choice[str]]:
    found = await suggest_users(context, search_page(typed, MAX_CHOICES))
    return [choice(_user_label(user.id, user.full_name), user.id) for user in found]


async def _allowed_user_choices(context: Context, typed: str, property_: str) -> list[Choice[str]]:
    """Offer who may enter a property."""
    found = await find_property(context, property_)
    allowed = await get_access_list(context, OfProperty(property_id=found.id))
    return ranked_choices(
        typed, ((user.id, _user_label(user.id, user.full_name)) for user in allowed.users)
    )


def _user_label(user_id: str, full_name: str) -> str:
    return user_id if full_name == user_id else f"{full_name} ({user_id})"


OpenAlarmOption = Transform[str, TextOption(partial(_alarm_choices, wanted=_is_open))]
UnhandledAlarmOption = Transform[str, TextOption(partial(_alarm_choices, wanted=_is_unhandled))]
HandledAlarmOption = Transform[str, TextOption(partial(_alarm_choices, wanted=_is_handled))]
OthersAlarmOption = Transform[
    str, TextOption(partial(_alarm_choices, wanted=_is_handled_by_others))
]

PendingPropertyOption = Transform[str, TextOption(_pending_choices)]
PropertyWithDroneOption = Transform[str, TextOption(_with_drone_choices)]
PropertyOption = Transform[str, TextOption(property_choices)]
OwnedPropertyOption = Transform[str, TextOption(partial(property_choices, least=Share.OWNER))]
RemovalToApproveOption = Transform[str, TextOption(partial(removal_choices, decision="approve"))]
RemovalToDenyOption = Transform[str, TextOption(partial(removal_choices, decision="deny"))]
RemovalToWithdrawOption = Transform[str, TextOption(partial(removal_choices, decision="withdraw"))]
RestorableOption = Transform[str, TextOption(_restorable_choices)]
StatusOption = Transform[str, TextOption(_status_choices, length=(1, 32))]
TierOption = Transform[str, TextOption(_tier_choices)]

DroneOutOption = Transform[str, TextOption(drone_choices)]
FreeDroneOption = Transform[str, TextOption(_free_drone_choices, of_property=True)]
DroneOption = Transform[str, TextOption(_any_drone_choices, of_property=True)]
CameraOption = Transform[
    str, TextOption(partial(_equipment_choices, kind=CAMERA), of_property=True)
]
EquipmentOption = Transform[str, TextOption(_equipment_choices, of_property=True)]
EquipmentTypeOption = Transform[str, TextOption(_equipment_type_choices)]

UserOption = Transform[str, TextOption(_user_choices, of_own=False)]
AllowedUserOption = Transform[str, TextOption(_allowed_user_choices, of_property=True)]
