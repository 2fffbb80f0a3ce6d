"""Opens incidents about the bot itself: what is wrong for too long becomes a signal, once.

Pure but for what it remembers: which troubles began when, and what was said of them. A trouble of
one replica has the replica's name in its subject, one of all of them has not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.incident import OWN
from bot.domain.own_incident import OWN_SERVICE, Failed
from bot.domain.redaction import redact
from bot.domain.signal import Origin, Phase, Severity, Signal
from bot.storage.tallies import Tally

SYSTEM_AWAY_S = 300.0
FAILED_FOR = timedelta(minutes=15)  # work that failed is trouble until so long afterwards
REPEAT_S = 600.0  # what lasts is said again, so that it is known that somebody still sees it
SILENT_S = 3 * REPEAT_S  # what nobody said for so long was said by a replica that is gone
LONGEST_TITLE, LONGEST_TEXT, LONGEST_NAME, LONGEST_ERROR = 300, 3_000, 150, 500
UNNAMED = "Work of mine"
KINDS = {
    "investigate": "An investigation of mine",
    "remediate": "A repair of mine",
    "observe": "A watch of mine",
    "request": "A request to me",
    "incident": "What I had to tell of an incident",
    "page-note": "A note of mine on a page",
    "page-call": "A call of mine to who is on call",
    "digest": "A digest of mine",
}
AWAITED = ("remediate", "incident", "page-call")  # and investigations that signals began


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From when on a person should hear of it. Wall seconds."""

    part_s: float = 120.0  # a part is not ready
    inbox_s: float = 120.0  # the oldest signal waits
    system_s: float = SYSTEM_AWAY_S  # a system that is asked does not answer
    lag_s: float = 2.0  # the event loop is that late …
    lagging_s: float = 60.0  # … for so long


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the watcher sees now."""

    parts: Mapping[str, str]  # not ready: why; "" is ready
    away: Mapping[str, float]  # system: for how many seconds nothing of it answered
    lag_s: float = 0.0
    tally: Tally | None = None  # None: the database cannot be read
    failed: Sequence[Failed] = ()  # in the last `FAILED_FOR`, about others than the bot


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was said of a trouble, and when."""

    title: str
    at: datetime
    severity: Severity = Severity.CRITICAL  # what an earlier life said is not worse now


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that is wrong now. `after_s`: for how long before it is said."""

    name: str
    title: str
    text: str
    after_s: float
    severity: Severity = Severity.HIGH


@dataclass(slots=True)
class SelfWatch:
    """Turns what is seen into signals about the bot."""

    replica: str
    limits: Limits = field(default_factory=Limits)
    _since: dict[str, datetime] = field(default_factory=dict)
    _said: dict[str, Said] = field(default_factory=dict)
    _recalled: bool = False

    def judge(self, facts: Facts, now: datetime) -> Sequence[Signal]:
        """Return what has to be said: what has lasted too long, and what is over again.

        Call `said` with what was taken; what was not is returned the next time.
        """
        self._recall(facts)
        troubles = {self._subject(t): t for t in _troubles(facts, self.limits)}
        unseen = SHARED if facts.tally is None else frozenset[str]()
        self._since = {
            subject: since
            for subject, since in self._since.items()
            if subject in troubles or subject in unseen
        }
        for subject in troubles:
            self._since.setdefault(subject, now)
        lasting = (
            self._signal(trouble, subject, now)
            for subject, trouble in troubles.items()
            if (now - self._since[subject]).total_seconds() >= trouble.after_s
        )
        over = [s for s in self._said if s not in troubles and s not in unseen]
        return [
            *(signal for signal in lasting if self._is_news(signal, now)),
            *(_over(subject, self._said[subject].title, now) for subject in over),
            *self._forsaken(facts, now),
        ]

    def said(self, signals: Sequence[Signal]) -> None:
        """Note that these were taken."""
        for signal in signals:
            if signal.phase is Phase.RESOLVED:
                self._said.pop(signal.subject, None)
            else:
                self._said[signal.subject] = Said(
                    title=signal.title, at=signal.at, severity=signal.severity
                )

    def _is_news(self, signal: Signal, now: datetime) -> bool:
        said = self._said.get(signal.subject)
        if said is None or signal.severity > said.severity:
            return True
        return (now - said.at).total_seconds() >= REPEAT_S

    def _recall(self, facts: Facts) -> None:
        """Take up, once, what an earlier life said and nobody took back."""
        if self._recalled or facts.tally is None:
            return
        self._recalled = True
        for subject, alert in facts.tally.own_alerts.items():
            if self._is_mine(subject):
                self._said.setdefault(subject, Said(title=alert.title, at=alert.at))

    def _forsaken(self, facts: Facts, now: datetime) -> Iterator[Signal]:
        """Yield the end of what a replica said that is no longer there to take it back."""
        alerts = facts.tally.own_alerts if facts.tally is not None else {}
        for subject, alert in alerts.items():
            silent = (now - alert.at).total_seconds() >= SILENT_S
            if silent and not self._is_mine(subject):
                yield replace(_over(subject, alert.title, now), key=_key(subject, alert.at, "gone"))

    def _is_mine(self, subject: str) -> bool:
        return subject in SHARED or subject.startswith(f"{PREFIX}{self.replica}:")

    def _subject(self, trouble: Trouble) -> str:
        shared = f"{PREFIX}{trouble.name}"
        own = f"{PREFIX}{self.replica}:{trouble.name}"
        return (shared if shared in SHARED else own)[:LONGEST_NAME]

    def _signal(self, trouble: Trouble, subject: str, now: datetime) -> Signal:
        since = self._since[subject]
        return Signal(
            key=self._key_of(subject, now), origin=Origin.SELF, subject=subject,
            phase=Phase.FIRING, title=redact(trouble.title)[:LONGEST_TITLE], at=now, began=since,
            severity=trouble.severity, services=(OWN_SERVICE,),
            text=redact(trouble.text)[:LONGEST_TEXT], event=trouble.name,
        )  # fmt: skip

    def _key_of(self, subject: str, now: datetime) -> str:
        """Return the same key from every replica that sees it begin; another one later."""
        first = subject not in self._said
        return _key(subject, self._since[subject] if first else now, "firing")


def _over(subject: str, title: str, now: datetime) -> Signal:
    return Signal(
        key=_key(subject, now, "resolved"), origin=Origin.SELF, subject=subject, title=title,
        phase=Phase.RESOLVED, at=now, services=(OWN_SERVICE,),
    )  # fmt: skip


def _key(subject: str, at: datetime, what: str) -> str:
    return f"{subject}:{at:%Y%m%dT%H%M%S}:{what}"


PREFIX = "self:"
SHARED = frozenset(f"{PREFIX}{name}" for name in ("inbox", "dead letters", "work"))
"""Subjects of what all replicas see alike: they are read from the database."""


def _troubles(facts: Facts, limits: Limits) -> Iterator[Trouble]:
    for part, why in facts.parts.items():
        if why:
            title = f"I am not ready: {part}"
            yield Trouble(name=part, title=title, text=why, after_s=limits.part_s)
    for system, seconds in facts.away.items():
        if seconds >= limits.system_s:
            title, text = f"I cannot reach {system}", f"Nothing of it answered for {seconds:.0f} s."
            yield Trouble(name=f"reach {system}", title=title, text=text, after_s=0.0)
    if facts.lag_s >= limits.lag_s:
        title = "I am too slow: everything I do comes late"
        text = f"My event loop is {facts.lag_s:.1f} s late."
        yield Trouble(name="lag", title=title, text=text, after_s=limits.lagging_s)
    if facts.tally is not None:
        yield from _backlogs(facts.tally, limits)
    if facts.failed:
        yield _failure(facts.failed)


def _failure(failed: Sequence[Failed]) -> Trouble:
    kinds = {f.kind for f in failed}
    what = KINDS.get(failed[0].kind, UNNAMED) if len(kinds) == 1 else UNNAMED
    error = redact(failed[0].error)[:LONGEST_ERROR]  # cut first, half a secret is none to a rule
    why = f": {error}" if error else ""
    text = f"The last: `{failed[0].workflow}`{why}. {len(failed)} in 15 min. It is not done again."
    waited = any(_is_waited_for(f) for f in failed)
    return Trouble(
        name="work", title=f"{what} ended with an error", text=text, after_s=0.0,
        severity=Severity.HIGH if waited else Severity.WARNING,
    )  # fmt: skip


def _is_waited_for(failed: Failed) -> bool:
    """Whether somebody in trouble waits for it: then who is on call is mentioned."""
    return failed.kind in AWAITED or (
        failed.kind == "investigate" and failed.incident.startswith(OWN)
    )


def _backlogs(tally: Tally, limits: Limits) -> Iterator[Trouble]:
    if tally.inbox_age_s >= limits.inbox_s:
        title = "Alerts wait and I do not get to them"
        text = f"{tally.inbox_waiting} wait, the oldest for {tally.inbox_age_s:.0f} s."
        yield Trouble(name="inbox", title=title, text=text, after_s=0.0, severity=Severity.CRITICAL)
    if tally.dead_letters:
        title = "I could not use something that was sent to me"
        text = f"{tally.dead_letters} in all: `sre-bot intake list`."
        yield Trouble(
            name="dead letters", title=title, text=text, after_s=0.0, severity=Severity.WARNING
        )
