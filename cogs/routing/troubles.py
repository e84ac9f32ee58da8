"""What is wrong at present: one list, which /status, /healthz, the log and the log channel show.

Each part of the program that can tell that something is wrong adds a source to the list.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

KINDS = (
    "cad-api",
    "cad-silent",
    "channel",
    "clock",
    "command",
    "disk",
    "game-server",
    "guild",
    "messages",
    "role",
)
"""The kinds of troubles that are told in Discord; rules name them `sentinel.<kind>`."""


RETIRED_TYPES = ("sentinel.cad-back",)
"""Types in rules of earlier versions, which match nothing any more: an end is an edit."""


def type_of_trouble(key: str) -> str:
    """Return how rules name a trouble's kind."""
    return f"sentinel.{key.partition('.')[0]}"


TYPES = (*map(type_of_trouble, KINDS), *RETIRED_TYPES)


@dataclass(frozen=True)
class Trouble:
    """Something that is wrong, in the current language.

    `key`: its kind, and what it is about (`channel.drones`); it is the same in every language and
    after a restart. `sentence` says what is wrong, with no id and no name from Discord, as
    /healthz is public; `cure` how to mend it. `about`: the id of the channel or role in Discord.
    `since`: when it began, in milliseconds since 1970, if that is known. `is_told`: whether a
    message in Discord tells of it. `several`: what each would be about that it stands for, by the
    keys that they would have.
    """

    key: str
    sentence: str
    cure: str
    about: int = 0
    since: int | None = None
    is_told: bool = True
    several: Mapping[str, int] = field(default_factory=dict)

    def is_about(self, number: int | None) -> bool:
        """Tell whether it is about the channel or role with this id."""
        return bool(number) and (number == self.about or number in self.several.values())

    def __str__(self) -> str:
        return f"{self.sentence} {self.cure}".strip()


TroubleSource = Callable[[], Iterable[Trouble] | None]
"""Returns what is wrong now; None while that cannot be known."""


class Troubles:
    """The list of everything that is wrong; of several troubles with one key the first counts."""

    def __init__(self) -> None:
        self._sources: list[TroubleSource] = []

    def add(self, source: TroubleSource) -> None:
        self._sources.append(source)

    def present(self) -> list[Trouble]:
        """Return what is known to be wrong, in the current language."""
        return self.present_and_whether_all()[0]

    def present_and_whether_all(self) -> tuple[list[Trouble], bool]:
        """Return what is known to be wrong, and whether every source could tell."""
        found = [source() for source in self._sources]
        by_key: dict[str, Trouble] = {}
        every = [one for some in found for one in some or ()]
        told_together = {key for one in every for key in one.several}
        for trouble in every:
            if trouble.several or trouble.key not in told_together:
                by_key.setdefault(trouble.key, trouble)
        return list(by_key.values()), None not in found
