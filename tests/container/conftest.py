"""The image that ``./run image --way debian`` has built; without one, these tests say so and are skipped."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.container import Containers, Image, find_image


@pytest.fixture(scope="session")
def image() -> Image:
    """The built image."""
    found = find_image()
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture
async def containers(image: Image, tmp_path: Path) -> AsyncIterator[Containers]:
    """What starts the image; whatever it has started is gone after the test."""
    containers = Containers(image, tmp_path)
    yield containers
    await containers.remove()
