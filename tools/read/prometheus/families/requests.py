"""Rate, errors and latency of the requests that services answer.

Names: OpenTelemetry's semantic conventions (new, old), Prometheus client libraries' habits (RED),
Micrometer, go-grpc-prometheus; where services write none, meshes and ingresses: Istio, Linkerd,
Envoy, ingress-nginx, Traefik, and the metrics that Tempo and the collector make of spans.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.snapshot import Signal
from tools.read.prometheus.template import Template, ratio

FAILED = (
    'status=~"5.."', 'code=~"5.."', 'status_code=~"5.."', 'http_status=~"5.."',
)  # fmt: skip
GRPC_FAILED = "Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss"
GRPC_NUMBERS = "2|4|12|13|14|15"
_OTEL = {"pod": "pod", "version": "service_version", "route": "http_route"}
_PLAIN = {"pod": "pod", "version": "version"}
_RED = ("service", "app", "job")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Metrics of one library. `errors`: selectors of failures, each of which may be the one."""

    count: str
    bucket: str = ""
    errors: Sequence[str] = ()
    failed: str = ""  # a metric of its own for failures
    service: tuple[str, ...] = ("service_name",)
    where: str = ""
    scale: str = ""
    needs: tuple[str, ...] = ()
    namespace: str = "namespace"
    breakdowns: Mapping[str, str] = field(default_factory=lambda: _PLAIN)
    own: bool = True


def _otel(family: str, errors: str, scale: str = "", **more: str) -> Family:
    return Family(count=f"{family}_count", bucket=f"{family}_bucket", errors=(errors,),
                  scale=scale, breakdowns={**_OTEL, **more})  # fmt: skip


def _job(family: str, errors: str, scale: str = "") -> Family:
    """The same of services that are named by their job only, as OTLP into Prometheus does."""
    return Family(count=f"{family}_count", bucket=f"{family}_bucket", errors=(errors,),
                  scale=scale, breakdowns=_OTEL, service=("job",), where='service_name=""',
                  needs=("target_info",))  # fmt: skip


def _red(family: str, *, errors: Sequence[str] = FAILED, scale: str = "",
         service: tuple[str, ...] = _RED) -> Family:  # fmt: skip
    return Family(count=f"{family}_count", bucket=f"{family}_bucket", errors=errors, scale=scale,
                  service=service)  # fmt: skip


_NEW, _OLD = 'http_response_status_code=~"5.."', 'http_status_code=~"5.."'
_MS = " / 1000"
FAMILIES: tuple[Family, ...] = (
    _otel("http_server_request_duration_seconds", _NEW),
    _job("http_server_request_duration_seconds", _NEW),
    _otel("http_server_duration_milliseconds", _OLD, _MS),
    _otel("http_server_duration_seconds", _OLD),
    _otel("http_server_duration", _OLD, _MS),  # milliseconds, before units were in names
    _otel("rpc_server_call_duration_seconds", f'rpc_response_status_code=~"{GRPC_FAILED}"'),
    _otel("rpc_server_duration_milliseconds", f'rpc_grpc_status_code=~"{GRPC_NUMBERS}"', _MS),
    _otel("rpc_server_duration_seconds", f'rpc_grpc_status_code=~"{GRPC_NUMBERS}"'),
    _otel("rpc_server_duration", f'rpc_grpc_status_code=~"{GRPC_NUMBERS}"', _MS),
    _red("http_server_requests_seconds", errors=('status=~"5.."',),
         service=("application", *_RED)),
    _red("http_request_duration_seconds"),
    _red("http_request_duration_milliseconds", scale=_MS),
    _red("http_request_duration_ms", scale=_MS),
    _red("flask_http_request_duration_seconds"),
    _red("http_requests_duration_seconds"),
    Family(count="http_requests_total", errors=FAILED, service=_RED),
    Family(count="http_requests_received_total", errors=('code=~"5.."',), service=_RED),
    Family(count="grpc_server_handled_total", bucket="grpc_server_handling_seconds_bucket",
           errors=(f'grpc_code=~"{GRPC_FAILED}"',), service=_RED),
    Family(count="django_http_responses_total_by_status_total", errors=('status=~"5.."',),
           bucket="django_http_requests_latency_seconds_by_view_method_bucket", service=_RED),
    Family(count="istio_request_duration_milliseconds_count",
           bucket="istio_request_duration_milliseconds_bucket", errors=('response_code=~"5.."',),
           service=("destination_workload",), where='reporter="destination"', scale=_MS,
           namespace="destination_workload_namespace", own=False,
           breakdowns={"version": "destination_version", "pod": "pod"}),
    Family(count="istio_requests_total", errors=('response_code=~"5.."',),
           service=("destination_workload",), where='reporter="destination"',
           namespace="destination_workload_namespace", own=False,
           breakdowns={"version": "destination_version", "pod": "pod"}),
    Family(count="response_total", bucket="response_latency_ms_bucket", scale=_MS,
           errors=('classification="failure"',), where='direction="inbound"', own=False,
           service=("deployment", "statefulset", "daemonset"), breakdowns={"pod": "pod"}),
    Family(count="traces_span_metrics_calls_total", scale=_MS, own=False,
           bucket="traces_span_metrics_duration_milliseconds_bucket",
           errors=('status_code="STATUS_CODE_ERROR"',), where='span_kind="SPAN_KIND_SERVER"',
           service=("service_name", "service"), namespace=""),
    Family(count="traces_spanmetrics_calls_total", bucket="traces_spanmetrics_latency_bucket",
           errors=('status_code="STATUS_CODE_ERROR"',), where='span_kind="SPAN_KIND_SERVER"',
           service=("service", "service_name"), namespace="", own=False),
    Family(count="calls_total", bucket="duration_milliseconds_bucket", scale=_MS,
           errors=('status_code="STATUS_CODE_ERROR"',), where='span_kind="SPAN_KIND_SERVER"',
           service=("service_name",), namespace="", own=False),
    Family(count="nginx_ingress_controller_requests", errors=('status=~"5.."',), own=False,
           bucket="nginx_ingress_controller_request_duration_seconds_bucket",
           service=("exported_service", "service"), namespace="exported_namespace",
           breakdowns={}),
    Family(count="traefik_service_requests_total", errors=('code=~"5.."',), own=False,
           bucket="traefik_service_request_duration_seconds_bucket",
           service=("exported_service", "service"), namespace="", breakdowns={}),
    Family(count="envoy_cluster_upstream_rq_total", failed="envoy_cluster_upstream_rq_xx",
           errors=('envoy_response_code_class="5"',), own=False, scale=_MS,
           bucket="envoy_cluster_upstream_rq_time_bucket", service=("envoy_cluster_name",),
           namespace="", breakdowns={}),
    Family(count="haproxy_backend_http_requests_total", errors=('code="5xx"',), own=False,
           failed="haproxy_backend_http_responses_total", service=("proxy", "backend"),
           namespace="", breakdowns={}),
)  # fmt: skip


def templates() -> Iterator[Template]:
    """Yield the templates of every family, best first."""
    for family in FAMILIES:
        yield from _of(family)
    red = "http_server_requests_seconds"  # Micrometer without histograms writes quantiles
    for signal, quantile in ((Signal.LATENCY_P50, "0.5"), (Signal.LATENCY_P99, "0.99")):
        yield Template(
            signal=signal, needs=(red,), service=("application", *_RED), breakdowns=_PLAIN,
            promql=f'max by (application, service, app, job)({red}{{quantile="{quantile}"}})',
            own=True,
        )  # fmt: skip


def _of(family: Family) -> Iterator[Template]:
    by = ", ".join(family.service)
    total = _rate(by, family.count, family.where)
    bad = [
        _rate(by, family.failed or family.count, ",".join(filter(None, (family.where, e))))
        for e in family.errors
    ]
    failed = bad[0] if len(bad) == 1 else f"({' or '.join(bad)})"
    needs = (family.count, *family.needs)
    both = (*needs, family.failed) if family.failed else needs
    rows = [
        (Signal.REQUEST_RATE, needs, total),
        (Signal.ERROR_RATIO, both, ratio(failed, total)),
    ]
    if family.bucket:
        buckets = _rate(f"le, {by}", family.bucket, family.where)
        known = (family.bucket, *family.needs)
        for signal, q in ((Signal.LATENCY_P50, "0.5"), (Signal.LATENCY_P99, "0.99")):
            rows.append((signal, known, f"histogram_quantile({q}, {buckets}){family.scale}"))
    for signal, wanted, promql in rows:
        yield Template(signal=signal, needs=wanted, promql=promql, service=family.service,
                       breakdowns=family.breakdowns, namespace=family.namespace,
                       own=family.own)  # fmt: skip


def _rate(by: str, metric: str, selector: str) -> str:
    return f"sum by ({by})(rate({metric}{{{selector}}}[2m]))"
