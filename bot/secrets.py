"""The CAD key and the client token that the bot generates where none are configured."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bot.settings import Settings


class StoredSecret(NamedTuple):
    """A secret and the file that it is stored in; None for a configured one."""

    value: str
    file: Path | None
    is_new: bool


OWNER_ONLY = 0o600
CAD_KEY_FILE = "cad-key.txt"
CLIENT_TOKEN_FILE = "client-token.txt"  # noqa: S105 - the name of a file


def cad_key(settings: Settings) -> StoredSecret:
    """Return the first CAD key; generated where none is configured."""
    if settings.cad.keys:
        return StoredSecret(settings.cad.keys[0].key, None, is_new=False)
    return _stored(settings.database.path.parent / CAD_KEY_FILE)


def client_token(settings: Settings) -> StoredSecret:
    """Return the first token with the widest scope; generated where none is configured."""
    clients = settings.websocket.clients
    if clients:
        strongest = max(clients, key=lambda client: ("read", "write", "admin").index(client.scope))
        return StoredSecret(strongest.token, None, is_new=False)
    return _stored(settings.database.path.parent / CLIENT_TOKEN_FILE)


def _stored(path: Path) -> StoredSecret:
    """Read a secret from its file, which the first start creates. Only the owner may read it."""
    if path.exists():
        value = path.read_text("ascii").strip()
        if value:
            with suppress(PermissionError):  # another user may ask a running bot
                path.chmod(OWNER_ONLY)
            return StoredSecret(value, path, is_new=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    value = secrets.token_hex(20)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        path.chmod(OWNER_ONLY)  # an empty file may have been there
        file.write(value + "\n")
    return StoredSecret(value, path, is_new=True)
