"""Pods and workloads, read back from what kubectl describe prints."""

# ruff: noqa: W291 - texts exactly as kubectl prints them

from datetime import UTC, datetime

from bot.domain.snapshot import KubernetesObject
from bot.evaluation.cloud_opsbench.kubectl.objects import Command, parse

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)

POD = """\
Name:             cart-7d4b9-x1
Namespace:        shop
Priority:         0
Service Account:  cart
Node:             worker-2/10.0.0.2
Start Time:       Fri, 02 Jan 2026 11:00:00 +0800
Labels:           app=cart
                  pod-template-hash=7d4b9
Annotations:      example.com/note: a: b
Status:           Running
IP:               172.16.0.9
IPs:
  IP:           172.16.0.9
Controlled By:  ReplicaSet/cart-7d4b9
Init Containers:
  wait:
    Image:          registry.example.com/wait:v1
    State:          Terminated
      Reason:       Completed
      Exit Code:    0
      Started:      Fri, 02 Jan 2026 11:00:01 +0800
      Finished:     Fri, 02 Jan 2026 11:00:02 +0800
    Ready:          True
    Restart Count:  0
    Environment:    <none>
    Mounts:         <none>
Containers:
  server:
    Container ID:  containerd://abc
    Image:         registry.example.com:5000/cart:v1
    Image ID:      registry.example.com:5000/cart@sha256:0
    Ports:         8080/TCP, 9000/UDP
    Host Ports:    0/TCP, 0/UDP
    Command:
      sh
      -c
      exec /cart
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
      Started:      Fri, 02 Jan 2026 11:02:00 +0800
      Finished:     Fri, 02 Jan 2026 11:03:00 +0800
    Ready:          False
    Restart Count:  5
    Limits:
      cpu:     300m
      memory:  128Mi
    Requests:
      cpu:      200m
      memory:   64Mi
    Liveness:   http-get http://:8080/healthz delay=5s timeout=1s period=10s #success=1 #failure=3
    Readiness:  grpc <pod>:9555  delay=0s timeout=1s period=10s #success=1 #failure=3
    Startup:    tcp-socket :redis delay=0s timeout=1s period=10s #success=1 #failure=30
    Environment Variables from:
      cart-settings  ConfigMap  Optional: false
      cart-keys      Secret     Optional: true
    Environment:
      REDIS_ADDR:  cache:6379
      TOKEN:       <set to the key 'token' in secret 'cart-keys'>  Optional: false
      LEVEL:       <set to the key 'level' of config map 'cart-settings'>  Optional: true
      NODE_NAME:    (v1:spec.nodeName)
      EMPTY:       
    Mounts:
      /data from data (rw,path="cart")
      /var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-1 (ro)
Conditions:
  Type              Status
  Initialized       True 
  Ready             False 
Volumes:
  data:
    Type:       PersistentVolumeClaim (a reference to a claim)
    ClaimName:  cart-data
    ReadOnly:   false
  settings:
    Type:      ConfigMap (a volume populated by a ConfigMap)
    Name:      cart-settings
    Optional:  true
QoS Class:       Burstable
Node-Selectors:  disk=ssd
                 zone=west
Tolerations:     dedicated=batch:NoSchedule
                 node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
Events:
  Type     Reason   Age                From     Message
  ----     ------   ----               ----     -------
  Normal   Pulled   3m                 kubelet  Container image "x" already present on machine
  Warning  BackOff  19s (x15 over 2m)  kubelet  Back-off restarting failed container
    of two lines
"""

DEPLOYMENT = """\
Name:                   cart
Namespace:              shop
CreationTimestamp:      Fri, 02 Jan 2026 11:00:00 +0800
Labels:                 <none>
Annotations:            deployment.kubernetes.io/revision: 3
Selector:               app=cart,tier in (a,b)
Replicas:               2 desired | 1 updated | 2 total | 0 available | 2 unavailable
StrategyType:           RollingUpdate
Pod Template:
  Labels:           app=cart
  Service Account:  cart
  Containers:
   server:
    Image:        registry.example.com/cart:v1
    Port:         8080/TCP
    Host Port:    0/TCP
    Environment:  <none>
    Mounts:       <none>
  Volumes:        <none>
Conditions:
  Type           Status  Reason
  ----           ------  ------
  Available      False   MinimumReplicasUnavailable
OldReplicaSets:  <none>
NewReplicaSet:   cart-7d4b9 (2/2 replicas created)
Events:          <none>
"""


def described(kind: str, name: str, text: str) -> tuple[KubernetesObject, ...]:
    return parse(Command(verb="describe", kind=kind, name=name, namespace="shop"), text, NOW)


def test_a_pod_has_its_place_owner_and_labels() -> None:
    pod = described("Pod", "cart-7d4b9-x1", POD)[0]
    assert (pod.kind, pod.namespace, pod.name) == ("Pod", "shop", "cart-7d4b9-x1")
    assert pod.labels == {"app": "cart", "pod-template-hash": "7d4b9"}
    assert pod.body["metadata"]["ownerReferences"] == [{"kind": "ReplicaSet", "name": "cart-7d4b9"}]
    assert pod.body["metadata"]["annotations"] == {"example.com/note": "a: b"}
    assert pod.body["spec"]["nodeName"] == "worker-2"
    assert pod.body["status"]["phase"] == "Running"
    assert pod.body["status"]["startTime"] == "2026-01-02T03:00:00Z"
    assert pod.source.query == "kubectl describe pod cart-7d4b9-x1 -n shop"


def test_a_pod_has_its_container_states() -> None:
    status = described("Pod", "p", POD)[0].body["status"]
    server = status["containerStatuses"][0]
    assert server["state"] == {"waiting": {"reason": "CrashLoopBackOff"}}
    assert server["lastState"]["terminated"]["exitCode"] == 137
    assert server["lastState"]["terminated"]["finishedAt"] == "2026-01-02T03:03:00Z"
    assert (server["restartCount"], server["ready"]) == (5, False)
    assert status["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 0
    assert {"type": "Ready", "status": "False"} in status["conditions"]


def test_a_container_has_ports_resources_and_command() -> None:
    server = described("Pod", "p", POD)[0].body["spec"]["containers"][0]
    assert server["image"] == "registry.example.com:5000/cart:v1"
    assert server["ports"] == [
        {"containerPort": 8080, "protocol": "TCP"},
        {"containerPort": 9000, "protocol": "UDP"},
    ]
    assert server["resources"]["limits"] == {"cpu": "300m", "memory": "128Mi"}
    assert server["command"] == ["sh", "-c", "exec /cart"]


def test_a_container_has_its_probes() -> None:
    server = described("Pod", "p", POD)[0].body["spec"]["containers"][0]
    assert server["livenessProbe"]["httpGet"] == {
        "scheme": "HTTP",
        "port": 8080,
        "path": "/healthz",
    }
    assert server["livenessProbe"]["initialDelaySeconds"] == 5
    assert server["readinessProbe"]["grpc"] == {"port": 9555}
    assert server["startupProbe"]["tcpSocket"] == {"port": "redis"}
    assert server["startupProbe"]["failureThreshold"] == 30


def test_a_container_has_variables_and_where_they_come_from() -> None:
    server = described("Pod", "p", POD)[0].body["spec"]["containers"][0]
    by_name = {variable["name"]: variable for variable in server["env"]}
    assert by_name["REDIS_ADDR"]["value"] == "cache:6379"
    assert by_name["TOKEN"]["valueFrom"]["secretKeyRef"]["name"] == "cart-keys"
    assert by_name["LEVEL"]["valueFrom"]["configMapKeyRef"]["optional"] is True
    assert by_name["NODE_NAME"]["valueFrom"]["fieldRef"] == {"fieldPath": "spec.nodeName"}
    assert by_name["EMPTY"]["value"] == ""
    assert server["envFrom"][0] == {"configMapRef": {"name": "cart-settings", "optional": False}}
    assert server["envFrom"][1] == {"secretRef": {"name": "cart-keys", "optional": True}}


def test_a_pod_has_volumes_selector_and_tolerations() -> None:
    spec = described("Pod", "p", POD)[0].body["spec"]
    assert spec["volumes"][0] == {
        "name": "data",
        "persistentVolumeClaim": {"claimName": "cart-data"},
    }
    assert spec["volumes"][1]["configMap"] == {"name": "cart-settings", "optional": True}
    assert spec["nodeSelector"] == {"disk": "ssd", "zone": "west"}
    first = {"key": "dedicated", "operator": "Equal", "value": "batch", "effect": "NoSchedule"}
    assert spec["tolerations"][0] == first
    assert spec["tolerations"][1]["tolerationSeconds"] == 300
    mounts = spec["containers"][0]["volumeMounts"]
    assert mounts[0] == {"mountPath": "/data", "name": "data", "subPath": "cart"}


def test_events_at_the_end_become_objects_with_counts_and_times() -> None:
    events = [o for o in described("Pod", "p", POD) if o.kind == "Event"]
    assert [e.body["reason"] for e in events] == ["Pulled", "BackOff"]
    backoff = events[1].body
    assert backoff["count"] == 15
    assert backoff["lastTimestamp"] == "2026-01-02T03:03:41Z"
    assert backoff["firstTimestamp"] == "2026-01-02T03:02:00Z"
    assert backoff["message"].endswith("of two lines")
    assert backoff["involvedObject"]["name"] == "cart-7d4b9-x1"


def test_a_deployment_has_counts_selector_template_and_conditions() -> None:
    body = described("Deployment", "cart", DEPLOYMENT)[0].body
    assert body["spec"]["replicas"] == 2
    assert body["spec"]["selector"]["matchLabels"] == {"app": "cart"}
    expression = {"key": "tier", "operator": "In", "values": ["a", "b"]}
    assert body["spec"]["selector"]["matchExpressions"] == [expression]
    assert body["spec"]["template"]["spec"]["serviceAccountName"] == "cart"
    assert body["spec"]["template"]["spec"]["containers"][0]["name"] == "server"
    assert body["status"]["availableReplicas"] == 0
    assert body["status"]["conditions"][0]["reason"] == "MinimumReplicasUnavailable"


def test_a_stateful_set_a_daemon_set_a_replica_set_and_a_job_have_their_counts() -> None:
    stateful = described("StatefulSet", "db", "Name: db\nReplicas: 3 desired | 2 total\n")[0]
    assert stateful.body["spec"]["replicas"] == 3
    daemon = "Name: agent\nDesired Number of Nodes Scheduled: 4\n"
    assert described("DaemonSet", "agent", daemon)[0].body["status"]["desiredNumberScheduled"] == 4
    text = "Name: cart-1\nControlled By: Deployment/cart\nReplicas: 0 current / 1 desired\n"
    found = described("ReplicaSet", "cart-1", text)[0].body
    assert (found["spec"]["replicas"], found["status"]["replicas"]) == (1, 0)
    text = "Name: load\nParallelism: 2\nPods Statuses: 1 Active / 3 Succeeded / 0 Failed\n"
    assert described("Job", "load", text)[0].body["status"]["succeeded"] == 3


def test_errors_of_kubectl_and_empty_texts_are_no_objects() -> None:
    assert described("Pod", "p", "") == ()
    assert described("Pod", "p", 'Error from server (NotFound): pods "p" not found') == ()
    assert described("Pod", "p", "No resources found in shop namespace.") == ()


def test_a_text_cut_in_the_middle_is_read_as_far_as_it_goes() -> None:
    for length in range(0, len(POD), 97):
        found = described("Pod", "p", POD[:length])
        assert all(o.kind in ("Pod", "Event") for o in found)


def test_a_text_of_another_shape_is_survived() -> None:
    for text in ("\x00\x01", ":::::", "Name", "- a\n- b", "x" * 100_000, "Name:\n" * 1000):
        for kind in ("Pod", "Deployment", "Service", "Secret", "ResourceQuota", "Ingress"):
            described(kind, "p", text)
