"""Whether it helped: the signal before and after acting, judged robustly, not by one sample."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from bot.domain.action import Outcome, Verification, VerificationPlan
from bot.domain.diagnosis import SignalRef
from bot.domain.snapshot import Series
from bot.domain.trust import LevelChange

STABLE_SHARE = 0.25  # the last part of the window that must be good throughout
STABLE_POINTS = 3  # and at least so many samples
GOOD_SHARE = 0.9  # of them within the threshold: one late sample does not spoil it
WORSE_RATIO = 1.3  # worse: beyond this times the bad value before …
WORSE_SPREADS = 3.0  # … and beyond this many robust spreads of it
SETTLE_S = 180.0  # a rollout may be worse for a while; sooner than this nothing is called worse


class Move(StrEnum):
    """What follows from an outcome."""

    KEEP = "keep"
    UNDO = "undo"
    ESCALATE = "escalate"  # page a person: it cannot be undone, or the undo did not help


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What to do now. `reopen`: the cause is refuted; `failure`: counts towards the breaker."""

    move: Move
    reopen: bool
    page: bool
    failure: bool
    demoted: LevelChange | None = None  # the action was false, so its level was lowered


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """The target's pods, read back: what decides when no signal was named."""

    ready: int
    wanted: int


def judge(
    plan: VerificationPlan,
    before: Series | None,
    after: Series | None,
    *,
    execution_key: str,
    now: datetime,
    readiness: Readiness | None = None,
) -> Verification:
    """Return the verdict. `before` ends, and `after` begins, at the moment of acting."""
    signal = plan.signal
    if signal is None:
        return _by_readiness(execution_key, now, readiness)
    # the trouble, not the good times before it
    was = [point for point in _points(before) if not _good(plan, point[1])]
    became = _points(after)
    if len(became) < STABLE_POINTS:
        return Verification(
            execution_key=execution_key,
            outcome=Outcome.NO_DATA,
            statement=f"no data on {_label(signal)} since acting",
            value=None,
            checked_at=now,
            details={"samples": len(became)},
        )
    settled = became[-1][0] - became[0][0] >= min(plan.window_s / 2, SETTLE_S)
    outcome = _outcome(plan, [v for _, v in was] or [signal.bad], [v for _, v in became])
    if outcome is Outcome.WORSE and not settled:
        outcome = Outcome.UNCHANGED
    if outcome is Outcome.RECOVERED and readiness and readiness.ready < readiness.wanted:
        outcome = Outcome.UNCHANGED
    value = statistics.median([v for _, v in _tail(became)])
    return Verification(
        execution_key=execution_key,
        outcome=outcome,
        statement=_statement((plan, signal), outcome, was, became),
        value=value,
        checked_at=now,
        details={"threshold": plan.threshold, "samples": len(became)},
    )


def next_move(outcome: Outcome, *, reversible: bool, is_undo: bool = False) -> Next:
    """Return what follows: recovered → keep; worse → undo; unchanged → undo if it can be, reopen.

    No data counts as unchanged, and pages. An undo is never undone: what it did not help goes to a
    person.
    """
    if outcome is Outcome.RECOVERED:
        return Next(move=Move.KEEP, reopen=is_undo, page=False, failure=False)
    move = Move.UNDO if reversible and not is_undo else Move.ESCALATE
    page = outcome is Outcome.NO_DATA or move is Move.ESCALATE
    return Next(move=move, reopen=True, page=page, failure=True)


def _by_readiness(key: str, now: datetime, readiness: Readiness | None) -> Verification:
    if readiness is None:
        outcome, words = Outcome.NO_DATA, "no signal was named and the pods could not be read"
    else:
        words = f"{readiness.ready} of {readiness.wanted} pods ready"
        ready = readiness.wanted > 0 and readiness.ready >= readiness.wanted
        outcome = Outcome.RECOVERED if ready else Outcome.UNCHANGED
    return Verification(
        execution_key=key, outcome=outcome, statement=words, value=None, checked_at=now
    )


def _outcome(plan: VerificationPlan, was: Sequence[float], became: Sequence[float]) -> Outcome:
    stable = became[-_stable(len(became)) :]
    good = sum(_good(plan, v) for v in stable)
    if good >= GOOD_SHARE * len(stable) and _good(plan, stable[-1]):
        return Outcome.RECOVERED
    return Outcome.WORSE if _worse(plan, was, stable) else Outcome.UNCHANGED


def _worse(plan: VerificationPlan, was: Sequence[float], stable: Sequence[float]) -> bool:
    """Whether the last part is clearly beyond the trouble that was there before acting."""
    sign = 1.0 if plan.above_is_bad else -1.0
    middle, now = statistics.median(was), statistics.median(stable)
    spread = 1.4826 * statistics.median([abs(v - middle) for v in was])
    step = max((WORSE_RATIO - 1.0) * abs(middle), WORSE_SPREADS * spread)
    return sign * (now - middle) > step > 0 or (step == 0 and sign * (now - middle) > 0)


def _good(plan: VerificationPlan, value: float) -> bool:
    return value <= plan.threshold if plan.above_is_bad else value >= plan.threshold


def _stable(samples: int) -> int:
    return min(samples, max(STABLE_POINTS, math.ceil(samples * STABLE_SHARE)))


def _tail(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    return points[-_stable(len(points)) :]


def _points(series: Series | None) -> list[tuple[float, float]]:
    if series is None:
        return []
    pairs = zip(series.times, series.values, strict=False)
    return [(t, v) for t, v in pairs if math.isfinite(v) and math.isfinite(t)]


def _statement(
    watched: tuple[VerificationPlan, SignalRef],
    outcome: Outcome,
    was: Sequence[tuple[float, float]],
    became: Sequence[tuple[float, float]],
) -> str:
    """Return "p99 of checkout 0.2 s since 14:15, was 4.1 s"."""
    plan, signal = watched
    unit = signal.unit
    now = amount(statistics.median([v for _, v in _tail(became)]), unit)
    then = statistics.median([v for _, v in was]) if was else signal.bad
    since = f" since {_clock(_good_since(plan, became))}" if outcome is Outcome.RECOVERED else ""
    return f"{_label(signal)} {now}{since}, was {amount(then, unit)}"


def _good_since(plan: VerificationPlan, points: Sequence[tuple[float, float]]) -> float:
    """Return when the last good stretch began; single bad samples in it are forgiven."""
    since, bad = points[-1][0], 0
    for moment, value in reversed(points):
        bad = 0 if _good(plan, value) else bad + 1
        if bad > 1:
            break
        since = moment if not bad else since
    return since


def _label(signal: SignalRef) -> str:
    name = signal.signal.replace("latency_", "").replace("_", " ")
    return f"{name} of {signal.service}" if signal.service else name


def _clock(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%H:%M")


def amount(value: float, unit: str) -> str:
    """Return a number with its unit as a person reads it: "0.2 s", "4.1 %", "3"."""
    if unit in ("ratio", "0..1"):
        return f"{value * 100:.2g} %" if abs(value) < 0.1 else f"{value * 100:.0f} %"
    shown = f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{shown} {unit}".strip()
