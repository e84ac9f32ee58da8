"""Application commands: what Discord refuses, and how it keeps what it accepts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from .errors import JSON, DiscordError, Path, Problems, unknown
from .snowflakes import next_snowflake
from .validation import check_text, length
from .world import Command, Guild, World

CHAT_INPUT = 1
SUB_COMMAND, SUB_COMMAND_GROUP = 1, 2
MOST_OPTIONS = 25
MOST_COMMANDS = 100
MOST_TEXT = 8000

_ACCEPTED: set[str] = set()
"""Lists of commands that were checked and found good, as JSON."""


class CommandBook:
    """The commands of the application, global and per guild."""

    def __init__(self, world: World) -> None:
        self._world = world

    def scope(self, guild: Guild | None) -> list[Command]:
        """The list that holds the global commands or those of a guild."""
        return self._world.commands if guild is None else guild.commands

    def replace_all(self, guild: Guild | None, definitions: Sequence[JSON]) -> list[Command]:
        """Bulk overwrite: what keeps its name keeps its id, and if unchanged its version."""
        _check_all(definitions)
        commands = self.scope(guild)
        before = {command.key: command for command in commands}
        after = [_merged(before, definition, guild) for definition in definitions]
        commands[:] = after
        self._world.syncs[None if guild is None else guild.id] += 1
        self._world.changes.happened()
        return after

    def upsert(self, guild: Guild | None, definition: JSON) -> tuple[Command, bool]:
        """Create a command, or replace the one of the same name; and whether it is new."""
        commands = self.scope(guild)
        before = {command.key: command for command in commands}
        command = _merged(before, definition, guild)
        others = [one for one in commands if one.key != command.key]
        _check_all([one.definition for one in (*others, command)])
        commands[:] = [*others, command]
        self._world.changes.happened()
        return command, command.key not in before

    def edit(self, guild: Guild | None, command_id: int, changes: JSON) -> Command:
        """Change parts of a command."""
        command = self.find(guild, command_id)
        changed = {**command.definition, **changes}
        others = [one.definition for one in self.scope(guild) if one is not command]
        _check_all([*others, changed])
        command.definition = changed
        command.version = next_snowflake()
        self._world.changes.happened()
        return command

    def delete(self, guild: Guild | None, command_id: int) -> None:
        """Remove a command."""
        self.scope(guild).remove(self.find(guild, command_id))
        self._world.changes.happened()

    def find(self, guild: Guild | None, command_id: int) -> Command:
        """The command of that id."""
        for command in self.scope(guild):
            if command.id == command_id:
                return command
        raise unknown("application command")

    def to_dict(self, command: Command) -> JSON:
        """The application command object."""
        data: JSON = {
            "nsfw": False,
            "default_member_permissions": None,
            "dm_permission": True,
            "contexts": None,
            "integration_types": [0],
            "name_localizations": None,
            "description_localizations": None,
            "description": "",
            **command.definition,
            "type": command.type,
            "id": str(command.id),
            "application_id": str(self._world.application_id),
            "version": str(command.version),
        }
        if data["default_member_permissions"] is not None:
            data["default_member_permissions"] = str(data["default_member_permissions"])
        if data["integration_types"] is None:
            data["integration_types"] = [0]
        if command.guild_id is not None:
            data["guild_id"] = str(command.guild_id)
        return data


def _merged(
    before: dict[tuple[int, str], Command], definition: JSON, guild: Guild | None
) -> Command:
    kept = {key: value for key, value in definition.items() if key != "id"}
    command = Command(kept, None if guild is None else guild.id)
    known = before.get(command.key)
    if known is None:
        return command
    if known.definition != kept:
        known.definition, known.version = kept, next_snowflake()
    return known


def _check_all(definitions: Sequence[JSON]) -> None:
    """Refuse what Discord would. Every bot of the tests sends the same, which is checked once."""
    if (written := json.dumps(definitions)) in _ACCEPTED:
        return
    _check_anew(definitions)
    _ACCEPTED.add(written)


def _check_anew(definitions: Sequence[JSON]) -> None:
    problems = Problems()
    if sum(1 for one in definitions if _type(one) == CHAT_INPUT) > MOST_COMMANDS:
        raise DiscordError(
            400, 30032, f"Maximum number of application commands reached ({MOST_COMMANDS})."
        )
    seen: set[tuple[int, Any]] = set()
    for index, definition in enumerate(definitions):
        key = (_type(definition), definition.get("name"))
        if key in seen:
            message = "Application command names must be unique"
            problems.add((index,), "APPLICATION_COMMANDS_DUPLICATE_NAME", message)
        seen.add(key)
        _check_command(definition, (index,), problems)
    _check_distinct([one for one in definitions if _type(one) == CHAT_INPUT], (), problems)
    problems.raise_if_any()


def _type(definition: JSON) -> int:
    return int(definition.get("type") or CHAT_INPUT)


def _check_command(definition: JSON, path: Path, problems: Problems) -> None:
    _check_translations(definition, path, problems)
    if _type(definition) != CHAT_INPUT:
        check_text(definition.get("name"), (*path, "name"), 32, problems, least=1)
        return
    _check_name(definition.get("name"), path, problems)
    check_text(definition.get("description"), (*path, "description"), 100, problems, least=1)
    _check_options(definition.get("options") or [], path, problems)
    if sum(length(text) for text in _texts(definition)) > MOST_TEXT:
        message = f"Command exceeds maximum size ({MOST_TEXT})"
        problems.add(path, "APPLICATION_COMMAND_TOO_LARGE", message)


def _check_name(name: Any, path: Path, problems: Problems) -> None:
    fits = isinstance(name, str) and 1 <= length(name) <= 32
    if not fits or name != name.lower() or not all(_name_character(one) for one in name):
        message = f"Command name is invalid: {name!r}"
        problems.add((*path, "name"), "APPLICATION_COMMAND_INVALID_NAME", message)


def _name_character(character: str) -> bool:
    return character.isalnum() or character in "-_'" or character == "ʼ"


def _check_translations(definition: JSON, path: Path, problems: Problems) -> None:
    for locale, name in (definition.get("name_localizations") or {}).items():
        here = (*path, "name_localizations", locale)
        if _type(definition) == CHAT_INPUT:
            _check_name(name, here, problems)
        else:
            check_text(name, here, 32, problems, least=1)
    for locale, text in (definition.get("description_localizations") or {}).items():
        here = (*path, "description_localizations", locale)
        check_text(text, here, 100, problems, least=1)


def _check_distinct(definitions: Sequence[JSON], path: Path, problems: Problems) -> None:
    """Refuse two names that are the same to people of one language."""
    translated = [one.get("name_localizations") or {} for one in definitions]
    for locale in {locale for names in translated for locale in names}:
        names = [
            of.get(locale, one.get("name")) for one, of in zip(definitions, translated, strict=True)
        ]
        if len(set(names)) != len(names):
            message = f"Names must be unique in {locale}"
            problems.add(path, "APPLICATION_COMMANDS_DUPLICATE_NAME", message)


def _check_options(options: Sequence[JSON], path: Path, problems: Problems) -> None:
    if len(options) > MOST_OPTIONS:
        message = f"Must be {MOST_OPTIONS} or fewer in length."
        problems.add((*path, "options"), "BASE_TYPE_MAX_LENGTH", message)
    _check_distinct(options, (*path, "options"), problems)
    names = [option.get("name") for option in options]
    if len(set(names)) != len(names):
        message = "Option names must be unique"
        code = "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS"
        problems.add((*path, "options"), code, message)
    optional_seen = False
    for index, option in enumerate(options):
        here = (*path, "options", index)
        _check_option(option, here, problems)
        if optional_seen and option.get("required"):
            message = "Required options must be placed before non-required options"
            problems.add(here, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message)
        optional_seen = optional_seen or not option.get("required")
    groups = [option.get("type") in (SUB_COMMAND, SUB_COMMAND_GROUP) for option in options]
    if any(groups) and not all(groups):
        message = "Sub-command and sub-command group option types are mutually exclusive"
        problems.add((*path, "options"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", message)


def _check_option(option: JSON, path: Path, problems: Problems) -> None:
    _check_name(option.get("name"), path, problems)
    _check_translations({**option, "type": CHAT_INPUT}, path, problems)
    check_text(option.get("description"), (*path, "description"), 100, problems, least=1)
    if option.get("type") not in range(1, 12):
        problems.add((*path, "type"), "BASE_TYPE_CHOICES", "Value must be one of {1, …, 11}.")
    choices = option.get("choices") or []
    if choices and option.get("autocomplete"):
        message = "Options with choices cannot use autocomplete"
        problems.add(path, "APPLICATION_COMMAND_AUTOCOMPLETE_INVALID", message)
    if len(choices) > 25:
        message = "Must be 25 or fewer in length."
        problems.add((*path, "choices"), "BASE_TYPE_MAX_LENGTH", message)
    for index, choice in enumerate(choices):
        here = (*path, "choices", index)
        check_text(choice.get("name"), (*here, "name"), 100, problems, least=1)
        if isinstance(choice.get("value"), str):
            check_text(choice["value"], (*here, "value"), 100, problems, least=1)
    _check_options(option.get("options") or [], path, problems)


def _texts(definition: JSON) -> Iterator[str]:
    """List the texts that count; of translations, as Discord says, only the longest."""
    for field in ("name", "description"):
        translated = definition.get(f"{field}_localizations") or {}
        yield max([str(definition.get(field) or ""), *translated.values()], key=length)
    for choice in definition.get("choices") or []:
        yield str(choice.get("name") or "")
        yield str(choice.get("value") or "")
    for option in definition.get("options") or []:
        yield from _texts(option)
