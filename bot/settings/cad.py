"""The section about Sonoran CAD: its keys, its statuses, how pushes are stored."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    StringConstraints,
    model_validator,
)

from bot.settings.cad_api import RENAMED, ApiSettings
from bot.settings.fields import Name, Secret, Section, TimeOfDay, TimeZone

if TYPE_CHECKING:
    from webhook.cad_api.endpoints import ApiAccess


def _key_with_name(value: object) -> object:
    """Take a key alone for one without a name; one of digits looks like a number."""
    return {"key": str(value)} if isinstance(value, str | int) else value


class NamedKey(Section):
    """A CAD's API key; the name keeps several CAD servers apart.

    Game servers of one community have the same key: `path` is what their addresses add to tell
    them apart, as in `/event/county` or `?cad=county`.
    """

    name: Name = "cad"
    path: Name | Literal[""] = ""
    key: Annotated[Secret, Field(min_length=8)]


class StaleSettings(Section):
    """After which time without news calls, panics and shifts end by themselves; 0: never."""

    calls_hours: Annotated[float, Field(ge=0, le=24 * 365)] = 0
    panics_minutes: Annotated[float, Field(ge=0, le=60 * 24 * 7)] = 0
    units_hours: Annotated[float, Field(ge=0, le=24 * 365)] = 12
    dispatchers_hours: Annotated[float, Field(ge=0, le=24 * 365)] = 12
    at: TimeOfDay = ""


StatusName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]


class StatusSettings(Section):
    """The community's names of unit statuses, call statuses and codes, by the CAD's."""

    units: dict[str, StatusName] = {}
    calls: dict[str, StatusName] = {}
    codes: dict[str, StatusName] = {}


class CadSettings(Section):
    """Sonoran CAD: the keys that pushes carry, how pushes are stored, and what it is asked.

    `renamed`: the keys that were given by their earlier names.
    """

    keys: list[Annotated[NamedKey, BeforeValidator(_key_with_name)]] = []
    duplicate_seconds: Annotated[float, Field(ge=0, le=600)] = 60.0
    keep_hours: Annotated[int, Field(ge=1, le=24 * 365)] = 24
    crimes_from_calls: bool = False
    timezone: TimeZone = ""
    stale: StaleSettings = StaleSettings()
    silent_minutes: Annotated[int, Field(ge=0, le=60 * 24)] = 30
    statuses: StatusSettings = StatusSettings()
    api: ApiSettings = ApiSettings()
    _renamed: tuple[str, ...] = ()

    @property
    def renamed(self) -> tuple[str, ...]:
        return self._renamed

    @property
    def names(self) -> list[str]:
        """The names of the CADs, each once."""
        return list(dict.fromkeys(key.name for key in self.keys)) or ["cad"]

    def accesses(self) -> "dict[str, ApiAccess]":
        """Return how each CAD is asked that can be, by its name."""
        from webhook.cad_api.endpoints import ApiAccess

        return {
            name: ApiAccess(key, server, self.api.url, self.api.origin)
            for name in self.names
            if (key := self.api.key_of(name)) and (server := self.api.server_of(name)) is not None
        }

    @model_validator(mode="wrap")
    @classmethod
    def _take_earlier_names(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        found = []
        if isinstance(data, dict) and isinstance(data.get("api", {}), dict):
            data, api = dict(data), dict(data.get("api", {}))
            found = [earlier for earlier in RENAMED if earlier in data]
            for earlier in found:
                value = data.pop(earlier)
                if value != "":
                    api.setdefault(RENAMED[earlier], value)
            if found:
                data["api"] = api
        settings = handler(data)
        settings._renamed = tuple(found)
        return settings

    @model_validator(mode="after")
    def _api_names_cads(self) -> Self:
        unknown = sorted(self.api.named() - set(self.names))
        if unknown:
            raise ValueError(f"api: {unknown[0]} is no name in keys")
        without = [
            name
            for name in self.names
            if self.api.key_of(name) and self.api.server_of(name) is None
        ]
        if without:
            raise ValueError(f"api: server has no number for {without[0]}")
        if len(self.names) > 1 and self.api.key and not isinstance(self.api.server, dict):
            raise ValueError(
                "api: there are several CADs, so name their servers: server = "
                f"{{ {', '.join(f'{name} = {n}' for n, name in enumerate(self.names, 1))} }}"
            )
        return self
