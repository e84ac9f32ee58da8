"""Answers as text that is the same in every run: names in place of ids, and no times."""

import re

from tests.end_to_end.environment import BotEnvironment
from tests.fake_discord import Member, render
from tests.fake_discord.interactions import InteractionReply


def steady(env: BotEnvironment, reply: InteractionReply) -> str:
    """Return what a member sees."""
    text = render(reply)
    for member in env.guild.members:
        text = text.replace(f"<@{member.id}>", f"@{member.name}")
    for role in env.guild.roles:
        text = text.replace(f"<@&{role.id}>", f"@{role.name}")
    for name, channel in env.channels.items():
        text = text.replace(f"<#{channel.id}>", f"#{name}")
    text = re.sub(r"\(https://discord\.com/channels/[0-9/]+\)", "(link)", text)
    text = re.sub(r"<(/[a-z0-9 ]+):[0-9]+>", r"<\1>", text)
    text = re.sub(r"<t:[0-9]+:([A-Za-z])>", r"<\1>", text)
    return re.sub(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "DAY", text)


async def answer_to(
    env: BotEnvironment, member: Member, command: str, /, **options: str | int
) -> str:
    """Use a command and return the private answer."""
    reply = await env.fake.slash(member, command, options=options)
    await env.fake.until(lambda: reply.answered)
    assert reply.ephemeral, command
    return steady(env, reply).removeprefix("(only you can see this)\n")


async def expect(env: BotEnvironment, reply: InteractionReply, text: str) -> str:
    """Wait for a private answer that contains a text; return it."""
    await env.fake.until(lambda: text in render(reply))
    assert reply.ephemeral
    return render(reply)


async def offered(
    env: BotEnvironment, command: str, option: str, typed: str = "", **others: str
) -> list[str]:
    """Type into an option and return the names of what is offered."""
    await env.wait_for_commands()
    choices = await env.fake.autocomplete(
        env.dora, command, focused=option, value=typed, options=others
    )
    return [choice.name for choice in choices]
