"""Attachments: what Discord makes of a file, and which an embed shows in place of the message."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence

from .errors import JSON
from .snowflakes import next_snowflake

PNG = b"\x89PNG\r\n\x1a\n"
REFERENCE = "attachment://"
PICTURES = ("image", "thumbnail")


def new_attachment(filename: str, content: bytes, described: JSON) -> JSON:
    """The attachment object of a file, with what was said about it."""
    id_ = next_snowflake()
    name = filename.replace(" ", "_")
    url = f"https://cdn.discordapp.com/attachments/0/{id_}/{name}"
    attachment: JSON = {
        "id": str(id_),
        "filename": name,
        "size": len(content),
        "url": url,
        "proxy_url": url,
        "content_type": mimetypes.guess_type(name)[0] or "application/octet-stream",
    }
    if content.startswith(PNG):
        attachment["width"] = int.from_bytes(content[16:20], "big")
        attachment["height"] = int.from_bytes(content[20:24], "big")
    if described.get("description"):
        attachment["description"] = described["description"]
    return attachment


def kept_attachments(before: Sequence[JSON], named: Sequence[JSON]) -> list[JSON]:
    """What stays attached after an edit that names attachments, with the descriptions it gives."""
    given = {str(one.get("id")): one for one in named}
    return [
        {**one, "description": given[one["id"]].get("description") or one.get("description", "")}
        for one in before
        if one["id"] in given
    ]


def placed(embeds: Sequence[JSON], attachments: Sequence[JSON]) -> tuple[list[JSON], list[JSON]]:
    """Embeds as Discord tells them, with addresses, and the attachments that none of them shows.

    An attachment that an embed shows is not listed with the message (discord-api-docs 1340).
    """
    by_name = {f"{REFERENCE}{one['filename']}": one for one in attachments}
    used: set[str] = set()
    told = []
    for embed in embeds:
        shown = dict(embed)
        for key in PICTURES:
            url = str((embed.get(key) or {}).get("url") or "")
            if url in by_name:
                used.add(url)
                shown[key] = {**embed[key], "url": by_name[url]["url"]}
            elif url.startswith(REFERENCE):
                del shown[key]
        told.append(shown)
    return told, [one for name, one in by_name.items() if name not in used]
