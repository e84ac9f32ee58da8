"""Translations: texts are English in the code and translated by cogs/i18n/languages/*.po.

Cards and feeds are in the community's language, private answers in the member's.
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

ENGLISH = "en"

log = logging.getLogger(__name__)


def load(folder: Traversable) -> dict[str, NullTranslations]:
    """Compile a folder's catalogues in memory, so that only what translators edit is committed.

    Unusable files are skipped, as communities may add their own.
    """
    known: dict[str, NullTranslations] = {ENGLISH: NullTranslations()}
    for entry in folder.iterdir():
        name, _, kind = entry.name.partition(".")
        if kind == "po":
            try:
                known[name] = compiled(entry.read_text("utf-8"))
            except Exception as fault:
                log.error("skipping the language %s, its file cannot be used: %r", name, fault)
    return known


def compiled(text: str) -> NullTranslations:
    """Compile a catalogue; texts without a usable translation stay English."""
    catalogue = polib.pofile(text)
    for entry in catalogue.translated_entries():
        forms = entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]
        known = placeholders(entry.msgid) | placeholders(entry.msgid_plural)
        if not all(_can_be_filled_in(form, known) for form in forms):
            log.warning(
                "skipping a translation, its placeholders are not those of the text: %s",
                entry.msgid,
            )
            catalogue.remove(entry)
    return GNUTranslations(BytesIO(catalogue.to_binary()))


def placeholders(text: str) -> set[str]:
    """Return the placeholders of a text, without their braces.

    Raises:
        ValueError: a brace is not closed.
    """
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def _can_be_filled_in(text: str, known: set[str]) -> bool:
    try:
        return placeholders(text) <= known
    except ValueError:
        return False


LANGUAGES = load(files("cogs.i18n") / "languages")
"""The catalogues by their language's code, as Discord's locales begin: `de`."""

_current: ContextVar[NullTranslations] = ContextVar("language", default=LANGUAGES[ENGLISH])


def _(text: str) -> str:
    """Translate a text into the current language."""
    return _current.get().gettext(text)


def N_(text: str) -> str:  # noqa: N802 - what gettext's tools call it
    """Mark a text that is translated later, where it is used."""
    return text


def plural(one: str, many: str, number: int, **values: object) -> str:
    """Translate the form that goes with a number, and fill in `{number}`."""
    return _current.get().ngettext(one, many, number).format(number=number, **values)


def set_language(language: str) -> None:
    """Make a language the current one, here and in tasks started from here.

    One without a catalogue has the English texts.
    """
    _current.set(LANGUAGES.get(language, LANGUAGES[ENGLISH]))


def set_locale(locale: str) -> None:
    """Use the language of a Discord locale (`de`, `en-GB`) in this task, if there is one."""
    _current.set(_of_locale(locale) or _current.get())


@contextmanager
def using_locale(locale: str) -> Iterator[None]:
    """Use the language of a Discord locale inside the block, if there is one."""
    token = _current.set(_of_locale(locale) or _current.get())
    try:
        yield
    finally:
        _current.reset(token)


def translated_for(locale: str, context: str, text: str) -> str:
    """Translate a text for a Discord locale; `context` separates texts that read alike."""
    language = _of_locale(locale) or LANGUAGES[ENGLISH]
    return language.pgettext(context, text) if context else language.gettext(text)


def native_name(language: str) -> str:
    """Return a language's name for itself."""
    return LANGUAGES[language].pgettext("language", "English")


def _of_locale(locale: str) -> NullTranslations | None:
    return LANGUAGES.get(locale.partition("-")[0])
