"""The product's causes and objects in the names that Cloud-OpsBench's agents are told to use."""

from collections.abc import Iterable
from typing import Any

from bot.domain.diagnosis import Hypothesis

NAMESPACE_LABELS = (
    "namespace_cpu_quota_exceeded", "namespace_memory_quota_exceeded",
    "namespace_pod_quota_exceeded", "namespace_service_quota_exceeded",
    "namespace_storage_quota_exceeded",
)  # fmt: skip
NODE_LABELS = (
    "node_network_delay", "node_network_packet_loss", "containerd_unavailable",
    "kubelet_unavailable", "kube_proxy_unavailable", "kube_scheduler_unavailable",
)  # fmt: skip
APP_LABELS = (
    "missing_service_account", "node_cordon_mismatch", "node_affinity_mismatch",
    "node_selector_mismatch", "pod_anti_affinity_conflict", "taint_toleration_mismatch",
    "cpu_capacity_mismatch", "memory_capacity_mismatch", "image_registry_dns_failure",
    "incorrect_image_reference", "missing_image_pull_secret", "pvc_selector_mismatch",
    "pvc_storage_class_mismatch", "pvc_access_mode_mismatch", "pvc_capacity_mismatch",
    "pv_binding_occupied", "volume_mount_permission_denied", "oom_killed",
    "liveness_probe_incorrect_protocol", "liveness_probe_incorrect_port",
    "liveness_probe_incorrect_timing", "readiness_probe_incorrect_protocol",
    "readiness_probe_incorrect_port", "service_selector_mismatch",
    "service_port_mapping_mismatch", "service_protocol_mismatch",
    "service_env_var_address_mismatch", "pod_cpu_overload", "pod_network_delay",
    "service_sidecar_port_conflict", "service_dns_resolution_failure",
    "mysql_invalid_credentials", "mysql_invalid_port", "missing_secret_binding",
    "db_connection_exhaustion", "db_readonly_mode", "gateway_misrouted",
    "deployment_zero_replicas",
)  # fmt: skip
LABELS = frozenset(NAMESPACE_LABELS + NODE_LABELS + APP_LABELS)
SPELLED = {"gateway_misroute": "gateway_misrouted", "db_read_only": "db_readonly_mode"}
OF_PRODUCT = {
    "database_invalid_credentials": "mysql_invalid_credentials",
    "database_invalid_port": "mysql_invalid_port",
    "missing_secret": "missing_secret_binding",
    "missing_secret_key": "missing_secret_binding",
    "container_port_conflict": "service_sidecar_port_conflict",
    "database_connections_exhausted": "db_connection_exhaustion",
    "database_read_only": "db_readonly_mode",
    "dns_resolution_failure": "service_dns_resolution_failure",
    "image_pull_unauthorized": "missing_image_pull_secret",
    "image_registry_unreachable": "image_registry_dns_failure",
    "cpu_overload": "pod_cpu_overload",
    "network_delay": "pod_network_delay",
}

Answer = tuple[str, str]


def answer_of(hypothesis: Hypothesis) -> Answer:
    """Return cause and object in the benchmark's names; a cause it does not know stays."""
    cause = OF_PRODUCT.get(hypothesis.cause, hypothesis.cause)
    kind, _, name = hypothesis.object.partition("/")
    kind = kind if kind in ("node", "namespace") else "app"
    if kind == "app" and name == "":
        name = hypothesis.service
    return cause, f"{kind}/{name}"


def answers_of(hypotheses: Iterable[Hypothesis]) -> list[Answer]:
    """Return the distinct answers in order, without causes that the benchmark does not know."""
    found = (answer_of(hypothesis) for hypothesis in hypotheses)
    return list(dict.fromkeys(answer for answer in found if answer[0] in LABELS))


def truth_of(result: dict[str, Any]) -> Answer:
    """Return the truth of a case's metadata, in the spelling of the label list."""
    cause = str(result.get("root_cause", ""))
    return SPELLED.get(cause, cause), str(result.get("fault_object", ""))
