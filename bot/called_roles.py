"""Which roles messages mention, and in which channels they may do so."""

from collections.abc import Collection

from bot.discord_settings import channels_in_use, escalation_plan
from bot.settings import AlarmSettings, DiscordSettings, RuleSettings
from cogs.cards import CARDS
from cogs.delivery.explain import CARD_OF
from cogs.escalation import DISPATCHERS
from cogs.feeds import feed_of
from cogs.routing.facts import CARD_EVENTS
from cogs.routing.visibility import CalledRole
from webhook.protocol.events import CAD

PANICS = frozenset({CARD_EVENTS["panic"], CARD_EVENTS["emergency"]})
EMERGENCIES = frozenset({CARD_EVENTS["emergency"]})
ALARMS = frozenset({CARD_EVENTS["alarm"]})


def called_roles(alarms: AlarmSettings, discord: DiscordSettings) -> list[CalledRole]:
    """Return the roles that calls, rules or alarms that nobody acknowledges mention."""
    in_use = channels_in_use(discord)
    of_emergencies = CARDS["emergency"].channel
    of_panics = CARDS["panic"].channel
    usual = [
        (
            "panic_role",
            discord.panic_role,
            of_panics if of_panics in in_use else of_emergencies,
            PANICS,
        ),
        ("emergency_role", discord.emergency_role, of_emergencies, EMERGENCIES),
        ("alarm_role", discord.alarm_role, CARDS["alarm"].channel, ALARMS),
    ]
    moving = [rule for rule in discord.rules if not rule.mention]
    called = [
        (what, role, {channel, *_moved_to(moving, types)})
        for what, role, channel, types in usual
        if role
    ]
    for number, level in escalation_plan(alarms, discord).levels.items():
        what = "roles.dispatcher" if number == DISPATCHERS else "alarms.supervisor"
        channels = {CARDS["alarm"].channel, *_moved_to(discord.rules, ALARMS)}
        called += [(what, role, channels) for role in level.roles]
    called += [
        (f"rules.{rule.name}", rule.mention, _channels_of(rule, in_use))
        for rule in discord.rules
        if rule.mention
    ]
    return [
        CalledRole(what, role, tuple(sorted({in_use[name] for name in names & in_use.keys()})))
        for what, role, names in called
    ]


def _moved_to(rules: Collection[RuleSettings], types: Collection[str]) -> set[str]:
    """Return where rules send events of these types, if their other conditions are met."""
    return {
        str(rule.channel)
        for rule in rules
        if rule.channel and (rule.types is None or set(types) & set(rule.types))
    }


def _channels_of(rule: RuleSettings, in_use: Collection[str]) -> set[str]:
    """Return where a rule has its role mentioned: in its channel, or where its types go."""
    if rule.channel:
        return {str(rule.channel)}
    if rule.types is None:
        return set(in_use)
    cards = {CARDS[CARD_OF[name]].channel for name in rule.types if name in CARD_OF}
    feeds = [feed_of(name) or feed_of(f"{CAD}.{name}") for name in rule.types]
    return cards | {feed.channel for feed in feeds if feed is not None}
