"""What a push says, as a few bytes: alike for the CAD's own copy and the one passed on to us."""

from collections.abc import Iterable
from hashlib import blake2b

import orjson

from webhook.cad.events import CadEvent

SIZE = 16


def fingerprint(cad: str, events: Iterable[CadEvent]) -> bytes:
    """Return the fingerprint of a push to a CAD's key.

    It is that of what was understood: the order of members, arrays around objects and how numbers
    are written make no difference, as the game's resource parses some pushes and writes them anew.
    """
    digest = blake2b(cad.encode(), digest_size=SIZE)
    for event in events:
        written = event.model_dump(by_alias=True)
        digest.update(b"\0%b\0" % event.type.encode())
        digest.update(orjson.dumps(written, option=orjson.OPT_SORT_KEYS))
    return digest.digest()
