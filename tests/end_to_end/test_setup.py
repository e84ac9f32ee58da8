"""`/setup`: a community that has only invited the bot gets its roles, channels and first push."""

import re
from typing import Any

import pytest
from aiohttp.test_utils import unused_port

from bot.settings import Channels, Roles
from cogs.routing.layout import Layout, choices
from db.database import Reader
from db.errors import StorageUnavailable
from tests.end_to_end.environment import TOKEN, BotEnvironment, call_911
from tests.fake_discord import Channel, InteractionReply, Member, Message, render
from tests.fake_discord.openapi import OpenApi
from tests.fake_discord.permissions import BOT, Permission
from tests.fake_discord.world import GUILD_CATEGORY

FOUNDER = BOT | Permission.MANAGE_CHANNELS | Permission.MANAGE_ROLES


def configure(env: BotEnvironment, **discord: Any) -> None:
    """Have the configuration file say something else about Discord."""
    settings = env.settings()
    changed = settings.model_copy(update={"discord": settings.discord.model_copy(update=discord)})
    env.settings = lambda: changed  # type: ignore[method-assign]


@pytest.fixture
def boss(env: BotEnvironment) -> Member:
    """Who manages the server of a community whose file has nothing but the token."""
    configure(env, channels=Channels(), roles=Roles(), panic_role=0)
    env.guild.bot_role.permissions = FOUNDER
    return env.guild.add_member("Boss", env.guild.add_role("Boss", "manage_guild"))


async def started(env: BotEnvironment) -> None:
    await env.fake.until(lambda: env.fake.connected and bool(env.guild.commands))


async def shown(env: BotEnvironment, reply: InteractionReply, text: str) -> str:
    await env.fake.until(lambda: text in render(reply))
    assert reply.ephemeral
    return picture(env, reply)


def picture(env: BotEnvironment, reply: InteractionReply | Message) -> str:
    """What is seen, with the names of channels and roles instead of their ids."""
    text = render(reply)
    for channel in env.guild.channels:
        text = text.replace(f"<#{channel.id}>", f"#{channel.name}")
    for role in env.guild.roles:
        text = text.replace(f"<@&{role.id}>", f"@{role.name}")
    return re.sub(r"<t:\d+:R>", "<time>", text)


def made(env: BotEnvironment) -> list[Channel]:
    """The channels in the category that /setup makes."""
    return [
        one for one in env.guild.channels if one.category and one.category.name == "CAD Sentinel"
    ]


NEXT = {
    "roles": "",
    "channels": "Next: channels",
    "pings": "Next: pings",
    "community": "Next: language",
    "cad": "Next: the CAD",
}
"""The pages, with the button that leads to each."""


async def open_page(env: BotEnvironment, member: Member, name: str) -> InteractionReply:
    """Type /setup and turn to a page."""
    reply = await env.fake.slash(member, "setup")
    await shown(env, reply, "1 of 5")
    for number, (page, label) in enumerate(NEXT.items(), 1):
        if label:
            reply = await env.fake.click(member, reply, label)
            await shown(env, reply, f"{number} of 5")
        if page == name:
            break
    return reply


FULL = "Full: 13 channels"
FULL_NAMES = [name for name in Channels.model_fields if name != "units"]
CREATING = {"roles": "Create what is missing", "channels": FULL}
"""The pages that create something, with the button that does."""

WRITING = (
    Permission.SEND_MESSAGES | Permission.CREATE_PUBLIC_THREADS | Permission.CREATE_PRIVATE_THREADS
)

FIRST_PAGE = """\
(only you can see this)
┌ #1976d2
│ # Set up CAD Sentinel · 1 of 5 · Who may do what
│ Each role includes those before it. Members who can manage this server can do everything. Give\
 the roles to your members in Server Settings › Members.
│
│ **viewer** · can look everything up: nobody
│ **dispatcher** · can also answer alarms, send drones, edit any property, its equipment and access\
 list: nobody
│ **approver** · can also approve, deny and restore: nobody
│ **admin** · can do everything; Server Settings › Integrations lets them see /setup: nobody
└
<Choose existing ones: viewer | dispatcher | approver | admin>
[Create what is missing] secondary [Refresh] secondary [Next: channels] primary"""

CREATED_ROLES = """\
(only you can see this)
┌ #1976d2
│ # Set up CAD Sentinel · 1 of 5 · Who may do what
│ Each role includes those before it. Members who can manage this server can do everything. Give\
 the roles to your members in Server Settings › Members.
│
│ **viewer** · can look everything up: @CAD Sentinel viewer
│ **dispatcher** · can also answer alarms, send drones, edit any property, its equipment and access\
 list: @CAD Sentinel dispatcher
│ **approver** · can also approve, deny and restore: @CAD Sentinel approver
│ **admin** · can do everything; Server Settings › Integrations lets them see /setup: @CAD\
 Sentinel admin
└
<Choose existing ones: viewer | dispatcher | approver | admin>
[Create what is missing] secondary (disabled) [Refresh] secondary [Reset to the file] secondary\
 [Next: channels] primary"""

CREATED_CHANNELS = """\
(only you can see this)
┌ #1976d2
│ # Set up CAD Sentinel · 2 of 5 · What is posted where
│ Only the bot writes in the channels that it creates, and each is seen by the roles that need it:\
 viewers see neither approvals nor log.
│
│ **emergency** · 911 and 311 calls: #emergency
│ **dispatch** · dispatch calls, tones, pages, station alerts: #dispatch
│ **panic** · panic buttons: #panic
│ **board** · one message with the units on duty and the open calls: #board
│ **units** · every change of a unit's status: not posted
│ **records** · records, bulletins, warrants: #records
│ **alerts** · alarms at properties: #alerts
│ **visits** · visitors seen by the cameras: #visits
│ **crimes** · crimes reported by scripts: #crimes
│ **access** · who badges in at a door: #access
│ **properties** · changes to properties: #properties
│ **drones** · drones in the air: #drones
│ **approvals** · new properties and requested removals: #approvals
│ **log** · messages about the bot itself: #log
└
<Choose existing ones: emergency | dispatch | panic | board | units | records | alerts | visits |\
 crimes | access | properties | drones | approvals | log>
[Create what is missing] secondary (disabled) [Refresh] secondary [Reset to the file] secondary\
 [Back] secondary [Next: pings] primary"""

CAD_PAGE = """\
(only you can see this)
┌ #1976d2
│ # Set up CAD Sentinel · 5 of 5 · What the CAD sends
│ Do one of these, then do something in the CAD: go on duty, or make a 911 call.
│ - You have a FiveM server (recommended): Press *Game server* below. The resource `cad-sentinel`\
 takes the pushes from the Sonoran resource, and loses none while the bot is away.
│ - You want no other resource on it: In `sonorancad/config.json` (`true` without quotes),\
 then restart the resource:
│ ```json
│ "enablePushEventForwarding": true,
│ "pushEventForwardUrl": "http://127.0.0.1:0",
│ ```
│ If the bot runs on another machine, write that machine's address, and in the bot's\
 `config.toml` under `[http]`: `host = "0.0.0.0"`.
│ - You have no game server: In the CAD's server settings enter this machine's public IP and the\
 listener port `0`.
│ - Received so far: **cad**: nothing yet.
│ This answer updates itself when the first push comes; after 15 minutes press Refresh.
└
[Back] secondary [Refresh] secondary [Game server] secondary [Next: requests to the CAD] primary"""

GAME_PAGE = """\
(only you can see this)
┌ #1976d2
│ # Set up CAD Sentinel · Game server
│ The resource `cad-sentinel` sends what happens in the game and what the CAD pushes, and keeps it\
 while the bot is away. Switch `enablePushEventForwarding` of the Sonoran resource off, put the\
 folder `cad-sentinel` into `resources`, and this into `server.cfg`:
│ - server.cfg: ```
│ set cad_sentinel_url "http://127.0.0.1:0"
│ set cad_sentinel_token "{token}"
│ ensure cad-sentinel
│ ```
│ The token is a secret: only you see this. Use `set` and never `setr` or `sets`.
│ If the bot runs on another machine, write that machine's address, and in the bot's\
 `config.toml` under `[http]`: `host = "0.0.0.0"`.
│ - There so far: This answer updates itself when the resource is there; after 15 minutes press\
 Refresh.
└
[Back] secondary [Refresh] secondary"""


async def test_page_about_the_game_server_turns_green_when_its_resource_is_there(
    env: BotEnvironment, boss: Member
) -> None:
    async with env.bot_running():
        await started(env)
        reply = await open_page(env, boss, "cad")
        await env.fake.click(boss, reply, "Game server")
        assert await shown(env, reply, "· Game server") == GAME_PAGE.format(token=TOKEN)
        env.headers = {"X-Sentinel-Resource": "cad-sentinel/1.2.0; waiting=0; refused=0"}
        await env.query("get-tiers")
        green = await shown(env, reply, "**cad-sentinel 1.2.0** was there <t:")
        assert "┌ #388e3c" in green
        assert "It works." in green
        assert "updates itself" not in green
        await env.fake.click(boss, reply, "Back")
        await shown(env, reply, "5 of 5")
    assert TOKEN not in "".join(render(message) for one in made(env) for message in one.created)


async def test_only_admins_see_the_token(env: BotEnvironment) -> None:
    async with env.bot_running():
        await started(env)
        for member in (env.anna, env.dora, env.stranger):
            assert "setup" not in env.fake.offered_commands(member)


async def test_setup_from_the_invitation_to_the_first_push(
    env: BotEnvironment, boss: Member
) -> None:
    async with env.bot_running():
        await started(env)
        reply = await env.fake.slash(boss, "setup")
        assert await shown(env, reply, "1 of 5") == FIRST_PAGE
        await env.fake.click(boss, reply, "Create what is missing")
        assert await shown(env, reply, "Reset to the file") == CREATED_ROLES
        await env.fake.click(boss, reply, "Next: channels")
        await shown(env, reply, "not posted")
        await env.fake.click(boss, reply, FULL)
        assert await shown(env, reply, "Reset to the file") == CREATED_CHANNELS
        assert [one.name for one in made(env)] == FULL_NAMES
        for number, page in enumerate(list(NEXT)[2:], 3):
            last = await env.fake.click(boss, reply, NEXT[page])
            await shown(env, reply, f"{number} of 5")
        assert await shown(env, reply, "5 of 5") == CAD_PAGE
        assert await env.push("EVENT_NOBODY_KNOWS", {}) == 400  # a test push with the right key
        await shown(env, reply, "the last push came <t:")
        await env.fake.until(lambda: bool(last.followups))
        assert last.followups[0].content == "The first push of the CAD **cad** has come. It works."
        assert last.followups[0].ephemeral
        assert await env.push("EVENT_911", call_911(1)) == 200
        card = await made(env)[0].next_message()
        assert "911 call 1" in render(card)
    description = OpenApi.load()
    if description is not None:
        assert description.faults(env.fake.requests) == []


async def test_created_channels_are_visible_to_created_roles_only(
    env: BotEnvironment, boss: Member
) -> None:
    async with env.bot_running():
        await started(env)
        reply = await open_page(env, boss, "roles")
        await env.fake.click(boss, reply, "Create what is missing")
        await shown(env, reply, "Reset to the file")
        reply = await open_page(env, boss, "channels")
        await env.fake.click(boss, reply, FULL)
        await shown(env, reply, "Reset to the file")
    viewers = next(role for role in env.guild.roles if role.name == "CAD Sentinel viewer")
    assert viewers.permissions == 0
    friend = env.guild.add_member("Friend", viewers)
    approvers = next(role for role in env.guild.roles if role.name == "CAD Sentinel approver")
    boss_friend = env.guild.add_member("Approving friend", approvers)
    for channel in made(env):
        is_for_viewers = channel.name not in {"approvals", "log"}
        allowed = friend.permissions_in(channel)
        assert (Permission.VIEW_CHANNEL in allowed) == is_for_viewers
        assert Permission.VIEW_CHANNEL in boss_friend.permissions_in(channel)
        assert not boss_friend.permissions_in(channel) & WRITING
        assert Permission.SEND_MESSAGES_IN_THREADS in boss_friend.permissions_in(channel)
        assert Permission.VIEW_CHANNEL not in env.stranger.permissions_in(channel)
        own = Permission.SEND_MESSAGES | Permission.CREATE_PUBLIC_THREADS
        assert own in env.guild.bot_member.permissions_in(channel)


async def test_nothing_is_created_twice(env: BotEnvironment, boss: Member) -> None:
    for _ in range(2):
        async with env.bot_running():
            await started(env)
            for page, label in CREATING.items():
                reply = await open_page(env, boss, page)
                if "(disabled)" not in render(reply):
                    await env.fake.click(boss, reply, label)
                await shown(env, reply, "Create what is missing] secondary (disabled)")
    assert len(env.fake.requests_to("POST", r"/guilds/\d+/roles")) == 4
    assert len(env.fake.requests_to("POST", r"/guilds/\d+/channels")) == 14
    async with env.bot_running():
        await env.push("EVENT_911", call_911(1))
        await made(env)[0].next_message()


async def test_setup_buttons_work_after_a_restart(env: BotEnvironment, boss: Member) -> None:
    async with env.bot_running():
        await started(env)
        reply = await open_page(env, boss, "roles")
    async with env.bot_running():
        await started(env)
        await env.fake.click(boss, reply, "Create what is missing")
        assert await shown(env, reply, "Reset to the file") == CREATED_ROLES


async def test_only_admins_can_use_setup(env: BotEnvironment, boss: Member) -> None:
    async with env.bot_running():
        await started(env)
        assert "setup" not in env.fake.offered_commands(env.anna)
        reply = await open_page(env, boss, "roles")
        boss.remove_role(boss.roles[0])
        refused = await env.fake.click(boss, reply, "Create what is missing")
        assert refused.content == "This needs the admin role."
        assert refused.ephemeral
    assert env.fake.requests_to("POST", r"/guilds/\d+/roles") == []


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"status": 403, "body": {"code": 50013, "message": "Missing Permissions"}}, "403"),
        ({"status": 400, "body": {"code": 30013, "message": "Maximum reached"}}, "Maximum reached"),
    ],
)
async def test_channels_created_before_an_error_are_kept(
    env: BotEnvironment, boss: Member, fault: dict[str, Any], expected: str
) -> None:
    async with env.bot_running():
        await started(env)
        reply = await open_page(env, boss, "channels")
        env.fake.fault("POST", r"/guilds/\d+/channels", delay=0.001, times=5)
        env.fake.fault("POST", r"/guilds/\d+/channels", **fault)
        answer = await env.fake.click(boss, reply, FULL)
        await env.fake.until(lambda: bool(answer.followups))
        assert answer.followups[0].content.startswith("Discord did not create everything: ")
        assert expected in answer.followups[0].content
        assert len(made(env)) == 4
        await shown(env, reply, "**records** · records, bulletins, warrants: not posted")
        await env.push("EVENT_911", call_911(1))
        await made(env)[0].next_message()  # those that are there are in use already
        await env.fake.click(boss, reply, "Create what is missing")
        await shown(env, reply, "(disabled)")
    names = [one.name for one in made(env)]
    assert sorted(names) == sorted(FULL_NAMES)


async def test_channels_created_without_an_answer_are_used(
    env: BotEnvironment, boss: Member
) -> None:
    async with env.bot_running():
        await started(env)
        for page, label in CREATING.items():
            reply = await open_page(env, boss, page)
            env.fake.fault("POST", rf"/guilds/\d+/{page}", delay=0.001, times=2)
            env.fake.fault("POST", rf"/guilds/\d+/{page}", status=503, after=True)
            answer = await env.fake.click(boss, reply, label)
            await env.fake.until(lambda answer=answer: bool(answer.followups))  # type: ignore[misc]
            await shown(env, reply, "Create what is missing")
            await env.fake.click(boss, reply, "Create what is missing")
            await shown(env, reply, "(disabled)")
    names = [one.name for one in env.guild.roles if one.name.startswith("CAD Sentinel ")]
    assert len(names) == len(set(names)) == 4
    assert [one.name for one in made(env)] == FULL_NAMES
    assert sum(one.type == GUILD_CATEGORY for one in env.guild.channels) == 1


async def test_creation_continues_after_a_kill(env: BotEnvironment, boss: Member) -> None:
    port = unused_port()
    for is_first in (True, False):
        async with env.bot_process(port) as process:
            await env.fake.wait_connected(timeout=60)
            await started(env)
            reply = await open_page(env, boss, "channels")
            if is_first:
                env.fake.fault("POST", r"/guilds/\d+/channels", delay=0.02, times=None)
            label = FULL if is_first else "Create what is missing"
            await env.fake.click(boss, reply, label, until_answered=False)
            if is_first:
                await env.fake.until(lambda: len(made(env)) >= 4)
                process.kill()
                await process.wait()
                await env.fake.wait_disconnected()
                env.fake.recover()
            else:
                await shown(env, reply, "(disabled)")
    assert sorted(one.name for one in made(env)) == sorted(FULL_NAMES)
    assert sum(one.type == GUILD_CATEGORY for one in env.guild.channels) == 1


async def test_only_one_admin_creates_at_a_time(env: BotEnvironment, boss: Member) -> None:
    other = env.guild.add_member("Other", *boss.roles)
    async with env.bot_running():
        await started(env)
        mine = await open_page(env, boss, "roles")
        theirs = await open_page(env, other, "roles")
        env.fake.fault("POST", r"/guilds/\d+/roles", delay=0.3, times=1)
        await env.fake.click(boss, mine, "Create what is missing", until_answered=False)
        await env.fake.until(lambda: bool(env.fake.requests_to("POST", r"/guilds/\d+/roles")))
        answer = await env.fake.click(other, theirs, "Create what is missing")
        await env.fake.until(lambda: bool(answer.followups))
        assert answer.followups[0].content.startswith(f"<@{boss.id}> is creating these right now.")
        await shown(env, mine, "(disabled)")
        await env.fake.click(other, theirs, "Refresh")
        assert await shown(env, theirs, "Reset to the file") == CREATED_ROLES
    assert len(env.fake.requests_to("POST", r"/guilds/\d+/roles")) == 4


PICKED = """\
(only you can see this)
┌ #1976d2
│ # Set up CAD Sentinel · dispatcher
│ Can also answer alarms, send drones, edit any property, its equipment and access list.
│ Chosen here; the file says nothing.
│ **dispatcher** · can also answer alarms, send drones, edit any property, its equipment and access\
 list: @Dispatcher, @On call
└
<Which role, or which roles?: roles>
[Back] secondary [None] secondary [Reset to the file] secondary"""


async def test_picked_roles_and_channels_apply_at_once(env: BotEnvironment, boss: Member) -> None:
    async with env.bot_running():
        await started(env)
        refused = await env.fake.slash(env.dora, "drone list")
        await env.fake.until(lambda: "This needs the viewer role" in refused.content)
        reply = await open_page(env, boss, "roles")
        await env.fake.choose(boss, reply, "Choose existing ones", ["dispatcher"])
        await shown(env, reply, "Which role")
        picked = [env.dispatchers, env.on_call]
        await env.fake.choose(boss, reply, "Which role, or which roles?", picked)
        assert await shown(env, reply, "Chosen here") == PICKED
        await may_look(env, env.dora)
        reply = await open_page(env, boss, "channels")
        await env.fake.choose(boss, reply, "Choose existing ones", ["emergency"])
        await shown(env, reply, "Which channel")
        await env.fake.choose(boss, reply, "Which channel?", [env.channel("log")])
        await shown(env, reply, "Chosen here")
        await env.fake.until(lambda: picture(env, reply).count("#log") == 1)
        await in_use(env, env.channel("log"))
        options = {"event": "EVENT_911"}
        routed = await env.fake.slash(boss, "route test", options=options)
        await env.fake.until(lambda: "goes to emergency by the channel map" in routed.content)


async def may_look(env: BotEnvironment, member: Member) -> None:
    reply = await env.fake.slash(member, "drone list")
    await env.fake.until(lambda: "No drones are out" in render(reply))


async def in_use(env: BotEnvironment, channel: Channel, number: int = 900) -> None:
    """Expect a call in a channel that was just chosen."""
    await env.push("EVENT_911", call_911(number))
    assert f"911 call {number}" in render(await channel.next_message())


async def test_everyone_can_be_a_viewer_only(env: BotEnvironment, boss: Member) -> None:
    async with env.bot_running():
        await started(env)
        reply = await open_page(env, boss, "roles")
        for name in ("viewer", "admin"):
            await env.fake.choose(boss, reply, "Choose existing ones", [name])
            await shown(env, reply, f"· {name}\n")
            answer = await env.fake.choose(
                boss, reply, "Which role, or which roles?", [env.guild.everyone]
            )
            if name == "viewer":
                await shown(env, reply, "Chosen here")
                await env.fake.click(boss, reply, "Back")
                await shown(env, reply, "1 of 5")
        await env.fake.until(lambda: bool(answer.followups))
        assert "cannot be chosen here: then everybody could do that" in answer.followups[0].content
        await may_look(env, env.stranger)


LACKING = """\
│ - The bot lacks Manage Roles: It cannot create anything. Give its role this permission in\
 Server Settings › Roles and press Refresh, or choose existing ones in the menu.
└
<Choose existing ones: viewer | dispatcher | approver | admin>
[Create what is missing] secondary (disabled) [Refresh] secondary [Next: channels] primary"""


async def test_missing_permissions_to_create_are_named(env: BotEnvironment, boss: Member) -> None:
    env.guild.bot_role.permissions = BOT
    async with env.bot_running():
        await started(env)
        reply = await open_page(env, boss, "roles")
        assert picture(env, reply).endswith(LACKING)
        reply = await open_page(env, boss, "channels")
        assert "The bot lacks Manage Channels" in render(reply)
        env.guild.bot_role.grant(FOUNDER)
        await env.fake.click(boss, reply, "Refresh")
        await env.fake.until(lambda: "The bot lacks" not in render(reply))


async def test_problems_of_channels_and_roles_are_shown(env: BotEnvironment, boss: Member) -> None:
    broken = {name: env.channel(name).id for name in ("emergency", "dispatch")}
    configure(env, channels=Channels(**broken))
    env.channel("emergency").deny("send_messages embed_links")
    env.channel("dispatch").delete()
    async with env.bot_running():
        await started(env)
        seen = picture(env, await open_page(env, boss, "channels"))
    assert "calls: #emergency (**the bot lacks Send Messages, Embed Links, Attach Files**)" in seen
    assert "**it was deleted, or the bot is not in its server**" in seen


async def test_a_role_with_permissions_of_its_own_is_not_used(
    env: BotEnvironment, boss: Member
) -> None:
    env.guild.add_role("CAD Sentinel admin", "administrator")
    async with env.bot_running():
        await started(env)
        reply = await open_page(env, boss, "roles")
        answer = await env.fake.click(boss, reply, "Create what is missing")
        await env.fake.until(lambda: bool(answer.followups))
        assert answer.followups[0].content.startswith(
            "A role named “CAD Sentinel admin” with permissions of its own already exists"
        )
    assert sum(role.name.startswith("CAD Sentinel ") for role in env.guild.roles) == 4


async def test_choices_override_the_file_and_are_audited(env: BotEnvironment, boss: Member) -> None:
    configure(env, channels=Channels(emergency=env.channel("panic").id))
    async with env.bot_running():
        await started(env)
        reply = await open_page(env, boss, "channels")
        await env.fake.choose(boss, reply, "Choose existing ones", ["emergency"])
        await shown(env, reply, "Which channel")
        await env.fake.choose(boss, reply, "Which channel?", [env.channel("log")])
        await shown(env, reply, f"Chosen here; the file says <#{env.channel('panic').id}>.")
        await in_use(env, env.channel("log"))
    assert env.channel("panic").created == []
    async with env.bot_running():
        await started(env)
        await env.push("EVENT_911", call_911(2))
        await env.fake.until(lambda: "911 call 2" in render(env.channel("log").messages[-1]))
        await env.fake.click(boss, reply, "Reset to the file")
        await env.fake.until(lambda: "Chosen here" not in render(reply))
        await in_use(env, env.channel("panic"), 2000)
        audit = await env.fake.slash(boss, "audit")
        await env.fake.until(lambda: "setup" in render(audit))
    shown_audit = re.sub(r"<t:\d+:f>", "<time>", render(audit))
    before, after = f"<#{env.channel('panic').id}>", f"<#{env.channel('log').id}>"
    who = f"<@{boss.id}> changed the settings in /setup:"
    assert f"{who} emergency {before} → {after}" in shown_audit
    assert f"{who} emergency {after} → {before}" in shown_audit
    assert f"{who} server — → {env.guild.id}" in shown_audit


async def test_the_bot_can_be_limited_to_one_server(env: BotEnvironment, boss: Member) -> None:
    configure(env, roles=Roles(admin=[env.on_call.id]))
    other = env.fake.add_guild("Elsewhere")
    other.add_channel("lobby")
    foreigner = other.add_member("Foreigner", other.add_role("Chief", "manage_guild"))
    admin = env.guild.add_member("Admin", env.on_call, *boss.roles)
    async with env.bot_running():
        await env.fake.until(lambda: bool(env.guild.commands and other.commands))
        for member in (boss, foreigner):
            refused = await env.fake.slash(member, "setup")
            await env.fake.until(lambda refused=refused: bool(refused.content))  # type: ignore[misc]
            assert refused.content == (
                "The bot is in 2 servers: Los Santos, Elsewhere. Put guild_id ="
                f" {env.guild.id} (Los Santos) or {other.id} (Elsewhere) into config.toml under"
                " [discord] and restart it, or remove it from the others."
            )
        reply = await open_page(env, admin, "roles")
        assert "The bot is in 2 servers" in render(reply)
        await env.fake.click(admin, reply, "Only this server")
        await env.fake.until(lambda: "The bot is in 2 servers" not in render(reply))
        await env.fake.until(lambda: not other.commands)
        assert "1 of 5" in render(await open_page(env, boss, "roles"))
    assert env.guild.commands


async def test_events_after_a_choice_follow_it(env: BotEnvironment, boss: Member) -> None:
    """Even while the commands of another server are removed slowly."""
    configure(env, roles=Roles(admin=[env.on_call.id]))
    admin = env.guild.add_member("Admin", env.on_call, *boss.roles)
    other = env.fake.add_guild("Elsewhere")
    async with env.bot_running():
        await env.fake.until(lambda: bool(env.guild.commands and other.commands))
        first = await open_page(env, admin, "roles")
        reply = await open_page(env, admin, "channels")
        await env.fake.choose(admin, reply, "Choose existing ones", ["emergency"])
        await shown(env, reply, "Which channel")
        env.fake.fault("PUT", rf"/guilds/{other.id}/commands", delay=2.0)
        await env.fake.click(admin, first, "Only this server")
        await env.fake.choose(admin, reply, "Which channel?", [env.channel("log")])
        await shown(env, reply, "Chosen here")
        await in_use(env, env.channel("log"))


async def test_choice_applies_once_storage_can_be_read(
    env: BotEnvironment, boss: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [StorageUnavailable("disk I/O error")] * 2

    async def unreliable(sql: Reader) -> Layout:
        if faults:
            raise faults.pop()
        return await choices(sql)

    async with env.bot_running():
        await started(env)
        reply = await open_page(env, boss, "channels")
        await env.fake.choose(boss, reply, "Choose existing ones", ["emergency"])
        await shown(env, reply, "Which channel")
        monkeypatch.setattr("bot.discord_pipeline.STORAGE_RETRY", 0.0)
        monkeypatch.setattr("bot.discord_pipeline.choices", unreliable)
        await env.fake.choose(boss, reply, "Which channel?", [env.channel("log")])
        await shown(env, reply, "Chosen here")
        assert faults == []
        await in_use(env, env.channel("log"))


async def test_events_are_posted_once_while_channels_change(
    env: BotEnvironment, boss: Member
) -> None:
    configure(env, channels=Channels(emergency=env.channel("panic").id))
    count = 60
    async with env.bot_running():
        await started(env)
        reply = await open_page(env, boss, "channels")
        await env.fake.choose(boss, reply, "Choose existing ones", ["emergency"])
        await shown(env, reply, "Which channel")
        channels = [env.channel("log"), env.channel("units"), env.channel("panic")]
        env.fake.fault("POST", r"/channels/\d+/messages", delay=0.01, times=None)
        for number in range(count):
            assert await env.push("EVENT_911", call_911(number)) == 200
            if number % 10 == 5:
                await env.fake.choose(boss, reply, "Which channel?", [channels[number // 10 % 3]])

        def cards() -> list[str]:
            shown = [message for channel in channels for message in channel.created]
            return [str(message.embeds[0]["title"]) for message in shown]

        await env.fake.until(lambda: len(set(cards())) >= count, timeout=30)
    assert len(cards()) == count
    assert len({channel.name for channel in channels if channel.created}) > 1
