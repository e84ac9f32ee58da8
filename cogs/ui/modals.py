"""Forms that survive a restart: their id says what submitting them does, and to what.

A cog opens a form from a command or a button, and declares beside it who may submit it, which
inputs it has and what it does; what the method returns is the answer:

    form = Form(_("Note on the alarm"), f"alarm:note:{alarm_id}")
    form.add_text("note", _("Note"), max_length=MAX_NOTE, lines=True)
    await interaction.response.send_modal(form)

    @form("alarm:note", Scope.WRITE, "note", or_own=True)
    async def submit_note(self, context: Context, alarm_id: int, answers: Answers) -> str:
        await note_alarm(context, AlarmNote(alarm_id=alarm_id, text=answers.text("note")))
        return _("Note added.")

Whatever goes wrong, the member gets back what they typed.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import discord

from cogs.i18n.language import _
from cogs.ui.buttons import (
    ButtonDeclaration,
    DeclaredMethods,
    OutdatedButton,
    declare,
    interaction_data,
    read_number,
)
from cogs.ui.cad_answers import AskedOfCad, answer_request
from cogs.ui.embeds import MessageContent
from cogs.ui.permissions import Permission
from cogs.ui.responder import Responder, reply_embed, reply_text
from cogs.ui.text import redacted
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import NotFound

FORM_TITLE = 45
"""Characters of a form's title, at most."""

MAX_REASON = 1_000

DEFER_AFTER = 1.5
"""Seconds that what a form does may take before its answer is deferred; Discord waits for three.

It is done first: from the answer on, Discord's client no longer has what was typed.
"""

_TEXT_INPUT = 4

Answer = str | MessageContent | AskedOfCad
"""What a form may answer with."""

Submit = TypeVar("Submit", bound=Callable[..., Awaitable[Answer]])


@dataclass(frozen=True)
class FormDeclaration(ButtonDeclaration):
    """The forms that a method is for, and the names of their inputs; some lack the `optional`."""

    inputs: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()

    def has(self, names: set[str]) -> bool:
        """Return whether a form with these inputs is one of them."""
        return self.inputs <= names <= self.inputs | self.optional


def form(
    action: str,
    scope: Scope,
    *inputs: str,
    optional: Collection[str] = (),
    or_own: bool = False,
    read_argument: Callable[[str], Any] = read_number,
) -> Callable[[Submit], Submit]:
    """Declare a method for a form; it gets the context, the number behind the action, answers."""
    permission = Permission(scope, or_own)
    return declare(
        FormDeclaration(
            (action,), permission, read_argument, frozenset(inputs), frozenset(optional)
        )
    )


class OutdatedForm(NotFound):
    """A form that this version does not know, or that has other inputs now."""

    def __init__(self) -> None:
        super().__init__("this form is from another version of the bot; open it again")


class Form(discord.ui.Modal):
    """A form to open. It is stopped, as discord.py would keep a live one in memory.

    `custom_id`: the action that its method is declared for, and the argument behind it.
    """

    def __init__(self, title: str, custom_id: str) -> None:
        super().__init__(title=title, custom_id=custom_id)
        self.stop()

    def add_text(
        self,
        name: str,
        label: str,
        *,
        max_length: int,
        shown: str = "",
        placeholder: str | None = None,
        required: bool = True,
        lines: bool = False,
    ) -> None:
        """Add an input for text. `shown`: what stands in it already."""
        shown = redacted(shown)
        text_input: discord.ui.TextInput[Form] = discord.ui.TextInput(
            custom_id=f"{name}#{_digest(shown)}" if shown else name,
            default=shown or None,
            placeholder=placeholder,
            required=required,
            max_length=max_length,
            style=discord.TextStyle.paragraph if lines else discord.TextStyle.short,
        )
        self.add_item(discord.ui.Label(text=label, component=text_input))

    def add_menu(self, name: str, label: str, menu: discord.ui.Item[Any]) -> None:
        """Add a menu; its custom id becomes the name."""
        menu.custom_id = name  # type: ignore[attr-defined]  # every menu has one
        self.add_item(discord.ui.Label(text=label, component=menu))


def reason_form(title: str, custom_id: str, placeholder: str) -> Form:
    """Return a form that asks for one `reason`, which may be left out."""
    opened = Form(title, custom_id)
    opened.add_text(
        "reason",
        _("Reason"),
        placeholder=placeholder,
        max_length=MAX_REASON,
        required=False,
        lines=True,
    )
    return opened


@dataclass(frozen=True)
class Answers:
    """What was submitted: texts and choices by the names of the inputs.

    `changed`: the texts that differ from what the form showed.
    """

    texts: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, interaction: discord.Interaction) -> "Answers":
        """Read what a form submits; what is no input is left out."""
        answers = cls()
        for given in _inputs(interaction_data(interaction).get("components")):
            name, _hash, shown = str(given.get("custom_id")).partition("#")
            if given.get("type") == _TEXT_INPUT:
                text = str(given.get("value") or "").strip()
                answers.texts[name] = text
                if shown != (_digest(text) if text else ""):
                    answers.changed[name] = text
            else:
                values = given.get("values")
                answers.choices[name] = list(map(str, values)) if isinstance(values, list) else []
        return answers

    @property
    def names(self) -> set[str]:
        return self.texts.keys() | self.choices.keys()

    def text(self, name: str) -> str:
        return self.texts[name]

    @property
    def reason(self) -> str | None:
        return self.texts["reason"] or None


def _inputs(components: object) -> Iterator[Mapping[str, object]]:
    """Return the inputs in the rows and labels of a form."""
    for component in components if isinstance(components, list) else []:
        if not isinstance(component, dict):
            continue
        if "custom_id" in component:
            yield component
        yield from _inputs(component.get("components"))
        yield from _inputs([component.get("component")])


def _digest(text: str) -> str:
    written = text.strip().encode("utf-8", "replace")
    return hashlib.blake2b(written, digest_size=6).hexdigest()


class Forms:
    """Dispatches every submitted form to the method declared for it."""

    def __init__(self, responder: Responder, owners: Iterable[object]) -> None:
        self._responder = responder
        self._declared = DeclaredMethods(FormDeclaration, owners)

    async def submit(self, interaction: discord.Interaction) -> None:
        """Check the permission and call the method; report errors with what was typed."""
        self._responder.begin(interaction)
        answers = Answers.of(interaction)
        try:
            work = asyncio.create_task(self._carry_out(interaction, answers))
            done, _pending = await asyncio.wait({work}, timeout=DEFER_AFTER)
            if not done:
                with suppress(discord.HTTPException):  # the answer will meet the same
                    await interaction.response.defer(ephemeral=True, thinking=True)
            answer = await work
            if isinstance(answer, AskedOfCad):
                context = self._responder.context(interaction)
                await answer_request(interaction, context, answer.request_id, answer.said)
            elif isinstance(answer, str):
                await reply_text(interaction, answer)
            else:
                await reply_embed(interaction, answer)
        except Exception as fault:
            typed = "\n\n".join(filter(None, answers.changed.values()))
            await self._responder.report_error(interaction, fault, typed)

    async def _carry_out(self, interaction: discord.Interaction, answers: Answers) -> Answer:
        try:
            custom_id = interaction_data(interaction).get("custom_id")
            declaration, method, written = self._declared.find(custom_id)
            argument = declaration.read_argument(written)
        except OutdatedButton:
            raise OutdatedForm from None
        self._responder.require(interaction, declaration.permission)
        if not declaration.has(answers.names):
            raise OutdatedForm
        context: Context = await self._responder.linked_context(interaction)
        answer: Answer = await method(context, argument, answers)
        return answer
