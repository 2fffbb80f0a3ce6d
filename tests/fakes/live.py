"""Breaks shops on a real cluster unannounced and has the bot say what is wrong, as `ask` does."""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.app.watching import inquiry_of
from bot.domain.diagnosis import Diagnosis, Status
from bot.domain.environment import Environment
from bot.domain.time import ScaledClock
from bot.evaluation.cloud_opsbench.labels import answer_of
from bot.settings import Settings
from bot.workflows.asking import Answered, answer_live
from policies.catalog import load as load_runbooks
from tests.fakes.faults import Fault, Place
from tests.fakes.faults.shop import open_shop, opened
from tests.fakes.real_cluster import RealCluster

QUESTION = "What is wrong?"  # nothing about the fault, the victim or the kind


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was put in, and what the bot made of it."""

    fault: Fault
    truth: str  # "kind/name"
    victim: str
    cause: str
    object: str
    label: str  # the answer in Cloud-OpsBench's names
    confidence: float
    took_s: float
    summary: str
    shown: bool  # whether a person could see it

    @property
    def right(self) -> bool:
        """Whether cause and object are both right."""
        return self.shown and self.cause in self.fault.cause and self.object == self.truth


def ask(environment: Environment, text: str = QUESTION) -> Answered:
    """Investigate through the environment's read tools alone."""
    clock = ScaledClock(origin=datetime.now(UTC))
    inquiry = inquiry_of(Settings(), [environment], clock)
    return asyncio.run(answer_live(inquiry, load_runbooks(), text, environment.name))


def judge(fault: Fault, place: Place) -> Outcome:
    """Ask what is wrong in the place, and keep the answer beside the truth."""
    began = time.monotonic()
    environment = place.cluster.environment(place.namespace)
    connections = {**environment.connections, **place.connections}
    answered = ask(replace(environment, connections=connections))
    took = time.monotonic() - began
    diagnosis = answered.report.diagnosis
    cause, blamed, label = _said(diagnosis)
    return Outcome(
        fault=fault, truth=fault.truth(place), victim=place.victim, cause=cause, object=blamed,
        label=label, confidence=diagnosis.confidence, took_s=took, summary=diagnosis.summary,
        shown=bool(fault.shows(place)),
    )  # fmt: skip


def _said(diagnosis: Diagnosis) -> tuple[str, str, str]:
    first = diagnosis.cause
    if diagnosis.status is not Status.ROOT_CAUSE or first is None:
        return diagnosis.status.value, "", ""
    return first.cause, first.object, answer_of(first)[0]


@contextlib.contextmanager
def broken(
    cluster: RealCluster,
    faults: Sequence[Fault],
    registry: str,
    *,
    victims: Sequence[str] = ("cart",),
) -> Iterator[list[tuple[Fault, Place]]]:
    """Yield one broken shop a fault and victim, all at once: each in a namespace of its own.

    What reaches the whole node is done alone, by giving it as the only fault.
    """
    with contextlib.ExitStack() as stack:
        places = [
            (fault, stack.enter_context(_place(cluster, registry, victim)))
            for fault in faults
            for victim in victims
        ]
        for _, place in places:
            open_shop(cluster, place.namespace)
        for _, place in places:
            opened(cluster, place.namespace)
        with ThreadPoolExecutor(len(places)) as pool:
            list(pool.map(lambda each: each[0].prepare(each[1]), places))
        for fault, place in places:
            fault.inject(place)
        _wait_for_all(places)
        yield places


def _wait_for_all(places: Sequence[tuple[Fault, Place]]) -> None:
    """Wait until all faults show, or their time is over: then the answers are judged anyway."""
    began, unseen = time.monotonic(), list(places)
    while unseen:
        unseen = [
            (fault, place)
            for fault, place in unseen
            if time.monotonic() - began < fault.within_s and not fault.shows(place)
        ]
        time.sleep(0.5)


@contextlib.contextmanager
def _place(cluster: RealCluster, registry: str, victim: str) -> Iterator[Place]:
    with cluster.namespace("shop") as namespace:
        place = Place(cluster=cluster, namespace=namespace, registry=registry, victim=victim)
        try:
            yield place
        finally:
            place.leave()


def table(outcomes: Sequence[Outcome]) -> str:
    """Return one line an outcome."""
    return "\n".join(
        f"{'ok ' if o.right else 'NO '} {o.fault.name:32} {o.victim:12} {o.cause:36} "
        f"{o.object:24} {o.confidence:4.2f} {o.took_s:5.1f} s" + ("" if o.shown else "  not shown")
        for o in outcomes
    )
