"""What the community offers: tiers and equipment types."""

from db import community
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context, Scope
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
