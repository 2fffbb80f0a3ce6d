"""Branches, trees and blobs of a GitHub repository, as its Git database has them.

Source: docs.github.com/en/rest/git (trees, blobs, commits), /rest/branches.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.domain.errors import Malformed
from tools.clients.github import SYSTEM, GitHub, Repository, checked_sha

MAX_BLOB = 1024 * 1024
FOLDER = "tree"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What stands at a path of a tree: a file, a link, a folder or a submodule."""

    mode: str
    kind: str  # "blob", "tree", "commit"
    sha: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The tip of a branch."""

    branch: str
    commit: str
    tree: str


class GitObjects:
    """One repository's objects. What has a hash never changes: trees are read once."""

    def __init__(self, github: GitHub, repository: Repository) -> None:
        self._github, self._repository = github, repository
        self._root = f"/repos/{repository.name}"
        self._trees: dict[str, Mapping[str, Entry]] = {}

    async def head(self) -> Head:
        """Return the tip of the branch that is rolled out. Raises: as `GitHub.get`."""
        branch = self._repository.branch
        if not branch:
            branch = _text(await self._github.get(self._root), "default_branch")
        found = await self._github.get(f"{self._root}/branches/{quote(branch, safe='')}")
        commit = _object(found, "commit")
        tree = _object(_object(commit, "commit"), "tree")
        return Head(branch=branch, commit=_sha(commit), tree=_sha(tree))

    async def tree_of(self, commit: str) -> str:
        """Return the hash of a commit's tree."""
        found = await self._github.get(f"{self._root}/git/commits/{checked_sha(commit)}")
        return _sha(_object(found, "tree"))

    async def entry(self, tree: str, path: str) -> Entry | None:
        """Return what stands at a path of a tree, None if nothing does."""
        *folders, name = path.split("/")
        for folder in folders:
            below = (await self.entries(tree)).get(folder)
            if below is None or below.kind != FOLDER:
                return None
            tree = below.sha
        return (await self.entries(tree)).get(name)

    async def entries(self, tree: str) -> Mapping[str, Entry]:
        """Return what stands in one folder, by name. Raises: Malformed: too much to be read."""
        if tree not in self._trees:
            found = await self._github.get(f"{self._root}/git/trees/{checked_sha(tree)}")
            if found.get("truncated"):
                raise Malformed(f"{SYSTEM}: a folder of {self._repository.name} is too large")
            self._trees[tree] = _entries(found)
        return self._trees[tree]

    async def blob(self, sha: str) -> bytes:
        """Return a file's bytes. Raises: Malformed: it has more than 1 MB."""
        found = await self._github.get(f"{self._root}/git/blobs/{checked_sha(sha)}")
        size, content = found.get("size"), found.get("content")
        if not isinstance(size, int) or size > MAX_BLOB:
            raise Malformed(f"{SYSTEM}: a file has more than {MAX_BLOB} bytes")
        if found.get("encoding") != "base64" or not isinstance(content, str):
            raise Malformed(f"{SYSTEM}: a file cannot be read")
        try:
            return base64.b64decode(content)
        except binascii.Error:
            raise Malformed(f"{SYSTEM}: a file cannot be read") from None

    async def text(self, entry: Entry | None) -> str | None:
        """Return a file's text, None of what is no text. Nothing at all reads as empty."""
        if entry is None:
            return ""
        if entry.kind != "blob":
            return None
        try:
            text = (await self.blob(entry.sha)).decode()
        except UnicodeDecodeError:
            return None
        return None if "\0" in text else text


def blob_sha(text: str) -> str:
    """Return the hash that Git gives a file. Source: git-scm.com/book/en/v2, Git Objects."""
    raw = text.encode()
    return hashlib.sha1(b"blob %d\0%s" % (len(raw), raw), usedforsecurity=False).hexdigest()


def _entries(found: Mapping[str, Any]) -> dict[str, Entry]:
    listed = found.get("tree")
    if not isinstance(listed, list) or not all(isinstance(e, dict) for e in listed):
        raise Malformed(f"{SYSTEM}: a folder cannot be read")
    return {
        str(e.get("path")): Entry(mode=str(e.get("mode")), kind=str(e.get("type")), sha=_sha(e))
        for e in listed
    }


def _object(found: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = found.get(field)
    if not isinstance(value, dict):
        raise Malformed(f"{SYSTEM}: an answer has no `{field}`")
    return value


def _text(found: Mapping[str, Any], field: str) -> str:
    value = found.get(field)
    if not isinstance(value, str) or not value:
        raise Malformed(f"{SYSTEM}: an answer has no `{field}`")
    return value


def _sha(found: Mapping[str, Any]) -> str:
    return checked_sha(found.get("sha"))
