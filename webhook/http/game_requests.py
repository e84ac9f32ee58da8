"""`POST /api/cad-requests`: the game server claims what is asked of its CAD, and answers it."""

from collections.abc import Callable, Mapping
from typing import Annotated

import orjson
from aiohttp import web
from pydantic import Field

from webhook.cad_api.client import ANSWER_VALUES
from webhook.cad_api.game_server import GameAnswer, GameRequest, GameServerTransport
from webhook.http.api import frame_response
from webhook.http.authentication import Authenticator
from webhook.http.bodies import BodyReader
from webhook.protocol.context import Context, Scope
from webhook.protocol.json_reader import parse_json
from webhook.protocol.messages import error_answer, to_sentinel_error
from webhook.protocol.wire import Request, validate

ANSWER_BYTES = 4 * 1024 * 1024
"""The longest answer."""


class GamePoll(Request):
    """What a game server says: which answers it has, and whether it can take requests.

    `cad`: the name of its CAD, blank where there is one. `wait`: so many seconds for requests;
    absent: it takes none now. `session`: of its resource; `working_on`: the requests that it has
    got and not answered yet.
    """

    session: Annotated[str, Field(min_length=1, max_length=64)]
    cad: Annotated[str, Field(max_length=32)] = ""
    wait: Annotated[float, Field(ge=0, le=4)] | None = None
    working_on: Annotated[list[str], Field(max_length=1000)] = []  # noqa: RUF012 - never changed
    answers: Annotated[list[GameAnswer], Field(max_length=100)] = []  # noqa: RUF012


class GameRequests:
    """The handler; `arrived` is called when a game server has come."""

    def __init__(
        self,
        context: Context,
        authenticator: Authenticator,
        bodies: BodyReader,
        transports: Mapping[str, GameServerTransport],
        arrived: Callable[[], None],
    ) -> None:
        self._context = context
        self._authenticator = authenticator
        self._bodies = bodies
        self._transports = transports
        self._arrived = arrived

    async def answer(self, request: web.Request) -> web.Response:
        """Take answers, and return the requests that the game server shall carry out."""
        context = self._context.of(await self._authenticator.authenticate(request))
        try:
            context.caller.must(Scope.WRITE)
            text = await self._bodies.read(request, ANSWER_BYTES)
            poll = validate(GamePoll, parse_json(text, max_values=ANSWER_VALUES))
            transport = self._transport_of(poll.cad)
            found = [] if transport is None else await self._exchange(transport, poll)
        except Exception as exception:
            return frame_response(request, error_answer(to_sentinel_error(exception)))
        answer = {
            "isWanted": transport is not None,
            "requests": [{"id": one.id, "kind": one.kind, "body": one.body} for one in found],
        }
        return web.Response(body=orjson.dumps(answer), content_type="application/json")

    def close(self) -> None:
        """Answer all polls at once, and let none wait any more."""
        for transport in self._transports.values():
            transport.close()

    async def _exchange(self, transport: GameServerTransport, poll: GamePoll) -> list[GameRequest]:
        for answer in poll.answers:
            transport.note_answer(answer)
        if poll.wait is None:
            return []
        if transport.note_poll(poll.session, poll.working_on):
            self._arrived()
        return await transport.claim(poll.session, poll.wait)

    def _transport_of(self, cad: str) -> GameServerTransport | None:
        """Return a CAD's transport; None if the bot has its key, or knows no such CAD."""
        if not cad:
            return next(iter(self._transports.values()), None)
        names = self._transports.keys()
        found = next((name for name in names if name.casefold() == cad.casefold()), None)
        return None if found is None else self._transports[found]
