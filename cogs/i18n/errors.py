"""Errors as people read them: in their language, with the fields called as they know them."""

from collections.abc import Mapping

from cogs.i18n.language import N_, _
from webhook.protocol.errors import FieldProblem, InvalidData, RawProblem, SentinelError

FIELDS = {
    "alarmId": N_("Alarm"),
    "allowed": N_("Let in"),
    "by": N_("Changed by"),
    "caller": N_("Caller"),
    "cameraId": N_("Camera"),
    "clientId": N_("Owner"),
    "code": N_("Code"),
    "coordinates": N_("Coordinates"),
    "days": N_("Days"),
    "departments": N_("Departments"),
    "description": N_("Description"),
    "droneId": N_("Drone"),
    "equipmentId": N_("Equipment"),
    "equipmentType": N_("Type of equipment"),
    "external": N_("Id in the game"),
    "flightId": N_("Flight"),
    "from": N_("First day"),
    "fullName": N_("Name"),
    "handler": N_("Handled by"),
    "height": N_("Height"),
    "id": N_("Id in the game"),
    "ifStatus": N_("Status"),
    "isEmergency": N_("Emergency"),
    "keepAllowed": N_("Access list"),
    "keywords": N_("Words"),
    "limit": N_("Rows"),
    "location": N_("Location"),
    "memberId": N_("Member"),
    "method": N_("Method"),
    "minutes": N_("Minutes"),
    "name": N_("Name"),
    "note": N_("Note"),
    "offset": N_("Rows"),
    "outcome": N_("Outcome"),
    "owner": N_("Owner"),
    "page": N_("Page"),
    "pings": N_("Pings"),
    "position": N_("Coordinates"),
    "postal": N_("Postal code"),
    "postals": N_("Postal codes"),
    "priority": N_("Priorities"),
    "propertyId": N_("Property"),
    "quiet": N_("Hours without mentions"),
    "radius": N_("Radius"),
    "reason": N_("Reason"),
    "removalId": N_("Removal request"),
    "search": N_("Search"),
    "simulationId": N_("Simulation"),
    "size": N_("Size"),
    "source": N_("Script"),
    "status": N_("Status"),
    "subject": N_("Subject"),
    "text": N_("Text"),
    "threadId": N_("Thread"),
    "tier": N_("Tier"),
    "to": N_("Last day"),
    "types": N_("Events"),
    "userId": N_("User"),
    "width": N_("Width"),
}
"""What people call the fields of requests and of rules."""


def error_text(fault: SentinelError, values: Mapping[str, object] | None = None) -> str:
    """Return an error's sentence in the current language, with other values if they are given."""
    if isinstance(fault, InvalidData):
        return "; ".join(f"{field_label(one.field)}: {_problem(one)}" for one in fault.fields)
    return _filled_in(fault.sentence, fault.values if values is None else values)


def field_label(field: str) -> str:
    """Name a field, `droneId` or `external.source`."""
    name = field.partition(".")[0]
    return _(FIELDS[name]) if name in FIELDS else name


def _problem(problem: FieldProblem) -> str:
    return (
        _("is not valid")
        if isinstance(problem, RawProblem)
        else _filled_in(problem.sentence, problem.values)
    )


def _filled_in(sentence: str, values: Mapping[str, object]) -> str:
    return _(sentence).format(**values) if values else _(sentence)
