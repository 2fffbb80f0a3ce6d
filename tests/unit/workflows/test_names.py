"""A question is understood with the names known from before when news of them takes too long."""

import asyncio

import pytest

from bot.domain.diagnosis import Budget
from bot.domain.needs import Fact
from bot.domain.time import ScaledClock
from bot.perception.collector import NAMES_ARE_FRESH_S
from bot.workflows import inquiry
from bot.workflows.inquiry import Inquiry
from tests.unit.perception.test_collector import ENVIRONMENT, NOON, Scripted, collector, objects


async def test_a_slow_cluster_makes_nobody_forget_the_services(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inquiry, "NAMES_WITHIN_S", 0.05)
    cluster = Scripted("k", answers=Fact.OBJECTS, objects=objects(["checkout"]))
    eyes = collector(cluster)
    await eyes.service_names()
    eyes._names.at -= NAMES_ARE_FRESH_S + 1.0
    cluster.after_s, cluster.facts = 0.3, {"objects": objects(["checkout", "till"])}
    asked = Inquiry(
        environments={"prod": ENVIRONMENT}, collectors={"prod": eyes}, analyzers=(),
        clock=ScaledClock(origin=NOON), budget=Budget(seconds=60.0, queries=10),
    )  # fmt: skip
    questions = await asyncio.gather(
        *(asked.understand("why is checkout slow", previous=None) for _ in range(4))
    )
    assert [q.services for q in questions] == [("checkout",)] * 4
    assert await eyes.service_names() == ("checkout", "till"), "the reading went on"
    assert len(cluster.needs) == 2, "one for all who asked"
