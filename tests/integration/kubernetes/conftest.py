"""Stories that are told at the same time on the real cluster, each ended before it is judged."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.fakes.faults.registry import empty_registry
from tests.fakes.real_cluster import RealCluster
from tests.fakes.real_story import Story, stories

AT_ONCE = 5
Told = Mapping[str, tuple[Story, str]]  # the story, and what went wrong in it ("" if nothing did)


@contextmanager
def telling(
    cluster: RealCluster, home: Path, names: Sequence[str], tell: Callable[[Story], object]
) -> Iterator[Told]:
    """Yield all stories when they are over; the bot is there until then, a shop for its story."""
    with (
        empty_registry() as registry,
        stories(cluster, home, registry, names) as (_, opened),
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        endings = pool.map(lambda story: _ended(story, tell), opened.values())
        yield dict(zip(opened, zip(opened.values(), endings, strict=True), strict=True))


def _ended(story: Story, tell: Callable[[Story], object]) -> str:
    try:
        with story.opened():
            began = time.monotonic()
            tell(story)
            story.took_s = time.monotonic() - began
    except (AssertionError, requests.RequestException) as error:
        return str(error) or "it did not end as it should"
    return ""


@pytest.fixture(scope="session")
def registry() -> Iterator[str]:
    """Yield the address of a registry that has no image."""
    with empty_registry() as address:
        yield address
