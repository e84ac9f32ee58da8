"""A tour of every slash command: tour.txt shows each answer, for reviewers to read."""

import re
from pathlib import Path

from tests.end_to_end.answers import steady
from tests.end_to_end.environment import CAD_KEY, BotEnvironment, call_911, dispatch_call, log_in
from tests.fake_discord import Member
from tests.golden import check_golden
from tests.soak.ledger import caught_up

TOUR = Path(__file__).parent / "tour.txt"

STOPS: list[tuple[str, dict[str, str | int]]] = [
    ("help", {}),
    ("property list", {}),
    (
        "property add",
        {"location": "Villa", "tier": "Basic", "x": 10, "y": 20, "owner": "license:wren"},
    ),
    ("property mine", {}),
    ("property list", {"status": "PENDING"}),
    ("property reject", {"property": "Villa"}),
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
    ("drone recall", {"drone": "1"}),
    ("drone history", {"property": "Villa"}),
    ("access allow", {"property": "Villa", "user": "license:friend"}),
    ("access deny", {"property": "Villa", "user": "license:friend"}),
    ("access log", {"property": "Villa"}),
    ("alert raise", {"property": "Villa", "note": "A window broke"}),
    ("alert list", {}),
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
    ("property list", {"text": "vil"}),
    ("equipment remove", {"property": "Villa", "equipment": "Gate"}),
    ("removal request", {"property": "Villa", "reason": "Moving"}),
    ("removal list", {}),
    ("removal withdraw", {"property": "Villa"}),
    ("removal request", {"property": "Villa"}),
    ("removal deny", {"property": "Villa"}),
    ("removal approve", {"property": "Villa"}),
    ("removal restore", {"property": "1"}),
    ("property remove", {"property": "Villa"}),
    ("cad calls", {}),
    ("cad call", {"id": "10"}),
    ("cad units", {}),
    ("cad unit", {"number": "7K-22"}),
    ("cad note", {"id": "10", "text": "Two cars burn."}),
    ("cad close", {"id": "10"}),
    ("cad status", {"status": 2}),
    ("911", {}),
    ("link show", {}),
    ("link alarms", {"wanted": True}),
    ("link messages", {"wanted": True}),
    ("link end", {}),
    ("route test", {"event": "EVENT_911"}),
    ("route add", {"name": "smoke", "types": "EVENT_911", "keywords": "smoke", "thread": True}),
    ("route add", {}),
    ("route list", {}),
    ("route test", {"event": "EVENT_911", "data": '{"description": "Smoke"}'}),
    ("route remove", {"name": "smoke"}),
    ("redact", {"message": "emergency:9@cad"}),
    ("pause", {"time": "30m"}),
    ("pause", {"time": "end"}),
    ("test", {"kind": "panic"}),
    ("test", {"kind": "Alarm", "ping": True}),
    ("audit", {"property": "Villa"}),
    ("status", {}),
    ("setup", {}),
]
"""The commands and what is typed into them, in an order that makes an evening."""

ELSEWHERE = {
    "route add",
    "route list",
    "route remove",
    "pause",
    "link code",
    "link list",
    "link member",
    "link unlink",
}
"""Commands that tests/end_to_end/test_links.py covers."""


async def _stop(
    env: BotEnvironment, member: Member, command: str, options: dict[str, str | int]
) -> str:
    typed = "".join(f" {name}: {value}" for name, value in options.items())
    await caught_up(env)  # so that lists link to cards
    reply = await env.fake.slash(member, command, options=options)
    await env.fake.until(lambda: reply.answered)
    assert reply.ephemeral or reply.modal is not None, command
    # How long a drone was out, which channels have a backlog, and the size of the file vary.
    varying = r"(?<=· )[0-9]+ s|(?<=Waiting: ).*(\n│ #.*)*|(?<=Database: ).*"
    text = re.sub(varying, "…", steady(env, reply))
    return f"/{command}{typed}\n{text}\n"


async def test_every_command_answers_like_this(env: BotEnvironment) -> None:
    boss = env.guild.add_member("Boss", env.guild.add_role("Owner", "manage_guild"))
    async with env.bot_running():
        await env.wait_for_commands()
        known = {command.removeprefix("/") for command in env.fake.offered_commands(boss)}
        assert known == {command for command, _ in STOPS} | ELSEWHERE
        await log_in(env, 61, "7K-22", "BCSO")
        assert await env.push("EVENT_911", call_911(9), CAD_KEY) == 200
        assert await env.push("EVENT_DISPATCH_NEW", dispatch_call(10), CAD_KEY) == 200
        await env.fake.until(lambda: bool(env.channel("dispatch").messages))
        shown = [await _stop(env, boss, command, options) for command, options in STOPS]
    check_golden(TOUR, "\n".join(shown))
