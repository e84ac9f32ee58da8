"""The Discord settings that count: the file's, with what `/setup` chose laid over them."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import tzinfo
from typing import Any

from pydantic import ValidationError

from bot import secrets
from bot.settings import (
    AlarmSettings,
    Channels,
    DiscordSettings,
    Roles,
    RuleSettings,
    Settings,
)
from cogs.cards import CARDS
from cogs.escalation import DISPATCHERS, SUPERVISORS, EscalationLevel, EscalationPlan
from cogs.routing.community import DEFAULT, CommunityTexts
from cogs.routing.facts import CARD_EVENTS
from cogs.routing.layout import CATEGORY, PRESET, SUPERVISOR_ROLES, Layout, merged_layout, single_id
from cogs.routing.rules import QuietHours, Router, Rule
from cogs.routing.stored import StoredRouting
from cogs.setup.cad_pages import GameServerAccess
from cogs.ui.permissions import RoleScopes
from webhook.protocol.context import Scope
from webhook.protocol.errors import Conflict, InvalidData
from webhook.protocol.wire import field_problem

log = logging.getLogger(__name__)

SECOND = 1000
MINUTE = 60 * SECOND


SINGLE = ("guild_id", "panic_role", "emergency_role", "alarm_role")
"""Settings of `[discord]` that hold one id."""


def layout_of(settings: Settings) -> dict[str, tuple[int, ...]]:
    """Return the ids in the settings under the names that `/setup` stores its choices by.

    No file names the category that `/setup` creates, nor which channels that are.
    """
    discord = settings.discord
    return {
        CATEGORY: (),
        PRESET: (),
        **{name: _one(getattr(discord, name)) for name in SINGLE},
        SUPERVISOR_ROLES: tuple(settings.alarms.supervisor),
        **{f"channels.{name}": _one(channel_id) for name, channel_id in discord.channels},
        **{f"roles.{name}": tuple(ids) for name, ids in discord.roles},
    }


def apply_setup(settings: Settings, chosen: Layout) -> Settings:
    """Return the file's settings, except where `/setup` chose something else."""
    layout = merged_layout(layout_of(settings), chosen)
    discord = settings.discord.model_copy(
        update={
            **{name: single_id(layout, name) for name in SINGLE},
            "channels": Channels(
                **{name: single_id(layout, f"channels.{name}") for name in Channels.model_fields}
            ),
            "roles": Roles(**{name: list(layout[f"roles.{name}"]) for name in Roles.model_fields}),
        }
    )
    supervisor = list(layout[SUPERVISOR_ROLES])
    alarms = settings.alarms.model_copy(update={"supervisor": supervisor})
    return settings.model_copy(update={"discord": discord, "alarms": alarms})


def file_texts(settings: Settings) -> CommunityTexts:
    return CommunityTexts(settings.community.language, settings.community.timezone)


def effective_texts(settings: Settings, chosen: CommunityTexts) -> CommunityTexts:
    """Return the language and the time zone that count."""
    return chosen.or_else(file_texts(settings)).or_else(DEFAULT)


def channels_in_use(discord: DiscordSettings) -> dict[str, int]:
    """Return the channels in use: by their name in the channel map, or by the id that a rule gives.

    Without a token every channel is in use and goes to the log.
    """
    mapped = discord.channels.model_dump()
    mapped["board"] = mapped["board"] or mapped["units"]
    from_rules = {str(rule.channel): rule.channel for rule in discord.rules if rule.channel}
    if not discord.token:
        return dict.fromkeys([*mapped, *from_rules], 0)
    return {name: channel_id for name, channel_id in mapped.items() if channel_id} | from_rules


def threaded_channels(discord: DiscordSettings) -> dict[int, str]:
    """Return the channels in which rules have threads opened, with the name of such a rule."""
    mapped = discord.channels.model_dump()
    found: dict[int, str] = {}
    for rule in reversed([rule for rule in discord.rules if rule.thread]):
        types = None if rule.types is None else set(rule.types)
        usual = {
            mapped.get(CARDS[kind].channel, 0)
            for kind, name in CARD_EVENTS.items()
            if types is None or name in types
        }
        found |= dict.fromkeys([rule.channel] if rule.channel else usual, rule.name)
    return {number: name for number, name in found.items() if number}


def with_rules(settings: Settings, stored: StoredRouting) -> Settings:
    """Return the settings with the rules that were made in Discord, which come first.

    One that this version does not understand is left out.
    """
    rules: list[RuleSettings] = []
    for fields in stored.rules:
        try:
            rules.append(RuleSettings(**fields))
        except ValidationError as fault:
            log.error("the rule %r of /route cannot be used: %s", fields.get("name"), fault)
    rules += settings.discord.rules
    discord = settings.discord.model_copy(update={"rules": rules})
    return settings.model_copy(update={"discord": discord})


def checked_rule(fields: Mapping[str, Any]) -> Rule:
    """Make a rule as of the file.

    Raises:
        InvalidData: the file would not take a field either.
        Conflict: it would not take the fields together.
    """
    try:
        return _rule(RuleSettings(**fields))
    except ValidationError as fault:
        problems = [field_problem(".".join(map(str, one["loc"])), one) for one in fault.errors()]
        if problems[0].field:
            raise InvalidData(*problems) from None
        raise Conflict(problems[0].sentence, **problems[0].values) from None


def build_router(
    discord: DiscordSettings,
    zone: tzinfo,
    stored: StoredRouting = StoredRouting(),  # noqa: B008 - a tuple
) -> Router:
    in_discord = {fields["name"] for fields in stored.rules}
    return Router(
        [replace(_rule(rule), is_from_discord=rule.name in in_discord) for rule in discord.rules],
        zone,
        {
            "panic": discord.panic_role,
            "emergency": discord.emergency_role,
            "alarm": discord.alarm_role,
        },
        discord.ping_within_seconds * SECOND,
        stored.pauses,
    )


def build_role_scopes(discord: DiscordSettings) -> RoleScopes:
    ids = {
        Scope.READ: frozenset(discord.roles.viewer),
        Scope.WRITE: frozenset(discord.roles.dispatcher),
        Scope.APPROVE: frozenset(discord.roles.approver),
        Scope.ADMIN: frozenset(discord.roles.admin),
    }
    return RoleScopes(ids, discord.guild_id, frozenset(channels_in_use(discord).values()))


def escalation_plan(alarms: AlarmSettings, discord: DiscordSettings) -> EscalationPlan:
    """Return when alarms escalate; a level without a time or without roles is left out."""
    levels = {
        DISPATCHERS: (alarms.call_after_minutes, discord.roles.dispatcher),
        SUPERVISORS: (alarms.call_supervisor_after_minutes, alarms.supervisor),
    }
    return EscalationPlan(
        {
            number: EscalationLevel(minutes * MINUTE, tuple(filter(None, roles)))
            for number, (minutes, roles) in levels.items()
            if minutes and any(roles)
        },
        alarms.quiet_after_minutes * MINUTE,
        alarms.release_after_minutes * MINUTE,
    )


def _rule(rule: RuleSettings) -> Rule:
    quiet = None if rule.quiet is None else QuietHours.parse(rule.quiet)
    return Rule(**{**dict(rule), "quiet": quiet})


def _one(number: int) -> tuple[int, ...]:
    return (number,) if number else ()


def game_server_access(settings: Settings) -> GameServerAccess:
    """Return how the game server reaches the bot, with the token of the client that fits best.

    That is the first one with the scope `write`, or else the first that may do more; the generated
    one where none is configured.
    """
    http = settings.http
    host = "127.0.0.1" if http.host in ("", "0.0.0.0", "::") else http.host  # noqa: S104
    address = f"[{host}]" if ":" in host else host
    scheme = "http" if http.certificate is None else "https"
    tokens = {client.scope: client.token for client in reversed(settings.websocket.clients)}
    token = tokens.get("write") or tokens.get("admin") or ""
    if not tokens:
        token = secrets.client_token(settings).value
    return GameServerAccess(f"{scheme}://{address}:{http.port}", token)
