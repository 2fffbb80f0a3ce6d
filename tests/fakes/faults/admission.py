"""Faults at the API's door: quotas that are used up, an account that is not there."""

from collections.abc import Callable

import pytest

from tests.fakes.faults.fault import Fault, Place
from tests.fakes.manifests import PORT, service
from tests.fakes.real_cluster import ApiError

QUOTA = "shop-quota"


def _account(place: Place) -> None:
    place.roll(serviceAccountName=f"{place.victim}-runner", serviceAccount=f"{place.victim}-runner")


def _quota(place: Place, **hard: str) -> None:
    place.apply({"kind": "ResourceQuota", "metadata": {"name": QUOTA}, "spec": {"hard": hard}})

    def counted() -> bool:
        body = place.cluster.get("ResourceQuota", place.namespace, QUOTA)
        return bool(body.get("status", {}).get("used"))

    place.cluster.wait(counted, "the quota is counted")


def _then_roll(**hard: str) -> Callable[[Place], None]:
    def inject(place: Place) -> None:
        _quota(place, **{k.replace("_", "."): v for k, v in hard.items()})
        place.roll(template={"metadata": {"annotations": {"release": "2"}}})

    return inject


def _services(place: Place) -> None:
    place.cluster.delete("Service", place.namespace, place.victim)
    left = len(place.cluster.items("Service", place.namespace))
    _quota(place, services=str(left))
    _refused(place, service(place.victim, ports=[{"port": PORT, "targetPort": PORT}]))


def _storage(place: Place) -> None:
    claim = f"{place.victim}-data"
    place.apply(_claim("archive", "1Gi"))
    _quota(place, **{"requests.storage": "1Gi"})
    _refused(place, _claim(claim, "5Gi"))
    place.roll(volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": claim}}])


def _claim(name: str, size: str) -> dict[str, object]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    return {"kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def _refused(place: Place, body: dict[str, object]) -> None:
    """Ask for an object as a person would, and be told that the quota is used up."""
    with pytest.raises(ApiError, match="exceeded quota"):
        place.apply(body)


def _failed_create(place: Place) -> bool:
    return place.told("FailedCreate")


def _of_namespace(resource: str, inject: Callable[[Place], None]) -> Fault:
    return Fault(
        name=f"quota of {resource}", cause=(f"namespace_{resource}_quota_exceeded",),
        label=f"namespace_{resource}_quota_exceeded", object="namespace/{namespace}",
        inject=inject, shows=_failed_create,
    )  # fmt: skip


ADMISSION = (
    Fault(
        name="missing service account", cause=("missing_service_account",),
        label="missing_service_account", inject=_account, shows=_failed_create,
    ),
    _of_namespace("cpu", _then_roll(requests_cpu="20m")),
    _of_namespace("memory", _then_roll(requests_memory="32Mi")),
    _of_namespace("pod", _then_roll(pods="4")),
    Fault(
        name="quota of services", cause=("namespace_service_quota_exceeded",),
        label="namespace_service_quota_exceeded", object="namespace/{namespace}",
        inject=_services, shows=lambda _: True,
    ),
    Fault(
        name="quota of storage", cause=("namespace_storage_quota_exceeded",),
        label="namespace_storage_quota_exceeded", object="namespace/{namespace}",
        inject=_storage, shows=lambda p: p.unschedulable(),
    ),
)  # fmt: skip
