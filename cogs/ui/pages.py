"""Lists in pages, and the buttons that turn them: their ids say which page they show."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import discord

from cogs.i18n.language import _
from cogs.ui.buttons import OutdatedButton, control
from cogs.ui.embeds import Button, CardBuilder, Colour, MessageContent
from cogs.ui.permissions import Permission
from cogs.ui.responder import Responder
from cogs.ui.text import fitting, length
from webhook.protocol.context import Context, Scope

SIZE = 10
"""Rows of a page."""

LINES = 4_000
"""Characters of a page; lists bound their lines so that ten of them fit."""

CUSTOM_ID = 100
ARGUMENT = 60
"""Characters, as Discord counts them, of a list's argument in the ids of its buttons."""


@dataclass(frozen=True, slots=True)
class ListRows:
    """A part of a list, a line for each row. `total`: how many rows there are, None: uncounted."""

    title: str
    lines: list[str]
    empty: str
    total: int | None = None

    @classmethod
    def part(cls, title: str, every: list[str], empty: str, limit: int, offset: int) -> "ListRows":
        """Return a part of a list that is read whole anyway."""
        return cls(title, every[offset : offset + limit], empty, len(every))


ListReader = Callable[[Context, str, int, int], Awaitable[ListRows]]
"""Reads rows for the caller: of which argument, how many, how many to skip.

Raises:
    SentinelError: the caller may not read them, or the argument names nothing.
"""


@dataclass(frozen=True)
class PagedList:
    """A list that is shown in pages, and what reading it requires."""

    name: str
    permission: Permission
    read: ListReader

    async def page(self, context: Context, argument: str = "", number: int = 0) -> MessageContent:
        """Show a page, the first is 0; of a list that has got shorter, the last page.

        Raises:
            Forbidden: the caller may not read the list.
        """
        self.permission.require(context.caller)
        # One row more tells whether there is another page.
        rows = await self.read(context, argument, SIZE + 1, number * SIZE)
        if not rows.lines and number:
            last = _last_page(rows.total) if rows.total is not None else 0
            return await self.page(context, argument, min(last, number - 1))
        lines = rows.lines[:SIZE]
        shown = fitting(lines, "\n", LINES) or rows.empty
        embed = CardBuilder(rows.title, Colour.NORMAL, shown).build()
        is_more = len(rows.lines) > SIZE
        if not is_more and not number:
            return MessageContent([embed])
        embed.set_footer(text=_footer(number, len(lines), rows.total))
        buttons = _buttons(self.name, argument, number, rows.total, is_more=is_more)
        return MessageContent([embed], buttons)


class PagedLists(dict[str, PagedList]):
    """Lists by their names."""

    def declare(
        self, name: str, scope: Scope, *, or_own: bool = False
    ) -> Callable[[ListReader], PagedList]:
        """Declare a function as what reads the rows of a list."""

        def declare(read: ListReader) -> PagedList:
            self[name] = PagedList(name, Permission(scope, or_own), read)
            return self[name]

        return declare


def _footer(number: int, shown: int, total: int | None) -> str:
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

    buttons = [
        button("f", _("First"), 0, possible=number > 0),
        button("p", _("Previous"), max(0, number - 1), possible=number > 0),
        button("n", _("Next"), number + 1, possible=is_more),
    ]
    if total is not None:
        buttons.append(button("l", _("Last"), _last_page(total), possible=is_more))
    return tuple(buttons)


def custom_id(turn: str, name: str, number: int, argument: str) -> str:
    """Return the id of a button that shows a page of a list."""
    written = f"page:{turn}:{name}:{number}:{argument}"
    if length(written) > CUSTOM_ID:
        raise ValueError(f"too long for a button: {written}")
    return written


_PAGE = re.compile(r"(?P<name>[a-z]+):(?P<number>[0-9]{1,9}):(?P<argument>.*)", re.DOTALL)


def parse_page(text: str) -> tuple[str, int, str]:
    """Return which page of a list a button's id names: the list, the number, the list's argument.

    Raises:
        OutdatedButton: it names none.
    """
    found = _PAGE.fullmatch(text)
    if found is None:
        raise OutdatedButton
    return found["name"], int(found["number"]), found["argument"]


class PageTurner:
    """Turns the pages of lists: `page:n:properties:2:villa`."""

    def __init__(self, responder: Responder, lists: Mapping[str, PagedList]) -> None:
        self._responder = responder
        self._lists = lists

    @control("page:f", "page:p", "page:n", "page:l", scope=Scope.NONE)  # each list has its own
    async def turn(self, interaction: discord.Interaction, page: str) -> None:
        """Replace the shown page."""
        name, number, argument = parse_page(page)
        if name not in self._lists:
            raise OutdatedButton
        await interaction.response.defer()
        context = await self._responder.linked_context(interaction)
        content = await self._lists[name].page(context, argument, number)
        await interaction.edit_original_response(
            embeds=content.embeds,
            view=content.view(),
            allowed_mentions=discord.AllowedMentions.none(),
        )
