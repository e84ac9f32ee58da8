"""Folds searched texts again when the way of folding has changed."""

from db import equipment, properties, settings, units, users
from db.database import Transaction
from db.search import folding

FOLDED = "search.folding"
"""The setting that holds how the texts of all rows were folded."""


async def refold(sql: Transaction) -> None:
    """Fold the texts of all rows as searches are folded now, unless they are already."""
    now = folding()
    if await settings.get(sql, FOLDED) == now:
        return
    for noun in (properties, users, equipment, units):
        await noun.refold(sql)
    await settings.put(sql, FOLDED, now)
