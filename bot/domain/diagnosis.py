"""From question to diagnosis: evidence, hypotheses, and the honest answer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.needs import Need
from bot.domain.snapshot import BlindSpot, Change, Series, Snapshot, Source
from bot.domain.time import Window

HEALTHY = "healthy"  # the cause name of "nothing is wrong (any more)"


class Symptom(StrEnum):
    """What the asker complains of."""

    SLOW = "slow"
    ERRORS = "errors"
    DOWN = "down"
    SATURATED = "saturated"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, resolved to names that exist. Empty `services`: the whole environment."""

    text: str
    environment: str
    services: tuple[str, ...]
    symptom: Symptom
    asked_at: datetime
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One observation that speaks for or against a hypothesis.

    `weight` is the natural logarithm of the likelihood ratio P(seen | cause) / P(seen | not cause):
    positive supports, negative refutes. |0.7| is a hint, |1.6| good, |3| strong, |4.6| near proof.
    """

    statement: str  # plain words with numbers, units and a comparison
    weight: float
    source: Source

    @property
    def supports(self) -> bool:
        """Whether it speaks for the hypothesis."""
        return self.weight >= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRef:
    """The signal that tells whether the trouble is over; `good` is its usual value, in `unit`."""

    signal: str
    service: str
    unit: str
    good: float
    bad: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """A cause at an object, with what speaks for and against it.

    `cause` is a snake_case name in the field's terms, as the runbooks use it; `object` is
    "kind/name", the kind in lower case (deployment/checkout, node/worker-2, flag/new-ranking,
    external/payment-provider). `explains` lists the victims: services whose symptoms follow.
    """

    cause: str
    object: str
    service: str
    summary: (
        str  # one sentence, answer first: "checkout v2.41 runs one query per cart item since 14:01"
    )
    analyzer: str
    prior: float  # log-odds before the evidence
    evidence: tuple[Evidence, ...]
    explains: tuple[str, ...] = ()
    onset: datetime | None = None
    change: Change | None = None  # the change to revert, when one is the cause
    forecast_at: datetime | None = None  # when it will break, for what is not broken yet
    signal: SignalRef | None = None
    hint: str = ""  # remediation class, e.g. "rollback"

    @property
    def log_odds(self) -> float:
        """Prior plus all weights."""
        return self.prior + sum(e.weight for e in self.evidence)

    @property
    def probability(self) -> float:
        """Logistic of the log-odds.

        This hypothesis on its own, before ranking against the others.
        """
        return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, self.log_odds))))


@dataclass(frozen=True, slots=True, kw_only=True)
class RuledOut:
    """Something a person would suspect, and why it is not the cause."""

    what: str
    why: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one analyzer makes of a snapshot."""

    hypotheses: tuple[Hypothesis, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()
    needs: tuple[Need, ...] = ()


class Status(StrEnum):
    """The three answers that exist."""

    ROOT_CAUSE = "root_cause"
    HEALTHY = "healthy"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A hypothesis with its calibrated probability among all others.

    `log_odds` is the same before calibration: what a calibration is fitted on.
    """

    hypothesis: Hypothesis
    confidence: float
    log_odds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The answer.

    `causes` holds every independent root cause, the best first; empty unless ROOT_CAUSE.
    """

    status: Status
    confidence: float
    summary: str
    causes: tuple[Ranked, ...]
    ranked: tuple[Ranked, ...]
    ruled_out: tuple[RuledOut, ...]
    blind_spots: tuple[BlindSpot, ...]
    onset: datetime | None
    signal: SignalRef | None

    @property
    def cause(self) -> Hypothesis | None:
        """The first root cause, if there is one."""
        return self.causes[0].hypothesis if self.causes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One query that was run: what "show steps" lists."""

    number: int
    source: Source
    took_s: float
    found: str  # "12 series", "timed out after 5 s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What an investigation may spend, or has spent."""

    seconds: float
    queries: int
    tokens: int = 0
    money_usd: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartData:
    """What the report's picture shows.

    The signal, its usual band, the onset and the changes near it.
    """

    series: Series
    usual_low: float
    usual_high: float
    onset: datetime | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A finished investigation, as it is shown in Slack, the terminal and the audit."""

    investigation_id: str
    question: Question
    diagnosis: Diagnosis
    steps: tuple[Step, ...]
    looked_at: tuple[str, ...]
    spent: Budget
    chart: ChartData | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where an investigation stands, for the head message."""

    elapsed_s: float
    looked_at: tuple[str, ...]
    waiting_for: tuple[str, ...]
    observation: str  # "p99 4.1 s, usually 0.2 s, since 14:03", or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concluded:
    """What the round loop hands back: the diagnosis and the facts it rests on."""

    diagnosis: Diagnosis
    snapshot: Snapshot
    rounds: int
    chart: ChartData | None
