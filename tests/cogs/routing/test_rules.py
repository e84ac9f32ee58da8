"""Rules: what they match, what they do, when they rest, and how a bad one is told."""

import os
import re
from datetime import UTC, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.offline import route
from bot.discord_settings import build_router, channels_in_use
from bot.settings import DiscordSettings
from bot.settings.config import ConfigError, load
from cogs.cards import CARDS
from cogs.delivery.explain import resolve_event
from cogs.feeds import FEEDS
from cogs.routing.facts import facts_of_event, gather_facts
from cogs.routing.rules import Decision, QuietHours, Router, RoutingFacts, Rule
from db.database import Database
from webhook import cad
from webhook.protocol.bus import StoredEvent
from webhook.protocol.errors import SentinelError
from webhook.protocol.events import EVENTS, SYSTEM_EVENTS, Subject

NOON = 1_795_348_800_000
"""2026-11-22T12:00:00Z"""

HOUR = 60 * 60 * 1000
MIDNIGHT = NOON + 12 * HOUR
CALL = RoutingFacts(
    types=frozenset({"EVENT_DISPATCH_NEW"}),
    priority="1",
    departments=frozenset({"LSPD", "SAFR"}),
    postal="8031",
    text="Armed robbery\nTwo shots  fired",
    properties=frozenset({3}),
)
PANIC = RoutingFacts(types=frozenset({"EVENT_UNIT_PANIC"}), is_panic=True, calls="panic")


def decide(facts: RoutingFacts, *rules: Rule, at: int = NOON) -> Decision:
    return Router(rules, roles={"panic": 99}).decide(facts, at, "home")


@pytest.mark.parametrize("rules", [[], [Rule("any", mention=7)]])
def test_nobody_is_mentioned_for_what_comes_too_late(rules: list[Rule]) -> None:
    router = Router(rules, roles={"panic": 99}, ping_within=60_000)
    in_time, late = (router.decide(PANIC, NOON, "home", age) for age in (60_000, 60_001))
    assert in_time.mention
    assert (late.mention, late.channel, late.rule) == (0, in_time.channel, in_time.rule)
    assert late.explanation[-1] == "nobody is mentioned, as it came 1 min late"
    assert router.default("home", calls="panic", age=60_001).mention == 0


@pytest.mark.parametrize(
    "rule",
    [
        Rule("any"),
        Rule("type", types=frozenset({"visits", "EVENT_DISPATCH_NEW"})),
        Rule("priority", priority=("Immediate", "1")),
        Rule("department", departments=("lspd",)),
        Rule("postal", postals=("9*", "80?1")),
        Rule("keyword", keywords=("SHOTS fired",)),
        Rule("property", properties=frozenset({7, 3})),
        Rule("all", priority=("1",), postals=("8031",), keywords=("robbery",)),
    ],
    ids=lambda rule: rule.name,
)
def test_a_rule_matches_if_every_given_condition_is_met(rule: Rule) -> None:
    assert decide(CALL, rule).rule == rule.name


@pytest.mark.parametrize(
    "rule",
    [
        Rule("type", types=frozenset({"EVENT_911"})),
        Rule("priority", priority=("2", "11")),
        Rule("emergency", emergency=False),
        Rule("department", departments=("LS",)),
        Rule("postal", postals=("803",)),
        Rule("keyword", keywords=("shot", "rob")),
        Rule("property", properties=frozenset({30})),
        Rule("one of all", priority=("1",), postals=("9*",)),
    ],
    ids=lambda rule: rule.name,
)
def test_a_rule_does_not_match_if_one_condition_is_unmet(rule: Rule) -> None:
    assert decide(CALL, rule).rule is None


@pytest.mark.parametrize(
    "rule",
    [
        Rule("priority", priority=("1",)),
        Rule("emergency", emergency=True),
        Rule("civil", emergency=False),
        Rule("department", departments=("LSPD",)),
        Rule("postal", postals=("*",)),
        Rule("keyword", keywords=("shots",)),
        Rule("property", properties=frozenset({3})),
    ],
    ids=lambda rule: rule.name,
)
def test_unknown_facts_do_not_match_any_condition(rule: Rule) -> None:
    assert decide(RoutingFacts(frozenset({"visits"})), rule).rule is None


def test_the_first_matching_rule_wins_and_every_rule_is_explained() -> None:
    decision = decide(
        CALL,
        Rule("civil", emergency=False, silent=True),
        Rule("near", postals=("80*",), channel=12, mention=34),
        Rule("rest", channel=56),
    )
    assert (decision.rule, decision.channel, decision.mention, decision.silent) == (
        "near",
        "12",
        34,
        False,
    )
    assert decision.explanation == [
        "civil: no, neither a 911 nor a 311 call",
        "near: yes, postal 8031 matches 80*",
        "rest: not checked, as near matched",
    ]


def test_without_a_rule_the_channel_map_and_the_panic_role_apply() -> None:
    assert decide(CALL) == Decision(None, "home")
    assert decide(PANIC) == Decision(None, "home", 99)
    cleared = RoutingFacts(PANIC.types, is_panic=True)
    assert decide(cleared).mention == 0


def test_a_panic_keeps_its_role_if_the_rule_has_no_mention() -> None:
    assert decide(PANIC, Rule("elsewhere", channel=5)).mention == 99
    assert decide(PANIC, Rule("others", mention=7)).mention == 7


@pytest.mark.parametrize(
    ("hours", "inside", "outside"),
    [
        ("23:00-07:00", ["23:00", "00:00", "06:59"], ["07:00", "12:00", "22:59"]),
        ("12:00-13:30", ["12:00", "13:29"], ["11:59", "13:30", "00:00"]),
    ],
)
def test_quiet_hours_reach_over_midnight_and_end_is_excluded(
    hours: str, inside: list[str], outside: list[str]
) -> None:
    quiet = QuietHours.parse(hours)
    assert all(quiet.covers(time.fromisoformat(clock)) for clock in inside)
    assert not any(quiet.covers(time.fromisoformat(clock)) for clock in outside)


@pytest.mark.parametrize(
    "text", ["", "23-7", "24:00-07:00", "23:60-07:00", "07:00-07:00", "7:00-8:00"]
)
def test_invalid_hours_are_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r"hours|time"):
        QuietHours.parse(text)


def test_in_quiet_hours_nobody_is_mentioned() -> None:
    rule = Rule("night", mention=7, quiet=QuietHours.parse("23:00-07:00"))
    assert decide(CALL, rule, at=NOON).mention == 7
    night = decide(CALL, rule, at=MIDNIGHT)
    assert (night.rule, night.mention, night.silent) == ("night", 0, False)
    assert night.explanation == [
        "night: yes, it has no conditions; within its quiet hours 23:00-07:00"
    ]


def test_a_silent_rule_with_quiet_hours_silences_only_within_them() -> None:
    night = Rule("night", silent=True, quiet=QuietHours.parse("23:00-07:00"))
    day = Rule("day", channel=5)
    assert decide(CALL, night, day, at=MIDNIGHT).silent
    noon = decide(CALL, night, day, at=NOON)
    assert (noon.rule, noon.channel, noon.silent) == ("day", "5", False)
    assert noon.explanation[0] == "night: no, it is silent only 23:00-07:00, and it was 12:00"


def test_quiet_hours_are_in_the_time_zone_of_the_community() -> None:
    rule = Rule("night", silent=True, quiet=QuietHours.parse("23:00-07:00"))
    router = Router([rule], ZoneInfo("America/Los_Angeles"))
    assert router.decide(CALL, NOON, "home").silent  # 04:00 there


def test_quiet_hours_do_not_apply_to_panics_by_default() -> None:
    hours = QuietHours.parse("23:00-07:00")
    always = decide(PANIC, Rule("night", mention=7, quiet=hours), at=MIDNIGHT)
    assert always.mention == 7
    kept = decide(PANIC, Rule("night", silent=True, quiet=hours), at=MIDNIGHT)
    assert (kept.silent, kept.mention) == (False, 99)
    assert kept.explanation == ["night: no, panics are posted at any hour"]
    never = Rule("night", silent=True, quiet=hours, panics_always=False)
    assert decide(PANIC, never, at=MIDNIGHT).silent
    hushed = Rule("night", channel=5, quiet=hours, panics_always=False)
    assert decide(PANIC, hushed, at=MIDNIGHT).mention == 0


def test_a_rule_that_is_not_silent_lets_events_through() -> None:
    decision = decide(CALL, Rule("these", priority=("1",), silent=False), Rule("all", silent=True))
    assert (decision.rule, decision.channel, decision.silent) == ("these", "home", False)


RULES: dict[str, tuple[str, str]] = {
    "unknown type": ('types = ["EVENT_912"]\nsilent = true', "did you mean EVENT_911?"),
    "strange type": ('types = ["zzz"]\nsilent = true', "not an event"),
    "no effect": ('types = ["visits"]', "the rule does nothing"),
    "silent and more": ("silent = true\nchannel = 5", "is always silent"),
    "bad hours": ('silent = true\nquiet = "23-7"', "invalid hours"),
    "no hours": ('silent = true\nquiet = "07:00-07:00"', "begin and end at the same time"),
    "quiet alone": ('channel = 5\nquiet = "23:00-07:00"', "quiet hours of the rule"),
    "empty list": ("postals = []\nsilent = true", "discord.rules.0.postals"),
    "unknown key": ("chanel = 5\nsilent = true", "did you mean channel?"),
    "twice": ('silent = true\n[[discord.rules]]\nname = "it"\nsilent = true', "two rules"),
}


@pytest.mark.parametrize(("written", "fault"), RULES.values(), ids=RULES)
def test_a_bad_rule_is_reported_in_one_line(tmp_path: Path, written: str, fault: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[[discord.rules]]\nname = "it"\n{written}\n', "utf-8")
    with pytest.raises(ConfigError) as refused:
        load(config)
    assert len(refused.value.faults) == 1
    assert fault in refused.value.faults[0]


def test_a_full_rule_is_read(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        """
        [[discord.rules]]
        name = "shots fired"
        types = ["events.EVENT_911", "alerts"]
        priority = [1, "Immediate"]
        emergency = true
        departments = ["LSPD"]
        postals = ["80*", 8031]
        keywords = ["shots", "robbery"]
        properties = [3, 7]
        channel = 1234
        mention = 5678
        quiet = "23:00-07:00"
        """,
        "utf-8",
    )
    settings = load(config).discord
    assert settings.rules[0].types == ["EVENT_911", "alerts"]
    assert settings.rules[0].priority == ["1", "Immediate"]
    assert build_router(settings, UTC).rules
    assert DiscordSettings.model_validate(settings.model_dump(mode="json")) == settings
    assert channels_in_use(settings)["1234"] == 0  # no token: it goes to the log
    with_token = settings.model_copy(update={"token": "t"})
    assert channels_in_use(with_token) == {"1234": 1234}


async def test_a_typed_event_may_be_a_push_or_an_event(database: Database) -> None:
    push = '{"call": {"callId": 4, "isEmergency": false, "metaData": {"postal": "8031"}}}'
    for written in (push, '{"callId": 4, "isEmergency": false, "postal": "8031"}'):
        event = await resolve_event(database.read, "event_911", written)
        facts = await gather_facts(database.read, event, event.subjects[0])
        assert (facts.emergency, facts.postal) == (False, "8031")


@pytest.mark.parametrize("name", [*cad.EVENTS, *EVENTS, *SYSTEM_EVENTS])
async def test_every_event_can_be_typed_alone(database: Database, name: str) -> None:
    event = await resolve_event(database.read, name, None)
    for subject in (None, *event.subjects):
        assert name in (await gather_facts(database.read, event, subject)).types
    assert event.subjects or event.name in FEEDS or name == "scanned"
    assert all(subject.kind in CARDS for subject in event.subjects)


@pytest.mark.parametrize(
    ("typed", "data", "why"),
    [
        ("EVENT_912", None, "did you mean EVENT_911?"),
        ("12", None, "no event 12"),
        ("visits", "[", "JSON"),
        ("visits", "[]", "JSON"),
    ],
)
async def test_an_unknown_event_is_rejected(
    database: Database, typed: str, data: str | None, why: str
) -> None:
    with pytest.raises(SentinelError, match=re.escape(why)):
        await resolve_event(database.read, typed, data)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
_ABOUT_UNITS = ["idents", "unit", "units", "primary", "isPanic"]
_ABOUT_CALLS = ["priority", "postal", "isEmergency", "title", "description", "note", "notes"]
_FIELDS = st.sampled_from(
    [*_ABOUT_UNITS, *_ABOUT_CALLS, "record", "propertyId", "id", "body", "name"]
)


@given(data=st.dictionaries(_FIELDS, _JSON), kind=st.sampled_from(sorted(CARDS)))
def test_facts_can_be_read_from_any_data(data: dict[str, Any], kind: str) -> None:
    written = orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS) if _fits(data) else b"{}"
    event = StoredEvent(1, NOON, "cad.EVENT_911", [], written)
    for subject in (None, Subject(kind, "1@cad")):
        assert router().decide(facts_of_event(event, subject), NOON, "home").channel == "home"


def router() -> Router:
    rule = Rule(
        "all",
        types=frozenset({"x"}),
        priority=("1",),
        emergency=True,
        departments=("x",),
        postals=("[!*",),
        keywords=("(", "a b"),
        properties=frozenset({1}),
    )
    return Router([rule])


def _fits(data: object) -> bool:
    try:
        orjson.dumps(data)
    except orjson.JSONEncodeError:
        return False
    return True


async def test_the_command_line_needs_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    assert await route(load(None), "EVENT_UNIT_PANIC", None, say=said.append) == 0
    assert said == [
        "EVENT_UNIT_PANIC",
        "card: goes to panic by the channel map",
        "- there are no rules",
    ]
    assert await route(load(None), "12", None, say=said.append) == 1
    assert said[-1] == "the journal has no event 12"
    assert os.listdir(tmp_path) == []
