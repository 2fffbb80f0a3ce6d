"""What requests do now that they did not do before: steps left out, errors new, time spent.

A span is compared with spans of the same operation under the same caller. In each odd trace the
deepest odd span is where it starts; its callers only pass on what they got. Source of the idea:
Yu et al., Nezha, ESEC/FSE 2023 (event patterns of traces and logs, normal against faulty), reworked
to presence per span, which needs no pattern mining.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bot.domain.snapshot import Span
from bot.reasoning.series import TO_SIGMA, Floats

LEAST = 4  # spans before and now, to compare an operation
SIGNIFICANT = 3.84  # twice the log likelihood ratio: one in twenty by chance
LEAST_SHARE = 0.08  # of the spans now, to be more than an odd request
ERROR = "error: "
LEAST_S = 1e-4  # shorter times are noise
LOG_NOISE = 0.25  # times of one operation differ at least by this factor
QUARTILE_VARIANCE = 1.86  # of a normal sample's upper quartile, times its size

Operation = tuple[str, str, str]  # service, operation, the caller's operation
Step = tuple[str, str]  # ("event", template) or ("call", "service operation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """One thing that an operation does, or no longer does, since the trouble began."""

    operation: Operation
    step: Step
    missing: bool  # else new
    share_before: float  # of spans, with the step
    share_now: float
    spans_now: int
    strength: float  # twice the log likelihood ratio

    @property
    def service(self) -> str:
        """Whose code it is."""
        return self.operation[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowness:
    """Own time of a service's spans, or of the way between two services. Seconds."""

    caller: str  # "" for the service's own time
    service: str
    before_s: float
    now_s: float
    sigmas: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is odd now. `origins`: odd traces per service in which the trouble starts there."""

    oddities: tuple[Oddity, ...] = ()
    origins: Mapping[str, float] = field(default_factory=dict)
    odd_traces: int = 0
    traces: int = 0
    slow: tuple[Slowness, ...] = ()


@dataclass(slots=True)
class _Forest:
    """Spans with their callers and callees."""

    spans: Sequence[Span]
    children: dict[tuple[str, str], list[Span]]
    by_id: dict[tuple[str, str], Span]

    @classmethod
    def of(cls, spans: Sequence[Span]) -> "_Forest":
        by_id = {(s.trace_id, s.span_id): s for s in spans}
        children: dict[tuple[str, str], list[Span]] = defaultdict(list)
        for span in spans:
            if span.parent_id and (span.trace_id, span.parent_id) in by_id:
                children[span.trace_id, span.parent_id].append(span)
        return cls(spans=spans, children=children, by_id=by_id)

    def parent(self, span: Span) -> Span | None:
        return self.by_id.get((span.trace_id, span.parent_id)) if span.parent_id else None

    def below(self, span: Span) -> list[Span]:
        return self.children.get((span.trace_id, span.span_id), [])

    def operation(self, span: Span) -> Operation:
        parent = self.parent(span)
        return (
            span.service,
            span.operation,
            f"{parent.service} {parent.operation}" if parent else "",
        )

    def steps(self, span: Span) -> Counter[Step]:
        found: Counter[Step] = Counter(("event", event) for event in span.events)
        below = self.below(span)
        if not _is_client(span, below):  # a client's span is nothing but its call
            found.update(("call", f"{c.service} {c.operation}") for c in below)
        if span.error:
            found["event", ERROR + "the span failed"] += 1
        return found


def compare(before: Sequence[Span], now: Sequence[Span]) -> Comparison:
    """Return what the requests of `now` do otherwise than those of `before`."""
    old, new = _Forest.of(before), _Forest.of(now)
    usual, current = _grouped(old), _grouped(new)
    failed = _failed(old)
    oddities = []
    odd: dict[tuple[str, str], float] = defaultdict(float)
    for operation, spans in current.items():
        known = usual.get(operation, [])
        if len(spans) < LEAST or len(known) < LEAST:
            continue
        for found, where in _oddities(operation, (known, failed), spans):
            oddities.append(found)
            for span in where:
                odd[span.trace_id, span.span_id] += found.strength
    return Comparison(
        oddities=tuple(sorted(oddities, key=lambda o: (-o.strength, o.operation, o.step))),
        origins=_origins(odd, new),
        odd_traces=len({trace for trace, _ in odd}),
        traces=len({s.trace_id for s in now}),
        slow=_slow(old, new),
    )


def _is_client(span: Span, below: Sequence[Span]) -> bool:
    return len(below) == 1 and below[0].service != span.service


def _grouped(forest: _Forest) -> dict[Operation, list[tuple[Span, Counter[Step]]]]:
    groups: dict[Operation, list[tuple[Span, Counter[Step]]]] = defaultdict(list)
    for span in forest.spans:
        groups[forest.operation(span)].append((span, forest.steps(span)))
    return groups


Seen = Sequence[tuple[Span, Counter[Step]]]


def _oddities(
    operation: Operation, past: tuple[Seen, set[tuple[str, str]]], spans: Seen
) -> Iterable[tuple[Oddity, list[Span]]]:
    known, failed = past
    shares = Counter(step for _, steps in known for step in steps)
    good = [steps for span, steps in known if (span.trace_id, span.span_id) not in failed]
    for step in {step for _, steps in spans for step in steps if _is_error(step)}:
        where = [span for span, steps in spans if step in steps]
        if found := _odd(operation, step, (shares[step], len(known)), where, len(spans)):
            yield found, where
    if len(good) < LEAST:
        return
    for step in {step for steps in good for step in steps}:
        counts = sorted(steps[step] for steps in good)
        least = counts[len(counts) // 30]  # all but the rarest do it at least so often
        if least == 0:
            continue
        lacking = sum(c < least for c in counts)
        where = [span for span, steps in spans if steps[step] < least]
        if found := _odd(operation, step, (lacking, len(good)), where, len(spans)):
            yield _turned(found), where


def _odd(
    operation: Operation, step: Step, before: tuple[int, int], where: list[Span], total: int
) -> Oddity | None:
    """Return what sets the spans `where` apart from those `before` (so many of so many)."""
    share, usual = len(where) / total, before[0] / before[1]
    strength = likelihood_ratio(len(where), total, *before)
    if share < max(LEAST_SHARE, usual) or strength < SIGNIFICANT:
        return None
    return Oddity(
        operation=operation, step=step, missing=False, spans_now=total, strength=strength,
        share_before=usual, share_now=share,
    )  # fmt: skip


def _turned(odd: Oddity) -> Oddity:
    """Return the oddity of lacking a step in terms of having it."""
    return replace(
        odd, missing=True, share_before=1 - odd.share_before, share_now=1 - odd.share_now
    )


def likelihood_ratio(now: int, total_now: int, before: int, total_before: int) -> float:
    """Return twice the log likelihood ratio that two shares differ. Source: Dunning 1993."""
    together = (now + before) / (total_now + total_before)

    def fit(k: int, n: int, p: float) -> float:
        low = k * math.log(p) if k and p > 0 else 0.0
        return low + ((n - k) * math.log(1 - p) if n > k and p < 1 else 0.0)

    own = fit(now, total_now, now / total_now) + fit(before, total_before, before / total_before)
    both = fit(now, total_now, together) + fit(before, total_before, together)
    return max(0.0, 2 * (own - both))


def _is_error(step: Step) -> bool:
    return step[0] == "event" and step[1].startswith(ERROR)


def _failed(forest: _Forest) -> set[tuple[str, str]]:
    """Spans that log an error, all that wait for them, and what their own service did for them."""
    found: set[tuple[str, str]] = set()
    for span in forest.spans:
        if not span.error and not any(e.startswith(ERROR) for e in span.events):
            continue
        parent: Span | None = span
        while parent is not None and (parent.trace_id, parent.span_id) not in found:
            found.add((parent.trace_id, parent.span_id))
            parent = forest.parent(parent)
        within = forest.below(span)
        while within:
            own = [s for s in within if s.service == span.service]
            found.update((s.trace_id, s.span_id) for s in own)
            within = [c for s in own for c in forest.below(s)]
    return found


def _origins(odd: Mapping[tuple[str, str], float], forest: _Forest) -> dict[str, float]:
    """Per service, in how many odd traces its spans are the deepest odd ones."""
    below_odd: set[tuple[str, str]] = set()
    for trace, span_id in odd:
        parent = forest.parent(forest.by_id[trace, span_id])
        while parent is not None and (trace, parent.span_id) not in below_odd:
            below_odd.add((trace, parent.span_id))
            parent = forest.parent(parent)
    deepest: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for key, strength in odd.items():
        if key not in below_odd:
            deepest[key[0]][forest.by_id[key].service] += strength
    origins: dict[str, float] = defaultdict(float)
    for shares in deepest.values():
        whole = math.fsum(shares.values())
        for service, share in shares.items():
            origins[service] += share / whole
    return dict(sorted(origins.items()))


def _slow(old: _Forest, new: _Forest) -> tuple[Slowness, ...]:
    before, now = _own_times(old), _own_times(new)
    found = []
    for key, fresh in now.items():
        usual = before.get((*key,), [])
        if len(fresh) < LEAST or len(usual) < LEAST:
            continue
        found.append((key, *_shift(np.asarray(usual), np.asarray(fresh))))
    return _by_place(found)


def _shift(usual: Floats, fresh: Floats) -> tuple[float, float, float]:
    """Upper quartiles before and now, and how many standard errors of the log they are apart.

    The quartile sees trouble that began in the middle of the time looked at.
    """
    a, b = np.log(np.maximum(usual, LEAST_S)), np.log(np.maximum(fresh, LEAST_S))
    before, now = float(np.quantile(a, 0.75)), float(np.quantile(b, 0.75))
    noise = max(LOG_NOISE, TO_SIGMA * float(np.median(np.abs(a - np.median(a)))))
    error = noise * math.sqrt(QUARTILE_VARIANCE * (1 / a.size + 1 / b.size))
    return math.exp(before), math.exp(now), (now - before) / error


Place = tuple[str, str, str]  # caller ("" inside a service), service, operation


def _own_times(forest: _Forest) -> dict[Place, list[float]]:
    """Seconds that no callee accounts for; of a client's span it is the way to its callee."""
    times: dict[Place, list[float]] = defaultdict(list)
    for span in forest.spans:
        below = forest.below(span)
        own = max(0.0, span.duration_s - math.fsum(c.duration_s for c in below))
        if _is_client(span, below):
            times[span.service, below[0].service, span.operation].append(own)
        else:
            times["", span.service, span.operation].append(own)
    return times


def _by_place(found: Sequence[tuple[Place, float, float, float]]) -> tuple[Slowness, ...]:
    """Put the operations of one place together: its median slowdown by its spans' weight."""
    places: dict[tuple[str, str], list[tuple[float, float, float]]] = defaultdict(list)
    for (caller, service, _), usual, fresh, sigmas in found:
        places[caller, service].append((usual, fresh, sigmas))
    return tuple(
        Slowness(
            caller=caller,
            service=service,
            before_s=math.fsum(u for u, _, _ in several),
            now_s=math.fsum(f for _, f, _ in several),
            sigmas=math.fsum(s for _, _, s in several) / math.sqrt(len(several)),
        )
        for (caller, service), several in sorted(places.items())
    )
