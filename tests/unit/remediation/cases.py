"""Small snapshots and diagnoses to plan from."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.diagnosis import (
    Concluded,
    Diagnosis,
    Evidence,
    Hypothesis,
    Ranked,
    SignalRef,
    Status,
)
from bot.domain.environment import Environment, Tier
from bot.domain.snapshot import (
    Change,
    ChangeKind,
    KubernetesObject,
    PastIncident,
    Series,
    Snapshot,
    Source,
)
from bot.domain.time import Window
from bot.remediation.planner import Plan, propose
from policies.catalog import load

RUNBOOKS = load()
ONSET = datetime(2026, 3, 1, 14, 3, tzinfo=UTC)
NOW = ONSET + timedelta(minutes=10)
SOURCE = Source(system="kubernetes", query="kubectl get all -n shop")
PROD = Environment(
    name="prod",
    tier=Tier.PRODUCTION,
    namespaces=("shop",),
    fallbacks={"payment-provider": {"flag": "queue-charges", "variant": "on"}},
)
SIGNAL = SignalRef(signal="latency_p99", service="checkout", unit="s", good=0.2, bad=4.1)


def item(kind: str, name: str, body: dict[str, Any], namespace: str = "shop") -> KubernetesObject:
    return KubernetesObject(kind=kind, namespace=namespace, name=name, body=body, source=SOURCE)


def deployment(name: str = "checkout", replicas: Any = 4, config: str = "") -> KubernetesObject:
    container: dict[str, Any] = {"name": "app"}
    if config:
        container["envFrom"] = [{"configMapRef": {"name": config}}]
    body = {
        "metadata": {"name": name, "uid": f"uid-{name}"},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [container]}}},
    }
    return item("Deployment", name, body)


def revision(
    number: Any, version: str, created: datetime, owner: str = "checkout", image: str = ""
) -> KubernetesObject:
    name = f"{owner}-{number}"
    template = {
        "metadata": {
            "labels": {"app.kubernetes.io/version": version, "pod-template-hash": str(number)}
        },
        "spec": {"containers": [{"name": "app", "image": image or f"shop/{owner}:{version}"}]},
    }
    body = {
        "metadata": {
            "name": name,
            "uid": name,
            "creationTimestamp": created.isoformat().replace("+00:00", "Z"),
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
            "ownerReferences": [{"kind": "Deployment", "name": owner, "uid": f"uid-{owner}"}],
        },
        "spec": {"template": template},
    }
    return item("ReplicaSet", name, body)


def change(
    kind: ChangeKind,
    object: str,
    before: str | None,
    after: str | None,
    at: datetime = ONSET - timedelta(minutes=2),
    service: str = "checkout",
) -> Change:
    return Change(
        id="c1",
        kind=kind,
        service=service,
        object=object,
        at=at,
        summary=f"{kind} of {object}",
        before=before,
        after=after,
        diff=None,
        link=None,
        source=SOURCE,
    )


def deploy(before: str | None = "v2.40", after: str = "v2.41") -> Change:
    return change(ChangeKind.DEPLOY, "deployment/checkout", before, after)


def hypothesis(cause: str, object: str = "deployment/checkout", **changes: Any) -> Hypothesis:
    bare = Hypothesis(
        cause=cause,
        object=object,
        service="checkout",
        summary="it is so",
        analyzer="test",
        prior=-2.0,
        evidence=(Evidence(statement="seen", weight=4.0, source=SOURCE),),
        onset=ONSET,
        signal=SIGNAL,
    )
    return replace(bare, **changes)


def snapshot(*facts: Any, past: tuple[PastIncident, ...] = ()) -> Snapshot:
    return Snapshot(
        environment="prod",
        window=Window.last(3600, before=NOW),
        now=NOW,
        objects=tuple(f for f in facts if isinstance(f, KubernetesObject)),
        series=tuple(f for f in facts if isinstance(f, Series)),
        changes=tuple(f for f in facts if isinstance(f, Change)),
        past=past,
    )


def series(signal: str, values: list[float], service: str = "checkout") -> Series:
    times = tuple((ONSET + timedelta(minutes=n - len(values) // 2)).timestamp()
                  for n in range(len(values)))  # fmt: skip
    return Series(
        signal=signal, service=service, times=times, values=tuple(values), unit="", source=SOURCE
    )


def concluded(
    facts: Snapshot, *causes: Hypothesis, status: Status = Status.ROOT_CAUSE
) -> Concluded:
    ranked = tuple(Ranked(hypothesis=h, confidence=0.91) for h in causes)
    diagnosis = Diagnosis(
        status=status,
        confidence=0.91,
        summary="",
        causes=ranked,
        ranked=ranked,
        ruled_out=(),
        blind_spots=(),
        onset=ONSET,
        signal=None,
    )
    return Concluded(diagnosis=diagnosis, snapshot=facts, rounds=1, chart=None)


def plan(facts: Snapshot, *causes: Hypothesis, **options: Any) -> Plan:
    return propose(
        concluded(facts, *causes, status=options.pop("status", Status.ROOT_CAUSE)),
        environment=PROD,
        runbooks=RUNBOOKS,
        investigation_id="inv-1",
        **options,
    )


def config_change(before: dict[str, Any] | None, service: str = "checkout") -> Change:
    text = None if before is None else json.dumps(before)
    return change(
        ChangeKind.CONFIG, "configmap/checkout-config", text, '{"POOL":"2"}', service=service
    )
