"""What Discord's codes mean: only a refusal of the content is final."""

from types import SimpleNamespace
from typing import Any

import discord
import pytest

from cogs.delivery.rest import codes
from cogs.delivery.rest.errors import (
    AllRejected,
    ChannelClosed,
    ChannelGone,
    DeliveryError,
    DirectMessagesClosed,
    MessageGone,
    MessageTooOld,
    NoMessageChannel,
    Postponed,
    Rejected,
    ReplyRejected,
    ThreadArchived,
    ThreadExists,
    error_of,
)
from tests.cogs.discord_codes import DOCUMENTED_CODES

KINDS: dict[type[DeliveryError], set[int]] = {
    Rejected: set(codes.CONTENT),
    ChannelClosed: set(codes.CHANNEL),
    DirectMessagesClosed: set(codes.MEMBER),
    MessageGone: set(codes.MESSAGE_GONE),
    MessageTooOld: {codes.TOO_MANY_OLD_EDITS},
    ReplyRejected: {codes.NO_REPLY},
    AllRejected: {*codes.TOKEN, codes.EDGE},
}

SPECIAL: dict[int, type[DeliveryError]] = {
    **dict.fromkeys(codes.CHANNEL_GONE, ChannelGone),
    **dict.fromkeys(codes.NO_MESSAGE_CHANNEL, NoMessageChannel),
    **dict.fromkeys(codes.THREAD_ARCHIVED, ThreadArchived),
    **dict.fromkeys(codes.THREAD_EXISTS, ThreadExists),
}
"""What is known more closely of some that wait."""


def _refused(code: int, status: int) -> DeliveryError:
    headers = {"Content-Type": "application/json"}
    response: Any = SimpleNamespace(status=status, reason="Refused", headers=headers)
    return error_of(discord.HTTPException(response, {"code": code, "message": "no"}))


@pytest.mark.parametrize("status", [400, 403, 404])
def test_only_the_content_is_given_up(status: int) -> None:
    by_status = ChannelClosed if status == 403 else Postponed
    for code in (*DOCUMENTED_CODES, 999_999):
        wanted = next((kind for kind, kind_codes in KINDS.items() if code in kind_codes), by_status)
        if code in codes.MOMENT and code:
            wanted = Postponed
        wanted = SPECIAL.get(code, wanted)
        assert not issubclass(wanted, Rejected) or code in codes.CONTENT
        error = _refused(code, status)
        assert type(error) is wanted, code
        assert error.code == code


def test_each_code_is_documented_and_means_one_thing() -> None:
    listed = [code for each in (*KINDS.values(), codes.MOMENT) for code in each]
    assert len(listed) == len(set(listed))
    assert set(listed) <= set(DOCUMENTED_CODES)


def test_every_held_message_has_a_cure() -> None:
    assert all(codes.cure_of(code) for code in (*DOCUMENTED_CODES, 999_999))
    assert "choose a text channel" in codes.cure_of(40058)
