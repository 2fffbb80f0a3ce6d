"""Turns root causes into concrete proposals: by runbook, bound from evidence, or says why not."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from bot.domain.action import ActionCall, Proposal, VerificationPlan
from bot.domain.diagnosis import Concluded, Hypothesis, Ranked, SignalRef, Status
from bot.domain.environment import Environment
from bot.domain.people import SELF
from bot.domain.snapshot import ChangeKind, Objective, Snapshot
from bot.remediation.binding import BINDERS
from bot.remediation.brittleness import warnings_of
from bot.remediation.evidence import Bound, Case, Unbound
from bot.remediation.repositories import LATER, PATIENCE_S, PULL_REQUESTS, in_its_repository
from policies.catalog import Criteria, Preparation, Remedy, Runbook, Runbooks, When

_OF_CHANGE: Mapping[ChangeKind, str] = {
    ChangeKind.DEPLOY: "bad_release",
    ChangeKind.COMMIT: "bad_release",
    ChangeKind.CONFIG: "bad_config_change",
    ChangeKind.FLAG: "bad_feature_flag",
}
"""A change that broke something in a way no runbook names is taken back all the same."""

READ_BACK = frozenset({"delete_failed_job", "pause_rollout"})
"""What no pod tells: without a signal it is verified by reading it back."""
READ_BACK_S = 60.0  # world time for which what was written has to stay as it was set
PREPARED_S = 300.0  # world time within which a step before another one must be in place


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What can be done about a diagnosis; `reasons` say why nothing more is offered."""

    proposals: tuple[Proposal, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What happened in this incident already, so that it is not offered again."""

    digests: frozenset[str] = frozenset()  # calls that were rejected, refused or did not help
    proposals: int = 0  # how many were made, so that ids go on


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    case: Case
    ranked: Ranked
    runbook: Runbook
    advice: str  # for people
    tried: Tried


def propose(
    concluded: Concluded,
    *,
    environment: Environment,
    runbooks: Runbooks,
    investigation_id: str,
    requester: str = SELF.id,
    tried: Tried = Tried(),
) -> Plan:
    """Return one proposal per root cause: the first remedy of its runbook that evidence binds."""
    diagnosis, snapshot = concluded.diagnosis, concluded.snapshot
    if diagnosis.status is not Status.ROOT_CAUSE:
        return Plan()
    proposals: list[Proposal] = []
    reasons: list[str] = []
    for ranked in diagnosis.causes:
        runbook = _runbook(runbooks, ranked.hypothesis)
        if runbook is None or not ranked.hypothesis.evidence:
            lacking = "no runbook knows" if runbook is None else "there is no evidence for"
            reasons.append(f"{lacking} {ranked.hypothesis.cause}")
            continue
        case = Case(hypothesis=ranked.hypothesis, snapshot=snapshot, environment=environment)
        advice = runbooks.advice_for(ranked.hypothesis.cause) or runbook.lasting_fix
        task = _Task(case=case, ranked=ranked, runbook=runbook, advice=advice, tried=tried)
        chosen, why_not = _first(task, {p.call.digest for p in proposals})
        reasons.extend(why_not)
        if chosen is not None:
            number = tried.proposals + len(proposals) + 1
            signal = ranked.hypothesis.signal or diagnosis.signal
            proposals.append(_proposal(task, chosen, signal, (investigation_id, number, requester)))
    return Plan(proposals=tuple(proposals), reasons=tuple(dict.fromkeys(reasons)))


def _runbook(runbooks: Runbooks, hypothesis: Hypothesis) -> Runbook | None:
    """Return the runbook of the cause, else that of the kind of change which is to blame."""
    change = hypothesis.change
    found = runbooks.for_cause(hypothesis.cause)
    if found is not None or change is None:
        return found
    return runbooks.for_cause(_OF_CHANGE.get(change.kind, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    remedy: Remedy
    bound: Bound
    call: ActionCall
    first: tuple[tuple[Preparation, Bound], ...] = ()


def _first(task: _Task, offered: Collection[str]) -> tuple[_Chosen | None, list[str]]:
    """Return the first remedy that applies, binds and is new, and why those before it do not."""
    reasons: list[str] = []
    if not task.runbook.actions:
        reasons.append(f"nothing to run for {task.ranked.hypothesis.cause}: {task.advice}")
        reasons.extend(warnings_of(task.case, "", task.runbook.checks))
    for remedy in task.runbook.actions:
        if not _applies(remedy.when, task.case):
            continue
        try:
            action, bound = _bound(task, remedy)
            alone = action in PULL_REQUESTS  # what prepares a change in place is not for elsewhere
            first = () if alone else tuple((p, _bound(task, p)[1]) for p in remedy.first)
        except Unbound as error:
            reasons.append(str(error))
            continue
        call = _call(task, action, bound)
        if call.digest in task.tried.digests:
            reasons.append(f"{bound.title}: tried or declined in this incident")
        elif call.digest not in offered:
            return _Chosen(remedy=remedy, bound=bound, call=call, first=first), reasons
    if advice := task.runbook.own_advice(task.ranked.hypothesis.cause):
        reasons.append(f"nothing to run for {task.ranked.hypothesis.cause}: {advice}")
        reasons.extend(warnings_of(task.case, "", task.runbook.checks))
    return None, reasons or ["the runbook has no action for this case"]


def _bound(task: _Task, step: Remedy | Preparation) -> tuple[str, Bound]:
    """Return the action and its arguments, in the object's repository where others own it."""
    bound = BINDERS.get(step.action, _unknown)(task.case, step.options)
    return in_its_repository(task.case, step.action, bound)


def _call(task: _Task, action: str, bound: Bound) -> ActionCall:
    return ActionCall(
        action=action, environment=task.case.environment.name, arguments=bound.arguments
    )


def _unknown(_: Case, __: Mapping[str, str]) -> Bound:
    raise Unbound("the runbook names an action that cannot be bound")


def _applies(when: When, case: Case) -> bool:
    change = case.change()
    return (
        (not when.change or (change is not None and change.kind in when.change))
        and (not when.object or case.kind in when.object)
        and (when.forecast is None or when.forecast == (case.hypothesis.forecast_at is not None))
    )


def _proposal(
    task: _Task, chosen: _Chosen, signal: SignalRef | None, ids: tuple[str, int, str]
) -> Proposal:
    investigation_id, number, requester = ids
    hypothesis = task.ranked.hypothesis
    whole = Proposal(
        id=f"{investigation_id}-p{number}",
        investigation_id=investigation_id,
        call=chosen.call,
        title=chosen.bound.title,
        reason=chosen.remedy.reason,
        runbook=task.runbook.name,
        trade_off=chosen.remedy.trade_off,
        confidence=task.ranked.confidence,
        cause=hypothesis.cause,
        novel=is_novel(task.case.snapshot, hypothesis.cause, hypothesis.service),
        requester=requester,
        verification=_verification(task, chosen, signal),
        warnings=warnings_of(task.case, chosen.call.action, task.runbook.checks),
        short_term=chosen.remedy.short_term,
        lasting_fix=task.advice,
    )
    return replace(whole, preparations=tuple(_preparations(task, chosen, whole)))


def _preparations(task: _Task, chosen: _Chosen, whole: Proposal) -> Iterator[Proposal]:
    """Yield what is done first: each is verified by itself, by its own effect."""
    for number, (step, bound) in enumerate(chosen.first, start=1):
        yield replace(
            whole,
            id=f"{whole.id}-s{number}",
            call=_call(task, step.action, bound),
            title=bound.title,
            reason=step.reason,
            trade_off="",
            verification=VerificationPlan(signal=None, threshold=0.0, window_s=PREPARED_S),
            warnings=warnings_of(task.case, step.action, task.runbook.checks),
        )


def _verification(task: _Task, chosen: _Chosen, signal: SignalRef | None) -> VerificationPlan:
    """Return how to tell that it helped; what is merged first counts from the rollout on."""
    criteria = task.runbook.verification
    if chosen.call.action in READ_BACK and signal is None:
        return VerificationPlan(signal=None, threshold=0.0, window_s=READ_BACK_S, in_place=True)
    if chosen.call.action not in LATER:
        return plan_verification(signal, task.case.snapshot, criteria)
    criteria = replace(criteria, window_s=max(criteria.window_s, PATIENCE_S))
    plan = plan_verification(signal, task.case.snapshot, criteria)
    return replace(plan, rollout_of=_rolled_out(task.case))


def _rolled_out(case: Case) -> str:
    try:
        return case.deployment().name
    except Unbound:
        return case.hypothesis.service


def is_novel(snapshot: Snapshot, cause: str, service: str) -> bool:
    """Return whether no confirmed past incident had this cause at this service."""
    return not any(p.confirmed and p.cause == cause and p.service == service for p in snapshot.past)


def plan_verification(
    signal: SignalRef | None, snapshot: Snapshot, criteria: Criteria
) -> VerificationPlan:
    """Return how to tell that it helped: an objective between good and bad, else a share."""
    if signal is None:
        return VerificationPlan(signal=None, threshold=0.0, window_s=criteria.window_s)
    above = signal.bad >= signal.good
    share = signal.good + criteria.tolerance * (signal.bad - signal.good)
    objective = _objective(signal, snapshot.objectives)
    threshold = share
    if objective is not None and _between(objective, signal.good, signal.bad):
        middle = (signal.good + signal.bad) / 2
        threshold = min(objective, middle) if above else max(objective, middle)
    return VerificationPlan(
        signal=signal, threshold=threshold, window_s=criteria.window_s, above_is_bad=above
    )


def _objective(signal: SignalRef, objectives: Collection[Objective]) -> float | None:
    found = (
        o.threshold for o in objectives if (o.service, o.signal) == (signal.service, signal.signal)
    )
    return next(found, None)


def _between(value: float, one: float, other: float) -> bool:
    return min(one, other) < value < max(one, other)
