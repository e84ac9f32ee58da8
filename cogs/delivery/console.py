"""A message as plain text, for the log while Discord is off."""

import re
from datetime import UTC, datetime

import discord

from cogs.ui.embeds import MessageContent

_TIME = re.compile(r"<t:(\d+):[A-Za-z]>(?: \(<t:\d+:R>\))?")
_ESCAPE = re.compile(r"\\(?=[^\sA-Za-z0-9])")
_BOLD = re.compile(r"(?<!\\)\*\*")
_LINK = re.compile(r"(?<!\\)\[((?:\\.|[^\]\\])*)\]\(https://discord\.com/[^)\s]*\)")


def render(content: MessageContent) -> str:
    """Write a message as text, embed by embed, with its buttons below."""
    parts = [_plain(content.text)] if content.text else []
    parts += [_embed(embed) for embed in content.embeds]
    if content.picture is not None:
        parts.append(f"( {content.picture.alt} )")
    if content.buttons:
        parts.append(" ".join(f"[ {button.text} ]" for button in content.buttons))
    return "\n".join(parts)


def _embed(embed: discord.Embed) -> str:
    lines = [_plain(embed.title or "").upper()]
    if embed.description:
        lines.append(_plain(embed.description))
    lines += [f"{field.name}: {_plain(field.value or '')}" for field in embed.fields]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Take the markup out, links to other cards too, and write times in UTC."""
    text = _TIME.sub(lambda time: f"{datetime.fromtimestamp(int(time[1]), UTC):%H:%M:%S} UTC", text)
    return _ESCAPE.sub("", _BOLD.sub("", _LINK.sub(r"\1", text)))
