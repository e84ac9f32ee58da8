"""Routing: which rule of the configuration sends an event where, and why.

Nothing here reads or writes anything: what a rule looks at is gathered by `cogs.routing.facts`.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, tzinfo
from fnmatch import fnmatchcase
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from cogs.i18n.language import N_, _
from cogs.ui.text import duration, either
from db.search import fold_case
from webhook.protocol.errors import InvalidValue

_CALLS = {
    True: N_("a 911 call"),
    False: N_("a 311 call"),
    None: N_("neither a 911 nor a 311 call"),
}
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class QuietHours:
    """Hours of the community's day, `end` excluded; they may reach over midnight."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> "QuietHours":
        """Read hours like `23:00-07:00`.

        Raises:
            InvalidValue: the text is not such hours, or begin and end are the same.
        """
        found = _HOURS.fullmatch(text.strip())
        if found is None:
            raise InvalidValue("invalid hours; write them like 23:00-07:00")
        hours = [int(number) for number in found.groups()]
        quiet = cls(time(hours[0], hours[1]), time(hours[2], hours[3]))
        if quiet.begin == quiet.end:
            raise InvalidValue(
                "the hours begin and end at the same time; leave out quiet for the whole day"
            )
        return quiet

    def covers(self, clock: time) -> bool:
        if self.begin < self.end:
            return self.begin <= clock < self.end
        return clock >= self.begin or clock < self.end

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"


@dataclass(frozen=True)
class RoutingFacts:
    """What rules look at in an event; blank or None is unknown, which matches no condition.

    `types` are the event's own name and, for a card's event, the one by which such a card is
    known: an EVENT_DISPATCH_NOTE about a call is an EVENT_DISPATCH_NEW too, as either may be first.
    `calls`: the kind of card whose role is called: a `panic` button was just pressed, an
    `emergency` call was just made, an `alarm` just began. Blank: it calls nobody by itself.
    """

    types: frozenset[str]
    is_panic: bool = False
    calls: str = ""
    priority: str = ""
    emergency: bool | None = None
    departments: frozenset[str] = frozenset()
    postal: str = ""
    text: str = ""
    properties: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Rule:
    """A rule; a condition that is None asks nothing. `silent` None leaves it to the other rules."""

    name: str
    types: Collection[str] | None = None
    priority: Sequence[str] | None = None
    emergency: bool | None = None
    departments: Sequence[str] | None = None
    postals: Sequence[str] | None = None
    keywords: Sequence[str] | None = None
    properties: Collection[int] | None = None
    channel: int = 0
    mention: int = 0
    thread: bool = False
    silent: bool | None = None
    quiet: QuietHours | None = None
    panics_always: bool = True
    is_from_discord: bool = False

    @property
    def label(self) -> str:
        """Its name, and that it was made with /route."""
        return f"{self.name} (/route)" if self.is_from_discord else self.name

    def conditions(self, facts: RoutingFacts) -> Iterator[tuple[bool, str]]:
        """Say of every given condition whether the event meets it, and why."""
        if self.types is not None:
            yield _one_of(_("type"), facts.types, sorted(self.types))
        if self.priority is not None:
            yield _one_of(_("priority"), [facts.priority], self.priority)
        if self.emergency is not None:
            yield facts.emergency is self.emergency, _(_CALLS[facts.emergency])
        if self.departments is not None:
            yield _one_of(_("department"), facts.departments, self.departments)
        if self.postals is not None:
            yield _postal(facts.postal, self.postals)
        if self.keywords is not None:
            yield _keyword(facts.text, self.keywords)
        if self.properties is not None:
            wanted = sorted(str(number) for number in self.properties)
            yield _one_of(_("property"), [str(number) for number in facts.properties], wanted)

    def is_silent(self, *, is_quiet: bool) -> bool:
        """Tell whether the rule silences an event; with quiet hours only within them."""
        return bool(self.silent) and (self.quiet is None or is_quiet)

    def has_effect(self, *, is_quiet: bool) -> bool:
        """Tell whether the rule does anything now, even if only that it lets the event through."""
        is_inactive = self.silent and not self.is_silent(is_quiet=is_quiet)
        return not is_inactive or bool(self.channel or self.mention or self.thread)

    def is_quiet(self, facts: RoutingFacts, clock: time) -> bool:
        if self.quiet is None or (facts.is_panic and self.panics_always):
            return False
        return self.quiet.covers(clock)


@dataclass(frozen=True)
class Decision:
    """Where an event goes: `channel` names a channel of the channel map or is a channel's id.

    `thread`: its card gets a thread of its own. `is_quiet`: the quiet hours of the rule apply, so
    nobody is mentioned; `is_paused`: somebody paused mentions. `rule` is the one that matched, None
    without one; `explanation` has a line for each rule, and one for what is too late.
    """

    rule: str | None
    channel: str
    mention: int = 0
    thread: bool = False
    silent: bool = False
    is_quiet: bool = False
    explanation: list[str] = field(default_factory=list)
    is_paused: bool = False


class Pause(NamedTuple):
    """Nobody is mentioned in a channel of the map, anywhere if it is blank, but for panics.

    `until`: in milliseconds since 1970; `by`: who began it.
    """

    channel: str
    until: int
    by: str


class Router:
    """The rules in their order, and the roles that are mentioned without them.

    `roles`: by the kind of card that calls them, `panic`, `emergency` or `alarm`. `ping_within`:
    milliseconds after which it is too late to mention anybody.
    """

    def __init__(
        self,
        rules: Sequence[Rule] = (),
        zone: tzinfo = UTC,
        roles: Mapping[str, int] = MappingProxyType({}),
        ping_within: int = 120_000,
        pauses: Sequence[Pause] = (),
    ) -> None:
        self.pauses = tuple(pauses)
        self.rules = tuple(rules)
        self._zone = zone
        self._roles = roles
        self._ping_within = ping_within

    @property
    def channels(self) -> frozenset[int]:
        return frozenset(rule.channel for rule in self.rules if rule.channel)

    def is_too_late(self, age: int) -> bool:
        """Return whether something came too late to mention anybody."""
        return age > self._ping_within

    def default(self, usual: str, *, calls: str, age: int = 0) -> Decision:
        """Decide as without rules; `usual` is the event's channel of the channel map."""
        decision = Decision(None, usual, self._roles.get(calls, 0))
        return self._without_late_mention(decision, age)

    def paused_until(self, channel: str) -> int:
        """Return when the last pause of a channel ends or ended, 0 without one."""
        return max((one.until for one in self.pauses if one.channel in ("", channel)), default=0)

    def _paused(self, decision: Decision, usual: str, at: int) -> Decision:
        """Drop the mention during a pause of the event's channel, which is no panic."""
        end = self.paused_until(usual)
        if at >= end:
            return decision
        until = datetime.fromtimestamp(end / 1000, self._zone)
        reason = _("nobody is mentioned until {time}: /pause").format(time=f"{until:%H:%M}")
        explanation = [*decision.explanation, reason]
        return replace(decision, mention=0, is_paused=True, explanation=explanation)

    def decide(self, facts: RoutingFacts, at: int, usual: str, age: int = 0) -> Decision:
        """Decide by the first rule that matches where an event goes.

        `at`: when it was received, in milliseconds since 1970; `age`: how many after it happened;
        `usual`: its channel of the channel map.
        """
        decision = self._without_late_mention(self._decide(facts, at, usual), age)
        return decision if facts.is_panic else self._paused(decision, usual, at)

    def _without_late_mention(self, decision: Decision, age: int) -> Decision:
        """Drop the mention for what happened too long ago for anybody to hurry there."""
        if not self.is_too_late(age) or not decision.mention:
            return decision
        late = _("nobody is mentioned, as it came {duration} late")
        reason = late.format(duration=duration(age))
        return replace(decision, mention=0, explanation=[*decision.explanation, reason])

    def _decide(self, facts: RoutingFacts, at: int, usual: str) -> Decision:
        default = self.default(usual, calls=facts.calls)
        clock = datetime.fromtimestamp(at / 1000, self._zone).time()
        matched: Rule | None = None
        explanation = []
        for rule in self.rules:
            if matched is not None:
                text = _("{rule}: not checked, as {first} matched")
                explanation.append(text.format(rule=rule.label, first=matched.label))
                continue
            matches, reason = _check(rule, facts, clock)
            explanation.append(f"{rule.label}: {_('yes') if matches else _('no')}, {reason}")
            matched = rule if matches else None
        if matched is None:
            return replace(default, explanation=explanation)
        is_quiet = matched.is_quiet(facts, clock)
        return Decision(
            matched.name,
            str(matched.channel) if matched.channel else default.channel,
            0 if is_quiet else matched.mention or default.mention,
            matched.thread,
            matched.is_silent(is_quiet=is_quiet),
            is_quiet,
            explanation,
        )


def _check(rule: Rule, facts: RoutingFacts, clock: time) -> tuple[bool, str]:
    conditions = list(rule.conditions(facts))
    unmet = [reason for is_met, reason in conditions if not is_met]
    if unmet:
        return False, "; ".join(unmet)
    is_quiet = rule.is_quiet(facts, clock)
    is_within = rule.quiet is not None and rule.quiet.covers(clock)
    if not rule.has_effect(is_quiet=is_quiet):
        if is_within:
            return False, _("panics are posted at any hour")
        text = _("it is silent only {hours}, and it was {time}")
        return False, text.format(hours=rule.quiet, time=f"{clock:%H:%M}")
    reasons = [reason for _is_met, reason in conditions] or [_("it has no conditions")]
    if is_within:
        within = _("within its quiet hours {hours}")
        not_for_panics = _("its quiet hours {hours} do not apply to panics")
        reasons.append((within if is_quiet else not_for_panics).format(hours=rule.quiet))
    return True, "; ".join(reasons)


def _one_of(what: str, found: Collection[str], wanted: Sequence[str]) -> tuple[bool, str]:
    folded = {text.casefold() for text in wanted}
    values = sorted(filter(None, found))
    for text in values:
        if text.casefold() in folded:
            return True, f"{what} {text}"
    return False, _unmet(what, ", ".join(values), wanted)


def _postal(postal: str, patterns: Sequence[str]) -> tuple[bool, str]:
    for pattern in patterns:
        if postal and fnmatchcase(postal.casefold(), pattern.casefold()):
            text = _("postal {postal} matches {pattern}")
            return True, text.format(postal=postal, pattern=pattern)
    return False, _unmet(_("postal"), postal, patterns)


def _keyword(text: str, keywords: Sequence[str]) -> tuple[bool, str]:
    folded = fold_case(text)
    for keyword in keywords:
        if _whole_words(fold_case(keyword)).search(folded):
            return True, _("contains “{keyword}”").format(keyword=keyword)
    return False, _("does not contain {keywords}").format(keywords=either(keywords))


def _unmet(what: str, found: str, wanted: Sequence[str]) -> str:
    return _("{what} {found}, not {wanted}").format(
        what=what, found=found or _("unknown"), wanted=either(wanted)
    )


@cache
def _whole_words(keyword: str) -> re.Pattern[str]:
    """Find a folded keyword that is not a part of a longer word; blanks in it may be any."""
    words = r"\s+".join(map(re.escape, keyword.split()))
    return re.compile(rf"(?<!\w){words}(?!\w)")
