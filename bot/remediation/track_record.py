"""The record of an action in one place, and which level it has earned. Pure: a person grants."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.domain.action import Choice, ExecutionStatus, Level, Outcome
from bot.domain.conversation import Judgement
from bot.domain.trust import Baseline, Run
from bot.remediation.wording import lower_bound

VERDICTS = 10  # people's verdicts since the last false action, for L2 …
RIGHT = 0.7  # … and the lower bound of how many of them must say "right"
LIKE_CASES = 5  # incidents that were watched without an action, before a rate means anything
CARRIED_OUT = (ExecutionStatus.APPLIED, ExecutionStatus.UNDONE)
FAILURES = (Outcome.UNCHANGED, Outcome.NO_DATA, Outcome.WORSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What a level takes: executions, the lower bound verified, the upper bound of false ones."""

    runs: int
    verified: float
    false: float


BARS = {
    Level.L3: Bar(runs=20, verified=0.6, false=0.2),
    Level.L4: Bar(runs=35, verified=0.8, false=0.1),
}
FALSE_AT_MOST = 0.1  # of all executions, for L2: an action that did harm starts from the bottom


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecord:
    """What became of an action's proposals. `recent…` count since the last false action."""

    proposals: int
    approvals: int
    executions: int
    verified: int
    not_verified: int
    undone: int
    false_actions: int
    rejected: int
    rejected_right: int  # later proved right: it was not the cause, or it went away alone
    rejected_wrong: int  # later proved wrong: the diagnosis was right, or the same call helped
    right: int  # people's verdicts on the diagnoses
    wrong: int
    recent_right: int
    recent_wrong: int
    recent_executions: int
    recent_verified: int
    baseline: Baseline

    @property
    def verified_bound(self) -> float:
        """Lower 95 % bound of the verified rate since the last false action."""
        return lower_bound(self.recent_verified, self.recent_executions)

    @property
    def alone_bound(self) -> float:
        """Upper 95 % bound of the share that recovers without an action; 1 while unknown."""
        if self.baseline.seen < LIKE_CASES:
            return 1.0
        return upper_bound(self.baseline.recovered, self.baseline.seen)

    @property
    def false_bound(self) -> float:
        """Upper 95 % bound of the share of false actions, over everything that was ever done."""
        return upper_bound(self.false_actions, self.executions)


def is_false(run: Run) -> bool:
    """Whether an action was false: it made things worse, or a person says it was wrong."""
    if run.status not in CARRIED_OUT:
        return False
    return run.outcome is Outcome.WORSE or run.judged is Judgement.WRONG


def is_verified(run: Run) -> bool:
    """Whether an action was carried out, helped, stands, and nobody says it was wrong."""
    applied = run.status is ExecutionStatus.APPLIED and not run.step
    return applied and run.outcome is Outcome.RECOVERED and not is_false(run)


def record_of(runs: Iterable[Run], baseline: Baseline) -> TrackRecord:
    """Return the record of one action's runs in one environment (and service)."""
    ordered = sorted(runs, key=lambda r: (r.at, r.proposal_id))
    falses = [n for n, run in enumerate(ordered) if is_false(run)]
    recent = ordered[falses[-1] + 1 :] if falses else ordered
    done = _done(ordered)
    right, wrong = _verdicts(ordered)
    recent_right, recent_wrong = _verdicts(recent)
    rejected = [r for r in ordered if r.choice is Choice.REJECT]
    return TrackRecord(
        proposals=len(ordered),
        approvals=sum(r.choice is Choice.APPROVE for r in ordered),
        executions=len(done),
        verified=sum(map(is_verified, done)),
        not_verified=sum(r.outcome in FAILURES for r in done),
        undone=sum(r.status is ExecutionStatus.UNDONE for r in done),
        false_actions=len(falses),
        rejected=len(rejected),
        rejected_right=sum(_rejected_rightly(r, ordered) is True for r in rejected),
        rejected_wrong=sum(_rejected_rightly(r, ordered) is False for r in rejected),
        right=right,
        wrong=wrong,
        recent_right=recent_right,
        recent_wrong=recent_wrong,
        recent_executions=len(_done(recent)),
        recent_verified=sum(map(is_verified, recent)),
        baseline=baseline,
    )


def earned(record: TrackRecord, level: Level, highest: Level) -> Level | None:
    """Return the next level if the record has earned it, None otherwise. It is only an offer."""
    if level >= highest:
        return None
    following = Level(level + 1)
    return following if not lacking(record, following) else None


def lacking(record: TrackRecord, level: Level) -> tuple[str, ...]:
    """Return, in words, what the record lacks for a level."""
    if level is Level.L1:
        return ()
    return tuple(_lacks_verdicts(record) if level is Level.L2 else _lacks_runs(record, level))


def _lacks_verdicts(record: TrackRecord) -> Iterable[str]:
    given = record.recent_right + record.recent_wrong
    if given < VERDICTS:
        yield f"{VERDICTS - given} more verdicts on its diagnoses"
    if lower_bound(record.recent_right, given) < RIGHT:
        yield f"diagnoses right in at least {RIGHT * 100:.0f} % (lower bound)"
    if record.false_actions and record.false_bound > FALSE_AT_MOST:
        yield _too_false(record, FALSE_AT_MOST)


def _lacks_runs(record: TrackRecord, level: Level) -> Iterable[str]:
    bar = BARS[level]
    if record.recent_executions < bar.runs:
        yield f"{bar.runs - record.recent_executions} more executions"
    if record.verified_bound < bar.verified:
        yield f"verified in at least {bar.verified * 100:.0f} % (lower bound)"
    if record.baseline.seen < LIKE_CASES:
        yield f"{LIKE_CASES - record.baseline.seen} more like incidents seen without an action"
    elif record.verified_bound <= record.alone_bound:
        yield f"more than recovers alone ({record.alone_bound * 100:.0f} %, upper bound)"
    if record.false_bound > bar.false:
        yield _too_false(record, bar.false)


def _too_false(record: TrackRecord, most: float) -> str:
    return f"false actions below {most * 100:.0f} % (upper bound, now {_percent(record)} %)"


def _percent(record: TrackRecord) -> str:
    return f"{record.false_bound * 100:.0f}"


def upper_bound(successes: int, trials: int) -> float:
    """Return the upper 95 % bound of a rate; 1 without trials. Source: Wilson 1927."""
    if trials < 1:
        return 1.0
    return 1.0 - lower_bound(trials - successes, trials)


def words(record: TrackRecord) -> str:
    """Return the record in one line, for people."""
    alone = record.baseline
    parts = [
        f"{record.proposals} proposed, {record.approvals} approved",
        f"{record.executions} carried out",
        f"{record.verified} verified, {record.not_verified} not, {record.undone} undone, "
        f"{record.false_actions} false",
        f"since then {record.recent_verified} of {record.recent_executions} verified "
        f"(lower bound {math.floor(record.verified_bound * 100)} %)"
        if record.false_actions
        else f"lower bound {math.floor(record.verified_bound * 100)} %",
        f"{record.rejected} rejected ({record.rejected_right} rightly, "
        f"{record.rejected_wrong} wrongly)",
        f"diagnoses {record.right} right, {record.wrong} wrong",
        f"alone {alone.recovered} of {alone.seen} recovered",
    ]
    return "; ".join(parts)


def causes_of(runs: Iterable[Run]) -> tuple[str, ...]:
    """Return the causes for which the action was proposed: what makes an incident a like one."""
    return tuple(sorted({run.cause for run in runs}))


def _done(runs: Iterable[Run]) -> list[Run]:
    """What was carried out; a step of a plan only if it did harm."""
    found = (run for run in runs if run.status in CARRIED_OUT)
    return [run for run in found if not run.step or is_false(run)]


def _verdicts(runs: Sequence[Run]) -> tuple[int, int]:
    """One diagnosis counts once, however many of its proposals are here."""
    judged = {run.investigation_id: run.judged for run in runs if run.judged is not None}
    right = sum(verdict is Judgement.RIGHT for verdict in judged.values())
    return right, len(judged) - right


def _rejected_rightly(run: Run, runs: Sequence[Run]) -> bool | None:
    """Whether a rejection was proved right (True) or wrong (False); None: nobody knows yet."""
    if run.judged is Judgement.WRONG or run.alone is Outcome.RECOVERED:
        return True
    incident = run.investigation_id.partition("-again")[0]
    helped = any(
        other.digest == run.digest
        and other.investigation_id.partition("-again")[0] == incident
        and is_verified(other)
        for other in runs
    )
    return False if helped or run.judged is Judgement.RIGHT else None
