"""The texts that people read, as the code has them, and what the catalogues make of them.

`python -m tests.texts` gives every catalogue the texts that the code has, and no others, and says
what is left to translate. docs/translating.md says how the code marks them.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import polib
from discord import app_commands
from discord.ext import commands

from cogs import bot
from cogs.command_sync import COMMAND, OPTION
from cogs.ui.responder import AlreadyDone
from webhook.protocol.errors import SentinelError

ROOT = Path(__file__).resolve().parents[1]
CATALOGUES = ROOT / "cogs" / "i18n" / "languages"

ONE = (0,)
KEYWORDS = {
    "_": ONE,
    "N_": ONE,
    "plural": (0, 1),
    "add": ONE,
    "Button": ONE,
    "Feed": (2, 3),
    "_of_cad": (2, 3),
    "_counted": (1, 2),
    "FieldProblem": (1,),
    "InvalidValue": ONE,
    "__init__": ONE,
}
"""Whose arguments are texts, and which: one text, or one for one thing and one for many."""

NEVER_BUILT = frozenset({"_", "N_", "plural"})
"""What takes whole texts only: what is put together at run time, no catalogue can hold."""

LIMITS = {
    ("Button", 0): 80,
    ("add", 0): 256,
    ("Form", 0): 45,
    ("reason_form", 0): 45,
    ("reason_form", 2): 100,
    ("add_text", 1): 45,
    ("add_text", "placeholder"): 100,
    ("__init__", "title"): 45,
    ("TextInput", "label"): 45,
    ("TextInput", "placeholder"): 100,
}
"""How many characters Discord takes of a text that stands there."""

FOR_THE_CAD = "webhook/cad/"
"""Where sentences are told to the CAD, in English."""

COMMAND_NAME, DESCRIPTION, CHOICE = 32, 100, 100


class Key(NamedTuple):
    """What a text is looked up by."""

    context: str
    text: str
    many: str = ""


class Texts(dict[Key, int]):
    """All texts, with how long each may be; `faults` are those put together before the look-up."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def add(self, key: Key, limit: int = sys.maxsize) -> None:
        self[key] = min(self.get(key, limit), limit)


def texts(root: Path = ROOT) -> Texts:
    """Gather the texts of the program, which is what `root` has of it and all its commands."""
    found = Texts()
    for folder in ("bot/settings", "cogs", "webhook"):
        for path in sorted((root / folder).rglob("*.py")):
            file = path.relative_to(root).as_posix()
            if not file.startswith(FOR_THE_CAD):
                read_source(path.read_text("utf-8"), file, found)
    for cog in command_cogs():
        _read_cog(cog, found)
    return found


# In the source


def read_source(source: str, file: str, found: Texts) -> None:
    """Gather the texts of a module."""
    keywords = KEYWORDS | dict.fromkeys(_names_of_errors(SentinelError), ONE)
    module = ast.parse(source)
    _check_tables(module, file, found)
    for call in ast.walk(module):
        if not isinstance(call, ast.Call):
            continue
        name = _name(call.func)
        _note_limits(call, name, found)
        if name == "pgettext" and all(isinstance(arg, ast.Constant) for arg in call.args):
            found.add(Key(*(str(ast.literal_eval(arg)) for arg in call.args)))
        if name not in keywords or (name == "add" and len(call.args) < 2):
            continue
        places = [at for at in keywords[name] if at < len(call.args)]
        if any(_is_built(call.args[at], strictly=name in NEVER_BUILT) for at in places):
            found.faults.append(f"{file}:{call.lineno}: not a whole text: {ast.unparse(call)}")
            continue
        forms = [_literals(call.args[at]) for at in places]
        if len(places) == len(keywords[name]):
            limit = LIMITS.get((name, 0), sys.maxsize)
            for parts in zip(*forms, strict=False):  # of two forms, one may be a variable
                found.add(Key("", *parts), limit)


def _check_tables(module: ast.Module, file: str, found: Texts) -> None:
    """Have the texts marked that stand in tables of the module and are looked up by a key."""
    looked_up = {
        _name(call.args[0].value)
        for call in ast.walk(module)
        if isinstance(call, ast.Call) and _name(call.func) == "_"
        if isinstance(call.args[0], ast.Subscript)
    }
    for statement in module.body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        target = statement.target if isinstance(statement, ast.AnnAssign) else target
        if isinstance(target, ast.Name) and target.id in looked_up:
            table = statement.value  # type: ignore[attr-defined]
            for value in table.values if isinstance(table, ast.Dict) else []:
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    found.faults.append(f"{file}:{value.lineno}: needs N_(…): {value.value!r}")


def _note_limits(call: ast.Call, name: str, found: Texts) -> None:
    given: list[tuple[int | str | None, ast.expr]] = [*enumerate(call.args)]
    given += [(keyword.arg, keyword.value) for keyword in call.keywords]
    for place, value in given:
        limit = LIMITS.get((name, place)) if place is not None else None
        if limit is not None and isinstance(value, ast.Call) and _name(value.func) == "_":
            for text in _literals(value.args[0]):
                found.add(Key("", text), limit)


def _literals(node: ast.expr) -> list[str]:
    """List the texts that an expression may be, as far as they stand there."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return _literals(node.body) + _literals(node.orelse)
    return []


def _is_built(node: ast.expr, *, strictly: bool) -> bool:
    """Tell whether a text is put together in the place of one that is looked up."""
    if isinstance(node, ast.IfExp):
        return any(_is_built(part, strictly=strictly) for part in (node.body, node.orelse))
    built = isinstance(node, ast.JoinedStr | ast.BinOp)
    return built or (strictly and isinstance(node, ast.Call) and _name(node.func) == "format")


def _name(called: ast.expr) -> str:
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


def _names_of_errors(kind: type[SentinelError]) -> Iterator[str]:
    """List the errors that people may be told of, but for those whose text is ready for them."""
    if kind is AlreadyDone:
        return
    yield kind.__name__
    for narrower in kind.__subclasses__():
        yield from _names_of_errors(narrower)


# In the commands


def command_cogs() -> set[type[commands.Cog]]:
    """List the cogs of the program, which importing the bot has made known."""
    found: set[type[commands.Cog]] = set()
    waiting = [commands.Cog]
    while waiting:
        kind = waiting.pop()
        kinds = kind.__subclasses__()
        waiting += kinds
        if not kinds and kind.__module__.startswith(bot.__package__):
            found.add(kind)
    return found


def commands_of(
    cog: type[commands.Cog],
) -> list[app_commands.Group | app_commands.Command[Any, ..., Any]]:
    """List the commands of a cog, and its group."""
    made = cog.__new__(cog)  # without its constructor: only the commands are looked at
    group = made.app_command
    return [group, *group.walk_commands()] if group else list(made.walk_app_commands())


def _read_cog(cog: type[commands.Cog], found: Texts) -> None:
    for command in commands_of(cog):
        found.add(Key(COMMAND, command.name), COMMAND_NAME)
        found.add(Key("", command.description), DESCRIPTION)
        if isinstance(command, app_commands.Command):
            for option in command.parameters:
                found.add(Key(OPTION, option.display_name), COMMAND_NAME)
                found.add(Key("", str(option.description)), DESCRIPTION)
                for choice in option.choices:
                    found.add(Key("", choice.name), CHOICE)


# In the catalogues


def key_of(entry: polib.POEntry) -> Key:
    """Return what an entry of a catalogue translates."""
    return Key(entry.msgctxt or "", entry.msgid, entry.msgid_plural)


def renewed(catalogue: polib.POFile, found: Texts) -> polib.POFile:
    """Return a catalogue with every text of the program, sorted, and no other one."""
    known = {key_of(entry): entry for entry in catalogue if not entry.obsolete}
    new = polib.POFile(wrapwidth=98)
    new.header, new.metadata = catalogue.header, catalogue.metadata
    for key in sorted(found, key=lambda key: (key.context, key.text.casefold(), key)):
        entry = known.get(key) or polib.POEntry(
            msgctxt=key.context or None,
            msgid=key.text,
            msgid_plural=key.many,
            msgstr_plural={0: "", 1: ""} if key.many else {},
        )
        # Without the files where it is used: every move would change the catalogues.
        entry.occurrences = []
        new.append(entry)
    return new


def main() -> int:
    """Bring the catalogues up to date, and say what is left to do."""
    found = texts()
    for fault in found.faults:
        print(fault)  # noqa: T201
    for path in sorted(CATALOGUES.glob("*.po")):
        new = renewed(polib.pofile(str(path)), found)
        path.write_text(f"{new}\n", "utf-8", newline="\n")
        missing = [entry.msgid for entry in new.untranslated_entries()]
        print(f"{path.name}: {len(new)} texts, {len(missing)} to translate")  # noqa: T201
        for text in missing:
            print(f"  {text!r}")  # noqa: T201
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
