"""The section `[discord]`: channels, roles and rules.

What few configurations need to be checked is imported by its validator: commands start quickly.
"""

import re
from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from bot.settings.fields import Secret, Section, Snowflake, Token, is_url
from webhook.protocol.errors import InvalidValue


def _event_type(name: str) -> str:
    from cogs.routing.troubles import TYPES
    from webhook import cad
    from webhook.protocol.events import CAD, EVENTS, SYSTEM_EVENTS, is_event_name

    written = name.removeprefix("events.")
    kind = written.removeprefix(f"{CAD}.")
    names = [*cad.EVENTS, *EVENTS, *SYSTEM_EVENTS, *TYPES]
    if kind not in names:
        is_slip = bool(get_close_matches(kind, names, n=1, cutoff=0.9))
        if kind != written and is_event_name(written, ()) and not is_slip:
            return kind  # a push type of the CAD that this program does not know
        if close := get_close_matches(kind, names, n=1, cutoff=0.5):
            raise InvalidValue("not an event; did you mean {event}?", event=close[0])
        raise InvalidValue("not an event; docs/routing.md lists them")
    return kind


_BOT_TOKEN = re.compile(r"[\w-]{20,}\.[\w-]{6,}\.[\w-]{27,}", re.ASCII)


def _bot_token(text: str) -> str:
    """Take away what people copy with a token: `Bot …`, `<…>`, quotes, a variable's name."""
    found = _BOT_TOKEN.search(text)
    return found[0] if found is not None else text


def _proxy(address: str) -> str:
    if address and not (re.fullmatch(r"https?://[^/\s]+/?", address) and is_url(address)):
        raise ValueError(
            "write it like http://proxy.example.org:3128, with http://user:password@… if it asks"
            " for them; SOCKS is not possible"
        )
    return address


def _url(address: str) -> str:
    if address and not is_url(address):
        raise ValueError("write it like https://discord.com/api/v10, or leave it out")
    return address


def _quiet_hours(text: str) -> str:
    from cogs.routing.rules import QuietHours

    return str(QuietHours.parse(text))


class Channels(Section):
    """Discord channel ids by what is posted there."""

    emergency: Snowflake = 0
    dispatch: Snowflake = 0
    panic: Snowflake = 0
    board: Snowflake = 0
    units: Snowflake = 0
    records: Snowflake = 0
    alerts: Snowflake = 0
    visits: Snowflake = 0
    crimes: Snowflake = 0
    access: Snowflake = 0
    properties: Snowflake = 0
    drones: Snowflake = 0
    approvals: Snowflake = 0
    log: Snowflake = 0


class Roles(Section):
    """Discord role ids by what they allow; each may do what the ones before it may."""

    viewer: list[Snowflake] = []
    dispatcher: list[Snowflake] = []
    approver: list[Snowflake] = []
    admin: list[Snowflake] = []


Word = Annotated[
    str,
    Field(coerce_numbers_to_str=True),
    StringConstraints(strip_whitespace=True, min_length=1, max_length=128),
]
"""A text that a rule looks for; a number is read as its digits."""

EventType = Annotated[str, AfterValidator(_event_type)]
"""A push type of the CAD, or the name of an event of the property protocol."""


class RuleSettings(Section):
    """A routing rule: the conditions on an event, and what happens to it when they are met."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
    types: Annotated[list[EventType], Field(min_length=1)] | None = None
    priority: Annotated[list[Word], Field(min_length=1)] | None = None
    emergency: bool | None = None
    departments: Annotated[list[Word], Field(min_length=1)] | None = None
    postals: Annotated[list[Word], Field(min_length=1)] | None = None
    keywords: Annotated[list[Word], Field(min_length=1)] | None = None
    properties: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)] | None = None
    channel: Snowflake = 0
    mention: Snowflake = 0
    thread: bool = False
    silent: bool | None = None
    quiet: Annotated[str, AfterValidator(_quiet_hours)] | None = None
    panics_always: bool = True

    @model_validator(mode="after")
    def _has_an_effect(self) -> "RuleSettings":
        acts = bool(self.channel or self.mention or self.thread)
        if not acts and self.silent is None and (self.quiet is None or self.panics_always):
            raise InvalidValue(
                "the rule does nothing: give it a channel, a role to mention or a thread, or have"
                " it post nothing"
            )
        if self.silent and acts and self.quiet is None:
            raise InvalidValue(
                "the rule is always silent, so its channel, mention and thread have no effect:"
                " give it quiet hours, or take them out"
            )
        if self.quiet is not None and not (self.mention or self.silent) and self.panics_always:
            raise InvalidValue(
                "the quiet hours of the rule have no effect: it mentions no role and is not silent"
            )
        return self


def _unique_names(rules: list[RuleSettings]) -> list[RuleSettings]:
    names = [rule.name for rule in rules]
    for name in names:
        if names.count(name) > 1:
            indices = [index for index, found in enumerate(names) if found == name]
            raise ValueError(f"two rules have the same name: {indices[0]} and {indices[1]}")
    return rules


class DiscordSettings(Section):
    """The Discord bot; off without a token."""

    token: Annotated[Token, AfterValidator(_bot_token)] = ""
    guild_id: Snowflake = 0
    panic_role: Snowflake = 0
    emergency_role: Snowflake = 0
    alarm_role: Snowflake = 0
    ping_within_seconds: Annotated[int, Field(ge=30, le=7 * 24 * 3600)] = 120
    feed_age_minutes: Annotated[int, Field(ge=0, le=60 * 24 * 365)] = 60
    publish: bool = False
    proxy: Annotated[Secret, AfterValidator(_proxy)] = ""
    api_url: Annotated[str, AfterValidator(_url)] = ""
    gateway_url: Annotated[str, AfterValidator(_url)] = ""
    channels: Channels = Channels()
    roles: Roles = Roles()
    rules: Annotated[list[RuleSettings], AfterValidator(_unique_names)] = []
