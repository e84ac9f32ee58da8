"""What Discord refuses in a message, a modal, a list of choices; lengths counted strictly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from .errors import JSON, DiscordError, Path, Problems
from .mentions import check_allowed_mentions
from .messages import IS_COMPONENTS_V2

CONTENT = 2000
EMBEDS = 10
EMBED_TOTAL = 6000
FIELDS = 25
EMBED_TEXTS = {"title": 256, "description": 4096}
NONCE = 25
ROWS = 5
BUTTONS = 5
CUSTOM_ID = 100
LABEL = 80
V2_COMPONENTS = 40
V2_TEXT = 4000
FILES = 10
ALT_TEXT = 1024
FILE_SIZE = 10 * 1024 * 1024

ACTION_ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
SELECTS = frozenset({3, 5, 6, 7, 8})
SECTION, TEXT_DISPLAY, THUMBNAIL, MEDIA_GALLERY, FILE, SEPARATOR = 9, 10, 11, 12, 13, 14
CONTAINER, LABELLED = 17, 18
V2_TOP = frozenset({ACTION_ROW, SECTION, TEXT_DISPLAY, MEDIA_GALLERY, FILE, SEPARATOR, CONTAINER})
"""What may stand in a message of layout components; a container takes the same but containers."""
LINK_STYLE, PREMIUM_STYLE = 5, 6

URL = re.compile(r"(https?|attachment)://\S+")


def length(text: str) -> int:
    """UTF-16 units: never fewer than code points, so the stricter of the ways to count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def check_message(body: JSON, flags: int, problems: Problems) -> None:
    """Note every fault of a message as it was sent."""
    check_text(body.get("content"), ("content",), CONTENT, problems)
    check_embeds(body.get("embeds") or [], problems)
    for index, one in enumerate(body.get("attachments") or []):
        path = ("attachments", index, "description")
        check_text(one.get("description"), path, ALT_TEXT, problems)
    components = body.get("components") or []
    if flags & IS_COMPONENTS_V2:
        _check_v2(body, components, problems)
    else:
        check_rows(components, problems)
    check_custom_ids(components, problems)
    check_allowed_mentions(body.get("allowed_mentions"), problems)
    nonce = body.get("nonce")
    if nonce is not None:
        check_text(str(nonce), ("nonce",), NONCE, problems)


def refuse_empty(content: str, embeds: Sequence[JSON], others: Sequence[Any]) -> None:
    """Refuse a message that would show nothing."""
    if content or others or any(_shows_something(embed) for embed in embeds):
        return
    raise DiscordError(400, 50006, "Cannot send an empty message")


def check_text(value: Any, path: Path, most: int, problems: Problems, *, least: int = 0) -> None:
    """Note when a text is none, too short once trimmed, or too long."""
    if value is None and not least:
        return
    if value is None:
        problems.add(path, "BASE_TYPE_REQUIRED", "This field is required")
    elif not isinstance(value, str):
        problems.add(path, "STRING_TYPE_CONVERT", "Could not interpret as string.")
    elif not value.strip() and least:
        problems.add(path, "BASE_TYPE_REQUIRED", "This field is required")
    elif length(value) > most:
        message = f"Must be {most} or fewer in length."
        problems.add(path, "BASE_TYPE_MAX_LENGTH", message)


def _check_count(found: Sequence[Any], path: Path, most: int, problems: Problems) -> None:
    if len(found) > most:
        problems.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")


# Embeds


def check_embeds(embeds: Sequence[JSON], problems: Problems) -> None:
    """Note the faults of each embed and of all of them together."""
    _check_count(embeds, ("embeds",), EMBEDS, problems)
    for index, embed in enumerate(embeds):
        _check_embed(embed, ("embeds", index), problems)
    if sum(embed_size(embed) for embed in embeds) > EMBED_TOTAL:
        message = f"Embed size exceeds maximum size of {EMBED_TOTAL}"
        problems.add(("embeds",), "MAX_EMBED_SIZE_EXCEEDED", message)


def embed_size(embed: JSON) -> int:
    """How much of the 6000 the embed uses up."""
    return sum(length(text) for text in _embed_texts(embed) if isinstance(text, str))


def _embed_texts(embed: JSON) -> Iterator[Any]:
    yield embed.get("title")
    yield embed.get("description")
    yield (embed.get("footer") or {}).get("text")
    yield (embed.get("author") or {}).get("name")
    for one in embed.get("fields") or []:
        yield one.get("name")
        yield one.get("value")


def _shows_something(embed: JSON) -> bool:
    pictures = ("image", "thumbnail", "video")
    return any(_embed_texts(embed)) or any(embed.get(key) for key in pictures)


def _check_embed(embed: JSON, path: Path, problems: Problems) -> None:
    for key, most in EMBED_TEXTS.items():
        check_text(embed.get(key), (*path, key), most, problems)
    if "footer" in embed:
        text = (embed["footer"] or {}).get("text")
        check_text(text, (*path, "footer", "text"), 2048, problems, least=1)
    if "author" in embed:
        name = (embed["author"] or {}).get("name")
        check_text(name, (*path, "author", "name"), 256, problems, least=1)
    fields = embed.get("fields") or []
    _check_count(fields, (*path, "fields"), FIELDS, problems)
    for index, one in enumerate(fields):
        check_text(one.get("name"), (*path, "fields", index, "name"), 256, problems, least=1)
        check_text(one.get("value"), (*path, "fields", index, "value"), 1024, problems, least=1)
    _check_embed_rest(embed, path, problems)


def _check_embed_rest(embed: JSON, path: Path, problems: Problems) -> None:
    color = embed.get("color")
    if color is not None and not 0 <= color <= 0xFFFFFF:
        message = "int value should be less than or equal to 16777215."
        problems.add((*path, "color"), "NUMBER_TYPE_MAX", message)
    links: list[tuple[Path, Any]] = [((*path, "url"), embed.get("url"))]
    links += [((*path, key, "url"), (embed.get(key) or {}).get("url")) for key in _PICTURES]
    for where, link in links:
        if link is not None and not URL.fullmatch(str(link)):
            problems.add(where, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
    if embed.get("timestamp") is not None and not _is_moment(embed["timestamp"]):
        message = "Could not parse. Should be ISO8601."
        problems.add((*path, "timestamp"), "DATE_TIME_TYPE_PARSE", message)


_PICTURES = ("image", "thumbnail")


def _is_moment(text: Any) -> bool:
    try:
        datetime.fromisoformat(str(text))
    except ValueError:
        return False
    return True


# Components


def every_component(components: Sequence[JSON], path: Path = ()) -> Iterator[tuple[Path, JSON]]:
    """Every component however deep, with where it stands."""
    for index, one in enumerate(components):
        here = (*path, index)
        yield here, one
        yield from every_component(one.get("components") or [], (*here, "components"))
        for key in ("accessory", "component"):
            if one.get(key):
                yield (*here, key), one[key]


def check_custom_ids(components: Sequence[JSON], problems: Problems) -> None:
    """Note custom ids that are missing, too long, or used twice in one message or modal."""
    seen: set[str] = set()
    for path, one in every_component(components):
        kind = one.get("type")
        linked = kind == BUTTON and one.get("style") in (LINK_STYLE, PREMIUM_STYLE)
        if linked or kind not in {BUTTON, TEXT_INPUT, *SELECTS, 19, 21, 22, 23}:
            continue
        where = ("components", *path, "custom_id")
        custom_id = one.get("custom_id")
        check_text(custom_id, where, CUSTOM_ID, problems, least=1)
        if custom_id in seen:
            message = "Component custom id cannot be duplicated"
            problems.add(where, "COMPONENT_CUSTOM_ID_DUPLICATED", message)
        seen.add(str(custom_id))


def check_rows(rows: Sequence[JSON], problems: Problems) -> None:
    """Note the faults of a message's rows of buttons and selects."""
    _check_count(rows, ("components",), ROWS, problems)
    for index, row in enumerate(rows):
        path = ("components", index)
        if row.get("type") != ACTION_ROW:
            message = 'Value of field "type" must be one of (1,).'
            problems.add((*path, "type"), "UNION_TYPE_CHOICES", message)
            continue
        check_row(row.get("components") or [], (*path, "components"), problems)


def check_row(inside: Sequence[JSON], path: Path, problems: Problems) -> None:
    """Note the faults of one row: one to five buttons, or one select."""
    if not 1 <= len(inside) <= BUTTONS:
        message = f"Must be between 1 and {BUTTONS} in length."
        problems.add(path, "BASE_TYPE_BAD_LENGTH", message)
    if len(inside) > 1 and any(one.get("type") in SELECTS for one in inside):
        message = "The components width exceeds 5"
        problems.add(path, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", message)
    for index, one in enumerate(inside):
        here = (*path, index)
        if one.get("type") == BUTTON:
            _check_button(one, here, problems)
        elif one.get("type") in SELECTS:
            check_select(one, here, problems)
        else:
            message = 'Value of field "type" must be one of (2, 3, 5, 6, 7, 8).'
            problems.add((*here, "type"), "UNION_TYPE_CHOICES", message)


def _check_button(button: JSON, path: Path, problems: Problems) -> None:
    check_text(button.get("label"), (*path, "label"), LABEL, problems)
    style = button.get("style")
    if style not in range(1, 7):
        problems.add((*path, "style"), "BASE_TYPE_CHOICES", "Value must be one of {1, …, 6}.")
    if style == LINK_STYLE and not URL.fullmatch(str(button.get("url"))):
        problems.add((*path, "url"), "BUTTON_COMPONENT_URL_REQUIRED", "A url is required")
    if style != LINK_STYLE and button.get("url"):
        message = "A custom id and url cannot both be specified"
        problems.add(path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", message)
    if not button.get("label") and not button.get("emoji") and style != PREMIUM_STYLE:
        message = "A label or emoji is required"
        problems.add(path, "BUTTON_COMPONENT_INVALID", message)


def check_select(select: JSON, path: Path, problems: Problems) -> None:
    """Note the faults of one select menu."""
    check_text(select.get("placeholder"), (*path, "placeholder"), 150, problems)
    if select["type"] != STRING_SELECT:
        return
    options = select.get("options") or []
    if not 1 <= len(options) <= 25:
        message = "Must be between 1 and 25 in length."
        problems.add((*path, "options"), "BASE_TYPE_BAD_LENGTH", message)
    for index, option in enumerate(options):
        here = (*path, "options", index)
        check_text(option.get("label"), (*here, "label"), 100, problems, least=1)
        check_text(option.get("value"), (*here, "value"), 100, problems, least=1)
        check_text(option.get("description"), (*here, "description"), 100, problems)
    values = [option.get("value") for option in options]
    if len(set(values)) != len(values):
        message = "The specified option value is already used"
        problems.add((*path, "options"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", message)
    if (select.get("max_values") or 1) > max(1, len(options)):
        message = "max_values exceeds the number of options"
        problems.add((*path, "max_values"), "NUMBER_TYPE_MAX", message)


def _check_v2(body: JSON, components: Sequence[JSON], problems: Problems) -> None:
    for key in ("content", "embeds"):
        if body.get(key):
            message = f"The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            code = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
            problems.add((key,), code, message)
    everything = list(every_component(components))
    _check_count(everything, ("components",), V2_COMPONENTS, problems)
    texts = (str(one.get("content") or "") for _, one in everything if one["type"] == TEXT_DISPLAY)
    if sum(length(text) for text in texts) > V2_TEXT:
        message = f"The total text may not exceed {V2_TEXT} characters"
        problems.add(("components",), "COMPONENT_TEXT_TOO_LONG", message)
    for index, one in enumerate(components):
        _check_layout(one, ("components", index), V2_TOP, problems)


def _check_layout(one: JSON, path: Path, taken: frozenset[int], problems: Problems) -> None:
    """Note the faults of a component of a layout, and of what is in it."""
    kind = one.get("type")
    if kind not in taken:
        types = ", ".join(map(str, sorted(taken)))
        message = f'Value of field "type" must be one of ({types}).'
        problems.add((*path, "type"), "UNION_TYPE_CHOICES", message)
        return
    inside = one.get("components") or []
    if kind == ACTION_ROW:
        check_row(inside, (*path, "components"), problems)
    elif kind == TEXT_DISPLAY:
        check_text(one.get("content"), (*path, "content"), V2_TEXT, problems, least=1)
    elif kind == SECTION:
        _check_between(inside, (*path, "components"), 3, problems)
        accessory = one.get("accessory") or {}
        _check_layout(accessory, (*path, "accessory"), frozenset({BUTTON, THUMBNAIL}), problems)
    elif kind == CONTAINER:
        _check_between(inside, (*path, "components"), V2_COMPONENTS, problems)
    elif kind == MEDIA_GALLERY:
        _check_between(one.get("items") or [], (*path, "items"), 10, problems)
    elif kind == BUTTON:
        _check_button(one, path, problems)
    if kind in (SECTION, CONTAINER):
        children = frozenset({TEXT_DISPLAY}) if kind == SECTION else V2_TOP - {CONTAINER}
        for index, child in enumerate(inside):
            _check_layout(child, (*path, "components", index), children, problems)


def _check_between(found: Sequence[Any], path: Path, most: int, problems: Problems) -> None:
    if not 1 <= len(found) <= most:
        problems.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {most} in length.")


# Modals and choices


def check_modal(modal: JSON) -> None:
    """Refuse a modal with faults."""
    problems = Problems()
    check_text(modal.get("title"), ("data", "title"), 45, problems, least=1)
    check_text(modal.get("custom_id"), ("data", "custom_id"), CUSTOM_ID, problems, least=1)
    components = modal.get("components") or []
    if not 1 <= len(components) <= 5:
        message = "Must be between 1 and 5 in length."
        problems.add(("data", "components"), "BASE_TYPE_BAD_LENGTH", message)
    check_custom_ids(components, problems)
    for path, one in every_component(components):
        where = ("data", "components", *path)
        if one["type"] == LABELLED:
            check_text(one.get("label"), (*where, "label"), 45, problems, least=1)
            check_text(one.get("description"), (*where, "description"), 100, problems)
        elif one["type"] == TEXT_INPUT:
            _check_text_input(one, where, problems)
        elif one["type"] in SELECTS:
            check_select(one, where, problems)
    problems.raise_if_any()


def _check_text_input(one: JSON, path: Path, problems: Problems) -> None:
    in_label = path[-1] == "component"
    if not in_label:
        check_text(one.get("label"), (*path, "label"), 45, problems, least=1)
    check_text(one.get("placeholder"), (*path, "placeholder"), 100, problems)
    check_text(one.get("value"), (*path, "value"), 4000, problems)


def check_choices(choices: Sequence[JSON]) -> None:
    """Refuse a list of autocomplete choices with faults."""
    problems = Problems()
    _check_count(choices, ("data", "choices"), 25, problems)
    for index, choice in enumerate(choices):
        here = ("data", "choices", index)
        check_text(choice.get("name"), (*here, "name"), 100, problems, least=1)
        value = choice.get("value")
        if isinstance(value, str):
            check_text(value, (*here, "value"), 100, problems, least=1)
    problems.raise_if_any()


def numbered(components: Sequence[JSON]) -> list[JSON]:
    """The components with the ids Discord gives to those sent without one."""
    count = 0

    def number(one: JSON) -> JSON:
        nonlocal count
        count += 1
        done: JSON = {**one, "id": one.get("id") or count}
        if done.get("components"):
            done["components"] = [number(child) for child in done["components"]]
        for key in ("accessory", "component"):
            if done.get(key):
                done[key] = number(done[key])
        return done

    return [number(one) for one in components]
