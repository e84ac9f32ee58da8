"""Operations and queries: each is one typed function, declared with the scope that it needs."""

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar, get_type_hints

from db import access
from webhook.protocol.context import Context, Scope, Share
from webhook.protocol.errors import UnknownType
from webhook.protocol.messages import QUERIES, SHOWN_TYPE_LENGTH, ClientMessage, read_message
from webhook.protocol.wire import Reply, Request, Wire, validate

P = ParamSpec("P")
R = TypeVar("R")
ReplyT = TypeVar("ReplyT", bound=Reply)
Operation = Callable[Concatenate[Context, P], Awaitable[R]]


class Nothing(Request):
    """The request of a query that takes no data."""


@dataclass(frozen=True)
class Query:
    name: str
    aliases: tuple[str, ...]
    scope: Scope
    share: Share | None
    ask: type[Wire]
    reply: type[Reply]
    summary: str
    operation: Callable[..., Awaitable[Reply]]

    @property
    def types(self) -> tuple[str, ...]:
        """The types of its messages; the first one is not an alias."""
        return tuple(QUERIES + name for name in (self.name, *self.aliases))


class Catalogue:
    """A set of queries. Each module has one; `Catalogue.join` makes one of them."""

    def __init__(self) -> None:
        self.queries: list[Query] = []
        self._by_type: dict[str, Query] = {}

    @classmethod
    def join(cls, *parts: "Catalogue") -> "Catalogue":
        """Join catalogues.

        Raises:
            ValueError: a name occurs twice.
        """
        joined = cls()
        for part in parts:
            for query in part.queries:
                joined._add(query)
        return joined

    def query(
        self,
        name: str,
        *aliases: str,
        scope: Scope,
        share: Share | None = None,
    ) -> Callable[[Operation[P, ReplyT]], Operation[P, ReplyT]]:
        """Declare a function as an operation and as the query `queries.<name>`.

        The request and reply models are read from its annotations.
        """

        def declare(function: Operation[P, ReplyT]) -> Operation[P, ReplyT]:
            declared = operation(scope=scope, share=share)(function)
            hints = get_type_hints(function)
            reply = hints.pop("return")
            hints.pop("context")
            ask = next(iter(hints.values()), Nothing)
            summary = (function.__doc__ or "").strip().partition("\n")[0]
            self._add(Query(name, aliases, scope, share, ask, reply, summary, declared))
            return declared

        return declare

    def read(self, raw: bytes | str) -> ClientMessage:
        """Read a frame; never raises."""
        return self.name_query(read_message(raw))

    def name_query(self, message: ClientMessage) -> ClientMessage:
        """Return a message that says which query it is, for its answer."""
        query = self._by_type.get(message.type)
        return message if query is None else message._replace(query=query.types[0])

    async def run(self, context: Context, message: ClientMessage) -> Reply:
        """Find the query that a message names, check its data, and run it.

        Raises:
            UnknownType: there is no such query.
            SentinelError: the data is invalid, or the query rejects it.
        """
        query = self._by_type.get(message.type)
        if query is None:
            shown = message.type[:SHOWN_TYPE_LENGTH]
            if (meant := f"{QUERIES}{shown}") in self._by_type:
                raise UnknownType(
                    "unknown message type {type!r}; did you mean {meant!r}?",
                    type=shown,
                    meant=meant,
                )
            raise UnknownType("unknown message type {type!r}", type=shown)
        request = validate(query.ask, message.data)
        if isinstance(request, Request):
            request = await request.resolve(context.read)
        if query.ask is Nothing:
            return await query.operation(context)
        return await query.operation(context, request)

    def only_reads(self, message: ClientMessage) -> bool:
        """Whether a message is a query that changes nothing."""
        query = self._by_type.get(message.type)
        return query is not None and query.scope <= Scope.READ

    @property
    def names(self) -> frozenset[str]:
        """All names and aliases."""
        return frozenset(kind.removeprefix(QUERIES) for kind in self._by_type)

    def _add(self, query: Query) -> None:
        for kind in query.types:
            if kind in self._by_type:
                raise ValueError(f"the query {kind.removeprefix(QUERIES)} is declared twice")
            self._by_type[kind] = query
        self.queries.append(query)


def operation(
    *, scope: Scope, share: Share | None = None
) -> Callable[[Operation[P, R]], Operation[P, R]]:
    """Declare a function as an operation; without `Catalogue.query` only Discord can call it.

    The caller must have the scope, or that share in the property that the first argument is about.
    """

    def declare(function: Operation[P, R]) -> Operation[P, R]:
        @functools.wraps(function)
        async def authorised(context: Context, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if context.caller.scope < scope:
                ask = args[0] if args else None
                if share is None or not await _has_share(context, share, ask):
                    context.caller.must(scope)
            return await function(context, *args, **kwargs)

        return authorised

    return declare


async def _has_share(context: Context, share: Share, ask: object) -> bool:
    if not context.caller.is_person or not isinstance(ask, Request):
        return False
    property_id = await ask.which_property(context.read)
    if property_id is None:
        return False
    held = await access.share_of(context.read, property_id, context.caller.user_ids)
    return held is not None and held >= share
