"""Every incident shows itself, its true repair ends it, and a wrong action does not."""

import numpy as np
import pytest

from bot.sandbox.world import catalog, composing
from bot.sandbox.world.flags import body as flag_body
from bot.sandbox.world.prometheus.alerts import alerts
from tests.fakes.driven import DrivenWorld

BROKEN = sorted(
    set(catalog.incidents()) - {"false-alarm-blip", "false-alarm-restart", "redis-pressure"}
)
SEEDS = (1, 2)
EDGE = (
    '(sum(rate(http_client_request_duration_seconds_count{{server_address="{0}",'
    'http_response_status_code=~"5.."}}[1m])) or vector(0))'
    ' / sum(rate(http_client_request_duration_seconds_count{{server_address="{0}"}}[1m]))'
)
FULL = (
    'max(redis_memory_used_bytes{service_name="sessions-cache"})'
    ' / max(redis_memory_max_bytes{service_name="sessions-cache"})'
)


def trouble(world: DrivenWorld, ago: float = 0.0) -> float:
    """How many times slower than its objective, plus ten times the errors."""
    assert world.truth is not None
    service = world.truth.symptom_service
    limit = world.value(f'slo:latency_threshold:seconds{{service_name="{service}"}}')
    seen = np.nan_to_num(
        [world.p99(service, ago, "2m") / limit, 10 * world.errors(service, ago, "2m")], nan=0.0
    )
    return float(seen.sum())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", BROKEN)
def test_it_hurts_and_the_true_repair_ends_it(name: str, seed: int) -> None:
    world = DrivenWorld(name, seed)
    assert world.truth is not None
    usual = trouble(world, world.truth.onset_age_s + 500.0)
    hurt = max(trouble(world, ago) for ago in (0.0, 60.0, 120.0))
    assert hurt > 1.5 * usual
    for repair in world.truth.repairs:
        world.do(repair)
    world.advance(240.0)
    assert trouble(world) < max(1.3 * usual, usual + 0.25 * (hurt - usual))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", BROKEN)
def test_a_wrong_action_does_not_end_it(name: str, seed: int) -> None:
    world = DrivenWorld(name, seed)
    assert world.truth is not None
    hurt = trouble(world)
    wrong = world.truth.worsens or (
        {
            "action": "restart_deployment",
            "arguments": {"namespace": "shop", "name": "notifications"},
        },
    )
    world.do(wrong[0])
    still = 0.0
    for _ in range(3):
        world.advance(170.0)
        still = max(still, trouble(world))
    assert still > 0.6 * hurt


@pytest.mark.parametrize("name", ["false-alarm-blip", "false-alarm-restart"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_false_alarm_is_over(name: str, seed: int) -> None:
    world = DrivenWorld(name, seed)
    assert world.truth is not None
    assert world.truth.healthy
    usual = trouble(world, world.truth.onset_age_s + 500.0)
    assert trouble(world) < 1.3 * usual + 0.1
    assert [a for a in alerts(world.running) if a["labels"]["severity"] == "page"
            and a["state"] == "firing"] == []  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_redis_pressure_has_broken_nothing_yet_but_will_in_the_morning(seed: int) -> None:
    world = DrivenWorld("redis-pressure", seed)
    assert 0.75 < world.value(FULL) < 0.92
    assert world.value(FULL, 5 * 86_400.0) < 0.5
    assert world.errors("sessions") < 0.01
    world.advance(9 * 3600.0)
    assert world.value(FULL) == pytest.approx(1.0, abs=0.01)
    assert world.value('rate(redis_evicted_keys_total{service_name="sessions-cache"}[10m])') > 0
    assert world.errors("sessions", span="5m") > 0.1


def test_redis_pressure_ends_when_the_ttl_is_back() -> None:
    world = DrivenWorld("redis-pressure", 1)
    assert world.truth is not None
    world.do(world.truth.repairs[0])
    world.advance(120.0)
    assert world.value(FULL) < 0.5
    world.advance(8 * 3600.0)
    assert world.errors("sessions", span="5m") < 0.01


def test_a_restarted_cache_is_cold_and_its_callers_pay() -> None:
    world = DrivenWorld("redis-pressure", 1)
    world.do({"action": "restart_pod", "arguments": {"name": "sessions-cache-0"}})
    world.advance(45.0)
    assert world.errors("sessions") > 0.03


def test_a_restart_helps_a_leak_for_a_while() -> None:
    world = DrivenWorld("memory-leak", 2)
    assert world.truth is not None
    before = trouble(world)
    world.do({"action": "restart_deployment",
              "arguments": {"namespace": "shop", "name": world.truth.service}})  # fmt: skip
    world.advance(180.0)
    assert trouble(world) < 0.7 * before
    world.advance(400.0)
    metric = "kube_pod_container_status_restarts_total"
    restarts = f'sum(increase({metric}{{container="{world.truth.service}"}}[9m]))'
    assert world.value(restarts) > 0.5


def test_callers_feel_an_expired_certificate_though_the_server_does_not() -> None:
    world = DrivenWorld("certificate-expired", 1)
    assert world.truth is not None
    service = world.truth.service
    assert world.value(EDGE.format(service)) > 0.5
    assert world.errors(service) < 0.05
    expiry = f'probe_ssl_earliest_cert_expiry{{service_name="{service}"}} - time()'
    assert world.value(expiry) < 0
    world.do(world.truth.repairs[0])
    world.advance(120.0)
    assert world.value(expiry) > 86_400.0


def test_a_grey_pod_is_ready_all_the_time() -> None:
    world = DrivenWorld("grey-failure", 1)
    assert world.truth is not None
    name = world.truth.object.removeprefix("pod/")
    _, pod = world.kubernetes("GET", f"api/v1/namespaces/shop/pods/{name}")
    assert {c["type"]: c["status"] for c in pod["status"]["conditions"]}["Ready"] == "True"
    assert world.errors(world.truth.service) == pytest.approx(0.05, abs=0.02)


def test_the_change_that_did_it_is_in_the_feed_before_the_onset() -> None:
    for name in (
        "slow-query",
        "decoy-deploy",
        "bad-image",
        "memory-leak",
        "bad-flag",
        "pool-exhausted",
    ):
        world = DrivenWorld(name, 1)
        assert world.truth is not None
        site = world.running.site
        last = [c for c in site.changes
                if c["object"] == world.truth.object
                and site.begun - 2400 < c["at"] <= site.onset + 5]  # fmt: skip
        assert last, name
        assert last[-1]["diff"]


def test_the_decoy_landed_at_the_onset_and_is_innocent() -> None:
    world = DrivenWorld("decoy-deploy", 1)
    site = world.running.site
    near = {
        c["service"]
        for c in site.changes
        if c["kind"] == "deploy" and abs(c["at"] - site.onset) < 90
    }
    assert len(near) == 2
    world.do(
        {"action": "rollback_deployment", "arguments": {"name": "storefront", "to_revision": 3}}
    )
    before = trouble(world)
    world.advance(180.0)
    assert trouble(world) > 0.7 * before


@pytest.mark.parametrize("name", catalog.incidents())
def test_the_truth_does_not_depend_on_the_moment(name: str) -> None:
    assert catalog.truth(name, 5) == catalog.truth(name, 5)
    started = DrivenWorld(name, 5).truth
    assert started == catalog.truth(name, 5)


def test_seeds_vary_the_object() -> None:
    for name in (
        "slow-query",
        "pool-exhausted",
        "memory-leak",
        "bad-image",
        "bad-flag",
        "grey-failure",
    ):
        assert len({catalog.truth(name, seed).object for seed in range(12)}) > 2, name


def test_compositions_are_two_independent_causes_or_an_unknown_kind() -> None:
    kinds = [catalog.truth(composing.NAME, seed) for seed in range(30)]
    assert any(t.cause == "unknown" for t in kinds)
    pairs = [t for t in kinds if t.also]
    assert pairs
    assert all(t.also[0].service != t.service for t in pairs)
    assert len({t.cause for t in kinds}) > 4


@pytest.mark.parametrize("seed", [0, 1, 4, 5])
def test_both_halves_of_a_composition_hurt(seed: int) -> None:
    world = DrivenWorld(composing.NAME, seed)
    assert world.truth is not None
    for truth in (world.truth, *world.truth.also):
        world.truth = truth
        usual = trouble(world, truth.onset_age_s + 900.0)
        assert max(trouble(world, ago) for ago in (0.0, 60.0, 120.0)) > 1.2 * usual


@pytest.mark.parametrize("environment", ["dev", "staging"])
def test_incidents_can_happen_in_every_environment(environment: str) -> None:
    for name in catalog.incidents():
        world = DrivenWorld(name, 3, environment)
        assert world.truth is not None
        assert world.truth.environment == environment


def test_an_unknown_incident_is_refused_with_the_names() -> None:
    with pytest.raises(catalog.UnknownIncident, match="slow-query"):
        catalog.truth("nonsense", 1)


def test_a_flag_shows_which_variant_is_served() -> None:
    world = DrivenWorld("bad-flag", 1)
    assert world.truth is not None
    flag = world.running.site.flags[world.truth.object.removeprefix("flag/")]
    assert flag_body(flag, world.running.now())["defaultVariant"] == "on"


def test_without_an_incident_nothing_pages() -> None:
    for seed in (1, 2, 3):
        world = DrivenWorld(seed=seed)
        found = [a for a in alerts(world.running) if a["state"] == "firing"]
        assert [a for a in found if a["labels"]["severity"] == "page"] == []
