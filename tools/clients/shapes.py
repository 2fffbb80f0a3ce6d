"""The outline of a Kubernetes object that is acted upon: what is odd is told, not met later.

The API server types what it serves; what stands between may not. Only the parts that actions read
are looked at, and each may be missing. Who only reads leaves out what is odd, and sees the rest.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.domain.errors import Malformed

SYSTEM = "Kubernetes"
Test = Callable[[Any], bool]


def _object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, Mapping) for item in value)


def _texts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(k, str) and isinstance(v, str | None) for k, v in value.items()
    )


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


_POD_SPEC: tuple[tuple[str, Test], ...] = (
    ("volumes", _objects), ("containers", _objects), ("initContainers", _objects),
    ("nodeName", _text),
)  # fmt: skip
OUTLINE: tuple[tuple[tuple[str, ...], Test], ...] = (
    (("metadata",), _object),
    (("metadata", "name"), _text),
    (("metadata", "namespace"), _text),
    (("metadata", "uid"), _text),
    (("metadata", "labels"), _texts),
    (("metadata", "annotations"), _texts),
    (("metadata", "ownerReferences"), _objects),
    (("spec",), _object),
    (("spec", "replicas"), _count),
    (("spec", "resources"), _object),
    (("spec", "resources", "requests"), _object),
    (("spec", "template"), _object),
    (("spec", "template", "metadata"), _object),
    (("spec", "template", "metadata", "labels"), _texts),
    (("spec", "template", "metadata", "annotations"), _texts),
    (("spec", "template", "spec"), _object),
    *((("spec", "template", "spec", name), test) for name, test in _POD_SPEC),
    *((("spec", name), test) for name, test in _POD_SPEC),
    (("status",), _object),
    (("status", "conditions"), _objects),
    (("status", "capacity"), _object),
    (("status", "active"), _count),
    (("status", "failed"), _count),
    (("status", "readyReplicas"), _count),
    (("status", "disruptionsAllowed"), _count),
)


def shaped(body: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the object. Raises: Malformed: names the first part that is not what it should be."""
    for path, test in OUTLINE:
        here: Any = body
        for step in path[:-1]:
            here = here.get(step) if isinstance(here, Mapping) else None
        value = here.get(path[-1]) if isinstance(here, Mapping) else None
        if value is not None and not test(value):
            raise Malformed(f"{SYSTEM}: {'.'.join(path)} of a {kind.lower()} is not readable")
    return body


def all_shaped(bodies: Iterable[dict[str, Any]], kind: str) -> tuple[dict[str, Any], ...]:
    """Return the objects of a list. Raises: Malformed: as `shaped`, for any of them."""
    return tuple(shaped(body, kind) for body in bodies)
