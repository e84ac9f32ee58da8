"""What players wrote is shown as they wrote it, and does nothing."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cogs.ui.text import (
    ANONYMOUS,
    BLANK,
    duration,
    fitting,
    inert,
    inert_line,
    length,
    plain_line,
    timestamp,
    who,
)
from tests.cogs.hostile_texts import alive, invisible, texts, unescaped, units
from tests.cogs.markdown import look
from webhook.protocol.clean_text import clean_text

limits = st.integers(1, 120)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("*x*", "emphasis"),
        ("||x||", "emphasis"),
        ("@everyone", "mention"),
        ("<@1>", "mention"),
        ("<t:1:R>", "mention"),
        ("[a](b)", "link"),
        ("https://b.example", "link"),
        ("x\n# x", "block"),
        ("  1. x", "block"),
        ("\u00a0> x", "block"),
        ("x\\", "half an escape"),
    ],
)
def test_the_markdown_model_finds_markup(text: str, what: str) -> None:
    assert what in alive(text)


@pytest.mark.parametrize("text", ["a-b #1 > 3", "up 10.5 km", "50% - yes", "\\*x\\*", "a\\b: c/d"])
def test_the_markdown_model_leaves_plain_text_alone(text: str) -> None:
    assert alive(text) == []


@given(texts, limits)
@example("\u00a0# heading", 50)
@example("x\n\u3000- item", 50)
@example("😀" * 10, 5)
def test_an_inert_text_is_short_visible_and_without_markup(text: str, limit: int) -> None:
    shown = inert(text, limit)
    assert units(shown) <= limit
    assert invisible(shown) == []
    assert alive(shown) == []
    assert shown.strip()


@given(texts, limits)
def test_an_inert_line_is_a_single_line(text: str, limit: int) -> None:
    shown = inert_line(text, limit)
    assert units(shown) <= limit
    assert alive(shown) == invisible(shown) == []
    assert "\n" not in shown
    assert "\t" not in shown


@given(texts)
def test_unescaping_an_inert_text_gives_the_original(text: str) -> None:
    cleaned = clean_text(text)
    assert unescaped(inert(text, 100_000, blank="")) == cleaned
    assert unescaped(inert_line(text, 100_000, blank="")) == " ".join(cleaned.split())


@given(texts)
@example("00.example/x")
@example("x\n1.gg/")
def test_an_inert_text_renders_as_it_was_written(text: str) -> None:
    assert look(inert(text, 100_000, blank="")) == (clean_text(text), [])


@given(texts, limits)
def test_a_shortened_text_ends_in_an_ellipsis(text: str, limit: int) -> None:
    shown, cleaned = inert(text, limit, blank=""), clean_text(text)
    assert unescaped(shown) == cleaned or shown.endswith("…")


@given(texts, limits)
def test_a_shortened_text_is_a_prefix_of_the_original(text: str, limit: int) -> None:
    shown = unescaped(inert(text, limit, blank=""))
    cleaned = clean_text(text)
    assert cleaned.startswith(shown.removesuffix("…"))
    if shown != cleaned and text.isprintable() and text == text.strip():
        assert shown.endswith("…")


@given(texts, limits)
def test_a_plain_line_is_short_visible_and_a_single_line(text: str, limit: int) -> None:
    line = plain_line(text, limit)
    assert units(line) <= limit
    assert invisible(line) == []
    assert "\n" not in line


@given(texts)
def test_length_is_counted_in_utf_16(text: str) -> None:
    assert length(text) == units(text)


@given(st.lists(st.text(max_size=20), max_size=20), st.integers(30, 200), st.integers(0, 30))
def test_fitting_counts_what_it_leaves_out(items: list[str], limit: int, total: int) -> None:
    shown = fitting(items, ", ", limit, total)
    assert units(shown) <= limit + len(", ")
    if shown != ", ".join(items):
        assert shown.endswith(" more")


@pytest.mark.parametrize("nothing", ["", "  \n", "\u200b\u202e", "\u3164", "\x00"])
def test_an_invisible_text_is_blank(nothing: str) -> None:
    assert inert(nothing, 10) == BLANK
    assert inert_line(nothing, 10, blank=ANONYMOUS) == ANONYMOUS


@pytest.mark.parametrize(
    ("caller", "shown"),
    [
        ("discord:42", "<@42>"),
        ("discord:4²", "discord:4²"),
        ("discord:42>", "discord:42>"),
        ("discord:@everyone", "discord:\\@everyone"),
        ("script", "script"),
        ("", BLANK),
    ],
)
def test_only_members_are_mentioned(caller: str, shown: str) -> None:
    assert who(caller) == shown


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (-5, "0 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (3_599_999, "59 min"),
        (7_500_000, "2 h 5 min"),
    ],
)
def test_durations_are_short(milliseconds: int, text: str) -> None:
    assert duration(milliseconds) == text


def test_timestamps_use_discords_format() -> None:
    assert timestamp(1_795_339_800_999) == "<t:1795339800:T> (<t:1795339800:R>)"


@pytest.mark.parametrize("limit", range(1, 12))
def test_cut_text_does_not_end_with_a_joiner(limit: int) -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
    assert not plain_line(family, limit).endswith("\u200d")
    assert "\u200d…" not in inert(family, limit)
