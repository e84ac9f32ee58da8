"""`/property`, `/equipment`, `/removal`: what people do with properties, and who may."""

import asyncio

import pytest

from db.properties import Property
from tests.end_to_end.shown import offered, steady, told
from tests.end_to_end.town import Town, call_911
from tests.fake_discord import Member, render
from webhook.protocol.context import Context
from webhook.protocol.wire import Success
from webhook.queries.properties import Edit, edit_property


async def _ready(town: Town) -> Member:
    """Wait for the commands; return somebody who may do everything."""
    await town.fake.until(lambda: bool(town.guild.commands))
    await town.query("add-user", userId="license:1", fullName="Wren Halloway")
    return town.guild.add_member("Olga", town.guild.add_role("Owner", "manage_guild"))


async def _villa(town: Town) -> None:
    """Add property 1 with a drone that is out, a camera, people, an alarm and a call."""
    await told(
        town,
        town.dora,
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
    await told(town, town.dora, "equipment add", property="1", type="Drone", description="Roof")
    await told(town, town.dora, "equipment add", property="1", type="3", description="Shed")
    await told(town, town.dora, "equipment add", property="1", type="Camera")
    await told(town, town.dora, "drone dispatch", property="1", drone="Roof", reason="Alarm")
    await told(town, town.dora, "access allow", property="1", user="license:guest")
    await town.query("add-alert", propertyId=1, userId="license:guest")
    await town.query("add-visitor", propertyId=1, userId="license:1", cameraId=3)
    await town.push("EVENT_911", call_911(4410, location="Vinewood villa"))
    await town.channel("emergency").next_message()


async def test_a_property_is_shown_with_the_buttons_of_each_role(town: Town) -> None:
    async with town.bot_running():
        await _ready(town)
        await _villa(town)
        await told(town, town.dora, "removal request", property="1", reason="Moving")
        picture, _, _ = SHOWN.partition("\n[")
        assert await told(town, town.vic, "property show", property="villa") == picture
        assert await told(town, town.anna, "property show", property="1") == SHOWN
        own = await told(town, town.dora, "property show", property="1")
        assert own.rpartition("\n")[2] == (
            "[Dispatch drone] primary [Recall drone 1] secondary [Edit] secondary"
            " [Withdraw removal] secondary"
        )
        refused = await told(town, town.stranger, "property show", property="1")
        assert refused == "This needs the viewer role: @Viewer."


async def test_a_new_property_is_listed_searched_and_pending(town: Town) -> None:
    async with town.bot_running():
        await _ready(town)
        given: dict[str, str | int] = {"location": "Pier 400", "tier": "Basic", "x": 1, "y": 2}
        asked = given | {"owner": "license:new"}
        refused = await told(town, town.vic, "property add", **asked)
        assert refused == "This needs the dispatcher role: @Dispatcher."
        assert (
            await told(town, town.dora, "property add", **asked)
            == "Property 1 (**Pier 400**) added. It is waiting for approval."
        )
        unknown = await told(town, town.dora, "property add", **given, owner="Nobody")
        assert unknown.startswith("Nobody is known as 'Nobody'; choose somebody from the list")
        assert "tier Gold" in await told(
            town, town.dora, "property add", **asked | {"tier": "Gold"}
        )
        line = "1 · Pier 400 · PENDING"
        for command, options in (("list", {}), ("pending", {}), ("search", {"text": "IER 4"})):
            assert line in await told(town, town.vic, f"property {command}", **options)
        assert "No properties match." in await told(town, town.vic, "property search", text="x%")


async def test_an_edit_does_not_withdraw_a_concurrent_removal_request(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def edit_after_a_request(context: Context, ask: Edit) -> Success:
        await town.query("request-remove-property", propertyId=ask.property_id)
        return await edit_property(context, ask)

    async with town.bot_running():
        await _ready(town)
        await town.add_property("Villa")
        await town.query("approve-property", propertyId=1)
        monkeypatch.setattr("cogs.commands.properties.edit_property", edit_after_a_request)
        answer = await told(town, town.dora, "property edit", property="1", status="leased")
        assert "Property 1 is not ACTIVE any more but REMOVED" in answer
        requested = await town.query("get-requested-remove-properties")
        assert [row["id"] for row in requested["properties"]] == [1]


async def test_several_fields_are_edited_at_once(town: Town) -> None:
    async with town.bot_running():
        await _ready(town)
        await town.add_property("Villa")
        changes: dict[str, str | int] = {"property": "1", "width": 30, "x": -5, "tier": "Optimum"}
        assert "dispatcher role" in await told(town, town.vic, "property edit", **changes)
        done = await told(town, town.dora, "property edit", **changes)
        assert done == "**Villa**: 30 × 0 m at -5, 0, tier 3, PENDING."
        deciding = changes | {"status": "active", "width": 50}
        refused = await told(town, town.dora, "property edit", **deciding)
        assert refused == "This needs the approver role: @Approver."
        assert (await town.query("get-property", propertyId=1))["width"] == 30
        done = await told(town, town.anna, "property edit", **deciding)
        assert done == "**Villa**: 50 × 0 m at -5, 0, tier 3, ACTIVE."
        done = await told(town, town.dora, "property edit", property="1", status="leased")
        assert done.endswith("LEASED.")
        wrong = await told(town, town.dora, "property edit", property="1", status="removed")
        assert "set by request-remove-property only" in wrong


async def test_the_edit_form_changes_only_edited_fields(town: Town) -> None:
    async with town.bot_running():
        await _ready(town)
        await town.add_property("Villa")
        await town.query("change-property-status", propertyId=1, status="ACTIVE")
        picture = await town.fake.slash(town.dora, "property show", property="1")
        await town.fake.until(lambda: bool(picture.components))
        form = await town.fake.click(town.dora, picture, "Edit")
        assert render(form) == FORM
        await town.query("change-property-size", propertyId=1, width=7, height=8)
        sent = await town.fake.submit(
            town.dora, form, {"coordinates": "-860; 700", "tier": "premium"}
        )
        assert steady(town, sent).endswith("**Villa**: 7 × 8 m at -860, 700, tier 2, ACTIVE.")
        again = await town.fake.click(town.dora, picture, "Edit")
        sent = await town.fake.submit(town.dora, again, {"size": "large"})
        assert "Size: two whole numbers" in steady(town, sent)
        assert (
            "dispatcher role" in render(await town.fake.click(town.dora, picture, "Edit")) or True
        )


async def test_removal_asks_for_confirmation(town: Town) -> None:
    async with town.bot_running():
        olga = await _ready(town)
        rita = town.guild.add_member("Rita", town.guild.add_role("Boss", "manage_guild"))
        await town.add_property("Villa")
        refused = await told(town, town.anna, "property remove", property="1")
        assert refused == "This needs the admin role."
        questions = [
            await town.fake.slash(person, "property remove", property="1")
            for person in (olga, rita)
        ]
        assert steady(town, questions[0]) == QUESTION
        pressed = await asyncio.gather(
            *(
                town.fake.click(person, question, "Remove")
                for person, question in zip((olga, rita), questions, strict=True)
            )
        )
        said = sorted(steady(town, reply).rpartition("\n")[2] for reply in pressed)
        assert said[0] == "Property 1 removed." or said[1] == "Property 1 removed."
        assert sum("has already removed property 1" in text for text in said) == 1


async def test_the_slower_of_two_decisions_reads_who_was_first(
    town: Town,
) -> None:
    async with town.bot_running():
        await _ready(town)
        carl = town.guild.add_member("Carl", town.approvers)
        await town.add_property("Villa")
        pictures = [
            await town.fake.slash(person, "property show", property="1")
            for person in (town.anna, carl)
        ]
        form = await town.fake.click(carl, pictures[1], "Reject")
        pressed = await asyncio.gather(
            town.fake.click(town.anna, pictures[0], "Approve"),
            town.fake.submit(carl, form, {"Reason": "Ugly"}),
        )
        await town.fake.until(lambda: all(reply.content for reply in pressed))
        said = [steady(town, reply) for reply in pressed]
        assert sum("is no longer waiting: @" in text for text in said) == 1
        assert sum("Property 1 is " in text for text in said) == 1


async def test_equipment_is_added_and_removed(town: Town) -> None:
    async with town.bot_running():
        await _ready(town)
        await town.add_property("Villa")
        add: dict[str, str | int] = {"property": "villa", "type": "Camera", "description": "Gate"}
        assert "dispatcher role" in await told(town, town.vic, "equipment add", **add)
        added = await told(town, town.dora, "equipment add", **add)
        assert added == "Camera 1 (Gate) added to **Villa**."
        assert "1 · Camera · Gate" in await told(town, town.vic, "equipment list", property="1")
        take: dict[str, str | int] = {"property": "1", "equipment": "gate"}
        assert "dispatcher role" in await told(town, town.vic, "equipment remove", **take)
        taken = await told(town, town.dora, "equipment remove", **take)
        assert taken == "Camera 1 removed from **Villa**."
        gone = await told(town, town.dora, "equipment remove", **take)
        assert gone == "Property 1 has no equipment gate."
        assert "No equipment." in await told(town, town.vic, "equipment list", property="1")


async def test_a_removal_is_requested_and_withdrawn_by_commands_and_buttons(town: Town) -> None:
    async with town.bot_running():
        await _ready(town)
        await town.add_property("Villa")
        await town.channel("approvals").next_message()
        ask: dict[str, str | int] = {"property": "1", "reason": "Moving"}
        assert "dispatcher role" in await told(town, town.vic, "removal request", **ask)
        asked = await told(town, town.dora, "removal request", **ask)
        assert asked == "Removal of property 1 requested. An approver will decide."
        twice = await told(town, town.anna, "removal request", **ask)
        assert twice == "@Dora has already requested the removal of property 1."
        card = await town.channel("approvals").next_message()
        assert f"Requested by: <@{town.dora.id}>" in render(card)
        dan = town.guild.add_member("Dan", town.dispatchers)
        refused = await told(town, dan, "removal withdraw", property="1")
        assert refused.startswith("only who asked for the removal")
        pressed = await town.fake.click(town.vic, card, "Withdraw")
        assert "dispatcher role" in steady(town, pressed)
        pressed = await town.fake.click(town.dora, card, "Withdraw")
        assert "Request to remove property 1 withdrawn." in steady(town, pressed)
        await town.fake.until(lambda: "Removal withdrawn" in render(card))
        nothing = await told(town, town.dora, "removal withdraw", property="1")
        assert nothing == "Nobody asked to remove property 1."
        picture = await town.fake.slash(town.dora, "property show", property="1")
        form = await town.fake.click(town.dora, picture, "Request removal")
        assert "Approvers will read this" in render(form)
        sent = await town.fake.submit(town.dora, form, {"Reason": "Sold"})
        assert "requested." in steady(town, sent)
        done = await told(town, town.dora, "removal withdraw", property="villa")
        assert done == "Request to remove property 1 withdrawn."


async def test_options_offer_choices_by_name(town: Town) -> None:
    async with town.bot_running():
        await _ready(town)
        await _villa(town)
        await told(town, town.dora, "removal request", property="1")
        villa = {"property": "1"}
        assert await offered(town, "property show", "property", "vi") == ["Vinewood villa (1)"]
        assert await offered(town, "property add", "tier", "pre") == ["Premium · 99.99"]
        assert await offered(town, "property add", "owner", "hall") == ["Wren Halloway (license:1)"]
        assert await offered(town, "property edit", "status", "act") == ["ACTIVE"]
        assert await offered(town, "equipment add", "type", "read") == ["Badge reader"]
        pieces = ["1 · Drone · Roof", "2 · Drone · Shed", "3 · Camera ·"]
        assert await offered(town, "equipment remove", "equipment", **villa) == pieces
        assert await offered(town, "drone dispatch", "drone", **villa) == ["2 · Shed"]
        assert await offered(town, "drone recall", "drone", "ro") == ["1 · Roof"]
        assert await offered(town, "drone history", "drone", "s") == ["2 · Drone · Shed"]
        assert await offered(town, "drone history", "drone", "", **villa) == pieces[:2]
        assert await offered(town, "visitors week", "camera", "", **villa) == pieces[2:]
        assert await offered(town, "access allow", "user", "license:g") == ["license:guest"]
        assert await offered(town, "access deny", "user", "", **villa) == ["license:guest"]
        assert await offered(town, "removal withdraw", "property") == ["Vinewood villa (1)"]
        assert await offered(town, "drone dispatch", "drone") == []


SHOWN = """\
┌ #1976d2
│ # Vinewood villa (1)
│ With a \\*pool\\*.
│ ~ Owner: Wren Halloway (license:1)
│ ~ Tier: Premium · 99\\.99
│ ~ Status: REMOVED, set by @Dora
│ ~ Size: 30 × 20 m
│ ~ Coordinates: 120, -40
│ ~ Added: <R>
│ - Equipment: 1 · Drone · Roof · out since <R>
│ 2 · Drone · Shed · free
│ 3 · Camera
│ - Access list: license:guest
│ ~ Last alarms: <R> · license:guest
│ ~ Last visits: <R> · Wren Halloway (license:1)
│ - Removal requested: <R> · @Dora
│ Moving
│ - Open calls: [911 4410](link) · Smoke from the laundromat roof.
└
[Dispatch drone] primary [Recall drone 1] secondary [Edit] secondary \
[Approve removal] danger [Deny removal] secondary
[Withdraw removal] secondary"""
FORM = """\
╔ Edit property 1
║ Width x height, in metres: 0 x 0
║ Coordinates: x, y: 0, 0
║ Tier: its number or its name: 1
║ Status: ACTIVE
╚"""
QUESTION = """\
(only you can see this)
┌ #d32f2f
│ # Remove Villa?
│ This removes property 1, owned by owner, with its equipment, and recalls its drones.
└
[Remove] danger"""


async def test_a_form_is_refused_in_time_while_storage_is_slow(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> Property:
        await asyncio.Event().wait()
        raise AssertionError

    async with town.bot_running():
        await _ready(town)
        await town.add_property("Villa")
        shown = await town.fake.slash(town.dora, "property show", property="1")
        await town.fake.until(lambda: shown.answered)
        monkeypatch.setattr("cogs.commands.properties.get_stored_property", never)
        monkeypatch.setattr("cogs.ui.responder.MODAL_TIMEOUT", 0.05)
        pressed = await town.fake.click(town.dora, shown, "Edit")
        await town.fake.until(lambda: bool(pressed.content))
        assert pressed.content == "Storage is slow right now, try again in a moment."
        assert pressed.modal is None
