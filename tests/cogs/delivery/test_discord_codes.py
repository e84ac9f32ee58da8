"""What Discord's codes mean: only a refusal of the content is final."""

from types import SimpleNamespace
from typing import Any

import discord
import pytest

from cogs.delivery import discord_codes
from cogs.delivery.discord_errors import (
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
    Rejected: set(discord_codes.CONTENT),
    ChannelClosed: set(discord_codes.CHANNEL),
    DirectMessagesClosed: set(discord_codes.MEMBER),
    MessageGone: set(discord_codes.MESSAGE_GONE),
    MessageTooOld: {discord_codes.TOO_MANY_OLD_EDITS},
    ReplyRejected: {discord_codes.NO_REPLY},
    AllRejected: {*discord_codes.TOKEN, discord_codes.EDGE},
}

SPECIAL: dict[int, type[DeliveryError]] = {
    **dict.fromkeys(discord_codes.CHANNEL_GONE, ChannelGone),
    **dict.fromkeys(discord_codes.NO_MESSAGE_CHANNEL, NoMessageChannel),
    **dict.fromkeys(discord_codes.THREAD_ARCHIVED, ThreadArchived),
    **dict.fromkeys(discord_codes.THREAD_EXISTS, ThreadExists),
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
        wanted = next((kind for kind, codes in KINDS.items() if code in codes), by_status)
        if code in discord_codes.MOMENT and code:
            wanted = Postponed
        wanted = SPECIAL.get(code, wanted)
        assert not issubclass(wanted, Rejected) or code in discord_codes.CONTENT
        error = _refused(code, status)
        assert type(error) is wanted, code
        assert error.code == code


def test_each_code_is_documented_and_means_one_thing() -> None:
    listed = [code for codes in (*KINDS.values(), discord_codes.MOMENT) for code in codes]
    assert len(listed) == len(set(listed))
    assert set(listed) <= set(DOCUMENTED_CODES)


def test_whatever_waits_has_a_cure() -> None:
    assert all(discord_codes.cure_of(code) for code in (*DOCUMENTED_CODES, 999_999))
    assert "choose a text channel" in discord_codes.cure_of(40058)
