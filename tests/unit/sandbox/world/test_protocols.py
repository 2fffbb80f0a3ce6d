"""Loki, Jaeger, changes, flags and control over HTTP; hostile input never breaks anything."""

import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.fakes.world import RunningWorld, running_world

PEERS = ("kubernetes", "prometheus", "loki", "jaeger", "changes", "flags")


@pytest.fixture(scope="module")
def world() -> Iterator[RunningWorld]:
    with running_world("slow-query", seed=3) as found:
        yield found


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def loki(http: requests.Session, world: RunningWorld, query: str, **more: Any) -> Any:
    now = time.time()
    params = {"query": query, "start": int((now - 1200) * 1e9), "end": int(now * 1e9), **more}
    answer = http.get(f"{world.system('prod', 'loki')}/loki/api/v1/query_range", params=params)
    assert answer.ok, answer.text
    return answer.json()["data"]


def lines(data: Any) -> list[str]:
    return [value[1] for stream in data["result"] for value in stream["values"]]


def test_log_lines_are_selected_and_filtered(http: requests.Session, world: RunningWorld) -> None:
    every = lines(loki(http, world, '{service_name="inventory"}', limit=5000))
    slow = lines(
        loki(http, world, '{service_name="inventory"} |~ "slow query|exceeded"', limit=5000)
    )
    rest = lines(
        loki(http, world, '{service_name="inventory"} !~ "slow query|exceeded"', limit=5000)
    )
    assert slow
    assert len(slow) + len(rest) == pytest.approx(len(every), abs=3)
    assert all("slow query" in x or "exceeded" in x for x in slow)
    assert lines(loki(http, world, '{namespace="shop",level="error"} |= "zebra"')) == []


def test_log_lines_come_newest_first_up_to_the_limit(
    http: requests.Session, world: RunningWorld
) -> None:
    data = loki(http, world, '{service_name="storefront"}', limit=10)
    stamps = sorted((int(v[0]) for s in data["result"] for v in s["values"]), reverse=True)
    every = loki(http, world, '{service_name="storefront"}', limit=5000)
    newest = sorted((int(v[0]) for s in every["result"] for v in s["values"]), reverse=True)[:12]
    assert len(stamps) == 10
    assert len(set(stamps) & set(newest)) >= 8


def test_log_lines_are_counted(http: requests.Session, world: RunningWorld) -> None:
    promql = 'sum by (service_name) (count_over_time({namespace="shop"} |= "slow query" [5m]))'
    data = loki(http, world, promql, step=60)
    assert data["resultType"] == "matrix"
    assert "inventory" in {row["metric"]["service_name"] for row in data["result"]}
    at = http.get(f"{world.system('prod', 'loki')}/loki/api/v1/query", params={"query": promql})
    assert at.json()["data"]["resultType"] == "vector"


def test_loki_names_its_labels(http: requests.Session, world: RunningWorld) -> None:
    base = f"{world.system('prod', 'loki')}/loki/api/v1"
    assert "service_name" in http.get(f"{base}/labels").json()["data"]
    assert "checkout" in http.get(f"{base}/label/service_name/values").json()["data"]
    found = http.get(f"{base}/series", params={"match[]": '{service_name="cart"}'}).json()["data"]
    assert {row["service_name"] for row in found} == {"cart"}


def test_traces_are_trees_that_touch_the_service(
    http: requests.Session, world: RunningWorld
) -> None:
    base = f"{world.system('prod', 'jaeger')}/api"
    assert "checkout" in http.get(f"{base}/services").json()["data"]
    traces = http.get(f"{base}/traces", params={"service": "inventory", "limit": 10}).json()["data"]
    assert len(traces) == 10
    for trace in traces:
        ids = {s["spanID"] for s in trace["spans"]}
        roots = [s for s in trace["spans"] if not s["references"]]
        assert len(roots) == 1
        assert all(r["spanID"] in ids for s in trace["spans"] for r in s["references"])
        assert "inventory" in {p["serviceName"] for p in trace["processes"].values()}
    slowest = max(
        (s for t in traces for s in t["spans"] if not s["operationName"].endswith("handle")),
        key=lambda s: s["duration"],
    )
    assert slowest["duration"] > 100_000
    one = http.get(f"{base}/traces/{traces[0]['traceID']}").json()["data"]
    assert one[0]["traceID"] == traces[0]["traceID"]
    long = http.get(
        f"{base}/traces", params={"service": "inventory", "minDuration": "300ms", "limit": 5}
    ).json()["data"]
    assert all(max(s["duration"] for s in t["spans"]) >= 300_000 for t in long)
    edges = http.get(f"{base}/dependencies", params={"lookback": 3_600_000}).json()["data"]
    assert {"parent": "checkout", "child": "inventory"}.items() <= next(
        e for e in edges if e["child"] == "inventory"
    ).items()


def test_the_feed_tells_changes_of_a_window(http: requests.Session, world: RunningWorld) -> None:
    url = world.system("prod", "changes")
    every = http.get(url).json()["changes"]
    assert {c["kind"] for c in every} >= {"deploy", "commit", "config", "flag"}
    middle = every[len(every) // 2]["at"]
    later = http.get(url, params={"since": middle}).json()["changes"]
    assert 0 < len(later) < len(every)
    assert all(c["at"] >= middle for c in later)
    assert [c["at"] for c in every] == sorted(c["at"] for c in every)


def test_a_flag_changes_once_per_key_and_only_at_its_version(
    http: requests.Session, world: RunningWorld
) -> None:
    world.world.reset("dev")
    url = world.system("dev", "flags")
    flag = http.get(url).json()["flags"]["guest-carts"]
    other = "off" if flag["defaultVariant"] == "on" else "on"
    match, body = {"If-Match": f'"{flag["version"]}"'}, {"defaultVariant": other}
    put = f"{url}/guest-carts"
    assert http.put(put, json=body).status_code == 428
    assert http.put(put, json=body, headers={"If-Match": '"0"'}).status_code == 412
    assert http.put(put, json={"defaultVariant": "blue"}, headers=match).status_code == 422
    preview = http.put(put, json=body, headers=match, params={"dryRun": "All"})
    assert preview.json()["defaultVariant"] == other
    assert http.get(put).json()["defaultVariant"] == flag["defaultVariant"]
    keyed = match | {"Idempotency-Key": "x-1"}
    assert http.put(put, json=body, headers=keyed).json()["version"] != flag["version"]
    assert http.put(put, json=body, headers=keyed).status_code == 200  # again: nothing more
    back = {"defaultVariant": flag["defaultVariant"]}
    assert http.put(put, json=back, headers=keyed).status_code == 409
    actions = http.get(f"{world.url}/control/actions", params={"environment": "dev"}).json()
    assert [a["object"] for a in actions["actions"]] == ["flag/guest-carts"]


def test_an_incident_is_started_told_and_reset(http: requests.Session, world: RunningWorld) -> None:
    url = f"{world.url}/control"
    names = {i["name"] for i in http.get(f"{url}/incidents").json()["incidents"]}
    assert len(names) == 14
    body = {"incident": "bad-flag", "seed": 4, "environment": "staging"}
    started = http.post(f"{url}/incidents", json=body).json()
    assert started["cause"] == "bad_feature_flag"
    assert http.get(f"{url}/truth").json()["truth"]["staging"]["object"] == started["object"]
    assert http.post(f"{url}/reset", json={"environment": "staging"}).ok
    assert "staging" not in http.get(f"{url}/truth").json()["truth"]
    assert "prod" in http.get(f"{url}/truth").json()["truth"]
    assert http.get(f"{url}/clock").json()["rate"] == pytest.approx(1.0)
    for wrong in ({"incident": "x"}, {"incident": "bad-flag", "seed": -1}, [], {"seed": 1},
                  {"incident": "bad-flag", "environment": "moon"}):  # fmt: skip
        assert http.post(f"{url}/incidents", json=wrong).status_code in (400, 404)


HOSTILE = (
    "'", '"', "{", "}", "((((", "[" * 500, "(" * 5000, "-" * 4000 + "1", "a" * 20_000,
    "\x00", "%00",
    "🔥", "1e400", "-1", "0", "NaN", "null", "true", "../../etc/passwd", '{a=~"(a+)+$"}',
    '{a=~"' + "x*" * 40 + '"}', "up[1000y]", "up offset 900y", "sum(sum(sum(up)))", "up[0s]",
    "rate(up[1ms])", "max_over_time(up[100d:1s])", "up @ 1e300", "up @ -5", "9" * 400, "up^up^up",
    "{__name__=~'.+'}", "rate({__name__=~'.+'}[1d])", "topk(1e18, up)", "topk(NaN, up)",
    "quantile(-1, up)", "label_replace(up, 'a', '${99}', 'pod', '(.*)')",
    "histogram_quantile(2, up)",
    "label_replace(up, 'a', '$1', 'pod', '(')", '{namespace="shop"} | json', '{namespace=""}',
    'count_over_time({namespace="shop"}[1y])', '{namespace="shop"} |~ "("', "sum(rate({}[5m]))",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_queries_are_answered_not_crashed_on(
    http: requests.Session, world: RunningWorld, text: str
) -> None:
    prometheus = f"{world.system('dev', 'prometheus')}/api/v1"
    logs = f"{world.system('dev', 'loki')}/loki/api/v1"
    now = int(time.time())
    asks = (
        (f"{prometheus}/query", {"query": text}),
        (f"{prometheus}/query_range", {"query": text, "start": now - 300, "end": now, "step": 60}),
        (f"{prometheus}/query", {"query": "up", "time": text}),
        (f"{prometheus}/query_range", {"query": "up", "start": text, "end": now, "step": text}),
        (f"{prometheus}/series", {"match[]": text}),
        (f"{logs}/query_range", {"query": text, "start": (now - 300) * 10**9}),
        (f"{logs}/query_range", {"query": '{app="cart"}', "start": text, "limit": text}),
        (f"{logs}/series", {"match[]": text}),
        (f"{world.system('dev', 'jaeger')}/api/traces", {"service": text, "tags": text}),
        (f"{world.system('dev', 'jaeger')}/api/traces",
         {"service": "cart", "limit": text, "start": text, "minDuration": text}),
        (f"{world.system('dev', 'changes')}", {"since": text, "until": text}),
        (f"{world.system('dev', 'kubernetes')}/api/v1/namespaces/shop/pods",
         {"labelSelector": text, "fieldSelector": text, "limit": text, "continue": text}),
    )  # fmt: skip
    for url, params in asks:
        started = time.monotonic()
        short = {k: str(v)[:9000] for k, v in params.items()}
        answer = http.get(url, params=short)
        assert answer.status_code < 500, (url, text[:60], answer.text[:300])
        assert time.monotonic() - started < 5.0, (url, text[:60])


def test_hostile_bodies_and_paths_are_answered(http: requests.Session, world: RunningWorld) -> None:
    draw = random.Random(11)
    bodies: list[Any] = [
        b"", b"{", b"\xff\xfe", b"[]", b"null", b"1", b'"x"', b"[" * 100_000, b'{"spec": null}',
        b'{"spec": {"replicas": "3"}}', b'{"spec": {"template": null}}', b'{"metadata": []}',
        b'{"spec": {"template": {"spec": {"containers": [null]}}}}', b'{"data": {"a": 1}}',
        b'[{"op": "replace", "path": "/spec/replicas", "value": {}}]',
        b'[{"op": "move", "from": "/spec", "path": "/spec/template"}]',
        b'[{"op": "x", "path": ""}]',
        b'[{"op": "add", "path": "/spec/template/spec/containers/99", "value": 1}]',
        b'{"metadata": {"annotations": {"a": {"b": 1}}}}', b'{"kind": "Pod"}',
        b'{"metadata": {"name": "other"}}', b'{"spec": {"replicas": 1e30}}',
    ]  # fmt: skip
    kinds = ("application/json-patch+json", "application/merge-patch+json",
             "application/strategic-merge-patch+json", "text/plain", "")  # fmt: skip
    base = world.system("dev", "kubernetes")
    paths = ("apis/apps/v1/namespaces/shop/deployments/cart",
             "api/v1/namespaces/shop/pods/x/eviction",
             "apis/apps/v1/namespaces/shop/deployments/cart/scale", "api/v1/nodes/dev-worker-1",
             "api/v1/namespaces/shop/configmaps/cart-config",
             "api/v1/namespaces/shop/services/cart",
             "apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "api", "apis/x/y/z", "..",
             "api/v1/namespaces/shop/secrets/x",
             "api/v1/namespaces/kube-system/pods/x")  # fmt: skip
    for path in paths:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            for body in draw.sample(bodies, 8):
                answer = http.request(
                    method, f"{base}/{path}", data=body,
                    headers={"content-type": draw.choice(kinds)},
                    params=draw.choice(({}, {"dryRun": "All"}, {"dryRun": "Some"})),
                )  # fmt: skip
                assert answer.status_code < 500, (method, path, body[:60], answer.text[:300])
    for body in bodies:
        for url in (f"{world.system('dev', 'flags')}/guest-carts", f"{world.url}/control/reset"):
            method = "PUT" if "flags" in url else "POST"
            answer = http.request(method, url, data=body, headers={"If-Match": "*"})
            assert answer.status_code < 500, (url, body[:60])
    for system in PEERS:
        assert http.get(f"{world.url}/world/moon/{system}/x").status_code in (400, 404)


def test_many_ask_at_once_and_all_get_the_same(world: RunningWorld) -> None:
    from concurrent.futures import ThreadPoolExecutor

    url = f"{world.system('prod', 'prometheus')}/api/v1/query"
    at = time.time() - 60

    def ask(_: int) -> str:
        params = {"query": "sort(sum by (service_name) (rate("
                  "http_server_request_duration_seconds_count[2m])))", "time": str(at)}  # fmt: skip
        return requests.get(url, params=params, timeout=20).text

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(16)))) == 1
