"""Alerting rules of the shop, evaluated over the simulated series."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from bot.sandbox.world.noise import Floats
from bot.sandbox.world.prometheus.formatting import number
from bot.sandbox.world.promql.evaluator import Evaluator, parse
from bot.sandbox.world.promql.values import NAME, Labels
from bot.sandbox.world.running import Running
from bot.sandbox.world.series.registry import SiteStorage

STEP_S = 30.0
BACK_S = 2400.0
SERVER = "http_server_request_duration_seconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One alerting rule. `{service}` in the summary is filled from the labels."""

    name: str
    expr: str
    for_s: float
    severity: str
    summary: str


RULES = (
    Rule(
        name="LatencyObjectiveMissed",
        expr="histogram_quantile(0.99, sum by (le, service_name, namespace) "
        f"(rate({SERVER}_bucket[2m]))) "
        "> on (service_name) group_left () slo:latency_threshold:seconds",
        for_s=120.0, severity="page", summary="p99 of {service_name} is above its objective",
    ),
    Rule(
        name="ErrorBudgetBurn",
        expr=f"sum by (service_name, namespace) (rate({SERVER}_count"
        '{http_response_status_code=~"5.."}[2m])) / '
        f"sum by (service_name, namespace) (rate({SERVER}_count[2m])) > 0.02",
        for_s=120.0, severity="page", summary="more than 2 % of requests to {service_name} fail",
    ),
    Rule(
        name="PodRestarting",
        expr="increase(kube_pod_container_status_restarts_total[15m]) > 0.5",
        for_s=0.0, severity="ticket", summary="{pod} restarted",
    ),
    Rule(
        name="DeploymentReplicasMissing",
        expr="kube_deployment_spec_replicas - kube_deployment_status_replicas_available > 0",
        for_s=240.0, severity="ticket", summary="{deployment} has fewer pods than it wants",
    ),
    Rule(
        name="NodeCpuSaturated",
        expr='1 - sum by (node) (rate(node_cpu_seconds_total{mode="idle"}[2m]))'
        " / sum by (node) (rate(node_cpu_seconds_total[2m])) > 0.95",
        for_s=240.0, severity="ticket", summary="the CPU of {node} is used up",
    ),
    Rule(
        name="CertificateExpired",
        expr="probe_ssl_earliest_cert_expiry - time() < 0",
        for_s=0.0, severity="page", summary="{service_name} serves an expired certificate",
    ),
    Rule(
        name="CacheMemoryHigh",
        expr="redis_memory_used_bytes / redis_memory_max_bytes > 0.9",
        for_s=300.0, severity="ticket", summary="{service_name} uses over 90 % of its memory",
    ),
)  # fmt: skip


def alerts(running: Running) -> list[dict[str, Any]]:
    """Return what is pending or fires now, as `/api/v1/alerts` does."""
    return [a for rule in RULES for a in active(running, rule)]


def active(running: Running, rule: Rule) -> list[dict[str, Any]]:
    """Return one rule's alerts that are pending or firing."""
    now = running.now()
    last = np.floor(now / STEP_S) * STEP_S
    times = last - STEP_S * np.arange(BACK_S // STEP_S, -1.0, -1.0)
    storage = SiteStorage(running.scope, running.table, now)
    found = Evaluator(storage, times).evaluate(parse(rule.expr))
    out = []
    for labels, values, present in zip(found.labels, found.values, found.present, strict=True):
        if present[-1]:
            began = _began(times, present)
            out.append(_alert(rule, labels, (began, float(times[-1]), float(values[-1]))))
    return out


def _began(times: Floats, present: Any) -> float:
    gaps = np.nonzero(~present)[0]
    return float(times[0] if not len(gaps) else times[gaps[-1] + 1])


def _alert(rule: Rule, labels: Labels, seen: tuple[float, float, float]) -> dict[str, Any]:
    began, now, value = seen
    shown = {k: v for k, v in labels.items() if k != NAME}
    summary = rule.summary
    for key, text in shown.items():
        summary = summary.replace("{" + key + "}", text)
    return {
        "labels": {"alertname": rule.name, "severity": rule.severity, **shown},
        "annotations": {"summary": summary},
        "state": "firing" if now - began >= rule.for_s else "pending",
        "activeAt": datetime.fromtimestamp(began, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "value": number(value),
    }


def rules(running: Running) -> list[dict[str, Any]]:
    """Return the rules with their alerts, as one group."""
    out = []
    for rule in RULES:
        found = active(running, rule)
        states = {a["state"] for a in found}
        state = "firing" if "firing" in states else "pending" if states else "inactive"
        out.append({
            "name": rule.name, "query": rule.expr, "duration": rule.for_s, "type": "alerting",
            "labels": {"severity": rule.severity}, "annotations": {"summary": rule.summary},
            "alerts": found, "state": state, "health": "ok",
        })  # fmt: skip
    return [{"name": "shop", "file": "/etc/prometheus/rules/shop.yaml", "interval": STEP_S,
             "rules": out}]  # fmt: skip
