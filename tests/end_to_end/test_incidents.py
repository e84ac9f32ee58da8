"""The buttons on the cards of calls and panics: who responds, and notes."""

from tests.end_to_end.environment import BotEnvironment, call_911, dispatch_call
from tests.fake_discord.render import render

LONG_NOTE = "Two men in a red van, plate 46EEK, one limps. " * 21 + "He has a *knife*."


async def test_members_respond_and_note_until_the_call_is_over(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        await env.push("EVENT_911", call_911(1))
        card = await env.channel("emergency").next_message()
        answer = await env.fake.click(env.vic, card, "Responding")
        assert answer.content == (
            "You are responding. Press Leave when you no longer are.\n"
            "-# Only here: the bot cannot tell the CAD yet."
            " An admin can set that up on the last page of /setup."
        )
        await env.fake.until(lambda: f"<@{env.vic.id}>" in render(card))
        refused = await env.fake.click(env.vic, card, "Note")
        assert refused.content.startswith("This needs the dispatcher role")
        form = await env.fake.click(env.dora, card, "Note")
        noted = await env.fake.submit(env.dora, form, {"Note": LONG_NOTE})
        assert noted.content.startswith("Note added.\n-# Only here: the bot cannot tell the CAD")
        await env.fake.until(lambda: "Notes" in render(card))
        await env.push("EVENT_DISPATCH_NEW", dispatch_call(7, metaData={"origin911": "1"}))
        made = await env.channel("dispatch").next_message()
        shown = "".join(field["value"] for field in made.embeds[0]["fields"])
        assert "He has a \\*knife\\*." in shown
        assert shown.count("46EEK") == 21
    async with env.bot_running():
        await env.fake.wait_connected(timeout=60)
        await env.fake.click(env.dora, made, "Responding")
        await env.fake.click(env.vic, made, "Responding")  # again
        await env.fake.until(
            lambda: f"<@{env.dora.id}>" in render(made) and f"<@{env.vic.id}>" not in render(made)
        )
        await env.push("EVENT_DISPATCH_CLOSED", {"callIds": [7]})
        await env.fake.until(lambda: not made.components)
        assert "Responded" in render(made)
    assert card.pings == made.pings == []


async def test_a_card_gets_one_thread_which_its_end_archives(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        await env.push("EVENT_911", call_911(1))
        card = await env.channel("emergency").next_message()
        refused = await env.fake.click(env.vic, card, "Thread")
        assert refused.content.startswith("This needs the dispatcher role")
        done = await env.fake.click(env.dora, card, "Thread")
        assert done.content == "The thread opens in a moment."
        await env.fake.until(lambda: "To the thread" in render(card))
        await env.fake.until(lambda: len(env.guild.threads) == 1)
        (thread,) = env.guild.threads
        assert thread.id == card.id
        await env.push("EVENT_REMOVE_911", {"callIds": [1]})
        await env.fake.until(lambda: thread.archived)
