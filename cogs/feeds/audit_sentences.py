"""The audit log in sentences: who changed what, by the names that people know.

Every text of a record is inert; what was deleted since is named by its number.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast, get_args

import orjson

from cogs.i18n.language import N_, _
from cogs.ui.names import (
    equipment_name,
    game_name,
    location_of,
    property_status,
    tier_name,
    user_name,
)
from cogs.ui.text import BLANK, fitting, inert_line, who
from db import alarms, equipment, removals
from db.audit import AuditRecord
from db.database import Reader
from webhook.protocol.audit_actions import AuditAction
from webhook.protocol.events import Subject

NAME = 60
"""Characters of a name in a sentence."""

REASON = 80

VALUE = 40
"""Characters of a value before or after a change, in a sentence."""

SENTENCE = 300
"""Characters of a sentence, with when it happened: ten of them share a page."""

SENTENCES: dict[AuditAction, str] = {
    "add-property": N_("{who} added {property}."),
    "edit-property": N_("{who} changed {property}."),
    "put-property": N_("{who} set the external id of {property}."),
    "change-property-owner": N_("{who} gave {property} to {user}."),
    "remove-property": N_("{who} removed {property}."),
    "restore-property": N_("{who} restored {property}."),
    "approve": N_("{who} approved {request}. Approvals still needed: {missing}."),
    "approve-property": N_("{who} approved {property}."),
    "reject-property": N_("{who} rejected {property}."),
    "request-remove-property": N_("{who} requested the removal of {property}."),
    "approve-remove-property": N_("{who} approved the removal of {property}."),
    "deny-remove-property": N_("{who} denied the removal of {property}."),
    "withdraw-remove-property": N_("{who} withdrew the request to remove {property}."),
    "add-allowed-user": N_("{who} let {user} enter {property}."),
    "remove-allowed-user": N_("{who} no longer lets {user} enter {property}."),
    "add-equipment": N_("{who} added {piece} to {property}."),
    "remove-equipment": N_("{who} removed {piece} from {property}."),
    "dispatch-drone": N_("{who} sent out {piece} of {property}."),
    "recall-drone": N_("{who} recalled {piece} of {property}."),
    "alarm-acknowledged": N_("{who} acknowledged the alarm at {property}."),
    "alarm-noted": N_("{who} wrote a note on the alarm at {property}."),
    "alarm-snoozed": N_("{who} snoozed the alarm at {property} until {until}."),
    "alarm-taken": N_("{who} took the alarm at {property} over from {handler}."),
    "alarm-released": N_("{who} released the alarm at {property}."),
    "alarm-resolved": N_("{who} resolved the alarm at {property}."),
    "alarm-false": N_("{who} marked the alarm at {property} as false."),
    "alarm-police": N_("{who} called the police to the alarm at {property}."),
    "close-call": N_("{who} closed {call} in the CAD."),
    "panic-over": N_("{who} ended {call} in the CAD."),
    "place-911": N_("{who} placed a 911 call: {location}."),
    "add-user": N_("{who} named the game user {id} {name}."),
    "remove-user": N_("{who} deleted the game user {id}."),
    "link-user": N_("{who} linked {member} to {user}."),
    "unlink-user": N_("{who} ended the link of {member} to {user}."),
    "redact": N_("{who} redacted texts of {what}."),
    "undo-redact": N_("{who} showed the redacted texts of {what} again."),
    "add-rule": N_("{who} added the rule {key}."),
    "remove-rule": N_("{who} removed the rule {key}."),
    "pause": N_("{who} ended the pause of mentions."),
    "setup": N_("{who} changed the settings in /setup."),
    "begin-drill": N_("{who} posted a test card to {channel}."),
    "begin-simulation": N_("{who} began simulation {key}."),
    "end-simulation": N_("{who} removed the traces of simulation {key}."),
}
"""What each action says."""

WITH_MORE: dict[AuditAction, tuple[str, str]] = {
    "unlink-user": ("linkedTo", N_("{who} moved the link to {user} from {member} to {other}.")),
    "pause": ("until", N_("{who} paused mentions until {until}.")),
}
"""What some say instead if a value after the change is known."""

LISTING: frozenset[AuditAction] = frozenset({"edit-property", "put-property", "setup"})
"""The actions whose sentence lists what changed."""

_NUMBERS = frozenset({"guild_id", "preset"})
"""What /setup chooses that Discord cannot show by a mention."""

FIELDS = {
    "alarm_role": N_("role for alarms"),
    "allowed": N_("user"),
    "allowedAt": N_("properties"),
    "category": N_("category"),
    "channel": N_("channel"),
    "description": N_("description"),
    "emergency_role": N_("role for 911 calls"),
    "external": N_("external id"),
    "for": N_("for"),
    "fullName": N_("name"),
    "handler": N_("handled by"),
    "guild_id": N_("server"),
    "height": N_("height"),
    "id": N_("number"),
    "kind": N_("kind"),
    "language": N_("language"),
    "linkedTo": N_("linked to"),
    "location": N_("name"),
    "mention": N_("mention"),
    "missing": N_("approvals still needed"),
    "out": N_("out"),
    "owner": N_("owner"),
    "panic_role": N_("role for panics"),
    "pings": N_("mentions"),
    "preset": N_("set of channels"),
    "property": N_("property"),
    "reason": N_("reason"),
    "state": N_("state"),
    "status": N_("status"),
    "text": N_("note"),
    "texts": N_("texts"),
    "tier": N_("tier"),
    "timezone": N_("time zone"),
    "type": N_("type"),
    "until": N_("until"),
    "userId": N_("game user"),
    "width": N_("width"),
}
"""What the changed values are called; others have their own names."""

_USERS = {"owner", "allowed", "userId", "for"}

_REQUESTS = {
    "removal": N_("the removal of {property}"),
    "restore": N_("the restoring of {property}"),
}
"""What was approved, by the kind of subject; of a new property it is the property itself."""


class Difference(NamedTuple):
    """A value that a change has changed; `before` and `after` are blank where there was none."""

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.name} {self.before or BLANK} → {self.after or BLANK}"


async def sentence(sql: Reader, record: AuditRecord) -> str:
    """Say in one line who changed what; with the reason, or with what the change changed."""
    before, after = orjson.loads(record.before), orjson.loads(record.after)
    text = _template(record.action, after)
    if text is None:  # of another version
        done = f"{who(record.who)} · {inert_line(record.action, NAME)}"
        return f"{done} · {inert_line(record.subject, NAME)}"
    line = _(text).format_map(await _facts(sql, record, before, after))
    if record.action in LISTING:
        listed = [str(each) for each in await differences(sql, record, VALUE)]
        line = f"{line.removesuffix('.')}: {fitting(listed, ', ', SENTENCE - 120)}"
    if reason := after.get("reason") or after.get("text"):
        line = _("{sentence} “{reason}”").format(sentence=line, reason=inert_line(reason, REASON))
    return line


def _template(action: str, after: Mapping[str, object]) -> str | None:
    if action not in get_args(AuditAction):
        return None
    known = cast("AuditAction", action)
    name, text = WITH_MORE.get(known, ("", ""))
    return text if after.get(name) else SENTENCES[known]


async def differences(sql: Reader, record: AuditRecord, limit: int) -> list[Difference]:
    """Return what a change has changed, each value within a limit."""
    before, after = orjson.loads(record.before), orjson.loads(record.after)
    subject = Subject.parse(record.subject)
    return [
        Difference(
            _(FIELDS[name]) if name in FIELDS else inert_line(name, NAME),
            await _value(sql, subject, name, before.get(name), limit),
            await _value(sql, subject, name, after.get(name), limit),
        )
        for name in dict.fromkeys([*before, *after])
        if (before.get(name) or "") != (after.get(name) or "")
    ]


async def _value(sql: Reader, subject: Subject, name: str, value: Any, limit: int) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return inert_line(" · ".join(map(str, value.values())), limit)
    if isinstance(value, list):
        return inert_line(", ".join(map(str, value)), limit)
    if subject.kind == "setup" and subject.key != "community":
        if name in _NUMBERS:
            return inert_line(str(value), limit)
        mark = "#" if subject.key in ("channels", "category") else "@&"
        return fitting(list(_mentions(mark, str(value))), ", ", max(limit, 100))
    if name == "tier":
        return await tier_name(sql, int(value))
    if name == "property":
        return await location_of(sql, int(value), limit)
    if name in _USERS:
        return await user_name(sql, str(value), limit)
    if name in ("handler", "linkedTo"):
        return who(str(value) if name == "handler" else f"discord:{value}")
    if name == "status":
        return property_status(str(value))
    if name == "until":
        return _time(int(value))
    return inert_line(str(value), limit)


def _mentions(mark: str, ids: str) -> Iterator[str]:
    """Write the ids of roles or channels so that Discord shows their names."""
    for number in ids.split():
        yield f"<{mark}{number}>" if number.isdigit() else inert_line(number, VALUE)


def _time(milliseconds: int) -> str:
    return f"<t:{milliseconds // 1000}:f>"


async def _facts(
    sql: Reader, record: AuditRecord, before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, str]:
    """Return what a record's sentence may name."""
    subject = Subject.parse(record.subject)
    facts = {"who": who(record.who), "key": inert_line(subject.key, NAME)}
    values = {**before, **after}
    name_of = game_name if subject.kind == "member" else user_name  # a link is to the game's user
    for name in _USERS:
        if user_id := values.get(name):
            facts["user"] = await name_of(sql, str(user_id), NAME)
    for name, fact in (("fullName", "name"), ("location", "location"), ("channel", "channel")):
        facts[fact] = inert_line(str(values.get(name) or ""), NAME)
    facts |= {
        "id": inert_line(subject.key, NAME),
        "missing": str(values.get("missing", "")),
        "until": _time(int(values.get("until") or 0)),
        "handler": who(str(values.get("handler") or "")),
        "other": who(f"discord:{values.get('linkedTo')}"),
        "member": who(f"discord:{subject.key}"),
        "call": _call(subject),
    }
    property_id = await _property_id(sql, subject)
    if property_id is not None:
        where = await location_of(sql, property_id, NAME)
        facts["property"] = f"**{where}** (#{property_id})" if property_id else BLANK
    facts["what"] = facts.get("property", facts["call"])
    if subject.kind == "alarm":
        facts["what"] = _("the alarm at {property}").format(property=facts["property"])
    if subject.kind == "equipment":
        facts["piece"] = await equipment_name(sql, subject.number, NAME)
    if record.action == "approve":
        asked = _(_REQUESTS[subject.kind]) if subject.kind in _REQUESTS else "{property}"
        facts["request"] = asked.format(property=facts["property"])
    return facts


async def _property_id(sql: Reader, subject: Subject) -> int | None:
    """Return the property that a record is about; None if it is about something else."""
    if subject.kind in ("property", "approval", "restore"):
        return subject.number
    if subject.kind == "equipment":
        piece = await equipment.get_even_removed(sql, subject.number)
        return 0 if piece is None else piece.property_id
    if subject.kind == "alarm":
        alarm = await alarms.get(sql, subject.number)
        return 0 if alarm is None else alarm.property_id
    if subject.kind == "removal":
        removal = await removals.get(sql, subject.number)
        return 0 if removal is None else removal.property_id
    return None


def _call(subject: Subject) -> str:
    if subject.kind == "dispatch":
        return _("dispatch call {number}").format(number=subject.number)
    if subject.kind == "emergency":
        return _("911 call {number}").format(number=subject.number)
    return _("a panic")
