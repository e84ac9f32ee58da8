"""People at their keyboards: commands, buttons, menus and forms, as their client allows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .errors import JSON
from .interactions import (
    APPLICATION_COMMAND,
    AUTOCOMPLETE,
    CHOICES,
    MESSAGE_COMPONENT,
    MODAL_SUBMIT,
    Choice,
    Interaction,
    InteractionReply,
    Interactions,
    component_by,
    interacting_member,
    offered,
)
from .messages import Message
from .permissions import Permission
from .validation import (
    ACTION_ROW,
    BUTTON,
    LABELLED,
    LINK_STYLE,
    SELECTS,
    STRING_SELECT,
    TEXT_DISPLAY,
    TEXT_INPUT,
    every_component,
    length,
)
from .world import GUILD_TEXT, Channel, Command, Member, Role, User, World

SUB_COMMANDS = (1, 2)
USER_COMMAND, MESSAGE_COMMAND = 2, 3
STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER = range(3, 11)
RADIO, CHECKBOXES, CHECKBOX = 21, 22, 23

Subject = Member | Role | Channel | User
Value = str | int | float | bool | Subject
Values = str | bool | Sequence[str | Subject]


class CannotDo(AssertionError):
    """The person's client would not let them do this."""


class NoAnswer(TimeoutError):
    """The bot did not answer in time: "The application did not respond"."""


class People:
    """Has members use what the bot offers, and waits for its answers."""

    def __init__(self, world: World, interactions: Interactions) -> None:
        self._world = world
        self._interactions = interactions

    async def slash(
        self,
        member: Member,
        command: str,
        channel: Channel | None,
        options: Mapping[str, Value],
        timeout: float,  # noqa: ASYNC109
        until_answered: bool,
    ) -> InteractionReply:
        """Use a slash command and wait for the answer."""
        where = channel or _first_channel(member)
        registered, path, leaf = self._leaf(member, where, command)
        resolved: JSON = {}
        given = _options(leaf, options, where, resolved)
        data = self._command_data(registered, path, given)
        if resolved:
            data["resolved"] = resolved
        interaction = Interaction(APPLICATION_COMMAND, member, where, data)
        return await self._ask(interaction, f"/{command}", timeout, until_answered)

    async def use_menu(
        self,
        member: Member,
        command: str,
        target: Member | User | Message,
        timeout: float,  # noqa: ASYNC109
        until_answered: bool,
    ) -> InteractionReply:
        """Use a command in the menu of a member, an account or a message."""
        is_message = isinstance(target, Message)
        where = target.channel if isinstance(target, Message) else _first_channel(member)
        kind = MESSAGE_COMMAND if is_message else USER_COMMAND
        known = [*member.guild.commands, *self._world.commands]
        registered = next((one for one in known if one.type == kind and one.name == command), None)
        if registered is None or not offered(registered, member, where):
            raise CannotDo(f"{member.name} is not offered {command!r}")
        resolved: JSON = {}
        data: JSON = {
            "id": str(registered.id),
            "name": registered.name,
            "type": kind,
            "target_id": _target(command, member, target, where, resolved),
            "resolved": resolved,
        }
        if registered.guild_id is not None:
            data["guild_id"] = str(registered.guild_id)
        interaction = Interaction(APPLICATION_COMMAND, member, where, data)
        return await self._ask(interaction, command, timeout, until_answered)

    async def autocomplete(
        self,
        member: Member,
        command: str,
        focused: str,
        value: str,
        channel: Channel | None,
        options: Mapping[str, Value],
        timeout: float,  # noqa: ASYNC109
    ) -> list[Choice]:
        """Type into an option and wait for the suggestions."""
        where = channel or _first_channel(member)
        registered, path, leaf = self._leaf(member, where, command)
        known = {one["name"]: one for one in leaf.get("options") or []}
        if not known.get(focused, {}).get("autocomplete"):
            raise CannotDo(f"/{command} has no option {focused!r} with autocomplete")
        resolved: JSON = {}
        given = [_option(known[name], options[name], where, resolved) for name in options]
        given.append({"name": focused, "type": known[focused]["type"], "value": value})
        given[-1]["focused"] = True
        data = self._command_data(registered, path, given)
        interaction = Interaction(AUTOCOMPLETE, member, where, data)
        reply = await self._ask(interaction, f"/{command} {focused}:{value}", timeout, True)
        if interaction.callback_type != CHOICES:
            raise CannotDo(f"/{command}: no suggestions but {interaction.callback}")
        return reply.choices

    async def click(
        self,
        member: Member,
        message: Message | InteractionReply,
        button: str,
        timeout: float,  # noqa: ASYNC109
        until_answered: bool,
    ) -> InteractionReply:
        """Press a button, by its label or custom id."""
        shown, component = self._component(member, message, button)
        if component["type"] != BUTTON:
            raise CannotDo(f"{button!r} is no button")
        if component.get("style") == LINK_STYLE:
            raise CannotDo(f"{button!r} is a link")
        data = {
            "custom_id": component["custom_id"],
            "component_type": BUTTON,
            "id": component["id"],
        }
        interaction = Interaction(MESSAGE_COMPONENT, member, shown.channel, data, shown)
        return await self._ask(interaction, f"[{button}]", timeout, until_answered)

    async def choose(
        self,
        member: Member,
        message: Message | InteractionReply,
        select: str,
        values: Sequence[str | Subject],
        timeout: float,  # noqa: ASYNC109
        until_answered: bool,
    ) -> InteractionReply:
        """Choose from a menu, by its custom id or placeholder; options by label or value."""
        shown, component = self._component(member, message, select)
        if component["type"] not in SELECTS:
            raise CannotDo(f"{select!r} is no menu")
        resolved: JSON = {}
        chosen = _chosen(component, values, shown.channel, resolved)
        data = {
            "custom_id": component["custom_id"],
            "component_type": component["type"],
            "id": component["id"],
            "values": chosen,
        }
        if resolved:
            data["resolved"] = resolved
        interaction = Interaction(MESSAGE_COMPONENT, member, shown.channel, data, shown)
        return await self._ask(interaction, f"<{select}>", timeout, until_answered)

    async def submit(
        self,
        member: Member,
        reply: InteractionReply,
        values: Mapping[str, Values],
        timeout: float,  # noqa: ASYNC109
        until_answered: bool,
    ) -> InteractionReply:
        """Fill in the modal of a reply, inputs by custom id or label, and send it."""
        modal, opener = reply.modal, reply.interaction
        if modal is None:
            raise CannotDo(f"there is no modal but: {reply.text}")
        if opener.member is not member:
            raise CannotDo("only who opened the modal sees it")
        form = _Form(values, opener.channel)
        data: JSON = {
            "custom_id": modal["custom_id"],
            "components": [form.fill(one) for one in modal["components"]],
        }
        form.refuse_leftovers()
        if form.resolved:
            data["resolved"] = form.resolved
        interaction = Interaction(
            MODAL_SUBMIT, member, opener.channel, data, opener.message, opener.metadata
        )
        return await self._ask(interaction, f"form {modal['title']}", timeout, until_answered)

    async def _ask(
        self,
        interaction: Interaction,
        what: str,
        timeout: float,  # noqa: ASYNC109
        until_answered: bool,
    ) -> InteractionReply:
        if not interaction.guild.joined:
            raise CannotDo(f"the bot is not in {interaction.guild.name}")
        self._interactions.begin(interaction)

        def done() -> bool:
            if interaction.callback is None:
                return False
            return interaction.answered or not until_answered

        try:
            await self._world.changes.until(done, timeout)
        except TimeoutError:
            state = "only a deferral" if interaction.callback else "nothing"
            told = f"{interaction.member.name} used {what}: {state} within {timeout} s"
            raise NoAnswer(told) from None
        return InteractionReply(interaction)

    # Commands

    def commands(self, member: Member, channel: Channel | None = None) -> list[str]:
        """What the member is offered after typing "/": every command by its full name."""
        where = channel or _first_channel(member)
        found = [*member.guild.commands, *self._world.commands]
        return [
            name
            for command in found
            if command.type == 1 and offered(command, member, where)
            for name in _full_names(command.definition)
        ]

    def _leaf(
        self, member: Member, channel: Channel, name: str
    ) -> tuple[Command, list[JSON], JSON]:
        """The registered command, the groups on the way, and the definition that is run."""
        words = name.removeprefix("/").split()
        known = [*member.guild.commands, *self._world.commands]
        command = next((one for one in known if one.type == 1 and one.name == words[0]), None)
        if command is None:
            names = ", ".join(sorted(one.name for one in known)) or "none"
            raise CannotDo(f"/{words[0]} is not registered in {member.guild.name}; known: {names}")
        if not offered(command, member, channel):
            raise CannotDo(f"{member.name} is not offered /{command.name} in #{channel.name}")
        path: list[JSON] = []
        node = command.definition
        for word in words[1:]:
            inside = [one for one in node.get("options") or [] if one["type"] in SUB_COMMANDS]
            step = next((one for one in inside if one["name"] == word), None)
            if step is None:
                names = ", ".join(one["name"] for one in inside) or "none"
                raise CannotDo(f"/{name}: no sub-command {word!r}; known: {names}")
            path.append(step)
            node = step
        if any(one["type"] in SUB_COMMANDS for one in node.get("options") or []):
            raise CannotDo(f"/{name} needs a sub-command: {', '.join(_full_names(node))}")
        return command, path, node

    def _command_data(self, command: Command, path: Sequence[JSON], given: list[JSON]) -> JSON:
        options = given
        for step in reversed(path):
            options = [{"name": step["name"], "type": step["type"], "options": options}]
        data: JSON = {
            "id": str(command.id),
            "name": command.name,
            "type": command.type,
            "options": options,
        }
        if command.guild_id is not None:
            data["guild_id"] = str(command.guild_id)
        return data

    # Components

    def _component(
        self, member: Member, message: Message | InteractionReply, wanted: str
    ) -> tuple[Message, JSON]:
        shown = message.message if isinstance(message, InteractionReply) else message
        if shown is None:
            raise CannotDo("the answer is no message")
        if shown.deleted:
            raise CannotDo("the message has been deleted")
        if shown.for_member is not None and shown.for_member is not member:
            raise CannotDo(f"only {shown.for_member.name} sees the message")
        if Permission.VIEW_CHANNEL not in member.permissions_in(shown.channel):
            raise CannotDo(f"{member.name} does not see #{shown.channel.name}")
        component = component_by(shown.components, wanted)
        if component is None:
            known = [
                str(one.get("label") or one.get("custom_id"))
                for _, one in every_component(shown.components)
                if one["type"] != ACTION_ROW
            ]
            raise CannotDo(f"no component {wanted!r}; known: {', '.join(known) or 'none'}")
        if component.get("disabled"):
            raise CannotDo(f"{wanted!r} is disabled")
        return shown, component


def _first_channel(member: Member) -> Channel:
    for channel in member.guild.channels:
        seen = Permission.VIEW_CHANNEL in member.permissions_in(channel)
        if channel.type == GUILD_TEXT and seen:
            return channel
    raise CannotDo(f"{member.guild.name} has no text channel that {member.name} sees")


def _full_names(node: JSON) -> Iterator[str]:
    inside = [one for one in node.get("options") or [] if one["type"] in SUB_COMMANDS]
    if not inside:
        yield str(node["name"])
    for one in inside:
        for name in _full_names(one):
            yield f"{node['name']} {name}"


# Options of commands


def _options(
    leaf: JSON, options: Mapping[str, Value], channel: Channel, resolved: JSON
) -> list[JSON]:
    known = {one["name"]: one for one in leaf.get("options") or []}
    for name in options:
        if name not in known:
            raise CannotDo(f"/{leaf['name']} has no option {name!r}; known: {', '.join(known)}")
    missing = [one for one in known if known[one].get("required") and one not in options]
    if missing:
        raise CannotDo(f"/{leaf['name']} needs {', '.join(missing)}")
    return [_option(known[name], value, channel, resolved) for name, value in options.items()]


def _option(option: JSON, value: Value, channel: Channel, resolved: JSON) -> JSON:
    return {
        "name": option["name"],
        "type": option["type"],
        "value": _value(option, value, channel, resolved),
    }


def _value(option: JSON, value: Value, channel: Channel, resolved: JSON) -> Any:
    kind, name = option["type"], option["name"]
    if kind in (USER, CHANNEL, ROLE, MENTIONABLE):
        return _resolve(kind, name, value, channel, resolved)
    if option.get("choices"):
        return _choice(option, value)
    takes: dict[int, Callable[[], Any]] = {
        STRING: lambda: _string(option, value),
        INTEGER: lambda: _number(option, value, int),
        BOOLEAN: lambda: _boolean(name, value),
        NUMBER: lambda: _number(option, value, float),
    }
    if kind not in takes:
        raise CannotDo(f"options of type {kind} cannot be filled in by the fake")
    return takes[kind]()


def _choice(option: JSON, value: Value) -> Any:
    for choice in option["choices"]:
        if value in (choice["value"], choice["name"]):
            return choice["value"]
    names = ", ".join(str(one["name"]) for one in option["choices"])
    raise CannotDo(f"{option['name']}: {value!r} is none of {names}")


def _string(option: JSON, value: Value) -> str:
    if not isinstance(value, str):
        raise CannotDo(f"{option['name']} takes text, not {value!r}")
    least, most = option.get("min_length") or 0, option.get("max_length") or 6000
    if not least <= length(value) <= most or not value:
        raise CannotDo(f"{option['name']} takes {least} to {most} characters")
    return value


def _number(option: JSON, value: Value, kind: type[int] | type[float]) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | kind):
        raise CannotDo(f"{option['name']} takes a number, not {value!r}")
    least, most = option.get("min_value"), option.get("max_value")
    if (least is not None and value < least) or (most is not None and value > most):
        raise CannotDo(f"{option['name']} takes numbers from {least} to {most}")
    return value


def _boolean(name: str, value: Value) -> bool:
    if not isinstance(value, bool):
        raise CannotDo(f"{name} takes True or False, not {value!r}")
    return value


def _target(
    command: str,
    member: Member,
    target: Member | User | Message,
    channel: Channel,
    resolved: JSON,
) -> str:
    """The id of what a menu was opened on, told about in full."""
    if not isinstance(target, Message):
        return _resolve(USER, command, target, channel, resolved)
    if target.deleted or Permission.VIEW_CHANNEL not in member.permissions_in(channel):
        raise CannotDo(f"{member.name} does not see the message")
    resolved["messages"] = {str(target.id): target.to_dict()}
    return str(target.id)


def _resolve(kind: int, name: str, value: object, channel: Channel, resolved: JSON) -> str:
    """The id of the subject, told about in full beside the values."""
    wanted = {USER: (Member, User), CHANNEL: (Channel,), ROLE: (Role,)}
    if not isinstance(value, wanted.get(kind, (Member, User, Role))):
        raise CannotDo(f"{name} cannot be {value!r}")
    id_ = str(value.id)
    if isinstance(value, Member):
        member = {
            key: one
            for key, one in interacting_member(value, channel).items()
            if key not in ("user", "deaf", "mute")
        }
        resolved.setdefault("members", {})[id_] = member
        resolved.setdefault("users", {})[id_] = value.user.to_dict()
    elif isinstance(value, User):
        resolved.setdefault("users", {})[id_] = value.to_dict()
    elif isinstance(value, Role):
        resolved.setdefault("roles", {})[id_] = value.to_dict()
    elif isinstance(value, Channel):
        told = {**value.to_dict(), "permissions": "0"}
        resolved.setdefault("channels", {})[id_] = told
    return id_


# Menus and forms

SELECT_KINDS = {5: USER, 6: ROLE, 7: MENTIONABLE, 8: CHANNEL}


def _chosen(
    select: JSON, values: Sequence[str | Subject], channel: Channel, resolved: JSON
) -> list[str]:
    least = select.get("min_values", 1)
    most = select.get("max_values") or 1
    name = select.get("placeholder") or select["custom_id"]
    if select.get("required") is False and not values:
        return []
    if not least <= len(values) <= most:
        raise CannotDo(f"{name} takes {least} to {most} values, not {len(values)}")
    if select["type"] != STRING_SELECT and select["type"] in SELECTS:
        kind = SELECT_KINDS[select["type"]]
        return [_resolve(kind, name, value, channel, resolved) for value in values]
    return [_option_value(select, name, value) for value in values]


def _option_value(select: JSON, name: str, value: object) -> str:
    for option in select["options"]:
        if value in (option["value"], option["label"]):
            return str(option["value"])
    labels = ", ".join(str(one["label"]) for one in select["options"])
    raise CannotDo(f"{name}: {value!r} is none of {labels}")


class _Form:
    """Fills in the inputs of one modal."""

    def __init__(self, values: Mapping[str, Values], channel: Channel) -> None:
        self._values = dict(values)
        self._channel = channel
        self.resolved: JSON = {}

    def fill(self, component: JSON) -> JSON:
        """One top-level component as the client submits it."""
        base = {"type": component["type"], "id": component["id"]}
        if component["type"] == ACTION_ROW:
            child = component["components"][0]
            return {**base, "components": [self._input(child, child.get("label"))]}
        if component["type"] == LABELLED:
            return {**base, "component": self._input(component["component"], component["label"])}
        if component["type"] == TEXT_DISPLAY:
            return base
        raise CannotDo(f"modal components of type {component['type']} cannot be filled in")

    def refuse_leftovers(self) -> None:
        """Refuse values for inputs the modal does not have."""
        if self._values:
            raise CannotDo(f"the modal has no input {', '.join(map(repr, self._values))}")

    def _given(self, component: JSON, label: str | None) -> Values | None:
        for key in (component["custom_id"], label):
            if key in self._values:
                return self._values.pop(key)
        return None

    def _input(self, component: JSON, label: str | None) -> JSON:
        kind = component["type"]
        base = {key: component[key] for key in ("type", "id", "custom_id")}
        given = self._given(component, label)
        if kind == TEXT_INPUT:
            return {**base, "value": _text(component, label, given)}
        if kind in SELECTS or kind == CHECKBOXES:
            values = _as_values(component, given)
            chosen = _chosen(component, values, self._channel, self.resolved)
            return {**base, "values": chosen}
        if kind == RADIO:
            values = _as_values(component, given)
            chosen = _chosen({**component, "max_values": 1}, values, self._channel, {})
            return {**base, "value": chosen[0] if chosen else None}
        if kind == CHECKBOX:
            default = bool(component.get("default"))
            return {**base, "value": default if given is None else bool(given)}
        raise CannotDo(f"modal inputs of type {kind} cannot be filled in by the fake")


def _as_values(component: JSON, given: Values | None) -> Sequence[str | Subject]:
    if given is None:
        options = component.get("options") or []
        return [option["value"] for option in options if option.get("default")]
    if isinstance(given, bool):
        raise CannotDo(f"{component['custom_id']} takes values, not {given}")
    return [given] if isinstance(given, str) else given


def _text(component: JSON, label: str | None, given: Values | None) -> str:
    text = component.get("value") or "" if given is None else given
    name = label or component["custom_id"]
    if not isinstance(text, str):
        raise CannotDo(f"{name} takes text, not {text!r}")
    if not text and component.get("required", True):
        raise CannotDo(f"{name} must be filled in")
    least, most = component.get("min_length") or 0, component.get("max_length") or 4000
    if text and not least <= length(text) <= most:
        raise CannotDo(f"{name} takes {least} to {most} characters")
    return text
