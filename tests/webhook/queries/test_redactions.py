"""Redacting is stored, audited without the text, undone, and for approvers only."""

import pytest

from db import redactions
from tests.webhook.harness import AppHarness
from webhook.protocol.context import Scope
from webhook.protocol.errors import Forbidden
from webhook.protocol.events import Subject
from webhook.protocol.redacted_texts import RedactedTexts, redaction_of
from webhook.queries.audit import AuditPage, list_changes
from webhook.queries.redactions import get_redactable, redact, undo_redaction


async def test_a_redaction_is_stored_and_audited_without_the_text(
    harness: AppHarness,
) -> None:
    approver, shown = harness.context(Scope.APPROVE, "anna"), RedactedTexts()
    text, other = redaction_of("A bad text"), redaction_of("Another")
    assert text is not None
    assert other is not None
    about = Subject("emergency", "9@cad")
    first, _channels = await redact(approver, [text], about, shown)
    second, _channels = await redact(approver, [text, other], about, shown)
    assert shown.replace("a bad text", "-") == "-"
    assert set(await redactions.all_of_them(approver.read)) == {text, other}
    changes = await list_changes(harness.context(Scope.ADMIN, "boss"), AuditPage())
    assert [(one.action, one.subject, one.after) for one in changes] == [
        ("redact", str(about), '{"texts":2}'),
        ("redact", str(about), '{"texts":1}'),
    ]
    # The second act redacted only what the first had not.
    await undo_redaction(approver, second, about, shown)
    assert await redactions.all_of_them(approver.read) == [text]
    assert shown.replace("Another", "-") == "Another"
    await undo_redaction(approver, first, about, shown)
    assert await redactions.all_of_them(approver.read) == []
    assert shown.replace("a bad text", "-") == "a bad text"
    # The button that undoes the first act undoes no later one.
    await redact(approver, [text], about, shown)
    await undo_redaction(approver, first, about, shown)
    assert await redactions.all_of_them(approver.read) == [text]


async def test_only_approvers_redact(harness: AppHarness) -> None:
    dispatcher, shown = harness.context(Scope.WRITE, "dora"), RedactedTexts()
    text = redaction_of("A bad text")
    assert text is not None
    with pytest.raises(Forbidden):
        await redact(dispatcher, [text], Subject("emergency", "9@cad"), shown)
    assert shown.replace("A bad text", "-") == "A bad text"


async def test_the_texts_of_each_card_are_offered_once(harness: AppHarness) -> None:
    approver = harness.context(Scope.APPROVE, "anna")
    property_id = await harness.add_property(location="Bad House", description="bad house!")
    for kind in ("approval", "property-message"):
        texts = await get_redactable(approver, Subject(kind, str(property_id)))
        assert texts[0].text == "Bad House"
        assert "bad house!" not in [text.text for text in texts]
    for unknown in ("removal:9", "flight:9", "notice:9", "alarm:9", "emergency:9@cad", "board:1"):
        assert await get_redactable(approver, Subject.parse(unknown)) == []
    for odd in ("alarm:x", "removal:", "notice:-1", "message:1-2"):
        assert await get_redactable(approver, Subject.parse(odd)) == []


async def test_notes_of_alarms_and_reasons_of_requests_are_offered(harness: AppHarness) -> None:
    approver = harness.context(Scope.APPROVE, "anna")
    property_id = await harness.add_property()
    await harness.ask("add-alert", propertyId=property_id, userId="u", note="a bad note")
    await harness.ask("note-alarm", alarmId=1, text="another bad note")
    texts = [one.text for one in await get_redactable(approver, Subject("alarm", "1"))]
    assert {"a bad note", "another bad note"} <= set(texts)
    assert await get_redactable(approver, Subject("alarm-call", "1-1")) != []
    await harness.ask("request-remove-property", propertyId=property_id, reason="a bad reason")
    texts = [one.text for one in await get_redactable(approver, Subject("removal", "1"))]
    assert texts[0] == "a bad reason"
