"""What the CAD's events are about."""

from webhook.protocol.events import Subject


def emergency_subject(cad: str, call_id: int) -> Subject:
    """Return the subject of events about a 911 call."""
    return Subject("emergency", f"{call_id}@{cad}")


def dispatch_subject(cad: str, call_id: int) -> Subject:
    """Return the subject of events about a dispatch call."""
    return Subject("dispatch", f"{call_id}@{cad}")


def panic_subject(panic_id: int) -> Subject:
    """Return the subject of events about a panic."""
    return Subject("panic", str(panic_id))


def notice_subject(notice_id: int) -> Subject:
    """Return the subject of an announcement: a page, a station alert, a callout."""
    return Subject("notice", str(notice_id))


def unit_subjects(cad: str, idents: list[int]) -> list[Subject]:
    """Return the subjects of events about units."""
    return [Subject("unit", f"{ident}@{cad}") for ident in idents]
