"""`/property`, `/equipment`, `/removal`: what people do with properties, and who may."""

import asyncio

import pytest

from db.properties import Property
from tests.end_to_end.answers import answer_to, offered, steady
from tests.end_to_end.environment import BotEnvironment, call_911
from tests.fake_discord import Member, render
from tests.soak.ledger import caught_up
from webhook.protocol.context import Context
from webhook.protocol.wire import Success
from webhook.queries.properties.edits import PropertyEdit, edit_property


async def _ready(env: BotEnvironment) -> Member:
    """Wait for the commands; return somebody who may do everything."""
    await env.wait_for_commands()
    await env.query("add-user", userId="license:1", fullName="Wren Halloway")
    return env.guild.add_member("Olga", env.guild.add_role("Owner", "manage_guild"))


async def _villa(env: BotEnvironment) -> None:
    """Add property 1 with a drone that is out, a camera, people, an alarm and a call."""
    await answer_to(
        env,
        env.dora,
        "property add",
        location="Vinewood villa",
        tier="Premium",
        x=120,
        y=-40,
        owner="Wren Halloway",
        width=30,
        height=20,
        description="With a *pool*.",
    )
    await answer_to(env, env.dora, "equipment add", property="1", type="Drone", description="Roof")
    await answer_to(env, env.dora, "equipment add", property="1", type="3", description="Shed")
    await answer_to(env, env.dora, "equipment add", property="1", type="Camera")
    await answer_to(env, env.dora, "drone dispatch", property="1", drone="Roof", reason="Alarm")
    await answer_to(env, env.dora, "access allow", property="1", user="license:guest")
    await env.query("add-alert", propertyId=1, userId="license:guest")
    await env.query("add-visitor", propertyId=1, userId="license:1", cameraId=3)
    await env.push("EVENT_911", call_911(4410, location="Vinewood villa"))
    await env.channel("emergency").next_message()


async def test_a_property_is_shown_with_the_buttons_of_each_role(env: BotEnvironment) -> None:
    async with env.bot_running():
        await _ready(env)
        await _villa(env)
        await answer_to(env, env.dora, "removal request", property="1", reason="Moving")
        picture, _, _ = SHOWN.partition("\n[")
        shown = await answer_to(env, env.vic, "property show", property="villa")
        assert shown == f"{picture}\n[Map] secondary [Equipment] secondary [Access list] secondary"
        assert await answer_to(env, env.anna, "property show", property="1") == SHOWN
        own = await answer_to(env, env.dora, "property show", property="1")
        assert own.rpartition("└\n")[2].replace("\n", " ") == (
            "[Dispatch drone] primary [Recall drone 1] secondary [Edit] secondary"
            " [Name and owner] secondary [Withdraw removal] secondary [Map] secondary"
            " [Equipment] secondary [Access list] secondary"
        )
        refused = await answer_to(env, env.stranger, "property show", property="1")
        assert refused == f"This needs the viewer role: @Viewer, {OR_OWN_OR_ALLOWED}"


async def test_a_new_property_is_listed_searched_and_pending(env: BotEnvironment) -> None:
    async with env.bot_running():
        await _ready(env)
        given: dict[str, str | int] = {"location": "Pier 400", "tier": "Basic", "x": 1, "y": 2}
        asked = given | {"owner": "license:new"}
        refused = await answer_to(env, env.vic, "property add", **asked)
        assert refused == "This needs the dispatcher role: @Dispatcher."
        assert (
            await answer_to(env, env.dora, "property add", **asked)
            == "**Pier 400** (#1) added. It is waiting for approval."
        )
        unknown = await answer_to(env, env.dora, "property add", **given, owner="Nobody")
        assert unknown.startswith("No user matches “Nobody”; choose one from the list")
        assert "tier Gold" in await answer_to(
            env, env.dora, "property add", **asked | {"tier": "Gold"}
        )
        await caught_up(env)
        line = "1 · [Pier 400](link) · waiting for approval  [Open]"
        for options in ({}, {"status": "pending"}, {"text": "IER 4"}):
            assert line in await answer_to(env, env.vic, "property list", **options)
        assert "No properties match." in await answer_to(env, env.vic, "property list", text="x%")


async def test_a_house_of_a_script_is_shown_with_its_id_sale_and_refused_visitors(
    env: BotEnvironment,
) -> None:
    house = {"external": {"source": "ps-housing", "id": 17}}
    async with env.bot_running():
        await _ready(env)
        await env.query("put-property", **house, location="Grove", x=1, y=2, owner="license:1")
        shown = await answer_to(env, env.vic, "property show", property="1")
        assert "│ ~ In the game: 17 · ps-housing" in shown
        await env.query("change-property-owner", **house, owner="license:2")
        sold = await env.channel("properties").next_message()
        assert "# New owner · Grove #1" in render(sold)
        assert "Wren Halloway → license:2" in render(sold)
        denied = {"userId": "license:1", "allowed": False, "method": "lockpick"}
        await env.query("add-auth-entry", **house, **denied)
        refused = render(await env.channel("access").next_message())
        assert refused.splitlines()[:4] == [
            "┌ #d32f2f",
            "│ # Access refused · Grove #1",
            "│ Wren Halloway was not let in.",
            "│ With: lockpick",
        ]
        log = await answer_to(env, env.vic, "access log", property="1")
        assert "Wren Halloway · **not let in** · lockpick" in log


async def test_an_edit_does_not_withdraw_a_concurrent_removal_request(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def edit_after_a_request(context: Context, ask: PropertyEdit) -> Success:
        await env.query("request-remove-property", propertyId=ask.property_id)
        return await edit_property(context, ask)

    async with env.bot_running():
        await _ready(env)
        await env.add_property("Villa")
        await env.query("approve-property", propertyId=1)
        monkeypatch.setattr("cogs.commands.properties.property.edit_property", edit_after_a_request)
        answer = await answer_to(env, env.dora, "property edit", property="1", status="leased")
        assert "(#1) is no longer “active” but “removal requested”" in answer
        requested = await env.query("get-requested-remove-properties")
        assert [row["id"] for row in requested["properties"]] == [1]


async def test_several_fields_are_edited_at_once(env: BotEnvironment) -> None:
    async with env.bot_running():
        await _ready(env)
        await env.add_property("Villa")
        changes: dict[str, str | int] = {"property": "1", "width": 30, "x": -5, "tier": "Optimum"}
        assert "dispatcher role" in await answer_to(env, env.vic, "property edit", **changes)
        done = await answer_to(env, env.dora, "property edit", **changes)
        assert done == "**Villa**: 30 × 0 m at -5, 0, tier Optimum, waiting for approval."
        deciding = changes | {"status": "active", "width": 50}
        refused = await answer_to(env, env.dora, "property edit", **deciding)
        assert refused == "This needs the approver role: @Approver."
        assert (await env.query("get-property", propertyId=1))["width"] == 30
        done = await answer_to(env, env.anna, "property edit", **deciding)
        assert done == "**Villa**: 50 × 0 m at -5, 0, tier Optimum, active."
        done = await answer_to(env, env.dora, "property edit", property="1", status="leased")
        assert done.endswith("leased.")
        sold: dict[str, str | int] = {"location": "Villa 9", "owner": "license:new"}
        done = await answer_to(env, env.dora, "property edit", property="1", **sold)
        assert done.startswith("**Villa 9**:")
        assert done.endswith("The owner is license:new.")
        wrong = await answer_to(env, env.dora, "property edit", property="1", status="removed")
        assert "Use /removal request to have a property removed." in wrong


async def test_the_edit_form_changes_only_edited_fields(env: BotEnvironment) -> None:
    async with env.bot_running():
        await _ready(env)
        await env.add_property("Villa")
        await env.query("change-property-status", propertyId=1, status="ACTIVE")
        picture = await env.fake.slash(env.dora, "property show", property="1")
        await env.fake.until(lambda: bool(picture.components))
        form = await env.fake.click(env.dora, picture, "Edit")
        assert render(form) == FORM
        await env.query("change-property-size", propertyId=1, width=7, height=8)
        changed = {"Coordinates: x, y": "-860; 700", "Tier": "premium"}
        sent = await env.fake.submit(env.dora, form, changed)
        assert steady(env, sent).endswith("**Villa**: 7 × 8 m at -860, 700, tier Premium, active.")
        again = await env.fake.click(env.dora, picture, "Edit")
        sent = await env.fake.submit(env.dora, again, {"Width x height, in metres": "large"})
        assert "Size: two whole numbers" in steady(env, sent)
        again = await env.fake.click(env.dora, picture, "Edit")
        sent = await env.fake.submit(env.dora, again, {"Status": "x" * 33})
        assert "Status: must have at most 32 characters." in steady(env, sent)


async def test_removal_asks_for_confirmation(env: BotEnvironment) -> None:
    async with env.bot_running():
        olga = await _ready(env)
        rita = env.guild.add_member("Rita", env.guild.add_role("Boss", "manage_guild"))
        await env.add_property("Villa")
        refused = await answer_to(env, env.anna, "property remove", property="1")
        assert refused == "This needs the admin role."
        questions = [
            await env.fake.slash(person, "property remove", property="1") for person in (olga, rita)
        ]
        assert steady(env, questions[0]) == QUESTION
        pressed = await asyncio.gather(
            *(
                env.fake.click(person, question, "Remove")
                for person, question in zip((olga, rita), questions, strict=True)
            )
        )
        answers = sorted(steady(env, reply).rpartition("\n")[2] for reply in pressed)
        assert "**Villa** (#1) removed." in answers
        assert sum("has already removed **Villa** (#1)" in text for text in answers) == 1


async def test_the_second_of_two_decisions_says_who_was_first(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await _ready(env)
        carl = env.guild.add_member("Carl", env.approvers)
        await env.add_property("Villa")
        pictures = [
            await env.fake.slash(person, "property show", property="1")
            for person in (env.anna, carl)
        ]
        form = await env.fake.click(carl, pictures[1], "Reject")
        pressed = await asyncio.gather(
            env.fake.click(env.anna, pictures[0], "Approve"),
            env.fake.submit(carl, form, {"Reason": "Ugly"}),
        )
        await env.fake.until(lambda: all(reply.content for reply in pressed))
        answers = [steady(env, reply) for reply in pressed]
        assert sum("is no longer waiting: @" in text for text in answers) == 1
        assert sum("(#1) is no longer waiting" in text for text in answers) == 1


async def test_equipment_is_added_and_removed(env: BotEnvironment) -> None:
    async with env.bot_running():
        await _ready(env)
        await env.add_property("Villa")
        add: dict[str, str | int] = {"property": "villa", "type": "Camera", "description": "Gate"}
        assert "dispatcher role" in await answer_to(env, env.vic, "equipment add", **add)
        added = await answer_to(env, env.dora, "equipment add", **add)
        assert added == "Camera 1 (Gate) added to **Villa**."
        assert "1 · Camera · Gate" in await _equipment(env)
        take: dict[str, str | int] = {"property": "1", "equipment": "gate"}
        assert "dispatcher role" in await answer_to(env, env.vic, "equipment remove", **take)
        taken = await answer_to(env, env.dora, "equipment remove", **take)
        assert taken == "Camera 1 (Gate) removed from **Villa**."
        gone = await answer_to(env, env.dora, "equipment remove", **take)
        assert gone == "Property Villa (#1) has no equipment gate."
        assert "No equipment." in await _equipment(env)


async def _equipment(env: BotEnvironment) -> str:
    shown = await env.fake.slash(env.vic, "property show", property="1")
    await env.fake.until(lambda: shown.answered)
    listed = await env.fake.click(env.vic, shown, "Equipment")
    await env.fake.until(lambda: listed.answered)
    return render(listed)


async def test_a_removal_is_requested_and_withdrawn_by_commands_and_buttons(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await _ready(env)
        await env.add_property("Villa")
        await env.channel("approvals").next_message()
        ask: dict[str, str | int] = {"property": "1", "reason": "Moving"}
        assert "dispatcher role" in await answer_to(env, env.vic, "removal request", **ask)
        asked = await answer_to(env, env.dora, "removal request", **ask)
        assert asked == "Removal of **Villa** (#1) requested. An approver will decide."
        twice = await answer_to(env, env.anna, "removal request", **ask)
        assert twice == "@Dora has already requested the removal of **Villa** (#1)."
        card = await env.channel("approvals").next_message()
        assert f"Requested by: <@{env.dora.id}>" in render(card)
        dan = env.guild.add_member("Dan", env.dispatchers)
        refused = await answer_to(env, dan, "removal withdraw", property="1")
        assert refused.startswith("Only the requester")
        pressed = await env.fake.click(env.vic, card, "Withdraw")
        assert "dispatcher role" in steady(env, pressed)
        pressed = await env.fake.click(env.dora, card, "Withdraw")
        assert "Request to remove **Villa** (#1) withdrawn." in steady(env, pressed)
        await env.fake.until(lambda: "Removal withdrawn" in render(card))
        nothing = await answer_to(env, env.dora, "removal withdraw", property="1")
        assert nothing == "Nobody has requested the removal of property Villa (#1)."
        picture = await env.fake.slash(env.dora, "property show", property="1")
        form = await env.fake.click(env.dora, picture, "Request removal")
        assert "Approvers will read this" in render(form)
        sent = await env.fake.submit(env.dora, form, {"Reason": "Sold"})
        assert "requested." in steady(env, sent)
        done = await answer_to(env, env.dora, "removal withdraw", property="villa")
        assert done == "Request to remove **Villa** (#1) withdrawn."


async def test_options_offer_choices_by_name(env: BotEnvironment) -> None:
    async with env.bot_running():
        await _ready(env)
        await _villa(env)
        await answer_to(env, env.dora, "removal request", property="1")
        villa = {"property": "1"}
        assert await offered(env, "property show", "property", "vi") == ["Vinewood villa (1)"]
        assert await offered(env, "property add", "tier", "pre") == ["Premium · 99.99"]
        assert await offered(env, "property add", "owner", "hall") == ["Wren Halloway (license:1)"]
        assert await offered(env, "property edit", "status", "act") == ["active"]
        assert await offered(env, "equipment add", "type", "read") == ["Badge reader"]
        pieces = ["1 · Drone · Roof", "2 · Drone · Shed", "3 · Camera ·"]
        assert await offered(env, "equipment remove", "equipment", **villa) == pieces
        assert await offered(env, "drone dispatch", "drone", **villa) == ["2 · Shed"]
        assert await offered(env, "drone recall", "drone", "ro") == ["1 · Roof"]
        assert await offered(env, "drone history", "drone", "s") == ["2 · Drone · Shed"]
        assert await offered(env, "drone history", "drone", "", **villa) == pieces[:2]
        assert await offered(env, "visitors", "camera", "", **villa) == pieces[2:]
        assert await offered(env, "access allow", "user", "license:g") == ["license:guest"]
        assert await offered(env, "access deny", "user", "", **villa) == ["license:guest"]
        assert await offered(env, "removal withdraw", "property") == ["Vinewood villa (1)"]
        assert await offered(env, "drone dispatch", "drone") == []


SHOWN = """\
┌ #1976d2
│ # Vinewood villa #1
│ With a \\*pool\\*.
│ ~ Owner: Wren Halloway (license:1)
│ ~ Tier: Premium · 99\\.99
│ ~ Status: removal requested, set by @Dora
│ ~ Size: 30 × 20 m
│ ~ Coordinates: 120, -40
│ ~ Added: <R>
│ - Equipment: 1 · Drone · Roof · out since <R>
│ 2 · Drone · Shed · free
│ 3 · Camera
│ - Access list: license:guest
│ ~ Last alarms: <R> · license:guest
│ ~ Last visits: <R> · Wren Halloway
│ - Removal requested: <R> · @Dora
│ Moving
│ - Open calls: [911 4410](link) · Smoke from the laundromat roof. Call 4410.
└
[Dispatch drone] primary [Recall drone 1] secondary [Edit] secondary \
[Name and owner] secondary [Approve removal] danger
[Deny removal] secondary [Withdraw removal] secondary [Map] secondary [Equipment] secondary \
[Access list] secondary"""
OR_OWN_OR_ALLOWED = "or to be the owner or on the access list of the property."
FORM = """\
╔ Edit Villa
║ Width x height, in metres: 0 x 0
║ Coordinates: x, y: 0, 0
║ Tier: Basic
║ Status: active
╚"""
QUESTION = """\
(only you can see this)
┌ #d32f2f
│ # Remove Villa?
│ This removes property #1, owned by owner, with its equipment, and recalls its drones. \
For 72 hours it can be restored, with /removal restore.
└
[Remove] danger [Cancel] secondary"""


async def test_a_form_is_refused_in_time_while_storage_is_slow(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> Property:
        await asyncio.Event().wait()
        raise AssertionError

    async with env.bot_running():
        await _ready(env)
        await env.add_property("Villa")
        shown = await env.fake.slash(env.dora, "property show", property="1")
        await env.fake.until(lambda: shown.answered)
        monkeypatch.setattr("cogs.commands.properties.property.get_stored_property", never)
        monkeypatch.setattr("cogs.ui.responder.MODAL_TIMEOUT", 0.05)
        pressed = await env.fake.click(env.dora, shown, "Edit")
        await env.fake.until(lambda: bool(pressed.content))
        assert pressed.content == "Storage is slow right now, try again in a moment."
        assert pressed.modal is None
