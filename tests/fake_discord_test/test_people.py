"""People use commands, buttons, menus and forms; the real discord.py answers."""

import asyncio

import discord
import pytest

from tests.fake_discord import CannotDo, Choice, FakeDiscord, Guild, NoAnswer, render
from tests.fake_discord.interactions import MESSAGE_COMPONENT, Interaction

from .sample_bot import SampleBot

DISPATCHED = """\
┌ red
│ # Drone
│ to 12
│ ~ Urgent: False
└
[Approve] success"""


async def test_a_command_answers_with_a_card(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    reply = await fake.slash(guild.add_member("Alice"), "drone dispatch", property="12")
    assert reply.text == DISPATCHED
    assert not reply.ephemeral
    assert not reply.deferred
    assert reply.acknowledged_after < 3
    assert guild.channel("dispatch").messages == [reply.message]
    assert fake.sync_count(guild) == 1


async def test_autocomplete_suggests(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    alice = guild.add_member("Alice")
    choices = await fake.autocomplete(alice, "drone dispatch", focused="property", value="ban")
    assert choices == [Choice("Bank", "BANK"), Choice("Bankruptcy Court", "BANKRUPTCY COURT")]


async def test_a_deferred_answer_with_a_followup(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    reply = await fake.slash(guild.add_member("Alice"), "drone slow")
    assert (reply.content, reply.ephemeral, reply.deferred) == ("done", True, True)
    await fake.until(lambda: reply.followups)
    expected = "(only you can see this)\ndone\n---\n(only you can see this)\nand more"
    assert render(reply) == expected
    assert guild.channel("dispatch").messages == []


async def test_options_of_all_kinds(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    chief = guild.add_role("Chief", "administrator")
    alice = guild.add_member("Alice", chief)
    channel = guild.channel("dispatch")
    reply = await fake.slash(
        alice, "drone kinds", who=alice, where=channel, role=chief, count=3, size="Big"
    )
    assert reply.content == "Alice dispatch Chief 3 2 True"


async def test_a_button_changes_its_message(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    alice = guild.add_member("Alice")
    card = await fake.slash(alice, "drone dispatch", property="12")
    reply = await fake.click(alice, card, "Approve")
    assert reply.updated
    assert reply.message is card.message
    assert card.content == "approved 7"
    assert card.text.endswith("[Approved] secondary (disabled)")
    with pytest.raises(CannotDo, match="disabled"):
        await fake.click(alice, card, "Approved")
    with pytest.raises(CannotDo, match="known: Approved"):
        await fake.click(alice, card, "Approve")


async def test_the_menu_of_a_message(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    alice = guild.add_member("Alice")
    message = (await fake.slash(alice, "drone menu")).message
    assert message is not None
    reply = await fake.use_menu(alice, "Quote", message)
    assert reply.content.endswith(": choose")
    with pytest.raises(CannotDo, match="is not offered 'Quote'"):
        await fake.use_menu(alice, "Quote", alice)  # it is no command for members
    message.delete()
    with pytest.raises(CannotDo, match="does not see the message"):
        await fake.use_menu(alice, "Quote", message)


async def test_menus_can_be_used(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    alice = guild.add_member("Alice")
    menu = await fake.slash(alice, "drone menu")
    reply = await fake.choose(alice, menu, "Words", ["One", "two"])
    assert reply.content == "one two"
    with pytest.raises(CannotDo, match="'Three' is none of One, Two"):
        await fake.choose(alice, menu, "Words", ["Three"])
    deferred = await fake.choose(alice, menu, "Users", [alice])
    assert deferred.deferred
    await fake.until(lambda: menu.content == "Alice")
    assert menu.components == []


FORM = """\
╔ Deny
║ Reason: ____
║ Kind: <kind: Soft | Hard>
║ Note: ____ (optional)
╚"""


async def test_a_form(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    alice = guild.add_member("Alice")
    form = await fake.slash(alice, "drone deny")
    assert form.text == FORM
    reply = await fake.submit(alice, form, {"Reason": "too loud", "kind": "Hard"})
    assert reply.content == "denied: too loud / Hard /"
    with pytest.raises(CannotDo, match="Reason must be filled in"):
        await fake.submit(alice, form, {"kind": "Hard"})
    with pytest.raises(CannotDo, match="no input 'nonsense'"):
        await fake.submit(alice, form, {"reason": "x", "kind": "Soft", "nonsense": ""})


async def test_what_a_discord_client_would_not_allow_is_rejected(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    alice = guild.add_member("Alice")
    with pytest.raises(CannotDo, match="not registered in Los Santos; known: Quote, admin, drone"):
        await fake.slash(alice, "boat")
    with pytest.raises(CannotDo, match="no sub-command 'fly'"):
        await fake.slash(alice, "drone fly")
    with pytest.raises(CannotDo, match="needs a sub-command"):
        await fake.slash(alice, "drone")
    with pytest.raises(CannotDo, match="needs property"):
        await fake.slash(alice, "drone dispatch")
    with pytest.raises(CannotDo, match="no option 'height'"):
        await fake.slash(alice, "drone dispatch", property="1", height="2")
    with pytest.raises(CannotDo, match="takes True or False"):
        await fake.slash(alice, "drone dispatch", property="1", urgent="yes")


async def test_commands_are_offered_by_permission(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    alice = guild.add_member("Alice")
    boss = guild.add_member("Boss", guild.add_role("Boss", "manage_guild"))
    with pytest.raises(CannotDo, match="Alice is not offered /admin"):
        await fake.slash(alice, "admin")
    assert (await fake.slash(boss, "admin")).text == "(only you can see this)\nyes"
    assert "admin" not in fake.offered_commands(alice)
    assert {"admin", "drone dispatch"} <= set(fake.offered_commands(boss))


async def test_no_answer_is_reported(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    with pytest.raises(NoAnswer, match="Alice used /drone mute: nothing within"):
        await fake.slash(guild.add_member("Alice"), "drone mute", timeout=0.1)


async def test_ephemeral_messages_are_for_one_person(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    alice, bob = guild.add_member("Alice"), guild.add_member("Bob")
    reply = await fake.slash(alice, "drone slow")
    with pytest.raises(CannotDo, match="only Alice sees"):
        await fake.click(bob, reply, "any")
    assert reply.message is not None
    with pytest.raises(discord.NotFound) as refused:
        await bot.text_channel("dispatch").fetch_message(reply.message.id)
    assert refused.value.code == 10008


async def test_answering_too_late_and_twice(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    alice = guild.add_member("Alice")
    heard: asyncio.Queue[discord.Interaction[SampleBot]] = asyncio.Queue()
    bot.add_listener(heard.put, "on_interaction")
    with pytest.raises(NoAnswer):
        await fake.slash(alice, "drone mute", timeout=0.05)
    interaction = await heard.get()
    with pytest.raises(discord.NotFound) as not_yet:
        await interaction.followup.send("before any answer")
    assert not_yet.value.code == 10015
    fake.interactions.deadline = 0
    with pytest.raises(discord.NotFound) as late:
        await interaction.response.send_message("late")
    assert late.value.code == 10062
    fake.interactions.deadline = 3
    await interaction.response.send_message("in time")
    interaction.response._response_type = None
    with pytest.raises(discord.HTTPException) as twice:
        await interaction.response.send_message("twice")
    assert twice.value.code == 40060
    fake.interactions.token_life = 0
    with pytest.raises(discord.HTTPException) as expired:
        await interaction.edit_original_response(content="after 15 minutes")
    assert (expired.value.status, expired.value.code) == (401, 50027)


def test_a_press_in_private_has_a_user_and_no_server(fake: FakeDiscord, guild: Guild) -> None:
    alice = guild.add_member("Alice", guild.add_role("Chief", "administrator"))
    private = Interaction(MESSAGE_COMPONENT, alice, guild.direct(alice), {})
    told = private.to_dict(fake.world)
    assert told["user"]["id"] == str(alice.id)
    assert told["context"] == 1
    assert told.keys().isdisjoint({"guild_id", "guild", "member", "guild_locale"})
