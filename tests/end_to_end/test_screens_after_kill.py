"""kill -9: whatever was on a screen goes on working, be it a button, a menu, a page or a form."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import NamedTuple

import pytest
from aiohttp.test_utils import unused_port

from bot.settings import ApiSettings
from cogs.commands.open_card import CardOpener
from cogs.ui.buttons import ButtonDeclaration, declarations
from cogs.ui.modals import FormDeclaration
from cogs.ui.pages import PageTurner
from tests.end_to_end.environment import BotEnvironment, call_911, dispatch_call, log_in
from tests.fake_cad import FakeCad
from tests.fake_discord import Member, Message, render
from tests.fake_discord.errors import JSON
from tests.fake_discord.interactions import InteractionReply, component_by
from tests.fake_discord.permissions import BOT, Permission
from tests.soak.ledger import caught_up
from tests.soak.process import bot_process
from tests.texts import command_cogs

LONG_NOTE = "Two men in the garden, one with a crowbar. " * 23

CALL, DISPATCH = call_911(9), dispatch_call(10)

COMMANDS: dict[str, tuple[str, dict[str, str]]] = {
    "property": ("property show", {"property": "Cabin"}),
    "remove?": ("property remove", {"property": "Cabin"}),
    "transfer?": ("property transfer", {"property": "Cabin", "user": "license:typo"}),
    "properties": ("property list", {}),
    "properties, page 2": ("property list", {}),
    "requests": ("removal list", {}),
    "audit": ("audit", {}),
    "status": ("status", {}),
    "setup, roles": ("setup", {}),
    "setup, channels": ("setup", {}),
    "setup, visits": ("setup", {}),
    "setup, language": ("setup", {}),
    "setup, two servers": ("setup", {}),
}
"""The commands that the admin used before the kill, by the names of the screens."""

TURNS = {
    "properties, page 2": ("Next",),
    "setup, channels": ("Next: channels",),
    "setup, visits": ("Next: channels", "Choose existing ones=visits", "None"),
    "setup, language": ("Next: channels", "Next: pings", "Next: language"),
}
"""What was used on those screens before the kill: a button, or `menu=option`."""

RARE = {
    ("setup, two servers", "Refresh"): {
        "label": "Only this server",
        "custom_id": "setup:only:server",
    },
    ("setup, channels", "Back"): {
        "label": "Let only the bot write",
        "custom_id": "setup:close:channels",
    },
    ("setup, channels", "Next: pings"): {"label": "Test", "custom_id": "setup:test:asking"},
}
"""Buttons of a server in another state, in place of some that are always shown."""

FORMS: list[tuple[str, str, dict[str, str], str]] = [
    ("alarm", "Note", {"Note": "A van"}, "Note added."),
    ("call", "Note", {"Note": "Send two"}, "Note added."),
    ("no link", "Link to game user…", {"user": "license:wren"}, "Link them?"),
    ("property", "Edit", {"Coordinates: x, y": "5, 6"}, "**Cabin**: 0 × 0 m at 5, 6"),
    ("property", "Name and owner", {"Where it is": "Lodge"}, "**Lodge**: 0 × 0 m at 5, 6"),
    ("property", "Request removal", {"Reason": "Moving"}, "Removal of **Lodge** (#5) requested."),
    ("pending", "Reject", {"Reason": "Too close"}, "(#2) rejected."),
    ("request", "Deny", {"Reason": "No"}, "Removal of **Shed** (#3) denied."),
    ("redacted", "Redact more…", {"words": "crowbar"}, "1 text is gone"),
    ("route add", "", {"name": "fires", "keywords": "smoke"}, "The rule does nothing"),
    ("911", "", {"Where": "Forum Dr", "What happens": "Smoke"}, "the CAD"),
    ("setup, language", "Another time zone", {"zone": "Europe/Berlin"}, "zone is Europe/Berlin."),
]
"""The forms that were open: on which screen, by which button, what is typed, the answer; a form
without a button was opened by the command.
"""

PRESSES: list[tuple[str, str, str]] = [
    ("alarm", "Acknowledge", "You have acknowledged this alarm."),
    ("alarm", "Dispatch drone", ") took off from **Villa**."),
    ("alarm", "Snooze 15 min", "Alarm snoozed for 15 minutes."),
    ("alarm", "Snooze 1 h", "already snoozed"),
    ("alarm", "Show all", "### History"),
    ("alarm", "Call the police", "was placed in the CAD."),
    ("owner's message", "I'm on it", "You have acknowledged this alarm."),
    ("owner's message", "False alarm", "Alarm closed."),
    ("alarm", "Resolve", "already marked as false"),
    ("handled alarm", "Take over", "You took this alarm over from"),
    ("handled alarm", "Release", "Alarm released"),
    ("call", "Responding", "with your unit on it"),
    ("call", "Thread", "The thread opens in a moment."),
    ("dispatch call", "Leave", "You are no longer responding."),
    ("panic", "Panic over", "The panic is over in the CAD."),
    ("flight", "Recall", ") recalled."),
    ("property", "Dispatch drone", ") took off from **Lodge**."),
    ("property", "Equipment", "### Equipment · Lodge"),
    ("properties", "Open", "# Villa #1"),
    ("properties", "Next", "Page 2 of 2"),
    ("properties", "Last", "Page 2 of 2"),
    ("properties, page 2", "Previous", "Page 1 of 2"),
    ("properties, page 2", "First", "Page 1 of 2"),
    ("units", "Open", "1-A-7"),
    ("audit", "Details", "Change "),
    ("requests", "Open", "# Removal denied · Shed"),
    ("pending", "Approve", "(#2) is no longer waiting"),
    ("request", "Approve", "This removal was already denied"),
    ("request", "Withdraw", "This removal was already denied"),
    ("removed", "Restore", "(#4) restored."),
    ("redacted", "Undo", "Redaction undone"),
    ("remove?", "Cancel", "Nothing was removed."),
    ("remove?", "Remove", "**Lodge** (#5) removed."),
    ("transfer?", "Transfer", "**Lodge** was removed by"),
    ("property", "Map", "**Lodge** was removed by"),
    ("link?", "Link", "is **license:new** in the game."),
    ("end the link?", "Unlink", "is no longer linked to a game user."),
    ("audit", "Details", "# Change "),
    ("status", "Post again", "Posting again."),
    ("status", "Register commands", "The commands are registered."),
    ("setup, roles", "Create what is missing", "· 1 of 5 ·"),
    ("setup, roles", "Next: channels", "· 2 of 5 ·"),
    ("setup, channels", "Choose existing ones=visits", "visitors seen by the cameras: not posted"),
    ("setup, channels", "Let these roles see the channels", "· 2 of 5 ·"),
    ("setup, channels", "Let only the bot write", "· 2 of 5 ·"),
    ("setup, channels", "Test", "CAD"),
    ("setup, visits", "Which channel?=#log", "visitors seen by the cameras: <#"),
    ("setup, visits", "None", "visitors seen by the cameras: not posted"),
    ("setup, visits", "Reset to the file", "visitors seen by the cameras: <#"),
    ("setup, language", "Which language?=Deutsch", "Language: Deutsch"),
    ("setup, language", "Which time zone?=Europe/Paris", "Time zone: Europe/Paris"),
    ("setup, two servers", "Only this server", "· 1 of 5 ·"),
]
"""What is used after the kill: on which screen, a button or `menu=option`, and the answer."""


class Screen(NamedTuple):
    """A message with the controls that were on it when the bot was killed."""

    member: Member
    message: Message
    controls: list[JSON]

    def action(self, use: str) -> str:
        """What a button or a menu is declared for."""
        control = component_by(self.controls, use.partition("=")[0])
        assert control is not None, (use, render(self.message))
        return _action(control["custom_id"])


@pytest.fixture
async def cad(env: BotEnvironment) -> AsyncIterator[FakeCad]:
    """A CAD that has the calls and the panic that the bot is told of."""
    async with FakeCad() as fake:
        fake.emergencies[9], fake.dispatches[10] = CALL["call"], DISPATCH["dispatch"]
        env.api = ApiSettings(key=fake.key, url=fake.url)
        yield fake


async def test_everything_on_a_screen_works_after_kill_9(env: BotEnvironment, cad: FakeCad) -> None:
    env.guild.bot_role.permissions = BOT | Permission.MANAGE_ROLES
    boss = env.guild.add_member("Boss", env.guild.add_role("Owner", "manage_guild"))
    cad.add_member(boss.id, 7, "1-A-7")
    cad.units[7]["isPanic"] = True
    forms = []
    with bot_process(env, unused_port()) as process:
        await env.healthy()
        screens = await _screens(env, boss)
        for name, button, typed, answer in FORMS:
            if button:
                opened = await env.fake.click(boss, screens[name].message, button)
            else:
                opened = await env.fake.slash(boss, name)
            assert opened.modal is not None, button
            forms.append((opened, opened.modal["custom_id"], typed, answer))
        process.kill()
    used = {screens[name].action(use) for name, use, _answer in PRESSES}
    used |= {screens[name].action(button) for name, button, *_ in FORMS if button}
    used |= {f"form {_action(custom_id)}" for _form, custom_id, _typed, _answer in forms}
    assert _declared() == used
    async with env.bot_running():
        await env.fake.wait_connected()
        for form, _id, typed, answer in forms:
            await _see(env, await env.fake.submit(boss, form, typed), answer)
        for name, use, answer in PRESSES:
            await _use(env, screens[name], use, answer)
        await cad.until(lambda: len(cad.asked("create-911")) == 2)  # by the form and the button


async def _screens(env: BotEnvironment, boss: Member) -> dict[str, Screen]:
    """Have everything shown that has a button or a menu."""
    fake = env.fake
    env.channel("visits").hide_from(env.dispatchers)
    await env.wait_for_commands()
    await env.query("link-user", memberId=str(env.stranger.id), userId="owner")
    await fake.slash(env.stranger, "link alarms", wanted=True)
    for where in ("Villa", "Barn", "Shed", "Hut", "Cabin", *"ABCDEFG"):
        await env.add_property(where, 2 if where in ("Villa", "Barn", "Cabin") else 0)
    for number in (1, 2):
        await env.query("add-alert", propertyId=number, userId="license:burglar")
    for _ in range(3):
        await env.query("note-alarm", alarmId=1, text=LONG_NOTE)
    await fake.slash(env.dora, "alert ack", alarm="Barn")
    await fake.slash(env.dora, "drone dispatch", property="Barn")
    for where in ("Shed", "Hut"):
        await fake.slash(env.dora, "removal request", property=where)
    await fake.slash(env.anna, "removal approve", property="Hut")
    await env.push("EVENT_911", CALL)
    await env.push("EVENT_DISPATCH_NEW", DISPATCH)
    await log_in(env, 7, "1-A-7")
    await env.push("EVENT_UNIT_PANIC", {"identIds": [7], "isPanic": True})
    await caught_up(env)
    await fake.click(boss, _card(env, "dispatch", "Structure fire"), "Responding")
    await caught_up(env)
    await _have_one_refused(env)
    shown: dict[str, Message | InteractionReply] = {
        "alarm": _card(env, "alerts", "Villa"),
        "handled alarm": _card(env, "alerts", "Barn"),
        "flight": _card(env, "drones", "Barn"),
        "pending": _card(env, "approvals", "Barn"),
        "request": _card(env, "approvals", "Removal requested · Shed"),
        "removed": _card(env, "approvals", "Removal approved · Hut"),
        "call": _card(env, "emergency", "911"),
        "dispatch call": _card(env, "dispatch", "Structure fire"),
        "panic": _card(env, "panic", "PANIC"),
        "link?": await fake.slash(boss, "link member", member=env.vic, user="license:new"),
        "end the link?": await fake.use_menu(boss, "Unlink", env.stranger),
        "no link": await fake.use_menu(boss, "Unlink", env.vic),
    }
    units = await fake.slash(boss, "cad units")
    shown["units"] = await fake.click(boss, units, "One by one")
    redacting = await fake.use_menu(boss, "Redact…", _card(env, "emergency", "911"))
    shown["redacted"] = await fake.submit(boss, redacting, {"texts": [], "words": "laundromat"})
    for name, (command, options) in COMMANDS.items():
        shown[name] = await fake.slash(boss, command, options=options)
    screens = {}
    for name, one in shown.items():
        message = one.message if isinstance(one, InteractionReply) else one
        assert message is not None
        for use in TURNS.get(name, ()):
            await _use(env, Screen(boss, message, message.components), use, "")
        screens[name] = Screen(boss, message, message.components)
    message = env.guild.direct(env.stranger).messages[0]
    screens["owner's message"] = Screen(env.stranger, message, message.components)
    for (name, label), rare in RARE.items():
        button = component_by(screens[name].controls, label)
        assert button is not None
        button |= rare
    return screens


def _card(env: BotEnvironment, channel: str, text: str) -> Message:
    return next(one for one in env.channel(channel).messages if text in render(one))


async def _have_one_refused(env: BotEnvironment) -> None:
    """Have Discord refuse a message for good, so that /status offers to post it again."""
    records, refusal = env.channel("records"), {"code": 50035, "message": "No"}
    env.fake.fault("POST", records.messages_path, status=400, body=refusal)
    for number in (1, 2):
        record = {"id": number, "type": 3, "name": f"record-{number}"}
        await env.push("EVENT_RECORD_ADD", {"record": record})
        if number == 1:
            await env.fake.until(lambda: env.fake.requests_to("POST", records.messages_path))
    await records.next_message()


async def _use(env: BotEnvironment, screen: Screen, use: str, answer: str) -> None:
    """Use a control as it was at the kill, and wait for the answer, or the page in its place."""
    label, _is, option = use.partition("=")
    screen.message.components = screen.controls  # a press that was on its way
    before = render(screen.message)
    if option:
        chosen = [env.channel(option[1:]) if option.startswith("#") else option]
        reply = await env.fake.choose(screen.member, screen.message, label, chosen)
    else:
        reply = await env.fake.click(screen.member, screen.message, label)
    if reply.updated:
        await env.fake.until(lambda: render(screen.message) != before)
    await _see(env, reply, answer)


async def _see(env: BotEnvironment, reply: InteractionReply, answer: str) -> None:
    with suppress(TimeoutError):
        await env.fake.until(lambda: answer in render(reply))
    assert answer in render(reply)
    assert reply.ephemeral


def _action(custom_id: str) -> str:
    return ":".join(custom_id.split(":")[:2])


def _declared() -> set[str]:
    """The actions of all buttons, menus and forms; each button that opens a page is one of them."""
    found = set()
    for owner in (*command_cogs(), PageTurner, CardOpener):
        for kind, prefix in ((ButtonDeclaration, ""), (FormDeclaration, "form ")):
            for declaration, _method in declarations(owner, kind):
                found |= {prefix + action for action in declaration.actions}
    return found
