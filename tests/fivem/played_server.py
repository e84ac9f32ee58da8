"""A game server that runs by itself, in a thread of its own, beside an event loop."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.fivem.conftest import NAME, RESOURCE
from tests.fivem.fxserver import FXServer

SONORAN = (Path(__file__).parent / "sonorancad.lua").read_text()


class PlayedServer:
    """The resources `sonorancad` and `cad-sentinel` at work, until the block ends: by a kill.

    `prepare` is called before they start. Errors of scripts are raised at the end.
    """

    def __init__(
        self,
        folder: Path,
        convars: dict[str, str],
        prepare: Callable[[FXServer], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._convars = convars
        self._prepare = prepare
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._errors: list[str] = []
        self.console: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        assert self._errors == []

    def _play(self) -> None:
        self._folder.mkdir(exist_ok=True)
        with FXServer(self._folder) as server:
            server.convars |= self._convars
            server.add_script("sonorancad", SONORAN)
            server.add(RESOURCE)
            self.console = server.console
            self._prepare(server)
            server.start("sonorancad", NAME)
            while not self._is_over.is_set():
                server.tick()
            self._errors = server.errors
