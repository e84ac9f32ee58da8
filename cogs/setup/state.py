"""What a page of the set-up wizard is made from, and the sets of channels that can be created."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import discord

from cogs.routing.community import CommunityTexts
from cogs.routing.layout import PRESET, Layout, merged_layout, single_id
from cogs.routing.setup_health import call_problem, find_channel, find_role, problem_of
from cogs.routing.visibility import CalledRole, HiddenChannel, hidden_channels, writable_channels
from cogs.setup.keys import CHANNELS, ROLES

SMALL = "small"
FULL = "full"

PRESETS: dict[str, dict[str, tuple[str, ...]]] = {
    SMALL: {
        "board": ("channels.board",),
        "dispatch": (
            "channels.dispatch",
            "channels.emergency",
            "channels.panic",
            "channels.records",
        ),
        "security": (
            "channels.alerts",
            "channels.visits",
            "channels.crimes",
            "channels.access",
            "channels.properties",
            "channels.drones",
        ),
        "approvals": ("channels.approvals",),
        "log": ("channels.log",),
    },
    FULL: {key.removeprefix("channels."): (key,) for key in CHANNELS if key != "channels.units"},
}
"""The channels that can be created together, with what is posted there. Statuses drown all else,
and the board shows them: who wants each change chooses a channel for them.
"""


@dataclass(frozen=True)
class SetupState:
    """What a page is made from: the file's layout, what was chosen here, and the server.

    `called_roles` follow from both. `texts` count now, `chosen_texts` were chosen here.
    """

    file: Layout
    chosen: Layout
    guild: discord.Guild
    guilds: tuple[discord.Guild, ...]
    called_roles: Sequence[CalledRole]
    texts: CommunityTexts
    chosen_texts: CommunityTexts

    @property
    def layout(self) -> Layout:
        return merged_layout(self.file, self.chosen)

    def usable(self, key: str, guilds: Sequence[discord.Guild]) -> list[int]:
        """Return the ids of a key that exist in these servers."""
        found = find_channel if key in CHANNELS else find_role
        return [number for number in self.layout[key] if found(guilds, number) is not None]

    def problem(self, key: str, number: int) -> str:
        """Say why a role or a channel of a key is of no use; blank if it is well."""
        calls = [one for one in self.called_roles if (one.what, one.role_id) == (key, number)]
        problems = [problem_of(self.guilds, key, number)]
        problems += [call_problem(self.guilds, called) for called in calls]
        return next(filter(None, problems), "")

    def hidden(self) -> list[HiddenChannel]:
        """Return the channels that roles cannot see and should."""
        find = partial(find_channel, self.guilds)
        return hidden_channels(find, self.layout, self.called_roles)

    def writable(self) -> list[discord.abc.GuildChannel]:
        """Return the channels made by /setup in which others than the bot write."""
        return writable_channels(partial(find_channel, self.guilds), self.layout)

    def missing_roles(self) -> list[str]:
        """Return the roles that do not exist, unless none was chosen on purpose."""
        return [key for key in ROLES if self._is_missing(key)]

    def missing_channels(self, preset: str) -> dict[str, list[str]]:
        """Return what is posted nowhere, unless on purpose, by the preset's channel for it."""
        found = {
            name: list(filter(self._is_missing, keys)) for name, keys in PRESETS[preset].items()
        }
        return {name: keys for name, keys in found.items() if keys}

    def presets(self) -> list[str]:
        """Return which presets can be created: once there are channels, only what they are.

        Before it was stored which that is, channels that are used twice were a small set.
        """
        shared = [self.usable(key, self.guilds) for key in CHANNELS if key != "channels.board"]
        ids = [number for usable in shared for number in usable]
        if not ids:
            return list(PRESETS)
        stored = single_id(self.layout, PRESET)
        if stored:
            return [list(PRESETS)[stored - 1]]
        return [SMALL] if len(set(ids)) < len(ids) else [FULL]

    def _is_missing(self, key: str) -> bool:
        return self.chosen.get(key) != () and not self.usable(key, self.guilds)
