"""What the community offers: tiers and equipment types."""

from db import community
from db.database import Reader
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import NotFound
from webhook.protocol.wire import Reply
from webhook.queries.models import RowReply

table = Catalogue()


class EquipmentTypeData(Reply):
    """A kind of equipment."""

    type: int
    name: str


class EquipmentTypeList(Reply):
    """The kinds of equipment on offer."""

    equipment_types: list[EquipmentTypeData]


class TierData(RowReply):
    """A protection plan."""

    id: int
    name: str
    price: str


class TierList(Reply):
    """The plans on offer."""

    tiers: list[TierData]


async def find_tier(sql: Reader, wanted: int | str) -> int:
    """Return the id of the tier on offer that has this id, or this name in any case.

    Raises:
        NotFound: there is none.
    """
    for tier in await community.tiers(sql):
        if wanted == tier.id or str(wanted).casefold() == tier.name.casefold():
            return tier.id
    raise NotFound("there is no tier {id}", id=wanted)


async def find_equipment_type(sql: Reader, wanted: int | str) -> int:
    """Return the id of the equipment type on offer that has this id, or this name in any case.

    Raises:
        NotFound: there is none.
    """
    for kind in await community.equipment_types(sql):
        if wanted == kind.id or str(wanted).casefold() == kind.name.casefold():
            return kind.id
    raise NotFound("there is no equipment type {type}", type=wanted)


@table.query("get-equipment-types", scope=Scope.READ)
async def get_equipment_types(context: Context) -> EquipmentTypeList:
    """List the kinds of equipment on offer."""
    kinds = await community.equipment_types(context.read)
    return EquipmentTypeList(
        equipment_types=[EquipmentTypeData(type=kind.id, name=kind.name) for kind in kinds]
    )


@table.query("get-tiers", scope=Scope.READ)
async def get_tiers(context: Context) -> TierList:
    """List the tiers on offer."""
    tiers = await community.tiers(context.read)
    return TierList(tiers=[TierData.of(tier) for tier in tiers])
