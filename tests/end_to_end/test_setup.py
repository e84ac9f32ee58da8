"""`/setup`: a community that has only invited the bot gets its roles, channels and first push."""

import re
from typing import Any

import pytest
from aiohttp.test_utils import unused_port

from bot.settings import Channels, Roles
from tests.end_to_end.town import Town, call_911
from tests.fake_discord import Channel, InteractionReply, Member, Message, render
from tests.fake_discord.openapi import OpenApi
from tests.fake_discord.permissions import BOT, Permission
from tests.fake_discord.world import GUILD_CATEGORY

FOUNDER = BOT | Permission.MANAGE_CHANNELS | Permission.MANAGE_ROLES


def configure(town: Town, **discord: Any) -> None:
    """Have the configuration file say something else about Discord."""
    settings = town.settings()
    changed = settings.model_copy(update={"discord": settings.discord.model_copy(update=discord)})
    town.settings = lambda: changed  # type: ignore[method-assign]


@pytest.fixture
def boss(town: Town) -> Member:
    """Who manages the server of a community whose file has nothing but the token."""
    configure(town, channels=Channels(), roles=Roles(), panic_role=0)
    town.guild.bot_role.permissions = FOUNDER
    return town.guild.add_member("Boss", town.guild.add_role("Boss", "manage_guild"))


async def started(town: Town) -> None:
    await town.fake.until(lambda: town.fake.connected and bool(town.guild.commands))


async def shown(town: Town, reply: InteractionReply, text: str) -> str:
    await town.fake.until(lambda: text in render(reply))
    assert reply.ephemeral
    return picture(town, reply)


def picture(town: Town, reply: InteractionReply | Message) -> str:
    """What is seen, with the names of channels and roles instead of their ids."""
    text = render(reply)
    for channel in town.guild.channels:
        text = text.replace(f"<#{channel.id}>", f"#{channel.name}")
    for role in town.guild.roles:
        text = text.replace(f"<@&{role.id}>", f"@{role.name}")
    return re.sub(r"<t:\d+:R>", "<time>", text)


def made(town: Town) -> list[Channel]:
    """The channels in the category that /setup makes."""
    return [
        one for one in town.guild.channels if one.category and one.category.name == "CAD Sentinel"
    ]


async def open_page(town: Town, member: Member, name: str) -> InteractionReply:
    """Type /setup and turn to a page."""
    reply = await town.fake.slash(member, "setup")
    await shown(town, reply, "1 of 3")
    if name != "roles":
        reply = await town.fake.click(member, reply, "Next: channels")
        await shown(town, reply, "2 of 3")
    if name == "cad":
        reply = await town.fake.click(member, reply, "Next: the CAD")
        await shown(town, reply, "3 of 3")
    return reply


FIRST_PAGE = """\
(only you can see this)
┌ #1976d2
│ # Set up CAD Sentinel · 1 of 3 · Who may do what
│ Each role includes those before it. Members who can manage this server can do everything.
│
│ **viewer** · can view everything: nobody
│ **dispatcher** · can edit properties and dispatch drones: nobody
│ **approver** · can approve and deny: nobody
│ **admin** · can do everything, including /setup: nobody
│ **panic role** · is mentioned when somebody presses their panic button: nobody
└
<Choose existing ones: viewer | dispatcher | approver | admin | panic role>
[Create what is missing] secondary [Refresh] secondary [Next: channels] primary"""

CREATED_ROLES = """\
(only you can see this)
┌ #1976d2
│ # Set up CAD Sentinel · 1 of 3 · Who may do what
│ Each role includes those before it. Members who can manage this server can do everything.
│
│ **viewer** · can view everything: @CAD Sentinel viewer
│ **dispatcher** · can edit properties and dispatch drones: @CAD Sentinel dispatcher
│ **approver** · can approve and deny: @CAD Sentinel approver
│ **admin** · can do everything, including /setup: @CAD Sentinel admin
│ **panic role** · is mentioned when somebody presses their panic button: nobody
└
<Choose existing ones: viewer | dispatcher | approver | admin | panic role>
[Create what is missing] secondary (disabled) [Refresh] secondary [Reset to the file] secondary\
 [Next: channels] primary"""

CREATED_CHANNELS = """\
(only you can see this)
┌ #1976d2
│ # Set up CAD Sentinel · 2 of 3 · What is posted where
│ Only the roles of the first page can see the category “CAD Sentinel”: choose them before you\
 create channels.
│
│ **emergency** · 911 and 311 calls: #emergency
│ **dispatch** · dispatch calls, tones, pages, station alerts: #dispatch
│ **panic** · panic buttons: #panic
│ **units** · units on duty, open calls: #units
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
<Choose existing ones: emergency | dispatch | panic | units | records | alerts | visits |\
 crimes | access | properties | drones | approvals | log>
[Create what is missing] secondary (disabled) [Refresh] secondary [Reset to the file] secondary\
 [Back] secondary [Next: the CAD] primary"""

CAD_PAGE = """\
(only you can see this)
┌ #1976d2
│ # Set up CAD Sentinel · 3 of 3 · What the CAD sends
│ Do one of these, then do something in the CAD: go on duty, or make a 911 call.
│ - You run the Sonoran resource on FiveM: In `sonorancad/config.json` (`true` without quotes),\
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
[Back] secondary [Refresh] secondary"""


async def test_an_evening_from_the_invitation_to_the_first_push(town: Town, boss: Member) -> None:
    async with town.bot_running():
        await started(town)
        reply = await town.fake.slash(boss, "setup")
        assert await shown(town, reply, "1 of 3") == FIRST_PAGE
        await town.fake.click(boss, reply, "Create what is missing")
        assert await shown(town, reply, "Reset to the file") == CREATED_ROLES
        await town.fake.click(boss, reply, "Next: channels")
        await shown(town, reply, "not posted")
        await town.fake.click(boss, reply, "Create what is missing")
        assert await shown(town, reply, "Reset to the file") == CREATED_CHANNELS
        assert [one.name for one in made(town)] == list(Channels.model_fields)
        last = await town.fake.click(boss, reply, "Next: the CAD")
        assert await shown(town, reply, "3 of 3") == CAD_PAGE
        assert await town.push("EVENT_NOBODY_KNOWS", {}) == 400  # a test push with the right key
        await shown(town, reply, "the last push came <t:")
        await town.fake.until(lambda: bool(last.followups))
        assert last.followups[0].content == "The first push of the CAD **cad** has come. It works."
        assert last.followups[0].ephemeral
        assert await town.push("EVENT_911", call_911(1)) == 200
        card = await made(town)[0].next_message()
        assert "911 call 1" in render(card)
    description = OpenApi.load()
    if description is not None:
        assert description.faults(town.fake.requests) == []


async def test_created_channels_are_visible_to_created_roles_only(town: Town, boss: Member) -> None:
    async with town.bot_running():
        await started(town)
        reply = await open_page(town, boss, "roles")
        await town.fake.click(boss, reply, "Create what is missing")
        await shown(town, reply, "Reset to the file")
        reply = await open_page(town, boss, "channels")
        await town.fake.click(boss, reply, "Create what is missing")
        await shown(town, reply, "Reset to the file")
    viewers = next(role for role in town.guild.roles if role.name == "CAD Sentinel viewer")
    assert viewers.permissions == 0
    friend = town.guild.add_member("Friend", viewers)
    for channel in made(town):
        assert Permission.VIEW_CHANNEL in friend.permissions_in(channel)
        assert Permission.VIEW_CHANNEL not in town.stranger.permissions_in(channel)


async def test_nothing_is_created_twice(town: Town, boss: Member) -> None:
    for _ in range(2):
        async with town.bot_running():
            await started(town)
            for page in ("roles", "channels"):
                reply = await open_page(town, boss, page)
                if "(disabled)" not in render(reply):
                    await town.fake.click(boss, reply, "Create what is missing")
                await shown(town, reply, "Create what is missing] secondary (disabled)")
    assert len(town.fake.requests_to("POST", r"/guilds/\d+/roles")) == 4
    assert len(town.fake.requests_to("POST", r"/guilds/\d+/channels")) == 14
    async with town.bot_running():
        await town.push("EVENT_911", call_911(1))
        await made(town)[0].next_message()


async def test_setup_buttons_work_after_a_restart(town: Town, boss: Member) -> None:
    async with town.bot_running():
        await started(town)
        reply = await open_page(town, boss, "roles")
    async with town.bot_running():
        await started(town)
        await town.fake.click(boss, reply, "Create what is missing")
        assert await shown(town, reply, "Reset to the file") == CREATED_ROLES


async def test_only_admins_can_use_setup(town: Town, boss: Member) -> None:
    async with town.bot_running():
        await started(town)
        refused = await town.fake.slash(town.anna, "setup")
        await town.fake.until(lambda: refused.content == "This needs the admin role.")
        reply = await open_page(town, boss, "roles")
        boss.remove_role(boss.roles[0])
        refused = await town.fake.click(boss, reply, "Create what is missing")
        assert refused.content == "This needs the admin role."
        assert refused.ephemeral
    assert town.fake.requests_to("POST", r"/guilds/\d+/roles") == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"status": 403, "body": {"code": 50013, "message": "Missing Permissions"}}, "403"),
        ({"status": 400, "body": {"code": 30013, "message": "Maximum reached"}}, "Maximum reached"),
    ],
)
async def test_what_was_created_before_a_refusal_is_kept(
    town: Town, boss: Member, fault: dict[str, Any], said: str
) -> None:
    async with town.bot_running():
        await started(town)
        reply = await open_page(town, boss, "channels")
        town.fake.fault("POST", r"/guilds/\d+/channels", delay=0.001, times=5)
        town.fake.fault("POST", r"/guilds/\d+/channels", **fault)
        told = await town.fake.click(boss, reply, "Create what is missing")
        await town.fake.until(lambda: bool(told.followups))
        assert told.followups[0].content.startswith("Discord did not create everything: ")
        assert said in told.followups[0].content
        assert len(made(town)) == 4
        await shown(town, reply, "**records** · records, bulletins, warrants: not posted")
        await town.push("EVENT_911", call_911(1))
        await made(town)[0].next_message()  # those that are there are in use already
        await town.fake.click(boss, reply, "Create what is missing")
        await shown(town, reply, "(disabled)")
    names = [one.name for one in made(town)]
    assert sorted(names) == sorted(Channels.model_fields)


async def test_what_discord_created_without_answering_is_used(town: Town, boss: Member) -> None:
    async with town.bot_running():
        await started(town)
        for page, path in (("roles", "roles"), ("channels", "channels")):
            reply = await open_page(town, boss, page)
            town.fake.fault("POST", rf"/guilds/\d+/{path}", delay=0.001, times=2)
            town.fake.fault("POST", rf"/guilds/\d+/{path}", status=503, after=True)
            told = await town.fake.click(boss, reply, "Create what is missing")
            await town.fake.until(lambda told=told: bool(told.followups))  # type: ignore[misc]
            await town.fake.click(boss, reply, "Create what is missing")
            await shown(town, reply, "(disabled)")
    names = [one.name for one in town.guild.roles if one.name.startswith("CAD Sentinel ")]
    assert len(names) == len(set(names)) == 4
    assert [one.name for one in made(town)] == list(Channels.model_fields)
    assert sum(one.type == GUILD_CATEGORY for one in town.guild.channels) == 1


async def test_creation_continues_after_a_kill(town: Town, boss: Member) -> None:
    port = unused_port()
    for is_first in (True, False):
        async with town.bot_process(port) as process:
            await town.fake.wait_connected(timeout=30)
            await started(town)
            reply = await open_page(town, boss, "channels")
            if is_first:
                town.fake.fault("POST", r"/guilds/\d+/channels", delay=0.02, times=None)
            await town.fake.click(boss, reply, "Create what is missing", until_answered=False)
            if is_first:
                await town.fake.until(lambda: len(made(town)) >= 4)
                process.kill()
                await process.wait()
                await town.fake.wait_disconnected()
                town.fake.recover()
            else:
                await shown(town, reply, "(disabled)")
    assert sorted(one.name for one in made(town)) == sorted(Channels.model_fields)
    assert sum(one.type == GUILD_CATEGORY for one in town.guild.channels) == 1


async def test_only_one_admin_creates_at_a_time(town: Town, boss: Member) -> None:
    other = town.guild.add_member("Other", *boss.roles)
    async with town.bot_running():
        await started(town)
        mine = await open_page(town, boss, "roles")
        theirs = await open_page(town, other, "roles")
        town.fake.fault("POST", r"/guilds/\d+/roles", delay=0.3, times=1)
        await town.fake.click(boss, mine, "Create what is missing", until_answered=False)
        await town.fake.until(lambda: bool(town.fake.requests_to("POST", r"/guilds/\d+/roles")))
        told = await town.fake.click(other, theirs, "Create what is missing")
        await town.fake.until(lambda: bool(told.followups))
        assert told.followups[0].content.startswith(f"<@{boss.id}> is creating these right now.")
        await shown(town, mine, "(disabled)")
        await town.fake.click(other, theirs, "Refresh")
        assert await shown(town, theirs, "Reset to the file") == CREATED_ROLES
    assert len(town.fake.requests_to("POST", r"/guilds/\d+/roles")) == 4


PICKED = """\
(only you can see this)
┌ #1976d2
│ # Set up CAD Sentinel · dispatcher
│ Can edit properties and dispatch drones.
│ Chosen here; the file says nothing.
│ **dispatcher** · can edit properties and dispatch drones: @Dispatcher, @On call
└
<Which role, or which roles?: roles>
[Back] secondary [None] secondary [Reset to the file] secondary"""


async def test_picked_roles_and_channels_apply_at_once(town: Town, boss: Member) -> None:
    async with town.bot_running():
        await started(town)
        refused = await town.fake.slash(town.dora, "drone list")
        await town.fake.until(lambda: "This needs the viewer role" in refused.content)
        reply = await open_page(town, boss, "roles")
        await town.fake.choose(boss, reply, "Choose existing ones", ["dispatcher"])
        await shown(town, reply, "Which role")
        picked = [town.dispatchers, town.on_call]
        await town.fake.choose(boss, reply, "Which role, or which roles?", picked)
        assert await shown(town, reply, "Chosen here") == PICKED
        await may_look(town, town.dora)
        reply = await open_page(town, boss, "channels")
        await town.fake.choose(boss, reply, "Choose existing ones", ["emergency"])
        await shown(town, reply, "Which channel")
        await town.fake.choose(boss, reply, "Which channel?", [town.channel("log")])
        await shown(town, reply, "Chosen here")
        await town.fake.until(lambda: picture(town, reply).count("#log") == 1)
        await in_use(town, town.channel("log"))
        options = {"event": "EVENT_911"}
        routed = await town.fake.slash(boss, "route test", options=options)
        await town.fake.until(lambda: "goes to emergency by the channel map" in routed.content)


async def may_look(town: Town, member: Member) -> None:
    """Use a viewer's command until it is allowed."""
    for _ in range(100):
        if "No drones are out" in render(await town.fake.slash(member, "drone list")):
            return
    raise AssertionError(f"{member.name} may not look")


async def in_use(town: Town, channel: Channel, number: int = 900) -> None:
    """Push calls until one is posted in a channel that was just chosen."""
    for attempt in range(100):
        await town.push("EVENT_911", call_911(number + attempt))
        try:
            await channel.next_message(timeout=0.2)
        except TimeoutError:
            continue
        return
    raise AssertionError(f"nothing is posted in #{channel.name}")


async def test_everyone_can_be_a_viewer_only(town: Town, boss: Member) -> None:
    async with town.bot_running():
        await started(town)
        reply = await open_page(town, boss, "roles")
        for name in ("viewer", "admin"):
            await town.fake.choose(boss, reply, "Choose existing ones", [name])
            await shown(town, reply, f"· {name}\n")
            told = await town.fake.choose(
                boss, reply, "Which role, or which roles?", [town.guild.everyone]
            )
            if name == "viewer":
                await shown(town, reply, "Chosen here")
                await town.fake.click(boss, reply, "Back")
                await shown(town, reply, "1 of 3")
        await town.fake.until(lambda: bool(told.followups))
        assert "cannot be chosen here: then everybody could do that" in told.followups[0].content
        await may_look(town, town.stranger)


LACKING = """\
│ - The bot lacks Manage Roles: It cannot create anything. Give its role this permission in\
 Server Settings › Roles and press Refresh, or choose existing ones in the menu.
└
<Choose existing ones: viewer | dispatcher | approver | admin | panic role>
[Create what is missing] secondary (disabled) [Refresh] secondary [Next: channels] primary"""


async def test_missing_permissions_to_create_are_named(town: Town, boss: Member) -> None:
    town.guild.bot_role.permissions = BOT
    async with town.bot_running():
        await started(town)
        reply = await open_page(town, boss, "roles")
        assert picture(town, reply).endswith(LACKING)
        reply = await open_page(town, boss, "channels")
        assert "The bot lacks Manage Channels" in render(reply)
        town.guild.bot_role.grant(FOUNDER)
        await town.fake.click(boss, reply, "Refresh")
        await town.fake.until(lambda: "The bot lacks" not in render(reply))


async def test_problems_of_channels_and_roles_are_shown(town: Town, boss: Member) -> None:
    broken = {name: town.channel(name).id for name in ("emergency", "dispatch")}
    configure(town, channels=Channels(**broken))
    town.channel("emergency").deny("send_messages embed_links")
    town.channel("dispatch").delete()
    async with town.bot_running():
        await started(town)
        seen = picture(town, await open_page(town, boss, "channels"))
    assert "calls: #emergency (**the bot lacks Send Messages, Embed Links, Attach Files**)" in seen
    assert "**it was deleted, or the bot is not in its server**" in seen


async def test_a_role_with_permissions_of_its_own_is_not_used(town: Town, boss: Member) -> None:
    town.guild.add_role("CAD Sentinel admin", "administrator")
    async with town.bot_running():
        await started(town)
        reply = await open_page(town, boss, "roles")
        told = await town.fake.click(boss, reply, "Create what is missing")
        await town.fake.until(lambda: bool(told.followups))
        assert told.followups[0].content.startswith(
            "A role named 'CAD Sentinel admin' with permissions of its own already exists"
        )
    assert sum(role.name.startswith("CAD Sentinel ") for role in town.guild.roles) == 4


async def test_choices_override_the_file_and_are_audited(town: Town, boss: Member) -> None:
    configure(town, channels=Channels(emergency=town.channel("panic").id))
    async with town.bot_running():
        await started(town)
        reply = await open_page(town, boss, "channels")
        await town.fake.choose(boss, reply, "Choose existing ones", ["emergency"])
        await shown(town, reply, "Which channel")
        await town.fake.choose(boss, reply, "Which channel?", [town.channel("log")])
        await shown(town, reply, f"Chosen here; the file says {town.channel('panic').id}.")
        await in_use(town, town.channel("log"))
    assert town.channel("panic").created == []
    async with town.bot_running():
        await started(town)
        await town.push("EVENT_911", call_911(2))
        await town.fake.until(lambda: "911 call 2" in render(town.channel("log").messages[-1]))
        await town.fake.click(boss, reply, "Reset to the file")
        await town.fake.until(lambda: "Chosen here" not in render(reply))
        await in_use(town, town.channel("panic"), 2000)
        audit = await town.fake.slash(boss, "audit")
        await town.fake.until(lambda: bool(audit.embeds))
    told = re.sub(r"<t:\d+:f>", "<time>", render(audit))
    before, after = town.channel("panic").id, town.channel("log").id
    assert f"<@{boss.id}> **setup** setup:channels · emergency: {before} → {after}" in told
    assert f"<@{boss.id}> **setup** setup:channels · emergency: {after} → {before}" in told


async def test_the_bot_can_be_limited_to_one_server(town: Town, boss: Member) -> None:
    configure(town, roles=Roles(admin=[town.on_call.id]))
    other = town.fake.add_guild("Elsewhere")
    other.add_channel("lobby")
    foreigner = other.add_member("Foreigner", other.add_role("Chief", "manage_guild"))
    admin = town.guild.add_member("Admin", town.on_call)
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands and other.commands))
        for member in (boss, foreigner):
            refused = await town.fake.slash(member, "setup")
            await town.fake.until(
                lambda refused=refused: "This needs the admin role" in refused.content  # type: ignore[misc]
            )
        reply = await open_page(town, admin, "roles")
        assert "The bot is in 2 servers" in render(reply)
        await town.fake.click(admin, reply, "Only this server")
        await town.fake.until(lambda: "The bot is in 2 servers" not in render(reply))
        await town.fake.until(lambda: not other.commands)
        assert "1 of 3" in render(await open_page(town, boss, "roles"))
    assert town.guild.commands


async def test_events_are_posted_once_while_channels_change(town: Town, boss: Member) -> None:
    configure(town, channels=Channels(emergency=town.channel("panic").id))
    count = 60
    async with town.bot_running():
        await started(town)
        reply = await open_page(town, boss, "channels")
        await town.fake.choose(boss, reply, "Choose existing ones", ["emergency"])
        await shown(town, reply, "Which channel")
        places = [town.channel("log"), town.channel("units"), town.channel("panic")]
        town.fake.fault("POST", r"/channels/\d+/messages", delay=0.01, times=None)
        for number in range(count):
            assert await town.push("EVENT_911", call_911(number)) == 200
            if number % 10 == 5:
                await town.fake.choose(boss, reply, "Which channel?", [places[number // 10 % 3]])

        def cards() -> list[str]:
            shown = [message for place in places for message in place.created]
            return [str(message.embeds[0]["title"]) for message in shown]

        await town.fake.until(lambda: len(set(cards())) >= count, timeout=30)
    assert len(cards()) == count
    assert len({place.name for place in places if place.created}) > 1
