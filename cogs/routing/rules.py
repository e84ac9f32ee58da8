"""Routing: which rule of the configuration sends an event where, and why.

Nothing here reads or writes anything: what a rule looks at is gathered by `cogs.routing.facts`.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, tzinfo
from fnmatch import fnmatchcase
from functools import cache, partial

from cogs.i18n.language import N_, _
from cogs.ui.text import either

_CALLS = {
    True: N_("a 911 call"),
    False: N_("a 311 call"),
    None: N_("neither a 911 nor a 311 call"),
}
Reason = Callable[[], str]
"""Says why; put into words only for those who ask."""

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
            ValueError: the text is not such hours, or begin and end are the same.
        """
        found = _HOURS.fullmatch(text.strip())
        if found is None:
            raise ValueError("invalid hours; write them like '23:00-07:00'")
        hours = [int(number) for number in found.groups()]
        quiet = cls(time(hours[0], hours[1]), time(hours[2], hours[3]))
        if quiet.begin == quiet.end:
            raise ValueError(
                "the hours begin and end at the same time; leave out quiet for the whole day"
            )
        return quiet

    def covers(self, clock: time) -> bool:
        """Tell whether a time of day lies within the hours."""
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
    `is_pressed`: it is a panic, and the button was just pressed.
    """

    types: frozenset[str]
    is_panic: bool = False
    is_pressed: bool = False
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
    types: frozenset[str] | None = None
    priority: tuple[str, ...] | None = None
    emergency: bool | None = None
    departments: tuple[str, ...] | None = None
    postals: tuple[str, ...] | None = None
    keywords: tuple[str, ...] | None = None
    properties: frozenset[int] | None = None
    channel: int = 0
    mention: int = 0
    silent: bool | None = None
    quiet: QuietHours | None = None
    panics_always: bool = True

    def conditions(self, facts: RoutingFacts) -> Iterator[tuple[bool, Reason]]:
        """Say of every given condition whether the event meets it, and why."""
        if self.types is not None:
            yield _one_of(N_("type"), facts.types, self.types)
        if self.priority is not None:
            yield _one_of(N_("priority"), _set(facts.priority), self.priority)
        if self.emergency is not None:
            yield facts.emergency is self.emergency, lambda: _(_CALLS[facts.emergency])
        if self.departments is not None:
            yield _one_of(N_("department"), facts.departments, self.departments)
        if self.postals is not None:
            yield self._postal(facts.postal)
        if self.keywords is not None:
            yield self._keyword(facts.text)
        if self.properties is not None:
            found = {str(number) for number in facts.properties}
            yield _one_of(N_("property"), found, {str(number) for number in self.properties})

    def is_silent(self, *, is_quiet: bool) -> bool:
        """Tell whether the rule keeps an event back; with quiet hours only within them."""
        return bool(self.silent) and (self.quiet is None or is_quiet)

    def has_effect(self, *, is_quiet: bool) -> bool:
        """Tell whether the rule does anything now, be it that it lets the event through."""
        is_resting = self.silent and not self.is_silent(is_quiet=is_quiet)
        return not is_resting or bool(self.channel or self.mention)

    def is_quiet(self, facts: RoutingFacts, clock: time) -> bool:
        """Tell whether the quiet hours hold for the event."""
        if self.quiet is None or (facts.is_panic and self.panics_always):
            return False
        return self.quiet.covers(clock)

    def _postal(self, postal: str) -> tuple[bool, Reason]:
        wanted = self.postals or ()
        for pattern in wanted:
            if postal and fnmatchcase(postal.casefold(), pattern.casefold()):
                return True, partial(_like, postal, pattern)
        return False, partial(_not, N_("postal"), postal, wanted)

    def _keyword(self, text: str) -> tuple[bool, Reason]:
        wanted = self.keywords or ()
        for keyword in wanted:
            if _whole_words(keyword).search(text):
                return True, partial(_says, keyword)
        return False, partial(_does_not_say, wanted)


@dataclass(frozen=True)
class Decision:
    """Where an event goes: `channel` names a channel of the channel map or is a channel's id.

    `is_quiet`: the quiet hours of the rule hold, so nobody is called.
    `rule` is the one that matched, None without one; `reasons` has one for each rule.
    """

    rule: str | None
    channel: str
    mention: int = 0
    silent: bool = False
    is_quiet: bool = False
    reasons: tuple[Reason, ...] = ()

    @property
    def explanation(self) -> list[str]:
        """A line on each rule."""
        return [reason() for reason in self.reasons]


class Router:
    """The rules in their order, and the role that a pressed panic button mentions without them."""

    def __init__(self, rules: Sequence[Rule] = (), zone: tzinfo = UTC, panic_role: int = 0) -> None:
        self._rules = tuple(rules)
        self._zone = zone
        self._panic_role = panic_role

    @property
    def has_rules(self) -> bool:
        """Whether there is anything to look at in an event."""
        return bool(self._rules)

    @property
    def channels(self) -> frozenset[int]:
        """The channels that rules send to."""
        return frozenset(rule.channel for rule in self._rules if rule.channel)

    def default(self, home: str, *, is_pressed: bool) -> Decision:
        """Decide as without rules; `home` is the event's channel of the channel map."""
        return Decision(None, home, self._panic_role if is_pressed else 0)

    def decide(self, facts: RoutingFacts, at: int, home: str) -> Decision:
        """Decide by the first rule that matches where an event goes.

        `at`: when it happened, in milliseconds; `home`: its channel of the channel map.
        """
        decision = usual = self.default(home, is_pressed=facts.is_pressed)
        reasons = list[Reason]()
        clock = datetime.fromtimestamp(at / 1000, self._zone).time()
        for rule in self._rules:
            if decision.rule is not None:
                reasons.append(partial(_comes_later, rule.name, decision.rule))
                continue
            matches, reason = _asked(rule, facts, clock)
            reasons.append(partial(_answered, rule.name, matches, reason))
            if matches:
                decision = _follow(rule, facts, clock, usual)
        return replace(decision, reasons=tuple(reasons))


def _asked(rule: Rule, facts: RoutingFacts, clock: time) -> tuple[bool, Reason]:
    """Ask a rule whether it matches, and why."""
    met = list(rule.conditions(facts))
    missed = [reason for is_met, reason in met if not is_met]
    if missed:
        return False, partial(_all_of, missed)
    if not rule.has_effect(is_quiet=rule.is_quiet(facts, clock)):
        if rule.quiet is not None and rule.quiet.covers(clock):
            return False, lambda: _("panics are posted at any hour")
        return False, partial(_rests, rule.quiet, clock)
    reasons: list[Reason] = [reason for _is_met, reason in met]
    reasons = reasons or [lambda: _("it has no conditions")]
    if rule.quiet is not None and rule.quiet.covers(clock):
        reasons.append(partial(_within, rule.quiet, rule.is_quiet(facts, clock)))
    return True, partial(_all_of, reasons)


def _follow(rule: Rule, facts: RoutingFacts, clock: time, usual: Decision) -> Decision:
    is_quiet = rule.is_quiet(facts, clock)
    return Decision(
        rule.name,
        str(rule.channel) if rule.channel else usual.channel,
        0 if is_quiet else rule.mention or usual.mention,
        rule.is_silent(is_quiet=is_quiet),
        is_quiet,
    )


def _set(text: str) -> frozenset[str]:
    return frozenset({text} if text else ())


def _one_of(
    what: str, found: frozenset[str] | set[str], wanted: Sequence[str] | frozenset[str] | set[str]
) -> tuple[bool, Reason]:
    """Tell whether one of the event's values is wanted, whatever the case of its letters."""
    folded = {text.casefold() for text in wanted}
    for text in sorted(found):
        if text.casefold() in folded:
            return True, partial(_is, what, text)
    return False, partial(_not, what, ", ".join(sorted(found)), wanted)


def _is(what: str, found: str) -> str:
    return f"{_(what)} {found}"


def _not(what: str, found: str, wanted: Sequence[str] | frozenset[str] | set[str]) -> str:
    texts = wanted if isinstance(wanted, tuple) else sorted(wanted)
    return _("{what} {found}, not {wanted}").format(
        what=_(what), found=found or _("unknown"), wanted=either(texts)
    )


def _like(postal: str, pattern: str) -> str:
    return _("postal {postal} matches {pattern}").format(postal=postal, pattern=pattern)


def _says(keyword: str) -> str:
    return _("contains {keyword!r}").format(keyword=keyword)


def _does_not_say(keywords: Sequence[str]) -> str:
    return _("does not contain {keywords}").format(keywords=either(keywords))


def _rests(quiet: QuietHours | None, clock: time) -> str:
    text = _("it is silent only {hours}, and it was {time}")
    return text.format(hours=quiet, time=f"{clock:%H:%M}")


def _within(quiet: QuietHours, holds: bool) -> str:
    within = _("within its quiet hours {hours}")
    return (within if holds else _("its quiet hours {hours} do not apply to panics")).format(
        hours=quiet
    )


def _comes_later(rule: str, first: str) -> str:
    return _("{rule}: not checked, as {first} matched").format(rule=rule, first=first)


def _answered(rule: str, matches: bool, reason: Reason) -> str:
    return f"{rule}: {_('yes') if matches else _('no')}, {reason()}"


def _all_of(reasons: Sequence[Reason]) -> str:
    return "; ".join(reason() for reason in reasons)


@cache
def _whole_words(keyword: str) -> re.Pattern[str]:
    """Find a keyword that is not a part of a longer word; blanks in it may be any."""
    words = r"\s+".join(map(re.escape, keyword.split()))
    return re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE)
