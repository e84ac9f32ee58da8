"""Redacted texts are recognised wherever they stand, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.protocol.redacted_texts import (
    RedactedTexts,
    read_redaction,
    redaction_of,
    written_redaction,
)

GONE = "(redacted)"


def _texts(*texts: str) -> RedactedTexts:
    return RedactedTexts(found for text in texts if (found := redaction_of(text)) is not None)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("You filthy pig", GONE),
        ("  you FILTHY\n\npig!!! ", GONE),
        ("you fil\u200bthy pig", GONE),
        ("**you** \\*filthy\\* pig", GONE),
        ("911: You filthy pig, come here", f"911: {GONE}, come here"),
        ("you filthy pig you filthy pig", f"{GONE} {GONE}"),
        ("you filthy pigs", "you filthy pigs"),
        ("filthy pig", "filthy pig"),
        ("", ""),
    ],
)
def test_a_text_is_recognised_however_it_is_written(text: str, shown: str) -> None:
    assert _texts("You filthy pig!").replace(text, GONE) == shown


def test_a_single_word_is_part_of_nothing_unless_that_is_asked_for() -> None:
    texts = _texts("Slur")
    assert texts.replace("slur.", GONE) == GONE
    assert texts.replace("Slur Street", GONE) == "Slur Street"
    assert texts.replace("Slur Street", GONE, single_words=True) == f"{GONE} Street"


def test_signs_alone_are_a_text_too() -> None:
    texts = _texts("🖕 🖕")
    assert texts.replace("🖕🖕", GONE) == GONE
    assert texts.replace("🖕", GONE) == "🖕"
    assert redaction_of(" \u200b ") is None


def test_a_failed_request_is_undone() -> None:
    texts = _texts("first of all")
    other = redaction_of("something else")
    assert other is not None

    def fail() -> None:
        with texts.changed(add=[other]):
            assert texts.replace("something else", GONE) == GONE
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert texts.replace("something else", GONE) == "something else"
    assert texts.replace("first of all", GONE) == GONE


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_redacted_between_any_others(before: str, text: str, after: str) -> None:
    redaction = redaction_of(text)
    if redaction is None:
        return
    assert read_redaction(written_redaction(redaction)) == redaction
    texts = RedactedTexts([redaction])
    assert texts.replace(text, GONE) == GONE
    if redaction.words > 1 and any(character.isalnum() for character in text):
        joined = texts.replace(f"{before} | {text} | {after}", GONE)
        assert GONE in joined


@given(st.text(max_size=40))
def test_a_forged_value_is_ignored(value: str) -> None:
    assert read_redaction(value) is None or len(value) > 60
