"""Languages: what people read is English in the code, and translated by cogs/languages/*.po.

Cards and feeds speak the community's language, private answers that of whoever asks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

import polib

from webhook.errors import SentinelError

ENGLISH = "en"


def _load() -> dict[str, NullTranslations]:
    """Compile the catalogues in memory: what is committed is what translators edit."""
    known: dict[str, NullTranslations] = {ENGLISH: NullTranslations()}
    for entry in (files("cogs") / "languages").iterdir():
        name, _, kind = entry.name.partition(".")
        if kind == "po":
            catalogue = polib.pofile(entry.read_text("utf-8")).to_binary()
            known[name] = GNUTranslations(BytesIO(catalogue))
    return known


LANGUAGES = _load()
"""The catalogues by their language's code, as Discord's locales begin: `de`."""

_spoken: ContextVar[NullTranslations] = ContextVar("language", default=LANGUAGES[ENGLISH])


def _(text: str) -> str:
    """Return a text of the code in the language that is spoken here."""
    return _spoken.get().gettext(text)


def plural(one: str, many: str, number: int) -> str:
    """Return the form that goes with a number, which stands in it as `{number}`."""
    return _spoken.get().ngettext(one, many, number).format(number=number)


def told(fault: SentinelError) -> str:
    """Say what went wrong in the language that is spoken here."""
    return _(fault.sentence).format(**fault.values) if fault.values else _(fault.sentence)


def speak(language: str) -> None:
    """Have everything that begins here and later speak a language, until told otherwise."""
    _spoken.set(LANGUAGES[language])


@contextmanager
def speaking(locale: str) -> Iterator[None]:
    """Speak the language of a Discord locale (`de`, `en-GB`) inside the block, if it is known."""
    found = LANGUAGES.get(locale.partition("-")[0])
    token = _spoken.set(found or _spoken.get())
    try:
        yield
    finally:
        _spoken.reset(token)
