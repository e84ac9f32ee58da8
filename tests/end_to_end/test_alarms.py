"""An alarm in Discord: one card that people answer, calls for help, the owner's own message."""

import asyncio
import logging
import sqlite3
from contextlib import closing

import pytest

from bot.settings import RuleSettings
from tests.end_to_end.town import Town
from tests.fake_discord import InteractionReply, Member, Message, render

MINUTE = 60_000


async def _raise(town: Town, place: int = 1, user: str = "license:burglar") -> None:
    await town.query("add-alert", propertyId=place, userId=user)


async def _alarm(town: Town, drones: int = 0) -> Message:
    """Raise the alarm at a new property and return its card."""
    await town.fake.until(lambda: bool(town.guild.commands))
    await _raise(town, await town.add_property("Villa", drones))
    return await town.channel("alerts").next_message()


async def _said(town: Town, reply: InteractionReply, text: str) -> None:
    await town.fake.until(lambda: text in reply.content)
    assert reply.ephemeral


async def _wait(town: Town, minutes: int) -> None:
    """Have all alarms have waited longer; in a thread, as the bot shares our event loop."""
    await asyncio.to_thread(
        _run,
        town,
        "UPDATE alarms SET waiting_since = waiting_since - ?1, touched_at = touched_at - ?1,"
        " snoozed_until = snoozed_until - ?1",
        minutes * MINUTE,
    )


def _run(town: Town, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(town.folder / "sentinel.db")) as database:
        database.execute(statement, values)
        database.commit()


async def _owned(town: Town, member: Member) -> None:
    """Link the owner of the properties to a member who wants alarms told privately."""
    await asyncio.to_thread(
        _run,
        town,
        "INSERT INTO links (member_id, user_id, linked_at, linked_by, wants_alarms)"
        " VALUES (?, 'owner', 0, 'test', 1)",
        member.id,
    )


async def test_further_alerts_are_counted_on_the_one_card(town: Town) -> None:
    async with town.bot_running():
        card = await _alarm(town)
        assert "# Alarm · Villa" in render(card)
        assert "~ Alerts: Once" in render(card)
        for _ in range(4):
            await _raise(town)
        await town.fake.until(lambda: "~ Alerts: 5 times within" in render(card))
    assert len(town.channel("alerts").messages) == 1
    assert card.pings == []


@pytest.mark.parametrize(
    ("button", "answer", "shown"),
    [
        ("Acknowledge", "You have acknowledged this alarm.", "# Alarm acknowledged · Villa"),
        ("Dispatch drone", "Drone 1 dispatched.", "sent out drone 1"),
        ("Snooze 15 min", "snoozed for 15 minutes", "# Alarm snoozed · Villa"),
        ("Snooze 1 h", "snoozed for 60 minutes", "# Alarm snoozed · Villa"),
        ("False alarm", "Alarm closed.", "# False alarm · Villa"),
        ("Resolve", "Alarm closed.", "# Alarm resolved · Villa"),
    ],
)
async def test_buttons_need_the_dispatcher_role(
    town: Town, button: str, answer: str, shown: str
) -> None:
    async with town.bot_running():
        card = await _alarm(town, drones=1)
        await town.fake.until(lambda: "[Dispatch drone]" in render(card))
        for somebody in (town.stranger, town.vic):
            await _said(town, await town.fake.click(somebody, card, button), "This needs the")
        await _said(town, await town.fake.click(town.dora, card, button), answer)
        await town.fake.until(lambda: shown in render(card))
    assert f"<@{town.dora.id}>" in render(card)
    is_over = button in ("False alarm", "Resolve")
    assert bool(card.components) != is_over


async def test_a_note_is_shown_on_the_card_as_it_was_written(town: Town) -> None:
    async with town.bot_running():
        card = await _alarm(town)
        await _said(town, await town.fake.click(town.vic, card, "Note"), "This needs the")
        form = await town.fake.click(town.dora, card, "Note")
        await _said(town, await town.fake.submit(town.dora, form, {"Note": "  "}), "at least 1")
        form = await town.fake.click(town.dora, card, "Note")
        done = await town.fake.submit(town.dora, form, {"Note": "Two **men** @everyone"})
        await _said(town, done, "Note added.")
        await town.fake.until(lambda: "Two \\*\\*men\\*\\* \\@everyone" in render(card))


@pytest.mark.parametrize(
    ("button", "done", "late"),
    [
        ("Acknowledge", "You have acknowledged this alarm", "already acknowledged by <@"),
        ("Snooze 15 min", "snoozed for 15", "already snoozed by <@"),
        ("Resolve", "Alarm closed.", "already resolved by <@"),
        ("False alarm", "Alarm closed.", "already marked as false by <@"),
    ],
)
async def test_of_two_presses_at_once_the_second_learns_who_was_first(
    town: Town, button: str, done: str, late: str
) -> None:
    second = town.guild.add_member("Bert", town.dispatchers)
    async with town.bot_running():
        card = await _alarm(town)
        replies = await asyncio.gather(
            town.fake.click(town.dora, card, button), town.fake.click(second, card, button)
        )
        await town.fake.until(lambda: all(reply.content for reply in replies))
    said = sorted(reply.content for reply in replies)
    assert sum(done in text for text in said) == 1
    assert sum(late in text for text in said) == 1


async def test_a_press_on_an_outdated_card_says_who_settled_the_alarm(town: Town) -> None:
    async with town.bot_running():
        card = await _alarm(town, drones=1)
        await town.fake.until(lambda: "[Dispatch drone]" in render(card))
        before = card.components
        await town.fake.click(town.dora, card, "Resolve")
        await town.fake.until(lambda: not card.components)
        card.components = before  # clicks that were on their way before the edit
        for button in ("Acknowledge", "Dispatch drone", "Snooze 1 h", "False alarm"):
            reply = await town.fake.click(town.anna, card, button)
            await _said(town, reply, f"already resolved by <@{town.dora.id}>")
        form = await town.fake.click(town.anna, card, "Note")
        late = await town.fake.submit(town.anna, form, {"Note": "x"})
        await _said(town, late, f"already resolved by <@{town.dora.id}>")
    assert town.channel("drones").messages == []


async def test_an_unacknowledged_alarm_mentions_dispatchers_then_supervisors(
    town: Town,
) -> None:
    place = town.channel("alerts")
    async with town.bot_running():
        card = await _alarm(town)
        await _wait(town, 6)
        first = await place.next_message()
        assert first.pings == [town.dispatchers]
        assert first.reply_to is card
        assert render(first).startswith(
            f"(reply to Sentinel)\n<@&{town.dispatchers.id}>\n┌ #d32f2f\n"
            "│ # Nobody has acknowledged the alarm at Villa\n"
        )
        await _wait(town, 5)
        second = await place.next_message()
        assert second.pings == [town.supervisors]
        assert second.allowed_mentions is not None
        assert second.allowed_mentions["roles"] == [town.supervisors.id]
        await town.fake.until(lambda: "Escalated to the supervisors" in render(card))
    assert len(place.messages) == 3


async def test_an_acknowledged_alarm_expires_without_escalation(town: Town) -> None:
    async with town.bot_running():
        card = await _alarm(town)
        await town.fake.click(town.dora, card, "Acknowledge")
        await town.fake.until(lambda: "Alarm acknowledged" in render(card))
        await _wait(town, 61)
        await town.fake.until(lambda: "Alarm expired" in render(card))
        await _raise(town)
        second = await town.channel("alerts").next_message()
    assert "# Alarm · Villa" in render(second)
    assert len(town.channel("alerts").messages) == 2


async def test_the_card_says_when_a_snooze_ended(town: Town) -> None:
    async with town.bot_running():
        card = await _alarm(town)
        await town.fake.click(town.dora, card, "Snooze 15 min")
        await town.fake.until(lambda: "Alarm snoozed" in render(card))
        assert "[Snooze" not in render(card)
        await _wait(town, 15)
        await town.fake.until(lambda: "The snooze ended" in render(card))
        assert "# Alarm · Villa" in render(card)
        assert "[Snooze 15 min]" in render(card)


async def test_an_escalation_posted_without_an_answer_is_not_posted_again_after_a_crash(
    town: Town,
) -> None:
    place = town.channel("alerts")
    path = place.messages_path
    async with town.bot_running():
        await _alarm(town)
        town.fake.nonce_memory = 0.0
        town.fake.fault("POST", path, reset=True, after=True)
        town.fake.fault("GET", path, times=None)
        await _wait(town, 6)
        await town.fake.until(lambda: len(place.messages) == 2)
    town.fake.recover()
    async with town.bot_running():
        await _raise(town, await town.add_property("Shed"))
        await town.fake.until(lambda: len(place.messages) == 3)
    assert [len(message.pings) for message in place.created] == [0, 1, 0]


async def test_an_escalation_stored_before_a_crash_is_posted_once_after_it(town: Town) -> None:
    place = town.channel("alerts")
    async with town.bot_running():
        await _alarm(town)
        town.fake.outage()
        await _wait(town, 6)
        await town.fake.until(
            lambda: any(one.status == 503 for one in town.fake.requests), timeout=20
        )
    town.fake.recover()
    town.fake.forget_nonces()
    async with town.bot_running():
        await town.fake.until(lambda: len(place.messages) == 2, timeout=20)
        await _raise(town, await town.add_property("Shed"))
        await town.fake.until(lambda: len(place.messages) == 3)
    assert [len(message.pings) for message in place.created] == [0, 1, 0]


async def test_an_alarm_acknowledged_before_its_escalation_is_posted_mentions_nobody(
    town: Town,
) -> None:
    place = town.channel("alerts")
    async with town.bot_running():
        await _alarm(town)
        town.fake.fault("POST", place.messages_path, status=503, times=None)
        await _wait(town, 6)
        await town.fake.until(lambda: any(one.status == 503 for one in town.fake.requests))
        await town.query("acknowledge-alarm", alarmId=1)
        await _raise(town, await town.add_property("Shed"))
        await town.fake.until(
            lambda: any("Alarm · Shed" in str(one.body) for one in town.fake.requests)
        )
        town.fake.recover()  # the call, which is older, is not tried any more
        await town.fake.until(lambda: len(place.messages) == 2)
    assert [message.pings for message in place.created] == [[], []]


async def test_an_escalation_is_posted_without_a_reply_where_the_bot_may_not_read(
    town: Town,
) -> None:
    place = town.channel("alerts")
    async with town.bot_running():
        await _alarm(town)
        place.deny("read_message_history")
        await _wait(town, 6)
        call = await place.next_message()
    assert call.pings == [town.dispatchers]
    assert call.reply_to is None


async def test_an_escalation_is_posted_where_a_rule_sent_the_alarm(town: Town) -> None:
    desk = town.guild.add_channel("desk")
    town.rules = [RuleSettings(name="alarms", types=["alerts"], channel=desk.id)]
    async with town.bot_running():
        await _raise(town, await town.add_property("Villa"))
        card = await desk.next_message()
        await _wait(town, 6)
        call = await desk.next_message()
    assert call.reply_to is card
    assert call.pings == [town.dispatchers]
    assert town.channel("alerts").messages == []


async def test_the_owner_who_asked_for_it_gets_one_private_message_that_is_edited(
    town: Town,
) -> None:
    private = town.guild.direct(town.stranger)
    async with town.bot_running():
        await town.query("get-tiers")
        await _owned(town, town.stranger)
        card = await _alarm(town)
        told = await private.next_message()
        assert "# Alarm · Villa" in render(told)
        assert told.components == []
        await _raise(town)
        await town.fake.until(lambda: "2 times" in render(told))
        await town.fake.click(town.dora, card, "Resolve")
        await town.fake.until(lambda: "It is resolved." in render(told))
    assert len(private.created) == 1


async def test_an_owner_who_blocks_private_messages_gets_none(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    private = town.guild.direct(town.stranger)
    private.closed = True
    async with town.bot_running():
        await town.query("get-tiers")
        await _owned(town, town.stranger)
        card = await _alarm(town)
        await town.fake.until(lambda: any(one.status == 403 for one in town.fake.requests))
        await _raise(town)
        await town.fake.until(lambda: "2 times" in render(card))
    assert private.created == []
    assert "Discord rejects the card of alarm-owner:1: 403" in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_an_owner_who_left_the_server_gets_no_private_message(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with town.bot_running():
        await town.query("get-tiers")
        await _owned(town, town.stranger)
        town.stranger.leave()
        await _alarm(town)
        await town.fake.until(lambda: "rejects the card of alarm-owner" in caplog.text)


async def test_a_private_message_posted_without_an_answer_is_not_posted_again(
    town: Town,
) -> None:
    private = town.guild.direct(town.stranger)
    path = private.messages_path
    async with town.bot_running():
        await town.query("get-tiers")
        await _owned(town, town.stranger)
        town.fake.nonce_memory = 0.0
        town.fake.fault("POST", path, reset=True, after=True)
        await _alarm(town)
        await town.fake.until(lambda: bool(private.messages))
        await _raise(town)
        await town.fake.until(lambda: "2 times" in render(private.messages[0]))
    assert len(private.created) == 1


async def test_the_alarm_is_raised_and_listed_with_slash_commands(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        place = await town.add_property("Villa")
        await town.add_property("Shed")
        for command in ("alert raise", "alert list"):
            choices = await town.fake.autocomplete(
                town.dora, command, focused="property", value="vil"
            )
            assert [choice.value for choice in choices] == [str(place)]
        listed = await town.fake.slash(town.vic, "alert list")
        await town.fake.until(lambda: "No alarms yet." in render(listed))
        refused = await town.fake.slash(town.vic, "alert raise", property=str(place))
        await _said(town, refused, "This needs the dispatcher role")
        done = await town.fake.slash(
            town.dora, "alert raise", property="Villa", note="A window broke"
        )
        await _said(town, done, "Alarm raised at **Villa**.")
        card = await town.channel("alerts").next_message()
        assert f"~ Raised by: <@{town.dora.id}>" in render(card)
        assert f"<@{town.dora.id}>: A window broke" in render(card)
        await _owned(town, town.dora)
        await town.fake.slash(town.dora, "alert raise", property=str(place))
        await town.fake.until(lambda: "Last: owner" in render(card))
        for number in range(20):
            await _raise(town, await town.add_property(f"House {number}"))
        await town.fake.click(town.dora, card, "False alarm")
        await town.fake.until(lambda: "False alarm" in render(card))
        again = await town.fake.slash(town.vic, "alert list")
        await town.fake.until(lambda: "Page 1 of 3" in render(again))
        assert "21 · **House 19** · 1 time · not acknowledged yet" in render(again)
        one = await town.fake.slash(town.vic, "alert list", property=str(place))
        settled = f"1 · **Villa** · 2 times · false alarm, according to <@{town.dora.id}>"
        await town.fake.until(lambda: settled in render(one))


async def test_without_discord_alarms_and_escalations_are_logged(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    settings = town.settings()
    without = settings.discord.model_copy(update={"token": ""})
    town.settings = lambda: settings.model_copy(update={"discord": without})  # type: ignore[method-assign]
    async with town.bot_running():
        await _owned(town, town.stranger)
        await _raise(town, await town.add_property("Villa"))
        await _wait(town, 6)
        async with asyncio.timeout(20):
            # Beside the call there are the alarm's card and the owner's message.
            while "NOBODY HAS" not in caplog.text or caplog.text.count("ALARM · VILLA") < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.02)  # the log tells nobody
