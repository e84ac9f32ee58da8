"""Who is called by a 911 call and by an alarm: once each, in time, and not during a pause."""

from bot.settings import Channels, Roles
from tests.end_to_end.answers import answer_to
from tests.end_to_end.environment import BotEnvironment, call_911
from tests.end_to_end.test_setup import boss, configure, open_page, shown, started
from tests.fake_discord import Channel, Member, render
from tests.fake_discord.world import Role

__all__ = ["boss"]


async def _choose(env: BotEnvironment, member: Member, what: str, role: Role) -> None:
    page = await open_page(env, member, "pings")
    await env.fake.choose(member, page, "Choose existing ones", [what])
    await shown(env, page, "Which role?")
    await env.fake.choose(member, page, "Which role?", [role])
    await shown(env, page, "Chosen here")


def _pings(channel: Channel) -> list[list[Member | Role | str]]:
    return [one.pings for one in channel.created if one.pings]


async def test_calls_and_alarms_call_their_role_once_in_time_and_unless_paused(
    env: BotEnvironment, boss: Member
) -> None:
    calls, alarms = env.channel("emergency"), env.channel("alerts")
    configure(env, channels=Channels(emergency=calls.id, alerts=alarms.id), roles=Roles())
    fire, guards = (env.guild.add_role(name, mentionable=True) for name in ("Fire", "Guards"))
    async with env.bot_running():
        await started(env)
        await _choose(env, boss, "emergency_role", fire)
        await _choose(env, boss, "alarm_role", guards)
        for place in ("Villa", "Pier", "Garage"):
            await env.add_property(place)
        # One call, told three times and changed; one alarm, raised twice.
        for text in ("Smoke", "Smoke", "Fire now"):
            assert await env.push("EVENT_911", call_911(1, description=text)) == 200
        await env.fake.until(lambda: "Fire now" in render(calls.messages[-1]))
        assert await env.push("EVENT_911", call_911(2, isEmergency=False)) == 200
        await env.fake.until(lambda: len(calls.messages) == 2)
        for _ in range(2):
            await env.query("add-alert", propertyId=1, userId="license:burglar")
        await env.fake.until(
            lambda: alarms.messages and "the last by" in render(alarms.messages[0])
        )
        assert (_pings(calls), _pings(alarms)) == ([[fire]], [[guards]])
    async with env.bot_running():
        await started(env)
        env.headers = {"X-Event-Age": "600"}
        assert await env.push("EVENT_911", call_911(3)) == 200
        await env.query("add-alert", propertyId=2, userId="license:burglar")
        env.headers = {}
        await env.fake.until(lambda: len(calls.messages) == 3 and len(alarms.messages) == 2)
        assert "Nobody is mentioned" in await answer_to(env, boss, "pause", time="1h")
        assert await env.push("EVENT_911", call_911(4)) == 200
        await env.query("add-alert", propertyId=3, userId="license:burglar")
        await env.fake.until(lambda: len(calls.messages) == 4 and len(alarms.messages) == 3)
        assert (_pings(calls), _pings(alarms)) == ([[fire]], [[guards]])
        await answer_to(env, boss, "pause", time="end")
        assert await env.push("EVENT_911", call_911(5)) == 200
        await env.fake.until(lambda: _pings(calls) == [[fire], [fire]])
