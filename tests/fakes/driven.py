"""The sandbox's production without a port and with a clock that the test moves."""

import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import numpy as np
from starlette.requests import Request

from bot.sandbox.world import catalog
from bot.sandbox.world.flags import one as flag_endpoint
from bot.sandbox.world.kubernetes.api import _handle
from bot.sandbox.world.prometheus.api import evaluate
from bot.sandbox.world.running import Running, World
from bot.sandbox.world.serving import Asked
from bot.sandbox.world.truth import Truth

START = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
P99 = (
    "histogram_quantile(0.99, sum by (le) "
    '(rate(http_server_request_duration_seconds_bucket{{service_name="{0}"}}[{1}])))'
)
ERRORS = (
    "(sum(rate(http_server_request_duration_seconds_count"
    '{{service_name="{0}",http_response_status_code=~"5.."}}[{1}])) or vector(0))'
    ' / sum(rate(http_server_request_duration_seconds_count{{service_name="{0}"}}[{1}]))'
)


class MovedClock:
    """A clock that stands until it is moved."""

    def __init__(self, start: datetime = START) -> None:
        self.at = start

    def now(self) -> datetime:
        return self.at

    def wall_seconds(self, seconds: float) -> float:
        return 0.0


class DrivenWorld:
    """One environment of a world, driven by function calls."""

    def __init__(
        self, incident: str | None = None, seed: int = 1, environment: str = "prod"
    ) -> None:
        self.clock = MovedClock()
        self.world = World(self.clock, seed)
        self.environment = environment
        self.truth: Truth | None = None
        if incident is not None:
            self.truth = catalog.start(self.world, incident, seed, environment)

    @property
    def running(self) -> Running:
        found = self.world.running(self.environment)
        assert found is not None
        return found

    def advance(self, seconds: float) -> None:
        self.clock.at += timedelta(seconds=seconds)

    def value(self, promql: str, ago: float = 0.0) -> float:
        found = evaluate(self.running, promql, np.array([self.running.now() - ago]))
        values = found.values.ravel()[found.present.ravel()]
        return float(values[0]) if len(values) else float("nan")

    def p99(self, service: str, ago: float = 0.0, span: str = "1m") -> float:
        return self.value(P99.format(service, span), ago)

    def errors(self, service: str, ago: float = 0.0, span: str = "1m") -> float:
        return self.value(ERRORS.format(service, span), ago)

    def kubernetes(self, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
        kind = "application/json"
        if method == "PATCH":
            kind = f"application/{'json' if isinstance(body, list) else 'merge'}-patch+json"
        kind = query.pop("content_type", kind)
        headers = {"content-type": kind}
        token = query.pop("token", "")
        if token:
            headers["authorization"] = f"Bearer {token}"
        asked = asked_of(method, {"path": path.strip("/")}, body, headers=headers, query=query)
        response = _handle(self.running, asked)
        text = bytes(response.body).decode()
        is_json = response.media_type == "application/json"
        return response.status_code, json.loads(text) if is_json else text

    def do(self, repair: Mapping[str, Any]) -> None:
        """Carry out a call of the catalogue the way the real tools do."""
        arguments = dict(repair["arguments"])
        DOERS[repair["action"]](self, arguments)


def asked_of(
    method: str,
    path: Mapping[str, str],
    body: Any = None,
    *,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> Asked:
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    scope = {
        "type": "http", "method": method, "path": "/", "path_params": dict(path),
        "query_string": urlencode(query or {}).encode(),
        "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
    }  # fmt: skip
    return Asked(Request(scope), raw)


APPS = "apis/apps/v1/namespaces/shop"


def _rollback(world: DrivenWorld, arguments: Mapping[str, Any]) -> None:
    _, sets = world.kubernetes("GET", f"{APPS}/replicasets")
    wanted = next(
        r
        for r in sets["items"]
        if r["metadata"]["ownerReferences"][0]["name"] == arguments["name"]
        and r["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
        == str(arguments["to_revision"])
    )
    template = copy.deepcopy(wanted["spec"]["template"])
    template["metadata"]["labels"].pop("pod-template-hash")
    patch = [{"op": "replace", "path": "/spec/template", "value": template}]
    _ok(world.kubernetes("PATCH", f"{APPS}/deployments/{arguments['name']}", patch))


def _restart(world: DrivenWorld, arguments: Mapping[str, Any]) -> None:
    stamp = {"kubectl.kubernetes.io/restartedAt": world.clock.now().isoformat()}
    patch = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
    _ok(world.kubernetes("PATCH", f"{APPS}/deployments/{arguments['name']}", patch))


def _restart_pod(world: DrivenWorld, arguments: Mapping[str, Any]) -> None:
    _ok(world.kubernetes("DELETE", f"api/v1/namespaces/shop/pods/{arguments['name']}"))


def _scale(world: DrivenWorld, arguments: Mapping[str, Any]) -> None:
    patch = {"spec": {"replicas": arguments["replicas"]}}
    _ok(world.kubernetes("PATCH", f"{APPS}/deployments/{arguments['name']}/scale", patch))


def _revert(world: DrivenWorld, arguments: Mapping[str, Any]) -> None:
    path = f"api/v1/namespaces/shop/configmaps/{arguments['name']}"
    _ok(world.kubernetes("PATCH", path, {"data": arguments["data"]}))
    if arguments["restart"]:
        _restart(world, {"name": arguments["restart"]})


def _set_flag(world: DrivenWorld, arguments: Mapping[str, Any]) -> None:
    body = {"defaultVariant": arguments["variant"]}
    asked = asked_of("PUT", {"name": arguments["flag"]}, body, headers={"if-match": "*"})
    assert flag_endpoint(world.running, asked).status_code == 200


def _ok(answered: tuple[int, Any]) -> None:
    assert answered[0] in (200, 201), answered


DOERS = {
    "rollback_deployment": _rollback,
    "restart_deployment": _restart,
    "restart_pod": _restart_pod,
    "scale_deployment": _scale,
    "revert_config": _revert,
    "set_flag": _set_flag,
}
