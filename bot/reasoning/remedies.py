"""The remediation class of a cause: one word for what would end it, whoever does it."""

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

from bot.domain.diagnosis import HEALTHY, Finding, Hypothesis
from bot.domain.snapshot import ChangeKind

_REVERTS: Mapping[ChangeKind, str] = {
    ChangeKind.DEPLOY: "rollback",
    ChangeKind.COMMIT: "rollback",
    ChangeKind.CONFIG: "config_revert",
    ChangeKind.FLAG: "disable_flag",
    ChangeKind.SCALE: "scale",
}
"""Taking back the change that is to blame, where there is one, comes before anything else."""

_WHATEVER_CHANGED = frozenset({
    "certificate_expired", "certificate_expiring", "external_provider_failure", "grey_failure",
    "noisy_neighbour", "traffic_surge",
})  # fmt: skip
"""Causes that no change of ours made: nothing is to be taken back."""

_CAUSES: Mapping[str, tuple[str, ...]] = {
    "rollback": (
        "bad_release", "bad_deploy", "n_plus_one_queries", "slow_query", "memory_leak",
        "crash_loop", "application_fault", "schema_mismatch", "init_container_failed",
        "incorrect_image_reference",
        "image_platform_mismatch", "missing_image_pull_secret", "image_pull_unauthorized",
    ),
    "config_revert": (
        "bad_config_change", "gateway_misrouted", "gateway_misroute", "db_readonly_mode",
        "db_read_only", "database_read_only", "connection_pool_exhausted", "retry_storm",
        "*_invalid_credentials", "*_invalid_port", "service_env_var_address_mismatch",
        "bad_infrastructure_change",
    ),
    "disable_flag": ("bad_feature_flag",),
    "scale": (
        "traffic_surge", "noisy_neighbour", "*_zero_replicas", "bad_scaling", "queue_flooded",
        "cpu_overload", "pod_cpu_overload",
    ),
    "failover": (
        "external_provider_failure", "node_failure", "node_disk_full", "node_not_ready",
        "node_network_unavailable",
        "node_degraded", "node_network_delay", "node_network_packet_loss", "network_delay",
        "pod_network_delay",
        "node_disk_pressure", "node_memory_pressure", "node_pid_pressure",
        "node_memory_running_out",
    ),
    "rotate_certificate": ("certificate_expired", "certificate_expiring"),
    "restart": (
        "grey_failure", "job_failed", "queue_consumers_gone", "file_descriptors_exhausted",
        "containerd_unavailable", "kubelet_unavailable", "kube_proxy_unavailable",
        "kube_scheduler_unavailable", "kube_apiserver_unavailable",
        "kube_controller_manager_unavailable", "etcd_unavailable", "node_component_unavailable",
        "cluster_dns_unavailable", "dns_failure", "admission_webhook_unavailable", "clock_skew",
        "sandbox_image_unavailable", "pod_network_setup_failed",
    ),
    "raise_limit": (
        "oom_killed", "gc_pressure", "cache_memory_pressure", "thread_pool_exhausted",
        "process_limit_reached", "cpu_limit_too_low", "disk_full", "connections_running_out",
        "quota_running_out", "server_connections_exhausted",
        "db_connection_exhaustion", "database_connections_exhausted",
        "namespace_*_quota_exceeded", "quota_exhausted", "pod_address_exhausted",
        "no_nodes_available", "node_volume_limit_exceeded", "node_pod_capacity_exceeded",
    ),
    "wait": ("cache_stampede", "external_rate_limited", "image_registry_rate_limited",
        "failover_or_maintenance",
        "init_container_waits", "scheduling_gated",
    ),
    "none": ("dependency_failure", "lock_contention", "queue_consumers_slow", "slow_service",
             "bad_input_data", "pvc_volume_lost", HEALTHY),
    "fix_manifest": (
        "*_probe_incorrect_*", "missing_*", "*_mismatch", "*_port_conflict", "*_conflict",
        "limit_range_violated", "pod_security_violation", "quota_requires_resources",
        "admission_webhook_denied", "creation_forbidden", "pv_binding_occupied",
        "volume_*", "ingress_*", "network_policy_*", "*_dns_*", "image_*", "command_not_found",
        "dns_resolution_failure", "permission_denied", "command_not_executable", "invalid_pod_spec",
        "rbac_forbidden", "admission_policy_denied", "namespace_terminating", "csi_driver_missing",
        "unknown_scheduler",
    ),
}  # fmt: skip

CLASSES = (*_CAUSES, "roll_forward")

_ALSO_SAID: Mapping[str, str] = {
    "revert config": "config_revert", "revert_config": "config_revert", "revert": "config_revert",
    "roll forward": "roll_forward", "turn the flag back": "disable_flag",
    "scale up": "scale", "scale_up": "scale", "scale back": "scale", "scale down or move": "scale",
    "raise the quota": "raise_limit", "raise_quota": "raise_limit", "more memory": "raise_limit",
    "free space": "raise_limit", "free or grow the disk": "raise_limit",
    "fall back": "failover", "fail over": "failover", "drain_node": "failover",
    "rotate certificate": "rotate_certificate", "renew": "rotate_certificate",
    "restart the pod": "restart", "restart_pod": "restart", "restart_component": "restart",
    "fix the clock": "restart", "quarantine the data": "none",
}  # fmt: skip
"""What analyzers say in more words."""

_EXACT: Mapping[str, str] = {
    cause: name for name, causes in _CAUSES.items() for cause in causes if "*" not in cause
}
_PATTERNS: tuple[tuple[str, str], ...] = tuple(
    (cause, name) for name, causes in _CAUSES.items() for cause in causes if "*" in cause
)


def class_of(cause: str) -> str:
    """Return the remediation class of a cause on its own, empty for one that is unknown here."""
    if cause in _EXACT:
        return _EXACT[cause]
    return next((name for pattern, name in _PATTERNS if fnmatchcase(cause, pattern)), "")


def classed(finding: Finding) -> Finding:
    """Return a finding whose hypotheses carry their remediation class."""
    return replace(finding, hypotheses=tuple(map(hinted, finding.hypotheses)))


def hinted(hypothesis: Hypothesis) -> Hypothesis:
    """Return a hypothesis with its remediation class: of the change to blame, else of the cause."""
    return replace(hypothesis, hint=_class(hypothesis))


def _class(hypothesis: Hypothesis) -> str:
    own = _ALSO_SAID.get(hypothesis.hint, hypothesis.hint)
    if own in CLASSES:
        return own  # the analyzer knows better what was seen
    change = hypothesis.change
    if change is not None and hypothesis.cause not in _WHATEVER_CHANGED:
        if not change.revertible and change.kind in (ChangeKind.DEPLOY, ChangeKind.COMMIT):
            return "roll_forward"
        if change.kind in _REVERTS:
            return _REVERTS[change.kind]
    return class_of(hypothesis.cause) or "none"
