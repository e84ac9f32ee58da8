"""The queries of the property protocol, one module per subject."""

from webhook.protocol.catalogue import Catalogue
from webhook.queries import alarms, community, crimes, links, simulations, users
from webhook.queries.properties import (
    access,
    add,
    approvals,
    drones,
    edits,
    equipment,
    find,
    removals,
    visitors,
)

CATALOGUE = Catalogue.join(
    users.table,
    add.table,
    find.table,
    edits.table,
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
