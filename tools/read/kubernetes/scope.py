"""Which cluster-wide objects concern an environment's namespaces: no others are kept."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]


def concerns(body: Json, namespaces: Sequence[str]) -> bool:
    """Whether a cluster-wide object concerns one of the namespaces; of most kinds all do."""
    check = _CHECKS.get(str(body.get("kind")))
    return check is None or check(body, namespaces)


def bound_roles(bindings: Iterable[Json]) -> tuple[str, ...]:
    """Return the names of the ClusterRoles that bindings refer to, each once, in order."""
    references = (_object(binding.get("roleRef")) for binding in bindings)
    names = (str(r.get("name")) for r in references if r.get("kind") == "ClusterRole")
    return tuple(dict.fromkeys(names))


def _volume(body: Json, namespaces: Sequence[str]) -> bool:
    """Whether a PersistentVolume is claimed here, or by nobody: a claim here could get it."""
    claim = _object(_object(body.get("spec")).get("claimRef"))
    return not claim or claim.get("namespace") in namespaces


def _binding(body: Json, namespaces: Sequence[str]) -> bool:
    """Whether a ClusterRoleBinding gives rights to service accounts of the namespaces."""
    groups = {"system:serviceaccounts", *(f"system:serviceaccounts:{n}" for n in namespaces)}
    subjects = body.get("subjects")
    for subject in map(_object, subjects if isinstance(subjects, list) else ()):
        kind = subject.get("kind")
        if kind == "ServiceAccount" and subject.get("namespace") in namespaces:
            return True
        if kind == "Group" and subject.get("name") in groups:
            return True
    return False


_CHECKS: Mapping[str, Callable[[Json, Sequence[str]], bool]] = {
    "PersistentVolume": _volume,
    "ClusterRoleBinding": _binding,
}


def _object(value: Any) -> Json:
    return value if isinstance(value, Mapping) else {}
