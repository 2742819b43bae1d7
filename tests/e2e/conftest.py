from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.house import PEOPLE
from tests.e2e.stage import Stage, staged


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all, since they share a bot."""
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """One running bot for all tests that make groups of their own."""
    async with staged(tmp_path_factory.mktemp("stage")) as shared:
        shared.environment["OPERATOR_IDS"] = str(PEOPLE["operator"])
        await shared.start_bot()
        yield shared


@pytest_asyncio.fixture(loop_scope="session")
async def own_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A sandbox for one test alone; its bot isn't started yet."""
    async with staged(tmp_path_factory.mktemp("own")) as own:
        yield own
