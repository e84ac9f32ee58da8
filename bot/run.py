"""`cad-sentinel run`: the log, the generated secrets, the event loop, and what ends the program."""

import asyncio
import gc
import logging
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bot import secrets
from bot.app import run, stop_signal
from bot.backup import suggested_restore
from bot.certificate import BadCertificate
from bot.cli import EX_CONFIG
from bot.locks import AlreadyRunning
from bot.logs import start_logging
from bot.settings import Settings
from db.errors import InvalidDatabase, StorageError
from webhook.http.listener import CannotListen

log = logging.getLogger(__name__)


def run_until_signal(settings: Settings, config: Path | None) -> int:
    """Run the bot, configured by this file, until SIGINT or SIGTERM; return the exit code."""
    try:
        generated = [secrets.cad_key(settings), secrets.client_token(settings)]
    except secrets.UnreadableSecret as error:
        print(error, file=sys.stderr)
        return EX_CONFIG
    except OSError as error:
        print(f"cannot store the generated secrets: {error}", file=sys.stderr)
        return 1
    for name, secret in zip(("CAD key", "client token"), generated, strict=True):
        if secret.is_new:
            print(f"A {name} was generated; it is in {secret.file}", flush=True)
        elif secret.file is not None:
            print(f"The {name} is in {secret.file}", flush=True)
    try:
        start_logging(settings.log, _all_secrets(settings, generated))
    except OSError as error:
        print(f"cannot write the log.file {settings.log.file}: {error.strerror}", file=sys.stderr)
        return EX_CONFIG
    for name in secrets.sample_secrets(settings).values():
        log.warning("%s is the placeholder of an example: put the real one there", name)
    try:
        with asyncio.Runner(loop_factory=_new_event_loop) as runner:
            runner.run(_run(settings))
    except BadCertificate as error:
        _say(settings, f"http.certificate: {error}")
        return EX_CONFIG
    except CannotListen as error:
        _say(settings, f"cannot start: {error}: {error.mend}")
        return 1
    except (StorageError, AlreadyRunning, OSError) as error:
        is_damaged = isinstance(error, InvalidDatabase)
        mend = f"; {suggested_restore(settings, config)}" if is_damaged else ""
        _say(settings, f"cannot start: {error}{mend}")
        return 1
    except Exception:
        # Python's own report would not go through the log, which keeps secrets back.
        log.exception("stopped by an unexpected error")
        return 1
    return 0


def _say(settings: Settings, sentence: str) -> None:
    """Print why the bot does not start; into the log as well if it has a file of its own."""
    if settings.log.file is None:
        print(sentence, file=sys.stderr)
    else:
        log.critical("%s", sentence)


async def _run(settings: Settings) -> None:
    await run(settings, stop_signal(), started=_freeze)


def _freeze(_: int) -> None:
    """Have the garbage collector look no more at what is there for good.

    Otherwise each of its full runs stops everything for some 30 ms.
    """
    gc.collect()
    gc.freeze()


def _new_event_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _all_secrets(settings: Settings, generated: list[secrets.StoredSecret]) -> list[str]:
    """Return everything that must not stand in the log."""
    proxy_password = urlsplit(settings.discord.proxy).password or ""
    return [
        settings.discord.token,
        settings.discord.proxy,
        proxy_password,
        unquote(proxy_password),
        *(settings.cad.api.key_of(name) for name in settings.cad.names),
        *(key.key for key in settings.cad.keys),
        *(client.token for client in settings.websocket.clients),
        *(secret.value for secret in generated),
    ]
