"""What people confirmed before makes the same cause likelier, and never certain."""

from datetime import timedelta

import pytest

from bot.domain.diagnosis import HEALTHY, Evidence, Finding, Hypothesis
from bot.domain.snapshot import PastIncident, Snapshot
from bot.reasoning.history import MOST, remembering
from bot.reasoning.ranking import conclude
from tests.unit.reasoning.scenes import NOW, SOURCE, Scene, ask


def guess(cause: str = "memory_leak", service: str = "cart", log_odds: float = 1.0) -> Hypothesis:
    return Hypothesis(
        cause=cause, object=f"deployment/{service}", service=service, summary="S.",
        analyzer="test", prior=0.0,
        evidence=(Evidence(statement=f"{cause} seen", weight=log_odds, source=SOURCE),),
    )  # fmt: skip


def earlier(days: float, *, cause: str = "memory_leak", confirmed: bool = True) -> PastIncident:
    return PastIncident(
        id=f"inv-{days}", cause=cause, object="deployment/cart", service="cart",
        at=NOW - timedelta(days=days), confirmed=confirmed, summary="It leaked.",
    )  # fmt: skip


def test_a_confirmed_like_incident_is_evidence_and_says_when():
    (hypothesis,) = remembering([guess()], [earlier(2), earlier(20)], NOW)
    told = hypothesis.evidence[-1]
    assert "2 times before, last on 12 March 2026" in told.statement
    assert told.weight > 0


@pytest.mark.parametrize(
    "past",
    [
        earlier(2, confirmed=False),
        earlier(2, cause="slow_query"),
        earlier(-1),  # not yet
        earlier(3000),  # another age
    ],
)
def test_what_is_unlike_unconfirmed_or_long_ago_counts_for_nothing(past: PastIncident):
    assert remembering([guess()], [past], NOW) == [guess()]


def test_habit_is_never_proof():
    (hypothesis,) = remembering([guess()], [earlier(i) for i in range(200)], NOW)
    assert hypothesis.evidence[-1].weight == pytest.approx(MOST)


def test_health_has_no_history():
    calm = guess(cause=HEALTHY)
    assert remembering([calm], [earlier(1, cause=HEALTHY)], NOW) == [calm]


def test_of_two_equal_causes_the_one_that_happened_before_leads():
    scene = Scene().snapshot()
    snapshot = Snapshot(
        environment="prod", window=scene.window, now=NOW, past=(earlier(5), earlier(9))
    )
    pair = Finding(hypotheses=(guess("bad_image"), guess("memory_leak")))
    assert conclude([pair], snapshot, ask()).ranked[0].hypothesis.cause == "memory_leak"
    assert conclude([pair], scene, ask()).ranked[0].hypothesis.cause == "bad_image"
