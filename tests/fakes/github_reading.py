"""GitHub's REST API for reading, in memory and strict: what it does not document it refuses."""

import base64
import re
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.loopback import Asked, Reply

TOKEN = "plain-t0k3n-of-the-test"
LISTS = {
    "commits": {"sha", "path", "since", "until", "author", "committer"},
    "deployments": {"sha", "ref", "task", "environment"},
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def sha(number: int) -> str:
    return f"{number:040x}"


@dataclass
class Repo:
    """Commits from oldest to newest, deployments likewise, file texts by (path, commit)."""

    commits: list[dict[str, Any]] = field(default_factory=list)
    deployments: list[dict[str, Any]] = field(default_factory=list)
    statuses: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)

    def commit(self, at: str, message: str, *files: dict[str, Any]) -> str:
        name = sha(len(self.commits) + 1)
        before = [{"sha": self.commits[-1]["sha"]}] if self.commits else []
        self.commits.append(
            {
                "sha": name,
                "commit": {"message": message, "committer": {"date": at, "email": "a@b.example"}},
                "parents": before,
                "files": list(files),
            }
        )
        return name

    def deploy(self, at: str, name: str, *states: tuple[str, str], ref: str = "main") -> int:
        number = 1000 + len(self.deployments)
        self.deployments.append(
            {
                "id": number,
                "sha": name,
                "ref": ref,
                "task": "deploy",
                "environment": "prod",
                "created_at": at,
            }
        )
        self.statuses[number] = [{"state": s, "created_at": t} for s, t in reversed(states)]
        return number


@dataclass
class GitHubServer:
    """`broken`: path → the reply instead."""

    repos: dict[str, Repo]
    broken: dict[str, Reply] = field(default_factory=dict)

    def __call__(self, asked: Asked) -> Reply:
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Reply(status=401, body={"message": "Bad credentials"})
        if asked.headers.get("X-GitHub-Api-Version") != "2022-11-28":
            return Reply(status=400, body={"message": "no version"})
        for path, reply in self.broken.items():
            if re.fullmatch(path, asked.path):
                return reply
        assert asked.method == "GET"
        if asked.path == "/rate_limit":
            return Reply(body={"resources": {"core": {"limit": 5000, "remaining": 4990}}})
        return self._repo(asked)

    def _repo(self, asked: Asked) -> Reply:
        found = re.fullmatch(r"/repos/([^/]+/[^/]+)(?:/(.+))?", asked.path)
        repo = self.repos.get(found.group(1)) if found else None
        if found is None or repo is None:
            return Reply(status=404, body={"message": "Not Found"})
        below = (found.group(2) or "").split("/")
        if below in (["commits"], ["deployments"]):
            return self._list(repo, below[0], asked)
        if below == [""]:
            return Reply(body={"full_name": "x"})
        return self._one(repo, below, asked)

    def _list(self, repo: Repo, what: str, asked: Asked) -> Reply:
        query = dict(asked.query)
        size, page = int(query.pop("per_page", "30")), int(query.pop("page", "1"))
        if size > 100 or set(query) - LISTS[what]:
            return Reply(status=422, body={"message": "Validation Failed"})
        items = repo.commits if what == "commits" else repo.deployments
        kept = [i for i in reversed(items) if listed(i, query)]
        shown = [{k: v for k, v in i.items() if k != "files"} for i in kept]
        return Reply(body=shown[(page - 1) * size : page * size])

    def _one(self, repo: Repo, below: list[str], asked: Asked) -> Reply:
        if below[0] == "contents":
            return contents(repo, "/".join(below[1:]), asked.query["ref"])
        if below[0] == "commits":
            found = [c for c in repo.commits if c["sha"] == below[1]]
            return Reply(body=found[0]) if found else Reply(status=422)
        if below[0] == "compare":
            return compared(repo, *below[1].split("..."))
        if below[0] == "deployments" and below[2:] == ["statuses"]:
            return Reply(body=repo.statuses[int(below[1])])
        return Reply(status=404, body={"message": "Not Found"})


def contents(repo: Repo, path: str, ref: str) -> Reply:
    text = repo.texts.get((path, ref))
    if text is None:
        return Reply(status=404, body={"message": "Not Found"})
    content = base64.encodebytes(text.encode()).decode()
    return Reply(body={"encoding": "base64", "content": content})


def listed(item: dict[str, Any], query: dict[str, str]) -> bool:
    if "environment" in item:
        return bool(item["environment"] == query.get("environment", item["environment"]))
    assert all(MOMENT.fullmatch(query[k]) for k in ("since", "until") if k in query)
    date = item["commit"]["committer"]["date"]
    inside = query.get("since", "") <= date <= query.get("until", "9")
    path = query.get("path", "")
    return bool(inside and (not path or any(f["filename"].startswith(path) for f in item["files"])))


def compared(repo: Repo, base: str, head: str) -> Reply:
    names = [c["sha"] for c in repo.commits]
    if base not in names or head not in names:
        return Reply(status=404)
    start, end = names.index(base), names.index(head)
    brought = repo.commits[start + 1 : end + 1]
    return Reply(
        body={
            "status": "ahead" if end > start else "behind",
            "commits": [{k: v for k, v in c.items() if k != "files"} for c in brought],
            "files": [f for c in brought for f in c["files"]],
        }
    )
