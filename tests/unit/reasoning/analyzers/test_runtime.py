"""Containers that end, probes that harm, databases that refuse, names that do not resolve."""

from typing import Any

import pytest

from bot.domain.snapshot import KubernetesObject
from bot.reasoning.analyzers import crashes, databases, names, probes, replicas
from tests.fakes.cluster import (
    RUNNING,
    answer,
    container,
    deployment,
    edge,
    endpoints,
    event,
    item,
    log,
    pod,
    question,
    service,
    snapshot,
)


def crashed(reason: str, code: int, *, restarts: int = 4) -> list[dict[str, Any]]:
    ended = {"reason": reason, "exitCode": code, "finishedAt": "2026-01-02T03:02:00Z"}
    return [
        {
            "name": "app",
            "ready": False,
            "restartCount": restarts,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": ended},
        }
    ]


def test_a_container_killed_for_memory_is_found() -> None:
    workload = deployment("cart")
    down = pod(workload, ready=False, statuses=crashed("OOMKilled", 137))
    found = crashes.look(snapshot(workload, down), question())
    assert answer(found) == ("oom_killed", "deployment/cart")


def test_a_limit_too_small_to_start_is_out_of_memory_too() -> None:
    workload = deployment("cart")
    waiting = {"name": "app", "ready": False, "state": {"waiting": {"reason": "ContainerCreating"}}}
    down = pod(workload, phase="Pending", ready=False, statuses=[waiting])
    text = "runc create failed: container init was OOM-killed (memory limit too low?)"
    said = event(down, "FailedCreatePodSandBox", text)
    found = crashes.look(snapshot(workload, down, said), question())
    assert answer(found) == ("oom_killed", "deployment/cart")


def test_a_port_that_a_sidecar_has_is_told_by_the_log() -> None:
    workload = deployment("cart", containers=[container(), container("proxy")])
    down = pod(workload, ready=False, statuses=crashed("Error", 1))
    said = log("cart", "Web server failed to start. Port 8080 was already in use.")
    found = crashes.look(snapshot(workload, down, logs=(said,)), question())
    assert answer(found) == ("service_sidecar_port_conflict", "deployment/cart")


def test_a_crash_without_a_known_word_stays_below_an_answer() -> None:
    workload = deployment("cart")
    down = pod(workload, ready=False, statuses=crashed("Error", 1))
    found = crashes.look(snapshot(workload, down), question())
    assert [h.cause for h in found.hypotheses] == ["crash_loop"]
    assert answer(found) is None
    assert found.needs[0].services == ("cart",)


def test_a_restart_long_ago_is_no_trouble() -> None:
    workload = deployment("cart")
    ended = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-01-01T03:02:00Z"}
    once = {
        "name": "app", "ready": True, "restartCount": 1, "state": RUNNING,
        "lastState": {"terminated": ended},
    }  # fmt: skip
    up = pod(workload, statuses=[once])
    assert crashes.look(snapshot(workload, up), question()).hypotheses == ()


def probed(kind: str, probe: dict[str, Any], message: str, **more: Any) -> KubernetesObject | Any:
    ports = [{"containerPort": 8080}]
    workload = deployment(
        "cart", containers=[container(ports=ports, **{f"{kind}Probe": probe}, **more)]
    )
    ready = kind != "readiness"
    ended = {"reason": "Error", "exitCode": 137, "finishedAt": "2026-01-02T03:02:00Z"}
    status = {"name": "app", "ready": ready, "restartCount": 3, "state": RUNNING,
              "lastState": {"terminated": ended}}  # fmt: skip
    held = pod(workload, ready=ready, statuses=[status])
    said = event(held, "Unhealthy", f"{kind.capitalize()} probe failed: {message}", count=9)
    return answer(probes.look(snapshot(workload, held, said), question()))


HTTP = {"httpGet": {"port": 8080, "path": "/healthz"}, "periodSeconds": 10}
GRPC = {"grpc": {"port": 8080}}


@pytest.mark.parametrize("kind", ["liveness", "readiness"])
def test_a_probe_of_a_port_that_nobody_declares_is_found(kind: str) -> None:
    found = probed(kind, {"tcpSocket": {"port": 9999}}, "connection refused")
    assert found == (f"{kind}_probe_incorrect_port", "deployment/cart")


@pytest.mark.parametrize("kind", ["liveness", "readiness"])
def test_a_probe_of_another_protocol_is_found(kind: str) -> None:
    found = probed(kind, HTTP, 'Get "http://10.0.0.1:8080/": net/http: malformed HTTP status code')
    assert found == (f"{kind}_probe_incorrect_protocol", "deployment/cart")


def test_a_path_that_answers_404_is_found() -> None:
    found = probed("liveness", HTTP, "HTTP probe failed with statuscode: 404")
    assert found == ("liveness_probe_incorrect_path", "deployment/cart")


def test_too_little_patience_is_found() -> None:
    hasty = {**GRPC, "initialDelaySeconds": 1, "periodSeconds": 1, "failureThreshold": 1}
    found = probed("liveness", hasty, "timeout", readinessProbe=GRPC)
    assert found == ("liveness_probe_incorrect_timing", "deployment/cart")


def test_a_patient_probe_that_fails_on_the_right_port_is_not_to_blame() -> None:
    found = probed("liveness", HTTP, "HTTP probe failed with statuscode: 500")
    assert found is None


def test_a_probe_that_failed_while_the_pod_started_is_no_trouble() -> None:
    workload = deployment("cart", containers=[container(readinessProbe=HTTP)])
    up = pod(workload)
    said = event(up, "Unhealthy", "Readiness probe failed: connection refused")
    assert probes.look(snapshot(workload, up, said), question()).hypotheses == ()


def test_a_refused_password_is_the_client_s_trouble() -> None:
    workload = deployment("cart")
    down = pod(workload, ready=False, statuses=crashed("Error", 1))
    said = log("cart", "java.sql.SQLException: Access denied for user 'cart'@'10.0.0.9'")
    found = databases.look(snapshot(workload, down, logs=(said,)), question())
    assert answer(found) == ("database_invalid_credentials", "deployment/cart")


def test_a_single_refused_login_of_a_client_that_works_is_no_answer() -> None:
    workload = deployment("cart")
    said = log("cart", "password authentication failed for user admin", count=1)
    found = databases.look(snapshot(workload, pod(workload), logs=(said,)), question())
    assert all(h.log_odds < 1 for h in found.hypotheses)


def database(*logs: Any, **facts: Any) -> tuple[str, str] | None:
    server = deployment("db", containers=[container(image="docker.io/library/mysql:8")])
    clients = [deployment(n, containers=[container(env=[{"name": "DB_HOST", "value": "db"}])])
               for n in ("cart", "pay")]  # fmt: skip
    pods = [pod(w) for w in (server, *clients)]
    objects = (server, *clients, *pods, service("db", ports=[{"port": 3306}]))
    return answer(databases.look(snapshot(*objects, logs=logs, **facts), question()))


def test_a_database_without_connections_is_the_database_s_trouble() -> None:
    text = "Too many connections"
    found = database(log("db", text), log("cart", text), log("pay", text))
    assert found == ("db_connection_exhaustion", "deployment/db")


def test_a_database_that_refuses_writes_is_found_by_its_clients() -> None:
    text = "The MySQL server is running with the --read-only option so it cannot execute this"
    found = database(log("cart", text), log("pay", text))
    assert found == ("db_readonly_mode", "deployment/db")


def test_a_quiet_database_is_fine() -> None:
    assert database(log("cart", "order not found")) is None


def test_a_database_port_that_the_service_does_not_offer_is_found() -> None:
    env = [{"name": "DB_HOST", "value": "db"}, {"name": "DB_PORT", "value": "3307"}]
    workload = deployment("cart", containers=[container(env=env)])
    entry = service("db", ports=[{"port": 3306}])
    said = log("cart", "Communications link failure: Connection refused (mysql)")
    facts = snapshot(workload, pod(workload, ready=False), entry, logs=(said,))
    assert answer(databases.look(facts, question())) == ("database_invalid_port", "deployment/cart")
    right = deployment(
        "cart", containers=[container(env=[env[0], {"name": "DB_PORT", "value": "3306"}])]
    )
    facts = snapshot(right, pod(right, ready=False), entry, logs=(said,))
    assert answer(databases.look(facts, question())) is None


def own_resolver(*servers: str) -> KubernetesObject:
    return deployment("cart", dnsPolicy="None", dnsConfig={"nameservers": list(servers)})


def test_a_name_server_of_its_own_that_resolves_nothing_is_found() -> None:
    workload = own_resolver("10.9.9.9")
    said = log("cart", "lookup db on 10.9.9.9:53: read udp: i/o timeout")
    facts = snapshot(workload, pod(workload, ready=False), logs=(said,))
    wanted = ("service_dns_resolution_failure", "deployment/cart")
    assert answer(names.look(facts, question())) == wanted


def test_the_cluster_s_own_dns_is_no_trouble() -> None:
    workload = own_resolver("10.0.0.10")
    dns = item("Service", "kube-dns", namespace="kube-system", spec={"clusterIP": "10.0.0.10"})
    facts = snapshot(workload, pod(workload), dns)
    assert answer(names.look(facts, question())) is None


def test_a_workload_scaled_to_zero_that_others_call_is_found() -> None:
    workload = deployment("cart", replicas=0)
    facts = (workload, service("cart"), endpoints("cart"))
    called = snapshot(*facts, edges=(edge("web", "cart"),))
    assert answer(replicas.look(called, question())) == (
        "deployment_zero_replicas",
        "deployment/cart",
    )


def test_a_job_runner_scaled_to_zero_that_nobody_calls_is_no_answer() -> None:
    facts = snapshot(deployment("batch", replicas=0), edges=(edge("web", "cart"),))
    assert answer(replicas.look(facts, question())) is None
    assert replicas.look(snapshot(deployment("cart")), question()).hypotheses == ()


def test_a_probe_against_the_port_s_name_is_of_the_wrong_protocol() -> None:
    ports = [{"containerPort": 8080, "name": "grpc"}]
    workload = deployment("cart", containers=[container(ports=ports, readinessProbe=HTTP)])
    held = pod(workload, ready=False)
    said = event(held, "Unhealthy", "Readiness probe failed: EOF", count=9)
    found = probes.look(snapshot(workload, held, said), question())
    assert answer(found) == ("readiness_probe_incorrect_protocol", "deployment/cart")


def client(name: str, password: str, *, ready: bool) -> tuple[KubernetesObject, KubernetesObject]:
    env = [{"name": "DB_HOST", "value": "mysql"}, {"name": "DB_PASSWORD", "value": password}]
    workload = deployment(name, containers=[container(env=env)])
    return workload, pod(workload, ready=ready)


def test_a_client_with_another_password_than_its_peers_is_found() -> None:
    peers = [item for n in ("a", "b", "c", "d") for item in client(n, "hash:1", ready=True)]
    odd = client("cart", "hash:2", ready=False)
    found = databases.look(snapshot(*peers, *odd), question())
    assert answer(found) == ("database_invalid_credentials", "deployment/cart")
    fine = client("cart", "hash:2", ready=True)
    assert databases.look(snapshot(*peers, *fine), question()).hypotheses == ()
