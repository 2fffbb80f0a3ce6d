"""Containers and volumes, as `kubectl describe` prints them for pods and pod templates."""

import re
from typing import Any

from bot.evaluation.cloud_opsbench.kubectl.outline import Entry, Outline, clean
from bot.evaluation.cloud_opsbench.kubectl.values import (
    container_ports,
    moment,
    port_or_name,
    whole,
)

PROBE_NUMBER = re.compile(r"(delay|timeout|period|#success|#failure)=(\d+)")
PROBE_FIELD = {
    "delay": "initialDelaySeconds",
    "timeout": "timeoutSeconds",
    "period": "periodSeconds",
    "#success": "successThreshold",
    "#failure": "failureThreshold",
}
HTTP = re.compile(r"http-get (https?)://([^:/]*):?([\w-]*)(/\S*|)")
FROM_KEY = re.compile(r"<set to the key '([^']+)' (?:in secret|of config map) '([^']+)'>")
MOUNT = re.compile(r"^(\S+) from (\S+) \((.*)\)$")
VOLUME = {
    "PersistentVolumeClaim": ("persistentVolumeClaim", {"ClaimName": "claimName"}),
    "ConfigMap": ("configMap", {"Name": "name"}),
    "Secret": ("secret", {"SecretName": "secretName"}),
    "EmptyDir": ("emptyDir", {"Medium": "medium", "SizeLimit": "sizeLimit"}),
    "HostPath": ("hostPath", {"Path": "path"}),
    "NFS": ("nfs", {"Server": "server", "Path": "path"}),
}


def containers(section: Entry) -> list[dict[str, Any]]:
    """Return the API's container specs of a `Containers:` section."""
    return [_container(entry.key, entry.below()) for entry in section.below()]


def container_statuses(section: Entry) -> list[dict[str, Any]]:
    """Return the API's container statuses of a pod's `Containers:` section."""
    return [_status(entry.key, entry.below()) for entry in section.below()]


def volumes(section: Entry) -> list[dict[str, Any]]:
    """Return the API's volumes of a `Volumes:` section; an unknown type keeps its name only."""
    return [_volume(entry.key, entry.below()) for entry in section.below()]


def probe(text: str) -> dict[str, Any]:
    """Return "http-get http://:8080/healthz delay=0s timeout=1s …" as the API's probe."""
    numbers = {PROBE_FIELD[name]: int(value) for name, value in PROBE_NUMBER.findall(text)}
    return {**_check(text), **numbers}


def _check(text: str) -> dict[str, Any]:
    if match := HTTP.match(text):
        scheme, host, port, path = match.groups()
        where = {"scheme": scheme.upper(), "host": host, "port": port_or_name(port or "80")}
        return {"httpGet": clean({**where, "path": path})}
    kind, _, rest = text.partition(" ")
    if kind == "tcp-socket":
        host, _, port = rest.split(" ")[0].rpartition(":")
        return {"tcpSocket": clean({"host": host, "port": port_or_name(port)})}
    if kind == "grpc":
        port = rest.split(" ")[0].rpartition(":")[2]
        return {"grpc": {"port": port_or_name(port)}}
    if kind == "exec":
        inside = re.match(r"\[(.*?)\] delay=", rest)
        return {"exec": {"command": (inside[1] if inside else rest).split()}}
    return {}


def _container(name: str, text: Outline) -> dict[str, Any]:
    ports = text.value("Port") or text.value("Ports")
    probes = {f"{kind.lower()}Probe": text.value(kind) for kind in PROBES}
    return clean(
        {
            "name": name,
            "image": text.value("Image"),
            "command": list(text.entry("Command").items()),
            "args": list(text.entry("Args").items()),
            "ports": container_ports(ports),
            "resources": clean(
                {
                    "limits": text.pairs("Limits", ":"),
                    "requests": text.pairs("Requests", ":"),
                }
            ),
            **{kind: probe(value) for kind, value in probes.items() if value},
            "env": [_variable(entry) for entry in text.entry("Environment").below()],
            "envFrom": [
                source
                for line in text.entry("Environment Variables from").items()
                if (source := _env_from(line))
            ],
            "volumeMounts": [
                mount for line in text.entry("Mounts").items() if (mount := _mount(line))
            ],
        }
    )


PROBES = ("Liveness", "Readiness", "Startup")


def _variable(entry: Entry) -> dict[str, Any]:
    if match := FROM_KEY.search(entry.value):
        kind = "secretKeyRef" if "in secret" in entry.value else "configMapKeyRef"
        reference = {"key": match[1], "name": match[2], "optional": "Optional: true" in entry.value}
        return {"name": entry.key, "valueFrom": {kind: reference}}
    if match := re.match(r"\(v1:([\w.\[\]'/-]+)\)$", entry.value):
        return {"name": entry.key, "valueFrom": {"fieldRef": {"fieldPath": match[1]}}}
    return {"name": entry.key, "value": entry.value}


def _env_from(line: str) -> dict[str, Any] | None:
    match = re.match(r"(\S+)\s+(Secret|ConfigMap)(?: with prefix '(.*?)')?\s+Optional: (\w+)", line)
    if not match:
        return None
    kind = "secretRef" if match[2] == "Secret" else "configMapRef"
    source = {kind: {"name": match[1], "optional": match[4] == "true"}}
    return {**source, "prefix": match[3]} if match[3] else source


def _mount(line: str) -> dict[str, Any] | None:
    match = MOUNT.match(line)
    if not match:
        return None
    options = match[3].split(",")
    sub_path = re.search(r'path="([^"]*)"', match[3])
    return clean(
        {
            "mountPath": match[1],
            "name": match[2],
            "readOnly": True if "ro" in options else None,
            "subPath": sub_path[1] if sub_path else "",
        }
    )


def _status(name: str, text: Outline) -> dict[str, Any]:
    return clean(
        {
            "name": name,
            "image": text.value("Image"),
            "imageID": text.value("Image ID"),
            "containerID": text.value("Container ID"),
            "state": _state(text.entry("State")),
            "lastState": _state(text.entry("Last State")),
            "ready": text.value("Ready") == "True",
            "restartCount": whole(text.value("Restart Count"), 0),
        }
    )


def _state(entry: Entry) -> dict[str, Any]:
    if not entry.value:
        return {}
    text = entry.below()
    detail = clean(
        {
            "reason": text.value("Reason"),
            "message": " ".join(text.entry("Message").items()),
            "exitCode": whole(text.value("Exit Code")),
            "signal": whole(text.value("Signal")),
            "startedAt": moment(text.value("Started")),
            "finishedAt": moment(text.value("Finished")),
        }
    )
    return {entry.value.lower(): detail}


def _volume(name: str, text: Outline) -> dict[str, Any]:
    kind, _, _ = text.value("Type").partition(" ")
    if kind not in VOLUME:
        return {"name": name}
    field, keys = VOLUME[kind]
    detail = clean({theirs: text.value(ours) for ours, theirs in keys.items()})
    if text.value("Optional") == "true":
        detail["optional"] = True
    return {"name": name, field: detail}
