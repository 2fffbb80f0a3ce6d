"""Renames services, namespaces, nodes and hosts everywhere in recorded files, one to one.

New names are as long as the old ones, so that columns of tables stay where they are. Images keep
their names: what runs in a container is a fact, what its owner calls it is not.
"""

import hashlib
import json
import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.domain.snapshot import KubernetesObject, Snapshot

OWN_OF_KUBERNETES = re.compile(
    r"^(?:default|localhost|kubernetes|metrics-server|kube-.*|coredns|etcd.*|calico.*|flannel.*"
    r"|cilium.*|istio.*|openebs.*|local-path.*|none|all|unknown)$"
)  # installed under these names in every cluster
NAMED_KINDS = frozenset({
    "Deployment", "StatefulSet", "DaemonSet", "Service", "Namespace", "Node", "Ingress",
})  # fmt: skip
ROLE = re.compile(
    r"(node-role\.kubernetes\.io/[\w-]+|\bkubernetes\.io/role=[\w-]+|^Roles: +[\w,<>-]+"
    r"|\b(?:Not)?Ready(?:,SchedulingDisabled)? +[\w,<>-]+(?= +\d+[dhms]))",
    re.MULTILINE,
)  # what a node is for, in the API's own words: a label of it is no name, though one be called so
ROLE_LABEL = "kubernetes.io/role"
SHORTEST = 3
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]*")
PARTS = re.compile(r"[A-Za-z0-9]+|[^A-Za-z0-9]+")
Rename = Callable[[str], str]


def names_of(snapshot: Snapshot) -> frozenset[str]:
    """Return the names that people gave to services, namespaces, nodes and hosts."""
    found = {o.name for o in snapshot.objects if o.kind in NAMED_KINDS}
    found |= {o.namespace for o in snapshot.objects}
    for facts in (snapshot.series, snapshot.logs, snapshot.spans, snapshot.changes):
        found |= {fact.service for fact in facts}
    found |= {end for e in snapshot.edges for end in (e.caller, e.callee)}
    found |= {p.target for p in snapshot.probes} | {c.node for c in snapshot.components}
    return frozenset(n for n in found if len(n) >= SHORTEST and not OWN_OF_KUBERNETES.match(n))


def images_of(snapshot: Snapshot) -> frozenset[str]:
    """Return every image reference of the workloads and pods."""
    return frozenset(image for o in snapshot.objects for image in _images(o))


def bijection(names: Iterable[str], salt: str = "") -> dict[str, str]:
    """Return a new name of the same length for each; letters stay letters, no two are the same."""
    known = set(names)
    result: dict[str, str] = {}
    taken = set(known)
    for name in sorted(known):
        number = 0
        while (new := _invented(name, f"{salt}/{number}")) in taken:
            number += 1
        taken.add(new)
        result[name] = new
    return result


def renamer(mapping: Mapping[str, str], images: Iterable[str] = ()) -> Rename:
    """Return what renames a text: whole names only, the longest first; images stay.

    Words repeat, so each is worked out once.
    """
    kept = "|".join(re.escape(i) for i in sorted(images, key=lambda i: (-len(i), i)) if "/" in i)
    image = re.compile(f"({kept})" if kept else "((?!))")
    longest = max((len(PARTS.findall(name)) for name in mapping), default=0)
    known: dict[str, str] = {}

    def word(match: re.Match[str]) -> str:
        text = match[0]
        if text not in known:
            pieces = image.split(text)  # every second one is an image
            pieces[::2] = [_by_parts(p, mapping, longest) for p in pieces[::2]]
            known[text] = "".join(pieces)
        return known[text]

    def rename(text: str) -> str:
        pieces = ROLE.split(text)  # every second one is a role
        pieces[::2] = [WORD.sub(word, piece) for piece in pieces[::2]]
        return "".join(pieces)

    return rename


def _by_parts(text: str, mapping: Mapping[str, str], longest: int) -> str:
    """Replace the longest run of parts that is a name, from the left."""
    parts = PARTS.findall(text)
    result, at = [], 0
    while at < len(parts):
        for size in range(min(longest, len(parts) - at), 0, -1):
            name = "".join(parts[at : at + size])
            if name in mapping:
                result.append(mapping[name])
                break
        else:
            size = 1
            result.append(parts[at])
        at += size
    return "".join(result)


def renamed_copy(source: Path, target: Path, rename: Rename) -> None:
    """Copy a case folder, every text and key through `rename`; JSON stays JSON."""
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text(encoding="utf-8", errors="replace")
        place.write_text(_renamed(text, path.suffix, rename), encoding="utf-8")


def _renamed(text: str, suffix: str, rename: Rename) -> str:
    if suffix == ".json" and text.strip():
        return json.dumps(_walked(json.loads(text), rename))
    if suffix == ".ndjson":
        lines = (json.loads(line) for line in text.splitlines() if line.strip())
        return "\n".join(json.dumps(_walked(line, rename)) for line in lines)
    return rename(text)


def _walked(data: Any, rename: Rename) -> Any:
    if isinstance(data, str):
        return rename(data)
    if isinstance(data, dict):
        return {
            rename(key): value if key == ROLE_LABEL else _walked(value, rename)
            for key, value in data.items()
        }
    return [_walked(value, rename) for value in data] if isinstance(data, list) else data


def _invented(name: str, salt: str) -> str:
    digest = hashlib.sha256(f"{salt}/{name}".encode()).digest() * (1 + len(name) // 32)
    letters = string.ascii_lowercase
    return "".join(
        letters[byte % 26] if c.isalpha() else c for c, byte in zip(name, digest, strict=False)
    )


def _images(item: KubernetesObject) -> Iterator[str]:
    spec = item.body.get("spec") or {}
    pod = ((spec.get("template") or {}).get("spec") or {}) if "template" in spec else spec
    for group in ("containers", "initContainers"):
        for container in pod.get(group) or ():
            if isinstance(container, dict) and container.get("image"):
                yield str(container["image"])
    status = item.body.get("status") or {}
    for one in status.get("containerStatuses") or ():
        if isinstance(one, dict) and one.get("image"):
            yield str(one["image"])
