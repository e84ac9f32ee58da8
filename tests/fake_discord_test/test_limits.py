"""Rate limits, as the real discord.py lives with them."""

import asyncio
import time

import discord
import pytest

from tests.fake_discord import FakeDiscord, Guild, Rate

from .sample_bot import SampleBot


async def test_a_queue_draws_no_429(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    fake.limits.messages = Rate(5, 0.2)
    fake.limits.forget()
    begun = time.monotonic()
    for number in range(12):
        await bot.text_channel("dispatch").send(str(number))
    assert time.monotonic() - begun >= 0.4
    assert guild.channel("dispatch").texts == [str(number) for number in range(12)]
    assert fake.too_many_requests == 0


async def test_edits_use_up_the_rate_limit_of_posts(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    fake.limits.messages = Rate(5, 0.2)
    fake.limits.forget()
    sent = await bot.text_channel("dispatch").send("0")
    begun = time.monotonic()
    for number in range(1, 6):
        await sent.edit(content=str(number))
    assert time.monotonic() - begun >= 0.15
    fake.limits.edits = Rate(100, 0.2)
    fake.limits.forget()
    begun = time.monotonic()
    for number in range(12):
        await sent.edit(content=str(number))
    assert time.monotonic() - begun < 0.4
    assert guild.channel("dispatch").messages[0].edit_count == 17


async def test_channels_have_their_own_buckets(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    other = guild.add_channel("other")
    fake.limits.messages = Rate(1, 60)
    fake.limits.forget()
    first = asyncio.create_task(bot.text_channel("dispatch").send("1"))
    await fake.until(lambda: guild.channel("dispatch").messages)
    second = asyncio.create_task(bot.get_partial_messageable(other.id).send("2"))
    await fake.until(lambda: other.messages)
    for task in (first, second):
        # discord.py holds the last allowed request back until the window has passed.
        task.cancel()
    await asyncio.gather(first, second, return_exceptions=True)


async def test_a_429_is_waited_out(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    fake.fault("POST", "/messages$", status=429)
    await bot.text_channel("dispatch").send("x")
    assert [one.status for one in fake.requests_to("POST", "/messages$")] == [429, 200]
    assert fake.too_many_requests == 1


async def test_a_429_of_cloudflare_is_not_retried(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    fake.fault("POST", "/messages$", status=429, body="error code: 1015", headers={})
    with pytest.raises(discord.HTTPException) as refused:
        await bot.text_channel("dispatch").send("x")
    assert refused.value.status == 429


async def test_bursts_are_rate_limited_with_all_headers(
    fake: FakeDiscord, guild: Guild, bot: SampleBot
) -> None:
    fake.limits.messages = Rate(2, 0.1)
    fake.limits.forget()
    channel = bot.text_channel("dispatch")
    await asyncio.gather(*(channel.send(str(number)) for number in range(6)))
    assert sorted(guild.channel("dispatch").texts) == [str(number) for number in range(6)]
    fake.limits.messages = Rate(1, 60)
    fake.limits.forget()
    url, body = f"{fake.rest_url}/channels/{channel.id}/messages", {"content": "x"}
    headers = {"Authorization": f"Bot {fake.token}"}
    session = bot.http._HTTPClient__session  # type: ignore[attr-defined]
    async with session.post(url, json=body, headers=headers) as answer:
        assert answer.headers["X-RateLimit-Remaining"] == "0"
        assert 59 < float(answer.headers["X-RateLimit-Reset-After"]) <= 60
        assert float(answer.headers["X-RateLimit-Reset"]) > time.time()
    async with session.post(url, json=body, headers=headers) as answer:
        assert answer.status == 429
        assert answer.headers["Via"] == "1.1 google"
        assert answer.headers["X-RateLimit-Scope"] == "user"
        assert int(answer.headers["Retry-After"]) >= 59
        told = await answer.json()
        assert 59 < told["retry_after"] <= 60.1
        assert told["global"] is False


async def test_the_global_limit(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    fake.limits.limit_globally(0.1)
    begun = time.monotonic()
    await bot.text_channel("dispatch").send("x")
    assert time.monotonic() - begun >= 0.1
    fake.limits.everything = Rate(1, 0.05)
    await bot.text_channel("dispatch").send("y")
    await bot.text_channel("dispatch").send("z")
    assert fake.too_many_requests >= 2
    # Interaction answers are exempt.
    fake.limits.limit_globally(60)
    assert (await fake.slash(guild.owner, "drone menu")).content == "choose"


async def test_old_messages_take_few_edits(fake: FakeDiscord, guild: Guild, bot: SampleBot) -> None:
    fake.limits.old_edits = 1
    fake.limits.old_edit_retry_after = 0.01
    sent = await bot.text_channel("dispatch").send("1")
    await sent.edit(content="2")
    message = guild.channel("dispatch").messages[0]
    message.created_at = message.created_at.replace(year=2020)
    await sent.edit(content="3")
    with pytest.raises(discord.HTTPException) as refused:
        await sent.edit(content="4")
    assert (refused.value.status, refused.value.code) == (429, 30046)
    assert fake.too_many_requests == 5
