"""The commits under suspicion: what each does, where and when it went live."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from bot.domain.snapshot import Change, ChangeKind, Snapshot
from bot.reasoning.changes.words import words_of
from bot.reasoning.diffs.read import read
from bot.reasoning.diffs.reading import Reading

SHARED = re.compile(
    r"(^|/)(pkg|lib|libs|common|shared|internal|core|platform|vendor|packages|base|util|utils|"
    r"infra|config|deploy|charts|helm|k8s)/|(^|/)(go\.mod|go\.sum|package(-lock)?\.json|pom\.xml|"
    r"requirements[^/]*\.txt|pyproject\.toml|Cargo\.(toml|lock)|build\.gradle(\.kts)?|Gemfile"
    r"(\.lock)?|Dockerfile)$"
)
_HARMLESS = re.compile(
    r"(^|/)(docs?|tests?|testdata|spec|__tests__|examples?|\.github|\.gitlab|\.circleci)/"
    r"|_test\.\w+$|\.test\.\w+$|\.spec\.\w+$|(^|/)test_[^/]+\.py$"
    r"|\.(md|rst|txt|adoc|css|scss|less|html?|svg|png|jpe?g|gif|ico|woff2?)$"
    r"|(^|/)(CODEOWNERS|LICENSE|README[^/]*|CHANGELOG[^/]*|\.gitignore|\.editorconfig|Makefile)$",
    re.I,
)
_LEAST_NAME = 6
_QUOTED = re.compile(r"""["'`]([^"'`\n]{6,80})["'`]""")
_NAME = re.compile(r"\b(?=[\w.-]{6,60}\b)[A-Za-z0-9]+(?:[_.-][A-Za-z0-9]+)+\b")
_MANIFEST = re.compile(
    r"(^|/)(go\.(mod|sum)|package(-lock)?\.json|yarn\.lock|pnpm-lock\.yaml|pom\.xml|poetry\.lock|"
    r"requirements[^/]*\.txt|Cargo\.(toml|lock)|Gemfile(\.lock)?|composer\.(json|lock))$"
)
_LOCK = re.compile(r"(^|/)(go\.sum|[^/]*[-.]lock(\.(json|yaml))?)$")
_REQUIREMENTS = re.compile(r"requirements[^/]*\.txt$", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """Where and when a commit went live."""

    service: str
    at: datetime
    deploy: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A commit with what its diff does. `landings`: the deploys known to have brought it."""

    commit: Change
    landings: tuple[Landing, ...]
    readings: tuple[Reading, ...]
    changed: str  # the lines added and removed
    words: frozenset[str]
    added: frozenset[str]  # telling names that only its new lines have
    removed: frozenset[str]  # and only its old ones

    @property
    def names(self) -> frozenset[str]:
        """The telling names that it puts in or takes out."""
        return self.added | self.removed

    @property
    def shared(self) -> bool:
        """Whether it touches what several services are built from."""
        return any(SHARED.search(f) for f in self.commit.files)

    @property
    def harmless_files(self) -> bool:
        """Whether it touches only what never runs: documents, tests, styles, pictures."""
        return bool(self.commit.files) and all(harmless(f) for f in self.commit.files)

    @property
    def path_words(self) -> frozenset[str]:
        """The words of the paths it touches, such as a service's folder."""
        return frozenset(
            part for f in self.commit.files for part in re.split(r"[/._-]", f.lower()) if part
        )


def harmless(path: str) -> bool:
    """Whether a file never runs."""
    return bool(_HARMLESS.search(path)) and not _REQUIREMENTS.search(path)


def suspects_of(snapshot: Snapshot) -> tuple[Suspect, ...]:
    """Return the commits of a snapshot, each once, in time order."""
    commits = {c.id: c for c in snapshot.changes if c.kind is ChangeKind.COMMIT}
    deploys = [c for c in snapshot.changes if c.kind is ChangeKind.DEPLOY]
    return tuple(_suspect(c, deploys) for c in sorted(commits.values(), key=lambda c: (c.at, c.id)))


def _suspect(commit: Change, deploys: Sequence[Change]) -> Suspect:
    changed = changed_lines(commit.diff or "")
    readings = _read(commit.diff, commit.files) if commit.diff else ()
    own = {w for r in readings if r.weight > 0 for w in r.words}
    new, old = (names_of(_side(commit.diff or "", mark)) for mark in "+-")
    return Suspect(
        commit=commit,
        added=new - old,
        removed=old - new,
        landings=tuple(
            Landing(service=d.service, at=d.at, deploy=d)
            for d in sorted(deploys, key=lambda d: (d.at, d.id))
            if brings(d, commit)
        ),
        readings=readings,
        changed=changed,
        words=frozenset(w.lower() for w in own) | words_of(changed),
    )


@lru_cache(maxsize=512)
def _read(diff: str, files: tuple[str, ...]) -> tuple[Reading, ...]:
    """Read what runs of a diff; a list of dependencies is only read as one."""
    kept = tuple(f for f in files if not (harmless(f) or _LOCK.search(f)))
    found = read(running(diff, files), kept or files)
    if files and all(_MANIFEST.search(f) for f in files):
        return tuple(r for r in found if r.rule.startswith("dependency") or r.weight < 0)
    return tuple(found)


def running(diff: str, files: tuple[str, ...]) -> str:
    """Return a diff without the sections of files that never run: styles, tests, documents."""
    named = {f for f in files if harmless(f)}
    if not named:
        return diff
    kept, skipping = [], False
    for line in diff.splitlines():
        if line.startswith(("@@", "diff ", "--- ", "+++ ", "Index:")) and any(
            f in line for f in files
        ):
            skipping = any(f in line for f in named)
        if not skipping:
            kept.append(line)
    return "\n".join(kept)


def brings(deploy: Change, commit: Change) -> bool:
    """Whether a deploy is known to have brought a commit: by its whole or shortened hash."""
    name = commit.after or commit.id
    return any(len(c) >= 7 and (name.startswith(c) or c.startswith(name)) for c in deploy.commits)


def changed_lines(diff: str) -> str:
    """Return the lines that a unified diff adds or removes, without their marks."""
    return f"{_side(diff, '+')}\n{_side(diff, '-')}"


def _side(diff: str, mark: str) -> str:
    return "\n".join(
        line[1:]
        for line in diff.splitlines()
        if line.startswith(mark) and not line.startswith(mark * 3)
    )


def names_of(text: str) -> frozenset[str]:
    """Return what is told apart from plain words: quoted texts, names with _ - . or digits."""
    quoted = {m[1] for m in _QUOTED.finditer(text) if len(m[1].strip()) >= _LEAST_NAME}
    return frozenset(quoted | {m[0] for m in _NAME.finditer(text)})
