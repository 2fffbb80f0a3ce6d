"""What every client makes of refusals, nonsense, slowness and size; never a credential in words."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from kubernetes.config import ConfigException
from prometheus_api_client import PrometheusConnect

from bot.domain.environment import Environment, Tier
from bot.domain.errors import (
    Conflict,
    Malformed,
    NotConfigured,
    Refused,
    SreBotError,
    Unavailable,
    UnknownName,
)
from bot.domain.time import Window
from tests.fakes.loopback import Asked, Reply, loopback
from tools.clients import http as http_client
from tools.clients import kubernetes as kubernetes_client
from tools.clients.changes import ChangeFeed
from tools.clients.http import HttpSource
from tools.clients.kubernetes import Kubernetes
from tools.clients.loki import Loki
from tools.clients.prometheus import Prometheus
from tools.clients.settings import public_url

WINDOW = Window.last(600, before=datetime(2026, 1, 1, 12, tzinfo=UTC))
SYSTEMS = ("kubernetes", "prometheus", "loki", "jaeger", "changes", "flags")


def environment(url: str, **more: Any) -> Environment:
    return Environment(
        name="prod",
        tier=Tier.PRODUCTION,
        namespaces=("shop",),
        connections={system: {"url": url, **more} for system in SYSTEMS},
    )


async def read_kubernetes(env: Environment, timeout_s: float = 10.0) -> Any:
    return await Kubernetes(env, timeout_s=timeout_s).list("Pod", "shop")


async def read_prometheus(env: Environment, timeout_s: float = 10.0) -> Any:
    client = Prometheus.of(env, timeout_s=timeout_s)
    assert client
    return await client.range("up", WINDOW, 15)


async def read_alerts(env: Environment, timeout_s: float = 10.0) -> Any:
    client = Prometheus.of(env, timeout_s=timeout_s)
    assert client
    return await client.alerts()


async def read_loki(env: Environment, timeout_s: float = 10.0) -> Any:
    client = Loki.of(env, timeout_s=timeout_s)
    assert client
    return await client.lines("{}", WINDOW)


async def read_changes(env: Environment, timeout_s: float = 10.0) -> Any:
    client = ChangeFeed.of(env, timeout_s=timeout_s)
    assert client
    return await client.between(None, None)


READS = [read_kubernetes, read_prometheus, read_alerts, read_loki, read_changes]


async def failure_of(read: Callable[[Environment], Any], reply: Reply, **more: Any) -> SreBotError:
    with loopback(lambda _: reply) as server, pytest.raises(SreBotError) as raised:
        await read(environment(server.url, **more))
    return raised.value


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=500, body=b"oops"), Unavailable),
        (Reply(status=503, headers={"Retry-After": "7"}), Unavailable),
        (Reply(status=429), Unavailable),
        (Reply(status=401), Refused),
        (Reply(status=403), Refused),
        (Reply(status=400, body=b'{"status":"error","error":"parse error"}'), Malformed),
        (Reply(body=b"<html>login</html>"), Malformed),
        (Reply(body=b"[1, 2]"), Malformed),
        (Reply(body=b'{"items": 3, "data": {"result": 3, "alerts": 3}, "changes": 3}'), Malformed),
        (
            Reply(body=b'{"items": [3], "data": {"result": [3], "alerts": [3]}, "changes": [3]}'),
            Malformed,
        ),
        (Reply(drop=True), Unavailable),
    ],
)
async def test_every_failure_is_sorted_by_what_to_do(
    read: Callable[[Environment], Any], reply: Reply, error: type[SreBotError]
) -> None:
    assert type(await failure_of(read, reply)) is error


@pytest.mark.parametrize("read", READS)
async def test_a_slow_system_is_given_up(read: Callable[[Environment, float], Any]) -> None:
    import threading

    done = threading.Event()

    def stall(_: Asked) -> Reply:
        done.wait(2.0)
        return Reply(drop=True)

    with loopback(stall) as server:
        with pytest.raises(Unavailable, match=r"timed out after 0\.5 s"):
            await read(environment(server.url), 0.5)
        done.set()


@pytest.mark.parametrize("read", READS)
async def test_nobody_listening_is_unavailable(read: Callable[[Environment], Any]) -> None:
    with pytest.raises(Unavailable, match="no connection"):
        await read(environment("http://127.0.0.1:9"))


@pytest.mark.parametrize("read", READS)
async def test_credentials_are_in_no_error(
    read: Callable[[Environment], Any], tmp_path: Any
) -> None:
    token = tmp_path / "token"
    token.write_text("tok-s3cr3t\n")
    for reply in (Reply(status=500, body=b"tok-s3cr3t"), Reply(drop=True)):
        with loopback(lambda _, reply=reply: reply) as server:
            url = server.url.replace("//", "//user:hunter22@")
            with pytest.raises(SreBotError) as raised:
                await read(environment(url, token_file=str(token)))
            assert "hunter22" not in str(raised.value)
    with loopback(lambda _: Reply(body=b"{}")) as server:
        with pytest.raises(SreBotError):
            await read(environment(server.url, token_file=str(token)))
        assert server.asked[0].headers["Authorization"] == "Bearer tok-s3cr3t"


@pytest.mark.parametrize("system", SYSTEMS[1:])
@pytest.mark.parametrize("url", ["", "ftp://x", 3, None, "prometheus:9090"])
def test_a_wrong_url_says_which_setting(system: str, url: Any) -> None:
    with pytest.raises(NotConfigured, match=rf"connections\.{system}\.url"):
        HttpSource.of(environment(url), system, timeout_s=1)


def test_an_unreadable_token_says_which_setting() -> None:
    with pytest.raises(NotConfigured, match=r"connections\.loki\.token_file"):
        Loki.of(environment("http://127.0.0.1:9", token_file="/nowhere/token"))


async def test_an_answer_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes_client, "MAX_BYTES", 1000)
    huge = Reply(body=b'{"items": [' + b" " * 600_000 + b"]}")
    assert type(await failure_of(read_kubernetes, huge)) is Malformed
    source = HttpSource("flags", "http://127.0.0.1:9", token=None, timeout_s=1)
    source.session = http_client.BoundedSession(total_s=1, max_bytes=1000)
    with loopback(lambda _: huge) as server:
        source.url = server.url
        with pytest.raises(Malformed, match="too large"):
            await source.get("")


async def test_conflicts_are_conflicts() -> None:
    for status in (409, 412):
        with loopback(lambda _, status=status: Reply(status=status)) as server:
            source = HttpSource("flags", server.url, token=None, timeout_s=1)
            with pytest.raises(Conflict):
                await source.send("PUT", "/x", body={})


async def test_redirects_are_not_followed() -> None:
    to = Reply(status=302, headers={"Location": "http://169.254.169.254/"})
    assert type(await failure_of(read_loki, to)) is Malformed


def test_public_urls_hold_no_credentials() -> None:
    assert public_url("https://u:p@prom.example:9090/x?token=1#f") == "https://prom.example:9090/x"
    assert public_url("http://[::1]:9090") == "http://[::1]:9090"


class Pages:
    """A Kubernetes API of one kind, in pages."""

    def __init__(self, pages: int, groups: list[dict[str, Any]] | None = None) -> None:
        self.pages, self.groups = pages, groups

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/apis":
            return Reply(status=404) if self.groups is None else Reply(body={"groups": self.groups})
        page = int(asked.query.get("continue") or 0)
        item = {"metadata": {"name": f"p{page}"}}
        more = {"continue": str(page + 1)} if page + 1 < self.pages else {}
        return Reply(body={"metadata": {**more, "remainingItemCount": 5}, "items": [item]})


async def test_lists_are_read_page_by_page() -> None:
    with loopback(Pages(3)) as server:
        found = await Kubernetes(environment(server.url)).list("Pod", "shop")
    assert [item["metadata"]["name"] for item in found.items] == ["p0", "p1", "p2"]
    assert found.items[0]["kind"] == "Pod"
    assert found.more == 0


async def test_a_limit_says_that_there_is_more() -> None:
    with loopback(Pages(9)) as server:
        found = await Kubernetes(environment(server.url)).list("Pod", "shop", limit=2)
    assert (len(found.items), found.more) == (2, 5)


@pytest.mark.parametrize(
    ("served", "path"),
    [
        ([{"name": "policy", "versions": [{"version": "v1beta1"}]}], "policy/v1beta1"),
        (
            [{"name": "policy", "versions": [{"version": "v1"}, {"version": "v1beta1"}]}],
            "policy/v1",
        ),
        (None, "policy/v1"),
    ],
)
async def test_the_api_version_is_chosen_by_discovery(served: Any, path: str) -> None:
    with loopback(Pages(1, served)) as server:
        client = Kubernetes(environment(server.url))
        await client.list("PodDisruptionBudget", "shop")
        assert server.asked[-1].path == f"/apis/{path}/namespaces/shop/poddisruptionbudgets"


async def test_kinds_that_are_not_served_are_unknown_names() -> None:
    with loopback(Pages(1, [])) as server:
        client = Kubernetes(environment(server.url))
        assert not await client.serves("Certificate")
        assert await client.serves("Pod")
    with (
        loopback(Pages(1, [{"name": "x", "versions": []}])) as server,
        pytest.raises(UnknownName, match="Deployment"),
    ):
        await Kubernetes(environment(server.url)).list("Deployment", "shop")


async def test_secrets_are_never_asked_for() -> None:
    with loopback(Pages(1)) as server:
        with pytest.raises(Refused, match="secrets are never read"):
            await Kubernetes(environment(server.url)).list("Secret", "shop")
        assert server.asked == []


async def test_a_kubeconfig_that_is_none_says_so(tmp_path: Any) -> None:
    broken = tmp_path / "config"
    broken.write_text("nonsense: [")
    for settings in (
        {"kubeconfig": str(tmp_path / "nowhere"), "context": "x"},
        {"kubeconfig": str(broken)},
        {"url": "not a url"},
        {},
    ):
        env = Environment(
            name="prod",
            tier=Tier.PRODUCTION,
            namespaces=("shop",),
            connections={"kubernetes": settings},
        )
        with pytest.raises(NotConfigured, match=r"connections\.kubernetes"):
            await Kubernetes(env).version()


async def test_twenty_five_queries_run_at_the_same_time() -> None:
    import threading

    together = threading.Barrier(12, timeout=3.0)

    def answer(_: Asked) -> Reply:
        together.wait()
        return Reply(body={"status": "success", "data": {"resultType": "matrix", "result": []}})

    with loopback(answer) as server:
        client = Prometheus.of(environment(server.url))
        assert client
        await asyncio.gather(*(client.range("up", WINDOW, 15) for _ in range(24)))
        assert len(server.asked) == 24


def test_a_vendors_client_leaves_the_adapters_of_its_session_alone():
    session = http_client.BoundedSession(total_s=1)
    own = dict(session.adapters)

    PrometheusConnect(url="http://127.0.0.1:9", session=session)  # while other threads look in them

    assert dict(session.adapters) == own
    assert session.get_adapter("http://127.0.0.1:9").max_retries.total == 0


async def test_the_first_questions_to_a_cluster_share_one_client_and_its_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect, made, asked_for = kubernetes_client.connect, [], []

    def slowly(env: Environment) -> Any:
        time.sleep(0.05)
        made.append(client := connect(env))
        client.configuration.api_key["BearerToken"] = "Bearer stale"
        client.configuration.refresh_api_key_hook = refresh
        return client

    def refresh(configuration: Any) -> None:
        if configuration.api_key.get("BearerToken") != "Bearer fresh":
            asked_for.append("token")
            time.sleep(0.05)
            configuration.api_key["BearerToken"] = "Bearer fresh"

    monkeypatch.setattr(kubernetes_client, "connect", slowly)
    with loopback(lambda _: Reply(body={"gitVersion": "v1.34.1"})) as server:
        cluster = Kubernetes(environment(server.url))
        assert await asyncio.gather(*(cluster.version() for _ in range(8))) == ["v1.34.1"] * 8
        assert {a.headers["authorization"] for a in server.asked} == {"Bearer fresh"}
    assert (len(made), asked_for) == (1, ["token"])


async def test_credentials_that_cannot_be_had_are_told_as_such(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect = kubernetes_client.connect

    def refresh(_: Any) -> None:
        raise ConfigException("exec: process returned 1: token=hunter2")

    def connected(env: Environment) -> Any:
        client = connect(env)
        client.configuration.api_key["BearerToken"] = "Bearer stale"
        client.configuration.refresh_api_key_hook = refresh
        return client

    monkeypatch.setattr(kubernetes_client, "connect", connected)
    with pytest.raises(Unavailable, match="no credentials") as told:
        await Kubernetes(environment("http://127.0.0.1:9")).version()
    assert "hunter2" not in str(told.value)
