"""The examples are run once for all tests."""

import asyncio

import pytest

from tests.docs.examples import Frame, Results, provoke_errors, run_examples


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What every example of docs/protocol.md really does."""
    return asyncio.run(run_examples(tmp_path_factory.mktemp("protocol")))


@pytest.fixture(scope="session")
def provoked_errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Frame]:
    """The errors that no harmless message brings about, by their code."""
    return asyncio.run(provoke_errors(tmp_path_factory.mktemp("provoked_errors")))
