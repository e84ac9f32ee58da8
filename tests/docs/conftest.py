"""The examples are run once for all tests."""

import asyncio

import pytest

from tests.docs.performance import Frame, Performance, perform, provoke


@pytest.fixture(scope="session")
def performance(tmp_path_factory: pytest.TempPathFactory) -> Performance:
    """What every example of docs/protocol.md really does."""
    return asyncio.run(perform(tmp_path_factory.mktemp("protocol")))


@pytest.fixture(scope="session")
def provoked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Frame]:
    """The errors that no harmless message brings about, by their code."""
    return asyncio.run(provoke(tmp_path_factory.mktemp("provoked")))
