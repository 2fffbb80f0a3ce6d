"""Each kind of trouble is found where it is, and not where it isn't."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bot.domain.diagnosis import Status
from bot.domain.snapshot import Alert, ChangeKind, LogTemplate, Signal
from tests.unit.reasoning.scenes import NOW, SOURCE, Scene, answer, cause_of, minute, thing, values

SLOW = values(0.2, 4.0)


def shop() -> Scene:
    """storefront → checkout → (catalogue, payment → provider, orders-db); all healthy."""
    scene = Scene()
    for name in ("storefront", "checkout", "catalogue", "payment"):
        scene.service(name)
    scene.workload("orders-db", "StatefulSet")
    scene.calls("storefront", "checkout").calls("storefront", "catalogue")
    scene.calls("checkout", "catalogue").calls("checkout", "payment")
    scene.calls("payment", "provider")
    return scene


def ill(**curves: dict[str, tuple[float, ...]]) -> Scene:
    """The shop with other curves for some services."""
    scene = Scene()
    for name in ("storefront", "checkout", "catalogue", "payment"):
        scene.service(name, **curves.get(name, {}))
    scene.workload("orders-db", "StatefulSet")
    return scene


def wired(scene: Scene, **rates: tuple[float, ...]) -> Scene:
    for caller, callee in (
        ("storefront", "checkout"), ("storefront", "catalogue"), ("checkout", "catalogue"),
        ("checkout", "payment"), ("payment", "provider"),
    ):  # fmt: skip
        scene.calls(caller, callee, rates.get(f"{caller}_{callee}"))
    return scene


def test_a_calm_shop_is_healthy():
    diagnosis = answer(shop())
    assert diagnosis.status is Status.HEALTHY
    assert diagnosis.confidence > 0.9
    assert "Nothing is wrong now" in diagnosis.summary


def test_a_calm_store_is_healthy_by_what_its_callers_see():
    scene = shop()
    scene.add(Signal.DB_QUERY_P99, "checkout", values(0.01), "s", peer="orders-db")
    scene.add(Signal.DB_QUERY_RATE, "checkout", values(80), "1/s", peer="orders-db")
    diagnosis = answer(scene, "orders-db")
    assert diagnosis.status is Status.HEALTHY
    assert "orders-db behaves as usual" in diagnosis.summary


def test_a_store_that_nobody_measures_is_unknown():
    assert answer(shop(), "orders-db").status is Status.UNKNOWN


def test_too_short_a_past_shows_no_health():
    scene = shop()
    scene.series = [replace(s, times=s.times[-8:], values=s.values[-8:]) for s in scene.series]
    assert answer(scene).status is Status.UNKNOWN


def seldom_called(rate: float, at: float) -> Scene:
    """A provider whose p99 is high since minute `at` for its one caller."""
    scene = shop()
    scene.add(Signal.EDGE_RATE, "payment", values(rate), "1/s", peer="mailer")
    scene.add(Signal.EDGE_LATENCY_P99, "payment", values(0.5, 3.0, at=at), "s", peer="mailer")
    return scene


def test_one_slow_request_of_few_is_no_slow_provider():
    assert answer(seldom_called(rate=0.3, at=118)).status is Status.HEALTHY


def test_a_seldom_called_provider_that_stays_slow_is_named():
    assert cause_of(answer(seldom_called(rate=0.3, at=105))) == (
        "external_provider_failure", "external/mailer",
    )  # fmt: skip


def test_a_busy_provider_is_named_at_once():
    assert cause_of(answer(seldom_called(rate=50, at=118))) == (
        "external_provider_failure", "external/mailer",
    )  # fmt: skip


def test_without_any_series_health_is_unknown():
    assert answer(Scene()).status is Status.UNKNOWN


def test_a_blip_that_is_over_is_healthy_and_told():
    scene = wired(ill(checkout={"p99": values(0.2, 2.0, at=90, until=91.5)}))
    diagnosis = answer(scene, "checkout")
    assert diagnosis.status is Status.HEALTHY
    assert "p99 of checkout rose to" in diagnosis.summary


def test_trouble_without_any_known_reason_is_unknown_and_says_what_was_ruled_out():
    scene = wired(ill(checkout={"p99": SLOW}, storefront={"p99": SLOW}))
    scene.change(ChangeKind.DEPLOY, "payment", 99)
    diagnosis = answer(scene, "storefront")
    assert diagnosis.status is Status.UNKNOWN
    assert diagnosis.confidence < 0.6
    assert any("payment" in r.what for r in diagnosis.ruled_out)


def test_a_release_right_before_the_trouble_at_its_root_is_blamed():
    scene = wired(
        ill(checkout={"errors": values(0.001, 0.3)}, storefront={"errors": values(0.001, 0.1)})
    )
    scene.change(ChangeKind.DEPLOY, "checkout", 98, before="v1", after="v2")
    diagnosis = answer(scene, "storefront")
    assert cause_of(diagnosis) == ("bad_release", "deployment/checkout")
    assert diagnosis.cause.change.after == "v2"
    assert diagnosis.cause.explains == ("storefront",)
    assert diagnosis.signal.service == "storefront"


def test_a_release_after_the_onset_is_innocent():
    scene = wired(ill(checkout={"errors": values(0.001, 0.3)}))
    scene.change(ChangeKind.DEPLOY, "checkout", 106)
    diagnosis = answer(scene, "checkout")
    assert diagnosis.status is Status.UNKNOWN
    assert any("after the trouble began" in r.why for r in diagnosis.ruled_out)


def test_a_release_whose_old_version_suffers_too_is_innocent():
    scene = wired(ill(checkout={"p99": SLOW}))
    scene.change(ChangeKind.DEPLOY, "checkout", 99, before="v1", after="v2")
    for version in ("v1", "v2"):
        scene.add(Signal.LATENCY_P99, "checkout", SLOW, "s", version=version)
    diagnosis = answer(scene, "checkout")
    assert diagnosis.status is Status.UNKNOWN
    assert any("old version suffers too" in r.why for r in diagnosis.ruled_out)


def test_n_plus_one_is_found_and_the_innocent_release_at_the_onset_is_not_blamed():
    scene = wired(
        ill(checkout={"p99": SLOW}, storefront={"p99": SLOW}),
        checkout_catalogue=values(150, 750),
    )
    scene.change(ChangeKind.DEPLOY, "checkout", 98, diff="+ for item in items:\n+   get(item)")
    scene.change(ChangeKind.DEPLOY, "storefront", 99.5)
    diagnosis = answer(scene, "storefront")
    assert cause_of(diagnosis) == ("n_plus_one_queries", "deployment/checkout")
    assert diagnosis.confidence > 0.8
    assert any("storefront" in r.what for r in diagnosis.ruled_out)


def test_more_calls_because_of_more_requests_are_no_n_plus_one():
    more = values(50, 200)
    scene = wired(ill(checkout={"rate": more}), checkout_catalogue=values(150, 600))
    assert answer(scene).status is Status.HEALTHY


def test_retries_of_failing_calls_are_no_n_plus_one():
    scene = wired(ill(payment={"errors": values(0.001, 0.5)}), payment_provider=values(50, 95))
    scene.add(Signal.EDGE_ERROR_RATIO, "payment", values(0.001, 0.9), "ratio", peer="provider")
    scene.change(ChangeKind.DEPLOY, "checkout", 99)
    diagnosis = answer(scene)
    assert cause_of(diagnosis) == ("external_provider_failure", "external/provider")


def test_a_slow_query_of_one_client_is_a_slow_query_not_a_slow_database():
    scene = wired(ill(checkout={"p99": SLOW}))
    scene.add(Signal.DB_QUERY_P99, "checkout", values(0.01, 3.0), "s", peer="orders-db")
    scene.add(Signal.DB_QUERY_P99, "payment", values(0.01), "s", peer="orders-db")
    scene.add(Signal.DB_QUERY_P99, "catalogue", values(0.01), "s", peer="orders-db")
    scene.change(ChangeKind.DEPLOY, "checkout", 98, diff="+ SELECT * FROM orders ORDER BY x")
    assert cause_of(answer(scene)) == ("slow_query", "deployment/checkout")


def test_a_flag_right_before_the_trouble_is_blamed():
    scene = wired(ill(catalogue={"errors": values(0.001, 0.2)}))
    scene.change(
        ChangeKind.FLAG, "catalogue", 99.5, before="off", after="on", object_="flag/new-ranking"
    )
    assert cause_of(answer(scene)) == ("bad_feature_flag", "flag/new-ranking")


def test_a_flag_of_a_service_that_is_fine_is_innocent():
    scene = wired(ill(catalogue={"errors": values(0.001, 0.2)}))
    scene.change(ChangeKind.FLAG, "payment", 99.5, before="off", after="on", object_="flag/x")
    assert answer(scene).status is Status.UNKNOWN


def pool(scene: Scene) -> Scene:
    scene.add(Signal.POOL_OF_LIMIT, "checkout", values(0.4, 1.0, noise=0.01), "ratio")
    return scene.add(Signal.POOL_WAITERS, "checkout", values(0.01, 25), "count")


def test_a_smaller_pool_is_blamed_on_the_setting():
    scene = pool(wired(ill(checkout={"p99": SLOW})))
    scene.change(
        ChangeKind.CONFIG, "checkout", 97, object_="configmap/checkout-config",
        before=json.dumps({"DB_POOL_SIZE": "20"}), after=json.dumps({"DB_POOL_SIZE": "2"}),
    )  # fmt: skip
    diagnosis = answer(scene)
    assert cause_of(diagnosis) == ("connection_pool_exhausted", "configmap/checkout-config")
    assert diagnosis.confidence > 0.8


def test_a_pool_emptied_by_traffic_is_a_surge():
    scene = pool(wired(ill(checkout={"p99": SLOW, "rate": values(50, 300, at=98)})))
    assert cause_of(answer(scene)) == ("traffic_surge", "deployment/checkout")


@pytest.mark.parametrize("text", ["", "null", "[1]", "{", '{"POOL": "many"}', '{"POOL": 1e999}'])
def test_a_malformed_setting_blames_no_pool(text: str):
    scene = pool(wired(ill(checkout={"p99": SLOW})))
    scene.change(ChangeKind.CONFIG, "checkout", 97, before=text, after=text)
    assert cause_of(answer(scene))[1] != "configmap/checkout-config"


def test_a_traffic_surge_is_found_at_the_service_that_saturates():
    more = values(50, 400, at=97)
    scene = wired(
        ill(
            storefront={"rate": more, "p99": SLOW},
            checkout={"rate": more, "p99": SLOW},
            catalogue={"rate": more},
        ),
        storefront_checkout=more,
    )
    scene.series = [
        s for s in scene.series if (s.signal, s.service) != (Signal.CPU_OF_LIMIT, "checkout")
    ]
    scene.add(Signal.CPU_OF_LIMIT, "checkout", values(0.3, 1.0, at=97), "ratio")
    assert cause_of(answer(scene)) == ("traffic_surge", "deployment/checkout")


@pytest.mark.parametrize(("after", "words"), [(10, "got worse only after its load rose"),
                                              (0, "has symptoms too")])  # fmt: skip
def test_what_a_surge_does_to_those_below_speaks_against_it_only_if_it_came_first(
    after: int, words: str
):
    more, at = values(50, 400, at=97), 97 + after
    scene = wired(
        ill(
            storefront={"rate": more, "p99": SLOW},
            checkout={"rate": more, "p99": values(0.2, 1.5, at=97)},
            payment={"p99": values(0.1, 0.4, at=at)},
        ),
        storefront_checkout=more,
    )
    (surge,) = (
        r.hypothesis
        for r in answer(scene).ranked
        if (r.hypothesis.cause, r.hypothesis.service) == ("traffic_surge", "checkout")
    )
    assert any(words in e.statement for e in surge.evidence)


CALLS = {(Signal.EDGE_RATE, name) for name in ("storefront", "checkout", "payment")}
CALLERS = {(Signal.REQUEST_RATE, name) for name in ("storefront", "checkout")}
LOAD = {(Signal.CPU_OF_LIMIT, "catalogue")}


@pytest.mark.parametrize("unseen", [CALLS | LOAD, CALLERS | LOAD, CALLS | CALLERS | LOAD])
def test_no_surge_is_guessed_where_nobody_saw_who_asks_more(unseen: set[tuple[str, str]]):
    scene = wired(ill(catalogue={"rate": values(50, 130, at=97), "p99": SLOW}))
    scene.series = [s for s in scene.series if (s.signal, s.service) not in unseen]
    assert answer(scene).status is Status.UNKNOWN


def test_more_traffic_that_is_served_is_healthy():
    more = values(50, 150, at=97)
    scene = wired(ill(storefront={"rate": more}), storefront_checkout=more)
    assert answer(scene).status is Status.HEALTHY


def neighbours(cores: tuple[float, ...], elsewhere: tuple[float, ...]) -> Scene:
    scene = wired(ill(checkout={"p99": values(0.2, 1.5)}))
    scene.service("batch", pods=0).pod("batch-0", "batch", node="node-0")
    scene.add(Signal.NODE_CPU, "node-0", values(0.4, 0.99, noise=0.01), "ratio")
    scene.add(Signal.CPU_CORES, "batch", cores, "cores", pod="batch-0")
    scene.add(Signal.LATENCY_P99, "checkout", values(0.2, 4.0), "s", pod="checkout-0")
    scene.add(Signal.LATENCY_P99, "checkout", elsewhere, "s", pod="checkout-1")
    scene.add(Signal.LATENCY_P99, "checkout", elsewhere, "s", pod="checkout-2")
    return scene


def test_a_noisy_neighbour_is_named():
    diagnosis = answer(neighbours(values(0.5, 7.0, at=99), values(0.2, seed=2)))
    assert cause_of(diagnosis) == ("noisy_neighbour", "deployment/batch")
    assert "checkout" in diagnosis.cause.explains


def test_a_quiet_neighbour_on_a_hot_node_is_not_blamed():
    diagnosis = answer(neighbours(values(0.5), values(0.2, 4.0, seed=2)))
    assert cause_of(diagnosis)[0] != "noisy_neighbour"


def grey(peer: tuple[float, ...], node: float = 0.4, hash_: str = "h1") -> Scene:
    scene = wired(ill(checkout={"errors": values(0.001, 0.05), "pods": 0}))
    for i in range(3):
        scene.pod(f"checkout-{i}", "checkout", node=f"node-{i}", hash_=hash_ if i == 0 else "h1")
    scene.add(Signal.ERROR_RATIO, "checkout", values(0.001, 0.15), "ratio", pod="checkout-0")
    scene.add(Signal.ERROR_RATIO, "checkout", peer, "ratio", pod="checkout-1")
    scene.add(Signal.ERROR_RATIO, "checkout", peer, "ratio", pod="checkout-2")
    return scene.add(Signal.NODE_CPU, "node-0", values(node), "ratio")


def test_one_bad_pod_among_its_peers_is_a_grey_failure():
    diagnosis = answer(grey(values(0.001)))
    assert cause_of(diagnosis) == ("grey_failure", "pod/checkout-0")
    assert diagnosis.confidence > 0.8


def test_pods_that_all_fail_are_no_grey_failure():
    assert cause_of(answer(grey(values(0.001, 0.15))))[0] == "unknown"


def test_a_pod_whose_peers_are_gone_is_no_grey_failure():
    scene = grey(values(0.001))
    gone = ("checkout-1", "checkout-2")
    scene.objects = [o for o in scene.objects if o.name not in gone]
    assert cause_of(answer(scene))[0] != "grey_failure"


def test_one_bad_pod_of_another_version_is_no_grey_failure():
    assert cause_of(answer(grey(values(0.001), hash_="h2")))[0] != "grey_failure"


def test_odd_pods_of_several_services_on_one_node_are_the_node():
    scene = grey(values(0.001))
    without = [s for s in scene.series if (s.signal, s.service) == (Signal.ERROR_RATIO, "payment")]
    scene.series = [s for s in scene.series if s not in without]
    scene.add(Signal.ERROR_RATIO, "payment", values(0.001, 0.05), "ratio")
    for i in range(3):
        bad = values(0.001, 0.15) if i == 0 else values(0.001)
        scene.add(Signal.ERROR_RATIO, "payment", bad, "ratio", pod=f"payment-{i}")
    scene.edges = [e for e in scene.edges if e.caller != "checkout"]
    scene.series = [s for s in scene.series if not (s.service == "checkout" and "peer" in s.labels)]
    diagnosis = answer(scene)
    assert cause_of(diagnosis) == ("node_degraded", "node/node-0")
    assert {"checkout", "payment"} <= set(diagnosis.cause.explains)


def leak(rise: float) -> Scene:
    scene = wired(ill())
    scene.change(ChangeKind.DEPLOY, "checkout", 5)
    ramp = tuple((0.4 + rise * np.arange(240) / 240).tolist())
    for i in range(3):
        scene.add(Signal.MEMORY_OF_LIMIT, "checkout", ramp, "ratio", pod=f"checkout-{i}")
    return scene


def test_memory_that_grows_since_a_release_is_a_leak_with_a_time():
    diagnosis = answer(leak(0.4))
    assert cause_of(diagnosis) == ("memory_leak", "deployment/checkout")
    assert diagnosis.cause.forecast_at > NOW
    assert diagnosis.cause.change.service == "checkout"


def test_steady_memory_is_no_leak():
    assert answer(leak(0.01)).status is Status.HEALTHY


def test_a_leak_that_was_ended_by_the_kernel_is_not_forecast():
    scene = leak(0.5)
    killed = {
        "lastState": {"terminated": {"reason": "OOMKilled", "finishedAt": "2026-03-14T13:30:00Z"}}
    }
    scene.pod("checkout-9", "checkout", statuses=(killed,))
    diagnosis = answer(scene)
    assert cause_of(diagnosis) == ("memory_leak", "deployment/checkout")
    assert diagnosis.cause.forecast_at is None


def certificate(left: float) -> Scene:
    scene = wired(ill(checkout={"errors": values(0.001, 0.9)}))
    scene.add(Signal.EDGE_ERROR_RATIO, "checkout", values(0.001, 1.0), "ratio", peer="payment")
    ends = tuple(left + 7200 - i * 30.0 for i in range(241))
    return scene.add(Signal.CERTIFICATE_EXPIRES_IN, "payment", ends, "s", resource="payment:443")


def test_an_expired_certificate_is_named_with_its_renewal():
    scene = certificate(-1200.0)
    body = {"metadata": {"name": "payment-tls"}, "status": {"notAfter": "2026-06-01T00:00:00Z"}}
    scene.objects.append(thing("Certificate", "payment-tls", body))
    diagnosis = answer(scene)
    assert cause_of(diagnosis) == ("certificate_expired", "certificate/payment")
    assert "has not loaded the new one" in diagnosis.summary


def test_a_certificate_with_months_left_is_not_suspected():
    assert cause_of(answer(certificate(90 * 86400.0)))[0] != "certificate_expired"


def test_an_expired_certificate_complained_about_in_logs_is_more_certain():
    scene = certificate(-1200.0)
    scene.logs.append(
        LogTemplate(
            service="checkout", pod=None, container=None, previous=False, level="error",
            template="x509: certificate has expired <*>", example="x509: certificate has expired",
            count=40, baseline_count=0, first_at=minute(100), last_at=NOW, source=SOURCE,
        )
    )  # fmt: skip
    assert answer(scene).confidence > 0.9


def day(low: float, high: float) -> np.ndarray:
    """26 hours of traffic that ends in the calm, with its peak 20 hours ago."""
    hours = np.linspace(-26, 0, 313)
    return low + (high - low) * np.exp(-(((hours + 14) / 3) ** 2))


def cache(rise: float) -> Scene:
    scene = wired(ill()).workload("cache", "StatefulSet")
    scene.calls("checkout", "cache")
    traffic = day(10, 300)
    grown = np.cumsum(traffic) / np.sum(traffic)
    scene.long(Signal.REQUEST_RATE, "checkout", traffic, "1/s")
    scene.long(Signal.MEMORY_OF_LIMIT, "cache", 0.5 + rise * grown, "ratio", resource="maxmemory")
    return scene.long(Signal.MEMORY_FRAGMENTATION, "cache", 1.2 + rise * grown, "ratio")


def test_a_cache_that_will_be_full_is_called_before_it_breaks_with_a_time():
    scene = cache(0.4)
    scene.change(
        ChangeKind.CONFIG, "cache", -1440, object_="configmap/cache-config",
        diff="TTL_SECONDS: 3600 → 0",
    )  # fmt: skip
    diagnosis = answer(scene)
    assert cause_of(diagnosis) == ("cache_memory_pressure", "statefulset/cache")
    assert diagnosis.cause.forecast_at > NOW
    assert (diagnosis.cause.forecast_at - NOW).total_seconds() < 24 * 3600
    assert diagnosis.cause.change.object == "configmap/cache-config"


def test_a_steady_cache_is_healthy():
    assert answer(cache(0.01)).status is Status.HEALTHY


def test_a_disk_that_fills_within_the_day_is_forecast():
    scene = wired(ill())
    scene.long(
        Signal.DISK_OF_LIMIT, "orders-db", np.linspace(0.5, 0.85, 200), "ratio", resource="data"
    )
    diagnosis = answer(scene)
    assert cause_of(diagnosis) == ("disk_full", "statefulset/orders-db")
    assert diagnosis.cause.forecast_at > NOW


def test_two_independent_troubles_are_both_named():
    scene = wired(
        ill(payment={"errors": values(0.001, 0.4)}, catalogue={"errors": values(0.001, 0.3)})
    )
    scene.change(ChangeKind.FLAG, "catalogue", 99, before="off", after="on", object_="flag/a")
    scene.change(ChangeKind.DEPLOY, "payment", 98.5)
    diagnosis = answer(scene)
    assert {c.hypothesis.object for c in diagnosis.causes} == {"flag/a", "deployment/payment"}


def complaint(service: str, text: str, count: int, before: int | None, at: float = 100):
    return LogTemplate(
        service=service, pod=None, container=None, previous=False, level="error", template=text,
        example=text, count=count, baseline_count=before, first_at=minute(at), last_at=NOW,
        source=SOURCE,
    )  # fmt: skip


def test_a_new_complaint_since_a_release_speaks_against_it():
    scene = wired(ill(checkout={"errors": values(0.001, 0.3)}))
    scene.change(ChangeKind.DEPLOY, "checkout", 98)
    quiet = answer(scene).cause.log_odds
    scene.logs.append(complaint("checkout", "NullPointerException in Total", 40, 0))
    diagnosis = answer(scene)
    assert diagnosis.cause.log_odds > quiet
    assert any("NullPointerException" in e.statement for e in diagnosis.cause.evidence)


def test_a_complaint_as_frequent_as_ever_says_nothing():
    scene = wired(ill(checkout={"errors": values(0.001, 0.3)}))
    scene.change(ChangeKind.DEPLOY, "checkout", 98)
    scene.logs.append(complaint("checkout", "NullPointerException in Total", 40, 38))
    assert not any("NullPointer" in e.statement for e in answer(scene).cause.evidence)


def sawtooth(tooth: float) -> Scene:
    """Pods whose memory goes from 0.4 to `tooth` every ten minutes since a release at minute 60."""
    scene = wired(ill(checkout={"errors": values(0.001, 0.05, at=75)}))
    scene.change(ChangeKind.DEPLOY, "checkout", 58)
    minutes = np.arange(240) * 0.5
    teeth = 0.4 + (tooth - 0.4) * ((minutes - 60) % 10) / 10
    curve = tuple(np.where(minutes < 60, 0.4, teeth).tolist())
    killed = {
        "lastState": {"terminated": {"reason": "OOMKilled", "finishedAt": "2026-03-14T13:50:00Z"}}
    }
    for i in range(3):
        scene.add(Signal.MEMORY_OF_LIMIT, "checkout", curve, "ratio", pod=f"checkout-{i}")
        scene.pod(f"checkout-x{i}", "checkout", statuses=(killed,))
    return scene


def test_a_leak_that_is_ended_again_and_again_is_a_leak_of_the_release():
    diagnosis = answer(sawtooth(1.0))
    assert cause_of(diagnosis) == ("memory_leak", "deployment/checkout")
    assert diagnosis.cause.change.after == "v2"
    assert [c.hypothesis.cause for c in diagnosis.causes] == ["memory_leak"]


def test_memory_that_breathes_is_no_leak():
    assert cause_of(answer(sawtooth(0.45)))[0] != "memory_leak"


def test_health_is_unknown_when_errors_or_latency_could_not_be_seen():
    scene = wired(ill())
    scene.series = [s for s in scene.series if s.signal != Signal.ERROR_RATIO]
    assert answer(scene).status is Status.UNKNOWN


def test_a_bad_pod_that_names_its_own_reason_is_no_grey_failure():
    scene = grey(values(0.001))
    scene.logs.append(complaint("checkout", "token used before issued, rejected", 90, 0))
    diagnosis = answer(scene)
    assert cause_of(diagnosis) == ("clock_skew", "deployment/checkout")


def alarmed(service: str, minutes_ago: float) -> Scene:
    """A shop in which no series moved, and an alert that fires."""
    scene = shop()
    scene.alerts.append(
        Alert(
            name="SlowRequests", service=service, severity="critical", summary="p99 is high",
            started_at=minute(120 - minutes_ago), labels={"alertstate": "firing"}, source=SOURCE,
        )
    )  # fmt: skip
    return scene


def test_an_alert_of_a_moment_ago_is_not_called_healthy():
    assert answer(alarmed("checkout", 1.5), "checkout").status is Status.UNKNOWN


@pytest.mark.parametrize(("service", "minutes_ago"), [("catalogue", 1.5), ("checkout", 30)])
def test_an_alert_of_another_service_or_of_long_ago_does_not_outweigh_calm_series(
    service: str, minutes_ago: float
):
    assert answer(alarmed(service, minutes_ago), "checkout").status is Status.HEALTHY
