"""Containers that end and probes that harm, in a whole shop and in every form a cluster shows."""

from typing import Any

import pytest

from bot.domain.snapshot import KubernetesObject
from tests.fakes.cluster import RUNNING, container, deployment, endpoints, event, item, log, pod
from tests.fakes.cluster import service as front
from tests.unit.reasoning.analyzers.shop import cause, diagnosed

HERE = "deployment/cart"
LATELY = "2026-01-02T03:02:00Z"


def ended(reason: str, code: int, *, name: str = "app", restarts: int = 6, loops: bool = True,
          message: str = "") -> dict[str, Any]:  # fmt: skip
    last = {"reason": reason, "exitCode": code, "finishedAt": LATELY, "message": message}
    state = {"waiting": {"reason": "CrashLoopBackOff"}} if loops else RUNNING
    return {"name": name, "ready": not loops, "restartCount": restarts, "state": state,
            "lastState": {"terminated": last}}  # fmt: skip


def fine(name: str) -> dict[str, Any]:
    return {"name": name, "ready": True, "restartCount": 0, "state": RUNNING}


def broken(*statuses: dict[str, Any], ready: bool = False, **fields: Any) -> list[KubernetesObject]:
    fields.setdefault("ports", [{"containerPort": 8080}])
    boxes = [container(s["name"], **(fields if i == 0 else {})) for i, s in enumerate(statuses)]
    owner = deployment("cart", containers=boxes)
    return [owner, pod(owner, ready=ready, statuses=list(statuses)), front("cart"),
            endpoints("cart", ready=int(ready), not_ready=int(not ready))]  # fmt: skip


def test_a_sidecar_killed_for_memory_is_named_by_its_workload() -> None:
    objects = broken(fine("app"), ended("OOMKilled", 137, name="mesh"))
    assert cause(*objects) == ("oom_killed", HERE)


def test_137_with_a_kernel_event_on_the_node_is_out_of_memory() -> None:
    objects = broken(ended("Error", 137))
    host = item("Node", "worker-1", namespace="", spec={}, status={})
    said = event(
        host,
        "OOMKilling",
        f"Memory cgroup out of memory: Killed process 4242 (app) {objects[1].name}",
    )
    assert cause(*objects, said)[0] == "oom_killed"


def test_137_by_a_liveness_probe_is_not_memory() -> None:
    probe = {"httpGet": {"port": 8081, "path": "/health"}}
    objects = broken(ended("Error", 137), livenessProbe=probe)
    said = event(
        objects[1],
        "Unhealthy",
        "Liveness probe failed: dial tcp 10.0.0.3:8081: connect: connection refused",
        count=20,
    )
    assert cause(*objects, said) == ("liveness_probe_incorrect_port", HERE)


CODES = [
    (126, "permission denied", "command_not_executable"),
    (127, "executable file not found in $PATH", "command_not_found"),
]


@pytest.mark.parametrize(("code", "text", "expected"), CODES)
def test_a_command_that_cannot_run_is_told_by_its_exit_code(
    code: int, text: str, expected: str
) -> None:
    told = cause(*broken(ended("Error", code, message=text)))
    assert told in ((expected, HERE), ("permission_denied", HERE))
    assert cause(*broken(ended("Error", code))) == (expected, HERE)


LAST_WORDS = [
    ("panic: x509: certificate has expired or is not yet valid", "certificate_expired"),
    ("fatal: write /data/wal: no space left on device", "disk_full"),
    ("panic: clock skew detected: token used before issued", "clock_skew"),
    ("bind: address already in use", "service_sidecar_port_conflict"),
    ("listen tcp 0.0.0.0:8080: bind: address already in use", "service_sidecar_port_conflict"),
]


@pytest.mark.parametrize(("line", "expected"), LAST_WORDS)
def test_the_last_words_of_a_crashing_container_name_the_cause(line: str, expected: str) -> None:
    objects = broken(ended("Error", 1), fine("proxy"))
    assert cause(*objects, logs=(log("cart", line, previous=True),)) == (expected, HERE)


def test_the_message_of_the_termination_counts_as_last_words() -> None:
    text = "listen tcp :8080: bind: address already in use"
    objects = broken(ended("Error", 1, message=text), fine("proxy"))
    assert cause(*objects) == ("service_sidecar_port_conflict", HERE)


def test_two_containers_that_declare_one_port_conflict_without_a_log() -> None:
    port = [{"containerPort": 8080}]
    boxes = [container("app", ports=port), container("mesh", ports=port)]
    owner = deployment("cart", containers=boxes)
    down = pod(owner, ready=False, statuses=[fine("app"), ended("Error", 1, name="mesh")])
    assert cause(owner, down, front("cart")) == ("service_sidecar_port_conflict", HERE)


@pytest.mark.parametrize(("started", "recovered"), [("03:03:50", False), ("02:40:00", True)])
def test_a_container_that_just_started_again_is_not_well_again(
    started: str, *, recovered: bool
) -> None:
    port = [{"containerPort": 8080}]
    boxes = [container("app", ports=port), container("mesh", ports=port)]
    owner = deployment("cart", containers=boxes)
    again = ended("Error", 1, name="mesh", loops=False)
    again["state"] = {"running": {"startedAt": f"2026-01-02T{started}Z"}}
    again["lastState"]["terminated"]["startedAt"] = LATELY
    up = pod(owner, statuses=[fine("app"), again])
    found = diagnosed(owner, up, front("cart"))
    doubts = [
        e.statement
        for r in found.ranked
        if r.hypothesis.cause == "service_sidecar_port_conflict"
        for e in r.hypothesis.evidence
        if e.weight < 0
    ]
    assert any("ready by now" in doubt for doubt in doubts) is recovered


def test_a_crash_for_no_known_reason_is_no_sure_answer() -> None:
    for code in (1, 2, 139, 143, 255):
        found = diagnosed(*broken(ended("Error", code)), logs=(log("cart", "something odd"),))
        assert all(c.hypothesis.cause == "crash_loop" for c in found.causes)
        assert found.confidence < 0.9


def test_an_old_restart_of_a_ready_pod_is_no_trouble() -> None:
    old = {**ended("OOMKilled", 137, restarts=2, loops=False)}
    old["lastState"] = {"terminated": {"reason": "OOMKilled", "exitCode": 137,
                                       "finishedAt": "2025-12-28T03:02:00Z"}}  # fmt: skip
    assert diagnosed(*broken(old, ready=True)).causes == ()


def http(port: Any = 8080, path: str = "/healthz", **more: Any) -> dict[str, Any]:
    return {"httpGet": {"port": port, "path": path}, **more}


ALIVE = ended("Error", 137)
NO_WORD = "Liveness probe failed: Get http://10.0.0.3:8080/healthz: context deadline exceeded"
LIVENESS = [
    (http(8081), "dial tcp 10.0.0.3:8081: connect: connection refused", "port"),
    (http("helth"), 'couldn\'t find port "helth" on container "app"', "port"),
    ({"grpc": {"port": 8080}}, "timeout: failed to connect service 10.0.0.3:8080", ""),
    ({"grpc": {"port": 8080}}, 'error: this server does not implement the grpc health protocol',
     "protocol"),
    (http(scheme=""), "malformed HTTP response \"\\x15\\x03\"", "protocol"),
    (http(), "HTTP probe failed with statuscode: 404", "path"),
    (http(initialDelaySeconds=1, periodSeconds=1, failureThreshold=1),
     "dial tcp 10.0.0.3:8080: connect: connection refused", "timing"),
    (http(initialDelaySeconds=20, timeoutSeconds=1, periodSeconds=2, failureThreshold=1),
     "context deadline exceeded (Client.Timeout exceeded while awaiting headers)", "timing"),
]  # fmt: skip


@pytest.mark.parametrize(("probe", "text", "expected"), LIVENESS)
def test_a_liveness_probe_that_kills_is_told_by_what_is_wrong_with_it(
    probe: Any, text: str, expected: str
) -> None:
    objects = broken(ended("Error", 137), livenessProbe=probe, readinessProbe=http())
    said = event(objects[1], "Unhealthy", f"Liveness probe failed: {text}", count=12)
    found = diagnosed(*objects, said)
    if expected:
        assert found.cause is not None
        assert found.cause.cause == f"liveness_probe_incorrect_{expected}"
    else:
        assert found.confidence < 0.9


@pytest.mark.parametrize("kind", ["liveness", "startup", "readiness"])
def test_a_probe_on_an_undeclared_port_is_found_when_its_events_are_gone(kind: str) -> None:
    status = {**fine("app"), "ready": False} if kind == "readiness" else ended("Error", 137)
    objects = broken(status, **{f"{kind}Probe": http(9999)})
    assert cause(*objects) == (f"{kind}_probe_incorrect_port", HERE)


def test_a_readiness_probe_on_a_wrong_port_keeps_the_pod_out() -> None:
    objects = broken({**fine("app"), "ready": False}, readinessProbe=http(8088))
    said = event(
        objects[1],
        "Unhealthy",
        "Readiness probe failed: dial tcp 10.0.0.3:8088: connect: connection refused",
        count=40,
    )
    assert cause(*objects, said) == ("readiness_probe_incorrect_port", HERE)


def test_a_readiness_probe_of_the_wrong_protocol_is_found_by_its_sibling() -> None:
    objects = broken({**fine("app"), "ready": False}, readinessProbe=http(),
                     livenessProbe={"grpc": {"port": 8080}})  # fmt: skip
    said = event(
        objects[1],
        "Unhealthy",
        'Readiness probe failed: Get "http://10.0.0.3:8080/healthz": malformed HTTP response',
        count=40,
    )
    assert cause(*objects, said) == ("readiness_probe_incorrect_protocol", HERE)


def test_a_probe_by_the_wrong_scheme_is_of_the_wrong_protocol() -> None:
    probe = {"httpGet": {"port": 8080, "path": "/", "scheme": "HTTPS"}}
    objects = broken({**fine("app"), "ready": False}, readinessProbe=probe)
    said = event(
        objects[1],
        "Unhealthy",
        "Readiness probe failed: http: server gave HTTP response to HTTPS client",
        count=40,
    )
    assert cause(*objects, said) == ("readiness_probe_incorrect_protocol", HERE)


def test_a_readiness_timeout_too_short_for_a_slow_answer_is_timing() -> None:
    objects = broken({**fine("app"), "ready": False}, readinessProbe=http(timeoutSeconds=1),
                     livenessProbe=http(timeoutSeconds=10))  # fmt: skip
    said = event(
        objects[1],
        "Unhealthy",
        "Readiness probe failed: context deadline exceeded "
        "(Client.Timeout exceeded while awaiting headers)",
        count=40,
    )
    found = diagnosed(*objects, said)
    assert found.ranked[0].hypothesis.cause == "readiness_probe_incorrect_timing"


def test_a_probe_of_a_process_that_ends_by_itself_is_innocent() -> None:
    objects = broken(ended("Error", 1), livenessProbe=http())
    said = event(
        objects[1],
        "Unhealthy",
        "Liveness probe failed: dial tcp 10.0.0.3:8080: connect: connection refused",
        count=2,
    )
    found = diagnosed(*objects, said, logs=(log("cart", "Traceback: KeyError: 'PRICE'"),))
    assert not any("probe" in c.hypothesis.cause for c in found.causes)


def test_leftover_probe_events_of_a_ready_pod_are_no_trouble() -> None:
    objects = broken(fine("app"), ready=True, readinessProbe=http(8080))
    said = event(objects[1], "Unhealthy", "Readiness probe failed: connect: connection refused")
    assert diagnosed(*objects, said).causes == ()
