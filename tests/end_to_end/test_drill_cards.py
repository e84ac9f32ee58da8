"""`/test`: a card that shows where something is posted, and whom it mentions."""

from bot.settings import RuleSettings
from cogs.cards.drills import KINDS
from cogs.commands.admin.drills import EVENTS
from tests.end_to_end.answers import expect
from tests.end_to_end.environment import BotEnvironment
from tests.fake_discord import render


def test_every_kind_has_an_event() -> None:
    assert EVENTS.keys() == KINDS.keys()


async def test_card_goes_where_the_rules_say_and_mentions_nobody_unasked(
    env: BotEnvironment,
) -> None:
    boss = env.guild.add_member("Boss", env.guild.add_role("Owner", "manage_guild"))
    env.rules = [RuleSettings(name="houses", types=["alerts"], silent=True)]
    other = env.guild.add_channel("other")
    async with env.bot_running():
        await env.wait_for_commands()
        env.allow_every_command()
        refused = await env.fake.slash(env.anna, "test", kind="panic")
        await expect(env, refused, "This needs the admin role")
        panic = env.channel("panic")
        done = await env.fake.slash(boss, "test", kind="Panic")
        await expect(env, done, f"Test card posted in <#{panic.id}>.")
        first = await panic.next_message()
        assert "# TEST · Panic" in render(first)
        assert f"A test by <@{boss.id}>. Nothing has happened" in render(first)
        assert first.pings == []
        loud = await env.fake.slash(boss, "test", kind="panic", ping=True)
        await expect(env, loud, f"It mentions <@&{env.on_call.id}>.")
        assert (await panic.next_message()).pings == [env.on_call]
        silenced = await env.fake.slash(boss, "test", kind="alerts")
        await expect(env, silenced, "The rule houses silences this; choose a channel.")
        crimes = env.channel("crimes")
        chosen = await env.fake.slash(
            boss, "test", options={"kind": "alerts", "channel": crimes, "ping": True}
        )
        await expect(env, chosen, "The real thing would mention nobody.")
        assert "# TEST · Alarm" in render(await crimes.next_message())
        nowhere = await env.fake.slash(boss, "test", options={"kind": "panic", "channel": other})
        await expect(env, nowhere, "Nothing is posted there; choose a channel of the bot.")
        unknown = await env.fake.slash(boss, "test", kind="x")
        await expect(env, unknown, "There is no test of “x”; choose one from the list.")
    assert other.messages == []
