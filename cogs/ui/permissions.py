"""Which Discord roles may do what, and what commands, buttons and lists require."""

from dataclasses import dataclass
from typing import Any

import discord
from discord.app_commands import Command

from cogs.i18n.language import N_, _, error_text
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
    works for a property of their own, which the operation checks, as only storage knows.
    """

    scope: Scope
    or_own: bool = False

    def require(self, caller: Caller) -> None:
        """Raise Forbidden unless the caller's scope suffices or ownership may allow it."""
        if not self.or_own:
            caller.must(self.scope)


_EXTRA = "permission"


def needs(scope: Scope, *, or_own: bool = False) -> dict[Any, Any]:
    """Return the extras of a command that requires this permission; the command tree checks it."""
    return {_EXTRA: Permission(scope, or_own)}


def permission_of(command: Command[Any, ..., Any]) -> Permission:
    permission: Permission = command.extras[_EXTRA]
    return permission


@dataclass(frozen=True)
class RoleScopes:
    """Role ids by scope. Members who can manage the server are admins, so that an owner can begin.

    That is the server `guild_id`; with 0, the only one that the bot is in. If it is in several,
    only roles count: the manager of one may be a stranger who invited the bot.
    """

    ids: dict[Scope, frozenset[int]]
    guild_id: int = 0

    def caller(self, interaction: discord.Interaction) -> Caller:
        """Return the member as a caller, with the highest scope of their roles.

        In the game they may be known by their Discord id; `Responder` adds the linked game user.
        """
        member = interaction.user
        held = {role.id for role in getattr(member, "roles", ())}
        scopes = [scope for scope, ids in self.ids.items() if ids & held]
        if interaction.permissions.manage_guild and self._is_home(interaction):
            scopes.append(Scope.ADMIN)
        name = f"discord:{member.id}"
        return Caller(name, max(scopes, default=Scope.NONE), (name, str(member.id)))

    def _is_home(self, interaction: discord.Interaction) -> bool:
        if self.guild_id:
            return interaction.guild_id == self.guild_id
        return [guild.id for guild in interaction.client.guilds] == [interaction.guild_id]

    def refusal_text(self, fault: Forbidden, least: Scope = Scope.NONE) -> str:
        """Say which role is missing: what failed may need less than the whole command does."""
        if fault.scope is None:
            return error_text(fault)
        scope = max(Scope[fault.scope], least)
        mentions = either(f"<@&{role_id}>" for role_id in sorted(self.ids.get(scope, ())))
        text = (
            _("This needs the {role} role: {mentions}.")
            if mentions
            else _("This needs the {role} role.")
        )
        return text.format(role=_(ROLE_OF_SCOPE[scope]), mentions=mentions)
