"""Proposes a change of files as a pull request, once; shows it before, and takes it back.

A branch of a name that follows from what is asked keeps two of the same from standing side by side;
the execution's key is in the request's text. Nothing is merged here: a person does that.
Source: docs.github.com/en/rest/git/trees, /git/commits, /git/refs, /pulls.
"""

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.domain.action import Applied, BlastRadius
from bot.domain.errors import Conflict, Malformed, Refused, UnknownName
from bot.domain.redaction import printable, redact
from tools.clients.git_objects import Entry, Head, blob_sha
from tools.clients.github import SYSTEM, GitHub, Repository
from tools.clients.parts import part, text

PREFIX = "sre-bot-"
MARK = "sre-bot-key:"
MAX_LINES = 400
CONTENTS, PULLS, ACTIONS = "Contents: write", "Pull requests: write", "Actions: write"
RULE = "github-permission"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One path before and after. `text` is the new text; else `after` is what to put there."""

    path: str
    before: Entry | None
    after: Entry | None = None
    text: str | None = None
    old_text: str | None = None  # None: nothing that can be shown as text
    new_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a pull request says: its title, and what it is for."""

    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """One as it is now."""

    number: int
    state: str  # "open", "closed", "merged"
    link: str
    text: str

    @property
    def words(self) -> str:
        """How people speak of it: "pull request #12 (open)"."""
        return f"pull request #{self.number} ({self.state}) {self.link}".strip()


class PullRequests:
    """Those of one repository that the bot makes."""

    def __init__(self, github: GitHub, repository: Repository) -> None:
        self._github, self._name = github, repository.name
        self._root = f"/repos/{repository.name}"

    async def of(self, branch: str) -> PullRequest | None:
        """Return the newest pull request from a branch, None if there never was one."""
        owner = self._name.partition("/")[0]
        query = {"head": f"{owner}:{branch}", "state": "all"}
        page = await self._github.pages(f"{self._root}/pulls", query, most=20)
        found = [_pull(item) for item in page.items if _from(item, branch)]
        return max(found, key=lambda pull: pull.number, default=None)

    async def under(self, branch: str, key: str) -> PullRequest | None:
        """Return the pull request that was made under this key, None if there is none."""
        found = await self.of(branch)
        return found if found is not None and _mark(key) in found.text else None

    async def began(self, branch: str, key: str) -> bool:
        """Whether this key made the branch, whatever came after."""
        return _mark(key) in await self._said(branch)

    async def open(
        self, branch: str, head: Head, edits: Sequence[Edit], words: Words, key: str
    ) -> Applied:
        """Make the branch and the pull request, whichever is not there yet.

        Raises: Conflict: the branch is left over from an earlier request; Refused: names the
        permission that is missing; Unavailable: not known how far it came.
        """
        there = await self.of(branch)
        if there is not None and there.state == "open":
            return Applied(changed=False, detail=f"{there.words} proposes it already")
        if there is not None and _mark(key) in there.text:
            return Applied(changed=False, detail=f"{there.words}: done before under this key")
        said = await self._said(branch)
        if said and _mark(key) not in said:
            raise Conflict(f"the branch {branch} is left over from before: delete it first")
        if not said:
            await self._branch(branch, head, edits, words, key)
        return await self._request(branch, head, words, key)

    async def _request(self, branch: str, head: Head, words: Words, key: str) -> Applied:
        body = {
            "title": words.title,
            "head": branch,
            "base": head.branch,
            "body": f"{words.body}\n\n<!-- {_mark(key)} -->",
        }
        try:
            made = _pull(await self._send("POST", f"{self._root}/pulls", body, PULLS))
        except Malformed:
            there = await self.under(branch, key)
            if there is None:
                raise
            return Applied(changed=False, detail=f"{there.words}: made under this key just now")
        return Applied(changed=True, detail=f"{made.words} waits for somebody to merge it")

    async def close(self, branch: str) -> Applied:
        """Close the open pull request of a branch and delete the branch.

        Raises: Conflict: it is merged already, or there is none.
        """
        found = await self.of(branch)
        if found is None:
            raise Conflict(f"there is no pull request from {branch}")
        if found.state == "merged":
            raise Conflict(f"{found.words}: it is merged, so a person has to revert it")
        if found.state == "open":
            path = f"{self._root}/pulls/{found.number}"
            await self._send("PATCH", path, {"state": "closed"}, PULLS)
        if await self._said(branch):
            await self._send("DELETE", f"{self._root}/git/refs/heads/{_quoted(branch)}", None,
                             CONTENTS)  # fmt: skip
        return Applied(changed=found.state == "open", detail=f"pull request #{found.number} closed")

    async def _branch(
        self, branch: str, head: Head, edits: Sequence[Edit], words: Words, key: str
    ) -> None:
        entries = [_tree_entry(edit) for edit in edits]
        tree = await self._made("git/trees", {"base_tree": head.tree, "tree": entries})
        message = f"{words.title}\n\n{words.body}\n\n{_mark(key)}"
        commit = await self._made(
            "git/commits", {"message": message, "tree": tree, "parents": [head.commit]}
        )
        try:
            await self._made("git/refs", {"ref": f"refs/heads/{branch}", "sha": commit})
        except Malformed:
            if not await self.began(branch, key):  # else another call under this key was quicker
                raise

    async def _made(self, what: str, body: Mapping[str, Any]) -> str:
        found = await self._send("POST", f"{self._root}/{what}", body, CONTENTS)
        return text(found, "sha")

    async def _said(self, branch: str) -> str:
        """Return the message of the branch's last commit, "" without the branch."""
        try:
            found = await self._github.get(f"{self._root}/branches/{_quoted(branch)}")
        except UnknownName:
            return ""
        return text(found, "commit", "commit", "message") or " "

    async def _send(self, method: str, path: str, body: Any, needed: str) -> Mapping[str, Any]:
        return await send(self._github, method, path, body, f"{needed} on {self._name}")


async def send(github: GitHub, method: str, path: str, body: Any, needed: str) -> Mapping[str, Any]:
    """Make a writing call. Raises: Refused: the token lacks `needed`; else as `GitHub.get`."""
    try:
        found = await github.source.send(method, path, body=body)
    except (Refused, UnknownName) as error:
        # GitHub answers 404 where a token may not write, as if nothing were there.
        said = f"{SYSTEM} does not let the bot do this: its token needs {needed}"
        raise Refused(said, rule=RULE) from error
    return found if isinstance(found, dict) else {}


def no_pods(service: str) -> BlastRadius:
    """Return the radius of what touches no pod by itself."""
    return BlastRadius(
        pods=0,
        pods_total=0,
        workload_ratio=0.0,
        fleet_ratio=0.0,
        namespaces=0,
        services=(service,) if service else (),
    )


def branch_name(what: str, *parts: Any) -> str:
    """Return the branch for what is asked: the same for the same, another for anything else."""
    canonical = json.dumps(parts, sort_keys=True, default=str)
    return f"{PREFIX}{what}-{hashlib.sha256(canonical.encode()).hexdigest()[:12]}"


def state_hash(edits: Sequence[Edit], *parts: str) -> str:
    """Return SHA-256 of what the files are now: what an approval is bound to."""
    now = sorted((e.path, e.before.mode, e.before.sha) if e.before else (e.path, "", "")
                 for e in edits)  # fmt: skip
    return hashlib.sha256(json.dumps([list(parts), now]).encode()).hexdigest()


def files_diff(edits: Sequence[Edit]) -> str:
    """Return the unified diff of all files, redacted; each file's hash binds its content."""
    lines = [line for edit in sorted(edits, key=lambda e: e.path) for line in _file_diff(edit)]
    if len(lines) > MAX_LINES:
        lines = [*lines[:MAX_LINES], f"… {len(lines) - MAX_LINES} more lines"]
    whole = hashlib.sha256("".join(sorted(map(_after_sha, edits))).encode()).hexdigest()[:12]
    return redact(printable("\n".join([f"files after: {whole}", *lines]))) if edits else ""


def one_line(text: str, most: int = 80) -> str:
    """Return foreign text as it may stand in a title: one line, mentioning nobody."""
    line = " ".join(printable(text).split())[:most]
    return redact(line).replace("@", "@\u200b").replace("`", "'").replace("<", "(")


def _file_diff(edit: Edit) -> list[str]:
    before, after = (edit.before.sha[:12] if edit.before else "none"), _after_sha(edit)[:12]
    old, new = f"a/{edit.path} ({before})", f"b/{edit.path} ({after or 'none'})"
    if edit.old_text is None or edit.new_text is None:
        return [f"--- {old}", f"+++ {new}", "not shown: it is not text"]
    return list(
        difflib.unified_diff(
            edit.old_text.splitlines(),
            edit.new_text.splitlines(),
            fromfile=old,
            tofile=new,
            lineterm="",
        )
    ) or [f"--- {old}", f"+++ {new}"]


def _after_sha(edit: Edit) -> str:
    if edit.text is not None:
        return blob_sha(edit.text)
    return edit.after.sha if edit.after else ""


def _tree_entry(edit: Edit) -> dict[str, Any]:
    model = edit.after or edit.before
    mode, kind = (model.mode, model.kind) if model else ("100644", "blob")
    entry: dict[str, Any] = {"path": edit.path, "mode": mode, "type": kind}
    if edit.text is not None:
        return {**entry, "content": edit.text}
    return {**entry, "sha": edit.after.sha if edit.after else None}


def _mark(key: str) -> str:
    return f"{MARK} {hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _pull(found: Any) -> PullRequest:
    number = part(found).get("number")
    if not isinstance(number, int) or isinstance(number, bool):
        raise Malformed(f"{SYSTEM}: a pull request has no number")
    merged = bool(found.get("merged_at"))
    link = text(found, "html_url")
    return PullRequest(
        number=number,
        state="merged" if merged else text(found, "state"),
        link=link if link.startswith(("https://", "http://")) else "",
        text=text(found, "body"),
    )


def _from(item: Mapping[str, Any], branch: str) -> bool:
    return text(item, "head", "ref") == branch


def _quoted(branch: str) -> str:
    return quote(branch, safe="")
