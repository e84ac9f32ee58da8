"""Languages: what people read is English in the code, and translated by cogs/i18n/languages/*.po.

Cards and feeds speak the community's language, private answers that of whoever asks.
docs/translating.md says how texts are written and translated.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from string import Formatter

import polib

from webhook.protocol.errors import SentinelError

ENGLISH = "en"

log = logging.getLogger(__name__)


def load(folder: Traversable) -> dict[str, NullTranslations]:
    """Compile a folder's catalogues in memory: what is committed is what translators edit.

    One that cannot be used, as communities bring their own, is left out.
    """
    known: dict[str, NullTranslations] = {ENGLISH: NullTranslations()}
    for entry in folder.iterdir():
        name, _, kind = entry.name.partition(".")
        if kind == "po":
            try:
                known[name] = compiled(entry.read_text("utf-8"))
            except Exception as fault:
                log.error("the language %s is left out, its file cannot be used: %r", name, fault)
    return known


def compiled(text: str) -> NullTranslations:
    """Compile a catalogue; what is not translated, or cannot be filled in, stays English."""
    catalogue = polib.pofile(text)
    for entry in catalogue.translated_entries():
        forms = entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]
        known = placeholders(entry.msgid) | placeholders(entry.msgid_plural)
        if not all(_can_be_filled_in(form, known) for form in forms):
            log.warning("a translation has other {} than the English text: %s", entry.msgid)
            catalogue.remove(entry)
    return GNUTranslations(BytesIO(catalogue.to_binary()))


def placeholders(text: str) -> set[str]:
    """Return what stands in braces in a text.

    Raises:
        ValueError: a brace has no other one.
    """
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def _can_be_filled_in(text: str, known: set[str]) -> bool:
    try:
        return placeholders(text) <= known
    except ValueError:
        return False


LANGUAGES = load(files("cogs.i18n") / "languages")
"""The catalogues by their language's code, as Discord's locales begin: `de`."""

_spoken: ContextVar[NullTranslations] = ContextVar("language", default=LANGUAGES[ENGLISH])


def _(text: str) -> str:
    """Return a text of the code in the language that is spoken here."""
    return _spoken.get().gettext(text)


def N_(text: str) -> str:  # noqa: N802 - what gettext's tools call it
    """Mark a text, say of a table, that is translated where it is used."""
    return text


def plural(one: str, many: str, number: int, **values: object) -> str:
    """Return the form that goes with a number, which stands in it as `{number}`."""
    return _spoken.get().ngettext(one, many, number).format(number=number, **values)


def error_text(fault: SentinelError) -> str:
    """Say what went wrong in the language that is spoken here."""
    return _(fault.sentence).format(**fault.values) if fault.values else _(fault.sentence)


def set_language(language: str) -> None:
    """Have everything that begins here and later speak a language, until told otherwise."""
    _spoken.set(LANGUAGES[language])


def set_locale(locale: str) -> None:
    """Speak the language of a Discord locale (`de`, `en-GB`) in this task, if it is known."""
    _spoken.set(_of_locale(locale) or _spoken.get())


@contextmanager
def using_locale(locale: str) -> Iterator[None]:
    """Speak the language of a Discord locale (`de`, `en-GB`) inside the block, if it is known."""
    token = _spoken.set(_of_locale(locale) or _spoken.get())
    try:
        yield
    finally:
        _spoken.reset(token)


def translated_for(locale: str, context: str, text: str) -> str:
    """Return a text in the language of a Discord locale; `context` tells it from its namesakes."""
    language = _of_locale(locale) or LANGUAGES[ENGLISH]
    return language.pgettext(context, text) if context else language.gettext(text)


def native_name(language: str) -> str:
    """Return what a language calls itself."""
    return LANGUAGES[language].pgettext("language", "English")


def _of_locale(locale: str) -> NullTranslations | None:
    return LANGUAGES.get(locale.partition("-")[0])
