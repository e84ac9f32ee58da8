"""The stored rows that operations return, for Discord's commands, which do not import storage."""

from db.access import AuthEntry
from db.alarm_steps import AlarmStep
from db.alarms import Alarm, Alert, OpenAlarm
from db.audit import AuditRecord
from db.cad_requests import CadRequest
from db.cards import Backlog, RejectedMessages
from db.dispatches import DispatchCall
from db.emergencies import EmergencyCall
from db.equipment import CAMERA, DRONE
from db.flights import Flight
from db.properties import ACTIVE, PENDING, REJECTED, REMOVED, Property
from db.redactions import Redaction
from db.removals import Removal
from db.units import Unit
from db.visits import Visit

__all__ = [
    "ACTIVE",
    "CAMERA",
    "DRONE",
    "PENDING",
    "REJECTED",
    "REMOVED",
    "Alarm",
    "AlarmStep",
    "Alert",
    "AuditRecord",
    "AuthEntry",
    "Backlog",
    "CadRequest",
    "DispatchCall",
    "EmergencyCall",
    "Flight",
    "OpenAlarm",
    "Property",
    "Redaction",
    "RejectedMessages",
    "Removal",
    "Unit",
    "Visit",
]
