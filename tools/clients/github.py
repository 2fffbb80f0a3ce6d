"""GitHub's REST API of one environment: which repository a service is in, commits, deployments.

Source: docs.github.com/en/rest (API version 2022-11-28; GitHub Enterprise Server has the same).
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.domain.environment import Environment
from bot.domain.errors import Malformed, NotConfigured, UnknownName
from tools.clients.http import HttpSource, Params
from tools.clients.moments import iso
from tools.clients.settings import connection, public_url, secret_of, url_of

SYSTEM = "GitHub"
PUBLIC_API = "https://api.github.com"
PAGE = 100  # the most that GitHub gives at once
PAGES = 5
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
_SHA = re.compile(r"[0-9a-f]{7,64}")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Where a service's code is. `path`: its folder, "" for all; `branch`: "" for the default."""

    name: str  # "owner/name"
    path: str = ""
    branch: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Things of a list, newest first. `more`: the limit left some out."""

    items: tuple[Json, ...]
    more: bool = False


class GitHub:
    """One GitHub. `repositories` are those of the environment's services, by service."""

    def __init__(
        self, source: HttpSource, repositories: Mapping[str, Repository], environment: str
    ) -> None:
        self.source, self.repositories, self.environment = source, repositories, environment

    @classmethod
    def of(cls, environment: Environment, *, timeout_s: float = 5.0) -> "GitHub | None":
        """Return the GitHub of an environment, None if none is configured.

        Settings: token_file; repositories ({service: "owner/name" or {repository, path, branch}});
        environment (as GitHub calls it, default: the environment's name); url (of the API, for
        GitHub Enterprise). Raises: NotConfigured: names the setting.
        """
        settings = connection(environment, "github")
        if settings is None:
            return None
        url = url_of(environment, "github") if "url" in settings else PUBLIC_API
        token = secret_of(environment, "github", "token_file")
        source = HttpSource(
            "github", url or PUBLIC_API, token=token, timeout_s=timeout_s, headers=HEADERS
        )
        source.system = SYSTEM
        repositories = _repositories(settings.get("repositories"), environment.name)
        return cls(source, repositories, str(settings.get("environment") or environment.name))

    def repository(self, service: str) -> Repository:
        """Return where a service's code is. Raises: UnknownName: the settings do not say."""
        found = self.repositories.get(service)
        if found is None:
            raise UnknownName("service", service, place="connections.github.repositories")
        return found

    async def get(self, path: str, params: Params = ()) -> Json:
        """Return the object at a path of the API.

        Raises: Unavailable, Refused, Malformed; UnknownName: not there, or not for this token.
        """
        found = await self.source.get(path, params)
        if not isinstance(found, dict):
            raise Malformed(f"{SYSTEM}: the answer of {path} is not an object")
        return found

    async def pages(self, path: str, params: Mapping[str, str], *, most: int) -> Page:
        """Return at most `most` objects of the list at a path. Raises: as `get`."""
        items: list[Json] = []
        for number in range(1, PAGES + 1):
            query = {**params, "per_page": str(PAGE), "page": str(number)}
            page = _objects(await self.source.get(path, query), path)
            items.extend(page)
            if len(page) < PAGE or len(items) > most:
                break
        whole = len(items) <= most and len(items) < PAGE * PAGES
        return Page(items=tuple(items[:most]), more=not whole)

    async def allowance(self) -> str:
        """Return how many requests the token has left this hour. Raises: as `get`."""
        found = await self.get("/rate_limit")
        rate = (found.get("resources") or {}).get("core") or {}
        return f"{rate.get('remaining', '?')} of {rate.get('limit', '?')} requests left"

    async def commits(
        self, repository: Repository, since: datetime, until: datetime, *, most: int
    ) -> Page:
        """Return the commits of [since, until] that touch the service. Raises: as `get`."""
        params = {"since": iso(since), "until": iso(until)}
        if repository.branch:
            params["sha"] = repository.branch
        if repository.path:
            params["path"] = repository.path
        return await self.pages(f"/repos/{repository.name}/commits", params, most=most)

    async def commit(self, repository: Repository, sha: str) -> Json:
        """Return one commit with its files and patches. Raises: as `get`."""
        return await self.get(f"/repos/{repository.name}/commits/{checked_sha(sha)}")

    async def compare(self, repository: Repository, base: str, head: str) -> Json:
        """Return what head has and base has not: commits and files. Raises: as `get`."""
        between = f"{checked_sha(base)}...{checked_sha(head)}"
        return await self.get(f"/repos/{repository.name}/compare/{between}")

    async def deployments(self, repository: Repository, *, most: int) -> Page:
        """Return deployments to the environment, newest first. Raises: as `get`."""
        params = {"environment": self.environment}
        return await self.pages(f"/repos/{repository.name}/deployments", params, most=most)

    async def statuses(self, repository: Repository, deployment: int) -> tuple[Json, ...]:
        """Return a deployment's statuses, newest first. Raises: as `get`."""
        path = f"/repos/{repository.name}/deployments/{deployment}/statuses"
        return tuple(_objects(await self.source.get(path, {"per_page": str(PAGE)}), path))

    async def text(self, repository: Repository, path: str, ref: str) -> str:
        """Return a file's text at a commit or branch. Raises: as `get`."""
        found = await self.get(
            f"/repos/{repository.name}/contents/{quote(path.strip('/'))}", {"ref": ref}
        )
        return _decoded(found, path)

    def page(self, repository: Repository, kind: str, name: str) -> str:
        """Return the page on which a person sees a commit or tree."""
        site = "https://github.com"
        if self.source.url != PUBLIC_API:
            site = public_url(self.source.url).removesuffix("/api/v3")
        return f"{site}/{repository.name}/{kind}/{quote(name, safe='')}"


def checked_sha(sha: Any) -> str:
    """Return a commit's hash. Raises: Malformed: it is none, and would end up in a path."""
    text = str(sha)
    if not _SHA.fullmatch(text):
        raise Malformed(f"{SYSTEM}: a commit has no hash")
    return text


def _objects(found: Any, path: str) -> Sequence[Json]:
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise Malformed(f"{SYSTEM}: the answer of {path} is not a list of objects")
    return found


def _decoded(found: Json, path: str) -> str:
    content = found.get("content")
    if found.get("encoding") != "base64" or not isinstance(content, str):
        raise Malformed(f"{SYSTEM}: {path} is not a file, or too large to be read")
    try:
        return base64.b64decode(content).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise Malformed(f"{SYSTEM}: {path} is not text") from None


def _repositories(raw: Any, environment: str) -> dict[str, Repository]:
    where = f"environment {environment}: connections.github.repositories"
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise NotConfigured(f"{where} must be an object of services")
    return {
        str(service): repository_of(value, f"{where}.{service}") for service, value in raw.items()
    }


def repository_of(raw: Any, where: str) -> Repository:
    """Return the repository that a setting names. Raises: NotConfigured: names `where`."""
    fields = raw if isinstance(raw, Mapping) else {"repository": raw}
    name = str(fields.get("repository") or "")
    if not _NAME.fullmatch(name) or {".", ".."} & set(name.split("/")):
        raise NotConfigured(f'{where} must be "owner/name", or an object with `repository`')
    unknown = set(fields) - {"repository", "path", "branch"}
    if unknown:
        raise NotConfigured(f"{where} has no setting `{sorted(map(str, unknown))[0]}`")
    return Repository(
        name=name,
        path=str(fields.get("path") or "").strip("/"),
        branch=str(fields.get("branch") or ""),
    )
