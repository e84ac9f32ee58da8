"""Languages: every text is translated, whole, and fits where it stands."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from pydantic import AliasChoices

from cogs.i18n.errors import FIELDS, error_text
from cogs.i18n.language import (
    ENGLISH,
    LANGUAGES,
    N_,
    _,
    compiled,
    load,
    native_name,
    placeholders,
    plural,
    translated_for,
    using_locale,
)
from tests.texts import CATALOGUES, ROOT, Key, Texts, key_of, read_source, renewed, texts
from webhook.protocol.errors import FieldProblem, InvalidData, NotFound
from webhook.protocol.wire import Request

PATHS = sorted(CATALOGUES.glob("*.po"))
MARKUP = re.compile(r"\*\*|`|\n|![ra]\}|<|>|\[|\]\(")
COMMAND = re.compile(r"(?<!\w)/([\w-]+)(?: ([\w-]+))?")
NAME = re.compile(r"[-_'\w]{1,32}")


@pytest.fixture(scope="module")
def found() -> Texts:
    return texts()


def _forms(path: Path) -> Iterator[tuple[Key, str, str]]:
    """List the English and the translated text of every form."""
    for entry in polib.pofile(str(path)):
        english = {0: entry.msgid, 1: entry.msgid_plural}
        forms = entry.msgstr_plural if entry.msgid_plural else {0: entry.msgstr}
        for number, form in forms.items():
            yield key_of(entry), english[min(number, 1)], form


def test_every_text_is_translated_whole(found: Texts) -> None:
    assert found.faults == []
    assert len(found) > 400


def test_placeholders_are_filled_in_where_a_text_is_translated() -> None:
    wrong = []
    for path in sorted((ROOT / "cogs").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            match call:
                case ast.Call(
                    func=ast.Attribute(
                        value=ast.Call(func=ast.Name("_"), args=[ast.Constant(str(text))]),
                        attr="format",
                    ),
                    keywords=keywords,
                ) if None not in (given := {keyword.arg for keyword in keywords}) and (
                    placeholders(text) != given
                ):
                    wrong.append(f"{path.name}:{call.lineno}: {text}")
    assert wrong == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_catalogues_translate_every_text_and_no_others(path: Path, found: Texts) -> None:
    catalogue = polib.pofile(str(path))
    known = {key_of(entry) for entry in catalogue if not entry.obsolete}
    remedy = "run `make texts`, then translate what it names"
    assert sorted(set(found) - known) == [], remedy
    assert sorted(known - set(found)) == [], remedy
    assert f"{renewed(catalogue, found)}\n" == path.read_text("utf-8"), remedy
    assert [entry.msgid for entry in catalogue if not entry.translated()] == [], remedy


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_translations_keep_placeholders_markup_and_full_stops(path: Path) -> None:
    for _key, english, form in _forms(path):
        assert placeholders(form) == placeholders(english), form
        assert sorted(MARKUP.findall(form)) == sorted(MARKUP.findall(english)), form
        assert form.endswith(".") == english.endswith("."), form
        assert form == form.strip(" ") or english != english.strip(" "), form


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_texts_fit_discords_limits(path: Path, found: Texts) -> None:
    for key, english, form in _forms(path):
        assert max(len(english), len(form)) <= found[key], form
        if key.context in ("command", "option"):
            assert NAME.fullmatch(form), form
            assert form == form.lower(), form


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_translations_use_translated_command_names(path: Path) -> None:
    language = LANGUAGES[path.stem]
    commands = {key.text for key, _english, _form in _forms(path) if key.context == "command"}
    for _key, english, form in _forms(path):
        named = [found for found in COMMAND.findall(english) if found[0] in commands]
        for names in named:
            shown = " ".join(language.pgettext("command", name) for name in names if name)
            assert f"/{shown}" in form, form


def test_every_language_names_itself() -> None:
    names = [native_name(language) for language in LANGUAGES]
    assert len(set(names)) == len(names)
    assert {native_name(ENGLISH), native_name("de")} == {"English", "Deutsch"}


def _read(source: str) -> Texts:
    found = Texts()
    read_source(source, "cogs/example.py", found)
    return found


@pytest.mark.parametrize(
    "source",
    [
        '_(f"Drone {number}")',
        '_("Drone {number}".format(number=1))',
        '_("a" + name)',
        '_("a" if yes else f"{b}")',
        'plural("one", f"{many}", 2)',
        'card.add(f"Drone {number}", "is out")',
        'Button(f"Recall {number}", "flight:recall:1")',
        'raise NotFound(f"there is no drone {number}")',
        'STATES = {"a": "waits"}\n_(STATES["a"])',
    ],
)
def test_untranslatable_texts_are_found(source: str) -> None:
    found = _read(source)
    assert len(found.faults) == 1
    assert "cogs/example.py:1:" in found.faults[0]


def test_texts_are_collected_from_the_source() -> None:
    found = _read(
        'STATES = {"a": N_("waits")}\n'
        '_(STATES["a"]) + _("yes" if good else "no").format(x=f"{y}")\n'
        'plural("one", "many", 2)\n'
        'card.add("Owner", name)\n'
        'seen.add("not a label")\n'
        'raise Conflict("drone {id} is out", id=1)\n'
        'reason_form(_("Why"), "a:b:1", _("They read this"))\n'
    )
    assert found.faults == []
    assert {(key.text, key.many) for key in found} == {
        *(("waits", ""), ("yes", ""), ("no", ""), ("one", "many"), ("Owner", "")),
        *(("drone {id} is out", ""), ("Why", ""), ("They read this", "")),
    }
    assert found[Key("", "Why")] == 45


def test_answers_use_the_members_language_or_the_communitys() -> None:
    with using_locale("de"):
        assert _("Owner") == "Eigentümer"
        with using_locale("fr"):
            assert _("Owner") == "Eigentümer"
        with using_locale("en-GB"):
            assert _("Owner") == "Owner"
        assert plural("{number} drone free", "{number} drones free", 1) == "1 Drohne frei"
        assert plural("{number} drone free", "{number} drones free", 2) == "2 Drohnen frei"
        assert (
            error_text(NotFound("there is no property {id}", id=7)) == "es gibt keine Immobilie 7"
        )
        assert error_text(InvalidData(FieldProblem("x", "too long"))) == "x: too long"
        wrong_size = FieldProblem("width", "must be {least} or more", least=0)
        text = error_text(InvalidData(wrong_size, FieldProblem("y", "must be a whole number")))
        assert text == "Breite: mindestens 0; y: nur eine ganze Zahl"
        assert _(N_("a text that nobody translated")) == "a text that nobody translated"
    assert _("Owner") == "Owner"
    assert translated_for("de", "command", "drone") == "drohne"
    assert translated_for("de", "", "drone") == "drone"


def test_every_field_of_every_request_has_a_name_that_people_know() -> None:
    fields = {
        _sent_name(info.validation_alias)
        for request in _subclasses(Request)
        if request.__module__.startswith(("webhook.queries", "webhook.protocol.wire"))
        for info in request.model_fields.values()
    }
    assert fields >= {"droneId", "from", "userId"}
    assert fields - FIELDS.keys() - {"x", "y", "z"} == set()


def _sent_name(alias: object) -> str:
    return str(alias.choices[0] if isinstance(alias, AliasChoices) else alias)


def _subclasses(model: type[Request]) -> Iterator[type[Request]]:
    for inner in model.__subclasses__():
        yield inner
        yield from _subclasses(inner)


def _catalogue(*entries: str) -> str:
    return "\n\n".join(('msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"', *entries))


@pytest.mark.parametrize("wrong", ["{nummer}", "{number.__class__}", "{number", "}"])
def test_a_translation_with_wrong_placeholders_stays_english(
    wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    language = compiled(
        _catalogue(
            f'msgid "Drone {{number}}"\nmsgstr "Drohne {wrong}"',
            'msgid "no title yet"\nmsgstr "noch ohne Titel"',
            'msgid "Owner"\nmsgstr ""',
        )
    )
    assert language.gettext("Drone {number}") == "Drone {number}"
    assert language.gettext("no title yet") == "noch ohne Titel"
    assert language.gettext("Owner") == "Owner"
    assert "Drone {number}" in caplog.text


@pytest.mark.parametrize(
    "text", ["\x00", "Drohne", 'msgid "a"\nDrohne "b"', 'msgid ""\nmsgstr "Plural-Forms: x\\n"']
)
def test_an_unusable_catalogue_is_skipped(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "xx.po").write_text(text, "utf-8")
    (tmp_path / "fr.po").write_text(_catalogue('msgid "Owner"\nmsgstr "Propriétaire"'), "utf-8")
    (tmp_path / "notes.txt").write_text("", "utf-8")
    languages = load(tmp_path)
    assert set(languages) == {ENGLISH, "fr"}
    assert languages["fr"].gettext("Owner") == "Propriétaire"
    assert "skipping the language xx" in caplog.text
