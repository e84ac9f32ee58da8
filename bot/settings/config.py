"""The configuration: config.toml, overridden by SENTINEL_<SECTION>__<KEY>, checked as a whole."""

import os
import re
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_settings.exceptions import SettingsError

from bot.settings import Settings
from bot.settings.environment import unreadable
from bot.settings.sources import DEFAULT_FILE, PREFIX, Location, Sources, text_of, variables
from webhook.protocol.wire import field_problem

MISNAMED = ("config.toml.txt", "config.toml.toml", "config.txt")
"""What editors make of the file's name."""

_NAME = re.compile(r"[A-Za-z_]{1,40}")
"""A key as a configuration can have it; what looks otherwise may be a secret in the wrong place."""

_AT_LINE = re.compile(r"at line (\d+)")
_KEY = re.compile(rf"\s*({_NAME.pattern})\s*=")

_QUOTED = re.compile(r"""(['"])(.{3,}?)\1""")


BACKSLASH = r"write / instead of \ between folders, or '…' instead of " + '"…"'

_HINTS = {
    "Invalid value": 'text stands in straight quotation marks, like "this"; without: true, false',
    "Invalid statement": "each line is a [section], key = value, or # and a remark",
    "Unescaped": BACKSLASH,
    "Invalid hex value": BACKSLASH,
    "Invalid unicode": BACKSLASH,
    "Unterminated string": "text ends with the quotation mark that it begins with",
    "Illegal character": "text ends with the quotation mark that it begins with",
    "Unclosed array": "a comma stands between two items, and ] after the last",
    "Expected newline": (
        "one key and its value stand on each line; text, also a time, in quotation marks"
    ),
    "Expected '='": "write key = value, and _ for a blank in a key",
    "Expected ']'": "a section stands in brackets, like [discord]",
    "Cannot declare": "this section is there already: write its keys under that one",
    "Cannot overwrite": "this key is there already: keep one of the two",
}
"""What to do about the commonest faults in TOML, by how the parser begins to tell them."""


class ConfigError(Exception):
    """A configuration that cannot be used; one readable line per fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def load(path: Path | None) -> Settings:
    """Read the configuration; without a path, `config.toml` if there is one.

    Raises:
        ConfigError: it cannot be used; it has every fault.
    """
    source = path or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    values = _read_toml(source) if source is not None else {}
    if source is None:
        _reject_misnamed_files()
    faults = _unknown_sections()
    sources = Sources(source)
    try:
        settings = Settings(**values)
    except ValidationError as problem:
        for error in problem.errors(include_url=False):
            origin = sources.of(error["loc"]) or source
            sentence = _sentence(error, is_json=bool(sources.variable(error["loc"])))
            faults.append(f"{origin}: {sentence}" if origin else sentence)
    except RecursionError:
        faults.append("environment: brackets are too deep")
    except SettingsError:
        names = unreadable(variables(), PREFIX, Settings) or [f"{PREFIX}…"]
        faults += [f'environment: {name}: must be JSON: {{ "key": value }}' for name in names]
    if faults:
        raise ConfigError(faults)
    return settings


def _reject_misnamed_files() -> None:
    """Raise ConfigError for a file that was meant to be the configuration and is not read."""
    for name in MISNAMED:
        if Path(name).exists():
            cure = f"rename it to {DEFAULT_FILE}, or nothing in it counts"
            where = "Windows shows the end of its name with View › Show › File name extensions"
            raise ConfigError([f"{name}: {cure}; {where}"])


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        text = text_of(path)
    except OSError as problem:
        cure = "; run this as the bot's user" if isinstance(problem, PermissionError) else ""
        raise ConfigError([f"{path}: cannot be read: {problem.strerror}{cure}"]) from None
    except UnicodeError:
        raise ConfigError([f"{path}: not UTF-8; save it with that encoding"]) from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError([f"{path}: not TOML: {_explained(str(problem), text)}"]) from None
    except (ValueError, RecursionError):
        raise ConfigError([f"{path}: a number is too long, or brackets are too deep"]) from None


def _without_values(problem: str) -> str:
    """Leave the names of keys in what the parser says, and nothing else that it quotes."""
    return _QUOTED.sub(lambda found: found[0] if _NAME.fullmatch(found[2]) else "'…'", problem)


def _explained(problem: str, text: str) -> str:
    """Add the key and what to do to what the parser says."""
    hints = [hint for beginning, hint in _HINTS.items() if problem.startswith(beginning)]
    found = _AT_LINE.search(problem)
    lines = text.rstrip().splitlines()
    lines = lines[int(found[1]) - 1 :][:1] if found else lines[-1:]
    keys = [f"the key is {key[1]}" for line in lines if (key := _KEY.match(line))]
    return "; ".join([_without_values(problem), *keys, *hints])


def _unknown_sections() -> list[str]:
    """Return a fault for each environment variable of a section that does not exist."""
    faults = []
    for variable in sorted(name.removeprefix("\ufeff") for name in os.environ):
        section, _, key = variable.removeprefix(PREFIX).partition("__")
        if not variable.startswith(PREFIX) or section.lower() in Settings.model_fields:
            continue
        shown = variable if all(map(_NAME.fullmatch, variable.split("__"))) else f"{PREFIX}…"
        first, _, rest = section.partition("_")
        if first.lower() in Settings.model_fields and rest and not key:
            hint = f"; write two underscores: {PREFIX}{first}__{rest}"
        else:
            hint = _hint(section.lower(), Settings)
        faults.append(f"environment: {shown}: no such section{hint}")
    return faults


def _sentence(error: Any, *, is_json: bool) -> str:
    """Write one fault as a line; values are not repeated, as they may be secrets.

    `is_json`: it is in an environment variable, where tables and lists of them are JSON.
    """
    where = tuple(part for part in error["loc"] if part not in ("", "…")) or ("…",)
    last = where[-1]
    key = ".".join(
        str(part) if isinstance(part, int) or _NAME.fullmatch(part) else "…" for part in where
    )
    match error["type"]:
        case "model_type" | "dict_type" | "model_attributes_type":
            return f"{key}: {_as_table(where, error['input'], is_json=is_json)}"
        case "list_type" if isinstance(error["input"], dict) and not is_json:
            return f"{key}: write [[{key}]], with two brackets: there may be several"
        case "list_type" if isinstance(last, str):
            example = '[{ "name": … }]' if is_json else f"{last} = [ … ]"
            return f"{key}: must be a list: {example}, with brackets"
        case "list_type":
            return f"{key}: must be a list of its own, with brackets"
        case "missing":
            return f"{key}: is missing"
        case "literal_error":
            return f"{key}: must be {error['ctx']['expected']}"
        case "ip_any_network":
            return f"{key}: must be an address, or a network like 172.18.0.0/16"
        case "extra_forbidden":
            return f"{key}: no such key{_hint_of_key(error['loc'])}"
        case _:
            return f"{key}: {field_problem(key, error).problem}"


def _as_table(where: Location, value: object, *, is_json: bool) -> str:
    """Say how the keys of a section, or of one item of a list, are written."""
    if is_json:
        return 'must be JSON: { "key": value }'
    if len(where) > 1:
        return "must be keys and values in braces: { key = value }"
    name = where[0]
    if isinstance(value, list):
        return f"write [{name}], with one bracket: there is only one"
    return f"write [{name}] on a line of its own, and its keys below it"


def _hint_of_key(where: Location) -> str:
    model: Any = Settings
    for part in where[:-1]:
        field = model.model_fields.get(part) if isinstance(part, str) else None
        model = field.annotation if field is not None else model
        model = get_args(model)[0] if get_origin(model) is list else model
        if not hasattr(model, "model_fields"):
            return ""
    return _hint(str(where[-1]), model)


def _hint(name: str, model: Any) -> str:
    close = get_close_matches(name, model.model_fields, n=1)
    return f"; did you mean {close[0]}?" if close else ""
