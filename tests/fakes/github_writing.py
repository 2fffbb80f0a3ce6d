"""GitHub for reading and writing, in memory and strict: objects, branches, requests, runs."""

import base64
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.loopback import Asked, Reply

TOKEN = "plain-t0k3n-of-the-test"
Files = dict[str, tuple[str, str]]  # path → (mode, blob's hash)


def _sha(kind: str, value: Any) -> str:
    return hashlib.sha1(f"{kind} {json.dumps(value)}".encode()).hexdigest()


@dataclass
class GitRepo:
    """`lacks`: permissions that the token has not; `lost`: answers that are computed, not sent."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    trees: dict[str, Files] = field(default_factory=dict)
    commits: dict[str, dict[str, Any]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    lacks: set[str] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)  # "POST /pulls" and the like, each once
    writes: list[str] = field(default_factory=list)
    token: str = TOKEN
    lock: threading.Lock = field(default_factory=threading.Lock)

    def commit(
        self, message: str, changes: dict[str, str | bytes | None], branch: str = "main"
    ) -> str:
        """Commit files onto a branch (None deletes); return the hash."""
        parent = self.refs.get(branch)
        files = dict(self.trees[self.commits[parent]["tree"]]) if parent else {}
        for path, content in changes.items():
            if content is None:
                del files[path]
            else:
                raw = content.encode() if isinstance(content, str) else content
                files[path] = (files.get(path, ("100644", ""))[0], self.blob(raw))
        name = self._commit(message, self.tree(files), [parent] if parent else [])
        self.refs[branch] = name
        return name

    def text(self, path: str, branch: str = "main") -> str | None:
        """Return a file of a branch."""
        found = self.trees[self.commits[self.refs[branch]]["tree"]].get(path)
        return self.blobs[found[1]].decode() if found else None

    def merge(self, number: int) -> None:
        """Merge a pull request, as a person would."""
        pull = self.pulls[number - 1]
        head = self.commits[self.refs[pull["head"]["ref"]]]
        self.refs["main"] = self._commit("Merge", head["tree"], [self.refs["main"]])
        pull.update(state="closed", merged_at="2026-01-01T00:00:00Z")

    def blob(self, raw: bytes) -> str:
        name = hashlib.sha1(b"blob %d\0%s" % (len(raw), raw)).hexdigest()
        self.blobs[name] = raw
        return name

    def tree(self, files: Files) -> str:
        name = _sha("tree", sorted(files.items()))
        self.trees[name] = files
        return name

    def _commit(self, message: str, tree: str, parents: list[str]) -> str:
        body = {"message": message, "tree": tree, "parents": parents}
        name = _sha("commit", body)
        self.commits[name] = body
        return name

    def __call__(self, asked: Asked) -> Reply:
        with self.lock:
            return self._answer(asked)

    def _answer(self, asked: Asked) -> Reply:
        if asked.headers.get("Authorization") != f"Bearer {self.token}":
            return Reply(status=401, body={"message": "Bad credentials"})
        found = re.fullmatch(r"/repos/shop/checkout(/.*)?", asked.path)
        if found is None:
            return missing()
        below = found.group(1) or ""
        reply = self._get(asked, below) if asked.method == "GET" else self._write(asked, below)
        said = f"{asked.method} {below}"
        if asked.method != "GET" and reply.status < 300:
            self.writes.append(said)
        if said in self.lost:
            self.lost.remove(said)
            return Reply(drop=True)
        return reply

    def _get(self, asked: Asked, below: str) -> Reply:
        if not below:
            return Reply(body={"default_branch": "main"})
        if below == "/pulls":
            head = asked.query["head"].removeprefix("shop:")
            return Reply(body=[p for p in reversed(self.pulls) if p["head"]["ref"] == head])
        kind, _, name = below.removeprefix("/git")[1:].rpartition("/")
        if kind == "branches":
            return self._branch(name)
        if kind == "compare":
            return self._compare(*name.split("..."))
        reader = {
            "commits": self._shown_commit,
            "trees": self._shown_tree,
            "blobs": self._shown_blob,
            "actions/runs": self._shown_run,
        }.get(kind)
        return reader(name) if reader else missing()

    def _branch(self, name: str) -> Reply:
        head = self.refs.get(name)
        if head is None:
            return missing()
        body = self.commits[head]
        commit = {"tree": {"sha": body["tree"]}, "message": body["message"]}
        return Reply(body={"name": name, "commit": {"sha": head, "commit": commit}})

    def _ancestors(self, name: str) -> set[str]:
        found, todo = set(), [name]
        while todo:
            here = todo.pop()
            if here not in found:
                found.add(here)
                todo += self.commits[here]["parents"]
        return found

    def _compare(self, base: str, head: str) -> Reply:
        if base == head:
            return Reply(body={"status": "identical"})
        ahead = base in self._ancestors(head)
        return Reply(body={"status": "ahead" if ahead else "diverged"})

    def _shown_commit(self, name: str) -> Reply:
        found = self.commits.get(name)
        if found is None:
            return Reply(status=422, body={"message": f"No commit found for SHA: {name}"})
        parents = found["parents"]
        before = self.trees[self.commits[parents[0]]["tree"]] if parents else {}
        after = self.trees[found["tree"]]
        changed = sorted(p for p in {*before, *after} if before.get(p) != after.get(p))
        return Reply(
            body={
                "sha": name,
                "tree": {"sha": found["tree"]},
                "commit": {"message": found["message"]},
                "parents": [{"sha": p} for p in parents],
                "files": [{"filename": p, "status": "modified"} for p in changed],
            }
        )

    def _shown_tree(self, name: str) -> Reply:
        files = self.trees.get(name)
        if files is None:
            return missing()
        entries = []
        for top in sorted({path.split("/")[0] for path in files}):
            if top in files:
                mode, blob = files[top]
                entries.append({"path": top, "mode": mode, "type": "blob", "sha": blob})
            else:
                below = {p[len(top) + 1 :]: e for p, e in files.items() if p.startswith(f"{top}/")}
                entries.append(
                    {"path": top, "mode": "040000", "type": "tree", "sha": self.tree(below)}
                )
        return Reply(body={"sha": name, "tree": entries, "truncated": False})

    def _shown_blob(self, name: str) -> Reply:
        raw = self.blobs.get(name)
        if raw is None:
            return missing()
        content = base64.encodebytes(raw).decode()
        return Reply(body={"encoding": "base64", "content": content, "size": len(raw)})

    def _shown_run(self, name: str) -> Reply:
        found = self.runs.get(int(name))
        return Reply(body=found) if found else missing()

    def _write(self, asked: Asked, below: str) -> Reply:
        needed = {"pulls": "pulls", "actions": "actions"}.get(below.split("/")[1], "contents")
        if needed in self.lacks:
            said = "Resource not accessible by personal access token"
            return Reply(status=403, body={"message": said})
        body = json.loads(asked.body) if asked.body else None
        if asked.method == "POST":
            return self._post(below, body)
        pull = re.fullmatch(r"/pulls/(\d+)", below)
        if asked.method == "PATCH" and pull and body == {"state": "closed"}:
            self.pulls[int(pull[1]) - 1]["state"] = "closed"
            return Reply(body=self.pulls[int(pull[1]) - 1])
        ref = below.removeprefix("/git/refs/heads/")
        if asked.method == "DELETE" and self.refs.pop(ref, None):
            return Reply(status=204)
        return missing()

    def _post(self, below: str, body: Any) -> Reply:
        makers = {
            "/git/trees": self._make_trees,
            "/git/commits": self._make_commits,
            "/git/refs": self._make_refs,
            "/pulls": self._make_pulls,
        }
        run = re.fullmatch(r"/actions/runs/(\d+)/(rerun|rerun-failed-jobs)", below)
        if run:
            return self._rerun(int(run[1]))
        return makers[below](body) if below in makers else missing()

    def _make_trees(self, body: Any) -> Reply:
        files = dict(self.trees[body["base_tree"]])
        for entry in body["tree"]:
            assert entry["mode"] in ("100644", "100755"), entry
            assert entry["type"] == "blob"
            if "content" in entry:
                files[entry["path"]] = (entry["mode"], self.blob(entry["content"].encode()))
            elif entry["sha"] is None:
                del files[entry["path"]]  # GitHub refuses what is not there
            else:
                assert entry["sha"] in self.blobs
                files[entry["path"]] = (entry["mode"], entry["sha"])
        return Reply(status=201, body={"sha": self.tree(files)})

    def _make_commits(self, body: Any) -> Reply:
        assert body["tree"] in self.trees
        name = self._commit(body["message"], body["tree"], body["parents"])
        return Reply(status=201, body={"sha": name})

    def _make_refs(self, body: Any) -> Reply:
        branch = body["ref"].removeprefix("refs/heads/")
        if branch in self.refs:
            return Reply(status=422, body={"message": "Reference already exists"})
        assert body["sha"] in self.commits
        self.refs[branch] = body["sha"]
        return Reply(status=201, body={"ref": body["ref"]})

    def _make_pulls(self, body: Any) -> Reply:
        there = [p for p in self.pulls if p["head"]["ref"] == body["head"] and p["state"] == "open"]
        if there or body["head"] not in self.refs or body["base"] not in self.refs:
            return Reply(status=422, body={"message": "Validation Failed"})
        number = len(self.pulls) + 1
        made = {
            "number": number,
            "state": "open",
            "merged_at": None,
            "html_url": f"https://git.example/shop/checkout/pull/{number}",
            "title": body["title"],
            "body": body["body"],
            "head": {"ref": body["head"]},
        }
        self.pulls.append(made)
        return Reply(status=201, body=made)

    def _rerun(self, number: int) -> Reply:
        run = self.runs[number]
        if run["status"] != "completed":
            return Reply(status=403, body={"message": "This workflow is already running"})
        run.update(run_attempt=run["run_attempt"] + 1, status="queued", conclusion=None)
        return Reply(status=201, body={})


def missing() -> Reply:
    return Reply(status=404, body={"message": "Not Found"})
