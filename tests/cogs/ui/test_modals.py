"""Forms are carried out by whichever process they reach, and lose no text."""

from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from aiohttp.test_utils import unused_port
from hypothesis import given
from hypothesis import strategies as st

from cogs.ui import modals
from cogs.ui.modals import Answers
from tests.end_to_end.answers import expect
from tests.end_to_end.environment import BotEnvironment
from tests.fake_discord import render
from tests.fake_discord.interactions import InteractionReply
from tests.soak.process import bot_process

GIVEN_BACK = "This is what you typed:\n```\n{text}\n```"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "custom_id", "component", "components", "value", "values"]),
            inner,
        )
    ),
    max_leaves=12,
)


async def _edit_form(env: BotEnvironment) -> InteractionReply:
    await env.wait_for_commands()
    await env.add_property("Villa")
    shown = await env.fake.slash(env.dora, "property show", property="1")
    await env.fake.until(lambda: bool(shown.components))
    return await env.fake.click(env.dora, shown, "Edit")


async def _reject_form(env: BotEnvironment) -> InteractionReply:
    await env.wait_for_commands()
    await env.add_property("Villa")
    shown = await env.fake.slash(env.anna, "property show", property="1")
    await env.fake.until(lambda: bool(shown.components))
    return await env.fake.click(env.anna, shown, "Reject")


async def test_a_form_that_was_open_when_the_bot_was_killed_is_carried_out(
    env: BotEnvironment,
) -> None:
    with bot_process(env, unused_port()) as process:
        await env.healthy()
        edit = await _edit_form(env)
        process.kill()
    async with env.bot_running():
        await env.fake.wait_connected()
        await env.query("change-property-size", propertyId=1, width=7, height=8)
        done = await env.fake.submit(env.dora, edit, {"Coordinates: x, y": "5, 6"})
        # What was not touched in the form is not set back.
        await expect(env, done, "**Villa**: 7 × 8 m at 5, 6")


async def test_a_form_of_another_version_gives_the_text_back(env: BotEnvironment) -> None:
    async with env.bot_running():
        form = await _reject_form(env)
        assert form.modal is not None
        custom_id, reason = form.modal["custom_id"], form.modal["components"][0]["component"]
        for other in ("4f2a9c", "", "property:reject:x", "property:paint:1"):
            form.modal["custom_id"] = other
            sent = await env.fake.submit(env.anna, form, {"Reason": "No @everyone *here*"})
            await expect(env, sent, "This form is from another version of the bot; open it again.")
            await expect(env, sent, GIVEN_BACK.format(text="No @everyone *here*"))
        form.modal["custom_id"] = custom_id
        reason["custom_id"] = "motive"
        sent = await env.fake.submit(env.anna, form, {"Reason": "No"})
        await expect(env, sent, GIVEN_BACK.format(text="No"))
        empty = await env.fake.submit(env.anna, form, {})
        assert render(await _answered(env, empty)).endswith("open it again.")
        reason["custom_id"] = "reason"
        await expect(env, await env.fake.submit(env.anna, form, {"Reason": "No"}), "rejected.")


async def test_a_failed_form_gives_back_the_changes(env: BotEnvironment) -> None:
    async with env.bot_running():
        form = await _reject_form(env)
        env.anna.remove_role(env.approvers)
        refused = await env.fake.submit(env.anna, form, {"Reason": "Too close to the pier"})
        await expect(env, refused, "This needs the approver role")
        await expect(env, refused, GIVEN_BACK.format(text="Too close to the pier"))
        for text in ("x" * 1_000, "```\nrm -rf\n```"):
            long = await env.fake.submit(env.anna, form, {"Reason": text})
            await expect(env, long, "This is what you typed:")
            assert long.message is not None
            assert text in render(long) or long.message.attachments
        assert "(file text.txt)" in render(long)
        shown = await env.fake.slash(env.dora, "property show", property="1")
        edit = await env.fake.click(env.dora, shown, "Edit")
        wrong = await env.fake.submit(env.dora, edit, {"Status": "y" * 33})
        await expect(env, wrong, GIVEN_BACK.format(text="y" * 33))


async def test_slow_commands_are_deferred(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modals, "DEFER_AFTER", 0)
    async with env.bot_running():
        form = await _reject_form(env)
        sent = await env.fake.submit(env.anna, form, {"Reason": "No"})
        await expect(env, sent, "rejected.")
        assert sent.deferred
        late = await env.fake.submit(env.anna, form, {"Reason": "No"})
        await expect(env, late, GIVEN_BACK.format(text="No"))


@given(JSON)
def test_any_submitted_form_can_be_read(components: object) -> None:
    interaction = SimpleNamespace(data={"components": components})
    answers = Answers.of(cast("discord.Interaction[Any]", interaction))
    assert answers.changed.keys() <= answers.names


async def _answered(env: BotEnvironment, reply: InteractionReply) -> InteractionReply:
    await env.fake.until(lambda: reply.answered)
    return reply
