"""The Discord settings that count: the file's, with what `/setup` chose laid over them."""

from datetime import tzinfo

from bot import secrets
from bot.settings import (
    AlarmSettings,
    Channels,
    DiscordSettings,
    Roles,
    RuleSettings,
    Settings,
)
from cogs.escalation import DISPATCHERS, SUPERVISORS, EscalationLevel, EscalationPlan
from cogs.routing.layout import Layout, merged_layout, single_id
from cogs.routing.rules import QuietHours, Router, Rule
from cogs.setup.pages import GameServerAccess
from cogs.ui.permissions import RoleScopes
from webhook.protocol.context import Scope

SECOND = 1000
MINUTE = 60 * SECOND


def layout_of(discord: DiscordSettings) -> dict[str, tuple[int, ...]]:
    """Return the ids in the settings under the names that `/setup` stores its choices by."""
    return {
        "guild_id": _one(discord.guild_id),
        "panic_role": _one(discord.panic_role),
        **{f"channels.{name}": _one(channel_id) for name, channel_id in discord.channels},
        **{f"roles.{name}": tuple(ids) for name, ids in discord.roles},
    }


def apply_setup(discord: DiscordSettings, chosen: Layout) -> DiscordSettings:
    """Return the file's settings, except where `/setup` chose something else."""
    layout = merged_layout(layout_of(discord), chosen)
    return discord.model_copy(
        update={
            "guild_id": single_id(layout, "guild_id"),
            "panic_role": single_id(layout, "panic_role"),
            "channels": Channels(
                **{name: single_id(layout, f"channels.{name}") for name in Channels.model_fields}
            ),
            "roles": Roles(**{name: list(layout[f"roles.{name}"]) for name in Roles.model_fields}),
        }
    )


def channels_in_use(discord: DiscordSettings) -> dict[str, int]:
    """Return the channels in use: by their name in the channel map, or by the id that a rule gives.

    Without a token every channel is in use and goes to the log.
    """
    mapped = discord.channels.model_dump()
    from_rules = {str(rule.channel): rule.channel for rule in discord.rules if rule.channel}
    if not discord.token:
        return dict.fromkeys([*mapped, *from_rules], 0)
    return {name: channel_id for name, channel_id in mapped.items() if channel_id} | from_rules


def build_router(discord: DiscordSettings, zone: tzinfo) -> Router:
    return Router(
        [_rule(rule) for rule in discord.rules],
        zone,
        discord.panic_role,
        discord.ping_within_seconds * SECOND,
    )


def build_role_scopes(discord: DiscordSettings) -> RoleScopes:
    ids = {
        Scope.READ: frozenset(discord.roles.viewer),
        Scope.WRITE: frozenset(discord.roles.dispatcher),
        Scope.APPROVE: frozenset(discord.roles.approver),
        Scope.ADMIN: frozenset(discord.roles.admin),
    }
    return RoleScopes(ids, discord.guild_id)


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
