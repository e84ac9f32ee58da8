"""An alarm in Discord: one card that people answer, calls for help, the owner's own message."""

import asyncio
import logging
import sqlite3
from contextlib import closing

import pytest

from bot.settings import RuleSettings
from tests.end_to_end.answers import expect, offered
from tests.end_to_end.environment import BotEnvironment
from tests.fake_discord import Member, Message, render
from tests.fake_discord.permissions import Permission
from tests.fake_discord.world import MEMBER_OVERWRITE, Overwrite

MINUTE = 60_000

SILENT = 1 << 12
"""The flag of a message that makes no sound."""


async def _raise(env: BotEnvironment, property_id: int = 1, user: str = "license:burglar") -> None:
    await env.query("add-alert", propertyId=property_id, userId=user)


async def _alarm(env: BotEnvironment, drones: int = 0) -> Message:
    """Raise the alarm at a new property and return its card."""
    await env.wait_for_commands()
    await _raise(env, await env.add_property("Villa", drones))
    return await env.channel("alerts").next_message()


async def _escalated(env: BotEnvironment) -> tuple[Message, Message]:
    """Raise an alarm that nobody answers; return its card, and what calls the dispatchers."""
    card = await _alarm(env)
    await _wait(env, 6)
    return card, await env.channel("alerts").next_message()


async def _escalate_without_an_answer(env: BotEnvironment) -> None:
    """Have an alarm escalate by a message of which the bot never hears."""
    channel = env.channel("alerts")
    await _alarm(env)
    env.fake.nonce_memory = 0.0
    env.fake.fault("POST", channel.messages_path, reset=True, after=True)
    env.fake.fault("GET", channel.messages_path, times=None)
    await _wait(env, 6)
    await env.fake.until(lambda: len(channel.messages) == 2)


async def _wait(env: BotEnvironment, minutes: int) -> None:
    """Have all alarms have waited longer; in a thread, as the bot shares our event loop."""
    await asyncio.to_thread(
        _run,
        env,
        "UPDATE alarms SET waiting_since = waiting_since - ?1, touched_at = touched_at - ?1,"
        " snoozed_until = snoozed_until - ?1",
        minutes * MINUTE,
    )


def _run(env: BotEnvironment, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(env.folder / "sentinel.db")) as database:
        database.execute(statement, values)
        database.commit()


def _show_to_viewers_only(env: BotEnvironment) -> None:
    view = int(Permission.VIEW_CHANNEL)
    everybody, bot = env.guild.everyone, env.guild.bot_member
    env.channel("alerts").change_overwrites(
        {
            everybody.id: Overwrite(deny=view),
            env.viewers.id: Overwrite(allow=view),
            bot.id: Overwrite(MEMBER_OVERWRITE, allow=view),
        }
    )


async def _owned(env: BotEnvironment, member: Member) -> None:
    """Link the owner of the properties to a member who wants private messages about alarms."""
    await asyncio.to_thread(
        _run,
        env,
        "INSERT INTO links (member_id, user_id, linked_at, linked_by, wants_alarms)"
        " VALUES (?, 'owner', 0, 'test', 1)",
        member.id,
    )


async def test_further_alerts_are_counted_on_the_one_card(env: BotEnvironment) -> None:
    async with env.bot_running():
        card = await _alarm(env)
        assert "# Alarm · Villa" in render(card)
        for _ in range(4):
            await _raise(env)
        await env.fake.until(lambda: "· 5 times" in render(card))
    assert len(env.channel("alerts").messages) == 1
    assert card.pings == []


@pytest.mark.parametrize(
    ("button", "answer", "shown"),
    [
        ("Acknowledge", "You have acknowledged this alarm.", "# Alarm acknowledged · Villa"),
        ("Dispatch drone", "You are handling the alarm there.", "# Alarm acknowledged · Villa"),
        ("Snooze 15 min", "snoozed for 15 minutes", "# Alarm snoozed · Villa"),
        ("Snooze 1 h", "snoozed for 60 minutes", "# Alarm snoozed · Villa"),
        ("False alarm", "Alarm closed.", "# False alarm · Villa"),
        ("Resolve", "Alarm closed.", "# Alarm resolved · Villa"),
    ],
)
async def test_buttons_need_the_dispatcher_role(
    env: BotEnvironment, button: str, answer: str, shown: str
) -> None:
    async with env.bot_running():
        card = await _alarm(env, drones=1)
        await env.fake.until(lambda: "[Dispatch drone]" in render(card))
        for somebody in (env.stranger, env.vic):
            await expect(env, await env.fake.click(somebody, card, button), "This needs the")
        await expect(env, await env.fake.click(env.dora, card, button), answer)
        await env.fake.until(lambda: shown in render(card))
    assert f"<@{env.dora.id}>" in render(card)
    is_over = button in ("False alarm", "Resolve")
    assert bool(card.components) != is_over


async def test_a_note_is_shown_on_the_card_as_it_was_written(env: BotEnvironment) -> None:
    async with env.bot_running():
        card = await _alarm(env)
        await expect(env, await env.fake.click(env.vic, card, "Note"), "This needs the")
        form = await env.fake.click(env.dora, card, "Note")
        await expect(
            env, await env.fake.submit(env.dora, form, {"Note": "  "}), "must not be empty"
        )
        form = await env.fake.click(env.dora, card, "Note")
        done = await env.fake.submit(env.dora, form, {"Note": "Two **men** @everyone"})
        await expect(env, done, "Note added.")
        await env.fake.until(lambda: "Two \\*\\*men\\*\\* \\@everyone" in render(card))


@pytest.mark.parametrize(
    ("button", "done", "late"),
    [
        ("Acknowledge", "You have acknowledged this alarm", "already acknowledged by <@"),
        ("Snooze 15 min", "snoozed for 15", "already snoozed by <@"),
        ("Resolve", "Alarm closed.", "already resolved by <@"),
        ("False alarm", "Alarm closed.", "already marked as false by <@"),
    ],
)
async def test_the_second_of_two_concurrent_presses_says_who_was_first(
    env: BotEnvironment, button: str, done: str, late: str
) -> None:
    second = env.guild.add_member("Bert", env.dispatchers)
    async with env.bot_running():
        card = await _alarm(env)
        replies = await asyncio.gather(
            env.fake.click(env.dora, card, button), env.fake.click(second, card, button)
        )
        await env.fake.until(lambda: all(reply.content for reply in replies))
    answers = sorted(reply.content for reply in replies)
    assert sum(done in text for text in answers) == 1
    assert sum(late in text for text in answers) == 1


async def test_a_press_on_an_outdated_card_says_who_settled_the_alarm(env: BotEnvironment) -> None:
    async with env.bot_running():
        card = await _alarm(env, drones=1)
        await env.fake.until(lambda: "[Dispatch drone]" in render(card))
        before = card.components
        await env.fake.click(env.dora, card, "Resolve")
        await env.fake.until(lambda: not card.components)
        card.components = before  # clicks that were on their way before the edit
        for button in ("Acknowledge", "Dispatch drone", "Snooze 1 h", "False alarm"):
            reply = await env.fake.click(env.anna, card, button)
            await expect(env, reply, f"already resolved by <@{env.dora.id}>")
        form = await env.fake.click(env.anna, card, "Note")
        late = await env.fake.submit(env.anna, form, {"Note": "x"})
        await expect(env, late, f"already resolved by <@{env.dora.id}>")
    assert env.channel("drones").messages == []


async def test_an_unacknowledged_alarm_mentions_dispatchers_then_supervisors(
    env: BotEnvironment,
) -> None:
    channel = env.channel("alerts")
    async with env.bot_running():
        card, first = await _escalated(env)
        assert first.pings == [env.dispatchers]
        assert first.reply_to is card
        assert render(first).startswith(
            f"(reply to Sentinel)\n<@&{env.dispatchers.id}>"
            " Nobody has acknowledged the alarm at Villa\n┌ #d32f2f\n"
            "│ # Nobody has acknowledged the alarm at Villa\n"
        )
        await _wait(env, 5)
        second = await channel.next_message()
        assert second.pings == [env.supervisors]
        assert second.allowed_mentions is not None
        assert second.allowed_mentions["roles"] == [env.supervisors.id]
        await env.fake.until(lambda: "Escalated to the supervisors" in render(card))
    assert len(channel.messages) == 3


async def test_an_escalation_says_who_answered_and_a_released_alarm_escalates_anew(
    env: BotEnvironment,
) -> None:
    channel = env.channel("alerts")
    async with env.bot_running():
        card, first = await _escalated(env)
        await expect(env, await env.fake.click(env.dora, card, "Acknowledge"), "acknowledged")
        await env.fake.until(lambda: "# Alarm acknowledged · Villa" in render(first))
        assert f"┌ #757575\n│ # Alarm acknowledged · Villa\n│ Acknowledged by <@{env.dora.id}>" in (
            render(first)
        )
        assert "after 6 min." in render(first)
        await env.fake.until(lambda: "[Release]" in render(card))
        await expect(env, await env.fake.click(env.vic, card, "Release"), "This needs the")
        await expect(env, await env.fake.click(env.anna, card, "Release"), "Alarm released")
        await env.fake.until(lambda: "[Acknowledge]" in render(card))
        await _wait(env, 6)
        again = await channel.next_message()
        assert again.pings == [env.dispatchers]
        await env.fake.click(env.dora, card, "Resolve")
        await env.fake.until(lambda: "# Alarm resolved · Villa" in render(again))
    assert "# Alarm acknowledged · Villa" in render(first)
    assert len(channel.messages) == 3


async def test_an_escalation_whose_id_a_crash_lost_is_corrected_and_not_posted_again(
    env: BotEnvironment,
) -> None:
    channel = env.channel("alerts")
    async with env.bot_running():
        await _escalate_without_an_answer(env)
        await env.query("acknowledge-alarm", alarmId=1)
    assert "Nobody has acknowledged" in render(channel.messages[1])
    env.fake.recover()
    async with env.bot_running():
        await env.fake.until(lambda: "Acknowledged by script" in render(channel.messages[1]))
    assert len(channel.created) == 2


async def test_an_escalation_that_a_moderator_deletes_stays_away(env: BotEnvironment) -> None:
    channel = env.channel("alerts")
    async with env.bot_running():
        card, call = await _escalated(env)
        call.delete()
        await env.fake.click(env.dora, card, "Resolve")
        await env.fake.until(lambda: "Alarm resolved" in render(card))
        await _raise(env, await env.add_property("Shed"))
        await channel.next_message()
    assert len(channel.created) == 3


async def test_of_two_concurrent_takeovers_one_succeeds_and_the_other_names_the_handler(
    env: BotEnvironment,
) -> None:
    second = env.guild.add_member("Bert", env.dispatchers)
    async with env.bot_running():
        card = await _alarm(env)
        await env.fake.click(env.anna, card, "Acknowledge")
        await env.fake.until(lambda: "[Take over]" in render(card))
        mine = await env.fake.click(env.anna, card, "Take over")
        await expect(env, mine, "You are already handling this alarm.")
        replies = await asyncio.gather(
            env.fake.click(env.dora, card, "Take over"), env.fake.click(second, card, "Take over")
        )
        await env.fake.until(lambda: all(reply.content for reply in replies))
        answers = sorted(reply.content for reply in replies)
        assert answers[1] == f"You took this alarm over from <@{env.anna.id}>."
        assert "already acknowledged by <@" in answers[0]
        await env.fake.until(lambda: f"took it over from <@{env.anna.id}>" in render(card))


async def test_an_acknowledged_alarm_expires_without_escalation(env: BotEnvironment) -> None:
    async with env.bot_running():
        card = await _alarm(env)
        await env.fake.click(env.dora, card, "Acknowledge")
        await env.fake.until(lambda: "Alarm acknowledged" in render(card))
        await _wait(env, 61)
        await env.fake.until(lambda: "Alarm expired" in render(card))
        await _raise(env)
        second = await env.channel("alerts").next_message()
    assert "# Alarm · Villa" in render(second)
    assert len(env.channel("alerts").messages) == 2


async def test_the_card_says_when_a_snooze_ended(env: BotEnvironment) -> None:
    async with env.bot_running():
        card = await _alarm(env)
        await env.fake.click(env.dora, card, "Snooze 15 min")
        await env.fake.until(lambda: "Alarm snoozed" in render(card))
        assert "[Snooze" not in render(card)
        await _wait(env, 15)
        await env.fake.until(lambda: "The snooze ended" in render(card))
        assert "# Alarm · Villa" in render(card)
        assert "[Snooze 15 min]" in render(card)


async def test_an_escalation_posted_without_an_answer_is_not_posted_again_after_a_crash(
    env: BotEnvironment,
) -> None:
    channel = env.channel("alerts")
    async with env.bot_running():
        await _escalate_without_an_answer(env)
    env.fake.recover()
    async with env.bot_running():
        await _raise(env, await env.add_property("Shed"))
        await env.fake.until(lambda: len(channel.messages) == 3)
    assert [len(message.pings) for message in channel.created] == [0, 1, 0]


async def test_an_escalation_stored_before_a_crash_is_posted_once_after_it(
    env: BotEnvironment,
) -> None:
    channel = env.channel("alerts")
    async with env.bot_running():
        await _alarm(env)
        env.fake.outage()
        await _wait(env, 6)
        await env.fake.until(
            lambda: any(one.status == 503 for one in env.fake.requests), timeout=20
        )
    env.fake.recover()
    env.fake.forget_nonces()
    async with env.bot_running():
        await env.fake.until(lambda: len(channel.messages) == 2, timeout=20)
        await _raise(env, await env.add_property("Shed"))
        await env.fake.until(lambda: len(channel.messages) == 3)
    assert [len(message.pings) for message in channel.created] == [0, 1, 0]


async def test_an_alarm_acknowledged_before_its_escalation_is_posted_mentions_nobody(
    env: BotEnvironment,
) -> None:
    channel = env.channel("alerts")
    async with env.bot_running():
        await _alarm(env)
        env.fake.fault("POST", channel.messages_path, status=503, times=None)
        await _wait(env, 6)
        await env.fake.until(lambda: any(one.status == 503 for one in env.fake.requests))
        await env.query("acknowledge-alarm", alarmId=1)
        await _raise(env, await env.add_property("Shed"))
        await env.fake.until(
            lambda: any("Alarm · Shed" in str(one.body) for one in env.fake.requests)
        )
        env.fake.recover()  # the call, which is older, is not tried any more
        await env.fake.until(lambda: len(channel.messages) == 2)
    assert [message.pings for message in channel.created] == [[], []]


async def test_an_escalation_is_posted_without_a_reply_where_the_bot_may_not_read(
    env: BotEnvironment,
) -> None:
    channel = env.channel("alerts")
    async with env.bot_running():
        await _alarm(env)
        channel.deny("read_message_history")
        await _wait(env, 6)
        call = await channel.next_message()
    assert call.pings == [env.dispatchers]
    assert call.reply_to is None


async def test_an_escalation_is_posted_where_a_rule_sent_the_alarm(env: BotEnvironment) -> None:
    target = env.guild.add_channel("target")
    env.rules = [RuleSettings(name="alarms", types=["alerts"], channel=target.id)]
    async with env.bot_running():
        await _raise(env, await env.add_property("Villa"))
        card = await target.next_message()
        await _wait(env, 6)
        call = await target.next_message()
    assert call.reply_to is card
    assert call.pings == [env.dispatchers]
    assert env.channel("alerts").messages == []


async def test_the_owner_who_asked_for_it_gets_one_private_message_that_is_edited(
    env: BotEnvironment,
) -> None:
    private = env.guild.direct(env.stranger)
    async with env.bot_running():
        await env.query("get-tiers")
        await _owned(env, env.stranger)
        card = await _alarm(env)
        message = await private.next_message()
        assert "# Alarm · Villa" in render(message)
        await _raise(env)
        await env.fake.until(lambda: "2 times" in render(message))
        await env.fake.click(env.dora, card, "Resolve")
        await env.fake.until(lambda: "It is resolved." in render(message))
    assert len(private.created) == 1


async def test_an_owner_who_blocks_private_messages_gets_none(
    env: BotEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    private = env.guild.direct(env.stranger)
    private.closed = True
    async with env.bot_running():
        await env.query("get-tiers")
        await _owned(env, env.stranger)
        card = await _alarm(env)
        await env.fake.until(lambda: any(one.status == 403 for one in env.fake.requests))
        await _raise(env)
        await env.fake.until(lambda: "2 times" in render(card))
    assert private.created == []
    assert "takes no private messages: 403" in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_an_owner_who_left_the_server_gets_no_private_message(
    env: BotEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with env.bot_running():
        await env.query("get-tiers")
        await _owned(env, env.stranger)
        env.stranger.leave()
        await _alarm(env)
        await env.fake.until(lambda: "takes no private messages" in caplog.text)


async def test_a_private_message_posted_without_an_answer_is_not_posted_again(
    env: BotEnvironment,
) -> None:
    private = env.guild.direct(env.stranger)
    path = private.messages_path
    async with env.bot_running():
        await env.query("get-tiers")
        await _owned(env, env.stranger)
        env.fake.nonce_memory = 0.0
        env.fake.fault("POST", path, reset=True, after=True)
        await _alarm(env)
        await env.fake.until(lambda: bool(private.messages))
        await _raise(env)
        await env.fake.until(lambda: "2 times" in render(private.messages[0]))
    assert len(private.created) == 1


async def test_the_alarm_is_raised_and_listed_with_slash_commands(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        property_id = await env.add_property("Villa")
        await env.add_property("Shed")
        for command in ("alert raise", "alert list"):
            choices = await env.fake.autocomplete(
                env.dora, command, focused="property", value="vil"
            )
            assert [choice.value for choice in choices] == [str(property_id)]
        listed = await env.fake.slash(env.vic, "alert list")
        await env.fake.until(lambda: "No alarms yet." in render(listed))
        refused = await env.fake.slash(env.vic, "alert raise", property=str(property_id))
        await expect(env, refused, "This needs the dispatcher role")
        done = await env.fake.slash(
            env.dora, "alert raise", property="Villa", note="A window broke"
        )
        await expect(env, done, "Alarm raised at **Villa**.")
        card = await env.channel("alerts").next_message()
        assert f"Raised by <@{env.dora.id}>, " in render(card)
        assert "# Alarm · Villa #1\n│ A window broke\n" in render(card)
        await _owned(env, env.dora)
        await env.fake.slash(env.dora, "alert raise", property=str(property_id))
        await env.fake.until(lambda: f"the last by <@{env.dora.id}>" in render(card))
        for number in range(20):
            await _raise(env, await env.add_property(f"House {number}"))
        await env.fake.click(env.dora, card, "False alarm")
        await env.fake.until(lambda: "False alarm" in render(card))
        again = await env.fake.slash(env.vic, "alert list")
        await env.fake.until(lambda: "Page 1 of 3" in render(again))
        assert "House 19**" in render(again)
        assert " · 1 time · not acknowledged yet  [Open]" in render(again)
        one = await env.fake.slash(env.vic, "alert list", property=str(property_id))
        link = f"[**Villa**]({card.jump_url})"
        settled = f"1 · {link} · 2 times · false alarm, according to <@{env.dora.id}>"
        await env.fake.until(lambda: settled in render(one))
        opened = await env.fake.click(env.vic, one, "Open")
        await env.fake.until(lambda: "# False alarm · Villa" in render(opened))


async def test_without_discord_alarms_and_escalations_are_logged(
    env: BotEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    settings = env.settings()
    without = settings.discord.model_copy(update={"token": ""})
    env.settings = lambda: settings.model_copy(update={"discord": without})  # type: ignore[method-assign]
    async with env.bot_running():
        await _owned(env, env.stranger)
        await _raise(env, await env.add_property("Villa"))
        await _wait(env, 6)
        async with asyncio.timeout(20):
            # Beside the call there are the alarm's card and the owner's message.
            while "NOBODY HAS" not in caplog.text or caplog.text.count("ALARM · VILLA") < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.02)  # the log tells nobody


async def test_alarms_are_handled_with_slash_commands_as_with_buttons(env: BotEnvironment) -> None:
    async with env.bot_running():
        card = await _alarm(env)
        await _raise(env, await env.add_property("Shed"))
        assert await offered(env, "alert ack", "alarm", "vil") == ["Villa · 1"]
        done = await env.fake.slash(env.dora, "alert ack", alarm="Villa")
        await expect(env, done, "You have acknowledged this alarm.")
        assert await offered(env, "alert ack", "alarm") == ["Shed · 2"]
        assert await offered(env, "alert release", "alarm") == ["Villa · 1"]
        assert await offered(env, "alert take", "alarm") == []
        taken = await env.fake.slash(env.anna, "alert take", alarm="1")
        await expect(env, taken, f"You took this alarm over from <@{env.dora.id}>.")
        noted = await env.fake.slash(env.dora, "alert note", alarm="vill", text="*Two* men")
        await expect(env, noted, "Note added.")
        await env.fake.until(lambda: "\\*Two\\* men" in render(card))
        released = await env.fake.slash(env.anna, "alert release", alarm="Villa")
        await expect(env, released, "Alarm released")
        ended = await env.fake.slash(env.dora, "alert resolve", alarm="1", false_alarm=True)
        await expect(env, ended, "Alarm closed.")
        late = await env.fake.slash(env.dora, "alert resolve", alarm="1")
        await expect(env, late, f"already marked as false by <@{env.dora.id}>")
        none = await env.fake.slash(env.dora, "alert ack", alarm="Villa")
        await expect(env, none, "No open alarm matches “Villa”.")
        assert await offered(env, "alert resolve", "alarm") == ["Shed · 2"]


async def test_owners_are_offered_alarms_at_their_own_properties_only(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.query("get-tiers")
        await _owned(env, env.stranger)
        await _alarm(env)
        await env.query("change-property-owner", propertyId=1, owner="somebody")
        await _raise(env, await env.add_property("Shed"))
        choices = await env.fake.autocomplete(
            env.stranger, "alert resolve", focused="alarm", value=""
        )
        assert [choice.name for choice in choices] == ["Shed · 2"]
        refused = await env.fake.slash(env.stranger, "alert resolve", alarm="1")
        await expect(env, refused, "This needs the dispatcher role")
        ended = await env.fake.slash(env.stranger, "alert resolve", alarm="Shed")
        await expect(env, ended, "Alarm closed.")


async def test_owner_answers_from_the_private_message_also_after_a_restart(
    env: BotEnvironment,
) -> None:
    _show_to_viewers_only(env)
    private = env.guild.direct(env.stranger)
    async with env.bot_running():
        await env.query("get-tiers")
        await _owned(env, env.stranger)
        await env.wait_for_commands()
        place = await env.add_property("Villa")
        await env.fake.slash(env.dora, "alert raise", property="Villa", note="*Glass* broke")
        message = await private.next_message()
        text = render(message)
        assert (
            "by Los Santos\n│ # Alarm · Villa #1\n│ \\*Glass\\* broke\n│ Not acknowledged" in text
        )
        assert f"~ Raised by: <@{env.dora.id}>" in text
        assert "[I'm on it] success [False alarm] danger" in text
        assert "See the card" not in text  # which is in a channel that owners cannot see
        assert message.flags == 0
        card = await env.channel("alerts").next_message()
    async with env.bot_running():
        await env.fake.wait_connected()
        done = await env.fake.click(env.stranger, message, "I'm on it")
        await expect(env, done, "You have acknowledged this alarm.")
        await env.fake.until(lambda: "You are handling it." in render(message))
        await env.fake.until(lambda: f"<@{env.stranger.id}> is handling it" in render(card))
        await env.query("settle-alarm", alarmId=1, outcome="resolved")
        await env.fake.until(lambda: "It is resolved." in render(message))
        assert "You are handling it." not in render(message)
        await env.query("add-alert", propertyId=place, userId="license:burglar")
        message = await private.next_message()
        await env.query("note-alarm", alarmId=2, text="The owner is a suspect")
        await env.query("change-property-owner", propertyId=place, owner="license:new")
        await env.fake.until(lambda: "not yours any more" in render(message))
        assert "suspect" not in render(message)
        assert message.components == []
    alarms = [one for one in private.created if "Alarm" in render(one)]
    assert len(alarms) == 2


async def test_owner_who_lost_the_property_cannot_answer_with_an_old_button(
    env: BotEnvironment,
) -> None:
    private = env.guild.direct(env.stranger)
    async with env.bot_running():
        await env.query("get-tiers")
        await _owned(env, env.stranger)
        await _alarm(env)
        message = await private.next_message()
        before = message.components
        await env.query("change-property-owner", propertyId=1, owner="license:new")
        await env.fake.until(lambda: "not yours any more" in render(message))
        message.components = before  # a press that was on its way
        late = await env.fake.click(env.stranger, message, "False alarm")
        await expect(env, late, "This needs the dispatcher role")


async def test_owner_who_sees_the_channel_gets_a_link_to_the_card(env: BotEnvironment) -> None:
    _show_to_viewers_only(env)
    private = env.guild.direct(env.vic)
    async with env.bot_running():
        await env.query("get-tiers")
        await _owned(env, env.vic)
        card = await _alarm(env)
        message = await private.next_message()
        link = f"https://discord.com/channels/{env.guild.id}/{card.channel.id}/{card.id}"
        await env.fake.until(lambda: f"[See the card] link <{link}>" in render(message))


async def test_nobody_is_notified_twice_of_the_same_alarm(env: BotEnvironment) -> None:
    """Not who raised it, and not whose role the card mentions."""
    env.rules = [RuleSettings(name="alarms", types=["alerts"], mention=env.dispatchers.id)]
    private = env.guild.direct(env.dora)
    async with env.bot_running():
        await env.query("get-tiers")
        await _owned(env, env.dora)
        card, _call = await _escalated(env)
        assert card.pings == [env.dispatchers]
        env.rules = []
    async with env.bot_running():
        await env.query("settle-alarm", alarmId=1, outcome="false")
        await _raise(env, user="owner")
        second = await env.channel("alerts").next_message()
        await env.fake.until(lambda: "Raised by" in render(second))
        await _raise(env)
        message = await private.next_message()
        assert "2 times" in render(message)
    assert len(private.created) == 1


async def test_a_late_alarm_is_silent_and_marked_late_until_raised_again(
    env: BotEnvironment,
) -> None:
    private = env.guild.direct(env.stranger)
    async with env.bot_running():
        await env.query("get-tiers")
        await _owned(env, env.stranger)
        place = await env.add_property("Villa")
        env.headers = {"X-Event-Age": "7200"}
        await _raise(env, place)
        message = await private.next_message()
        assert "# Alarm, reported 2 h 0 min late · Villa" in render(message)
        assert message.flags == SILENT
        await _raise(env, place)
        await env.fake.until(lambda: "2 times" in render(message))
        env.headers = {}
        await _raise(env, place)
        again = await private.next_message()
        assert "# Alarm raised again · Villa" in render(again)
        assert again.reply_to is message
        assert again.flags == 0
        await _raise(env, place)
        await env.fake.until(lambda: "4 times" in render(message))
    assert len(private.created) == 2
