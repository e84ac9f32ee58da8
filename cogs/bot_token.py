"""What a wrong token looks like, so that people hear what they pasted instead."""

import re

_PARTS = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
"""A bot's token: its id, a time and a signature, in base64."""


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
    if not _PARTS.fullmatch(token):
        return "a part of a token, which has three parts with dots between them"
    return ""
