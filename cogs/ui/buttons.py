"""Buttons and menus that survive a restart: their id says what a press does, and to what.

A cog declares what its buttons do, and who may press them, beside the method that does it:

    @button("removal:approve", Scope.APPROVE)
    async def approve_button(self, interaction: discord.Interaction, removal_id: int) -> None: ...

A press of the button `removal:approve:12` then calls it with 12.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import discord

from cogs.ui.permissions import Permission
from cogs.ui.responder import Responder
from webhook.protocol.context import Scope
from webhook.protocol.errors import NotFound

Function = TypeVar("Function", bound=Callable[..., Awaitable[None]])

_CUSTOM_ID = re.compile(r"(?P<action>[a-z]+:[a-z]+):(?P<argument>.*)", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,18}")
_DECLARED = "declared_buttons"


@dataclass(frozen=True)
class ButtonDeclaration:
    """The buttons that a method is for, by the actions their ids begin with."""

    actions: tuple[str, ...]
    permission: Permission
    read_argument: Callable[[str], Any]


def button(action: str, scope: Scope, *, or_own: bool = False) -> Callable[[Function], Function]:
    """Declare a method for a button on a card; it gets the number behind the action."""
    return _declare(ButtonDeclaration((action,), Permission(scope, or_own), _number))


def control(*actions: str, scope: Scope) -> Callable[[Function], Function]:
    """Declare a method for buttons and menus; it gets the text behind the action."""
    return _declare(ButtonDeclaration(actions, Permission(scope), str))


def _declare(declaration: ButtonDeclaration) -> Callable[[Function], Function]:
    def declare(function: Function) -> Function:
        declared = getattr(function, _DECLARED, ())
        setattr(function, _DECLARED, (*declared, declaration))
        return function

    return declare


def _number(argument: str) -> int:
    if _NUMBER.fullmatch(argument) is None:
        raise OutdatedButton
    return int(argument)


class OutdatedButton(NotFound):
    """A button that this version does not know."""

    def __init__(self) -> None:
        super().__init__("this button is from another version of the bot")


def declared_buttons(owner: type) -> list[tuple[ButtonDeclaration, str]]:
    """Return a class's declarations with the names of their methods."""
    return [
        (declaration, name)
        for name, function in vars(owner).items()
        for declaration in getattr(function, _DECLARED, ())
    ]


class Buttons:
    """Dispatches every press of a button or a menu to the method declared for it."""

    def __init__(self, responder: Responder, owners: Iterable[object]) -> None:
        self._responder = responder
        self.declared: dict[str, ButtonDeclaration] = {}
        self._methods: dict[str, Callable[..., Awaitable[None]]] = {}
        for owner in owners:
            for declaration, name in declared_buttons(type(owner)):
                for action in declaration.actions:
                    if action in self.declared:
                        raise ValueError(f"the button {action} is declared twice")
                    self.declared[action] = declaration
                    self._methods[action] = getattr(owner, name)

    async def press(self, interaction: discord.Interaction) -> None:
        """Check the permission and call the method; report errors to the member."""
        self._responder.begin(interaction)
        try:
            found = _CUSTOM_ID.fullmatch(str(_data(interaction).get("custom_id")))
            declaration = self.declared.get(found["action"]) if found is not None else None
            if found is None or declaration is None:
                raise OutdatedButton
            self._responder.require(interaction, declaration.permission)
            argument = declaration.read_argument(found["argument"])
            await self._methods[found["action"]](interaction, argument)
        except Exception as fault:
            await self._responder.report_error(interaction, fault)


def chosen_values(interaction: discord.Interaction) -> list[str]:
    """Return what was chosen from a menu; empty for a button."""
    values = _data(interaction).get("values")
    return [str(value) for value in values] if isinstance(values, list) else []


def _data(interaction: discord.Interaction) -> Mapping[str, object]:
    return interaction.data or {}
