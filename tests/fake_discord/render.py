"""A compact plain-text picture of what Discord would show, for reading and for snapshots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .errors import JSON
from .interactions import InteractionReply
from .messages import Message
from .validation import (
    ACTION_ROW,
    BUTTON,
    CONTAINER,
    FILE,
    LABELLED,
    MEDIA_GALLERY,
    SECTION,
    SELECTS,
    SEPARATOR,
    TEXT_DISPLAY,
    TEXT_INPUT,
    THUMBNAIL,
)

LAYOUT_NAMES = {THUMBNAIL: "thumbnail", MEDIA_GALLERY: "gallery", FILE: "file", SEPARATOR: "line"}

STYLES = {1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link", 6: "premium"}

COLOURS = {
    0x1ABC9C: "teal",
    0x11806A: "dark teal",
    0x57F287: "green",
    0x2ECC71: "green",
    0x1F8B4C: "dark green",
    0x3498DB: "blue",
    0x206694: "dark blue",
    0x5865F2: "blurple",
    0x9B59B6: "purple",
    0x71368A: "dark purple",
    0xE91E63: "magenta",
    0xEB459E: "fuchsia",
    0xAD1457: "dark magenta",
    0xF1C40F: "gold",
    0xC27C0E: "dark gold",
    0xFEE75C: "yellow",
    0xE67E22: "orange",
    0xA84300: "dark orange",
    0xED4245: "red",
    0xE74C3C: "red",
    0x992D22: "dark red",
    0x95A5A6: "lighter grey",
    0x607D8B: "dark grey",
    0x979C9F: "light grey",
    0x546E7A: "darker grey",
}


def render(shown: Message | InteractionReply) -> str:
    """What a person sees of a message, or of the bot's answer with its follow-ups."""
    if isinstance(shown, Message):
        return "\n".join(_message(shown))
    lines: list[str] = []
    if shown.modal is not None:
        lines += _modal(shown.modal)
    elif shown.message is not None:
        lines += _message(shown.message)
    lines += [f"{choice.name} = {choice.value!r}" for choice in shown.choices]
    for followup in shown.followups:
        lines += ["---", *_message(followup)]
    return "\n".join(lines)


def colour_name(colour: int | None) -> str:
    """A colour by discord.py's name for it, or as #rrggbb."""
    if colour is None:
        return "no colour"
    return COLOURS.get(colour, f"#{colour:06x}")


def _message(message: Message) -> Iterator[str]:
    if message.deleted:
        yield "(deleted)"
    if message.ephemeral:
        yield "(only you can see this)"
    if message.loading:
        yield "(thinking …)"
    if message.reply_to is not None and message.interaction is None:
        yield f"(reply to {message.reply_to.author.name})"
    if message.content:
        yield message.content
    for embed in message.embeds:
        yield from _embed(embed)
    for attachment in message.attachments:
        described = f": {attachment['description']}" if attachment.get("description") else ""
        yield f"(file {attachment['filename']}{described})"
    yield from _components(message.components)


def _embed(embed: JSON) -> Iterator[str]:
    yield f"┌ {colour_name(embed.get('color'))}"
    for line in _embed_lines(embed):
        yield from (f"│ {part}".rstrip() for part in line.split("\n"))
    yield "└"


def _embed_lines(embed: JSON) -> Iterator[str]:
    if embed.get("author"):
        yield f"by {embed['author']['name']}"
    if embed.get("title"):
        link = f" <{embed['url']}>" if embed.get("url") else ""
        yield f"# {embed['title']}{link}"
    if embed.get("description"):
        yield str(embed["description"])
    for one in embed.get("fields") or []:
        inline = "~" if one.get("inline") else "-"
        yield f"{inline} {one['name']}: {one['value']}"
    for key in ("image", "thumbnail"):
        if embed.get(key):
            yield f"({key} {embed[key]['url']})"
    ends = [(embed.get("footer") or {}).get("text"), embed.get("timestamp")]
    if any(ends):
        yield "_ " + " · ".join(str(end) for end in ends if end)


def _components(components: Sequence[JSON]) -> Iterator[str]:
    for one in components:
        if one["type"] == ACTION_ROW:
            yield " ".join(_control(child) for child in one["components"])
        elif one["type"] == TEXT_DISPLAY:
            yield str(one["content"])
        elif one["type"] in SELECTS or one["type"] == BUTTON:
            yield _control(one)
        elif one["type"] == SECTION:
            beside = " ".join(_components([one["accessory"]]))
            yield "\n".join([*_components(one["components"])]) + f"  {beside}"
        elif one["type"] == CONTAINER:
            yield f"┌ {colour_name(one.get('accent_color'))}"
            for line in _components(one["components"]):
                yield from (f"│ {part}".rstrip() for part in line.split("\n"))
            yield "└"
        else:
            yield f"({LAYOUT_NAMES.get(one['type'], one['type'])})"


def _control(one: JSON) -> str:
    disabled = " (disabled)" if one.get("disabled") else ""
    if one["type"] != BUTTON:
        return _select(one) + disabled
    emoji = (one.get("emoji") or {}).get("name")
    label = " ".join(str(part) for part in (emoji, one.get("label")) if part)
    target = f" <{one['url']}>" if one.get("url") else ""
    return f"[{label}] {STYLES.get(one['style'], one['style'])}{target}{disabled}"


def _select(one: JSON) -> str:
    labels = [
        f"*{option['label']}" if option.get("default") else str(option["label"])
        for option in one.get("options") or []
    ]
    inside = " | ".join(labels) or {5: "users", 6: "roles", 7: "anybody", 8: "channels"}.get(
        one["type"], ""
    )
    return f"<{one.get('placeholder') or one['custom_id']}: {inside}>"


def _modal(modal: JSON) -> Iterator[str]:
    yield f"╔ {modal['title']}"
    for one in modal.get("components") or []:
        if one["type"] == LABELLED:
            yield f"║ {one['label']}: {_input(one['component'])}"
            if one.get("description"):
                yield f"║   {one['description']}"
        elif one["type"] == ACTION_ROW:
            child = one["components"][0]
            yield f"║ {child.get('label') or child['custom_id']}: {_input(child)}"
        elif one["type"] == TEXT_DISPLAY:
            yield f"║ {one['content']}"
    yield "╚"


def _input(one: JSON) -> str:
    needed = " (optional)" if one.get("required") is False else ""
    if one["type"] != TEXT_INPUT:
        return _control(one) + needed
    kind = "____" if one.get("style") == 1 else "____¶"
    return f"{one.get('value') or one.get('placeholder') or kind}{needed}"
