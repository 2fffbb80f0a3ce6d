"""The word for what would end it: the analyzer's own, the blamed change's, else the cause's."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.domain.diagnosis import Finding, Hypothesis
from bot.domain.snapshot import Change, ChangeKind, Source
from bot.reasoning.remedies import CLASSES, class_of, classed, hinted

SOURCE = Source(system="test", query="")


def of(cause: str, kind: ChangeKind | None = None, *, hint: str = "", **more: bool) -> str:
    change = None
    if kind is not None:
        change = Change(
            id="c", kind=kind, service="api", object="deployment/api", summary="", before="v1",
            after="v2", diff=None, link=None, source=SOURCE, at=datetime(2026, 3, 1, tzinfo=UTC),
            **more,
        )  # fmt: skip
    found = Hypothesis(
        cause=cause, object="deployment/api", service="api", summary="", analyzer="test",
        prior=0.0, evidence=(), change=change, hint=hint,
    )  # fmt: skip
    return hinted(found).hint


@pytest.mark.parametrize(
    ("cause", "kind", "wanted"),
    [
        ("connection_pool_exhausted", ChangeKind.CONFIG, "config_revert"),
        ("cpu_overload", ChangeKind.DEPLOY, "rollback"),
        ("cpu_overload", None, "scale"),
        ("traffic_surge", ChangeKind.DEPLOY, "scale"),
        ("certificate_expired", ChangeKind.DEPLOY, "rotate_certificate"),
        ("namespace_cpu_quota_exceeded", None, "raise_limit"),
        ("never_heard_of", None, "none"),
        ("never_heard_of", ChangeKind.FLAG, "disable_flag"),
    ],
)
def test_a_change_to_blame_comes_before_the_cause(
    cause: str, kind: ChangeKind | None, wanted: str
) -> None:
    assert of(cause, kind) == wanted


def test_what_cannot_be_taken_back_goes_forward() -> None:
    assert of("bad_release", ChangeKind.DEPLOY, revertible=False) == "roll_forward"


@pytest.mark.parametrize(
    ("said", "wanted"), [("roll forward", "roll_forward"), ("wait", "wait"), ("magic", "rollback")]
)
def test_the_words_of_an_analyzer_count_if_they_are_known(said: str, wanted: str) -> None:
    assert of("bad_release", ChangeKind.COMMIT, hint=said) == wanted


def test_unknown_causes_have_no_class_of_their_own() -> None:
    assert class_of("never_heard_of") == ""
    assert class_of("statefulset_zero_replicas") in CLASSES


def test_a_finding_keeps_everything_else() -> None:
    one = Hypothesis(
        cause="traffic_surge", object="deployment/api", service="api", summary="s",
        analyzer="test", prior=0.0, evidence=(),
    )  # fmt: skip
    found = classed(Finding(hypotheses=(one,)))
    assert found == Finding(hypotheses=(replace(one, hint="scale"),))
