"""The Kubernetes API of one environment as plain JSON: list, get, write, logs, sorted errors."""

import asyncio
import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

from bot.domain.environment import Environment
from bot.domain.errors import Malformed, Refused, Unavailable, UnknownName
from tools.clients.kubernetes_connection import CONNECTING, POOL, connect
from tools.clients.kubernetes_errors import Request, api_error
from tools.clients.kubernetes_kinds import resource_of, version_to_use
from tools.clients.settings import connection
from tools.clients.shapes import all_shaped, shaped
from tools.clients.threads import Threads

SYSTEM = "Kubernetes"
PAGE = 500
MAX_ITEMS = 5000
MAX_BYTES = 64 * 1024 * 1024
CHUNK = 256 * 1024
VERSION = Request(verb="get", resource="version", method="GET", path="/version")


class Patch(StrEnum):
    """How a patch's body is to be read."""

    MERGE = "application/merge-patch+json"
    JSON = "application/json-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Objects of one kind. `more` is how many the limit left out (0: complete)."""

    items: tuple[dict[str, Any], ...]
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: the body, and the server's own time as it writes it ("": it does not)."""

    raw: bytes
    date: str


class Kubernetes:
    """One cluster, through the official client: imported at the first call, run in threads."""

    def __init__(self, environment: Environment, *, timeout_s: float = 8.0) -> None:
        self.environment, self.timeout_s = environment.name, timeout_s
        self.namespaces = environment.namespaces
        self._source = environment
        self._threads = Threads("kubernetes", workers=POOL)
        self._client: Any = None
        self._versions: Mapping[str, Sequence[str]] | None = None
        self._lock = asyncio.Lock()
        self._signing = threading.Lock()  # a token that ran out is asked for once
        self.strict = False  # whether one odd object of a list refuses the whole: for acting

    @classmethod
    def of(cls, environment: Environment, *, timeout_s: float = 8.0) -> "Kubernetes | None":
        """Return the cluster of an environment, None when none is configured."""
        if connection(environment, "kubernetes") is None:
            return None
        return cls(environment, timeout_s=timeout_s)

    async def version(self) -> str:
        """Return the server's version, "v1.34.1". Raises: as `call`."""
        return str((await self.call(VERSION)).get("gitVersion", "unknown"))

    async def serves(self, kind: str) -> bool:
        """Whether the API has this kind. Raises: Unavailable."""
        await self._discover()
        return version_to_use(resource_of(kind), self._versions) is not None

    async def now(self) -> datetime:
        """Return the API server's own time, aware UTC: what its timestamps are to be compared with.

        Raises: as `call`; Malformed: the server does not tell the time.
        """
        answer = await self._threads.run(self._exchange, VERSION, MAX_BYTES)
        try:
            moment = parsedate_to_datetime(answer.date)
        except (TypeError, ValueError):
            raise Malformed(f"{SYSTEM}: the server does not tell the time") from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    async def list(
        self,
        kind: str,
        namespace: str = "",
        *,
        selector: str = "",
        fields: str = "",
        limit: int = MAX_ITEMS,
    ) -> Listing:
        """Return objects of one kind, of one namespace (empty: all, or a cluster-scoped kind).

        `selector` chooses by labels, `fields` by fields ("spec.nodeName=worker-2").

        Raises: UnknownName: the API does not have the kind; Refused; Unavailable; Malformed.
        """
        path, resource = await self._path(kind, namespace)
        items: list[dict[str, Any]] = []
        token = ""
        while True:
            query = {"limit": str(min(PAGE, limit - len(items))), "continue": token}
            query["labelSelector"], query["fieldSelector"] = selector, fields
            page = await self.call(
                Request(
                    verb="list",
                    resource=resource,
                    method="GET",
                    path=path,
                    namespace=namespace,
                    query=query,
                )
            )
            found = _items(page, kind)
            items.extend(all_shaped(found, kind) if self.strict else found)
            metadata = page.get("metadata") or {}
            token = str(metadata.get("continue") or "")
            if not token:
                return Listing(items=tuple(items))
            if len(items) >= limit:
                return Listing(
                    items=tuple(items), more=int(metadata.get("remainingItemCount") or 1)
                )

    async def get(self, kind: str, namespace: str, name: str) -> dict[str, Any]:
        """Return one object. Raises: UnknownName, Refused, Unavailable, Malformed."""
        path, resource = await self._path(kind, namespace)
        found = await self.call(
            Request(
                verb="get",
                resource=resource,
                method="GET",
                path=f"{path}/{name}",
                namespace=namespace,
                kind=kind,
                name=name,
            )
        )
        return shaped(found, kind)

    async def patch(
        self, kind: str, namespace: str, name: str, body: Any, *, how: Patch, dry_run: bool = False
    ) -> dict[str, Any]:
        """Patch one object and return it as it is (or, in a dry-run, as it would be) afterwards.

        Raises: Conflict: a `resourceVersion` in the body is stale; UnknownName; Refused; Malformed:
        the API does not accept the result; Unavailable: not known whether it was done.
        """
        path, resource = await self._path(kind, namespace)
        return await self.call(
            Request(
                verb="patch",
                resource=resource,
                method="PATCH",
                path=f"{path}/{name}",
                namespace=namespace,
                kind=kind,
                name=name,
                body=body,
                content_type=how.value,
                query={"dryRun": "All" if dry_run else "", "fieldManager": "sre-bot"},
            )
        )

    async def create(
        self, kind: str, namespace: str, body: Any, *, below: str = "", dry_run: bool = False
    ) -> dict[str, Any]:
        """Create an object, or a subresource (`below` = "name/eviction"). Raises: as `patch`."""
        path, resource = await self._path(kind, namespace)
        name, _, sub = below.partition("/")
        return await self.call(
            Request(
                verb="create",
                resource=f"{resource}/{sub}" if sub else resource,
                method="POST",
                path=f"{path}/{below}" if below else path,
                namespace=namespace,
                kind=kind,
                name=name,
                body=body,
                query={"dryRun": "All" if dry_run else ""},
            )
        )

    async def delete(
        self, kind: str, namespace: str, name: str, options: Any, *, dry_run: bool = False
    ) -> dict[str, Any]:
        """Delete one object under `options` (a DeleteOptions: preconditions, grace, propagation).

        Raises: Conflict: a precondition does not hold; otherwise as `patch`.
        """
        path, resource = await self._path(kind, namespace)
        body = {"apiVersion": "v1", "kind": "DeleteOptions", **options}
        if dry_run:
            body["dryRun"] = ["All"]
        return await self.call(
            Request(
                verb="delete",
                resource=resource,
                method="DELETE",
                path=f"{path}/{name}",
                namespace=namespace,
                kind=kind,
                name=name,
                body=body,
                query={"dryRun": "All" if dry_run else ""},
            )
        )

    async def logs(
        self, namespace: str, pod: str, *, query: Mapping[str, str], max_bytes: int
    ) -> str:
        """Return a container's log text with timestamps, at most `max_bytes`. Raises: as `get`."""
        path, _ = await self._path("Pod", namespace)
        asked = Request(
            verb="get",
            resource="pods/log",
            method="GET",
            path=f"{path}/{pod}/log",
            kind="Pod",
            namespace=namespace,
            name=pod,
            query={**query, "timestamps": "true", "limitBytes": str(max_bytes)},
        )
        return await self.text(asked, max_bytes + CHUNK)

    async def text(self, request: Request, max_bytes: int) -> str:
        """Make one call and return what it answers as text. Raises: see `api_error`; Malformed."""
        answer = await self._threads.run(self._exchange, request, max_bytes)
        return answer.raw.decode("utf-8", "replace")

    async def api_version(self, kind: str) -> str:
        """Return the apiVersion that this server takes for a kind. Raises: UnknownName."""
        await self._discover()
        resource = resource_of(kind)
        version = version_to_use(resource, self._versions)
        if version is None:
            raise UnknownName("kind", kind, place=f"the Kubernetes API of {self.environment}")
        return f"{resource.group}/{version}" if resource.group else version

    async def call(self, request: Request) -> dict[str, Any]:
        """Make one call and return its JSON object. Raises: see `api_error`; Malformed."""
        answer = await self._threads.run(self._exchange, request, MAX_BYTES)
        try:
            found = json.loads(answer.raw)
        except (ValueError, RecursionError):
            raise Malformed(f"{SYSTEM}: the answer of {request.path} is not JSON") from None
        if not isinstance(found, dict):
            raise Malformed(f"{SYSTEM}: the answer of {request.path} is not an object")
        return found

    async def _path(self, kind: str, namespace: str) -> tuple[str, str]:
        resource = resource_of(kind)
        root = "/apis" if resource.group else "/api"
        place = f"/namespaces/{namespace}" if namespace and resource.namespaced else ""
        version = await self.api_version(kind)
        dotted = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
        return f"{root}/{version}{place}/{resource.plural}", dotted

    async def _discover(self) -> None:
        async with self._lock:
            if self._versions is not None:
                return
            asked = Request(verb="get", resource="apis", method="GET", path="/apis")
            try:
                found = await self.call(asked)
            except (UnknownName, Refused, Malformed):
                self._versions = {}  # no discovery here: the newest version of each kind is tried
                return
            self._versions = _group_versions(found)

    def _exchange(self, request: Request, max_bytes: int) -> Answer:
        """Make one HTTP exchange in this thread. Raises: see `api_error`."""
        import urllib3.exceptions
        from kubernetes.client.exceptions import ApiException
        from kubernetes.config import ConfigException

        client = self._connected()
        deadline = time.monotonic() + self.timeout_s
        query = [(k, v) for k, v in request.query.items() if v]
        try:
            with self._signing:
                serialized = client.param_serialize(
                    request.method,
                    request.path,
                    query_params=query,
                    body=request.body,
                    header_params={
                        "Accept": "application/json",
                        "Content-Type": request.content_type,
                    },
                    auth_settings=["BearerToken"],
                )
            answer = client.call_api(
                *serialized, _request_timeout=(min(3.0, self.timeout_s), self.timeout_s)
            ).response
            raw = _read(answer, max_bytes, deadline)
        except urllib3.exceptions.NewConnectionError as error:  # a TimeoutError to urllib3
            raise Unavailable(SYSTEM, _no_connection(error), retry_after_s=0.5) from None
        except ConfigException:
            raise Unavailable(SYSTEM, "no credentials: what gives them failed") from None
        except (urllib3.exceptions.TimeoutError, TimeoutError):
            raise Unavailable(
                SYSTEM, f"timed out after {self.timeout_s:g} s", retry_after_s=self.timeout_s
            ) from None
        except (urllib3.exceptions.HTTPError, ApiException, OSError) as error:
            raise Unavailable(SYSTEM, _no_connection(error), retry_after_s=0.5) from None
        if not 200 <= answer.status < 300:
            raise api_error(request, answer.status, raw, answer.headers)
        return Answer(raw=raw, date=str(answer.headers.get("Date") or ""))

    def _connected(self) -> Any:
        with CONNECTING:
            if self._client is None:
                self._client = connect(self._source)
            return self._client


def _read(answer: Any, max_bytes: int, deadline: float) -> bytes:
    body = bytearray()
    for chunk in answer.stream(CHUNK, decode_content=True):
        body += chunk
        if len(body) > max_bytes:
            answer.close()
            raise Malformed(f"{SYSTEM}: the answer has more than {max_bytes} bytes")
        if time.monotonic() > deadline:
            answer.close()
            raise TimeoutError
    answer.release_conn()
    return bytes(body)


def _no_connection(error: Exception) -> str:
    words = "the TLS certificate was not accepted" if "SSL" in str(error) else "no connection"
    return f"{words} ({type(error).__name__})"


def _items(page: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    items = page.get("items", "none") or []  # Go writes an empty list as null
    if not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
        raise Malformed(f"{SYSTEM}: the list of {kind} has no items")
    for item in items:  # lists leave both out of their items
        item.setdefault("kind", kind)
        item.setdefault("apiVersion", page.get("apiVersion", "v1"))
    return items


def _group_versions(found: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    groups = found.get("groups")
    return {
        str(g.get("name")): tuple(str(v.get("version")) for v in g.get("versions") or ())
        for g in (groups if isinstance(groups, list) else ())
        if isinstance(g, dict)
    }
