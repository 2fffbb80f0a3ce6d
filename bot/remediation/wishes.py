"""Makes what a person asked for into a proposal like the bot's own, from the live objects only."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.domain.action import ActionCall, Proposal, VerificationPlan
from bot.domain.diagnosis import Hypothesis, SignalRef
from bot.domain.environment import Environment
from bot.domain.errors import Ambiguous, UnknownName
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.domain.wish import NODES, PAGES, Verb, Wanted
from bot.remediation.binding import MOST_PODS, to_revision
from bot.remediation.brittleness import warnings_of
from bot.remediation.cluster_repairs import failed_job
from bot.remediation.evidence import Bound, Case, Unbound, place, replicas
from bot.remediation.pages import bind_page
from bot.remediation.planner import READ_BACK_S, plan_verification
from bot.remediation.repositories import LATER, PATIENCE_S, in_its_repository
from bot.remediation.revisions import before_change, revisions, same_version
from policies.catalog import Criteria
from tools.clients.names import service_of_object

ASKED = "asked_for"  # the cause of what a person asks for: none that the bot found
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
KINDS = (
    *WORKLOADS, "ReplicaSet", "ControllerRevision", "Pod", "Node", "Job",
    "HorizontalPodAutoscaler", "PodDisruptionBudget",
)  # fmt: skip
"""What has to be read of an environment to make a proposal of a wish."""
WINDOW_S = 600.0  # world time in which it must have helped
READ_BACK = PAGES | {Verb.PAUSE, Verb.CORDON, Verb.UNCORDON, Verb.DELETE_JOB}
"""What is verified by reading it back: no signal and no pod tells whether it is so."""
_REVISION = re.compile(r"revision\s+(\d{1,9})", re.I)
_OF_WORKLOAD: Mapping[Verb, tuple[str, ...]] = {
    Verb.RESTART: WORKLOADS,
    Verb.ROLL_BACK: WORKLOADS,
    Verb.SCALE: ("Deployment", "StatefulSet"),
    Verb.PAUSE: ("Deployment",),
    Verb.RESUME: ("Deployment",),
}
_PREFIX = {Verb.RESTART: "restart", Verb.ROLL_BACK: "rollback", Verb.SCALE: "scale"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, where, and what is known there: `signal` is the incident's, if it has one."""

    user: str
    proposal_id: str
    investigation_id: str
    signal: SignalRef | None = None
    window_s: float = WINDOW_S
    addresses: Mapping[str, str] = field(default_factory=dict)  # e-mails by ids of people


def proposal_of(
    wanted: Wanted, asker: Asker, *, environment: Environment, snapshot: Snapshot
) -> Proposal:
    """Return the proposal, not staged yet, with the asker as its requester.

    Raises: UnknownName, Ambiguous: with what there is; Unbound: why it cannot be made.
    """
    case, verb = _case(wanted, wanted.name, "", environment, snapshot), wanted.wish.verb
    if verb in PAGES:
        action, bound = bind_page(wanted.wish, asker.user, asker.addresses)
    else:
        action, bound, case = _bound(wanted, case)
        action, bound = in_its_repository(case, action, bound)
    reason = wanted.wish.reason or f"{verb.value} {wanted.name}, as asked"
    signal = asker.signal if verb in _PREFIX else None
    return Proposal(
        id=asker.proposal_id,
        investigation_id=asker.investigation_id,
        call=ActionCall(action=action, environment=environment.name, arguments=bound.arguments),
        title=bound.title,
        reason=reason,
        runbook="",
        trade_off="",
        confidence=0.0,  # nothing was diagnosed: it never runs by itself
        cause=ASKED,
        novel=True,
        requester=asker.user,
        verification=_verification(wanted, action, signal, asker, snapshot),
        warnings=warnings_of(case, action, ()),
    )


def _verification(
    wanted: Wanted, action: str, signal: SignalRef | None, asker: Asker, snapshot: Snapshot
) -> VerificationPlan:
    if wanted.wish.verb in READ_BACK:
        return VerificationPlan(signal=None, threshold=0.0, window_s=READ_BACK_S, in_place=True)
    later = action in LATER
    window_s = PATIENCE_S if later else asker.window_s
    plan = plan_verification(signal, snapshot, Criteria(window_s=window_s))
    return replace(plan, rollout_of=wanted.name) if later else plan


def _case(
    wanted: Wanted, name: str, kind: str, environment: Environment, snapshot: Snapshot
) -> Case:
    hypothesis = Hypothesis(
        cause=ASKED, object=f"{kind.lower()}/{name}", service=wanted.name, summary="",
        analyzer="", prior=0.0, evidence=(),
    )  # fmt: skip
    return Case(hypothesis=hypothesis, snapshot=snapshot, environment=environment)


def _bound(wanted: Wanted, case: Case) -> tuple[str, Bound, Case]:
    verb = wanted.wish.verb
    if verb in NODES:
        return _of_node(verb, _named(case, "Node", wanted.name), case)
    if verb is Verb.RERUN:
        return "rerun_deployment", _run_again(wanted), case
    if verb is Verb.DELETE_JOB:
        job = _named(case, "Job", wanted.name)
        of_job = _case(wanted, job.name, "job", case.environment, case.snapshot)
        return "delete_failed_job", failed_job(of_job, {}), of_job
    if verb is Verb.RESTART and wanted.wish.kind == "pod":
        pod = _named(case, "Pod", wanted.name)
        bound = Bound(arguments=place(pod), title=f"Replace the pod {pod.name}")
        return "restart_pod", bound, _case(wanted, pod.name, "pod", case.environment, case.snapshot)
    workload = _workload(wanted, case)
    of_it = _case(wanted, workload.name, workload.kind, case.environment, case.snapshot)
    return (*_of_workload(wanted, workload, case.snapshot), of_it)


def _run_again(wanted: Wanted) -> Bound:
    run, _, attempt = wanted.wish.goal.partition("/")
    failed = wanted.wish.kind == "failed jobs"
    arguments = {"service": wanted.name, "run": int(run), "attempt": int(attempt)}
    what = "the failed jobs of " if failed else ""
    return Bound(
        arguments={**arguments, "failed_only": failed},
        title=f"Run {what}deployment {run} of {wanted.name} again",
    )


def _of_node(verb: Verb, node: KubernetesObject, case: Case) -> tuple[str, Bound, Case]:
    arguments: dict[str, Any] = {"node": node.name}
    if verb is Verb.DRAIN:
        arguments |= {"delete_empty_dir_data": False, "evict_unmanaged": False}
    title = f"{verb.value.capitalize()} the node {node.name}"
    return f"{verb.value}_node", Bound(arguments=arguments, title=title), case


def _of_workload(
    wanted: Wanted, workload: KubernetesObject, snapshot: Snapshot
) -> tuple[str, Bound]:
    verb, goal = wanted.wish.verb, wanted.wish.goal
    if verb in (Verb.PAUSE, Verb.RESUME):
        first = "Pause" if verb is Verb.PAUSE else "Resume"
        title = f"{first} the rollout of {workload.name}"
        return f"{first.lower()}_rollout", Bound(arguments=place(workload), title=title)
    action = f"{_PREFIX[verb]}_{workload.kind.lower()}"
    if verb is Verb.RESTART:
        return action, Bound(arguments=place(workload), title=f"Restart {workload.name}")
    if verb is Verb.SCALE:
        return action, _scaled(workload, goal)
    return action, _rolled_back(workload, goal, snapshot)


def _scaled(workload: KubernetesObject, goal: str) -> Bound:
    now = replicas(workload)
    example = f"`scale {workload.name} to {now + 1}`"
    if not (goal.isascii() and goal.isdigit() and len(goal) < 6):
        raise Unbound(f"To how many pods? {workload.name} has {now} now. For example {example}")
    wanted = int(goal)
    if wanted == now:
        raise Unbound(f"{workload.name} has {now} pods already")
    if not 0 < wanted <= MOST_PODS:
        raise Unbound(f"When asked I scale to 1 to {MOST_PODS} pods; {workload.name} has {now} now")
    return Bound(
        arguments={**place(workload), "replicas": wanted},
        title=f"Scale {workload.name} from {now} to {wanted} pods",
    )


def _rolled_back(workload: KubernetesObject, goal: str, snapshot: Snapshot) -> Bound:
    if not goal:
        return to_revision(workload, before_change(snapshot, workload, None))
    kept = revisions(snapshot, workload)
    number = _REVISION.fullmatch(goal)
    version = goal.partition(" ")[2] or goal
    fitting = [
        r for r in kept
        if (r.number == int(number[1]) if number else same_version(r.version, version))
    ]  # fmt: skip
    if not fitting:
        there = ", ".join(f"{r.version or '?'} (revision {r.number})" for r in kept[-6:]) or "none"
        raise Unbound(f"{workload.name} keeps no {goal}; there are: {there}")
    chosen = fitting[-1]
    if chosen.template == kept[-1].template:
        raise Unbound(f"{workload.name} is at {goal} already")
    return to_revision(workload, chosen)


def _workload(wanted: Wanted, case: Case) -> KubernetesObject:
    """Return the one workload that was meant. Raises: UnknownName, Ambiguous, Unbound."""
    verb, kind = wanted.wish.verb, wanted.wish.kind
    here = [o for k in WORKLOADS for o in _watched(case, k)]
    found = [o for o in here if o.name == wanted.name]
    found = found or [o for o in here if service_of_object(o.body) == wanted.name]
    if kind in ("deployment", "statefulset", "daemonset"):
        found = [o for o in found if o.kind.lower() == kind]
    able = [o for o in found if o.kind in _OF_WORKLOAD[verb]]
    if found and not able:
        raise Unbound(f"{wanted.name} is a {found[0].kind}: I can't {verb.value} that")
    return _one(kind or "service", wanted.name, able, [o.name for o in here], case)


def _named(case: Case, kind: str, name: str) -> KubernetesObject:
    here = _watched(case, kind) if kind != "Node" else list(case.snapshot.kind("Node"))
    found = [o for o in here if o.name == name]
    return _one(kind.lower(), name, found, [o.name for o in here], case)


def _watched(case: Case, kind: str) -> list[KubernetesObject]:
    newest = {(o.namespace, o.name): o for o in case.snapshot.kind(kind)}
    spaces = case.environment.namespaces
    return [o for o in newest.values() if not spaces or o.namespace in spaces]


def _one(
    kind: str, name: str, found: Sequence[KubernetesObject], there: Sequence[str], case: Case
) -> KubernetesObject:
    unique = {(o.kind, o.namespace, o.name): o for o in found}
    if len(unique) > 1:
        words = [f"`{o.kind.lower()} {o.name}` in {o.namespace}" for o in unique.values()]
        raise Ambiguous(kind, name, candidates=words[:5])
    if not unique:
        near = difflib.get_close_matches(name, list(dict.fromkeys(there)), n=3, cutoff=0.6)
        raise UnknownName(kind, name, near=near, place=case.environment.name)
    return next(iter(unique.values()))
