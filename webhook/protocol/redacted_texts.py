"""Texts that moderators redacted: recognised by the digests of their words, wherever they stand."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import blake2b

from db.redactions import Redaction
from webhook.protocol.clean_text import clean_text

_WORD = re.compile(r"[^\W_]+")
_SIGN = re.compile(r"\S")

_DIGEST_BYTES = 16
_WRITTEN = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{32})\.([0-9]{1,6})")


class RedactedTexts:
    """The redacted texts of the community, in memory as in the database.

    A text of one word is recognised where nothing else is said, as it may be part of anything;
    longer ones also inside other texts. Case, blanks, punctuation and markup make no difference.
    """

    def __init__(self, texts: Iterable[Redaction] = ()) -> None:
        self._texts = set(texts)
        self._index()

    def replace(self, text: str, shown: str, *, single_words: bool = False) -> str:
        """Return a text with `shown` in the place of what is redacted.

        `single_words`: also those that stand between others.
        """
        if not self._texts:
            return text
        # An invisible character must not part a word.
        cleaned = clean_text(text)
        words = _words(cleaned)
        if not words:
            return text
        if _digest(words) in self._digests:
            return shown
        least = 1 if single_words else 2
        parts: list[str] = []
        number = end = 0
        while number < len(words):
            length = self._length_at(words, number, least)
            if length:
                parts += [cleaned[end : words[number].start()], shown]
                end = words[number + length - 1].end()
            number += length or 1
        return "".join([*parts, cleaned[end:]]) if parts else text

    @contextmanager
    def changed(
        self, *, add: Iterable[Redaction] = (), remove: Iterable[Redaction] = ()
    ) -> Iterator[None]:
        """Redact texts, or show them again, from now on; as before if the block fails."""
        added, removed = set(add) - self._texts, set(remove) & self._texts
        self._change(added, removed)
        try:
            yield
        except BaseException:
            self._change(removed, added)
            raise

    def _change(self, added: set[Redaction], removed: set[Redaction]) -> None:
        self._texts = (self._texts | added) - removed
        self._index()

    def _index(self) -> None:
        self._digests = {text.digest for text in self._texts}
        lengths = defaultdict[bytes, set[int]](set)
        for text in self._texts:
            lengths[text.first].add(text.words)
        self._lengths = {first: sorted(found, reverse=True) for first, found in lengths.items()}

    def _length_at(self, words: list[re.Match[str]], start: int, least: int) -> int:
        """Return how many words from one on are redacted, 0 for none."""
        for length in self._lengths.get(_digest(words[start : start + 1]), ()):
            run = words[start : start + length]
            if length >= least and len(run) == length and _digest(run) in self._digests:
                return length
        return 0


def redaction_of(text: str) -> Redaction | None:
    """Return by what a text is recognised; None if there is nothing visible in it."""
    words = _words(clean_text(text))
    return Redaction(_digest(words), _digest(words[:1]), len(words)) if words else None


def _words(text: str) -> list[re.Match[str]]:
    """Return the words of a text; of one that has none, its signs."""
    return list(_WORD.finditer(text)) or list(_SIGN.finditer(text))


def _digest(words: list[re.Match[str]]) -> bytes:
    text = " ".join(unicodedata.normalize("NFKC", word[0]).casefold() for word in words)
    return blake2b(text.encode("utf-8", "replace"), digest_size=_DIGEST_BYTES).digest()


def written_redaction(text: Redaction) -> str:
    """Write by what a text is recognised, for the value of a menu."""
    return f"{text.digest.hex()}.{text.first.hex()}.{text.words}"


def read_redaction(value: str) -> Redaction | None:
    """Read it again; None if it is not written so."""
    found = _WRITTEN.fullmatch(value)
    if found is None:
        return None
    return Redaction(bytes.fromhex(found[1]), bytes.fromhex(found[2]), int(found[3]))
