"""Which Discord roles may do what, and what commands, buttons and lists require."""

from dataclasses import dataclass
from typing import Any

import discord
from discord.app_commands import Command, ContextMenu

from cogs.i18n.errors import error_text
from cogs.i18n.language import N_, _
from cogs.ui.home import home_guild, several_servers
from cogs.ui.text import either
from webhook.protocol.context import Caller, Scope
from webhook.protocol.errors import Forbidden

ROLE_OF_SCOPE = {
    Scope.READ: N_("viewer"),
    Scope.WRITE: N_("dispatcher"),
    Scope.APPROVE: N_("approver"),
    Scope.ADMIN: N_("admin"),
}
"""The configured roles by what they allow; each may do what the ones before it may."""


@dataclass(frozen=True)
class Permission:
    """What a command, a button or a list requires of whoever uses it.

    `scope`: the least that one of their roles must allow; NONE is for everybody. `or_own`: it also
    works for the owner of a property, `or_allowed`: also for those on its access list, which the
    operation checks, as only storage knows.
    """

    scope: Scope
    or_own: bool = False
    or_allowed: bool = False

    @property
    def is_shared(self) -> bool:
        """Whether it may work for somebody without a role."""
        return self.or_own or self.or_allowed

    def require(self, caller: Caller) -> None:
        """Raise Forbidden unless the caller's scope suffices or a share may allow it."""
        if not self.is_shared:
            caller.must(self.scope)


EVERYBODY = Permission(Scope.NONE)

_EXTRA = "permission"


def needs(scope: Scope, *, or_own: bool = False, or_allowed: bool = False) -> dict[Any, Any]:
    """Return the extras of a command that requires this permission; the command tree checks it."""
    return {_EXTRA: Permission(scope, or_own, or_allowed)}


def permission_of(command: Command[Any, ..., Any] | ContextMenu) -> Permission:
    permission: Permission = command.extras[_EXTRA]
    return permission


@dataclass(frozen=True)
class RoleScopes:
    """Role ids by scope. Members who can manage the server are admins, so that an owner can begin.

    That is the server `guild_id`; with 0, the one that `home_guild` finds by the channels. Where
    it finds none, only roles count: the manager of one may be a stranger who invited the bot.
    """

    ids: dict[Scope, frozenset[int]]
    guild_id: int = 0
    channel_ids: frozenset[int] = frozenset()

    def caller(self, interaction: discord.Interaction) -> Caller:
        """Return the member as a caller, with the highest scope of their roles.

        In the game they may be known by their Discord id; `Responder` adds the linked game user.
        """
        member = interaction.user
        held = {role.id for role in getattr(member, "roles", ())}
        scopes = [scope for scope, ids in self.ids.items() if ids & held]
        if interaction.permissions.manage_guild and interaction.guild_id == self._home(interaction):
            scopes.append(Scope.ADMIN)
        name = f"discord:{member.id}"
        return Caller(name, max(scopes, default=Scope.NONE), (name, str(member.id)))

    def _home(self, interaction: discord.Interaction) -> int | None:
        return home_guild(interaction.client.guilds, self.guild_id, self.channel_ids)

    def unclear_server(self, interaction: discord.Interaction) -> str:
        """Tell who manages a server why that allows nothing yet; blank if it is not for that."""
        if not interaction.permissions.manage_guild or self._home(interaction) is not None:
            return ""
        return several_servers([(guild.id, guild.name) for guild in interaction.client.guilds])

    def rejection_text(self, fault: Forbidden, needed: Permission = EVERYBODY) -> str:
        """Say what is missing: a role, which what failed may need less than the whole does, or
        else a share in the property.
        """
        if fault.scope is None:
            return error_text(fault)
        scope = max(Scope[fault.scope], needed.scope)
        mentions = either(f"<@&{role_id}>" for role_id in sorted(self.ids.get(scope, ())))
        role = _("the {role} role: {mentions}") if mentions else _("the {role} role")
        text = _("This needs {role}.")
        if needed.or_allowed:
            text = _("This needs {role}, or to be the owner or on the access list of the property.")
        elif needed.or_own:
            text = _("This needs {role}, or to be the owner of the property.")
        return text.format(role=role.format(role=_(ROLE_OF_SCOPE[scope]), mentions=mentions))
