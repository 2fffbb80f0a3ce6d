"""Trouble of load: a cache that stops helping, retries, locks, garbage, workers and queues."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bot.domain.diagnosis import Hypothesis, Status
from bot.domain.snapshot import ChangeKind, LogTemplate, Signal
from bot.reasoning.analyzers import discover
from bot.reasoning.investigate import look
from tests.unit.reasoning.scenes import (
    NOW,
    SOURCE,
    Scene,
    answer,
    ask,
    cause_of,
    minute,
    thing,
    values,
)

SLOW = values(0.2, 4.0)
FAILING = values(0.001, 0.6)


def shop(**curves: Any) -> Scene:
    """storefront → api → (worker, orders-db, sessions), other curves for some of them."""
    scene = Scene()
    for name in ("storefront", "api", "worker"):
        scene.service(name, **curves.get(name, {}))
    scene.workload("orders-db", "StatefulSet").workload("sessions", "StatefulSet")
    return scene.calls("storefront", "api")


def without(scene: Scene, signal: Signal, service: str) -> Scene:
    scene.series = [s for s in scene.series if (s.signal, s.service) != (signal, service)]
    return scene


def says(scene: Scene, service: str, line: str, count: int = 40, first: float = 100) -> Scene:
    scene.logs.append(
        LogTemplate(
            service=service, pod=None, container=None, previous=False, level="error",
            template=line, example=line, count=count, baseline_count=0, first_at=minute(first),
            last_at=minute(119), source=SOURCE,
        )
    )  # fmt: skip
    return scene


def odds(scene: Scene, cause: str) -> Hypothesis | None:
    """Return what the analyzers think of a cause before it is ranked."""
    looked = look(scene.snapshot(), ask(), discover())
    assert looked.failed == ()
    found = [h for f in looked.findings for h in f.hypotheses if h.cause == cause]
    return max(found, key=lambda h: h.log_odds, default=None)


def unlikely(scene: Scene, cause: str) -> bool:
    found = odds(scene, cause)
    return found is None or found.probability < 0.5


# --- cache stampede


def cached(hits: tuple[float, ...], queries: tuple[float, ...], **curves: object) -> Scene:
    scene = shop(**{"api": {"p99": SLOW}, **curves})  # type: ignore[arg-type]  # curves by service
    scene.calls("api", "sessions")
    scene.add(Signal.CACHE_HIT_RATIO, "sessions", hits, "ratio")
    scene.add(Signal.DB_QUERY_RATE, "api", queries, "1/s", peer="orders-db")
    return scene


def test_a_cache_that_lost_its_keys_sends_everybody_to_the_database():
    scene = cached(values(0.95, 0.1, at=99), values(5, 60, at=99))
    scene.add(Signal.DB_QUERY_P99, "api", values(0.01, 1.5, at=100), "s", peer="orders-db")
    scene.add(Signal.RESTARTS, "sessions", values(0.0, 1.0, at=99, noise=0), "count")
    diagnosis = answer(scene, "api")
    assert cause_of(diagnosis) == ("cache_stampede", "statefulset/sessions")
    assert "orders-db gets what it used to answer" in diagnosis.summary
    assert "orders-db" in diagnosis.cause.explains


def test_a_shorter_time_to_live_is_named_as_the_change():
    scene = cached(values(0.95, 0.2, at=99), values(5, 50, at=99))
    scene.change(
        ChangeKind.CONFIG, "api", 97, object_="configmap/api-config",
        before=json.dumps({"CACHE_TTL_S": "600"}), after=json.dumps({"CACHE_TTL_S": "5"}),
    )  # fmt: skip
    diagnosis = answer(scene, "api")
    assert cause_of(diagnosis) == ("cache_stampede", "statefulset/sessions")
    assert diagnosis.cause.change.object == "configmap/api-config"
    assert diagnosis.cause.hint == "config_revert"


def test_fewer_hits_that_nobody_pays_for_are_no_stampede():
    scene = cached(values(0.95, 0.5, at=99), values(5), api={})
    assert unlikely(scene, "cache_stampede")


def test_more_queries_with_a_cache_as_good_as_ever_are_no_stampede():
    scene = cached(values(0.95), values(5, 60, at=99))
    assert odds(scene, "cache_stampede") is None


def test_a_full_cache_is_short_of_memory_first():
    scene = cached(values(0.95, 0.5, at=99), values(5, 9, at=99))
    scene.add(Signal.EVICTIONS, "sessions", values(0.1, 80, at=95), "1/s")
    calm = cached(values(0.95, 0.5, at=99), values(5, 9, at=99))
    assert odds(scene, "cache_stampede").log_odds < odds(calm, "cache_stampede").log_odds


# --- retry storm


def retried(errors: tuple[float, ...], calls: tuple[float, ...], cpu: float = 1.0) -> Scene:
    scene = shop(api={"errors": values(0.001, 0.4)}, worker={"errors": errors, "p99": SLOW})
    scene.calls("api", "worker", calls)
    scene.add(Signal.EDGE_ERROR_RATIO, "api", errors, "ratio", peer="worker")
    without(scene, Signal.CPU_OF_LIMIT, "worker")
    return scene.add(Signal.CPU_OF_LIMIT, "worker", values(0.3, cpu, at=101), "ratio")


def test_retries_that_keep_a_service_down_are_a_storm():
    scene = retried(values(0.001, 0.75, at=99), values(50, 150, at=101))
    says(scene, "api", "request failed, retrying (attempt 3 of 5)")
    assert cause_of(answer(scene, "api")) == ("retry_storm", "deployment/api")


def test_a_storm_of_a_changed_setting_names_it():
    scene = retried(values(0.001, 0.8, at=99), values(50, 200, at=100))
    scene.change(
        ChangeKind.CONFIG, "api", 97, object_="configmap/api-config",
        before=json.dumps({"RETRIES": "1"}), after=json.dumps({"RETRIES": "10"}),
    )  # fmt: skip
    diagnosis = answer(scene, "api")
    assert cause_of(diagnosis)[0] == "retry_storm"
    assert diagnosis.cause.change.object == "configmap/api-config"


def test_more_calls_than_retries_can_make_are_no_storm():
    assert unlikely(retried(values(0.001, 0.1, at=101), values(50, 400, at=99)), "retry_storm")


def test_retries_of_a_service_with_room_are_a_symptom():
    scene = retried(values(0.001, 0.6, at=99), values(50, 90, at=101), cpu=0.35)
    assert unlikely(scene, "retry_storm")


def test_more_calls_that_all_succeed_are_no_storm():
    scene = shop(worker={"p99": values(0.2)})
    scene.calls("api", "worker", values(50, 200))
    assert odds(scene, "retry_storm") is None


# --- locks


def database(cpu: float, **writes: tuple[float, ...]) -> Scene:
    scene = shop(api={"p99": SLOW}, storefront={"p99": SLOW})
    scene.add(Signal.DB_QUERY_P99, "api", values(0.01, 3.0), "s", peer="orders-db")
    scene.add(Signal.CPU_OF_LIMIT, "orders-db", values(0.3, cpu), "ratio")
    for operation, curve in writes.items():
        scene.add(
            Signal.DB_QUERY_P99, "api", curve, "s", peer="orders-db", operation=operation.upper()
        )
    return scene


def test_writers_that_wait_for_locks_are_named_by_the_database():
    scene = database(0.3, update=values(0.01, 3.0), select=values(0.01))
    scene.add(Signal.LOCK_WAITERS, "orders-db", values(0.0, 30, noise=0), "count")
    diagnosis = answer(scene, "api")
    assert cause_of(diagnosis) == ("lock_contention", "statefulset/orders-db")
    assert "storefront" in diagnosis.cause.explains


@pytest.mark.parametrize(
    "line",
    [
        "Lock wait timeout exceeded; try restarting transaction",
        "ERROR: deadlock detected",
        "canceling statement due to lock timeout",
        "sqlite3.OperationalError: database is locked",
    ],
)
def test_what_a_client_says_of_locks_is_enough_with_an_idle_database(line: str):
    scene = says(database(0.3, insert=values(0.01, 3.0), select=values(0.01)), "api", line)
    assert cause_of(answer(scene, "api")) == ("lock_contention", "statefulset/orders-db")


def test_a_migration_right_before_is_named_as_the_change():
    scene = says(database(0.3), "api", "Lock wait timeout exceeded")
    scene.change(ChangeKind.DEPLOY, "api", 98, diff="+ALTER TABLE orders ADD COLUMN note text;")
    diagnosis = answer(scene, "api")
    assert cause_of(diagnosis)[0] == "lock_contention"
    assert diagnosis.cause.change is not None


def test_a_busy_database_without_waiters_has_no_lock_contention():
    assert odds(database(0.97), "lock_contention") is None


def test_waiters_that_hurt_nobody_are_no_incident():
    scene = shop()
    scene.calls("api", "orders-db")
    scene.add(Signal.LOCK_WAITERS, "orders-db", values(0.0, 5, noise=0), "count")
    assert unlikely(scene, "lock_contention")


# --- garbage collection


def collecting(heap: tuple[float, ...], **curves: tuple[float, ...]) -> Scene:
    scene = shop(api={"p99": SLOW, **curves}, storefront={"p99": SLOW})
    scene.add(Signal.GC_TIME, "api", values(0.01, 0.4), "ratio")
    return scene.add(Signal.HEAP_OF_LIMIT, "api", heap, "ratio")


def test_a_full_heap_and_long_collections_are_gc_pressure():
    scene = collecting(values(0.6, 0.95, noise=0.01))
    says(scene, "api", "Pause Full (Allocation Failure) 4012M->3990M(4096M) 2.31s", first=100)
    diagnosis = answer(scene, "api")
    assert cause_of(diagnosis) == ("gc_pressure", "deployment/api")
    assert diagnosis.cause.hint == "raise_limit"


def test_a_smaller_heap_is_named_as_the_change():
    scene = collecting(values(0.6, 0.95, noise=0.01))
    scene.change(
        ChangeKind.CONFIG, "api", 98, object_="configmap/api-config",
        before=json.dumps({"JAVA_OPTS": "-Xmx4g"}), after=json.dumps({"JAVA_OPTS": "-Xmx512m"}),
    )  # fmt: skip
    diagnosis = answer(scene, "api")
    assert cause_of(diagnosis)[0] == "gc_pressure"
    assert diagnosis.cause.hint == "config_revert"


def test_collections_that_nobody_feels_are_no_incident():
    scene = shop()
    scene.add(Signal.GC_TIME, "api", values(0.01, 0.15), "ratio")
    assert unlikely(scene, "gc_pressure")


def test_a_heap_that_grows_without_end_is_a_leak_first():
    ramp = tuple(np.linspace(0.4, 0.97, 240).tolist())
    leaking = odds(collecting(ramp), "gc_pressure")
    assert (
        leaking.log_odds < odds(collecting(values(0.6, 0.95, noise=0.01)), "gc_pressure").log_odds
    )
    assert any("that is a leak" in e.statement for e in leaking.evidence)


def test_collections_of_a_surge_are_the_surge():
    scene = collecting(values(0.6, 0.8), rate=values(50, 300, at=97))
    alone = collecting(values(0.6, 0.8))
    assert odds(scene, "gc_pressure").log_odds < odds(alone, "gc_pressure").log_odds - 1.5


# --- workers and file descriptors


def test_a_full_thread_pool_without_a_slow_callee_is_the_cause():
    scene = shop(api={"p99": SLOW}, storefront={"p99": SLOW}).calls("api", "worker")
    scene.add(Signal.THREADS_OF_LIMIT, "api", values(0.3, 1.0, noise=0.01), "ratio")
    assert cause_of(answer(scene, "api")) == ("thread_pool_exhausted", "deployment/api")


def test_threads_that_wait_for_a_slow_callee_are_a_symptom():
    scene = shop(api={"p99": SLOW}, worker={"p99": SLOW}).calls("api", "worker")
    scene.add(Signal.THREADS_OF_LIMIT, "api", values(0.3, 1.0, noise=0.01, at=101), "ratio")
    scene.add(Signal.EDGE_LATENCY_P99, "api", SLOW, "s", peer="worker")
    assert unlikely(scene, "thread_pool_exhausted")


def test_too_many_open_files_are_named():
    scene = shop(api={"errors": FAILING}, storefront={"errors": FAILING})
    says(scene, "api", "accept tcp 0.0.0.0:8080: accept4: too many open files")
    scene.add(Signal.FILES_OF_LIMIT, "api", values(0.4, 0.99, noise=0.005), "ratio")
    assert cause_of(answer(scene)) == ("file_descriptors_exhausted", "deployment/api")


def test_half_of_the_files_open_is_no_trouble():
    scene = shop(api={"errors": FAILING})
    scene.add(Signal.FILES_OF_LIMIT, "api", values(0.2, 0.5, noise=0.005), "ratio")
    assert odds(scene, "file_descriptors_exhausted") is None


# --- queues


def queued(**curves: tuple[float, ...]) -> Scene:
    """A topic that the workload "mailer" reads; its lag grows from minute 100 on."""
    scene = shop()
    scene.workload("mailer")
    grows = tuple(20.0 if i < 200 else 20.0 + 60 * (i - 200) for i in range(240))
    scene.add(Signal.QUEUE_DEPTH, "mailer", grows, "messages", resource="orders")
    scene.add(
        Signal.PRODUCED_RATE, "orders", curves.get("produced", values(40)), "1/s", resource="orders"
    )
    scene.add(
        Signal.CONSUMED_RATE, "mailer", curves.get("consumed", values(40)), "1/s", resource="orders"
    )
    return scene.add(
        Signal.CONSUMERS, "mailer", curves.get("consumers", values(3, noise=0)), "count"
    )


def test_a_queue_that_nobody_reads_any_more():
    gone = queued(consumers=values(3, 0, noise=0), consumed=values(40, 0))
    assert cause_of(answer(gone)) == ("queue_consumers_gone", "deployment/mailer")


def test_a_queue_that_gets_more_than_it_can_take():
    flooded = queued(produced=values(40, 200, at=99))
    assert cause_of(answer(flooded)) == ("queue_flooded", "deployment/mailer")


def test_a_queue_whose_readers_got_slow():
    slow = queued(consumed=values(40, 10))
    assert cause_of(answer(slow)) == ("queue_consumers_slow", "deployment/mailer")
    assert odds(slow, "queue_flooded") is None


def test_a_short_queue_is_no_trouble():
    scene = shop()
    scene.add(Signal.QUEUE_DEPTH, "mailer", values(20, 45), "messages", resource="orders")
    assert not [
        h
        for f in look(scene.snapshot(), ask(), discover()).findings
        for h in f.hypotheses
        if h.cause.startswith("queue_")
    ]


def test_a_batch_that_is_being_worked_off_is_no_trouble():
    scene = shop()
    batch = tuple(20.0 if i < 150 else max(20.0, 9000 - 100.0 * (i - 150)) for i in range(240))
    scene.add(Signal.QUEUE_DEPTH, "mailer", batch, "messages", resource="orders")
    assert odds(scene, "queue_consumers_slow") is None


# --- providers outside


def provided(line: str, **curves: object) -> Scene:
    scene = shop(**{"api": {"errors": FAILING}, **curves})  # type: ignore[arg-type]  # by service
    scene.calls("api", "maps-provider")
    return says(scene, "api", line)


def test_a_provider_that_refuses_for_too_many_requests_is_named():
    scene = provided("POST maps-provider: 429 Too Many Requests, Retry-After: 30")
    scene.add(Signal.EDGE_ERROR_RATIO, "api", FAILING, "ratio", peer="maps-provider")
    scene.series = [s for s in scene.series if s.signal != Signal.EDGE_RATE]
    scene.add(Signal.EDGE_RATE, "api", values(50, 160, at=98), "1/s", peer="maps-provider")
    diagnosis = answer(scene, "api")
    assert cause_of(diagnosis) == ("external_rate_limited", "external/maps-provider")
    assert diagnosis.cause.hint == "wait"


def test_a_provider_known_from_the_log_alone_is_named_by_its_host():
    scene = shop(api={"errors": FAILING})
    says(scene, "api", "https://api.example.com/v1/charge rate limit exceeded")
    assert odds(scene, "external_rate_limited").object == "external/api.example.com"


def test_refusals_that_no_user_feels_are_no_incident():
    scene = provided("maps-provider: rate limit exceeded", api={})
    assert unlikely(scene, "external_rate_limited")


def test_our_own_limiter_is_no_provider():
    scene = shop(api={"errors": FAILING}).calls("api", "worker")
    says(scene, "api", "worker.shop.svc.cluster.local answered 429 too many requests")
    assert odds(scene, "external_rate_limited") is None


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-21 11:24:01,429 ERROR [exec-7] c.shop.api - no answer from the ledger",
        'time=11:24:01.429Z level=error msg="no answer from the ledger"',
        "too many requests in the queue of c.shop.api",
    ],
)
def test_a_millisecond_is_no_status_and_a_loggers_name_no_provider(line: str):
    scene = says(shop(api={"errors": FAILING}), "api", line)
    assert odds(scene, "external_rate_limited") is None


# --- what will be full


def busy_day(low: float, high: float) -> np.ndarray:
    """26 hours of traffic that ends in the calm, with its peak 14 hours ago."""
    hours = np.linspace(-26, 0, 313)
    return low + (high - low) * np.exp(-(((hours + 14) / 3) ** 2))


def connected(used: tuple[float, ...], rate: tuple[float, ...]) -> Scene:
    scene = shop(api={"rate": rate}).calls("api", "orders-db")
    scene.long(Signal.REQUEST_RATE, "api", busy_day(50, 200), "1/s")
    return scene.add(Signal.CONNECTIONS_OF_LIMIT, "orders-db", used, "ratio")


RISING = tuple(np.linspace(1.0, 1.35, 240).tolist())  # grows by a third over two hours


def test_connections_that_follow_the_traffic_will_not_last_for_the_peak():
    scene = connected(tuple(0.3 * v for v in RISING), tuple(50 * v for v in RISING))
    diagnosis = answer(scene)
    assert cause_of(diagnosis) == ("connections_running_out", "statefulset/orders-db")
    assert diagnosis.cause.forecast_at > NOW


def test_connections_of_pools_with_a_fixed_size_are_no_forecast():
    scene = connected(values(0.4, noise=0.02), tuple(50 * v for v in RISING))
    assert unlikely(scene, "connections_running_out")


def test_connections_with_room_for_the_peak_are_no_forecast():
    scene = connected(tuple(0.1 * v for v in RISING), tuple(50 * v for v in RISING))
    assert odds(scene, "connections_running_out") is None


def test_open_files_that_only_grow_are_forecast():
    scene = shop()
    scene.long(Signal.FILES_OF_LIMIT, "api", np.linspace(0.3, 0.85, 200), "ratio")
    found = odds(scene, "file_descriptors_exhausted")
    assert found.forecast_at is not None
    assert found.probability > 0.5


def test_a_node_that_is_always_rather_full_is_no_forecast():
    scene = shop()
    scene.long(Signal.NODE_MEMORY, "node-1", values(0.88, noise=0.01), "ratio")
    assert odds(scene, "node_memory_running_out") is None


# --- CPU limits


def throttled(cpu: float, *, share: float = 0.6, **curves: tuple[float, ...]) -> Scene:
    scene = without(shop(api={"p99": SLOW, **curves}), Signal.CPU_OF_LIMIT, "api")
    scene.add(Signal.CPU_OF_LIMIT, "api", values(0.3, cpu), "ratio")
    return scene.add(Signal.CPU_THROTTLED, "api", values(0.01, share), "ratio")


def test_bursts_that_are_cut_far_below_the_limit_need_a_higher_one():
    scene = throttled(0.45)
    scene.change(ChangeKind.DEPLOY, "api", 98, diff="-  cpu: 2\n+  cpu: 200m")
    diagnosis = answer(scene, "api")
    assert cause_of(diagnosis) == ("cpu_limit_too_low", "deployment/api")
    assert diagnosis.cause.change is not None


def test_a_workload_at_its_limit_is_overloaded():
    assert cause_of(answer(throttled(1.0), "api")) == ("cpu_overload", "deployment/api")


def test_what_is_stopped_in_most_periods_is_at_its_limit_though_the_average_lags():
    scene = throttled(0.6, share=0.85)
    assert cause_of(answer(scene, "api")) == ("cpu_overload", "deployment/api")


def test_throttling_that_nobody_feels_is_no_incident():
    assert unlikely(throttled(0.45, p99=values(0.2)), "cpu_limit_too_low")


# --- new pods against old ones


def rolled(old: float, *, hashes: tuple[str, str] = ("aaaaaaaaa", "bbbbbbbbb")) -> Scene:
    """A rollout of api at minute 98 that has replaced two of four pods, its onset at 100."""
    scene = shop(api={"errors": values(0.001, 0.2), "pods": 0}, storefront={"errors": FAILING})
    scene.change(ChangeKind.DEPLOY, "api", 98, before="v1", after="v2")
    for name, level in ((hashes[0], old), (hashes[1], 0.4)):
        for i in range(2):
            pod = f"api-{name}-pod0{i}" if level == old else f"api-{name}-pod1{i}"
            curve = values(0.001, level)
            scene.add(Signal.ERROR_RATIO, "api", curve, "ratio", pod=pod)
            if level == 0.4:
                last = scene.series[-1]
                scene.series[-1] = replace(last, times=last.times[197:], values=last.values[197:])
    return scene


def test_what_only_the_new_pods_do_is_the_release():
    diagnosis = answer(rolled(0.001), "api")
    assert cause_of(diagnosis) == ("bad_release", "deployment/api")
    assert any("2 new pods" in e.statement and e.weight > 2 for e in diagnosis.cause.evidence)


def test_what_the_old_pods_do_as_well_is_not_the_release():
    diagnosis = answer(rolled(0.41), "api")
    assert diagnosis.status is Status.UNKNOWN
    assert any("old pods suffer too" in r.why for r in diagnosis.ruled_out)


def test_pods_of_one_template_that_restarted_are_no_rollout():
    scene = rolled(0.001, hashes=("aaaaaaaaa", "aaaaaaaaa"))
    evidence = [e for f in look(scene.snapshot(), ask(), discover()).findings
                for h in f.hypotheses for e in h.evidence]  # fmt: skip
    assert not [e for e in evidence if "new pods" in e.statement]


# --- where only the log tells


@pytest.mark.parametrize(
    "line",
    [
        "HikariPool-1 - Connection is not available, request timed out after 30000ms",
        "QueuePool limit of size 5 overflow 10 reached, connection timed out",
        "Timeout acquiring a connection. The pool is probably full",
        "redis: connection pool timeout",
    ],
)
def test_a_pool_without_metrics_is_known_by_its_complaint(line: str):
    scene = says(shop(api={"p99": SLOW, "errors": FAILING}), "api", line)
    found = odds(scene, "connection_pool_exhausted")
    assert found.object == "deployment/api"
    scene.change(
        ChangeKind.CONFIG, "api", 98, object_="configmap/api-config",
        before=json.dumps({"POOL_SIZE": "20"}), after=json.dumps({"POOL_SIZE": "2"}),
    )  # fmt: skip
    assert cause_of(answer(scene)) == ("connection_pool_exhausted", "configmap/api-config")


@pytest.mark.parametrize("line", ["carpool exhausted the driver", "swimming pool is closed"])
def test_other_pools_are_no_connection_pool(line: str):
    scene = says(shop(), "api", line)
    assert unlikely(scene, "connection_pool_exhausted")


def test_a_slow_query_without_metrics_is_known_by_the_log_and_the_release():
    scene = shop(api={"p99": SLOW}, storefront={"p99": SLOW})
    says(scene, "api", "ERROR: canceling statement due to statement timeout")
    scene.change(ChangeKind.DEPLOY, "api", 98, diff="+SELECT * FROM orders WHERE lower(name) = $1")
    assert cause_of(answer(scene)) == ("slow_query", "deployment/api")


def test_a_slow_query_that_nobody_feels_is_no_incident():
    scene = says(shop(), "api", "slow query: SELECT 1 took 1.2 s")
    assert odds(scene, "slow_query") is None


# --- several at once


def test_a_stampede_here_and_a_queue_there_are_both_named():
    scene = cached(values(0.95, 0.1, at=99), values(5, 60, at=99))
    scene.add(Signal.RESTARTS, "sessions", values(0.0, 1.0, at=99, noise=0), "count")
    scene.workload("mailer")
    grows = tuple(20.0 if i < 200 else 20.0 + 60 * (i - 200) for i in range(240))
    scene.add(Signal.QUEUE_DEPTH, "mailer", grows, "messages", resource="orders")
    scene.add(Signal.CONSUMERS, "mailer", values(3, 0, noise=0), "count", resource="orders")
    diagnosis = answer(scene)
    assert {c.hypothesis.cause for c in diagnosis.causes} == {
        "cache_stampede", "queue_consumers_gone",
    }  # fmt: skip


# --- a provider that is bad from one zone


def zoned(*levels: float) -> Scene:
    """Api calls a provider from one pod in each zone; the levels are their errors since."""
    scene = shop(api={"errors": values(0.001, 0.2), "pods": 0}).calls("api", "maps-provider")
    scene.add(Signal.EDGE_ERROR_RATIO, "api", values(0.001, 0.3), "ratio", peer="maps-provider")
    for i, level in enumerate(levels):
        scene.pod(f"api-{i}", "api", node=f"node-{i}")
        labels = {"topology.kubernetes.io/zone": f"zone-{i}"}
        scene.objects.append(thing("Node", f"node-{i}", {"metadata": {"labels": labels}}))
        scene.add(
            Signal.EDGE_ERROR_RATIO, "api", values(0.001, level), "ratio", peer="maps-provider",
            pod=f"api-{i}",
        )  # fmt: skip
    return scene


def region(scene: Scene) -> list[str]:
    looked = look(scene.snapshot(), ask(), discover())
    assert looked.failed == ()
    return [
        h.summary for f in looked.findings for h in f.hypotheses if h.analyzer == "provider_region"
    ]


def test_a_provider_that_fails_from_one_zone_is_said_to():
    scene = zoned(0.8, 0.001, 0.001)
    assert "is bad from zone-0 only" in region(scene)[0]
    assert cause_of(answer(scene, "api")) == ("external_provider_failure", "external/maps-provider")


def test_a_provider_that_fails_from_everywhere_is_not_regional():
    assert region(zoned(0.3, 0.3, 0.3)) == []


def test_one_zone_alone_compares_with_nothing():
    assert region(zoned(0.3)) == []


# --- connections that are used up


def test_a_server_without_connections_is_named_once():
    scene = shop(api={"errors": FAILING}).calls("api", "orders-db")
    scene.add(Signal.CONNECTIONS_OF_LIMIT, "orders-db", values(0.5, 1.0, noise=0.005), "ratio")
    diagnosis = answer(scene, "api")
    assert cause_of(diagnosis) == ("server_connections_exhausted", "statefulset/orders-db")
    assert odds(scene, "connections_running_out") is None


# --- quotas


def test_a_quota_that_fills_up_is_forecast():
    scene = shop()
    scene.long(Signal.QUOTA_OF_LIMIT, "shop", np.linspace(0.4, 0.88, 200), "ratio", resource="pods")
    diagnosis = answer(scene)
    assert cause_of(diagnosis) == ("quota_running_out", "namespace/shop")
    assert diagnosis.cause.forecast_at > NOW


def test_a_quota_that_is_used_as_ever_is_no_forecast():
    scene = shop()
    scene.long(Signal.QUOTA_OF_LIMIT, "shop", values(0.9, noise=0.001), "ratio", resource="pods")
    assert odds(scene, "quota_running_out") is None
