"""How many open files the system allows: every connection is one."""

import logging
import sys

SPARE_FILES = 256
"""Files besides connections: the database, Discord, the log, and what libraries open."""

log = logging.getLogger(__name__)


def affordable(connections: int) -> int:
    """Raise the limit of open files for so many connections; return for how many it suffices.

    A listener without free files would accept nobody at all.
    """
    if sys.platform == "win32":
        return connections
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft < needed:
            connections = max(16, soft - SPARE_FILES)
            log.warning(
                "Only %s connections at a time: the system allows this program %s open files.",
                connections,
                soft,
            )
    return connections
