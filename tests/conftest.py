"""What all tests share: how hard Hypothesis looks, and a database on a real file.

`HYPOTHESIS_PROFILE=thorough pytest` looks longer than a change should have to wait for.
"""

import gc
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from db.database import Database
from tests.databases import open_new_database

_ALWAYS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

settings.register_profile(
    "quick", max_examples=25, deadline=None, suppress_health_check=_ALWAYS, print_blob=True
)
settings.register_profile("thorough", settings.get_profile("quick"), max_examples=250)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_collection_finish() -> None:
    """Spare the garbage collector the program itself: it would look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _temporary_folder_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the locks of these bots' tokens apart from those of other test runs."""
    os.environ["TMPDIR"] = tempfile.tempdir = str(tmp_path_factory.mktemp("temporary"))


@pytest.fixture
def database_path(tmp_path: Path) -> Path:
    """Where a test keeps its database; the file does not exist yet."""
    return tmp_path / "sentinel.db"


@pytest.fixture
async def database(database_path: Path) -> AsyncIterator[Database]:
    """An open database with nothing in it."""
    async with open_new_database(database_path) as database:
        yield database
