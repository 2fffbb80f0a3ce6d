"""The API server's front door: identity, paths, verbs, and answers as JSON."""

import json
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.sandbox.world.kubernetes import resources, selecting, views
from bot.sandbox.world.kubernetes.errors import (
    ApiError,
    bad_request,
    forbidden,
    no_route,
    not_found,
)
from bot.sandbox.world.kubernetes.resources import Resource
from bot.sandbox.world.records import Json
from bot.sandbox.world.running import Running, World
from bot.sandbox.world.serving import Asked, BadRequest, endpoint
from bot.sandbox.world.site import NAMESPACE

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
USERS = {
    "read-only": "system:serviceaccount:shop:sre-bot-reader",
    "nobody": "system:serviceaccount:shop:nobody",
}
WRITER = "system:serviceaccount:shop:sre-bot"


class Call:
    """One request, understood: who wants to do what to which object."""

    def __init__(self, asked: Asked, running: Running, body: Any) -> None:
        self.request, self.running, self.body = asked, running, body
        self.query = asked.query
        token = asked.headers.get("authorization", "").removeprefix("Bearer ").strip()
        self.user = USERS.get(token, WRITER)
        self.read_only = token in USERS
        self.may_nothing = self.user == USERS["nobody"]
        self.now = running.now()
        self.resource: Resource | None = None
        self.namespace = self.name = self.subresource = ""

    @property
    def site(self) -> Any:
        """Return the site that is asked."""
        return self.running.site

    @property
    def verb(self) -> str:
        """Return the RBAC verb."""
        if self.request.method == "GET":
            return "get" if self.name else "list"
        return VERBS[self.request.method]

    @property
    def dry_run(self) -> bool:
        """Return whether nothing may change. Raises: ApiError 422 on another value."""
        values = self.query.getlist("dryRun")
        if any(v != "All" for v in values):
            raise ApiError(
                422, "Invalid", f'Unsupported value: "{values[0]}": supported values: "All"'
            )
        return bool(values)


def routes(world: World) -> list[BaseRoute]:
    """Return the routes under `/world/{env}/kubernetes`."""
    run = endpoint(world, _handle, _failed)
    return [
        Route("/world/{env}/kubernetes", run, methods=METHODS),
        Route("/world/{env}/kubernetes/{path:path}", run, methods=METHODS),
    ]


def _handle(running: Running, asked: Asked) -> Response:
    try:
        call = Call(asked, running, _body(asked))
        found = answer(call, [p for p in str(asked.path.get("path", "")).split("/") if p])
    except ApiError as error:
        headers = {"Retry-After": "10"} if error.code == 429 else {}
        return JSONResponse(error.body(), status_code=error.code, headers=headers)
    if isinstance(found, str):
        return PlainTextResponse(found)
    return JSONResponse(found, status_code=201 if asked.method == "POST" else 200)


def _failed(bad: BadRequest) -> Response:
    error = no_route() if bad.code == 404 else ApiError(bad.code, "BadRequest", str(bad))
    return JSONResponse(error.body(), status_code=error.code)


def _body(asked: Asked) -> Any:
    if asked.method == "GET" or not asked.raw:
        return None
    try:
        return json.loads(asked.raw)
    except (ValueError, RecursionError) as error:
        raise bad_request(f"the body is not JSON: {str(error)[:200]}") from error


def answer(call: Call, path: list[str]) -> Any:
    """Return the JSON (or text) that answers a path. Raises: ApiError."""
    fixed = _discovery(path)
    if fixed is not None:
        return fixed
    if path[:1] == ["api"] and len(path) > 2:
        group, version, rest = "", path[1], path[2:]
    elif path[:1] == ["apis"] and len(path) > 3:
        group, version, rest = path[1], path[2], path[3:]
    else:
        raise no_route()
    if group == "authorization.k8s.io" and rest == ["selfsubjectaccessreviews"]:
        from bot.sandbox.world.kubernetes.access import review

        return review(call)
    _locate(call, (group, version), rest)
    return _dispatch(call)


def _discovery(path: list[str]) -> Any:
    """Return a fixed document, None for a path that is none."""
    single = {
        "version": resources.version,
        "api": resources.core_versions,
        "apis": resources.groups,
    }
    if len(path) == 1 and path[0] in single:
        return single[path[0]]()
    if path in (["healthz"], ["readyz"], ["livez"]):
        return "ok"
    if len(path) == 2 and path[0] == "apis":
        return resources.group(path[1])
    if len(path) == (3 if path[:1] == ["apis"] else 2):
        group = path[1] if path[0] == "apis" else ""
        return resources.resource_list(group, path[-1]) if path[0] in ("api", "apis") else None
    return None


def _locate(call: Call, group_version: tuple[str, str], rest: list[str]) -> None:
    group, version = group_version
    if rest[0] == "namespaces" and len(rest) >= 3:
        call.namespace, rest = rest[1], rest[2:]
    resource = resources.find(group, version, rest[0])
    if resource is None or len(rest) > 3:
        raise no_route()
    call.resource = resource
    call.name = rest[1] if len(rest) > 1 else ""
    call.subresource = rest[2] if len(rest) > 2 else ""
    if call.subresource and call.subresource not in resource.subresources:
        raise no_route()


def _dispatch(call: Call) -> Any:
    resource = call.resource
    assert resource is not None  # noqa: S101 - set by _locate
    what = (resource.group, resource.plural, call.name)
    if resource.plural == "secrets" or call.may_nothing:
        raise forbidden(call.user, call.verb, what)
    if call.verb in ("get", "list"):
        return _read(call, resource)
    if call.read_only:
        raise forbidden(call.user, call.verb, what)
    if call.namespace not in ("", NAMESPACE):
        raise not_found(resource.plural, call.name, resource.group)
    from bot.sandbox.world.kubernetes.writing import write

    return write(call)


def _read(call: Call, resource: Resource) -> Any:
    if not call.name:
        return listing(call, resource)
    if call.subresource == "log":
        from bot.sandbox.world.kubernetes.logs import pod_log

        return pod_log(call)
    body = one(call, resource)
    if call.subresource == "scale":
        from bot.sandbox.world.kubernetes.scaling import scale_body

        return scale_body(body)
    return body


def one(call: Call, resource: Resource) -> Json:
    """Return the object that the call names. Raises: ApiError 404."""
    if call.namespace in ("", NAMESPACE):
        for body in views.objects(call.site, resource.plural, call.now):
            if body["metadata"]["name"] == call.name:
                return body
    raise not_found(resource.plural, call.name, resource.group)


def listing(call: Call, resource: Resource) -> Json:
    """Return a list, selected and paged."""
    if call.query.get("watch") in ("1", "true", "True"):
        raise ApiError(405, "MethodNotAllowed", "watch is not supported by the sandbox")
    known = not resource.namespaced or call.namespace in ("", NAMESPACE)
    items = views.objects(call.site, resource.plural, call.now) if known else []
    labels = selecting.label_test(call.query.get("labelSelector", ""))
    fields = selecting.field_test(resource.plural, call.query.get("fieldSelector", ""))
    items = [b for b in items if labels(b) and fields(b)]
    shown, more = selecting.page(items, call.query.get("limit", ""), call.query.get("continue", ""))
    return {
        "kind": f"{resource.kind}List",
        "apiVersion": resource.api_version,
        "metadata": {"resourceVersion": str(call.site.resource_version), **more},
        "items": shown,
    }
