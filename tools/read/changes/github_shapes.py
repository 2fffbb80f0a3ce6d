"""From GitHub's commits and deployments to changes; what is damaged is left out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.redaction import redact
from bot.domain.snapshot import Change, ChangeKind, Source
from tools.clients.github import Repository
from tools.clients.moments import moment_of

MAX_DIFF = 20_000
MAX_FILES = 300
MAX_COMMITS = 250  # of one comparison; GitHub gives no more
SHOWN = 7  # characters of a hash that people read
BEGUN = ("in_progress", "success")
BAD = ("failure", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deployment: what was to be put where it runs, and when that was asked for."""

    number: int
    sha: str
    ref: str
    at: datetime
    task: str


def deployment_of(raw: Mapping[str, Any]) -> Deployment | None:
    """Return a deployment, None if it lacks what one must have."""
    number, at = raw.get("id"), moment_of(raw.get("created_at"))
    sha = str(raw.get("sha") or "")
    if not isinstance(number, int) or at is None or len(sha) < SHOWN:
        return None
    return Deployment(
        number=number,
        sha=sha,
        ref=str(raw.get("ref") or ""),
        at=at,
        task=str(raw.get("task") or "deploy"),
    )


def commit_change(raw: Mapping[str, Any], service: str, source: Source) -> Change | None:
    """Return a commit with its files and redacted diff, None if it lacks hash or time."""
    commit = raw.get("commit")
    if not isinstance(commit, Mapping):
        return None
    committer = commit.get("committer")
    at = moment_of(committer.get("date")) if isinstance(committer, Mapping) else None
    sha = str(raw.get("sha") or "")
    if at is None or len(sha) < SHOWN:
        return None
    files = files_of(raw)
    parents = raw.get("parents")
    merged = isinstance(parents, list) and len(parents) > 1
    subject = str(commit.get("message") or "").strip().partition("\n")[0]
    return Change(
        id=f"commit-{sha}",
        kind=ChangeKind.COMMIT,
        service=service,
        object=f"commit/{sha[:SHOWN]}",
        at=at,
        summary=redact(subject)[:300],
        before=None,
        after=sha,
        diff=diff_of(files) or None,
        link=source.link,
        source=source,
        revertible=not merged,
        files=tuple(str(f.get("filename")) for f in files[:MAX_FILES]),
    )


def deploy_change(
    one: Deployment,
    before: Deployment | None,
    *,
    statuses: Sequence[Mapping[str, Any]],
    compared: Mapping[str, Any] | None,
    place: tuple[str, Repository, bool],
    source: Source,
) -> Change | None:
    """Return a deploy; None when what it brought is known and none of it is the service's.

    `place` is the service, its repository, and whether other services share that place.
    """
    service, repository, shared = place
    files = files_of(compared)
    names = tuple(str(f.get("filename")) for f in files)
    folder = f"{repository.path}/"
    if repository.path and 0 < len(names) < MAX_FILES and not any(map(_below(folder), names)):
        return None
    was, became = _versions(one, before)
    states = [str(s.get("state")) for s in statuses]
    failed = "success" not in states and any(state in BAD for state in states)
    back = (compared or {}).get("status") == "behind"
    words = f"{one.task} of {service}: " + (f"{was} → {became}" if was else became)
    return Change(
        id=f"deployment-{one.number}" + (f"-{service}" if shared else ""),
        kind=ChangeKind.DEPLOY,
        service=service,
        object=f"deployment/{service}",
        at=_begun(one, statuses),
        summary=redact(words + (" (goes back)" if back else "") + (" (failed)" if failed else "")),
        before=was or None,
        after=became,
        diff=diff_of([f for f in files if _below(folder)(str(f.get("filename")))]) or None,
        link=None,
        source=source,
        files=names,
        commits=tuple(_hashes(compared)),
    )


def commits_of(compared: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """Return the commits of a comparison that have a hash."""
    commits = (compared or {}).get("commits")
    found = commits[:MAX_COMMITS] if isinstance(commits, list) else []
    return [c for c in found if isinstance(c, Mapping) and len(str(c.get("sha") or "")) >= SHOWN]


def diff_of(files: Sequence[Mapping[str, Any]]) -> str:
    """Return one redacted unified diff of GitHub's files; a file without a patch is only named."""
    parts = []
    for file in files:
        name, was = str(file.get("filename")), str(file.get("previous_filename") or "")
        status, patch = file.get("status"), file.get("patch")
        old = "/dev/null" if status == "added" else f"a/{was or name}"
        new = "/dev/null" if status == "removed" else f"b/{name}"
        parts.append(f"diff --git a/{was or name} b/{name}\n--- {old}\n+++ {new}")
        if isinstance(patch, str):
            parts.append(patch)
    text = "\n".join(parts)
    if len(text) > MAX_DIFF:
        text = text[:MAX_DIFF].rpartition("\n")[0]
        return f"{redact(text)}\n… cut here"
    return redact(text)


def files_of(raw: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """Return the files of a commit or comparison that have a name."""
    files = (raw or {}).get("files")
    found = files if isinstance(files, list) else []
    return [f for f in found if isinstance(f, Mapping) and isinstance(f.get("filename"), str)]


def _below(folder: str) -> Any:
    return lambda name: folder == "/" or name.startswith(folder)


def _versions(one: Deployment, before: Deployment | None) -> tuple[str, str]:
    """Return what people call both: refs where they tell them apart, else shortened hashes."""
    if before is None:
        named = one.ref and one.ref != one.sha
        return "", one.ref if named else one.sha[:SHOWN]
    if one.ref and before.ref and one.ref != before.ref and one.ref != one.sha:
        return before.ref, one.ref
    return before.sha[:SHOWN], one.sha[:SHOWN]


def _begun(one: Deployment, statuses: Sequence[Mapping[str, Any]]) -> datetime:
    """Return when it began to take effect, as far as its statuses tell."""
    moments = (moment_of(s.get("created_at")) for s in statuses if s.get("state") in BEGUN)
    return min((m for m in moments if m is not None and m >= one.at), default=one.at)


def _hashes(compared: Mapping[str, Any] | None) -> Iterator[str]:
    return (str(raw["sha"]) for raw in commits_of(compared))
