"""Reports, cards and payloads as they come, for the tests of the human layer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.action import (
    ActionCall,
    BlastRadius,
    Choice,
    Decision,
    DryRun,
    Execution,
    ExecutionStatus,
    Outcome,
    Proposal,
    Target,
    Verification,
    VerificationPlan,
)
from bot.domain.conversation import Card, CardState, Head, Thread
from bot.domain.diagnosis import (
    Budget,
    ChartData,
    Diagnosis,
    Evidence,
    Hypothesis,
    Progress,
    Question,
    Ranked,
    Report,
    RuledOut,
    SignalRef,
    Status,
    Step,
    Symptom,
)
from bot.domain.people import Role
from bot.domain.policy import Reason, Ruling, Verdict
from bot.domain.snapshot import BlindSpot, Change, ChangeKind, Series, Source
from bot.domain.time import Window
from tests.unit.slack.fakes import BOT_USER, CHANNEL, ROOT, TEAM, USER

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
WINDOW = Window.last(1800, before=NOW)
THREAD = Thread(team=TEAM, channel=CHANNEL, ts=ROOT)
GRAPH = Source(
    system="prometheus",
    query='histogram_quantile(0.99, rate(duration_seconds_bucket{service_name="checkout"}[2m]))',
    window=WINDOW,
    link="https://prometheus.example/graph?g0.expr=up&g0.tab=0",
)
SIGNAL = SignalRef(signal="latency_p99", service="checkout", unit="s", good=0.2, bad=4.1)


def question(**changes: Any) -> Question:
    asked = Question(
        text="why is checkout slow",
        environment="prod",
        services=("checkout",),
        symptom=Symptom.SLOW,
        asked_at=NOW,
        window=WINDOW,
    )
    return replace(asked, **changes)


def change(id: str = "c1", at: datetime = NOW - timedelta(minutes=4)) -> Change:
    return Change(
        id=id,
        kind=ChangeKind.DEPLOY,
        service="checkout",
        object="deployment/checkout",
        at=at,
        summary="v2.41",
        before="v2.40",
        after="v2.41",
        diff=None,
        link=None,
        source=GRAPH,
    )


def evidence(statement: str = "p99 rose 0.2 → 4.1 s at 14:03", weight: float = 2.0) -> Evidence:
    return Evidence(statement=statement, weight=weight, source=GRAPH)


def hypothesis(**changes: Any) -> Hypothesis:
    made = Hypothesis(
        cause="n_plus_one_queries",
        object="deployment/checkout",
        service="checkout",
        summary="checkout v2.41 runs one query per cart item since 14:01",
        analyzer="recent_change",
        prior=-2.0,
        evidence=(
            evidence("against: the database's CPU is normal"[9:], -0.3),
            evidence(),
            evidence("catalogue requests per checkout went 3 → 47 at 14:03", 3.0),
        ),
        change=change(),
        signal=SIGNAL,
    )
    return replace(made, **changes)


def diagnosis(**changes: Any) -> Diagnosis:
    ranked = Ranked(hypothesis=hypothesis(), confidence=0.91)
    made = Diagnosis(
        status=Status.ROOT_CAUSE,
        confidence=0.91,
        summary="checkout v2.41 runs one query per cart item since 14:01",
        causes=(ranked,),
        ranked=(ranked,),
        ruled_out=(
            RuledOut(what="frontend v9.3", why="touches no backend call", source=GRAPH),
            RuledOut(what="payment", why="slow only when called by checkout", source=GRAPH),
        ),
        blind_spots=(BlindSpot(system="traces", reason="Tempo timed out", wanted="traces"),),
        onset=NOW - timedelta(minutes=2),
        signal=SIGNAL,
    )
    return replace(made, **changes)


def unknown() -> Diagnosis:
    guesses = tuple(
        Ranked(hypothesis=hypothesis(cause=cause), confidence=confidence)
        for cause, confidence in (("slow_dependency", 0.41), ("traffic_surge", 0.30))
    )
    return diagnosis(status=Status.UNKNOWN, confidence=0.41, summary="", causes=(), ranked=guesses)


def chart() -> ChartData:
    times = tuple(WINDOW.start.timestamp() + 15 * i for i in range(120))
    values = tuple(0.2 if i < 100 else 4.1 for i in range(120))
    series = Series(
        signal="latency_p99", service="checkout", times=times, values=values, unit="s", source=GRAPH
    )
    return ChartData(
        series=series,
        usual_low=0.15,
        usual_high=0.3,
        onset=NOW - timedelta(minutes=2),
        changes=(change(),),
    )


def report(**changes: Any) -> Report:
    steps = tuple(
        Step(number=n, source=GRAPH, took_s=0.12, found=f"{n} series") for n in range(1, 5)
    )
    made = Report(
        investigation_id="inv-Ev1",
        question=question(),
        diagnosis=diagnosis(),
        steps=steps,
        looked_at=("metrics", "changes", "Kubernetes"),
        spent=Budget(seconds=8.2, queries=4),
        chart=None,
    )
    return replace(made, **changes)


def head(diagnosed: Diagnosis | None = None, **changes: Any) -> Head:
    progress = Progress(
        elapsed_s=6.2,
        looked_at=("metrics", "changes"),
        waiting_for=("logs", "traces"),
        observation="p99 4.1 s, usually 0.2 s, since 14:03",
    )
    made = Head(
        investigation_id="inv-Ev1",
        question=question(),
        progress=progress,
        diagnosis=diagnosed,
        on_call="@payments-primary",
    )
    return replace(made, **changes)


def ruling(verdict: Verdict = Verdict.APPROVAL, **changes: Any) -> Ruling:
    made = Ruling(
        verdict=verdict,
        reasons=(Reason(rule="prod-two-people", text="production needs an approver"),),
        approvals_needed=1,
        approver_role=Role.APPROVER,
    )
    return replace(made, **changes)


def proposal(**changes: Any) -> Proposal:
    call = ActionCall(
        action="rollback_deployment",
        environment="prod",
        arguments={"namespace": "shop", "name": "checkout", "to_revision": 40},
    )
    made = Proposal(
        id="inv-Ev1-p1",
        investigation_id="inv-Ev1",
        call=call,
        title="Roll back checkout to v2.40",
        reason="v2.41 runs one query per cart item",
        runbook="n-plus-one",
        trade_off="the new cart page is gone until it is fixed",
        confidence=0.91,
        cause="n_plus_one_queries",
        novel=False,
        requester="sre-bot",
        verification=VerificationPlan(signal=SIGNAL, threshold=0.5, window_s=600),
        target=Target(
            environment="prod", kind="Deployment", namespace="shop", name="checkout", uid="u",
            spec_hash="h", service="checkout", replicas=12, pdb_allows=3,
        ),
        dry_run=DryRun(
            ok=True,
            command="kubectl rollout undo deployment/checkout --to-revision=40 -n shop",
            diff="image: checkout:v2.41 → checkout:v2.40",
            blast_radius=BlastRadius(pods=3, pods_total=12, workload_ratio=0.25, fleet_ratio=0.01),
        ),
        inverse=replace(call, arguments={**call.arguments, "to_revision": 41}),
        expires_at=NOW + timedelta(minutes=30),
        track_record="9 of 9 rollbacks of checkout verified (lower bound 70 %)",
    )  # fmt: skip
    return replace(made, **changes)


def decision(choice: Choice = Choice.APPROVE, **changes: Any) -> Decision:
    made = Decision(
        id="d1", proposal_id="inv-Ev1-p1", choice=choice, actor_id="U0ANIL", team=TEAM,
        role="approver", at=NOW, reason="", call_digest="", target_uid="u", spec_hash="h",
        diff_hash="", expires_at=NOW,
    )  # fmt: skip
    return replace(made, **changes)


def execution() -> Execution:
    return Execution(
        key="inv-Ev1-p1-x",
        proposal_id="inv-Ev1-p1",
        call=proposal().call,
        status=ExecutionStatus.APPLIED,
        actor_id="U0ANIL",
        started_at=NOW,
    )


def verification(statement: str = "p99 0.2 s since 14:15, was 4.1 s") -> Verification:
    return Verification(
        execution_key="inv-Ev1-p1-x",
        outcome=Outcome.RECOVERED,
        statement=statement,
        value=0.2,
        checked_at=NOW,
    )


def card(state: CardState = CardState.WAITING, level: int = 3, **changes: Any) -> Card:
    made = Card(proposal=proposal(), ruling=ruling(), level=level, state=state)
    return replace(made, **changes)


def mention_body(text: str = f"<@{BOT_USER}> why is checkout slow", **event: Any) -> dict[str, Any]:
    return {
        "type": "event_callback",
        "event_id": "Ev1",
        "team_id": TEAM,
        "api_app_id": "A0SREBOT",
        "authorizations": [{"team_id": TEAM, "user_id": BOT_USER, "is_bot": True}],
        "event": {
            "type": "app_mention",
            "user": USER,
            "channel": CHANNEL,
            "ts": ROOT,
            "text": text,
            **event,
        },
    }


def click_body(action_id: str, value: Any = "inv-Ev1-p1", **changes: Any) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "team": {"id": TEAM},
        "user": {"id": USER, "team_id": TEAM},
        "channel": {"id": CHANNEL},
        "api_app_id": "A0SREBOT",
        "container": {
            "type": "message", "message_ts": "1700000001.000001", "channel_id": CHANNEL,
            "thread_ts": ROOT,
        },
        "message": {"ts": "1700000001.000001", "thread_ts": ROOT},
        "trigger_id": "1.2.live",
        "response_url": "http://127.0.0.1:9/never",
        "actions": [
            {"type": "button", "action_id": action_id, "block_id": "b", "value": value,
             "action_ts": "1700000003.1"}
        ],
        **changes,
    }  # fmt: skip


def submission_body(callback_id: str, metadata: str, text: str | None) -> dict[str, Any]:
    return {
        "type": "view_submission",
        "team": {"id": TEAM},
        "user": {"id": USER, "team_id": TEAM},
        "api_app_id": "A0SREBOT",
        "view": {
            "id": "V1", "type": "modal", "callback_id": callback_id, "private_metadata": metadata,
            "state": {"values": {"reason": {"text": {"type": "plain_text_input", "value": text}}}},
        },
    }  # fmt: skip


def command_body(text: str, **changes: Any) -> dict[str, Any]:
    return {
        "command": "/sre", "text": text, "team_id": TEAM, "user_id": USER, "channel_id": CHANNEL,
        "trigger_id": "1.2.live", "response_url": "http://127.0.0.1:9/never", **changes,
    }  # fmt: skip
