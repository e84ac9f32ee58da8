"""The equipment of properties: add, remove, list."""

from db import equipment, flights
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context, Scope, Share
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.events import PropertyEquipmentChange
from webhook.protocol.wire import Id, IdOrName, Reply
from webhook.queries.community import find_equipment_type
from webhook.queries.models import (
    Changed,
    OfProperty,
    PropertyLongList,
    RowReply,
    Sentence,
    equipment_subject,
    existing_property,
    property_subject,
)

table = Catalogue()


class NewEquipment(OfProperty):
    """A piece of equipment to add."""

    equipment_type: IdOrName
    description: Sentence = ""


class OfEquipment(OfProperty):
    """One piece of equipment of a property."""

    equipment_id: Id


class AddedId(Reply):
    """The id of what was added."""

    id: int


class EquipmentData(RowReply):
    """A piece of equipment as scripts see it; `name` is that of its type."""

    id: int
    type: int
    description: str
    name: str


class EquipmentList(Reply):
    """What a property has."""

    equipment: list[EquipmentData]


@table.query("add-equipment", "add-equipment-property", scope=Scope.WRITE)
async def add_equipment(context: Context, ask: NewEquipment) -> AddedId:
    """Add a piece of equipment to a property."""
    async with context.change() as change:
        await existing_property(change.sql, ask.property_id)
        type_id = await find_equipment_type(change.sql, ask.equipment_type)
        number = await equipment.add(
            change.sql, ask.property_id, type_id, ask.description, change.received
        )
        await change.audit(
            "add-equipment",
            equipment_subject(number),
            after=_recorded(ask.property_id, type_id, ask.description),
        )
        await change.emit(
            PropertyEquipmentChange(
                property_id=ask.property_id,
                equipment_id=number,
                equipment_type=type_id,
                description=ask.description,
            ),
            property_subject(ask.property_id),
        )
    return AddedId(id=number)


@table.query("remove-equipment", "remove-equipment-property", scope=Scope.WRITE)
async def remove_equipment(context: Context, ask: OfEquipment) -> Changed:
    """Remove a piece of equipment; a drone that is out must be recalled first."""
    async with context.change() as change:
        await existing_property(change.sql, ask.property_id)
        stored = await equipment.get(change.sql, ask.equipment_id)
        if stored is None and not context.caller.is_person:
            return Changed(changed=False)
        if stored is None or stored.property_id != ask.property_id:
            raise NotFound(
                "property {property} has no equipment {equipment}",
                property=ask.property_id,
                equipment=ask.equipment_id,
            )
        if await flights.open_of_drone(change.sql, ask.equipment_id):
            raise Conflict("drone {drone} is out, recall it first", drone=ask.equipment_id)
        await equipment.remove(change.sql, ask.equipment_id, change.received)
        await change.audit(
            "remove-equipment",
            equipment_subject(stored.id),
            before=_recorded(stored.property_id, stored.type, stored.description),
        )
        await change.emit(
            PropertyEquipmentChange(property_id=ask.property_id, equipment_id=ask.equipment_id),
            property_subject(ask.property_id),
        )
    return Changed(changed=True)


def _recorded(property_id: int, type_id: int, description: str) -> dict[str, object]:
    """Return what the audit log stores of a piece of equipment."""
    return {"property": property_id, "type": type_id, "description": description}


@table.query("get-equipment", "get-equipment-property", scope=Scope.READ, share=Share.ALLOWED)
async def get_equipment(context: Context, ask: PropertyLongList) -> EquipmentList:
    """List what a property has."""
    await existing_property(context.read, ask.property_id)
    stored = await equipment.of_property(context.read, ask.property_id, ask.limit, ask.offset)
    return EquipmentList(equipment=[EquipmentData.of(row) for row in stored])
