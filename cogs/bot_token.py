"""What a wrong token looks like, so that people hear what they pasted instead."""

import re
from base64 import b64decode

SHORTEST_SIGNATURE = 27
"""Of the characters of a token's last part; before are the bot's id and a time, all in base64."""


def describe_rejection(token: str) -> str:
    """Say that Discord rejects a token, and what it seems to be if it is none."""
    looks = _looks_like(token)
    return f"Discord rejects the token{f': it looks like {looks}' if looks else ''}"


HOW_TO_GET_IT = (
    "in the Developer Portal, open your application, Bot, press Reset Token, and put what it shows"
    " into [discord] token"
)
"""How to get the right one."""


def _looks_like(token: str) -> str:
    if token.isdecimal():
        return "an id, not a token"
    if len(token) == 64 and re.fullmatch(r"[0-9a-f]+", token):
        return "the application's public key"
    if len(token) == 32 and re.fullmatch(r"[\w-]+", token):
        return "the client secret of OAuth2"
    if token.startswith("mfa.") or "/" in token:
        return "no bot's token"
    if "$" in token:
        return "the name of a variable, which nothing fills in here"
    if re.search(r"\s", token):
        return "a token with a blank in it"
    parts = token.split(".")
    if len(parts) != 3:
        return "a part of a token, which has three parts with dots between them"
    if not _is_id(parts[0]) or len(parts[2]) < SHORTEST_SIGNATURE:
        return "a token that was cut off"
    return ""


def _is_id(part: str) -> bool:
    try:
        return b64decode(part + "==", "-_").isdigit()
    except ValueError:
        return False
