"""Buttons and menus that survive a restart: their id says what a press does, and to what.

A cog declares what its buttons do, and who may press them, beside the method that does it:

    @button("removal:approve", Scope.APPROVE)
    async def approve_button(self, interaction: discord.Interaction, removal_id: int) -> None: ...

A press of the button `removal:approve:12` then calls it with 12.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import discord

from cogs.ui.permissions import Permission
from cogs.ui.responder import Responder
from webhook.protocol.context import Scope
from webhook.protocol.errors import NotFound

Function = TypeVar("Function", bound=Callable[..., Awaitable[Any]])

_CUSTOM_ID = re.compile(r"(?P<action>[a-z]+:[a-z]+):(?P<argument>.*)", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,18}")
_SUBJECT = re.compile(r"[a-z]+:[0-9]{1,18}(\.[0-9]{1,9})?(@.+)?")
_DECLARED = "declared_components"


@dataclass(frozen=True)
class ButtonDeclaration:
    """The buttons that a method is for, by the actions their ids begin with."""

    actions: tuple[str, ...]
    permission: Permission
    read_argument: Callable[[str], Any]


Declaration = TypeVar("Declaration", bound=ButtonDeclaration)


def button(
    action: str, scope: Scope, *, or_own: bool = False, or_allowed: bool = False
) -> Callable[[Function], Function]:
    """Declare a method for a button on a card; it gets the number behind the action."""
    permission = Permission(scope, or_own, or_allowed)
    return declare(ButtonDeclaration((action,), permission, read_number))


def control(
    *actions: str,
    scope: Scope,
    or_allowed: bool = False,
    read_argument: Callable[[str], Any] = str,
) -> Callable[[Function], Function]:
    """Declare a method for buttons and menus; it gets the text behind the action."""
    permission = Permission(scope, or_allowed=or_allowed)
    return declare(ButtonDeclaration(actions, permission, read_argument))


def declare(declaration: ButtonDeclaration) -> Callable[[Function], Function]:
    """Write a declaration on a method."""

    def write(function: Function) -> Function:
        declared = getattr(function, _DECLARED, ())
        setattr(function, _DECLARED, (*declared, declaration))
        return function

    return write


def read_number(argument: str) -> int:
    """Read the number behind an action.

    Raises:
        OutdatedButton: it is none.
    """
    if _NUMBER.fullmatch(argument) is None:
        raise OutdatedButton
    return int(argument)


def read_subject(argument: str) -> str:
    """Read what a card is about, like `dispatch:10@county`, behind an action.

    Raises:
        OutdatedButton: it is none.
    """
    if _SUBJECT.fullmatch(argument) is None:
        raise OutdatedButton
    return argument


class OutdatedButton(NotFound):
    """A button that this version does not know."""

    def __init__(self) -> None:
        super().__init__("this button is from another version of the bot")


def declarations(owner: type, kind: type[Declaration]) -> list[tuple[Declaration, str]]:
    """Return a class's declarations of a kind with the names of their methods."""
    return [
        (declaration, name)
        for name, function in vars(owner).items()
        for declaration in getattr(function, _DECLARED, ())
        if type(declaration) is kind
    ]


class DeclaredMethods(Generic[Declaration]):
    """The methods of some objects by the actions that they are declared for."""

    def __init__(self, kind: type[Declaration], owners: Iterable[object]) -> None:
        self._found: dict[str, tuple[Declaration, Callable[..., Awaitable[Any]]]] = {}
        for owner in owners:
            for declaration, name in declarations(type(owner), kind):
                for action in declaration.actions:
                    if action in self._found:
                        raise ValueError(f"{action} is declared twice")
                    self._found[action] = declaration, getattr(owner, name)

    def find(self, custom_id: object) -> tuple[Declaration, Callable[..., Awaitable[Any]], str]:
        """Return what is declared for a custom id, and the text behind its action.

        Raises:
            OutdatedButton: nothing is.
        """
        found = _CUSTOM_ID.fullmatch(str(custom_id))
        if found is None or found["action"] not in self._found:
            raise OutdatedButton
        return (*self._found[found["action"]], found["argument"])


class Buttons:
    """Dispatches every press of a button or a menu to the method declared for it."""

    def __init__(self, responder: Responder, owners: Iterable[object]) -> None:
        self._responder = responder
        self._declared = DeclaredMethods(ButtonDeclaration, owners)

    async def press(self, interaction: discord.Interaction) -> None:
        """Check the permission and call the method; report errors to the member."""
        self._responder.begin(interaction)
        try:
            custom_id = interaction_data(interaction).get("custom_id")
            declaration, method, argument = self._declared.find(custom_id)
            self._responder.require(interaction, declaration.permission)
            await method(interaction, declaration.read_argument(argument))
        except Exception as fault:
            await self._responder.report_error(interaction, fault)


def chosen_values(interaction: discord.Interaction) -> list[str]:
    """Return what was chosen from a menu; empty for a button."""
    values = interaction_data(interaction).get("values")
    return [str(value) for value in values] if isinstance(values, list) else []


def interaction_data(interaction: discord.Interaction) -> Mapping[str, object]:
    """Return what Discord says of a press or a form."""
    return interaction.data or {}
