"""The subjects of events and of audit records: what they are about."""

from db.properties import PENDING, REJECTED
from webhook.protocol.events import Subject


def property_subject(property_id: int) -> Subject:
    """Return the subject of events about a property as a whole."""
    return Subject("property", str(property_id))


def equipment_subject(equipment_id: int) -> Subject:
    """Return the subject of records on a piece of equipment."""
    return Subject("equipment", str(equipment_id))


def user_subject(user_id: str) -> Subject:
    """Return the subject of records on a game user."""
    return Subject("user", user_id)


def removal_subject(removal_id: int) -> Subject:
    """Return the subject of events about a removal request."""
    return Subject("removal", str(removal_id))


def approval_subjects(property_id: int, *statuses: str) -> list[Subject]:
    """Return the approval of a property as a subject if one of the statuses leaves it open."""
    if PENDING in statuses or REJECTED in statuses:
        return [Subject("approval", str(property_id))]
    return []


def alarm_subject(alarm_id: int) -> Subject:
    """Return the subject of events about an alarm."""
    return Subject("alarm", str(alarm_id))


def flight_subject(flight_id: int) -> Subject:
    """Return the subject of events about a flight."""
    return Subject("flight", str(flight_id))


def member_subject(member_id: int) -> Subject:
    """Return the subject of records about a member of the Discord server."""
    return Subject("member", str(member_id))
