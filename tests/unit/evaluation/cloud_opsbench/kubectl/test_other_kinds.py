"""Nodes, services, storage, policies, tables and events, read back from kubectl's text."""

# ruff: noqa: E501, W291 - texts exactly as kubectl prints them

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.errors import Malformed
from bot.domain.snapshot import KubernetesObject
from bot.evaluation.cloud_opsbench.kubectl.objects import Command, kind_of, parse

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def described(kind: str, text: str) -> dict[str, Any]:
    command = Command(verb="describe", kind=kind, name="x", namespace="shop")
    return dict(parse(command, text, NOW)[0].body)


def listed(kind: str, text: str) -> list[KubernetesObject]:
    return list(parse(Command(verb="get", kind=kind, name="", namespace="shop"), text, NOW))


def test_a_node_has_taints_conditions_capacity_and_what_is_requested() -> None:
    text = """\
Name:               worker-1
Roles:              <none>
Labels:             disk=ssd
                    kubernetes.io/hostname=worker-1
CreationTimestamp:  Mon, 11 Aug 2025 15:48:43 +0800
Taints:             dedicated=batch:NoSchedule
                    node.kubernetes.io/unschedulable:NoSchedule
Unschedulable:      true
Conditions:
  Type           Status  LastHeartbeatTime                 LastTransitionTime                Reason        Message
  ----           ------  -----------------                 ------------------                ------        -------
  DiskPressure   True    Fri, 28 Nov 2025 15:32:29 +0800   Mon, 11 Aug 2025 15:48:43 +0800   HasPressure   disk is full
Capacity:
  cpu:     8
Allocatable:
  cpu:     7500m
  memory:  15671356Ki
Non-terminated Pods:          (7 in total)
Allocated resources:
  (Total limits may be over 100 percent, i.e., overcommitted.)
  Resource           Requests    Limits
  --------           --------    ------
  cpu                425m (5%)   0 (0%)
  memory             667Mi (4%)  0 (0%)
Events:              <none>
"""
    body = described("Node", text)
    assert body["spec"]["unschedulable"] is True
    assert body["spec"]["taints"][0] == {
        "key": "dedicated",
        "value": "batch",
        "effect": "NoSchedule",
    }
    condition = body["status"]["conditions"][0]
    assert (condition["type"], condition["message"]) == ("DiskPressure", "disk is full")
    assert body["status"]["allocatable"]["cpu"] == "7500m"
    assert body["requested"] == {"cpu": "425m", "memory": "667Mi", "pods": "7"}


def test_a_service_keeps_its_ports_apart() -> None:
    text = """\
Name:              cart
Namespace:         shop
Selector:          app=cart,tier=web
Type:              NodePort
IP:                10.0.0.9
Port:              http  80/TCP
TargetPort:        8080/TCP
NodePort:          http  30080/TCP
Endpoints:         172.16.0.1:8080
Port:              <unset>  53/UDP
TargetPort:        dns/UDP
Endpoints:         <none>
"""
    spec = described("Service", text)["spec"]
    assert spec["selector"] == {"app": "cart", "tier": "web"}
    assert spec["ports"] == [
        {"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080, "nodePort": 30080},
        {"port": 53, "protocol": "UDP", "targetPort": "dns"},
    ]


def test_endpoints_tell_ready_from_not_ready() -> None:
    text = """\
Name:         cart
Namespace:    shop
Subsets:
  Addresses:          172.16.0.1,172.16.0.2
  NotReadyAddresses:  172.16.0.3
  Ports:
    Name  Port  Protocol
    ----  ----  --------
    grpc  9555  TCP

Events:  <none>
"""
    subset = described("Endpoints", text)["subsets"][0]
    assert len(subset["addresses"]) == 2
    assert subset["notReadyAddresses"] == [{"ip": "172.16.0.3"}]
    assert subset["ports"] == [{"port": 9555, "protocol": "TCP", "name": "grpc"}]
    assert described("Endpoints", "Name: cart\nSubsets:\nEvents:  <none>\n")["subsets"] == []


def test_an_ingress_has_hosts_paths_and_backends() -> None:
    text = """\
Name:             front
Namespace:        shop
Ingress Class:    nginx
Default backend:  <default>
Rules:
  Host        Path  Backends
  ----        ----  --------
  shop.test   
              /     web:80 (172.16.0.1:8080)
              /api  api:http (<none>)
"""
    spec = described("Ingress", text)["spec"]
    assert spec["ingressClassName"] == "nginx"
    paths = spec["rules"][0]["http"]["paths"]
    assert paths[0]["backend"]["service"] == {"name": "web", "port": {"number": 80}}
    assert paths[1]["backend"]["service"]["port"] == {"name": "http"}


def test_a_network_policy_tells_isolation_from_allowed_peers() -> None:
    isolated = """\
Name:         isolate
Namespace:    shop
Spec:
  PodSelector:     app=cart
  Allowing ingress traffic:
    <none> (Selected pods are isolated for ingress connectivity)
  Not affecting egress traffic
  Policy Types: Ingress
"""
    spec = described("NetworkPolicy", isolated)["spec"]
    assert spec["podSelector"] == {"matchLabels": {"app": "cart"}}
    assert spec["ingress"] == []
    assert "egress" not in spec
    allowed = isolated.replace(
        "    <none> (Selected pods are isolated for ingress connectivity)",
        "    To Port: 80/TCP\n    From:\n      PodSelector: app=web\n    ----------\n    From: <any>",
    )
    rules = described("NetworkPolicy", allowed)["spec"]["ingress"]
    assert rules[0]["ports"] == [{"port": 80, "protocol": "TCP"}]
    assert rules[0]["from"] == [{"podSelector": {"matchLabels": {"app": "web"}}}]


def test_a_claim_and_a_volume_have_class_modes_and_owner() -> None:
    claim = "Name: data\nNamespace: shop\nStorageClass: fast\nStatus: Pending\nAccess Modes: RWX\n"
    body = described("PersistentVolumeClaim", claim)
    assert body["status"]["phase"] == "Pending"
    assert body["spec"]["accessModes"] == ["ReadWriteMany"]
    volume = """\
Name:              pv-1
Labels:            disk=hdd
StorageClass:      
Status:            Released
Claim:             shop/old
Access Modes:      RWO
Capacity:          1Gi
Node Affinity:     
  Required Terms:  
    Term 0:        kubernetes.io/hostname in [worker-2]
Source:
    Type:  HostPath (bare host directory volume)
    Path:  /mnt/data
"""
    body = described("PersistentVolume", volume)
    assert body["spec"]["claimRef"] == {"namespace": "shop", "name": "old"}
    assert body["spec"]["hostPath"] == {"path": "/mnt/data"}
    terms = body["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert terms[0]["matchExpressions"][0]["values"] == ["worker-2"]


def test_a_quota_is_read_alone_and_from_its_namespace() -> None:
    alone = (
        "Name: q\nNamespace: shop\nResource  Used  Hard\n--------  ----  ----\npods      3     4\n"
    )
    assert described("ResourceQuota", alone)["status"]["used"] == {"pods": "3"}
    namespace = """\
Name:         shop
Labels:       kubernetes.io/metadata.name=shop
Status:       Active

Resource Quotas
  Name:            cpu-quota
  Resource         Used  Hard
  --------         ---   ---
  requests.cpu     9     10

No LimitRange resource.
"""
    command = Command(verb="describe", kind="Namespace", name="shop", namespace="")
    found = {o.kind: o for o in parse(command, namespace, NOW)}
    assert found["ResourceQuota"].namespace == "shop"
    assert found["ResourceQuota"].body["status"]["hard"] == {"requests.cpu": "10"}


def test_a_limit_range_has_its_limits_by_type() -> None:
    text = """\
Name:       limits
Namespace:  shop
Type        Resource  Min  Max  Default Request  Default Limit  Max Limit/Request Ratio
----        --------  ---  ---  ---------------  -------------  -----------------------
Container   memory    -    1Gi  64Mi             128Mi          -
"""
    limit = described("LimitRange", text)["spec"]["limits"][0]
    assert limit["max"] == {"memory": "1Gi"}
    assert "min" not in limit


def test_secrets_show_sizes_and_config_maps_texts() -> None:
    secret = "Name: keys\nType: Opaque\n\nData\n====\ntoken:  9 bytes\nca.crt:  12 bytes\n"
    assert described("Secret", secret)["data"] == {"token": "<9 bytes>", "ca.crt": "<12 bytes>"}
    settings = "Name: s\n\nData\n====\nLEVEL:\n----\ninfo\nflags.yaml:\n----\na:\n  b: 1\n\n\nBinaryData\n====\n"
    assert described("ConfigMap", settings)["data"] == {"LEVEL": "info", "flags.yaml": "a:\n  b: 1"}


def test_a_service_account_marks_pull_secrets_that_are_missing() -> None:
    text = "Name: cart\nImage pull secrets:  regcred (not found)\n                     other\n"
    body = described("ServiceAccount", text)
    assert body["imagePullSecrets"] == [{"name": "regcred"}, {"name": "other"}]
    assert body["missingPullSecrets"] == ["regcred"]


def test_bindings_and_storage_classes_are_read() -> None:
    text = "Name: b\nRole:\n  Kind:  Role\n  Name:  reader\nSubjects:\n  Kind            Name  Namespace\n  ----            ----  ---------\n  ServiceAccount  bot   shop\n"
    body = described("RoleBinding", text)
    assert body["roleRef"] == {"kind": "Role", "name": "reader"}
    assert body["subjects"] == [{"kind": "ServiceAccount", "name": "bot", "namespace": "shop"}]
    text = "Name: fast\nIsDefaultClass: Yes\nProvisioner: x\nAllowVolumeExpansion: True\n"
    assert described("StorageClass", text)["allowVolumeExpansion"] is True


def test_tables_give_what_their_columns_say() -> None:
    pods = """\
NAME      READY   STATUS             RESTARTS      AGE   IP           NODE       LABELS
cart-1    0/1     CrashLoopBackOff   5 (2m ago)    10m   172.16.0.1   worker-1   app=cart,tier=web
web-1     1/1     Running            0             10m   172.16.0.2   worker-2   app=web
"""
    cart, web = listed("Pod", pods)
    assert cart.body["status"]["containerStatuses"][0]["restartCount"] == 5
    waiting = cart.body["status"]["containerStatuses"][0]["state"]["waiting"]
    assert waiting["reason"] == "CrashLoopBackOff"
    assert cart.labels == {"app": "cart", "tier": "web"}
    assert web.body["status"]["phase"] == "Running"
    assert web.body["spec"]["nodeName"] == "worker-2"
    claims = "NAME   STATUS    VOLUME   CAPACITY   ACCESS MODES   STORAGECLASS   AGE\ndata   Pending                                      fast           2m\n"
    assert listed("PersistentVolumeClaim", claims)[0].body["spec"]["storageClassName"] == "fast"
    nodes = "NAME       STATUS                     ROLES    AGE   VERSION\nworker-1   Ready,SchedulingDisabled   <none>   9d    v1.31.2\n"
    assert listed("Node", nodes)[0].body["spec"]["unschedulable"] is True


def test_listed_events_are_read_with_and_without_a_header_and_counted_together() -> None:
    rows = """\
49s         Warning   FailedScheduling    pod/cart-1                       0/4 nodes are available
2m          Normal    ScalingReplicaSet   deployment/cart                  Scaled up to 1
10s         Warning   FailedScheduling    pod/cart-1                       0/4 nodes are available
"""
    header = "LAST SEEN   TYPE      REASON              OBJECT       MESSAGE\n"
    for text in (rows, header + rows):
        first, second = listed("Event", text)
        assert first.body["count"] == 2
        assert first.body["lastTimestamp"] == "2026-01-02T03:03:50Z"
        assert second.body["involvedObject"] == {
            "kind": "Deployment",
            "name": "cart",
            "namespace": "shop",
        }


def test_yaml_is_taken_as_it_is_and_broken_yaml_is_said() -> None:
    text = "apiVersion: v1\nkind: Service\nmetadata:\n  name: cart\n  namespace: shop\nspec: {}\n"
    command = Command(verb="get", kind="Service", name="cart", namespace="shop")
    assert parse(command, text, NOW)[0].body["kind"] == "Service"
    with pytest.raises(Malformed, match="not YAML"):
        parse(command, "apiVersion: [", NOW)
    with pytest.raises(Malformed):
        parse(command, "apiVersion: !!python/object/apply:os.system ['true']", NOW)


def test_kinds_are_known_by_plural_singular_and_short_name() -> None:
    assert {kind_of(w) for w in ("pods", "pod", "po", "Pod")} == {"Pod"}
    assert kind_of("endpoints") == "Endpoints"
    assert kind_of("ingresses") == "Ingress"
    assert kind_of("networkpolicies") == "NetworkPolicy"
    assert kind_of("widgets.example.com") == "widgets.example.com"
