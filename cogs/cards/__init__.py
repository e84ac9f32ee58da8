"""Cards: which subjects have one, in which channel, and what it shows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cogs.cards import (
    again,
    alarms,
    asked,
    board,
    calls,
    drills,
    escalations,
    notices,
    owners,
    properties,
    troubles,
)
from cogs.i18n.language import N_, _
from cogs.ui.embeds import MessageContent
from db.database import Reader
from webhook.protocol.events import Subject
from webhook.queries.links import code_answer

Render = Callable[[Reader, Subject], Awaitable[MessageContent | None]]
"""Makes a card from the stored state alone; None if there is nothing to show."""


@dataclass(frozen=True, slots=True)
class CardKind:
    """A kind of card: the channel it is posted to, by its name in the configuration.

    `direct` is no channel: such a card is a private message.

    `edit_interval`: seconds between two edits of the same card. `max_age`: seconds after which its
    message is replaced by a new one instead of being edited; 0: never. `answer_key`: it replaces
    the private answer of this key that the member was given, as long as Discord allows that.
    """

    channel: str
    render: Render
    edit_interval: float = 0.0
    max_age: float = 0.0
    answer_key: Callable[[Subject, int], str] | None = None


CARDS: dict[str, CardKind] = {
    "emergency": CardKind("emergency", calls.emergency),
    "dispatch": CardKind("dispatch", calls.dispatch),
    "panic": CardKind("panic", calls.panic),
    "notice": CardKind("dispatch", notices.notice),
    "board": CardKind(board.CHANNEL, board.board, board.EDIT_INTERVAL, board.MAX_AGE),
    "approval": CardKind("approvals", properties.approval),
    "removal": CardKind("approvals", properties.removal),
    "flight": CardKind("drones", properties.flight),
    "alarm": CardKind("alerts", alarms.alarm),
    "alarm-call": CardKind("alerts", escalations.escalation),
    "alarm-again": CardKind("alerts", again.alarm),
    "panic-again": CardKind("panic", again.panic),
    "emergency-again": CardKind("emergency", again.emergency),
    "trouble": CardKind("log", troubles.trouble),
    "trouble-direct": CardKind("direct", troubles.trouble),
    "drill": CardKind("log", drills.drill),
    "alarm-owner": CardKind("direct", owners.alarm),
    "alarm-owner-again": CardKind("direct", again.owners_alarm),
    "approval-answer": CardKind("direct", owners.approval_answer),
    "removal-owner": CardKind("direct", owners.removal_owner),
    "removal-answer": CardKind("direct", owners.removal_answer),
    "property-message": CardKind("direct", owners.property_message),
    "linked": CardKind(
        "direct", owners.linked, answer_key=lambda _, member_id: code_answer(member_id)
    ),
    "asked": CardKind("direct", asked.outcome, answer_key=lambda subject, _: str(subject)),
}
"""The cards by the kind of their subject."""


_NAMES = {
    "emergency": N_("Call {number}"),
    "dispatch": N_("Dispatch call {number}"),
    "panic": N_("Panic {number}"),
    "approval": N_("Property {number}"),
    "removal": N_("Removal {number}"),
    "flight": N_("Flight {number}"),
    "alarm": N_("Alarm {number}"),
}
"""What the footer calls a card, and the replies and private messages about it."""


def card_name(subject: Subject) -> str:
    """Return what the footer calls a card; blank if there is nothing to say."""
    name = _NAMES.get(subject.kind.partition("-")[0])
    number = subject.key.partition("@")[0].partition(".")[0].partition("-")[0]
    return "" if name is None else _(name).format(number=number)


async def render(sql: Reader, subject: Subject) -> MessageContent | None:
    return await CARDS[subject.kind].render(sql, subject)
