"""From Prometheus' matrices to Series: names, labels, finite points, pods summed to services."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.errors import Malformed
from bot.domain.snapshot import Series, Source
from tools.clients.names import host_of, workload_of_claim, workload_of_pod
from tools.clients.prometheus import Sample
from tools.read.prometheus.template import UNITS, Template

_ADDRESSES = ("instance", "server_address", "net_peer_name")
_PODS = ("pod", "k8s_pod_name")


@dataclass(frozen=True, slots=True)
class _Key:
    service: str
    labels: tuple[tuple[str, str], ...]


def shape(
    template: Template,
    samples: Iterable[Sample],
    *,
    source: Source,
    breakdown: str,
    namespaces: Sequence[str],
) -> Iterator[Series]:
    """Yield the series of one query's answer. Raises: Malformed: it is no matrix."""
    groups: dict[_Key, list[dict[float, float]]] = {}
    for sample in samples:
        key = _key(template, _metric(sample), breakdown, namespaces)
        points = dict(_points(sample))
        if key is not None and points:
            groups.setdefault(key, []).append(points)
    for key, parts in groups.items():
        points = parts[0] if len(parts) == 1 else _reduced(parts, template.reduce)
        times = sorted(points)
        yield Series(
            signal=template.signal.value,
            service=key.service,
            times=tuple(times),
            values=tuple(points[t] for t in times),
            unit=UNITS[template.signal],
            source=source,
            labels=dict(key.labels),
        )


def _metric(sample: Sample) -> Mapping[str, Any]:
    metric = sample.get("metric")
    if not isinstance(metric, Mapping):
        raise Malformed("Prometheus: a series has no metric")
    return metric


def _points(sample: Sample) -> Iterator[tuple[float, float]]:
    """Yield the finite points of a matrix's series or of a vector's sample."""
    raw = sample.get("values") or [sample.get("value")]
    try:
        for moment, value in raw:
            number = float(value)
            if math.isfinite(number):
                yield float(moment), number
    except (TypeError, ValueError):
        raise Malformed("Prometheus: a point is not a time and a number") from None


def _key(
    template: Template, metric: Mapping[str, Any], breakdown: str, namespaces: Sequence[str]
) -> _Key | None:
    label = next((name for name in template.service if metric.get(name)), None)
    if label is None:
        return None
    labels = dict(template.fixed)
    for ours, theirs in template.labels.items():
        if metric.get(theirs):
            value = str(metric[theirs])
            labels[ours] = host_of(value, namespaces) if theirs in _ADDRESSES else value
    if breakdown:
        labels[breakdown] = str(metric.get(template.breakdowns[breakdown], ""))
    service = _named(label, str(metric[label]), namespaces)
    return _Key(service, tuple(sorted(labels.items())))


def _named(label: str, value: str, namespaces: Sequence[str]) -> str:
    if label in _PODS:
        return workload_of_pod(value)
    if label == "persistentvolumeclaim":
        return workload_of_claim(value)
    if label == "job":
        return value.rpartition("/")[2]  # "namespace/name" by OpenTelemetry's rules
    if label in ("envoy_cluster_name", "exported_service", "service"):
        return _backend(value, namespaces)
    return host_of(value, namespaces) if label in _ADDRESSES else value


def _backend(value: str, namespaces: Sequence[str]) -> str:
    """Return the service of a proxy's backend.

    "outbound|80||cart.shop.svc.cluster.local" (Envoy), "shop-cart-80@kubernetes" (Traefik).
    """
    if "|" in value:
        return host_of(value.rpartition("|")[2], namespaces)
    name, at, _ = value.partition("@")
    if not at:
        return value
    name = re.sub(r"-\d+$", "", name)
    prefix = next((f"{n}-" for n in namespaces if name.startswith(f"{n}-")), "")
    return name.removeprefix(prefix)


def _reduced(parts: Sequence[Mapping[float, float]], how: str) -> dict[float, float]:
    joined: dict[float, list[float]] = {}
    for points in parts:
        for moment, value in points.items():
            joined.setdefault(moment, []).append(value)
    combine = sum if how == "sum" else max
    return {moment: combine(values) for moment, values in joined.items()}
