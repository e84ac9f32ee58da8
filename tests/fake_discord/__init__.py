"""A fake Discord that the real discord.py talks to: REST, gateway, people, faults.

async with FakeDiscord() as fake:
    guild = fake.add_guild("Los Santos")
    channel = guild.add_channel("dispatch")
    alice = guild.add_member("Alice", guild.add_role("Chief", "administrator"))
    ...                                  # start a bot with fake.token
    await fake.wait_connected()
    reply = await fake.slash(alice, "drone dispatch", property="12")
    await fake.click(alice, reply, "Approve")
    assert (await channel.next_message()).text == "..."
"""

import warnings

with warnings.catch_warnings():
    # Importing discord.py imports audioop, which Python 3.11 and 3.12 call deprecated.
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import discord  # noqa: F401

from .hurry import hurry
from .interactions import Choice, Interaction, InteractionReply
from .limits import Rate
from .messages import Message
from .people import CannotDo, NoAnswer
from .permissions import Permission
from .render import render
from .rest import RecordedRequest
from .server import FakeDiscord, point_discord_py
from .threads import Forum, Thread, add_forum, add_thread
from .world import Channel, DirectChannel, Guild, Member, Role, User

__all__ = [
    "CannotDo",
    "Channel",
    "Choice",
    "DirectChannel",
    "FakeDiscord",
    "Forum",
    "Guild",
    "Interaction",
    "InteractionReply",
    "Member",
    "Message",
    "NoAnswer",
    "Permission",
    "Rate",
    "RecordedRequest",
    "Role",
    "Thread",
    "User",
    "add_forum",
    "add_thread",
    "hurry",
    "point_discord_py",
    "render",
]
