"""Lists in pages, and the buttons that turn them: their ids say which page they show."""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, Self

import discord

from cogs.i18n.language import N_, _
from cogs.ui.buttons import OutdatedButton, control
from cogs.ui.embeds import Button, Colour
from cogs.ui.permissions import Permission
from cogs.ui.responder import Responder
from cogs.ui.text import count_more, length
from webhook.protocol.context import Context, Scope

SIZE = 10
"""Rows of a page: with a button each, and four that turn pages, Discord takes no more."""

TEXT = 3_900
"""Characters of a page; lists bound their lines so that ten of them fit. Discord takes 4000."""

CUSTOM_ID = 100
ARGUMENT = 60
"""Characters, as Discord counts them, of a list's argument in the ids of its buttons."""


class Row(NamedTuple):
    """A row of a list. `opens`: the custom id of a button that opens what it is about."""

    text: str
    opens: str = ""
    label: str = N_("Open")


@dataclass(frozen=True, slots=True)
class ListRows:
    """A part of a list. `total`: how many rows there are, None: uncounted."""

    title: str
    rows: Sequence[Row]
    empty: str
    total: int | None = None

    @classmethod
    def part(cls, title: str, every: Sequence[Row], empty: str, limit: int, offset: int) -> Self:
        """Return a part of a list that is read whole anyway."""
        return cls(title, every[offset : offset + limit], empty, len(every))


ListReader = Callable[[Context, str, int, int], Awaitable[ListRows]]
"""Reads rows for the caller: of which argument, how many, how many to skip.

Raises:
    SentinelError: the caller may not read them, or the argument names nothing.
"""


@dataclass(frozen=True, slots=True)
class ShownPage:
    """A page of a list as it is shown: rows with their buttons, and buttons that turn the page."""

    title: str
    rows: Sequence[Row]
    footer: str = ""
    buttons: tuple[Button, ...] = ()

    def view(self) -> discord.ui.LayoutView:
        """Return it in Discord's layout components.

        It is stopped at once, as `view_of` explains.
        """
        box: discord.ui.Container[discord.ui.LayoutView] = discord.ui.Container(
            discord.ui.TextDisplay(f"### {self.title}"), accent_colour=Colour.NORMAL.value
        )
        for (opens, label), rows in groupby(self._fitting_rows(), key=lambda row: row[1:]):
            text: discord.ui.TextDisplay[discord.ui.LayoutView] = discord.ui.TextDisplay(
                "\n".join(row.text for row in rows)
            )
            if not opens:
                box.add_item(text)
                continue
            accessory: discord.ui.Button[discord.ui.LayoutView] = discord.ui.Button(
                label=_(label), custom_id=opens
            )
            box.add_item(discord.ui.Section(text, accessory=accessory))
        if self.footer:
            box.add_item(discord.ui.TextDisplay(f"-# {self.footer}"))
        if self.buttons:
            box.add_item(discord.ui.ActionRow(*(button.item() for button in self.buttons)))
        view = discord.ui.LayoutView(timeout=None)
        view.add_item(box)
        view.stop()
        return view

    def _fitting_rows(self) -> Iterator[Row]:
        """Return the rows that fit; those that do not are counted."""
        left = TEXT - length(self.title) - length(self.footer)
        for number, row in enumerate(self.rows):
            left -= length(row.text) + 1
            if left < 0:
                yield Row(count_more(len(self.rows) - number))
                return
            yield row


@dataclass(frozen=True)
class PagedList:
    """A list that is shown in pages, and what reading it requires."""

    name: str
    permission: Permission
    read: ListReader

    async def page(self, context: Context, argument: str = "", number: int = 0) -> ShownPage:
        """Show a page, the first is 0; of a list that has got shorter, the last page.

        Raises:
            Forbidden: the caller may not read the list.
        """
        self.permission.require(context.caller)
        # One row more tells whether there is another page.
        found = await self.read(context, argument, SIZE + 1, number * SIZE)
        if not found.rows and number:
            last = _last_page(found.total) if found.total is not None else 0
            return await self.page(context, argument, min(last, number - 1))
        rows = found.rows[:SIZE] or [Row(found.empty)]
        is_more = len(found.rows) > SIZE
        if not is_more and not number:
            return ShownPage(found.title, rows)
        footer = _footer(number, len(rows), found.total)
        buttons = _buttons(self.name, argument, number, found.total, is_more=is_more)
        return ShownPage(found.title, rows, footer, buttons)


class PagedLists(dict[str, PagedList]):
    """Lists by their names."""

    def declare(
        self, name: str, scope: Scope, *, or_own: bool = False, or_allowed: bool = False
    ) -> Callable[[ListReader], PagedList]:
        """Declare a function as what reads the rows of a list."""

        def declare(read: ListReader) -> PagedList:
            self[name] = PagedList(name, Permission(scope, or_own, or_allowed), read)
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


def first_page(name: str, argument: str) -> str:
    """Return the id of a button that answers with the first page of a list."""
    return custom_id("o", name, 0, argument)


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
        found, number, argument = self._find(interaction, page)
        await interaction.response.defer()
        context = await self._responder.linked_context(interaction)
        shown = await found.page(context, argument, number)
        await interaction.edit_original_response(
            content=None,
            embeds=[],  # pages were embeds in earlier versions
            view=shown.view(),
            allowed_mentions=discord.AllowedMentions.none(),
        )

    @control("page:o", scope=Scope.NONE)
    async def open(self, interaction: discord.Interaction, page: str) -> None:
        """Answer with the page."""
        found, number, argument = self._find(interaction, page)
        context = await self._responder.defer(interaction)
        await reply_page(interaction, await found.page(context, argument, number))

    def _find(self, interaction: discord.Interaction, page: str) -> tuple[PagedList, int, str]:
        name, number, argument = parse_page(page)
        if name not in self._lists:
            raise OutdatedButton
        self._responder.require(interaction, self._lists[name].permission)
        return self._lists[name], number, argument


async def reply_page(interaction: discord.Interaction, page: ShownPage) -> None:
    """Answer privately with a page of a list; the answer was deferred."""
    await interaction.followup.send(
        view=page.view(), ephemeral=True, allowed_mentions=discord.AllowedMentions.none()
    )
