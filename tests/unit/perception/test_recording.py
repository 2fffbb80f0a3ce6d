"""What an investigation was told is kept, need by need, and handed out the same again."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot.domain.needs import Fact, Need
from bot.domain.redaction import redact
from bot.domain.snapshot import BlindSpot, PastIncident, Snapshot
from bot.perception.case import load_case, save_case
from bot.perception.recording import Recording
from tests.unit.reasoning.scenes import NOW, Scene, ask, values

QUESTION = ask("checkout")
SCENE = Scene().service("checkout", errors=values(0.001, 0.3)).service("payment")
SPOT = BlindSpot(system="logs", reason="timed out", wanted="logs of checkout")
PAST = PastIncident(
    id="inv-1", cause="slow_query", object="deployment/checkout", service="checkout", at=NOW,
    confirmed=True, summary="",
)  # fmt: skip
METRICS = Need(fact=Fact.SERIES, window=QUESTION.window, names=("error_ratio",))
MORE_METRICS = Need(fact=Fact.SERIES, window=QUESTION.window, names=("latency_p99",))
LOGS = Need(fact=Fact.LOGS, window=QUESTION.window, services=("checkout",))


async def told(needs: Sequence[Need]) -> Snapshot:
    """Answer the first round; the second finds nothing new."""
    whole = SCENE.snapshot()
    if LOGS in needs:
        return replace(whole, series=(), objects=(), edges=(), changes=(), looked_at=("logs",))
    return replace(whole, blind_spots=(SPOT,), past=(PAST,), looked_at=("metrics",))


async def test_a_recorded_investigation_hears_the_same_again(tmp_path: Path) -> None:
    recording = Recording(told)
    rounds = [(METRICS, MORE_METRICS), (LOGS,)]
    heard = [await recording.collect(needs) for needs in rounds]
    save_case(tmp_path / "case", recording.case(QUESTION, "a test"), redact=redact)
    again = load_case(tmp_path / "case").replay()
    for needs, snapshot in zip(rounds, heard, strict=True):
        replayed = await again.collect(needs)
        assert replayed.series == snapshot.series
        assert replayed.blind_spots == snapshot.blind_spots
        assert replayed.past == snapshot.past
        assert replayed.looked_at == snapshot.looked_at


async def test_facts_that_no_need_asked_for_are_kept_too(tmp_path: Path) -> None:
    recording = Recording(told)
    heard = await recording.collect((METRICS,))
    assert heard.edges == recording.case(QUESTION, "a test").snapshot().edges


async def test_a_round_without_needs_leaves_nothing(tmp_path: Path) -> None:
    recording = Recording(told)
    await recording.collect(())
    assert recording.case(QUESTION, "a test").answers == ()
