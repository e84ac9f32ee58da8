"""Requests with a key: each takes effect once, however often it is sent.

A program that gets no answer cannot know whether its request was carried out, so it sends the
request again with the same key (docs/protocol.md).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from db import request_keys
from db.request_keys import StoredAnswer
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context
from webhook.protocol.errors import BadJson, FieldProblem, InvalidData, KeyReused
from webhook.protocol.messages import ClientMessage, StoredReply, storable_answer

KEY = "Idempotency-Key"
MAX_KEY = 128
DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class RequestKey:
    """A key: its sender, its text, and the digest of the request."""

    sender: str
    text: str
    digest: bytes

    @classmethod
    def of(cls, sender: str, text: object, asked: Any) -> "RequestKey | None":
        """Check a key, None where none was given; `asked` is the request as it was parsed.

        The order of an object's members makes no difference to the digest, as Lua writes tables in
        any order.

        Raises:
            InvalidData: it is not a text of 1 to 128 printable characters.
            BadJson: the request is nested too deeply.
        """
        if text is None:
            return None
        if not isinstance(text, str) or not 1 <= len(text) <= MAX_KEY or not text.isprintable():
            raise InvalidData(
                FieldProblem(KEY, "must have 1 to {most} printable characters", most=MAX_KEY)
            )
        try:
            written = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:
            raise BadJson("a message with a key must not be nested so deeply") from None
        return cls(sender, text, blake2b(written, digest_size=DIGEST_BYTES).digest())


async def carry_out(
    context: Context, key: RequestKey | None, work: Callable[[Context], Awaitable[str]]
) -> tuple[str, bool]:
    """Do work in one transaction; return its answer, and whether that is a stored one.

    With the key of earlier work nothing is done, and its answer is returned. The answer is stored
    in the same transaction; work that fails leaves nothing behind, so it can be tried again.

    Raises:
        KeyReused: something else was asked with this key.
        StorageUnavailable: nothing was done.
        Exception: what the work raised; then nothing was done either.
    """
    async with context.change() as change:
        if key is not None:
            stored = await request_keys.get(change.sql, key.sender, key.text)
            if stored is not None:
                if stored.digest != key.digest:
                    raise KeyReused("another message came with this key: each needs one of its own")
                return stored.answer, True
        answer = await work(context.joining(change.sql))
        if key is not None:
            await request_keys.add(
                change.sql, key.sender, key.text, StoredAnswer(key.digest, answer), change.received
            )
        return answer, False


async def run_query(
    catalogue: Catalogue, context: Context, key: RequestKey | None, message: ClientMessage
) -> StoredReply:
    """Carry a query out in one transaction, once; raises as `carry_out` does."""

    async def work(joined: Context) -> str:
        return storable_answer(message, await catalogue.run(joined, message))

    frame, is_replayed = await carry_out(context, key, work)
    return StoredReply(frame=frame, is_replayed=is_replayed)
