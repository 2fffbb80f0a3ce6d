"""A real cluster in a test's hands: apply, look, wait, namespaces and identities of its own."""

import base64
import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

from bot.domain.environment import Environment, Tier

Json = dict[str, Any]
T = TypeVar("T")
PATIENCE_S = 90.0
POLL_S = 0.25
ISSUER = "https://kubernetes.default.svc.cluster.local"
PLURALS = {
    "Endpoints": "endpoints",
    "Ingress": "ingresses",
    "NetworkPolicy": "networkpolicies",
    "StorageClass": "storageclasses",
}
CLUSTER_SCOPED = frozenset({
    "Namespace", "Node", "PersistentVolume", "StorageClass", "ClusterRole", "ClusterRoleBinding",
})  # fmt: skip
GROUPS = {
    "Deployment": "apps/v1", "ReplicaSet": "apps/v1", "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1", "Job": "batch/v1", "PodDisruptionBudget": "policy/v1beta1",
    "HorizontalPodAutoscaler": "autoscaling/v1", "StorageClass": "storage.k8s.io/v1",
    "Role": "rbac.authorization.k8s.io/v1", "RoleBinding": "rbac.authorization.k8s.io/v1",
    "ClusterRole": "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
}  # fmt: skip
MERGE = "application/merge-patch+json"


class ApiError(AssertionError):
    """The API said no."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"HTTP {status}: {said}")
        self.status = status


class NotAnswered(ApiError):
    """No answer came in time: a busy machine, or a server that starts again."""

    def __init__(self, why: str) -> None:
        super().__init__(0, why)


@dataclass
class RealCluster:
    """One cluster, seen as its administrator. `scratch`: a folder for kubeconfigs."""

    kubeconfig: Path
    scratch: Path
    _client: Any = field(default=None, repr=False)

    # -- objects ------------------------------------------------------------------------

    def apply(self, namespace: str, *objects: Mapping[str, Any]) -> None:
        """Create the objects; those that exist are merged with."""
        for given in objects:
            kind, name = given["kind"], given["metadata"]["name"]
            body = {"apiVersion": GROUPS.get(kind, "v1"), **given}
            try:
                self.call("POST", self.path(kind, namespace), body)
            except ApiError as error:
                if error.status != 409:
                    raise
                self.patch(kind, namespace, name, body)

    def get(self, kind: str, namespace: str, name: str) -> Json:
        """Return one object."""
        return self.call("GET", self.path(kind, namespace, name))

    def find(self, kind: str, namespace: str, name: str) -> Json | None:
        """Return one object, None where there is none."""
        try:
            return self.get(kind, namespace, name)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def items(self, kind: str, namespace: str = "", selector: str = "") -> list[Json]:
        """Return the objects of a kind; deleted ones that still stop are left out."""
        found = self.call(
            "GET", self.path(kind, namespace), query={"labelSelector": selector} if selector else {}
        )
        return [o for o in found["items"] if "deletionTimestamp" not in o["metadata"]]

    def patch(self, kind: str, namespace: str, name: str, body: Any, how: str = MERGE) -> Json:
        """Patch one object; `how` is the patch's content type."""
        return self.call("PATCH", self.path(kind, namespace, name), body, content_type=how)

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete one object at once; none is as good."""
        with contextlib.suppress(ApiError):
            self.call("DELETE", self.path(kind, namespace, name), query={"gracePeriodSeconds": "0"})

    def path(self, kind: str, namespace: str = "", name: str = "") -> str:
        """Return the URL path of a kind or an object."""
        version = GROUPS.get(kind, "v1")
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        place = f"/namespaces/{namespace}" if namespace and kind not in CLUSTER_SCOPED else ""
        plural = PLURALS.get(kind, f"{kind.lower()}s")
        return f"{root}{place}/{plural}" + (f"/{name}" if name else "")

    # -- waiting ------------------------------------------------------------------------

    def wait(self, done: Callable[[], T], what: str, within_s: float = PATIENCE_S) -> T:
        """Return what `done` returns as soon as that is true."""
        deadline = time.monotonic() + within_s
        while True:
            with contextlib.suppress(NotAnswered):
                if found := done():
                    return found
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {within_s:g} s: {what}")
            time.sleep(POLL_S)

    def rolled_out(self, namespace: str, *names: str, within_s: float = PATIENCE_S) -> None:
        """Wait until every pod of the Deployments is of the newest template and ready."""
        for name in names:
            self.wait(
                lambda name=name: _rolled(self.get("Deployment", namespace, name)),  # type: ignore[misc]
                f"rollout of {name} in {namespace}",
                within_s,
            )

    # -- places and identities ------------------------------------------------------------

    @contextlib.contextmanager
    def namespace(self, prefix: str = "t") -> Iterator[str]:
        """Yield a namespace of this test's own; it is deleted afterwards, without waiting."""
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        self.apply("", {"kind": "Namespace", "metadata": {"name": name}})
        self.wait(
            lambda: self.find("ServiceAccount", name, "default"), f"service account of {name}"
        )
        try:
            yield name
        finally:
            self.delete("Namespace", "", name)

    def identity(
        self, namespace: str, rules: Sequence[Mapping[str, Any]] = (), *, name: str = "",
        cluster_rules: Sequence[Mapping[str, Any]] = (),
    ) -> Path:  # fmt: skip
        """Return the kubeconfig of a new service account that may do what the rules say."""
        name = name or f"id-{uuid.uuid4().hex[:6]}"
        self.apply(namespace, {"kind": "ServiceAccount", "metadata": {"name": name}})
        if rules:
            self._bind("Role", namespace, name, rules, namespace)
        if cluster_rules:
            self._bind("ClusterRole", "", f"{namespace}-{name}", cluster_rules, namespace, name)
        return self._kubeconfig_of(self._token(namespace, name), f"{namespace}-{name}")

    def environment(
        self, namespace: str, *, kubeconfig: Path | None = None, name: str = "prod",
        tier: Tier = Tier.PRODUCTION, **connections: Mapping[str, Any],
    ) -> Environment:  # fmt: skip
        """Return the bot's environment of one namespace, as that identity (default: admin)."""
        kubernetes = {"kubeconfig": str(kubeconfig or self.kubeconfig)}
        return Environment(
            name=name, tier=tier, namespaces=(namespace,), default=True,
            connections={"kubernetes": kubernetes, **connections},
        )  # fmt: skip

    def _bind(
        self, kind: str, place: str, name: str, rules: Sequence[Mapping[str, Any]],
        namespace: str, subject: str = "",
    ) -> None:  # fmt: skip
        who = {"kind": "ServiceAccount", "name": subject or name, "namespace": namespace}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
        self.apply(
            place,
            {"kind": kind, "metadata": {"name": name}, "rules": list(rules)},
            {
                "kind": f"{kind}Binding", "metadata": {"name": name}, "roleRef": reference,
                "subjects": [who],
            },
        )  # fmt: skip

    def _token(self, namespace: str, name: str) -> str:
        path = f"{self.path('ServiceAccount', namespace, name)}/token"
        spec = {"audiences": [ISSUER], "expirationSeconds": 7200}
        if self.minor >= 24:
            spec.pop("audiences")
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        return str(self.call("POST", path, body)["status"]["token"])

    def _kubeconfig_of(self, token: str, name: str) -> Path:
        raw = yaml.safe_load(self.kubeconfig.read_text())
        current = next(c for c in raw["contexts"] if c["name"] == raw["current-context"])
        context = {"cluster": current["context"]["cluster"], "user": name}
        file = self.scratch / f"{name}.kubeconfig"
        written = {
            "apiVersion": "v1", "kind": "Config", "clusters": raw["clusters"],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": name, "context": context}], "current-context": name,
        }  # fmt: skip
        file.write_text(yaml.safe_dump(written))
        return file

    # -- the wire -------------------------------------------------------------------------

    @property
    def minor(self) -> int:
        """The server's minor version: 20 of 1.20."""
        return int("".join(c for c in self.call("GET", "/version")["minor"] if c.isdigit()))

    def logs(self, namespace: str, pod: str, **query: str) -> str:
        """Return a pod's log."""
        return self._exchange("GET", f"{self.path('Pod', namespace, pod)}/log", None, "", query)

    def text(self, path: str) -> str:
        """Return what the API server says at a path, as it is. Raises: ApiError."""
        return self._exchange("GET", path, None, "", {})

    @property
    def configuration(self) -> Any:
        """The vendor's settings of the connection: host, certificates."""
        return self._connected().configuration

    def call(
        self, method: str, path: str, body: Any = None, *, query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Json:  # fmt: skip
        """Make one call. Raises: ApiError."""
        found: Json = json.loads(self._exchange(method, path, body, content_type, query or {}))
        return found

    def _exchange(
        self, method: str, path: str, body: Any, content_type: str, query: Mapping[str, str]
    ) -> str:
        serialized = self._connected().param_serialize(
            method, path, query_params=list(query.items()), body=body,
            header_params={"Accept": "*/*", "Content-Type": content_type or "application/json"},
            auth_settings=["BearerToken"],
        )  # fmt: skip
        from urllib3.exceptions import HTTPError

        try:
            answer = self._connected().call_api(*serialized, _request_timeout=(3, 30)).response
        except HTTPError as error:
            raise NotAnswered(f"{method} {path}: {error}") from error
        raw = bytes(answer.data).decode("utf-8", "replace")
        if answer.status >= 300:
            raise ApiError(answer.status, raw[:600])
        return raw

    def _connected(self) -> Any:
        if self._client is None:
            from kubernetes import client, config

            configuration = client.Configuration()
            config.load_kube_config(  # type: ignore[no-untyped-call]  # vendor
                config_file=str(self.kubeconfig), client_configuration=configuration,
                persist_config=False,
            )  # fmt: skip
            configuration.proxy = None
            configuration.retries = False
            self._client = client.ApiClient(configuration)
        return self._client


def _rolled(body: Json) -> bool:
    status, wanted = body.get("status", {}), body["spec"].get("replicas", 1)
    return (
        status.get("observedGeneration") == body["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
    )


def secret(name: str, **values: str) -> Json:
    """Return a Secret."""
    encoded = {k: base64.b64encode(v.encode()).decode() for k, v in values.items()}
    return {"kind": "Secret", "metadata": {"name": name}, "data": encoded}
