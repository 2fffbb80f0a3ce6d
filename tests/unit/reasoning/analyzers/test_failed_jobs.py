"""A Job that failed for good is named, unless a later run made it good or nobody asks."""

from dataclasses import replace
from typing import Any

from bot.domain.snapshot import KubernetesObject
from bot.reasoning.analyzers.failed_jobs import look
from tests.fakes.cluster import answer, event, item, question, snapshot

FAILED = {
    "type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
    "message": "Job has reached the specified backoff limit",
    "lastTransitionTime": "2026-01-02T03:00:00Z",
}  # fmt: skip


def job(name: str = "nightly-1", maker: str = "nightly", **status: Any) -> KubernetesObject:
    owners = [{"kind": "CronJob", "name": maker}] if maker else []
    return item("Job", name, metadata={"ownerReferences": owners}, spec={}, status=status)


def ended(owner: KubernetesObject, code: int) -> KubernetesObject:
    state = {"terminated": {"exitCode": code, "reason": "Error"}}
    return item(
        "Pod", f"{owner.name}-abcde",
        metadata={"ownerReferences": [{"kind": "Job", "name": owner.name}]}, spec={},
        status={"phase": "Failed", "containerStatuses": [{"name": "app", "state": state}]},
    )  # fmt: skip


def test_a_job_out_of_tries_is_the_answer_when_nothing_else_is_asked() -> None:
    broken = job(conditions=[FAILED])
    facts = snapshot(broken, ended(broken, 3), event(broken, "BackoffLimitExceeded", "no more"))
    found = look(facts, question())
    assert answer(found) == ("job_failed", "job/nightly-1")
    said = " ".join(e.statement for e in found.hypotheses[0].evidence)
    assert "exit code 3" in said
    assert "backoff limit" in said
    assert found.needs[0].services == ("nightly-1",)


def test_one_that_is_asked_about_counts_though_it_failed_long_ago() -> None:
    old = {**FAILED, "lastTransitionTime": "2025-12-24T00:00:00Z"}
    facts = snapshot(job(conditions=[old]))
    assert look(facts, question()).hypotheses == ()
    asked = replace(question(), services=("nightly",))
    assert answer(look(facts, asked)) == ("job_failed", "job/nightly-1")


def test_a_failed_job_is_no_answer_to_a_question_about_another_service() -> None:
    facts = snapshot(job(conditions=[FAILED]))
    assert look(facts, replace(question(), services=("checkout",))).hypotheses == ()


def test_a_later_run_that_succeeded_makes_it_good() -> None:
    later = job("nightly-2", completionTime="2026-01-02T03:02:00Z")
    assert look(snapshot(job(conditions=[FAILED]), later), question()).hypotheses == ()
    other = job("weekly-1", "weekly", completionTime="2026-01-02T03:02:00Z")
    assert answer(look(snapshot(job(conditions=[FAILED]), other), question())) is not None


def test_a_job_that_still_tries_or_is_malformed_is_left_alone() -> None:
    odd: list[dict[str, Any]] = [
        {}, {"conditions": None}, {"conditions": ["Failed"]}, {"failed": 2, "active": 1},
        {"conditions": [{**FAILED, "status": "False"}]},
        {"conditions": [{**FAILED, "lastTransitionTime": "yesterday"}]},
    ]  # fmt: skip
    for status in odd:
        assert look(snapshot(job(**status)), question()).hypotheses == ()
