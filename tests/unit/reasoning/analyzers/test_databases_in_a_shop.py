"""Databases that refuse: who is to blame is told from the texts of any engine and from settings."""

from typing import Any

import pytest

from bot.domain.snapshot import KubernetesObject
from tests.fakes.cluster import container, deployment, endpoints, item, log, pod, service
from tests.unit.reasoning.analyzers.shop import cause, diagnosed, running, set_of, workload

HERE = "deployment/cart"
STORE = "statefulset/store"
ENGINES = {
    "mysql": ("mysql:8.0", 3306), "postgres": ("postgres:16", 5432), "mongo": ("mongo:7", 27017),
    "redis": ("redis:7", 6379), "rabbitmq": ("rabbitmq:3.13-management", 5672),
    "kafka": ("bitnami/kafka:3.7", 9092),
}  # fmt: skip
LOOPING = [
    {
        "name": "app", "ready": False, "restartCount": 6,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"reason": "Error", "exitCode": 1,
                                     "finishedAt": "2026-01-02T03:02:00Z"}},
    }
]  # fmt: skip


def store(engine: str = "mysql") -> list[KubernetesObject]:
    """A database that is well, with its service."""
    image, port = ENGINES[engine]
    box = {**container(ports=[{"containerPort": port}]), "image": image}
    made = deployment("store", containers=[box])
    made.body["kind"] = "StatefulSet"  # type: ignore[index]
    owner = item("StatefulSet", "store", spec=made.body["spec"])
    up = pod(owner, suffix="0")
    return [owner, up, service("store", ports=[{"port": port, "targetPort": port}]),
            endpoints("store", ready=1)]  # fmt: skip


def client(name: str = "cart", *, ready: bool = True, **env: str) -> list[KubernetesObject]:
    """A workload with these variables."""
    listed = [{"name": k, "value": v} for k, v in env.items()]
    owner = deployment(name, containers=[container(env=listed)])
    found = pod(owner) if ready else pod(owner, ready=False, statuses=LOOPING)
    return [owner, found, service(name), endpoints(name, ready=int(ready))]


REFUSED = {
    "mysql": "ERROR 1045 (28000): Access denied for user 'cart'@'10.1.2.3' (using password: YES)",
    "postgres": 'FATAL: password authentication failed for user "cart"',
    "mongo": "MongoServerError: Authentication failed.",
    "redis": "WRONGPASS invalid username-password pair or user is disabled.",
    "rabbitmq": "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.",
    "kafka": "SaslAuthenticationException: Authentication failed: Invalid username or password",
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("ready", [True, False])
def test_a_client_that_alone_is_refused_has_wrong_credentials(engine: str, ready: bool) -> None:
    objects = (*store(engine), *client(ready=ready, DB_HOST="store"))
    found = diagnosed(*objects, logs=(log("cart", REFUSED[engine]),))
    assert found.ranked[0].hypothesis.cause == "database_invalid_credentials"
    assert found.ranked[0].hypothesis.object == HERE
    if not ready:
        assert found.cause is not None


def test_the_server_s_own_word_about_a_client_does_not_blame_the_server() -> None:
    said = (log("store", REFUSED["mysql"]), log("cart", "cannot start: " + REFUSED["mysql"]))
    objects = (*store(), *client(ready=False, DB_HOST="store"))
    assert cause(*objects, logs=said) == ("database_invalid_credentials", HERE)


def test_a_login_that_failed_in_a_quiet_past_is_no_answer() -> None:
    said = log("cart", REFUSED["mysql"], count=1, baseline_count=4)
    assert diagnosed(*store(), *client(DB_HOST="store"), logs=(said,)).causes == ()


DIALLED = {
    "mysql": "Communications link failure: Connection refused (Connection refused)",
    "postgres": 'could not connect to server: Connection refused Is the server up?',
    "mongo": "MongoNetworkError: connect ECONNREFUSED 10.96.0.7:27018",
    "rabbitmq": "pika.exceptions.AMQPConnectionError: [Errno 111] Connection refused",
    "redis": "ConnectionError: Error 110 connecting to store:1. Connection timed out",
    "kafka": "Bootstrap broker store:1 disconnected; Connection could not be established",
}  # fmt: skip


@pytest.mark.parametrize("engine", DIALLED)
def test_a_client_that_asks_on_a_wrong_port_is_told_by_its_settings(engine: str) -> None:
    wrong = str(ENGINES[engine][1] + 1)
    for env in (
        {"DB_HOST": "store", "DB_PORT": wrong},
        {"STORE_HOST": "store", "STORE_PORT": wrong},
    ):
        objects = (*store(engine), *client(ready=False, **env))
        assert cause(*objects, logs=(log("cart", DIALLED[engine]),)) == (
            "database_invalid_port",
            HERE,
        )


def test_a_wrong_port_in_a_url_of_the_driver_is_found() -> None:
    for engine, url in (
        ("mysql", "jdbc:mysql://store:3307/shop?useSSL=false"),
        ("postgres", "postgresql://cart:***@store.shop.svc:5433/shop"),
        ("mongo", "mongodb://store:27018/shop"),
    ):
        objects = (*store(engine), *client(ready=False, DATASOURCE_URL=url))
        assert cause(*objects, logs=(log("cart", DIALLED[engine]),)) == (
            "database_invalid_port",
            HERE,
        )


def test_a_wrong_port_without_any_log_is_still_found() -> None:
    objects = (*store(), *client(ready=False, DB_HOST="store", DB_PORT="3307"))
    assert cause(*objects) == ("database_invalid_port", HERE)


def test_a_right_port_is_not_blamed() -> None:
    objects = (*store(), *client(ready=False, DB_HOST="store", DB_PORT="3306"))
    found = diagnosed(*objects, logs=(log("cart", DIALLED["mysql"]),))
    assert "database_invalid_port" not in {r.hypothesis.cause for r in found.ranked}


FULL = {
    "mysql": "ERROR 1040 (HY000): Too many connections",
    "postgres": "FATAL: sorry, too many clients already",
    "redis": "ERR max number of clients reached",
    "mongo": "connection refused because there are too many open connections: 819",
}


@pytest.mark.parametrize("engine", FULL)
def test_clients_that_find_no_connection_blame_the_database(engine: str) -> None:
    objects = (*store(engine), *client(DB_HOST="store"), *client("news", DB_HOST="store"))
    said = (log("cart", FULL[engine]), log("news", FULL[engine]))
    assert cause(*objects, logs=said) == ("db_connection_exhaustion", STORE)


READ_ONLY = {
    "mysql": "The MySQL server is running with the --read-only option so it cannot execute this",
    "postgres": "ERROR: cannot execute INSERT in a read-only transaction",
    "redis": "READONLY You can't write against a read only replica.",
    "mongo": "MongoServerError: not primary (NotWritablePrimary)",
}


@pytest.mark.parametrize("engine", READ_ONLY)
def test_writes_that_are_refused_blame_the_database(engine: str) -> None:
    objects = (*store(engine), *client(DB_HOST="store"))
    assert cause(*objects, logs=(log("cart", READ_ONLY[engine]),)) == ("db_readonly_mode", STORE)


DISK = {
    "mysql": "[ERROR] Disk is full writing './binlog.000012' (OS errno 28 - No space left)",
    "postgres": 'PANIC: could not write to file "pg_wal/xlogtemp.29": No space left on device',
    "redis": "MISCONF Redis is configured to save RDB, but it's unable to persist on disk",
    "rabbitmq": "Disk resource limit alarm set on node rabbit@store-0. Publishers will be blocked",
    "kafka": "java.io.IOException: No space left on device (kafka.server.LogDirFailureChannel)",
}


@pytest.mark.parametrize("engine", DISK)
def test_a_database_without_space_says_so(engine: str) -> None:
    objects = (*store(engine), *client(DB_HOST="store"))
    assert cause(*objects, logs=(log("store", DISK[engine]),)) == ("disk_full", STORE)


def test_harmless_words_about_databases_are_no_answer() -> None:
    lines: list[Any] = [
        "loaded 40 users, read-only replica registered", "reconnected after connection refused",
        "password authentication enabled", "pool: max connections 50",
    ]  # fmt: skip
    said = tuple(log("cart", line, level="info") for line in lines)
    owner = workload()
    objects = (*store(), owner, set_of(owner, "old"), running(owner))
    assert diagnosed(*objects, logs=said).causes == ()
