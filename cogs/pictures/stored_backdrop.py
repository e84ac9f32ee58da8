"""The configured map image in the database, where the cards that draw it find it."""

from dataclasses import asdict

import orjson

from cogs.pictures.backdrop import Backdrop
from db import settings
from db.database import Reader, Transaction

SETTING = "map.backdrop"


async def store(sql: Transaction, backdrop: Backdrop | None) -> None:
    """Store the configured map image, or that there is none."""
    if backdrop is None:
        await settings.forget(sql, SETTING)
    else:
        await settings.put(sql, SETTING, orjson.dumps(asdict(backdrop)).decode())


async def stored(sql: Reader) -> Backdrop | None:
    """Return the configured map image."""
    text = await settings.get(sql, SETTING)
    if text is None:
        return None
    data = orjson.loads(text)
    one, other = data["points"]
    return Backdrop(data["path"], data["changed"], (tuple(one), tuple(other)))
