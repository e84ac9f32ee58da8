"""The settings: every section of the configuration and its fields."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bot.settings.cad import CadSettings, NamedKey, StaleSettings, StatusSettings
from bot.settings.cad_api import ApiSettings
from bot.settings.discord import Channels, DiscordSettings, Roles, RuleSettings
from bot.settings.environment import read_lists
from bot.settings.fields import (
    AnyCase,
    FilePath,
    Host,
    Language,
    Minutes,
    Name,
    Origin,
    Section,
    Snowflake,
    TimeOfDay,
    TimeZone,
    Token,
    TrustedProxy,
    clean_secret,
)
from bot.settings.sources import PREFIX
from webhook.protocol.postals import read_postals

if TYPE_CHECKING:
    from cogs.pictures.backdrop import Backdrop

__all__ = [
    "ApiSettings",
    "CadSettings",
    "Channels",
    "DiscordSettings",
    "NamedKey",
    "Roles",
    "RuleSettings",
    "Settings",
    "StaleSettings",
    "StatusSettings",
    "clean_secret",
]


def _with_postals(path: Path) -> Path:
    try:
        read_postals(path.read_bytes())
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    return path


class AlarmSettings(Section):
    """When an alarm that nobody acknowledges escalates, to whom, and when it ends by itself."""

    call_after_minutes: Minutes = 5
    call_supervisor_after_minutes: Minutes = 10
    release_after_minutes: Minutes = 0
    supervisor: list[Snowflake] = []
    quiet_after_minutes: Annotated[Minutes, Field(ge=1)] = 60
    call_police: Literal["never", "alert", "dispatchers", "supervisors"] = "never"
    police_tiers: list[Annotated[int, Field(ge=1)]] = []
    postals: Annotated[FilePath, AfterValidator(_with_postals)] | None = None

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

    host: Host = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 30150
    max_push_bytes: Annotated[int, Field(ge=1024)] = 1536 * 1024
    max_connections: Annotated[int, Field(ge=16)] = 2000
    certificate: FilePath | None = None
    private_key: FilePath | None = None
    trusted_proxies: list[TrustedProxy] = []

    @model_validator(mode="after")
    def _certificate_has_key(self) -> "HttpSettings":
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key belong together: set both, or neither")
        return self


class ClientSettings(Section):
    """A program that may use the websocket and the HTTP API."""

    name: Name
    token: Annotated[Token, Field(min_length=16)]
    scope: Literal["read", "write", "admin"] = "read"


class WebsocketSettings(Section):
    """The property-security protocol."""

    allowed_origins: list[Origin] = []
    messages_per_second: Annotated[int, Field(ge=1)] = 200
    connections_per_client: Annotated[int, Field(ge=1)] = 1000
    clients: list[ClientSettings] = []


class DatabaseSettings(Section):
    """Where everything is stored, how long events are kept, and when it is backed up."""

    path: FilePath = Path("data/sentinel.db")
    journal_days: Annotated[int, Field(ge=1)] = 30
    backup_folder: FilePath = Path("backups")
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

    timezone: TimeZone = ""
    language: Language = ""
    daily_at: TimeOfDay = "06:00"
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

    format: Annotated[Literal["text", "json"], AnyCase] = "text"
    level: Annotated[Literal["debug", "info", "warning", "error"], AnyCase] = "info"
    file: FilePath | None = None
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
