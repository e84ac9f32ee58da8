"""Removes invisible characters from text that comes from outside."""

import re
import unicodedata
from collections.abc import Iterator

_SEPARATORS = re.compile("\r\n|[\r\v\f\x1c-\x1f\x85\u2028\u2029]")
"""What parts lines or words elsewhere; two words must not become one."""

_JOINER = "\u200c\u200d"
_KEPT = frozenset(f"\n\t{_JOINER}")
_JOINERS = re.compile(f"[{_JOINER}]+")
_JOINING_SCRIPTS = re.compile(
    "ARABIC|SYRIAC|NKO|MANDAIC|MONGOLIAN|DEVANAGARI|BENGALI|GURMUKHI|GUJARATI|ORIYA|TAMIL|TELUGU"
    "|KANNADA|MALAYALAM|SINHALA|KHMER|MYANMAR|TIBETAN|BALINESE|JAVANESE"
)
"""Scripts, as the names of their letters begin, that need joiners to be written correctly."""

_EMOJI = re.compile("[\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")
_EMOJI_END = re.compile(f"{_EMOJI.pattern}|\ufe0f")
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0d\uffa0\ufff0-\ufff8"
    "\U00016fe4\U0001d159\U000e0000-\U000e0fff]"
)
"""Invisible letters, marks and unassigned characters; not U+FE0F, which makes signs emoji."""

_UNWANTED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me"})
_MAX_MARKS = 4
"""Combining marks per letter: more than any language needs; further ones are removed."""


def clean_text(text: str, limit: int | None = None) -> str:
    """Remove invisible characters: controls, bidi marks, zero-width and private ones.

    Of the marks on one letter only the first few stay. Line feeds and tabs stay, other separators
    become blanks, and joiners stay where emoji or the script need them; `limit` counts characters
    and bounds the work on huge input.
    """
    if not text:
        return ""
    if limit is not None:
        text = text[: limit * 2]
    if text.isascii() and text.isprintable():
        return text.strip()[:limit].rstrip()
    text = _SEPARATORS.sub(lambda found: "\n" if found[0] == "\r\n" else " ", text)
    visible = _JOINERS.sub(_needed_joiner, _visible(text)).strip()
    return trim_end(visible[:limit])


def trim_end(text: str) -> str:
    """Remove blanks and joiners from the end of a text that may have been cut."""
    return text.rstrip().rstrip(_JOINER)


def _needed_joiner(found: re.Match[str]) -> str:
    """Return the joiner if it stands between two emoji or two letters of a script that joins."""
    text, start, end = found.string, found.start(), found.end()
    before, after = text[start - 1 : start], text[end : end + 1]
    is_emoji = _EMOJI_END.fullmatch(before) and _EMOJI.fullmatch(after)
    script = _script(before)
    is_script = script == _script(after) and _JOINING_SCRIPTS.fullmatch(script)
    return found[0][0] if is_script or (is_emoji and found[0][0] == "\u200d") else ""


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0] if character else ""


def _visible(text: str) -> str:
    """Return the visible characters, and joiners."""
    text = _INVISIBLE.sub("", text)
    # A long text has few different characters, and most have no marks.
    categories = {character: unicodedata.category(character) for character in set(text)}
    unwanted = [
        character
        for character, category in categories.items()
        if category in _UNWANTED_CATEGORIES and character not in _KEPT
    ]
    if unwanted:
        text = text.translate(dict.fromkeys(map(ord, unwanted)))
    if _MARKS.isdisjoint(categories.values()):
        return text
    return "".join(_with_few_marks(text, categories))


def _with_few_marks(text: str, categories: dict[str, str]) -> Iterator[str]:
    """Yield the characters without what is too many marks; a mark needs a letter before it."""
    marks = _MAX_MARKS
    for character in text:
        if categories[character] in _MARKS:
            marks += 1
            if marks > _MAX_MARKS:
                continue
        elif character not in _JOINER:
            marks = _MAX_MARKS if character.isspace() else 0
        yield character
