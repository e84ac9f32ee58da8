"""A token that Discord rejects is compared with what people paste in its place."""

import pytest

from bot.settings import DiscordSettings
from cogs.bot_token import describe_rejection

TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcDE.abcdefghijklmnopqrstuvwxyz_-0123456789AB"


@pytest.mark.parametrize(
    ("pasted", "looks_like"),
    [
        (TOKEN, ""),
        ("123456789012345678", "an id, not a token"),
        ("a1" * 32, "the application's public key"),
        ("Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4z", "the client secret of OAuth2"),
        ("https://discord.com/api/webhooks/1/abc", "no bot's token"),
        (TOKEN.rpartition(".")[0], "a part of a token"),
        (TOKEN[1:], "a token that was cut off"),
        (TOKEN[:-20], "a token that was cut off"),
        (f"{TOKEN[:9]} {TOKEN[9:]}", "a blank in it"),
        ("${DISCORD_TOKEN}", "the name of a variable"),
    ],
)
def test_rejection_says_what_the_token_looks_like(pasted: str, looks_like: str) -> None:
    said = describe_rejection(pasted)
    assert said.startswith("Discord rejects the token")
    assert looks_like in said
    assert (said == "Discord rejects the token") is not bool(looks_like)
    assert pasted not in said


@pytest.mark.parametrize(
    "written",
    [
        f"Bot {TOKEN}",
        f'"{TOKEN}"',
        f"<{TOKEN}>",
        f'Bot "{TOKEN}"\n',
        f"“{TOKEN}”",
        f"token={TOKEN},",
    ],
)
def test_quotes_and_blanks_around_a_token_are_removed(written: str) -> None:
    assert DiscordSettings(token=written).token == TOKEN
