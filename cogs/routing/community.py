"""The community's language and time zone: as the file says, unless /setup chose otherwise."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from cogs.i18n.language import ENGLISH, LANGUAGES
from db import settings
from db.database import Reader
from webhook.protocol.context import Context
from webhook.protocol.errors import NotFound
from webhook.protocol.events import Subject

CHOSEN = "setup-text."
"""How the settings begin that hold what /setup chose."""

ZONES = {
    "bg": "Europe/Sofia",
    "cs": "Europe/Prague",
    "da": "Europe/Copenhagen",
    "de": "Europe/Berlin",
    "el": "Europe/Athens",
    "en-GB": "Europe/London",
    "es-ES": "Europe/Madrid",
    "fi": "Europe/Helsinki",
    "fr": "Europe/Paris",
    "hi": "Asia/Kolkata",
    "hr": "Europe/Zagreb",
    "hu": "Europe/Budapest",
    "it": "Europe/Rome",
    "ja": "Asia/Tokyo",
    "ko": "Asia/Seoul",
    "lt": "Europe/Vilnius",
    "nl": "Europe/Amsterdam",
    "no": "Europe/Oslo",
    "pl": "Europe/Warsaw",
    "pt-BR": "America/Sao_Paulo",
    "ro": "Europe/Bucharest",
    "ru": "Europe/Moscow",
    "sv-SE": "Europe/Stockholm",
    "th": "Asia/Bangkok",
    "tr": "Europe/Istanbul",
    "uk": "Europe/Kyiv",
    "vi": "Asia/Ho_Chi_Minh",
    "zh-CN": "Asia/Shanghai",
    "zh-TW": "Asia/Taipei",
}
"""Where most people of a Discord locale live; American English is also every server's default."""


class CommunityTexts(NamedTuple):
    """A language and a time zone; blank: not chosen."""

    language: str = ""
    timezone: str = ""

    def or_else(self, other: "CommunityTexts") -> "CommunityTexts":
        """Return these, and the other's where they are blank."""
        return CommunityTexts(self.language or other.language, self.timezone or other.timezone)


DEFAULT = CommunityTexts(ENGLISH, "UTC")


def texts_of_locale(locale: str) -> CommunityTexts:
    """Return what fits a Discord server's locale, such as `de` or `en-GB`; blank for no idea."""
    language = locale.partition("-")[0]
    return CommunityTexts(
        language if language in LANGUAGES and language != ENGLISH else "", ZONES.get(locale, "")
    )


async def chosen_texts(sql: Reader) -> CommunityTexts:
    """Return what /setup chose."""
    stored = await settings.beginning_with(sql, CHOSEN)
    values = {fact.name.removeprefix(CHOSEN): fact.value for fact in stored}
    return CommunityTexts(**{name: values.get(name, "") for name in CommunityTexts._fields})


async def store_texts(context: Context, file: CommunityTexts, wanted: CommunityTexts) -> None:
    """Keep what was chosen, and audit what it changes; blank goes back to what the file says.

    Raises:
        NotFound: there is no such time zone.
    """
    if wanted.timezone:
        wanted = wanted._replace(timezone=zone_name(wanted.timezone))
    async with context.change() as change:
        chosen = await chosen_texts(change.sql)
        before, after = chosen.or_else(file), wanted.or_else(file)
        for name, value in wanted._asdict().items():
            if value in ("", getattr(file, name)):
                await settings.forget(change.sql, CHOSEN + name)
            else:
                await settings.put(change.sql, CHOSEN + name, value)
        if before != after:
            changed = [
                name for name in before._fields if getattr(before, name) != getattr(after, name)
            ]
            await change.audit(
                "setup",
                Subject("setup", "community"),
                before={name: getattr(before, name) for name in changed},
                after={name: getattr(after, name) for name in changed},
            )


def zone_name(text: str) -> str:
    """Return the name of a time zone as it is written, whatever the case and blanks in `text`.

    Raises:
        NotFound: there is no such time zone.
    """
    written = text.strip().replace(" ", "_")
    known = {name.casefold(): name for name in available_timezones()}
    found = known.get(written.casefold())
    if found is None:
        raise NotFound("there is no such time zone; write one like Europe/Berlin")
    return found


class CommunityZone(tzinfo):
    """The community's time zone, which /setup may change while the bot runs."""

    def __init__(self, name: str) -> None:
        self.zone = ZoneInfo(name)

    def utcoffset(self, at: datetime | None, /) -> timedelta | None:
        return self.zone.utcoffset(at)

    def dst(self, at: datetime | None, /) -> timedelta | None:
        return self.zone.dst(at)

    def tzname(self, at: datetime | None, /) -> str | None:
        return self.zone.tzname(at)

    def fromutc(self, at: datetime, /) -> datetime:
        return at.replace(tzinfo=UTC).astimezone(self.zone).replace(tzinfo=self)
