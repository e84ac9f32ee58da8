"""Buttons that outlive a restart: what a click does stands in the button's own id."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Self

import discord

from cogs.ui.responder import Responder
from webhook.protocol.errors import NotFound

ButtonHandler = Callable[[Responder, discord.Interaction, int], Awaitable[None]]
"""Does what a button says to the thing of this number."""


ControlHandler = Callable[[Responder, discord.Interaction, str, list[str]], Awaitable[None]]
"""Does what a control says to the thing of this name, with the values that a menu chose."""


class CardButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"(?P<action>[a-z]+:[a-z]+):(?P<number>[0-9]{1,18})",
):
    """Any button on a card: `removal:approve:12`."""

    def __init__(self, action: str, number: int) -> None:
        super().__init__(discord.ui.Button(custom_id=f"{action}:{number}"))
        self._action = action
        self._number = number

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """Read the action and the number out of a button's id."""
        return cls(match["action"], int(match["number"]))

    async def callback(self, interaction: Any) -> None:
        """Do what the button says."""
        responder: Responder = interaction.client.responder
        presses: dict[str, ButtonHandler] = interaction.client.presses
        async with responder.reporting_errors(interaction):
            press = presses.get(self._action)
            if press is None:
                raise NotFound("this button is from another version of the bot")
            await press(responder, interaction, self._number)


class Control(
    discord.ui.DynamicItem[discord.ui.Item[Any]],
    template=r"(?P<action>[a-z]+:[a-z]+):(?P<name>[a-z_.]+)",
):
    """A button or a menu about something that has a name: `setup:pick:channels.emergency`."""

    def __init__(self, item: discord.ui.Item[Any], action: str, name: str) -> None:
        super().__init__(item)
        self._action = action
        self._name = name

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """Read the action and the name out of a control's id."""
        return cls(item, match["action"], match["name"])

    async def callback(self, interaction: Any) -> None:
        """Do what the control says."""
        responder: Responder = interaction.client.responder
        controls: dict[str, ControlHandler] = interaction.client.controls
        async with responder.reporting_errors(interaction):
            choose = controls.get(self._action)
            if choose is None:
                raise NotFound("this button is from another version of the bot")
            await choose(responder, interaction, self._name, interaction.data.get("values", []))
