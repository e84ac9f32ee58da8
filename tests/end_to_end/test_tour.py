"""A tour of every slash command, and of buttons, lists and forms behind it, for reviewers to read.

tour.txt shows each answer in English, tour.de.txt in German.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.answers import steady
from tests.end_to_end.environment import CAD_KEY, BotEnvironment, call_911, dispatch_call, log_in
from tests.fake_discord import Member, Message, render
from tests.fake_discord.interactions import InteractionReply
from tests.fake_discord.validation import every_component
from tests.golden import check_golden
from tests.soak.ledger import caught_up

TOURS = {"en-US": "tour.txt", "de": "tour.de.txt"}

VARYING = re.compile(
    r"(?<=· )[0-9]+ s|(?<=Waiting: ).*(\n│ #.*)*|(?<=Wartet: ).*(\n│ #.*)*"
    r"|(?<=Database: ).*|(?<=Datenbank: ).*|(?<=/cadlink )[A-Z0-9]+|(?<=ode \*\*)[A-Z0-9]+"
)
"""How long a drone was out, which channels have a backlog, the size of the file, a code."""

STOPS: list[tuple[str, dict[str, Any]]] = [
    ("help", {}),
    ("property list", {}),
    (
        "property add",
        {"location": "Villa", "tier": "Basic", "x": 10, "y": 20, "owner": "license:wren"},
    ),
    ("property mine", {}),
    ("property list", {"status": "PENDING"}),
    ("property reject", {"property": "Villa"}),
    ("{property:reject}", {"reason": "No permit"}),
    ("property edit", {"property": "Villa", "status": "PENDING"}),
    ("property approve", {"property": "Villa"}),
    ("property edit", {"property": "Villa", "width": 30, "height": 20, "tier": "Premium"}),
    ("property edit", {"property": "Villa", "tier": "Platinum"}),
    ("property rename", {"property": "Villa", "location": "Villa Nova"}),
    ("property rename", {"property": "Villa", "location": "Villa"}),
    ("property transfer", {"property": "Villa", "user": "license:typo"}),
    ("property transfer", {"property": "Villa", "user": "license:wren"}),
    ("equipment add", {"property": "Villa", "type": "Drone", "description": "Kestrel"}),
    ("equipment add", {"property": "Villa", "type": "Camera", "description": "Gate"}),
    ("drone dispatch", {"property": "Villa", "reason": "Smoke"}),
    ("drone dispatch", {"property": "Villa"}),
    ("drone list", {}),
    ("[card:open:flight]", {}),
    ("drone list", {"property": "Villa"}),
    ("drone recall", {"drone": "1"}),
    ("drone history", {"property": "Villa"}),
    ("access allow", {"property": "Villa", "user": "license:friend"}),
    ("access deny", {"property": "Villa", "user": "license:friend"}),
    ("access log", {"property": "Villa"}),
    ("access allow", {"property": "Villa", "user": "license:guest"}),
    ("alert raise", {"property": "Villa", "note": "A window broke"}),
    ("alert list", {}),
    ("[card:open:alarm]", {}),
    ("[alarm:acknowledge]", {}),
    ("[alarm:note]", {}),
    ("{alarm:note}", {"note": "The gate is open"}),
    ("[alarm:snooze]", {}),
    ("[card:open:alarm]", {}),
    ("[alarm:snooze]", {}),
    ("alert ack", {"alarm": "Villa"}),
    ("alert take", {"alarm": "Villa"}),
    ("alert note", {"alarm": "Villa", "text": "Two men in the garden"}),
    ("alert release", {"alarm": "Villa"}),
    ("alert resolve", {"alarm": "Villa"}),
    ("alert ack", {"alarm": "Villa"}),
    ("alert resolve", {"alarm": "1", "false_alarm": True}),
    ("visitors", {"property": "Villa"}),
    ("visitors", {"property": "Villa", "from": "2026-01-05", "to": "2026-01-06"}),
    ("crimes", {"property": "Villa"}),
    ("property show", {"property": "Villa"}),
    ("[property:edit]", {}),
    ("{property:edit}", {"tier": "Premium", "size": "40x20", "coordinates": "10, 20"}),
    ("[property:describe]", {}),
    ("{property:describe}", {"location": "Villa", "description": "With a pool", "owner": "wren"}),
    ("[property:map]", {}),
    ("[page:o:equipment]", {}),
    ("[page:o:access]", {}),
    ("property list", {"text": "vil"}),
    ("equipment remove", {"property": "Villa", "equipment": "Gate"}),
    ("removal request", {"property": "Villa", "reason": "Moving"}),
    ("removal list", {}),
    ("[card:open:removal]", {}),
    ("removal withdraw", {"property": "Villa"}),
    ("removal request", {"property": "Villa"}),
    ("removal deny", {"property": "Villa"}),
    ("{removal:deny}", {"reason": "Not yet"}),
    ("removal request", {"property": "Villa"}),
    ("removal approve", {"property": "Villa"}),
    ("removal restore", {"property": "1"}),
    ("property remove", {"property": "Villa"}),
    ("[property:keep]", {}),
    ("cad calls", {}),
    ("[card:open:emergency]", {}),
    ("[call:respond]", {}),
    ("[call:note]", {}),
    ("{call:note}", {"note": "Two cars burn"}),
    ("[call:thread]", {}),
    ("cad call", {"id": "10"}),
    ("cad units", {}),
    ("[page:o:units]", {}),
    ("[unit:open]", {}),
    ("cad unit", {"number": "7K-22"}),
    ("cad note", {"id": "10", "text": "Two cars burn."}),
    ("cad close", {"id": "10"}),
    ("cad status", {"status": 2}),
    ("911", {}),
    ("{call:place}", {"location": "Legion Square", "description": "Explosion"}),
    ("link show", {}),
    ("@Link to game user…", {"target": "@Vic"}),
    ("{link:member}", {"user": "license:typo"}),
    ("@Link to game user…", {"target": "@Vic"}),
    ("{link:member}", {"user": "license:wren"}),
    ("link list", {}),
    ("link member", {"member": "@Stranger", "user": "license:wren"}),
    ("link unlink", {"member": "@Stranger"}),
    ("@Unlink", {"target": "@Vic"}),
    ("[link:end]", {}),
    ("link code", {}),
    ("link alarms", {"wanted": True}),
    ("link messages", {"wanted": True}),
    ("link end", {}),
    ("route test", {"event": "EVENT_911"}),
    ("route add", {"name": "smoke", "types": "EVENT_911", "keywords": "smoke", "thread": True}),
    ("route add", {"name": "night", "types": "EVENT_912", "quiet": "22-6", "silent": True}),
    ("route add", {"name": "night", "quiet": "22:00-06:00"}),
    ("route add", {}),
    ("{route:add}", {"name": "fires", "keywords": "fire, smoke"}),
    ("route list", {}),
    ("route test", {"event": "EVENT_911", "data": '{"description": "Smoke"}'}),
    ("route remove", {"name": "smoke"}),
    ("@Redact…", {"target": "911"}),
    ("redact", {"message": "emergency:9@cad"}),
    ("{redact:texts}", {"words": "Wren Halloway"}),
    ("[redact:undo]", {}),
    ("pause", {"time": "30m"}),
    ("pause", {"time": "end"}),
    ("test", {"kind": "panic"}),
    ("test", {"kind": "Alarm", "ping": True}),
    ("audit", {"property": "Villa"}),
    ("[audit:show]", {}),
    ("status", {}),
    ("setup", {}),
    ("[setup:page:channels]", {}),
    ("[setup:page:pings]", {}),
    ("[setup:page:community]", {}),
    ("[setup:page:cad]", {}),
]
"""What is used and what is typed into it, in an order that makes an evening: a command, a
`[button]` by how its id begins, a `{form}` by its id, an `@entry` in the menu of a target.
"""


class Tour:
    """Goes through the stops as one member, who reads their own language."""

    def __init__(self, env: BotEnvironment, member: Member) -> None:
        self._env = env
        self._member = member
        self._replies: list[InteractionReply] = []

    async def stop(self, what: str, typed: dict[str, Any]) -> str:
        """Use a command, press a `[button]` of the newest answer that has it, send a `{form}`."""
        await caught_up(self._env)  # so that lists link to cards
        fake, name = self._env.fake, f"/{what}"
        if what.startswith("["):
            message, button = self._button(what.strip("[]"))
            name = f"[{button['label']}]"
            before = render(message)
            reply = await fake.click(self._member, message, button["custom_id"])
            await fake.until(lambda: not reply.updated or render(message) != before)
        elif what.startswith("{"):
            form = next(one for one in reversed(self._replies) if one.modal is not None)
            assert form.modal is not None
            assert form.modal["custom_id"].startswith(what.strip("{}"))
            name = f"({form.modal['title']})"
            parts = every_component(form.modal["components"])
            inputs = [one["custom_id"] for _, one in parts if "custom_id" in one]
            values = {one: typed[key] for one in inputs if (key := one.partition("#")[0]) in typed}
            reply = await fake.submit(self._member, form, values)
        elif what.startswith("@"):
            name = what
            target = self._target(typed["target"])
            reply = await fake.use_menu(self._member, what.removeprefix("@"), target)
        else:
            options = {key: self._target(value) for key, value in typed.items()}
            reply = await fake.slash(self._member, what, options=options)
        await fake.until(lambda: reply.answered)
        assert reply.ephemeral or reply.modal is not None or reply.updated, what
        self._replies.append(reply)
        given = "".join(f" {key}: {value}" for key, value in typed.items())
        return f"{name}{given}\n{VARYING.sub('…', steady(self._env, reply))}\n"

    def _target(self, named: Any) -> Any:
        """Return the member `@Vic`, the newest card of a 911 call, or else what was given."""
        if named == "911":
            return self._env.channel("emergency").messages[-1]
        members = {f"@{member.name}": member for member in self._env.guild.members}
        return members.get(named, named)

    def _button(self, action: str) -> tuple[Message, dict[str, Any]]:
        for reply in reversed(self._replies):
            if reply.message is None:
                continue
            for _, one in every_component(reply.message.components):
                if str(one.get("custom_id")).startswith(action):
                    return reply.message, one
        raise AssertionError(f"no answer has the button {action}")


@pytest.mark.usefixtures("_hurried_board")
@pytest.mark.parametrize("locale", TOURS)
async def test_every_command_answers_like_this(env: BotEnvironment, locale: str) -> None:
    boss = env.guild.add_member("Boss", env.guild.add_role("Owner", "manage_guild"))
    boss.user.locale = locale
    async with env.bot_running():
        await env.wait_for_commands()
        known = {command.removeprefix("/") for command in env.fake.offered_commands(boss)}
        commands = {what for what, _ in STOPS if what[0] not in "[{@"}
        assert known == commands
        await log_in(env, 61, "7K-22", "BCSO")
        assert await env.push("EVENT_911", call_911(9), CAD_KEY) == 200
        assert await env.push("EVENT_DISPATCH_NEW", dispatch_call(10), CAD_KEY) == 200
        await env.fake.until(lambda: bool(env.channel("dispatch").messages))
        tour = Tour(env, boss)
        shown = [await tour.stop(what, typed) for what, typed in STOPS]
    check_golden(Path(__file__).parent / TOURS[locale], "\n".join(shown))
