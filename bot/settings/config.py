"""The configuration: config.toml, overridden by SENTINEL_<SECTION>__<KEY>, checked as a whole."""

import os
import re
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_settings.exceptions import SettingsError

from bot.settings import PREFIX, Settings
from bot.settings.toml_lines import line_of
from webhook.protocol.wire import field_problem

DEFAULT_FILE = Path("config.toml")

MISNAMED = ("config.toml.txt", "config.toml.toml", "config.txt")
"""What editors make of the file's name."""

_NAME = re.compile(r"[A-Za-z_]{1,40}")
"""A key as a configuration can have it; what looks otherwise may be a secret in the wrong place."""

_AT_LINE = re.compile(r"at line (\d+)")
_KEY = re.compile(rf"\s*({_NAME.pattern})\s*=")

_QUOTED = re.compile(r"""(['"])(.{3,}?)\1""")


BACKSLASH = r"write / instead of \ between folders, or '…' instead of " + '"…"'

_HINTS = {
    "Invalid value": 'text stands in straight quotation marks, like "this"',
    "Unescaped": BACKSLASH,
    "Invalid hex value": BACKSLASH,
    "Invalid unicode": BACKSLASH,
    "Unterminated string": "text ends with the quotation mark that it begins with",
    "Illegal character": "text ends with the quotation mark that it begins with",
    "Unclosed array": "a comma stands between two items, and ] after the last",
    "Expected newline": "one key and its value stand on each line",
    "Expected '='": "write key = value",
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
    try:
        settings = Settings(**values)
    except ValidationError as problem:
        text = _text_of(source) if source is not None else ""
        faults += [
            f"{_origin(error['loc'], source, text)}{_sentence(error)}"
            for error in problem.errors(include_url=False)
        ]
    except RecursionError:
        faults.append("environment: brackets are too deep")
    except SettingsError:
        faults += [f"environment: {name}: must be JSON" for name in _sections_as_json()]
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


def _text_of(path: Path) -> str:
    """Read a file; Windows' editor begins it with a byte order mark, which TOML does not know."""
    return path.read_text("utf-8-sig")


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        text = _text_of(path)
    except OSError as problem:
        raise ConfigError([f"{path}: cannot be read: {problem.strerror}"]) from None
    except UnicodeDecodeError:
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


def _origin(where: tuple[int | str, ...], source: Path | None, text: str) -> str:
    """Say where a value was set: an environment variable, a file with its line, or nowhere."""
    keys = [str(part) for part in where if isinstance(part, str)]
    variables = {name.removeprefix("\ufeff").upper(): value for name, value in os.environ.items()}
    for number in range(len(keys), 0, -1):
        variable = PREFIX + "__".join(keys[:number]).upper()
        if variables.get(variable):
            return f"environment: {variable}: "
    if source is None:
        return ""
    line = line_of(text, where)
    return f"{source}, line {line}: " if line else f"{source}: "


def _sections_as_json() -> list[str]:
    """Return the variables that set a whole section, with its keys as JSON."""
    sections = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    return sorted(name for name in os.environ if name.upper() in sections)


def _unknown_sections() -> list[str]:
    """Return a fault for each environment variable of a section that does not exist."""
    faults = []
    for variable in sorted(name.removeprefix("\ufeff") for name in os.environ):
        section = variable.removeprefix(PREFIX).partition("__")[0].lower()
        if variable.startswith(PREFIX) and section not in Settings.model_fields:
            shown = variable if all(map(_NAME.fullmatch, variable.split("__"))) else f"{PREFIX}…"
            faults.append(f"environment: {shown}: no such section{_hint(section, Settings)}")
    return faults


def _sentence(error: Any) -> str:
    """Write one fault as a line; values are not repeated, as they may be secrets."""
    key = ".".join(
        str(part) if isinstance(part, int) or _NAME.fullmatch(part) else "…"
        for part in error["loc"]
    )
    if error["type"] == "list_type" and isinstance(error["input"], dict):
        return f"{key}: write [[{key}]], with two brackets: there may be several"
    if error["type"] == "list_type":
        return f"{key}: must be a list: {error['loc'][-1]} = [ … ], with brackets"
    if error["type"] == "missing":
        return f"{key}: is missing"
    if error["type"] != "extra_forbidden":
        return f"{key}: {field_problem(key, error).problem}"
    model: Any = Settings
    for part in error["loc"][:-1]:
        field = model.model_fields.get(part) if isinstance(part, str) else None
        model = field.annotation if field is not None else model
        model = get_args(model)[0] if get_origin(model) is list else model
        if not hasattr(model, "model_fields"):
            return f"{key}: no such key"
    return f"{key}: no such key{_hint(str(error['loc'][-1]), model)}"


def _hint(name: str, model: Any) -> str:
    close = get_close_matches(name, model.model_fields, n=1)
    return f"; did you mean {close[0]}?" if close else ""
