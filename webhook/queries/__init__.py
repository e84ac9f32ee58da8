"""The queries of the property protocol, one module per subject."""

from webhook.protocol.catalogue import Catalogue
from webhook.queries import (
    access,
    alarms,
    approvals,
    community,
    crimes,
    drones,
    equipment,
    links,
    properties,
    property_edits,
    removals,
    simulations,
    users,
    visitors,
)

CATALOGUE = Catalogue.join(
    users.table,
    properties.table,
    property_edits.table,
    equipment.table,
    community.table,
    drones.table,
    removals.table,
    approvals.table,
    links.table,
    access.table,
    visitors.table,
    alarms.table,
    crimes.table,
    simulations.table,
)
"""Every query, by name."""
