"""kill -9: what was answered as done is there, and Discord shows it exactly once.

The kills here come at chosen moments; `make soak` kills at random ones, under load.
"""

from aiohttp.test_utils import unused_port

from tests.end_to_end.environment import BotEnvironment, call_911
from tests.soak.ledger import Ledger, broken_promises, caught_up
from tests.soak.process import bot_process, stopped

MESSAGES = r"^/channels/\d+/messages"


async def test_nothing_is_lost_or_shown_twice_when_the_process_is_killed(
    env: BotEnvironment,
) -> None:
    ledger, port, fake = Ledger(), unused_port(), env.fake
    emergency, records = env.channel("emergency"), env.channel("records")

    async def push(number: int) -> None:
        record = {"id": number, "type": 3, "name": f"record-{number}"}
        for kind, name, data in (
            ("EVENT_911", str(number), call_911(number)),
            ("EVENT_RECORD_ADD", record["name"], {"record": record}),
        ):
            async with ledger.deed(f"cad.{kind}", name):
                assert await env.push(kind, data) == 200

    with bot_process(env, port) as process:  # killed before Discord gets anything
        await env.healthy()
        fake.fault("POST", MESSAGES, reset=True, times=None)
        await push(1)
        await fake.until(lambda: len(fake.requests_to("POST", MESSAGES)) >= 2)
        process.kill()
    fake.recover()
    assert emergency.created == records.created == []

    with bot_process(env, port) as process:  # killed before the bot gets Discord's answers
        await env.healthy()
        await fake.until(lambda: emergency.created and records.created)
        fake.fault("POST", MESSAGES, reset=True, after=True, times=None)
        await push(2)
        await fake.until(lambda: len(emergency.created) == len(records.created) == 2)
        process.kill()
    fake.recover()
    fake.forget_nonces()

    with bot_process(env, port) as process:  # killed when the bot may be storing the answers
        await env.healthy()
        await push(3)
        await fake.until(lambda: len(emergency.created) == len(records.created) == 3)
        process.kill()
    fake.forget_nonces()

    with bot_process(env, port) as process:
        await env.healthy()
        await caught_up(env)
        assert await stopped(process)
    assert await broken_promises(env, ledger) == []
    assert len(emergency.created) == len(records.created) == 3
