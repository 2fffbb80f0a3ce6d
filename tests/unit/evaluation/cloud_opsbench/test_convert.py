"""The converter, on a case folder made by hand."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import Malformed
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import KubernetesObject
from bot.evaluation.benchmark import Options
from bot.evaluation.cloud_opsbench.benchmark import cases_in, evaluate
from bot.evaluation.cloud_opsbench.convert import convert, is_folder, load_any, load_snapshot
from bot.perception.case import load_case, save_case

DEPLOYMENT = """\
Name:                   cart
Namespace:              shop
Selector:               app=cart
Replicas:               0 desired | 0 updated | 0 total | 0 available | 0 unavailable
Pod Template:
  Labels:  app=cart
  Containers:
   app:
    Image:  registry.example.com/cart:v1
    Environment:
      DB_PASSWORD:  swordfish
      DB_HOST:      db
Events:          <none>
"""
SERVICE = (
    "Name: cart\nNamespace: shop\nSelector: app=cart\nPort: http 80/TCP\nTargetPort: 8080/TCP\n"
)
ENDPOINTS = "Name: cart\nNamespace: shop\nSubsets:\nEvents:  <none>\n"
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  template:
    spec:
      affinity: {podAntiAffinity: {}}
      imagePullSecrets: [{name: regcred}]
      containers: [{name: app}]
"""


def key(function: str, **arguments: Any) -> str:
    return f"{function}:{json.dumps(arguments, separators=(',', ':'))}"


def described(kind: str, name: str) -> str:
    return key("DescribeResource", resource_type=kind, name=name, namespace="shop")


def variables(workload: KubernetesObject) -> dict[str, str]:
    container = workload.body["spec"]["template"]["spec"]["containers"][0]
    return {variable["name"]: variable["value"] for variable in container["env"]}


def folder(directory: Path, **more: Any) -> Path:
    cache = {
        "collection_timestamp": "2026-01-02T11:04:00",
        described("deployments", "cart"): DEPLOYMENT,
        described("services", "cart"): SERVICE,
        described("endpoints", "cart"): ENDPOINTS,
        "DescribeResource-malformed-key": "Name: x",
        key("GetAppYAML", app_name="cart"): MANIFEST,
        key("GetServiceDependencies", service_name="cart"): (
            "[Service]: cart\n[Upstream (Called By)]: web, checkout\n"
            "[Downstream (Calls)]:\ncart\n└── db\n    └── disk\n"
        ),
        key("CheckServiceConnectivity", service_name="cart", port=80): "Connection Failed",
        key("CheckNodeServiceStatus", node_name="w1", service_name="kubelet"): (
            "Service: kubelet\nStatus:\n Active: inactive (dead) since today\n"
        ),
        key("GetErrorLogs", service_name="web"): {
            "patterns": [{"count": 7, "sample": "call of cart failed: password=swordfish"}]
        },
        **more,
    }
    directory.mkdir(parents=True)
    (directory / "tool_cache.json").write_text(json.dumps(cache))
    result = {"root_cause": "deployment_zero_replicas", "fault_object": "app/cart"}
    metadata = {"query": "Why is cart down?", "result": result, "process": {"path1": ["x"]}}
    (directory / "metadata.json").write_text(json.dumps(metadata))
    (directory / "raw_data").mkdir()
    return directory


def test_kubectl_texts_become_objects_and_checks_become_facts(tmp_path: Path) -> None:
    found = load_snapshot(folder(tmp_path / "a"))
    deployment = found.find("Deployment", "cart")
    assert deployment is not None
    assert deployment.body["spec"]["replicas"] == 0
    assert found.now.isoformat() == "2026-01-02T11:04:00+08:00"
    assert {(e.caller, e.callee) for e in found.edges} == {
        ("web", "cart"), ("checkout", "cart"), ("cart", "db"), ("db", "disk"),
    }  # fmt: skip
    assert [(p.target, p.port, p.ok) for p in found.probes] == [("cart", 80, False)]
    assert [(c.node, c.running) for c in found.components] == [("w1", False)]
    assert found.logs[0].count == 7


def test_what_describe_leaves_out_comes_from_the_manifest(tmp_path: Path) -> None:
    deployment = load_snapshot(folder(tmp_path / "a")).find("Deployment", "cart")
    assert deployment is not None
    spec = deployment.body["spec"]["template"]["spec"]
    assert spec["imagePullSecrets"] == [{"name": "regcred"}]
    assert "affinity" in spec


def test_passwords_become_hashes_that_still_differ(tmp_path: Path) -> None:
    other = DEPLOYMENT.replace("cart", "pay").replace("swordfish", "tuna")
    more = {described("deployments", "pay"): other}
    found = load_snapshot(folder(tmp_path / "a", **more))
    values = {o.name: variables(o) for o in found.kind("Deployment")}
    assert values["cart"]["DB_PASSWORD"].startswith("hash:")
    assert values["cart"]["DB_PASSWORD"] != values["pay"]["DB_PASSWORD"]
    assert values["cart"]["DB_HOST"] == "db"
    assert "swordfish" not in repr(found)


def test_kubectl_outputs_by_command_are_read_too(tmp_path: Path) -> None:
    directory = folder(tmp_path / "a")
    states = {
        "kubectl get pods -n shop -o wide": (
            "NAME    READY   STATUS    RESTARTS   AGE   IP        NODE\n"
            "web-1   1/1     Running   0          2m    1.2.3.4   w1\n"
        ),
        "kubectl describe services db -n shop": SERVICE.replace("cart", "db"),
    }
    (directory / "raw_data" / "k8s_states.json").write_text(json.dumps(states))
    found = load_snapshot(directory)
    assert found.find("Pod", "web-1") is not None
    assert found.find("Service", "db") is not None


async def test_a_folder_is_a_case_like_any_other(tmp_path: Path) -> None:
    case = load_any(folder(tmp_path / "a"))
    need = Need(fact=Fact.OBJECTS, window=case.window)
    assert (await case.collect([need])).find("Service", "cart") is not None
    save_case(tmp_path / "saved", case, redact=lambda text: text)
    assert load_case(tmp_path / "saved").snapshot() == case.snapshot()
    assert load_any(tmp_path / "saved").snapshot() == case.snapshot()


def test_path_query_and_truth_change_nothing_of_the_facts(tmp_path: Path) -> None:
    first = folder(tmp_path / "boutique" / "scheduling" / "1")
    second = tmp_path / "renamed"
    shutil.copytree(first, second)
    (second / "metadata.json").write_text("{}")
    (second / "raw_data").rmdir()
    assert convert(first).snapshot() == convert(second).snapshot()


@pytest.mark.parametrize("text", ["{", "[]", "null", "", '{"a": 1}x', "[" * 100_000])
def test_a_damaged_cache_is_said(tmp_path: Path, text: str) -> None:
    directory = folder(tmp_path / "a")
    (directory / "tool_cache.json").write_text(text)
    with pytest.raises(Malformed):
        load_any(directory)


def test_a_folder_of_neither_kind_is_said(tmp_path: Path) -> None:
    assert not is_folder(tmp_path)
    with pytest.raises(Malformed, match="neither"):
        load_any(tmp_path)


def test_strange_answers_are_survived(tmp_path: Path) -> None:
    more: dict[str, Any] = {
        described("pods", "x"): 17,
        key("GetAppYAML", app_name="x"): "a: [",
        key("GetErrorLogs", service_name="x"): {"patterns": [None, {"sample": 3}]},
        key("CheckServiceConnectivity", service_name="x", port="http"): {"a": 1},
        key("GetAlerts"): [],
        "GetResources:[]": "x",
    }
    load_snapshot(folder(tmp_path / "a", **more))


def test_the_score_counts_the_exact_answer_and_is_the_same_twice(tmp_path: Path) -> None:
    folder(tmp_path / "shop" / "runtime" / "1")
    assert len(cases_in(tmp_path)) == 1
    first = evaluate(tmp_path, Options(failures=True))
    second = evaluate(tmp_path, Options(failures=True))
    assert (first["cases"], first["top1"], first["failures"]) == (1, 1.0, [])
    assert first["by_system"] == {"shop": {"cases": 1, "top1": 1.0, "top3": 1.0}}
    first.pop("timings"), second.pop("timings")
    assert first == second


def test_an_empty_folder_has_no_score(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="no case"):
        evaluate(tmp_path, Options())
