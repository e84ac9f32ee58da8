"""Custom layouts, and the community's own names of statuses and codes, as people see them."""

from typing import Any

import discord
import pytest

from cogs.cards import render
from cogs.cards.board import SUBJECT
from cogs.feeds import entry_embed
from cogs.ui.names import set_status_names
from tests.webhook.harness import AppHarness
from webhook.cad.status_names import StatusNames
from webhook.cad.store import PushConfig, store_push
from webhook.protocol.bus import StoredEvent
from webhook.protocol.events import Subject

NAMES = StatusNames.of(
    units={"2": "10-8", "busy": "10-6", "7": "Code *7*"},
    calls={"PENDING": "Waiting", "12": "Under control"},
    codes={"10-54": "Livestock in road"},
)
CALL: dict[str, Any] = {"callId": 8, "status": 1, "title": "Cows", "code": "10-54"}


async def push(
    harness: AppHarness, kind: str, data: Any, names: StatusNames = NAMES
) -> StoredEvent:
    body = {"key": "K", "type": kind, "data": data}
    await store_push(harness.context(), "cad", body, "", PushConfig(names=names))
    return (await harness.journal_events())[-1]


async def card(harness: AppHarness, subject: Subject) -> discord.Embed:
    content = await render(harness.database.read, subject)
    assert content is not None
    return content.embeds[0]


async def fields_of_call(harness: AppHarness, **members: Any) -> dict[str | None, str | None]:
    await push(harness, "EVENT_DISPATCH_NEW", {"dispatch": CALL | members}, StatusNames())
    embed = await card(harness, Subject("dispatch", "8@cad"))
    return {field.name: field.value for field in embed.fields}


@pytest.mark.parametrize(
    "values",
    [
        {"suspect": "Two *masked* men", "weapons": "", "count": 2, "gone": None},
        [
            {"uid": "s", "label": "suspect", "value": "Two *masked* men"},
            {"name": "count", "value": 2},
        ],
    ],
)
async def test_values_of_a_custom_layout_are_shown(harness: AppHarness, values: Any) -> None:
    fields = await fields_of_call(
        harness, template={"id": "t1", "name": "Robbery form"}, values=values, statusId=12
    )
    assert fields["Details"] == "count\\: 2\nsuspect\\: Two \\*masked\\* men"
    assert fields["Layout"] == "Robbery form"
    assert fields["Status"] == "Active (12)"


async def test_edit_changes_the_values_that_are_shown(harness: AppHarness) -> None:
    await fields_of_call(harness, values={"suspect": "One"}, statusId="4")
    edit = {"dispatch": {"callId": 8, "values": {"suspect": "Two"}, "statusId": "5"}}
    await push(harness, "EVENT_DISPATCH_EDIT", edit)
    embed = await card(harness, Subject("dispatch", "8@cad"))
    shown = {field.name: field.value for field in embed.fields}
    assert (shown["Details"], shown["Status"]) == ("suspect\\: Two", "Active (5)")


async def test_call_without_a_layout_has_no_such_fields(harness: AppHarness) -> None:
    fields = await fields_of_call(harness)
    assert not {"Layout", "Details"} & fields.keys()
    assert fields["Status"] == "Active"


async def test_community_names_are_in_events(harness: AppHarness) -> None:
    login = await push(harness, "EVENT_UNIT_LOGIN", {"unit": {"id": 61, "status": 1}})
    assert login.data["unit"]["statusName"] == "10-6"
    status = await push(harness, "EVENT_UNIT_STATUS", {"identIds": [61], "status": 2})
    assert (status.data["status"], status.data["statusName"]) == ("AVAILABLE", "10-8")
    call = await push(harness, "EVENT_DISPATCH_NEW", {"dispatch": CALL | {"statusId": "12"}})
    assert call.data["statusName"] == "Under control"
    assert call.data["codeName"] == "Livestock in road"
    other = await push(harness, "EVENT_UNIT_STATUS", {"identIds": [61], "status": 3})
    assert "statusName" not in other.data


async def test_community_names_are_on_cards_board_and_feeds(harness: AppHarness) -> None:
    set_status_names(NAMES)  # of this test's own context
    await push(harness, "EVENT_UNIT_LOGIN", {"unit": {"id": 61, "data": {"unitNum": "A-1"}}})
    event = await push(harness, "EVENT_UNIT_STATUS", {"identIds": [61], "status": "7"})
    await push(harness, "EVENT_DISPATCH_NEW", {"dispatch": CALL | {"idents": [61], "status": 0}})
    call = str((await card(harness, Subject("dispatch", "8@cad"))).to_dict())
    board = str((await card(harness, SUBJECT)).to_dict())
    feed = str((await entry_embed(harness.database.read, event)).to_dict())
    assert "Waiting" in call
    assert "10-54 · Livestock in road" in call
    for shown in (call, board, feed):
        assert "Code \\\\*7\\\\*" in shown
