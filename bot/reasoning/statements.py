"""Short ways to write hypotheses and evidence about Kubernetes objects."""

from collections.abc import Sequence

from bot.domain.diagnosis import Evidence, Hypothesis
from bot.domain.redaction import redact
from bot.domain.snapshot import KubernetesObject, Source
from bot.reasoning.event_times import first_seen, times
from bot.reasoning.kubernetes import mapping, moment, object_name

# Prior log-odds of a cause before anything was seen: one specific Kubernetes misconfiguration in a
# hundred incidents or so. Weights are ln likelihood ratios, see bot.domain.diagnosis.Evidence.
RARE = -4.6
HINT, GOOD, STRONG, PROOF = 0.7, 1.6, 3.0, 4.6


def saw(statement: str, weight: float, where: KubernetesObject | Source) -> Evidence:
    """Return evidence with the object's own source."""
    source = where.source if isinstance(where, KubernetesObject) else where
    return Evidence(statement=statement, weight=weight, source=source)


def event_text(event: KubernetesObject, limit: int = 300) -> str:
    """Return what an event says, with how often and on what: "pod/x: FailedScheduling (3x): …"."""
    involved = mapping(event.body, "involvedObject")
    count = times(event.body)
    often = f" ({count}x)" if count > 1 else ""
    name = f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}"
    message = " ".join(str(event.body.get("message") or "").split())
    return f"{name}: {event.body.get('reason')}{often}: {redact(message)[:limit]}"


def blame(  # noqa: PLR0913 - a hypothesis has that many sides
    cause: str,
    target: KubernetesObject,
    summary: str,
    evidence: Sequence[Evidence],
    *,
    analyzer: str,
    event: KubernetesObject | None = None,
    explains: Sequence[str] = (),
    hint: str = "",
    prior: float = RARE,
) -> Hypothesis:
    """Return a hypothesis about an object; its onset is the first time of the event, if given."""
    return Hypothesis(
        cause=cause,
        object=object_name(target),
        service=target.name,
        summary=summary,
        analyzer=analyzer,
        prior=prior,
        evidence=tuple(evidence),
        explains=tuple(explains),
        onset=moment(first_seen(event.body)) if event else None,
        hint=hint,
    )
