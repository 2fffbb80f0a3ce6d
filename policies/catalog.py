"""Loads `runbooks/*.yaml` strictly: the only place that maps a cause to an action."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from bot.domain.codec import decode
from bot.domain.errors import Malformed
from bot.domain.snapshot import ChangeKind

SHORTEST_S = 30.0  # a watch any shorter tells nothing
RUNBOOKS = Path(__file__).parent / "runbooks"
CHECKS = frozenset({
    "autoscaler", "gitops", "disruption_budget", "single_replica", "stateful", "storage_class",
})  # fmt: skip
"""What can make a fix brittle, as `bot.remediation.brittleness` looks for it in the facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """When an action of a runbook applies. Every key given must hold; empty means "in any case"."""

    change: tuple[ChangeKind, ...] = ()  # the change that is to blame is of one of these kinds
    object: tuple[str, ...] = ()  # kind of the object that is the cause: "deployment", "pod", …
    forecast: bool | None = None  # whether it has not broken yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """An action that has to be done and verified before another one."""

    action: str
    reason: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """One action of a runbook. `options` are the planner's: e.g. `direction: up` for scaling.

    With `first` it is a plan: those are done before it, in order, on objects of their own.
    """

    action: str
    reason: str  # what it does about the cause, and what to expect
    when: When = field(default_factory=When)
    options: Mapping[str, str] = field(default_factory=dict)
    trade_off: str = ""
    short_term: bool = False  # helps for a while: the cause stays, `lasting_fix` is what ends it
    first: tuple[Preparation, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all actions of it, in order."""
        return (*(p.action for p in self.first), self.action)

    def __post_init__(self) -> None:
        if self.short_term and not self.trade_off:
            raise ValueError(f"{self.action}: a short-term action says its trade_off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What counts as recovered: back to within `tolerance` of the way from good to bad, in time."""

    window_s: float
    tolerance: float = 0.1

    def __post_init__(self) -> None:
        if not SHORTEST_S <= self.window_s <= 86_400:
            raise ValueError("window_s: expected 30 to 86400 seconds")
        if not 0 <= self.tolerance <= 0.5:
            raise ValueError("tolerance: expected 0 to 0.5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """Symptom → causes → actions in order of preference → what to verify, and what would last.

    A cause may hold "*" for any text: `namespace_*_quota_exceeded`. `checks` are what to look for
    in the facts before any of its actions (or its lasting fix) is offered: names of CHECKS.
    """

    name: str
    symptom: str
    causes: tuple[str, ...]
    verification: Criteria
    lasting_fix: str
    brittle: str  # what makes this runbook wrong some day
    actions: tuple[Remedy, ...] = ()  # none: what to do is in `lasting_fix`, for a person
    advice: Mapping[str, str] = field(default_factory=dict)  # cause → what a person should do
    checks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        empty = [n for n in ("name", "symptom", "lasting_fix", "brittle") if not getattr(self, n)]
        if empty or not self.causes:
            raise ValueError(f"empty: {', '.join(empty) or 'causes'}")
        if stray := sorted(set(self.advice) - set(self.causes)):
            raise ValueError(f"advice for what is no cause of it: {', '.join(stray)}")
        if unknown := sorted(set(self.checks) - CHECKS):
            raise ValueError(f"no check is called {', '.join(unknown)}")

    def own_advice(self, cause: str) -> str:
        """Return what a person should do about this very cause, "" if nothing is said of it."""
        fitting = (text for c, text in self.advice.items() if fnmatchcase(cause, c))
        return next(fitting, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbooks:
    """All runbooks, by the cause they are for."""

    by_cause: Mapping[str, Runbook]

    def for_cause(self, cause: str) -> Runbook | None:
        """Return the runbook of a cause, None if there is none."""
        found = self.by_cause.get(cause)
        if found is None:
            fitting = (p for p in self.by_cause if "*" in p and fnmatchcase(cause, p))
            found = self.by_cause.get(next(fitting, ""))
        return found

    def advice_for(self, cause: str) -> str:
        """Return what a person should do about a cause: its own advice, else the lasting fix."""
        book = self.for_cause(cause)
        if book is None:
            return ""
        return book.own_advice(cause) or book.lasting_fix

    def watched_at_most(self, seconds: float) -> "Runbooks":
        """Return the same runbooks with no longer watch than this; 0: as they are."""
        if not seconds:
            return self

        def shorter(book: Runbook) -> Runbook:
            window_s = min(book.verification.window_s, max(SHORTEST_S, seconds))
            return replace(book, verification=replace(book.verification, window_s=window_s))

        return Runbooks(by_cause={cause: shorter(book) for cause, book in self.by_cause.items()})

    @property
    def actions(self) -> frozenset[str]:
        """Names of all actions that some runbook may propose."""
        return frozenset(
            n for book in self.by_cause.values() for r in book.actions for n in r.names
        )


def load(directory: Path = RUNBOOKS, *, actions: frozenset[str] | None = None) -> Runbooks:
    """Return the runbooks of a folder. `actions`: the catalogue's names, to refuse unknown ones.

    Raises: Malformed: all that is wrong, by file.
    """
    books: dict[str, Runbook] = {}
    wrong: list[str] = []
    by_cause: dict[str, Runbook] = {}
    for path in sorted(directory.glob("*.yaml")):
        try:
            books[path.name] = _read(path)
        except (Malformed, OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            wrong.append(f"{path.name}: {error}")
    for file, book in books.items():
        wrong.extend(f"{file}: {fault}" for fault in _faults(book, by_cause, actions))
        by_cause.update({cause: book for cause in book.causes if cause not in by_cause})
    if wrong or not books:
        raise Malformed("runbooks refused: " + ("; ".join(wrong) or "there are none"))
    return Runbooks(by_cause=by_cause)


def _read(path: Path) -> Runbook:
    return decode(Runbook, yaml.safe_load(path.read_text("utf-8")), path.stem)


def _faults(
    book: Runbook, taken: Mapping[str, Runbook], actions: frozenset[str] | None
) -> Iterator[str]:
    for cause in book.causes:
        if cause in taken:
            yield f"{cause} has a runbook already: {taken[cause].name}"
    for name in (n for remedy in book.actions for n in remedy.names):
        if actions is not None and name not in actions:
            yield f"no action is called {name}"
