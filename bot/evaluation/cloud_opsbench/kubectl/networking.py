"""Services, endpoints, ingresses and network policies, as `kubectl describe` prints them."""

import re
from collections.abc import Iterable
from typing import Any

from bot.evaluation.cloud_opsbench.kubectl.outline import Entry, Outline, clean, outline, table
from bot.evaluation.cloud_opsbench.kubectl.values import labels_of, port_or_name

PORT = re.compile(r"^(?:(\S+)\s+)?(\d+)/(\w+)$")
BACKEND = re.compile(r"^([\w.-]+):([\w-]+)")


def service(text: Outline) -> dict[str, Any]:
    """Return the spec of a described service."""
    spec = {
        "type": text.value("Type"),
        "clusterIP": "None" if text.value("IP") == "None" else text.value("IP"),
        "selector": labels_of(text.value("Selector")),
        "externalName": text.value("External Name"),
        "ports": _service_ports(text),
    }
    return {"spec": clean(spec), "status": {}}


def _service_ports(text: Outline) -> list[dict[str, Any]]:
    ports: list[dict[str, Any]] = []
    for entry in text:
        if entry.key == "Port" and (match := PORT.match(entry.value)):
            name = "" if match[1] in (None, "<unset>") else match[1]
            ports.append(clean({"name": name, "port": int(match[2]), "protocol": match[3]}))
        elif entry.key == "TargetPort" and ports:
            ports[-1]["targetPort"] = port_or_name(entry.value.partition("/")[0])
        elif entry.key == "NodePort" and ports and (match := PORT.match(entry.value)):
            ports[-1]["nodePort"] = int(match[2])
    return ports


def endpoints(text: Outline) -> dict[str, Any]:
    """Return the subsets of described endpoints."""
    subsets: list[dict[str, Any]] = []
    for entry in text.entry("Subsets").below():
        if entry.key == "Addresses":
            subsets.append({"addresses": _addresses(entry)})
        elif entry.key == "NotReadyAddresses" and subsets:
            subsets[-1]["notReadyAddresses"] = _addresses(entry)
        elif entry.key == "Ports" and subsets:
            subsets[-1]["ports"] = [_endpoint_port(row) for row in table(entry.lines)]
    return {"subsets": [clean(subset) for subset in subsets]}


def _addresses(entry: Entry) -> list[dict[str, str]]:
    listed = ",".join(entry.items()).split(",")
    return [{"ip": address.strip()} for address in listed if address.strip()]


def _endpoint_port(row: dict[str, str]) -> dict[str, Any]:
    name = row.get("Name", "")
    port = {"port": int(row["Port"]), "protocol": row.get("Protocol")}
    return clean({**port, "name": "" if name == "<unset>" else name})


def ingress(text: Outline) -> dict[str, Any]:
    """Return the spec of a described ingress."""
    rules: list[dict[str, Any]] = []
    for row in table(text.entry("Rules").lines):
        if row.get("Host"):
            host = "" if row["Host"] == "*" else row["Host"]
            rules.append(clean({"host": host}) | {"http": {"paths": []}})
        if rules and (backend := _backend(row.get("Backends", ""))):
            path = {"path": row.get("Path", ""), "backend": backend}
            rules[-1]["http"]["paths"].append(path)
    spec = {
        "ingressClassName": text.value("Ingress Class"),
        "defaultBackend": _backend(text.value("Default backend")),
        "rules": rules,
    }
    return {"spec": clean(spec), "status": {}}


def _backend(text: str) -> dict[str, Any] | None:
    match = BACKEND.match(text)
    if not match or match[1] == "default-http-backend":
        return None
    port = {"number": int(match[2])} if match[2].isdigit() else {"name": match[2]}
    return {"service": {"name": match[1], "port": port}}


def network_policy(text: Outline) -> dict[str, Any]:
    """Return the spec of a described network policy."""
    inside = text.entry("Spec").below()
    selector = labels_of(inside.value("PodSelector").partition(" (")[0])
    types = [word.strip() for word in inside.value("Policy Types").split(",") if word.strip()]
    spec: dict[str, Any] = {"podSelector": clean({"matchLabels": selector}), "policyTypes": types}
    for field, peer in (("ingress", "From"), ("egress", "To")):
        entry = inside.entry(f"Allowing {field} traffic")
        if field.title() in types:
            spec[field] = _rules(entry.lines, peer)
    return {"spec": spec}


def _rules(lines: Iterable[str], peer: str) -> list[dict[str, Any]]:
    if any("isolated for" in line for line in lines):
        return []
    rules: list[dict[str, Any]] = []
    block: list[str] = []
    for line in [*lines, "----------"]:
        if set(line.strip()) == {"-"}:
            rules.append(_rule(outline(block), peer))
            block = []
        else:
            block.append(line)
    return rules


def _rule(text: Outline, peer: str) -> dict[str, Any]:
    matches = (re.match(r"(\w+)/(\w+)", e.value) for e in text if e.key == "To Port")
    ports = [{"port": port_or_name(m[1]), "protocol": m[2]} for m in matches if m]
    peers = [_peer(entry.below()) for entry in text if entry.key == peer and entry.lines]
    return clean({"ports": ports, "from" if peer == "From" else "to": peers})


def _peer(text: Outline) -> dict[str, Any]:
    block = text.entry("IPBlock").below().value("CIDR")
    return clean(
        {
            "podSelector": _selector(text, "PodSelector"),
            "namespaceSelector": _selector(text, "NamespaceSelector"),
            "ipBlock": clean({"cidr": block}),
        }
    )


def _selector(text: Outline, key: str) -> dict[str, Any] | None:
    return {"matchLabels": labels_of(text.value(key))} if text.has(key) else None
