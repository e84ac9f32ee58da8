"""The settings: every section of the configuration, its fields and what they must be like.

What few configurations need to be checked is imported by its validator: commands start quickly.
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    IPvAnyNetwork,
    ModelWrapValidatorHandler,
    StringConstraints,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bot.settings.cad_api import RENAMED, ApiSettings
from bot.settings.discord import Channels, DiscordSettings, Roles, RuleSettings
from bot.settings.environment import read_lists
from bot.settings.fields import Secret, Section, Snowflake, Token, clean_secret

if TYPE_CHECKING:
    from cogs.pictures.backdrop import Backdrop
    from webhook.cad_api.endpoints import ApiAccess

__all__ = [
    "ApiSettings",
    "Channels",
    "DiscordSettings",
    "Roles",
    "RuleSettings",
    "Settings",
    "clean_secret",
]

PREFIX = "SENTINEL_"


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        if not available_timezones():
            raise ValueError(
                "this machine has no time zone database: install the package tzdata"
            ) from None
        raise ValueError("not a time zone; write one like 'Europe/Berlin'") from None
    return name


def _language(name: str) -> str:
    from cogs.i18n.language import LANGUAGES, native_name
    from db.search import DOTLESS

    if name not in {*LANGUAGES, *DOTLESS}:
        known = ", ".join(f"{code} ({native_name(code)})" for code in LANGUAGES)
        raise ValueError(f"not a language of the program; choose {known}")
    return name


def _host(host: str) -> str:
    if "/" in host:
        raise ValueError("a name or an address without http:// and without a path, like '0.0.0.0'")
    if host.startswith("[") or (host.count(":") == 1):
        raise ValueError(
            "a name or an address alone, like '0.0.0.0' or '::'; the port is another key"
        )
    return host


def _path(path: Path) -> Path:
    if min(str(path), default="") < " ":
        raise ValueError(r"a path cannot contain control characters; write \\ or / between folders")
    return path


def _key_with_name(value: object) -> object:
    return {"key": value} if isinstance(value, str) else value


def _proxy(network: IPvAnyNetwork) -> IPvAnyNetwork:
    if network.prefixlen == 0:
        raise ValueError("this trusts everybody; name the address of the proxy itself")
    return network


def _origin(text: str) -> str:
    from webhook.http.cors import parse_origin

    return parse_origin(text)


def _time_of_day(text: str) -> str:
    try:
        return f"{datetime.strptime(text, '%H:%M'):%H:%M}" if text else ""  # noqa: DTZ007
    except ValueError:
        raise ValueError(f"{text!r} is not a time of day; write one like '06:00'") from None


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$", max_length=32)]
"""A name that stands in records and logs."""

Minutes = Annotated[int, Field(ge=0, le=60 * 24 * 7)]


class AlarmSettings(Section):
    """When an alarm that nobody acknowledges escalates, to whom, and when it ends by itself."""

    call_after_minutes: Minutes = 5
    call_supervisor_after_minutes: Minutes = 10
    release_after_minutes: Minutes = 0
    supervisor: list[Snowflake] = []
    quiet_after_minutes: Annotated[Minutes, Field(ge=1)] = 60
    call_police: Literal["never", "alert", "dispatchers", "supervisors"] = "never"
    police_tiers: list[Annotated[int, Field(ge=1)]] = []

    @model_validator(mode="after")
    def _in_order(self) -> "AlarmSettings":
        first, second = self.call_after_minutes, self.call_supervisor_after_minutes
        if second and second <= first:
            raise ValueError(
                "call_supervisor_after_minutes must be more than call_after_minutes, or 0 for never"
            )
        if max(first, second) >= self.quiet_after_minutes:
            raise ValueError(
                "quiet_after_minutes must be more than call_after_minutes and"
                " call_supervisor_after_minutes, or an alarm expires before it escalates"
            )
        if self.release_after_minutes >= self.quiet_after_minutes:
            raise ValueError(
                "quiet_after_minutes must be more than release_after_minutes, or an alarm expires"
                " before it is released"
            )
        return self


class HttpSettings(Section):
    """Where the program listens."""

    host: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_host)
    ] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 30150
    max_push_bytes: Annotated[int, Field(ge=1024)] = 1536 * 1024
    max_connections: Annotated[int, Field(ge=16)] = 2000
    certificate: Path | None = None
    private_key: Path | None = None
    trusted_proxies: list[Annotated[IPvAnyNetwork, AfterValidator(_proxy)]] = []

    @model_validator(mode="after")
    def _certificate_has_key(self) -> "HttpSettings":
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key belong together: set both, or neither")
        return self


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
    at: Annotated[str, AfterValidator(_time_of_day)] = ""


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
    timezone: Annotated[str, AfterValidator(lambda name: name and _zone(name))] = ""
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


class ClientSettings(Section):
    """A program that may use the websocket and the HTTP API."""

    name: Name
    token: Annotated[Token, Field(min_length=16)]
    scope: Literal["read", "write", "admin"] = "read"


class WebsocketSettings(Section):
    """The property-security protocol."""

    allowed_origins: list[Annotated[str, AfterValidator(_origin)]] = []
    messages_per_second: Annotated[int, Field(ge=1)] = 200
    connections_per_client: Annotated[int, Field(ge=1)] = 1000
    clients: list[ClientSettings] = []


class DatabaseSettings(Section):
    """Where everything is stored, how long events are kept, and when it is backed up."""

    path: Annotated[Path, AfterValidator(_path)] = Path("data/sentinel.db")
    journal_days: Annotated[int, Field(ge=1)] = 30
    backup_folder: Annotated[Path, AfterValidator(_path)] = Path("backups")
    backup_hours: Annotated[int, Field(ge=0, le=24 * 365)] = 24
    backups_kept: Annotated[int, Field(ge=1)] = 7


class TierSettings(Section):
    """A protection plan."""

    id: Annotated[int, Field(ge=1)]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    price: Annotated[str, Field(max_length=32, coerce_numbers_to_str=True)]


class EquipmentTypeSettings(Section):
    """A type of equipment; 1 are cameras and 3 drones, whatever their names."""

    id: Annotated[int, Field(ge=1)]
    name: Annotated[str, Field(min_length=1, max_length=100)]


def _unique_ids(rows: list[Any]) -> list[Any]:
    ids = [row.id for row in rows]
    if len(ids) != len(set(ids)):
        raise ValueError("an id occurs twice")
    return rows


class CommunitySettings(Section):
    """The community's clock, and what its properties can have."""

    timezone: Annotated[str, AfterValidator(lambda name: name and _zone(name))] = ""
    language: Annotated[str, AfterValidator(lambda name: name and _language(name))] = ""
    daily_at: Annotated[str, AfterValidator(_time_of_day)] = "06:00"
    new_external: Literal["pending", "active"] = "pending"
    remove_external: Literal["request", "at-once"] = "request"
    tiers: Annotated[list[TierSettings], AfterValidator(_unique_ids)] = [
        TierSettings(id=1, name="Basic", price="59.99"),
        TierSettings(id=2, name="Premium", price="99.99"),
        TierSettings(id=3, name="Optimum", price="149.99"),
    ]
    equipment_types: Annotated[list[EquipmentTypeSettings], AfterValidator(_unique_ids)] = [
        EquipmentTypeSettings(id=1, name="Camera"),
        EquipmentTypeSettings(id=2, name="Badge reader"),
        EquipmentTypeSettings(id=3, name="Drone"),
    ]


class ApprovalSettings(Section):
    """How people decide on new properties and requested removals."""

    own: bool = False
    approvers: Annotated[int, Field(ge=1, le=10)] = 1
    restore_hours: Annotated[int, Field(ge=0, le=24 * 365)] = 72


class MapSettings(Section):
    """The owner's own image under the maps of properties; without one, a plain grid."""

    image: str = ""
    points: list[list[Annotated[float, Field(allow_inf_nan=False)]]] = []

    @model_validator(mode="after")
    def _image_is_usable(self) -> "MapSettings":
        self.backdrop()
        return self

    def backdrop(self) -> "Backdrop | None":
        """Return the map image with what its points say.

        Raises:
            BackdropError: it cannot be used.
        """
        if not self.points and not self.image:
            return None
        from cogs.pictures.backdrop import Backdrop, BackdropError

        if not self.image:
            raise BackdropError("there are points, but no image")
        return Backdrop.of(self.image, self.points)


class LogSettings(Section):
    """What the log looks like, and a file for it beside standard error.

    A file of `megabytes` is renamed to `….1`, that one to `….2`; `files` of them are kept.
    """

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"
    file: Annotated[Path, AfterValidator(_path)] | None = None
    megabytes: Annotated[int, Field(ge=1, le=1000)] = 10
    files: Annotated[int, Field(ge=1, le=100)] = 5


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        # Docker Compose and Pterodactyl pass what nobody filled in as an empty text.
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
    )

    discord: DiscordSettings = DiscordSettings()
    alarms: AlarmSettings = AlarmSettings()
    http: HttpSettings = HttpSettings()
    cad: CadSettings = CadSettings()
    websocket: WebsocketSettings = WebsocketSettings()
    database: DatabaseSettings = DatabaseSettings()
    community: CommunitySettings = CommunitySettings()
    approvals: ApprovalSettings = ApprovalSettings()
    map: MapSettings = MapSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file; environment files leave marks and quotes in it."""
        if isinstance(env_settings, EnvSettingsSource):
            cleaned = {
                name.removeprefix("\ufeff"): clean_secret(value)
                for name, value in env_settings.env_vars.items()
            }
            env_settings.env_vars = read_lists(cleaned, PREFIX, settings_cls)
        return env_settings, init_settings
