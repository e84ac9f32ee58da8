"""Redact: what a moderator has redacted is gone from Discord, and does not come back."""

import pytest

from tests.end_to_end.answers import expect
from tests.end_to_end.environment import BotEnvironment, call_911, dispatch_call
from tests.fake_discord import InteractionReply, Message
from tests.fake_discord.render import render
from tests.soak.ledger import caught_up

SLUR = "That filthy slurword lives *here*, @everyone"

pytestmark = pytest.mark.usefixtures("_hurried_board")


def _world(env: BotEnvironment) -> str:
    """Return all that stands in the server's channels."""
    return "\n".join(
        render(message)
        for channel in env.guild.channels
        for message in channel.messages
        if not message.deleted
    )


async def _redact(
    env: BotEnvironment, message: Message, *labels: str, words: str = ""
) -> InteractionReply:
    form = await env.fake.use_menu(env.anna, "Redact…", message)
    values = {"texts": list(labels), "words": words} if labels else {"words": words}
    return await env.fake.submit(env.anna, form, values)


async def test_a_redacted_text_is_gone_and_stays_away(env: BotEnvironment) -> None:
    channel = env.channel("emergency")
    async with env.bot_running():
        await env.wait_for_commands()
        said = call_911(9, description=SLUR, caller="Nice Lady")
        assert await env.push("EVENT_911", said) == 200
        await caught_up(env)
        assert "slurword" in _world(env)
        done = await _redact(env, channel.messages[0], "Description")
        await expect(env, done, "1 text is gone")
        await env.fake.until(lambda: "slurword" not in _world(env))
        assert "(redacted)" in _world(env)
        assert "Nice Lady" in _world(env)
        # The dispatch call made from it says it again, so do its note and another call.
        made = dispatch_call(10, description=f"911: {SLUR.upper()}!", title="Noise")
        assert await env.push("EVENT_DISPATCH_NEW", made) == 200
        note = {"callId": 10, "note": f"caller: {SLUR}"}
        assert await env.push("EVENT_DISPATCH_NOTE", note) == 200
        again = call_911(11, description=SLUR, location="Elsewhere")
        assert await env.push("EVENT_911", again) == 200
        await env.fake.until(lambda: len(channel.messages) > 1)
        await caught_up(env)
        assert "slurword" not in _world(env).casefold()
        boss = env.guild.add_member("Boss", env.guild.add_role("Boss", "manage_guild"))
        log = render(await env.fake.slash(boss, "audit"))
        assert "redacted texts of 911 call 9." in log
        assert "slurword" not in log
        calls = render(await env.fake.slash(env.vic, "cad calls"))
        assert "slurword" not in calls
    async with env.bot_running():  # it is stored
        again = call_911(12, description=SLUR, location="Vespucci")
        assert await env.push("EVENT_911", again) == 200
        await env.fake.until(lambda: len(channel.messages) > 2)
        assert "slurword" not in _world(env).casefold()
        await env.fake.click(env.anna, done, "Undo")
        await env.fake.until(lambda: "slurword" in render(channel.messages[2]))


async def test_deleted_messages_are_redacted_from_the_list_and_stay_away(
    env: BotEnvironment,
) -> None:
    channel = env.channel("emergency")
    async with env.bot_running():
        await env.wait_for_commands()
        assert await env.push("EVENT_911", call_911(9, description=SLUR)) == 200
        await caught_up(env)
        channel.messages[0].delete()
        (offered,) = await env.fake.autocomplete(
            env.anna, "redact", focused="message", value="call 9"
        )
        assert "slurword" in offered.name
        form = await env.fake.slash(env.anna, "redact", message=offered.value)
        await env.fake.submit(env.anna, form, {"texts": ["Description"]})
        # The same again from the CAD is no news, more of it is.
        assert await env.push("EVENT_911", call_911(9, description=SLUR)) == 200
        await caught_up(env)
        assert [one for one in channel.messages if not one.deleted] == []
        longer = call_911(9, description=f"{SLUR} He has a knife.")
        assert await env.push("EVENT_911", longer) == 200
        await env.fake.until(lambda: any(not one.deleted for one in channel.messages))
        assert "(redacted) He has a knife." in _world(env)
        assert "slurword" not in _world(env)


async def test_names_notes_threads_and_feeds_are_redacted(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        # A property's name: gone from its card, from suggestions and from the entries of feeds.
        property_id = await env.add_property("Slurhouse")
        await caught_up(env)
        (card,) = env.channel("approvals").messages
        await _redact(env, card, "Property")
        await env.fake.until(lambda: "Slurhouse" not in render(card))
        offered = await env.fake.autocomplete(env.vic, "property show", focused="property")
        assert [one.name for one in offered] == [f"(redacted) ({property_id})"]
        # An entry of a feed is edited in its place; what comes later never says it.
        entry = {"propertyId": property_id, "userId": "u1", "allowed": False}
        entry["reason"] = "Slurword was here, twice"
        await env.query("add-auth-entry", **entry)
        feed = env.channel("access")
        await env.fake.until(lambda: bool(feed.messages))
        await _redact(env, feed.messages[0], words="slurword WAS here")
        await env.fake.until(lambda: "(redacted), twice" in render(feed.messages[0]))
        await env.query("add-auth-entry", **entry)
        await env.fake.until(lambda: len(feed.messages) > 1)
        assert "Slurword" not in _world(env)
        assert "Slurhouse" not in _world(env)
        # A thread has its name from the title of the card.
        assert await env.push("EVENT_DISPATCH_NEW", dispatch_call(10, title="Bad slurtitle")) == 200
        await caught_up(env)
        (dispatched,) = env.channel("dispatch").messages
        await env.fake.click(env.dora, dispatched, "Thread")
        await env.fake.until(lambda: bool(env.guild.threads))
        await caught_up(env)
        assert "slurtitle" in env.guild.threads[0].name
        await _redact(env, dispatched, "Title")
        await env.fake.until(lambda: "slurtitle" not in env.guild.threads[0].name)
        assert "(redacted)" in env.guild.threads[0].name


async def test_only_messages_of_the_bot_and_only_by_approvers(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        assert await env.push("EVENT_911", call_911(9, description=SLUR)) == 200
        await caught_up(env)
        (card,) = env.channel("emergency").messages
        for member in (env.stranger, env.vic, env.dora):
            refused = await env.fake.use_menu(member, "Redact…", card)
            await expect(env, refused, "This needs the approver role")
        form = await env.fake.use_menu(env.anna, "Redact…", card)
        nothing = await env.fake.submit(env.anna, form, {"words": " "})
        await expect(env, nothing, "Choose a text, or type what must go.")
        wrong = await env.fake.slash(env.anna, "redact", message="emergency:77@cad")
        await expect(env, wrong, "There is no such card")
        link = f"https://discord.com/channels/{env.guild.id}/{card.channel.id}/{card.id}"
        form = await env.fake.slash(env.anna, "redact", message=link)
        assert form.modal is not None
        assert "slurword" in str(form.modal)
