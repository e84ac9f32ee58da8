"""How the program is, for `GET /healthz`: ready or not, and what is wrong."""

import asyncio
from collections.abc import Callable, Iterator
from importlib.metadata import version

from cogs.bot import DiscordStatus
from db.database import Database


class Health:
    """Ready while pushes can be kept; everything else that is wrong is told beside it.

    What it says is public, so it names channels as the configuration does, and no id.
    """

    def __init__(
        self,
        database: Database,
        connection: DiscordStatus,
        stop: asyncio.Event,
        closed_channels: Callable[[], list[str]],
        silent_cads: Callable[[], list[str]],
    ) -> None:
        self._database = database
        self._connection = connection
        self._stop = stop
        self._closed_channels = closed_channels
        self._silent_cads = silent_cads
        self._version = version("cad-sentinel")

    def __call__(self) -> tuple[bool, dict[str, object]]:
        """Tell whether the program is ready, and details."""
        is_ready = self._database.is_writable and not self._stop.is_set()
        return is_ready, {
            "problems": list(self._problems()),
            "version": self._version,
            "discord": self._connection.state,
        }

    def _problems(self) -> Iterator[str]:
        if self._stop.is_set():
            yield "The program is stopping."
        if not self._database.is_writable:
            yield (
                "The database could not be written last time; pushes are refused until it can be."
                " Look whether the disk is full."
            )
        if self._connection.state == "refused":
            yield "Discord refuses the bot; the log says why. Messages wait."
        elif self._connection.state == "connecting":
            yield "The bot is not connected to Discord. Messages wait."
        for name in self._closed_channels():
            named = "a rule's channel" if name.isdigit() else f"the channel {name}"
            yield (
                f"The bot may not post in {named}, or it is gone; its messages wait."
                " `cad-sentinel check` says what is missing."
            )
        for cad in self._silent_cads():
            yield f"Nothing comes from the CAD {cad}, although units are on duty."
