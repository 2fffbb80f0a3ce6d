"""Nodes, volumes and certificates: node exporter, cAdvisor, kubelet, certificate exporters."""

from collections.abc import Iterator

from bot.domain.snapshot import Signal
from tools.read.prometheus.template import NODE, Template

_BY = "by (node, instance)"
_NAMES = "max by (instance, nodename)(node_uname_info{})"


def _named(share: str) -> str:
    """Return the share with the node's own name where the exporter tells it, as it is elsewhere."""
    named = f"({share} * on (instance) group_left (nodename) {_NAMES})"
    return f"{named} or ({share} unless on (instance) {_NAMES})"


def templates() -> Iterator[Template]:
    """Yield the templates, best first: with a node's name where the exporter tells it."""
    cpu, free, size = (
        "node_cpu_seconds_total",
        "node_memory_MemAvailable_bytes",
        "node_memory_MemTotal_bytes",
    )
    busy = f'(1 - avg {_BY}(rate({cpu}{{mode="idle"}}[2m])))'
    held = f"(1 - max {_BY}({free}{{}}) / max {_BY}({size}{{}}))"
    again = "node_netstat_Tcp_RetransSegs"
    repeated = f"(max {_BY}(rate({again}{{}}[2m])))"
    root = 'id="/"'
    used, cores = "container_cpu_usage_seconds_total", "machine_cpu_cores"
    kept, memory = "container_memory_working_set_bytes", "machine_memory_bytes"
    rows = (
        (Signal.NODE_CPU, (cpu, "node_uname_info"), _named(busy)),
        (Signal.NODE_CPU, (cpu,), busy),
        (Signal.NODE_CPU, (used, cores),
         f"sum {_BY}(rate({used}{{{root}}}[2m])) / max {_BY}({cores}{{}})"),
        (Signal.NODE_MEMORY, (free, size, "node_uname_info"), _named(held)),
        (Signal.NODE_MEMORY, (free, size), held),
        (Signal.NODE_MEMORY, (kept, memory),
         f"max {_BY}({kept}{{{root}}}) / max {_BY}({memory}{{}})"),
        (Signal.TCP_RETRANSMITS, (again, "node_uname_info"), _named(repeated)),
        (Signal.TCP_RETRANSMITS, (again,), repeated),
    )  # fmt: skip
    for signal, needs, promql in rows:
        yield Template(signal=signal, needs=needs, promql=promql, source="node", service=NODE,
                       namespace="")  # fmt: skip
    yield from _disks()
    yield from _certificates()


def _disks() -> Iterator[Template]:
    free, size = "node_filesystem_avail_bytes", "node_filesystem_size_bytes"
    real = 'fstype!~"tmpfs|overlay|squashfs|ramfs"'
    by = "by (node, instance, mountpoint)"
    share = f"(1 - max {by}({free}{{{real}}}) / max {by}({size}{{{real}}}))"
    for needs, promql in (
        ((free, size, "node_uname_info"), _named(share)),
        ((free, size), share),
    ):
        yield Template(
            signal=Signal.DISK_OF_LIMIT, needs=needs, source="node", service=NODE, namespace="",
            promql=promql, labels={"resource": "mountpoint"},
        )  # fmt: skip
    used, most = "kubelet_volume_stats_used_bytes", "kubelet_volume_stats_capacity_bytes"
    claim = "by (namespace, pod, service_name, persistentvolumeclaim)"
    yield Template(
        signal=Signal.DISK_OF_LIMIT, needs=(used, most), source="volume",
        promql=f"max {claim}({used}{{}}) / max {claim}({most}{{}})",
        service=("service_name", "pod", "persistentvolumeclaim"),
        labels={"resource": "persistentvolumeclaim"},
    )  # fmt: skip


def _certificates() -> Iterator[Template]:
    probe = "probe_ssl_earliest_cert_expiry"
    yield Template(
        signal=Signal.CERTIFICATE_EXPIRES_IN, needs=(probe,), source="probe", namespace="",
        promql=f"min by (service_name, instance)({probe}{{}}) - time()",
        service=("service_name", "instance"), labels={"resource": "instance"},
    )  # fmt: skip
    rows = (
        ("certmanager_certificate_expiration_timestamp_seconds", "name", "cert-manager"),
        ("x509_cert_not_after", "secret_name", "x509"),
    )
    for metric, name, source in rows:
        yield Template(
            signal=Signal.CERTIFICATE_EXPIRES_IN, needs=(metric,), source=source, service=(name,),
            promql=f"min by (namespace, {name})({metric}{{}}) - time()", labels={"resource": name},
        )  # fmt: skip
