"""What a change of an object means: the normalised spec, its hash, and a redacted unified diff."""

import difflib
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import yaml

from tools.clients.redaction import redact_object

KEY_ANNOTATION = "sre-bot/execution-key"
NOISE_ANNOTATIONS = (
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "kubectl.kubernetes.io/last-applied-configuration",
    KEY_ANNOTATION,
)
NOISE_METADATA = (
    "managedFields",
    "resourceVersion",
    "generation",
    "uid",
    "creationTimestamp",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
NODE_TAINTS = "node.kubernetes.io/"  # those that the node controller sets and takes off
MAX_LINES = 400


def normalised(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object without status and without what changes by itself."""
    metadata = {k: v for k, v in (body.get("metadata") or {}).items() if k not in NOISE_METADATA}
    annotations = metadata.get("annotations") or {}
    kept = {k: v for k, v in annotations.items() if k not in NOISE_ANNOTATIONS}
    if kept:
        metadata["annotations"] = kept
    else:
        metadata.pop("annotations", None)
    rest = {k: v for k, v in body.items() if k not in ("metadata", "status")}
    return {**rest, "metadata": metadata}


def spec_hash(body: Mapping[str, Any]) -> str:
    """Return SHA-256 of what the object wants: its spec, or its data; not labels, not status.

    Of a node, the taints that its controller sets by itself (from conditions, from a cordon) do
    not count: they follow some time after what they follow from.
    """
    wanted = {k: body[k] for k in ("spec", "data", "binaryData", "immutable") if k in body}
    if body.get("kind") == "Node":
        wanted["spec"] = _without_own_taints(body.get("spec") or {})
    canonical = json.dumps(wanted, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _without_own_taints(spec: Mapping[str, Any]) -> dict[str, Any]:
    taints = spec.get("taints") or ()
    kept = [t for t in taints if not str(t.get("key", "")).startswith(NODE_TAINTS)]
    return {
        **{k: v for k, v in spec.items() if k != "taints"},
        **({"taints": kept} if kept else {}),
    }


def object_diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return the unified diff of two states of one object, normalised and redacted, "" if equal."""
    return spec_diff(normalised(before), normalised(after), before="live", after="after")


def spec_diff(one: Mapping[str, Any], other: Mapping[str, Any], *, before: str, after: str) -> str:
    """Return the unified diff of two JSON objects as YAML, redacted; at most 400 lines."""
    lines = list(
        difflib.unified_diff(
            _yaml(one), _yaml(other), fromfile=before, tofile=after, lineterm="", n=3
        )
    )
    if len(lines) > MAX_LINES:
        lines = [*lines[:MAX_LINES], f"… {len(lines) - MAX_LINES} more lines"]
    return "\n".join(lines)


def _yaml(body: Mapping[str, Any]) -> list[str]:
    text = yaml.safe_dump(redact_object(body), sort_keys=True, default_flow_style=False, width=200)
    return str(text).splitlines()
