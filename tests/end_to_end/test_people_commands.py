"""`/access`, `/visitors`, `/crimes`, `/drone history`, `/status`, `/help`."""

import asyncio
from datetime import UTC, datetime

import pytest

from tests.end_to_end.answers import answer_to, steady
from tests.end_to_end.environment import BotEnvironment
from tests.soak.ledger import caught_up


async def test_access_is_allowed_and_denied(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        await env.add_property("Villa")
        await env.query("add-user", userId="license:1", fullName="Wren")
        wren: dict[str, str | int] = {"property": "1", "user": "Wren"}
        for command in ("access allow", "access deny"):
            assert "dispatcher role" in await answer_to(env, env.vic, command, **wren)
        allowed = await answer_to(env, env.dora, "access allow", **wren)
        assert allowed == "Wren can now enter **Villa**."
        await env.query("add-auth-entry", propertyId=1, userId="license:1")
        await env.query("add-auth-entry", propertyId=1, userId="license:2")
        shown = await env.fake.slash(env.vic, "property show", property="1")
        await env.fake.until(lambda: shown.answered)
        listed = await env.fake.click(env.vic, shown, "Access list")
        await env.fake.until(lambda: listed.answered)
        assert steady(env, listed).endswith(LIST)
        assert await answer_to(env, env.vic, "access log", property="1") == LOG
        denied = await answer_to(env, env.dora, "access deny", **wren)
        assert denied == "Wren can no longer enter **Villa**."
        twice = await answer_to(env, env.dora, "access deny", **wren)
        assert twice == "User “Wren” is not on the list of property Villa (#1)."


async def test_visits_are_shown_by_camera_and_by_day(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        await env.add_property("Villa")
        for name in ("Gate", "Yard"):
            await answer_to(
                env, env.dora, "equipment add", property="1", type="Camera", description=name
            )
        assert "No visitors." in await answer_to(env, env.vic, "visitors", property="1")
        for camera, user in ((1, "u1"), (1, "u2"), (2, "u1")):
            await env.query("add-visitor", propertyId=1, userId=user, cameraId=camera)
        assert await answer_to(env, env.vic, "visitors", property="1") == WEEK
        yard = await answer_to(env, env.vic, "visitors", property="1", camera="Yard")
        assert "Yard (2) · 1" in yard
        assert "Gate" not in yard
        assert await answer_to(env, env.vic, "visitors", property="1", **LAST_WEEK) == DAYS
        both = await answer_to(env, env.vic, "visitors", property="1", camera="Yard", **LAST_WEEK)
        assert both.startswith("For a camera, leave out the days")
        span = {"from": "2026-02-30", "to": "2026-03-01"}
        assert "First day: must be a day" in await answer_to(
            env, env.vic, "visitors", property="1", **span
        )
        refused = await answer_to(env, env.stranger, "visitors", property="1")
        assert refused == "This needs the viewer role: @Viewer, or to be the owner of the property."


async def test_crimes_are_counted_everywhere_at_a_property_and_around_it(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        await env.add_property("Villa")
        await env.add_property("Shed")
        await env.query("add-crime", propertyId=2)
        await env.query("add-crime")
        assert await answer_to(env, env.vic, "crimes") == CRIMES
        at = await answer_to(env, env.vic, "crimes", property="villa", days=1)
        assert "# Crimes at Villa\n│ **0 crimes**\n│ DAY · 0\n│ (image" in at
        around = await answer_to(env, env.vic, "crimes", property="villa", radius=50)
        assert "# Crimes within 50 m of Villa\n│ **1 crime**" in around
        assert "viewer role" in await answer_to(env, env.stranger, "crimes")


async def test_flights_show_who_sent_the_drone_and_why(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        await env.add_property("Villa", drones=2)
        sent = await answer_to(
            env, env.dora, "drone dispatch", property="1", drone="2", reason="A *look*"
        )
        assert sent == "Drone 2 (Drone 2) took off from **Villa**."
        assert (
            await answer_to(env, env.dora, "drone dispatch", property="1", drone="Drone 2")
            == "Drone 2 (Drone 2) is already out."
        )
        await caught_up(env)
        assert await answer_to(env, env.vic, "drone list") == OUT
        line = "<f> · 2 · Villa · @Dora · out · A \\*look\\*"
        for options in ({}, {"property": "1"}, {"drone": "2"}, {"property": "1", "drone": "2"}):
            assert line in await answer_to(env, env.vic, "drone history", **options)
        nothing = await answer_to(env, env.vic, "drone history", drone="1")
        assert "### Flights of drone 1\n│ No flights yet." in nothing
        assert "viewer role" in await answer_to(env, env.stranger, "drone history")
        boss = env.guild.add_member("Boss", env.guild.add_role("Boss", "manage_guild"))
        told = "@Dora sent out Drone 2 (Drone 2) of **Villa** (#1). “A \\*look\\*”"
        assert told in await answer_to(env, boss, "audit")


async def test_an_owner_without_a_role_lists_what_is_theirs(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        owner = env.stranger
        for command in ("drone list", "alert list"):
            assert "viewer role" in await answer_to(env, owner, command)
        for who, where in (("license:other", "Villa"), (f"discord:{owner.id}", "Shed")):
            home = await env.query(
                "add-property", location=where, tier=1, x=0, y=0, description="", clientId=who
            )
            there = {"propertyId": home["id"]}
            await env.query("add-equipment", **there, equipmentType=3, description=where)
            await env.query("dispatch-drone", **there)
            await env.query("add-alert", **there, userId="license:other")
        for command in ("drone list", "alert list"):
            shown = await answer_to(env, owner, command)
            assert "Shed" in shown
            assert "Villa" not in shown
            assert "Villa" in await answer_to(env, env.vic, command)


async def test_the_second_of_two_recalls_says_who_was_first(
    env: BotEnvironment,
) -> None:
    dan = env.guild.add_member("Dan", env.dispatchers)
    async with env.bot_running():
        await env.wait_for_commands()
        property_id = await env.add_property("Villa", drones=1)
        await env.query("dispatch-drone", propertyId=property_id)
        card = await env.channel("drones").next_message()
        pressed = await asyncio.gather(
            *(env.fake.click(person, card, "Recall") for person in (env.dora, dan))
        )
        answers = sorted(steady(env, reply).rpartition("\n")[2] for reply in pressed)
        assert answers[1] in [
            f"Drone 1 (Drone 1) was already recalled by @{name}." for name in ("Dora", "Dan")
        ]
        assert answers[0] == "Drone 1 (Drone 1) recalled."


async def test_status_shows_that_everything_works(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        refused = await answer_to(env, env.vic, "status")
        assert refused == "This needs the dispatcher role: @Dispatcher."
        shown = (await answer_to(env, env.dora, "status")).split("\n")
        assert shown[:3] == ["┌ #388e3c", "│ # Everything works", "│ ~ Discord: Connected"]
        assert "│ - Channels: All 14 channels work." in shown
        assert "│ - Waiting: Nothing." in shown
        assert "│ ~ Last push: cad · none since the start" in shown
        assert await env.push("EVENT_REMOVE_911", {"data": {"callId": 1}} | {"callId": 1}) == 200
        assert "│ ~ Last push: cad · <T> (<R>)" in await answer_to(env, env.dora, "status")


async def test_status_shows_closed_channels_and_their_backlog(
    env: BotEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    env.channel("drones").deny("send_messages embed_links")
    for name in ("visits", "crimes"):
        env.channel(name).deny("attach_files")
    async with env.bot_running():
        await env.wait_for_commands()
        await env.add_property("Villa", drones=1)
        await env.query("dispatch-drone", propertyId=1)
        await env.fake.until(lambda: "(drones), its messages wait" in caplog.text)
        shown = await answer_to(env, env.dora, "status")
        assert "# Something needs attention" in shown
        assert "#drones · The channel drones: the bot lacks Send Messages, Embed Links" in shown
        assert "The channels visits, crimes: the bot lacks Attach Files." in shown
        assert "3 channels do not work." in shown
        assert "#drones · 1 card, since <T> (<R>)" in shown


async def test_help_lists_the_commands_that_each_role_allows(env: BotEnvironment) -> None:
    olga = env.guild.add_member("Olga", env.guild.add_role("Owner", "manage_guild"))
    async with env.bot_running():
        await env.wait_for_commands()
        while "</help>" not in await answer_to(env, olga, "help"):
            pass  # their numbers are still being stored
    async with env.bot_running():  # the commands' numbers were kept
        await env.fake.wait_connected()
        everything = await answer_to(env, olga, "help")
        for command in env.fake.offered_commands(olga):
            assert f"</{command.removeprefix('/')}>" in everything
        assert "- Now: Nothing waits for you." in everything
        viewer = await answer_to(env, env.vic, "help")
        assert "You have the viewer role here." in viewer
        assert "</drone list>" in viewer
        assert "</drone dispatch>" not in viewer
        approver = await answer_to(env, env.anna, "help")
        assert "</removal approve>" in approver
        assert "</property remove>" not in approver
        stranger = await answer_to(env, env.stranger, "help")
        assert "with your own properties" in stranger
        assert "</drone dispatch>" in stranger
        assert "</cad units>" not in stranger


async def test_help_begins_with_what_waits(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        for place in ("Villa", "Shed"):
            await env.add_property(place, drones=1)
        await env.query("add-alert", propertyId=1, userId="license:1")
        await env.query("dispatch-drone", propertyId=2)
        await env.query("request-remove-property", propertyId=2)
        for member, waits in {
            env.dora: ["1 alarm waits", "1 drone is out"],
            env.anna: ["1 alarm waits", "1 drone is out", "1 property waits", "1 removal waits"],
            env.stranger: ["Nothing waits for you."],
        }.items():
            now = (await answer_to(env, member, "help")).split("- Now: ")[1].split("\n│ - ")[0]
            assert len(now.split("\n")) == len(waits)
            assert all(text in now for text in waits), now
        await env.query("link-user", memberId=str(env.stranger.id), userId="owner")
        own = await answer_to(env, env.stranger, "help")
        assert "1 alarm waits" in own
        assert "1 drone is out" in own


LAST_WEEK = {"to": datetime.now(UTC).date().isoformat()}
LIST = """\
┌ #1976d2
│ ### Access list · Villa
│ owner, the owner
│ Wren (license:1)
└"""
LOG = """\
┌ #1976d2
│ ### At the door · Villa
│ <f> · license:2 · **not let in**
│ <f> · Wren · let in
└"""
WEEK = """\
┌ #1976d2
│ # Visitors of the last week · Villa
│ 2 visitors.
│ - Visitors, most recent first: u1, u2
│ ~ Gate (1) · 2: DAY · 2
│ ~ Yard (2) · 1: DAY · 1
│ (image attachment://visits.png)
└
(file visits.png: Visits · Villa, DAY – DAY · 3 in all: DAY 3. Gate 2, Yard 1.)"""
DAYS = """\
┌ #1976d2
│ # Visits by day · Villa
│ 3 visits from DAY to DAY
│ DAY · 3
│ (image attachment://visits.png)
└
(file visits.png: Visits · Villa, DAY – DAY · 3 in all: DAY 3.)"""
CRIMES = """\
┌ #1976d2
│ # Crimes everywhere
│ **2 crimes**
│ DAY · 2
│ DAY · 0
│ DAY · 0
│ (image attachment://crimes.png)
└
(file crimes.png: Crimes · everywhere, DAY – DAY · 2 in all: DAY 2.)"""
OUT = """\
┌ #1976d2
│ ### Drones out
│ [2 · Drone 2](link) · Villa · <T> (<R>)  [Open] secondary
└"""
