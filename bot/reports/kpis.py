"""The figures of one week, from the facts of it. Pure; docs/kpis.md defines each of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.action import Choice, Outcome
from bot.domain.conversation import Judgement
from bot.domain.diagnosis import Status
from bot.domain.kpis import ActionFact, DiagnosisFact, Facts, IncidentFact, OfferFact, Scope
from bot.domain.time import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Durations in seconds; without any, there is neither mean nor median."""

    count: int = 0
    mean_s: float | None = None
    median_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpis:
    """One week in figures."""

    start: datetime
    end: datetime
    incidents: int
    asked: int  # of these: a person's questions
    alerts: int  # signals that joined them
    open_at_end: int
    detection: Times  # MTTD
    acknowledgement: Times  # MTTA
    resolution: Times  # MTTR
    resolved_by_itself: int  # of those resolved: after an action that nobody had to approve
    resolved_approved: int  # … after an action that a person approved or asked for
    actions: int
    verified: int
    false_actions: int
    undone: int
    diagnoses: int
    causes_found: int
    right: int  # diagnoses by people's verdicts
    wrong: int
    escalations: int
    offered: int
    approved: int
    rejected: int
    ran_out: int
    decision: Times  # from offer to decision
    quiet: int
    quiet_alerts: int
    dismissed: int  # told, and a person said that it was no incident

    @property
    def resolved(self) -> int:
        """How many incidents ended."""
        return self.resolution.count

    @property
    def empty(self) -> bool:
        """Whether nothing at all happened."""
        return not any(
            (self.incidents, self.quiet, self.resolved, self.actions, self.diagnoses, self.offered,
             self.escalations, self.acknowledgement.count, self.open_at_end, self.dismissed)
        )  # fmt: skip


def within(facts: Facts, scope: Scope) -> Facts:
    """Return what belongs to a team: its incidents with all that came of them, and its actions."""
    blamed: dict[str, list[str]] = {}
    for diagnosis in facts.diagnoses:
        blamed.setdefault(diagnosis.incident_id, []).append(diagnosis.service)
    incidents = tuple(
        i
        for i in facts.incidents
        if scope.covers(i.environment, (i.service, *blamed.get(i.id, ())))
    )
    ours = {incident.id for incident in incidents}

    def belongs(fact: ActionFact | OfferFact) -> bool:
        return fact.incident_id in ours or scope.covers(fact.environment, (fact.service,))

    return Facts(
        incidents=incidents,
        diagnoses=tuple(d for d in facts.diagnoses if d.incident_id in ours),
        actions=tuple(filter(belongs, facts.actions)),
        offers=tuple(filter(belongs, facts.offers)),
    )


def answers(facts: Facts) -> Mapping[str, DiagnosisFact]:
    """Return the newest finished investigation of each incident that has one."""
    found: dict[str, DiagnosisFact] = {}
    for diagnosis in sorted(facts.diagnoses, key=lambda d: (d.started_at, d.id)):
        if diagnosis.status:
            found[diagnosis.incident_id] = diagnosis
    return found


def told(facts: Facts) -> tuple[IncidentFact, ...]:
    """Return what counts as an incident: not quiet or none, and of questions those of trouble."""
    answered = answers(facts)

    def counts(incident: IncidentFact) -> bool:
        answer = answered.get(incident.id)
        trouble = answer is not None and answer.status != Status.HEALTHY.value
        return not incident.quiet and (bool(incident.origin) or trouble)

    return tuple(filter(counts, facts.incidents))


def is_false(action: ActionFact) -> bool:
    """Whether an action was false: it made things worse, or a person says it was wrong."""
    judged_wrong = action.judged is Judgement.WRONG and not action.asked
    return action.outcome is Outcome.WORSE or judged_wrong


def helped(action: ActionFact) -> bool:
    """Whether an action was verified: recovered after it, it stands, nobody says it was wrong."""
    stands = not action.undone and not action.step
    return stands and action.outcome is Outcome.RECOVERED and not is_false(action)


def kpis(
    facts: Facts, week: Window, now: datetime, incidents: Sequence[IncidentFact] | None = None
) -> Kpis:
    """Return the figures of a week, with all that is known of it at `now`.

    `incidents` are those `told`, for who asks about many weeks of the same facts.
    """
    incidents = told(facts) if incidents is None else incidents
    opened = [i for i in incidents if _in(week, i.opened_at)]
    alerted = [i for i in incidents if i.origin]
    ended = [i for i in alerted if _in(week, i.closed_at)]
    quiet = [i for i in facts.incidents if i.kept_quiet and _in(week, i.opened_at)]
    return Kpis(
        start=week.start,
        end=week.end,
        incidents=len(opened),
        asked=sum(not i.origin for i in opened),
        alerts=sum(i.alerts for i in opened),
        open_at_end=len(open_at(alerted, week.end)),
        detection=_times(_took(i.began_at, i.opened_at) for i in opened if i.origin),
        acknowledgement=_times(
            _took(i.opened_at, i.acknowledged_at) for i in alerted if _in(week, i.acknowledged_at)
        ),
        resolution=_times(_took(i.began_at or i.opened_at, i.closed_at) for i in ended),
        **_recoveries(facts, ended),
        **_actions(a for a in facts.actions if _in(week, a.started_at)),
        **_diagnoses(d for d in facts.diagnoses if _in(week, d.started_at)),
        escalations=sum(_in(week, i.escalated_at) for i in facts.incidents),
        **_offers([o for o in facts.offers if _in(week, o.offered_at)], now),
        decision=_times(
            _took(o.offered_at, o.decided_at) for o in facts.offers if _in(week, o.offered_at)
        ),
        quiet=len(quiet),
        quiet_alerts=sum(i.alerts for i in quiet),
        dismissed=sum(i.dismissed and _in(week, i.opened_at) for i in facts.incidents),
    )


def open_at(incidents: Iterable[IncidentFact], moment: datetime) -> list[IncidentFact]:
    """Return what had begun and was not over at a moment; questions have no end that shows."""
    return [
        i
        for i in incidents
        if i.origin and i.opened_at < moment and (i.closed_at is None or i.closed_at >= moment)
    ]


def waiting(offers: Iterable[OfferFact], now: datetime) -> list[OfferFact]:
    """Return what people could decide about now."""
    return [
        o
        for o in offers
        if o.carried_out_at is None and o.choice is not Choice.REJECT and o.expires_at > now
    ]


def _recoveries(facts: Facts, ended: Iterable[IncidentFact]) -> dict[str, int]:
    by_incident: dict[str, list[ActionFact]] = {}
    for action in filter(helped, facts.actions):
        by_incident.setdefault(action.incident_id, []).append(action)
    found = [by_incident[i.id] for i in ended if i.id in by_incident]
    alone = sum(not any(a.decided or a.asked for a in actions) for actions in found)
    return {"resolved_by_itself": alone, "resolved_approved": len(found) - alone}


def _actions(actions: Iterable[ActionFact]) -> dict[str, int]:
    counted = [a for a in actions if not a.step or is_false(a)]
    return {
        "actions": len(counted),
        "verified": sum(map(helped, counted)),
        "false_actions": sum(map(is_false, counted)),
        "undone": sum(a.undone for a in counted),
    }


def _diagnoses(diagnoses: Iterable[DiagnosisFact]) -> dict[str, int]:
    ended = [d for d in diagnoses if d.status]
    return {
        "diagnoses": len(ended),
        "causes_found": sum(d.status == Status.ROOT_CAUSE.value for d in ended),
        "right": sum(d.judged is Judgement.RIGHT for d in ended),
        "wrong": sum(d.judged is Judgement.WRONG for d in ended),
    }


def _offers(offers: Iterable[OfferFact], now: datetime) -> dict[str, int]:
    listed = list(offers)
    return {
        "offered": len(listed),
        "approved": sum(o.choice is Choice.APPROVE for o in listed),
        "rejected": sum(o.choice is Choice.REJECT for o in listed),
        "ran_out": sum(
            o.choice is None and o.carried_out_at is None and o.expires_at <= now for o in listed
        ),
    }


def _in(week: Window, moment: datetime | None) -> bool:
    return moment is not None and week.start <= moment < week.end


def _took(start: datetime | None, end: datetime | None) -> timedelta | None:
    """Return how long it took; None if it is not known. Never less than nothing."""
    if start is None or end is None:
        return None
    return max(timedelta(0), end - start)


def _times(durations: Iterable[timedelta | None]) -> Times:
    known = sorted(d for d in durations if d is not None)
    if not known:
        return Times()
    middle = len(known) // 2
    pair = known[middle - 1 : middle + 1] if len(known) % 2 == 0 else known[middle : middle + 1]
    return Times(count=len(known), mean_s=_mean(known), median_s=_mean(pair))


def _mean(durations: list[timedelta]) -> float:
    return (sum(durations, timedelta(0)) / len(durations)).total_seconds()
