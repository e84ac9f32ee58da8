"""Lists in pages, and the buttons that turn them: what they show stands in their own ids."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import discord

from cogs.i18n.language import _
from cogs.ui.embeds import Button, CardBuilder, Colour, MessageContent
from cogs.ui.responder import Responder
from cogs.ui.text import fitting, length
from webhook.protocol.context import Context
from webhook.protocol.errors import NotFound

SIZE = 10
"""Rows of a page."""

LINES = 4_000
"""Characters of a page; its lines together stay below it, as each is bounded by the list."""

CUSTOM_ID = 100
ARGUMENT = 60
"""Characters, as Discord counts them, that a list may be told by its buttons."""


@dataclass(frozen=True, slots=True)
class ListRows:
    """A part of a list, a line for each row. `total`: how many rows there are, None: uncounted."""

    title: str
    lines: list[str]
    empty: str
    total: int | None = None

    @classmethod
    def part(cls, title: str, every: list[str], empty: str, limit: int, offset: int) -> "ListRows":
        """Take the part out of a list that is read whole anyway."""
        return cls(title, every[offset : offset + limit], empty, len(every))


ListReader = Callable[[Context, str, int, int], Awaitable[ListRows]]
"""Reads rows for whoever asks: of which argument, how many, how many to pass over.

Raises:
    SentinelError: they may not, or there is nothing that the argument names.
"""


async def list_page(
    context: Context,
    lists: Mapping[str, ListReader],
    name: str,
    argument: str = "",
    number: int = 0,
) -> MessageContent:
    """Show a page of a list, the first is 0; of one that has got shorter, the last page."""
    read = lists.get(name)
    if read is None:
        raise NotFound("this button is from another version of the bot")
    # One row more tells whether there is another page.
    rows = await read(context, argument, SIZE + 1, number * SIZE)
    if not rows.lines and number:
        last = _last_page(rows.total) if rows.total is not None else 0
        return await list_page(context, lists, name, argument, min(last, number - 1))
    lines = rows.lines[:SIZE]
    shown = fitting(lines, "\n", LINES) or rows.empty
    embed = CardBuilder(rows.title, Colour.NORMAL, shown).build()
    is_more = len(rows.lines) > SIZE
    if not is_more and not number:
        return MessageContent([embed])
    embed.set_footer(text=_place(number, len(lines), rows.total))
    return MessageContent([embed], _buttons(name, argument, number, rows.total, is_more=is_more))


def _place(number: int, shown: int, total: int | None) -> str:
    if total is not None:
        return _("Page {page} of {pages}").format(page=number + 1, pages=_last_page(total) + 1)
    return f"{number * SIZE + 1}–{number * SIZE + shown}"


def _last_page(total: int) -> int:
    return max(0, total - 1) // SIZE


def _buttons(
    name: str, argument: str, number: int, total: int | None, *, is_more: bool
) -> tuple[Button, ...]:
    def button(turn: str, label: str, to: int, *, possible: bool) -> Button:
        return Button(label, custom_id(turn, name, to, argument), disabled=not possible)

    turns = [
        button("f", _("First"), 0, possible=number > 0),
        button("p", _("Previous"), max(0, number - 1), possible=number > 0),
        button("n", _("Next"), number + 1, possible=is_more),
    ]
    if total is not None:
        turns.append(button("l", _("Last"), _last_page(total), possible=is_more))
    return tuple(turns)


def custom_id(turn: str, name: str, number: int, argument: str) -> str:
    """Return the id of a button that shows a page of a list."""
    written = f"page:{turn}:{name}:{number}:{argument}"
    if length(written) > CUSTOM_ID:
        raise ValueError(f"too long for a button: {written}")
    return written


class PageButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=re.compile(
        r"page:(?P<turn>[fpnl]):(?P<name>[a-z]+):(?P<number>[0-9]{1,9}):(?P<argument>.*)", re.DOTALL
    ),
):
    """Any button that turns a list: `page:n:properties:2:villa`."""

    def __init__(self, turn: str, name: str, number: int, argument: str) -> None:
        written = custom_id(turn, name, number, argument)
        super().__init__(discord.ui.Button(custom_id=written))
        self._name = name
        self._number = number
        self._argument = argument

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """Read the list and the page out of a button's id."""
        return cls(match["turn"], match["name"], int(match["number"]), match["argument"])

    async def callback(self, interaction: Any) -> None:
        """Show the page in place of the one that is shown, to whoever may still read it."""
        responder: Responder = interaction.client.responder
        async with responder.reporting_errors(interaction):
            await interaction.response.defer()
            context = await responder.linked_context(interaction)
            content = await list_page(
                context, interaction.client.lists, self._name, self._argument, self._number
            )
            await interaction.edit_original_response(
                embeds=content.embeds,
                view=content.view(),
                allowed_mentions=discord.AllowedMentions.none(),
            )
