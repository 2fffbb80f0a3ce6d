"""The grey watch's memory: one replica at a time, and nothing from one that lost its lease."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.storage.database import Database
from bot.storage.grey import KEPT, GreyMemory

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=61)


@pytest.fixture
def one(database: Database) -> GreyMemory:
    return GreyMemory(database, "one")


@pytest.fixture
def other(database: Database) -> GreyMemory:
    return GreyMemory(database, "other")


async def test_one_replica_watches_until_its_lease_ends(one: GreyMemory, other: GreyMemory) -> None:
    assert await one.take("prod", NOW, 60)
    assert not await other.take("prod", NOW, 60)
    assert await one.take("prod", NOW, 60)
    assert await other.take("prod", LATER, 60)
    assert not await one.take("prod", LATER, 60)


async def test_a_lease_that_is_given_back_is_free(one: GreyMemory, other: GreyMemory) -> None:
    await one.take("prod", NOW, 60)
    await other.release("prod", NOW)
    assert not await other.take("prod", NOW, 60)
    await one.release("prod", NOW)
    assert await other.take("prod", NOW, 60)


async def test_environments_are_watched_apart(one: GreyMemory, other: GreyMemory) -> None:
    assert await one.take("prod", NOW, 60)
    assert await other.take("staging", NOW, 60)


async def test_what_a_zombie_saves_is_not_kept(one: GreyMemory, other: GreyMemory) -> None:
    await one.take("prod", NOW, 60)
    assert await one.save("prod", {"looked": 1}, NOW)
    assert not await one.save("prod", {"looked": 2}, LATER)
    await other.take("prod", LATER, 60)
    assert not await one.save("prod", {"looked": 3}, LATER)
    assert (await other.load("prod"))[0] == {"looked": 1}


async def test_nothing_is_known_of_a_new_environment(one: GreyMemory) -> None:
    assert await one.load("prod") == ({}, {})
    assert not await one.save("prod", {}, NOW)


async def test_baselines_are_replaced_added_and_at_last_forgotten(one: GreyMemory) -> None:
    await one.keep("prod", {"service:a:": {"seen": 1}, "service:b:": {"seen": 1}}, NOW)
    await one.keep("prod", {"service:a:": {"seen": 2}, "service:c:": {"seen": 1}}, LATER)
    _, bodies = await one.load("prod")
    assert {k: b["seen"] for k, b in bodies.items()} == {
        "service:a:": 2, "service:b:": 1, "service:c:": 1,
    }  # fmt: skip
    await one.keep("prod", {"service:a:": {"seen": 3}}, LATER + KEPT)
    assert set((await one.load("prod"))[1]) == {"service:a:", "service:c:"}
    assert (await one.load("staging"))[1] == {}
