"""A case is kept with its answer, and two answers are compared in words."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import Malformed
from bot.evaluation.comparison import differences
from bot.evaluation.keeping import answer_of, vacant

ANSWER: dict[str, Any] = {
    "diagnosis": {
        "status": "root_cause", "cause": "slow_query", "object": "deployment/cart",
        "confidence": 0.9,
    },
    "hypotheses": [{"cause": "slow_query", "object": "deployment/cart", "confidence": 0.9}],
    "evidence": [{"statement": "p99 of cart 4 s"}],
    "proposals": [{"title": "Roll back cart"}],
}  # fmt: skip


def changed(**diagnosis: Any) -> dict[str, Any]:
    return {**ANSWER, "diagnosis": {**ANSWER["diagnosis"], **diagnosis}}


def test_the_same_answer_has_no_differences() -> None:
    assert differences(ANSWER, json.loads(json.dumps(ANSWER))) == ()


def test_another_cause_object_status_and_confidence_are_named() -> None:
    new = changed(status="unknown", cause=None, object="deployment/web", confidence=0.4)
    assert differences(ANSWER, new) == (
        "status: root_cause → unknown",
        "cause: slow_query → none",
        "object: deployment/cart → deployment/web",
        "confidence: 90% → 40%",
    )


def test_a_confidence_that_reads_the_same_is_no_difference() -> None:
    assert differences(ANSWER, changed(confidence=0.903)) == ()


def test_hypotheses_evidence_and_proposals_that_came_or_went_are_named() -> None:
    new = {**ANSWER, "hypotheses": [], "evidence": [{"statement": "x"}], "proposals": []}
    assert differences(ANSWER, new) == (
        "no longer a hypothesis: slow_query of deployment/cart (was 90%)",
        "new evidence: x",
        "evidence gone: p99 of cart 4 s",
        "proposals: Roll back cart → none",
    )


@pytest.mark.parametrize(
    "broken", [{}, {"diagnosis": None}, {"hypotheses": [1], "evidence": ["x"], "proposals": None}]
)
def test_an_answer_of_an_odd_version_is_compared_as_far_as_it_goes(broken: Any) -> None:
    assert differences(broken, ANSWER)
    assert differences(ANSWER, broken)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"diagnosis": 3}', "[" * 100_000, "\ud800x"])
def test_a_file_that_is_no_answer_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "old.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(Malformed, match=r"old\.json"):
        answer_of(tmp_path / "old.json")


def test_a_case_without_an_answer_has_none(tmp_path: Path) -> None:
    assert answer_of(tmp_path) is None


def test_a_folder_in_use_is_not_written_into(tmp_path: Path) -> None:
    vacant(tmp_path / "new")
    vacant(tmp_path)
    (tmp_path / "mine").write_text("x")
    with pytest.raises(Malformed, match="not empty"):
        vacant(tmp_path)
    with pytest.raises(Malformed, match="not empty"):
        vacant(tmp_path / "mine")
