"""The CAD key and the client token that the bot generates where none are configured."""

import codecs
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bot.settings import Settings, clean_secret


class UnreadableSecret(Exception):
    """The file of a secret holds something else: which file, and what to do."""


class StoredSecret(NamedTuple):
    """A secret and the file that it is stored in; None for a configured one."""

    value: str
    file: Path | None
    is_new: bool


_SAMPLE = re.compile(
    r"your.*(?:key|token)|(?:key|token)[ _-]*here|(?:change|replace).?me|placeholder|…|^at.least.16"
    r"|^(?=.*[a-z])(?:[\W\d_]|api|bot|cad|client|example|sample|dummy|password|passwort|secret|test"
    r"|geheim|my|dein|key|token|schl(?:ü|ue)ssel|paste|insert|enter|put|goes|here|hier|this|the)+$"
    r"|^<.*>$|^[x*.-]+$|^(.)\1+$|^12345|^abcdef|keep.it.secret",
    re.IGNORECASE,
)
"""What stands in examples in place of a secret, such as `YOUR-API-KEY`."""

OWNER_ONLY = 0o600
CAD_KEY_FILE = "cad-key.txt"
CLIENT_TOKEN_FILE = "client-token.txt"  # noqa: S105 - the name of a file


def cad_key(settings: Settings) -> StoredSecret:
    """Return the first CAD key; generated where none is configured.

    Raises:
        UnreadableSecret: its file holds something else.
        OSError: its file cannot be read or created.
    """
    if settings.cad.keys:
        return StoredSecret(settings.cad.keys[0].key, None, is_new=False)
    return _stored(settings.database.path.parent / CAD_KEY_FILE)


def client_token(settings: Settings) -> StoredSecret:
    """Return the first token with the widest scope; generated where none is configured.

    Raises:
        UnreadableSecret: its file holds something else.
        OSError: its file cannot be read or created.
    """
    clients = settings.websocket.clients
    if clients:
        strongest = max(clients, key=lambda client: ("read", "write", "admin").index(client.scope))
        return StoredSecret(strongest.token, None, is_new=False)
    return _stored(settings.database.path.parent / CLIENT_TOKEN_FILE)


def sample_secrets(settings: Settings) -> dict[str, str]:
    """Return which secrets are still those of an example, known to everybody, by their setting."""
    api, keys, clients = settings.cad.api, settings.cad.keys, settings.websocket.clients
    configured = [
        ("discord.token", "discord.token", settings.discord.token),
        *((f"cad.keys.{n}", f"the CAD key {key.name}", key.key) for n, key in enumerate(keys)),
        *(("cad.api.key", f"the API key of {cad}", api.key_of(cad)) for cad in settings.cad.names),
        *(
            (f"websocket.clients.{n}", f"the token of {client.name}", client.token)
            for n, client in enumerate(clients)
        ),
    ]
    return {setting: name for setting, name, secret in configured if _SAMPLE.search(secret)}


def read_secret(path: Path) -> str:
    """Return the secret in a file, without what editors add to it; blank if it is empty.

    Raises:
        UnreadableSecret: the file holds something else.
        OSError: the file cannot be read.
    """
    raw = path.read_bytes()
    is_utf_16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        value = clean_secret(raw.decode("utf-16" if is_utf_16 else "utf-8-sig"))
    except UnicodeDecodeError:
        value = "\0"
    if not (value.isascii() and value.isprintable()):
        raise UnreadableSecret(
            f"{path} must hold one line of plain text: write the secret anew, or delete the file"
            " and the next start generates another"
        )
    return str(value)


def _stored(path: Path) -> StoredSecret:
    """Read a secret from its file, which the first start creates. Only the owner may read it."""
    if path.exists():
        value = read_secret(path)
        if value:
            with suppress(OSError):  # whoever asks a running bot may see it and not change it
                path.chmod(OWNER_ONLY)
            return StoredSecret(value, path, is_new=False)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    value = secrets.token_hex(20)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        path.chmod(OWNER_ONLY)  # an empty file may have been there
        file.write(value + "\n")
    return StoredSecret(value, path, is_new=True)
