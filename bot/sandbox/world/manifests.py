"""Every other object of a cluster on an ordinary day: services, settings, budgets, volumes."""

from datetime import UTC, datetime

from bot.sandbox.world import noise, rollout
from bot.sandbox.world.records import History, Json
from bot.sandbox.world.site import NAMESPACE, Site
from bot.sandbox.world.topology import Role, Service
from bot.sandbox.world.traffic import DAY


def iso(at: float) -> str:
    """Return a moment as Kubernetes writes it."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fill(site: Site) -> None:
    """Create the objects."""
    _put(site, "namespaces", "v1", "Namespace", "default", {"spec": {}, "status": _active()})
    _put(site, "namespaces", "v1", "Namespace", NAMESPACE, {"spec": {}, "status": _active()})
    for node in site.nodes:
        _put(
            site, "nodes", "v1", "Node", node.name, {"spec": {"providerID": f"sim:///{node.name}"}}
        )
    for service in site.inside():
        _for_service(site, service)
    _edge(site)
    _limits(site)


def _active() -> Json:
    return {"phase": "Active"}


def _put(site: Site, plural: str, version: str, kind: str, name: str, body: Json) -> Json:
    born = site.begun - noise.between(40.0, 200.0, *site.key, plural, name) * DAY
    metadata: Json = {
        "name": name,
        "uid": rollout.uid(*site.key, plural, name),
        "resourceVersion": str(noise.number(*site.key, plural, name, "rv") % 400_000 + 1000),
        "creationTimestamp": iso(born),
        "labels": {"app.kubernetes.io/part-of": "shop"},
    }
    if plural not in ("namespaces", "nodes"):
        metadata["namespace"] = NAMESPACE
    elif plural == "nodes":
        metadata["labels"] = {"kubernetes.io/hostname": name, "kubernetes.io/arch": "amd64"}
    else:
        metadata["labels"] = {"kubernetes.io/metadata.name": name}
    whole = {"apiVersion": version, "kind": kind, "metadata": metadata, **body}
    site.objects[(plural, name)] = whole
    return whole


def _for_service(site: Site, service: Service) -> None:
    selector = {"app.kubernetes.io/name": service.name}
    port = {"name": "main", "port": service.port, "targetPort": service.port, "protocol": "TCP"}
    address = f"10.96.{noise.number(service.name) % 200}.{noise.number(service.name, 1) % 250 + 2}"
    spec: Json = {"type": "ClusterIP", "clusterIP": address, "selector": selector, "ports": [port]}
    body = _put(site, "services", "v1", "Service", service.name, {"spec": spec})
    body["metadata"]["labels"]["app.kubernetes.io/name"] = service.name
    _put(site, "serviceaccounts", "v1", "ServiceAccount", service.name, {"secrets": []})
    config = _put(site, "configmaps", "v1", "ConfigMap", f"{service.name}-config", {"data": {}})
    config["metadata"]["labels"]["app.kubernetes.io/name"] = service.name
    site.configs[f"{service.name}-config"] = History(moments=[(0.0, settings(site, service))])
    if service.replicas > 1:
        budget: Json = {"minAvailable": "50%", "selector": {"matchLabels": selector}}
        _put(site, "poddisruptionbudgets", "policy/v1", "PodDisruptionBudget", service.name,
             {"spec": budget})  # fmt: skip
    if service.stateful:
        _volume(site, service)
    if service.serves_http:
        _certificate(site, service)


def settings(site: Site, service: Service) -> Json:
    """Return the settings of a service on an ordinary day, as its config map holds them."""
    data = {"LOG_LEVEL": "info", "ENVIRONMENT": site.env}
    if service.pool:
        data |= {"DB_POOL_SIZE": str(service.pool), "DB_POOL_TIMEOUT_MS": "2500"}
    for call in service.calls:
        if service.serves_http:
            name = call.callee.upper().replace("-", "_")
            port = site.service(call.callee).port
            data[f"{name}_ADDR"] = f"{call.callee}:{port}"
            data[f"{name}_TIMEOUT_MS"] = str(round(call.timeout_s * 1000))
    if service.role is Role.CACHE:
        megabytes = round(service.memory_limit / 1.15)
        data |= {"maxmemory": f"{megabytes}mb", "maxmemory-policy": "allkeys-lru"}
        data |= {"maxclients": "10000", "default-ttl-seconds": "3600"}
    if service.role is Role.DATABASE:
        data |= {"max_connections": "200", "shared_buffers": "2GB", "statement_timeout": "0"}
    return data


def usual_expiry(site: Site, name: str) -> float:
    """Return when a service's certificate expires, on an ordinary day."""
    return round(site.begun + noise.between(25.0, 80.0, *site.key, name, "certificate") * DAY)


def _certificate(site: Site, service: Service) -> None:
    until = usual_expiry(site, service.name)
    ready = {"type": "Ready", "status": "True", "reason": "Ready",
             "message": "Certificate is up to date and has not expired",
             "lastTransitionTime": iso(until - 90.0 * DAY)}  # fmt: skip
    spec = {"secretName": f"{service.name}-tls", "dnsNames": [f"{service.name}.shop.svc"],
            "duration": "2160h0m0s", "renewBefore": "720h0m0s",
            "issuerRef": {"name": "shop-internal", "kind": "ClusterIssuer"}}  # fmt: skip
    status = {"notBefore": iso(until - 90.0 * DAY), "notAfter": iso(until), "revision": 3,
              "renewalTime": iso(until - 30.0 * DAY), "conditions": [ready]}  # fmt: skip
    body = _put(site, "certificates", "cert-manager.io/v1", "Certificate", service.name,
                {"spec": spec, "status": status})  # fmt: skip
    body["metadata"]["labels"]["app.kubernetes.io/name"] = service.name


def _volume(site: Site, service: Service) -> None:
    name = f"data-{service.name}-0"
    spec: Json = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "20Gi"}},
        "storageClassName": "standard",
        "volumeMode": "Filesystem",
        "volumeName": f"pvc-{rollout.uid(*site.key, name)[:13]}",
    }
    status = {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "20Gi"}}
    _put(site, "persistentvolumeclaims", "v1", "PersistentVolumeClaim", name,
         {"spec": spec, "status": status})  # fmt: skip


def _edge(site: Site) -> None:
    front = site.topology.services[0].name
    host = f"shop.{site.env}.example"
    backend = {"service": {"name": front, "port": {"name": "main"}}}
    rule = {
        "host": host,
        "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
    }
    spec: Json = {
        "ingressClassName": "nginx",
        "tls": [{"hosts": [host], "secretName": f"{front}-tls"}],
        "rules": [rule],
    }
    _put(site, "ingresses", "networking.k8s.io/v1", "Ingress", front, {"spec": spec})
    policy: Json = {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {
            "kubernetes.io/metadata.name": NAMESPACE}}}]}, {"from": [{"ipBlock": {
                "cidr": "10.0.0.0/8"}}]}],
    }  # fmt: skip
    _put(site, "networkpolicies", "networking.k8s.io/v1", "NetworkPolicy", "shop-internal",
         {"spec": policy})  # fmt: skip


def _limits(site: Site) -> None:
    hard = {"pods": "4000", "requests.cpu": "4000", "limits.memory": "8000Gi"}
    used = {"pods": str(sum(s.replicas for s in site.inside()))}
    _put(site, "resourcequotas", "v1", "ResourceQuota", "shop",
         {"spec": {"hard": hard}, "status": {"hard": hard, "used": used}})  # fmt: skip
