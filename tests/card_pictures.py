"""Draws the six main cards as Discord lays them out: `make pictures` writes them to docs/cards.

They come from the bot's own cards and from one story, so the same code always draws the same.
"""

import asyncio
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import discord

from cogs.cards import board, card_name, render
from cogs.delivery.posting import signed
from cogs.ui.embeds import MessageContent
from tests.webhook.harness import AppHarness, open_harness
from webhook.cad.store import PushConfig, store_push
from webhook.protocol.context import Caller, Context, Scope
from webhook.protocol.events import Subject
from webhook.queries.cad.incidents import NewIncidentNote, OfIncident, note_incident
from webhook.queries.cad.responders import respond_to_call

FOLDER = Path(__file__).parents[1] / "docs" / "cards"
SECOND = 1_000

MEMBERS = {"7": "Dora Klein", "8": "Marcus Teller", "9": "Vic Moreno"}
ROLES = {"11": "LSPD"}
"""What Discord shows of the mentions in the story."""

CARDS = {
    "911-call": Subject("emergency", "4410@county"),
    "dispatch-call": Subject("dispatch", "90@county"),
    "panic": Subject("panic", "1"),
    "alarm": Subject("alarm", "1"),
    "removal": Subject("removal", "1"),
    "board": board.SUBJECT,
}
"""The pictures by the names of their files."""


class Story:
    """An evening, as the CAD pushes it and people play their part."""

    def __init__(self, harness: AppHarness) -> None:
        self._harness = harness

    async def tell(self) -> None:
        await self._come_on_duty()
        await self._rob_the_bank()
        await self._press_the_panic_button()
        await self._break_into_the_villa()
        async with self._harness.database.write() as sql:
            await board.mark_changed(sql, self._harness.clock.now)
        self._harness.clock.now += 40 * SECOND

    async def _come_on_duty(self) -> None:
        for ident, number, name, rank, department in (
            (61, "1-A-12", "Marcus Teller", "Officer", "LSPD"),
            (62, "1-A-14", "Ana Reyes", "Sergeant", "LSPD"),
            (74, "7K-22", "M. Okafor", "Deputy II", "BCSO"),
        ):
            data = {"unitNum": number, "name": name, "rank": rank, "department": department}
            unit = {"id": ident, "status": 2, "location": "Paleto Blvd", "data": data}
            await self._push("EVENT_UNIT_LOGIN", {"unit": unit, "isDispatch": False})

    async def _rob_the_bank(self) -> None:
        call = {
            "callId": 4410,
            "isEmergency": True,
            "caller": "Wren Halloway",
            "location": "[8031] Legion Square",
            "description": "Explosion behind the bank, people run out with bags.",
            "metaData": {"postal": "8031"},
        }
        for number in range(3):
            await self._push("EVENT_911", {"call": call | {"callId": 4410 + number}})
        await self._respond("emergency:4410@county", 9)
        made = {
            "callId": 90,
            "status": 1,
            "priority": 1,
            "title": "Bank robbery",
            "code": "10-90",
            "address": "Great Ocean Hwy",
            "postal": "3012",
            "description": "Three armed suspects, two hostages.",
            "primary": 62,
            "idents": [61, 62],
            "notes": [],
            "metaData": {},
        }
        await self._push("EVENT_DISPATCH_NEW", {"dispatch": made})
        await self._push("EVENT_UNIT_STATUS", {"identIds": [62], "status": 3})
        await self._respond("dispatch:90@county", 9)
        text = "Getaway car is a red Declasse van, plate 46EEK, last seen going north."
        await note_incident(
            self._as_member(7), NewIncidentNote(subject="dispatch:90@county", text=text)
        )
        note = {"time": "21:14", "label": "1-A-14", "content": "Air support asked for."}
        await self._push("EVENT_DISPATCH_NOTE", {"callId": 90, "note": note})

    async def _press_the_panic_button(self) -> None:
        await self._push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True})
        await self._push(
            "EVENT_911",
            {
                "call": {
                    "callId": 4415,
                    "isEmergency": True,
                    "caller": "Dispatch",
                    "location": "[3014] Paleto Blvd",
                    "description": "Unit 1-A-12 has pressed their panic button!",
                }
            },
        )
        await self._respond("panic:1", 9)

    async def _break_into_the_villa(self) -> None:
        ask = self._harness.ask
        owner = "license:41aa90be7c3d1f2e5a6b7c8d9e0f1a2b3c4d5ebe"
        await ask("add-user", userId=owner, fullName="Lina Ked")
        place = {"location": "Vespucci Canals 7", "tier": 2, "x": -1014, "y": -1021}
        await ask("add-property", **place, description="", clientId=owner, width=30, height=20)
        await ask("change-property-status", propertyId=1, status="ACTIVE")
        for name in ("Kestrel", "Merlin"):
            await ask("add-equipment", propertyId=1, equipmentType=3, description=name)
        note = "Glass broke at the back door, somebody is inside."
        await ask("add-alert", propertyId=1, userId=owner, note=note)
        self._harness.clock.now += 20 * SECOND
        await ask("add-alert", propertyId=1, userId=owner)
        await self._as_dispatcher("acknowledge-alarm", alarmId=1)
        await self._as_dispatcher("note-alarm", alarmId=1, text="1-A-14 is two minutes away.")
        await self._as_dispatcher("dispatch-drone", propertyId=1, reason="Look at the back door")
        await ask(
            "add-property", **place | {"location": "Vinewood villa"}, description="", clientId=owner
        )
        await ask("change-property-status", propertyId=2, status="ACTIVE")
        reason = "I am moving to Paleto Bay."
        await ask("request-remove-property", propertyId=2, userId=owner, reason=reason)

    async def _push(self, kind: str, data: object) -> None:
        self._harness.clock.now += 3 * SECOND
        body = {"key": "K", "type": kind, "data": data}
        await store_push(self._harness.context(), "county", body, "", PushConfig(window=0))

    async def _respond(self, subject: str, member: int) -> None:
        await respond_to_call(self._as_member(member), OfIncident(subject=subject))

    async def _as_dispatcher(self, name: str, **data: object) -> None:
        self._harness.clock.now += 5 * SECOND
        await self._harness.frame(f"queries.{name}", data, name="discord:7")

    def _as_member(self, number: int) -> Context:
        name = f"discord:{number}"
        return self._harness.context().of(Caller(name, Scope.WRITE, (name,)))


async def draw_cards() -> dict[str, str]:
    """Return the pictures of the cards by their names, as SVG."""
    drawn = {}
    with TemporaryDirectory() as folder:
        async with open_harness(Path(folder) / "sentinel.db") as harness:
            await Story(harness).tell()
            for number, (name, subject) in enumerate(CARDS.items(), 12):
                content = await render(harness.database.read, subject)
                assert content is not None, name
                if name == "panic":
                    content = replace(content, role_mentions=(11,))
                signed_content = signed(content, f"7186dd-c{number}.1", card_name(subject))
                drawn[name] = Drawing(harness.clock.now).message(signed_content)
    return drawn


# What Discord makes of a text


class Word(NamedTuple):
    """A word with the blank before it, and how it is shown: plain, bold or mention."""

    text: str
    style: str


_MARKUP = re.compile(
    r"\\(?P<escaped>[^\sA-Za-z0-9])|\*\*(?P<bold>(?:\\.|[^*\\])+)\*\*|<@&(?P<role>\d+)>"
    r"|<@(?P<member>\d+)>|<t:(?P<time>\d+):(?P<format>[A-Za-z])>|(?P<plain>.)",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\([^\sA-Za-z0-9])")


def spans(text: str, now: int) -> Iterator[Word]:
    """Read the markup that cards use; a link has the look of its text."""
    for found in _MARKUP.finditer(text):
        if found["bold"]:
            yield Word(_ESCAPE.sub(r"\1", found["bold"]), "bold")
        elif found["role"] or found["member"]:
            name = ROLES[found["role"]] if found["role"] else MEMBERS[found["member"]]
            yield Word(f"@{name}", "mention")
        elif found["time"]:
            yield Word(_shown_time(int(found["time"]), found["format"], now), "plain")
        else:
            yield Word(found["escaped"] or found["plain"], "plain")


def _shown_time(seconds: int, style: str, now: int) -> str:
    if style == "R":
        ago = now // SECOND - seconds
        if ago < 60:
            return f"{ago} seconds ago"
        minutes = round(ago / 60)
        return "a minute ago" if minutes == 1 else f"{minutes} minutes ago"
    return f"{datetime.fromtimestamp(seconds, UTC):{'%H:%M' if style == 't' else '%H:%M:%S'}}"


# Layout

WIDTH = 560
LEFT = 74
EMBED_WIDTH = 464
PADDING = 16
NARROW, WIDE = "iljtfr.,:;|!'()[] ·I", "mwMW@%—"
COLOURS = {"plain": "#dbdee1", "bold": "#f2f3f5", "mention": "#c9cdfb"}
BUTTONS = {
    discord.ButtonStyle.primary: "#5865f2",
    discord.ButtonStyle.secondary: "#4e5058",
    discord.ButtonStyle.success: "#248046",
    discord.ButtonStyle.danger: "#da373c",
}


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Estimate how wide a text is; no font is needed, so it is the same everywhere."""
    units = sum(
        0.3 if each in NARROW else 0.86 if each in WIDE else 0.66 if each.isupper() else 0.56
        for each in text
    )
    return units * size * (1.06 if bold else 1.0)


def wrap(words: Iterator[Word], width: float, size: float) -> list[list[Word]]:
    """Break a text into lines of words that go on in the same style."""
    lines: list[list[Word]] = [[]]
    used = 0.0
    for word in _words(words):
        if word.text == "\n":
            lines.append([])
            used = 0.0
            continue
        length = text_width(word.text, size, bold=word.style != "plain")
        if used and used + length > width:
            lines.append([])
            used, word = 0.0, word._replace(text=word.text.lstrip())
        lines[-1].append(word)
        used += length
    return lines


def _words(words: Iterator[Word]) -> Iterator[Word]:
    for style, group in groupby(words, key=lambda word: word.style):
        text = "".join(word.text for word in group)
        for piece in re.findall(r"\n| *[^ \n]+| +", text):
            yield Word(piece, style)


@dataclass
class Drawing:
    """Draws one message; `now` is what times are relative to, in milliseconds since 1970."""

    now: int

    def __post_init__(self) -> None:
        self._parts: list[str] = []
        self._y = 34.0

    def message(self, content: MessageContent) -> str:
        self._sender()
        if content.text:
            self._paragraph(content.text, LEFT, WIDTH - LEFT - 24, 15)
            self._y += 4
        for embed in content.embeds:
            self._embed(embed)
        self._buttons(content)
        height = round(self._y + 10)
        title = escape(_ESCAPE.sub(r"\1", content.embeds[0].title or ""))
        body = "\n  ".join(self._parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
            " font-family=\"'gg sans','Noto Sans',Helvetica,Arial,sans-serif\" role=\"img\">\n"
            f"  <title>{title}</title>\n"
            f'  <rect width="{WIDTH}" height="{height}" rx="8" fill="#313338"/>\n  {body}\n</svg>\n'
        )

    def _sender(self) -> None:
        self._parts += [
            '<circle cx="40" cy="38" r="18" fill="#1976d2"/>'
            '<text x="34" y="43" fill="#fff" font-size="14" font-weight="700">S</text>',
            f'<text x="{LEFT}" y="34" fill="#f2f3f5" font-size="15" font-weight="600">'
            "CAD Sentinel</text>",
            '<rect x="180" y="22" width="34" height="16" rx="4" fill="#5865f2"/>'
            '<text x="186" y="34" fill="#fff" font-size="10" font-weight="700">APP</text>',
            '<text x="222" y="34" fill="#949ba4" font-size="12">'
            f"{_shown_time(self.now // SECOND, 't', self.now)}</text>",
        ]
        self._y = 42.0

    def _embed(self, embed: discord.Embed) -> None:
        top, before, self._parts = self._y + 4, self._parts, []
        self._y = top + 8
        x, width = LEFT + PADDING, EMBED_WIDTH - 2 * PADDING
        self._paragraph(embed.title or "", x, width, 15, bold=True)
        if embed.description:
            self._y += 4
            self._paragraph(embed.description, x, width, 14)
        for row in _rows(embed):
            self._y += 8
            start, end = self._y, self._y
            for column, field in enumerate(row):
                self._y = start
                wide = width / 3 - 8 if field.inline else width
                left = x + column * width / 3
                self._paragraph(field.name or "", left, wide, 13, bold=True)
                self._paragraph(field.value or "", left, wide, 13)
                end = max(end, self._y)
            self._y = end
        if embed.footer.text:
            self._y += 10
            self._paragraph(embed.footer.text, x, width, 11, colour="#949ba4")
        height = round(self._y - top + 10)
        colour = f"#{embed.colour.value if embed.colour else 0:06x}"
        self._parts = [
            *before,
            f'<rect x="{LEFT}" y="{top:.0f}" width="{EMBED_WIDTH}" height="{height}" rx="4"'
            ' fill="#2b2d31"/>'
            f'<rect x="{LEFT}" y="{top:.0f}" width="4" height="{height}" rx="2" fill="{colour}"/>',
            *self._parts,
        ]
        self._y = top + height

    def _paragraph(
        self,
        text: str,
        x: float,
        width: float,
        size: int,
        *,
        bold: bool = False,
        colour: str = "",
    ) -> None:
        for line in wrap(spans(text, self.now), width, size):
            self._y += size * 1.35
            tspans = "".join(
                _tspan("".join(word.text for word in words), style, colour, bold=bold)
                for style, words in groupby(line, key=lambda word: word.style)
            )
            self._parts.append(
                f'<text x="{x:.0f}" y="{self._y:.0f}" font-size="{size}" xml:space="preserve">'
                f"{tspans}</text>"
            )

    def _buttons(self, content: MessageContent) -> None:
        for start in range(0, len(content.buttons), 5):
            x = float(LEFT)
            self._y += 8
            for button in content.buttons[start : start + 5]:
                wide = text_width(button.text, 13, bold=True) + 24
                if x + wide > WIDTH - 8:
                    x, self._y = float(LEFT), self._y + 40
                self._parts.append(
                    f'<rect x="{x:.0f}" y="{self._y:.0f}" width="{wide:.0f}" height="32" rx="4"'
                    f' fill="{BUTTONS[button.style]}"/>'
                    f'<text x="{x + wide / 2:.0f}" y="{self._y + 21:.0f}" fill="#fff"'
                    ' font-size="13" font-weight="600" text-anchor="middle">'
                    f"{escape(button.text)}</text>"
                )
                x += wide + 8
            self._y += 32


def _tspan(text: str, style: str, colour: str, *, bold: bool) -> str:
    style = "bold" if bold and style == "plain" else style
    weight = ' font-weight="700"' if bold or style == "bold" else ""
    return f'<tspan fill="{colour or COLOURS[style]}"{weight}>{escape(text)}</tspan>'


def _rows(embed: discord.Embed) -> Iterator[list[Any]]:
    """Return the fields as Discord places them: up to three inline ones share a row."""
    row: list[Any] = []
    for field in embed.fields:
        if row and (not field.inline or not row[-1].inline or len(row) == 3):
            yield row
            row = []
        row.append(field)
    if row:
        yield row


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, picture in asyncio.run(draw_cards()).items():
        (FOLDER / f"{name}.svg").write_text(picture, "utf-8", newline="\n")
        sys.stdout.write(f"docs/cards/{name}.svg\n")


if __name__ == "__main__":
    main()
