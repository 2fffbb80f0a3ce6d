"""What requests do now that they did not do before: steps left out, errors new, time spent.

A span is compared with spans of the same operation under the same caller. In each odd trace the
deepest odd span is where it starts; its callers only pass on what they got. Source of the idea:
Yu et al., ESEC/FSE 2023 (event patterns of traces and logs, normal against faulty), reworked
to presence per span, which needs no pattern mining. Spans of a trace share their fate, hence traces
are counted; so do traces of the same moment (one user, one state of the data: clusters, Kish 1965),
hence moments are counted too. `chance` is corrected for all that is looked at.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bot.domain.snapshot import Span
from bot.reasoning.significance import (
    Counts,
    design_effect,
    least_chance,
    more_often,
    number_to_correct_for,
    thinned,
)

LEAST = 4  # traces before and now, to compare an operation
LOCATES = 3.84  # twice the log likelihood ratio: enough to say where, not whether, it is odd
LEVEL = 0.01  # chance that anything at all is called odd though nothing changed
LEAST_SHARE = 0.08  # of the traces now, to be more than an odd request
ERROR = "error: "
LEAST_S = 1e-4  # shorter times are noise
MOMENT_S = 10.0  # traces that start within it may have one and the same reason
SLOWER = 2.5  # times as long as half of the spans took before
LEAST_GAP_S = 0.02  # of own time: less is felt by nobody

Operation = tuple[str, str, str]  # service, operation, the caller's operation
Step = tuple[str, str]  # ("event", template) or ("call", "service operation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """One thing that an operation does, or no longer does, since the trouble began."""

    operation: Operation
    step: Step
    missing: bool  # else new
    share_before: float  # of traces, with the step in every span
    share_now: float
    traces_before: int
    traces_now: int  # that are odd
    moments_now: int  # in which one was odd
    strength: float  # twice the log likelihood ratio
    chance: float  # of this or more if nothing changed, times the tests that count

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
    traces_before: int
    traces_slow: int  # whoever calls
    moments_slow: int
    chance: float  # of so many slow spans if nothing changed, times the places looked at


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
    tests = [
        test
        for operation, seen in current.items()
        for test in _tests(operation, (usual.get(operation, []), failed), seen)
    ]
    found = _significant(tests)
    odd: dict[tuple[str, str], float] = defaultdict(float)
    for oddity, where in found:
        for span in where:
            odd[span.trace_id, span.span_id] += oddity.strength
    oddities = (oddity for oddity, _ in found)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """One thing that may be odd: in how many traces, and in which spans of now."""

    operation: Operation
    step: Step
    missing: bool
    counts: Counts
    effect: float  # so many neighbouring traces count as one
    where: Sequence[Span]


def _tests(
    operation: Operation, past: tuple[Seen, set[tuple[str, str]]], spans: Seen
) -> Iterator[_Test]:
    known, failed = past
    good = [(span, steps) for span, steps in known if (span.trace_id, span.span_id) not in failed]
    every, usual, well = ([s for s, _ in seen] for seen in (spans, known, good))
    if _traces(every) < LEAST or _traces(usual) < LEAST:
        return
    for step in sorted({step for _, steps in spans for step in steps if _is_error(step)}):
        where = [span for span, steps in spans if step in steps]
        before = [span for span, steps in known if step in steps]
        counts, effect = _counted(where, every, before, usual)
        yield _Test(
            operation=operation, step=step, missing=False, counts=counts, effect=effect, where=where
        )
    if _traces(well) < LEAST:
        return
    for step in sorted({step for _, steps in good for step in steps}):
        often = sorted(steps[step] for _, steps in good)
        least = often[len(often) // 30]  # all but the rarest do it at least so often
        if least == 0:
            continue
        where = [span for span, steps in spans if steps[step] < least]
        before = [span for span, steps in known if steps[step] < least]  # the failed ones too
        counts, effect = _counted(where, every, before, usual)
        yield _Test(
            operation=operation, step=step, missing=True, counts=counts, effect=effect, where=where
        )


def _traces(spans: Iterable[Span]) -> int:
    return len({span.trace_id for span in spans})


def _moments(spans: Iterable[Span]) -> int:
    return len({span.start.timestamp() // MOMENT_S for span in spans})


def _counted(
    where: Sequence[Span], spans: Sequence[Span], before: Sequence[Span], known: Sequence[Span]
) -> tuple[Counts, float]:
    """Count the traces that are odd, among all, now and before; and how alike neighbours were."""
    moments: dict[float, set[str]] = defaultdict(set)
    for span in known:
        moments[span.start.timestamp() // MOMENT_S].add(span.trace_id)
    odd = {span.trace_id for span in before}
    effect = design_effect([(len(odd & traces), len(traces)) for traces in moments.values()])
    return Counts(*map(_traces, (where, spans, before, known))), effect


def _chances(every: Sequence[tuple[Counts, float]]) -> list[float]:
    """Return per test the chance of it if nothing changed, times the tests that count."""
    fewer = [thinned(counts, effect) if effect > 1 else counts for counts, effect in every]
    number = number_to_correct_for([least_chance(counts) for counts in fewer], LEVEL)
    return [min(1.0, number * more_often(counts)) for counts in fewer]


def _significant(tests: Sequence[_Test]) -> list[tuple[Oddity, Sequence[Span]]]:
    """Return what differs, and how likely that is by chance among so many tests."""
    found = []
    for test, chance in zip(tests, _chances([(t.counts, t.effect) for t in tests]), strict=True):
        now, total_now, before, total_before = test.counts
        share, usual = now / total_now, before / total_before
        strength = likelihood_ratio(*test.counts)
        if share < max(LEAST_SHARE, usual) or strength < LOCATES:
            continue
        if test.missing:
            share, usual = 1 - share, 1 - usual
        oddity = Oddity(
            operation=test.operation, step=test.step, missing=test.missing, share_before=usual,
            share_now=share, traces_before=total_before, traces_now=now,
            moments_now=_moments(test.where), strength=strength, chance=chance,
        )  # fmt: skip
        found.append((oddity, test.where))
    return found


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


Place = tuple[str, str, str]  # caller ("" inside a service), service, operation
Times = Sequence[tuple[Span, float]]  # seconds that no callee accounts for


def _slow(old: _Forest, new: _Forest) -> tuple[Slowness, ...]:
    """Return the places where spans dwell. Whether it is chance is asked of all callers at once."""
    before, now = _own_times(old), _own_times(new)
    usual, current = _whoever_calls(before), _whoever_calls(now)
    asked = [key for key in sorted(current) if _traces(s for s, _ in usual.get(key, ())) >= LEAST]
    slow = {key: _dwelling(usual[key], current[key]) for key in asked}
    chance = dict(zip(asked, _chances([counted for counted, _ in slow.values()]), strict=True))
    places: dict[tuple[str, str], list[Slowness]] = defaultdict(list)
    for (caller, service, operation), times in sorted(now.items()):
        known = before.get((caller, service, operation))
        key = (bool(caller), service, operation)
        if known and key in chance:
            place = Slowness(
                caller=caller, service=service, before_s=_level(known), now_s=_level(times),
                traces_before=slow[key][0][0].total_before, traces_slow=slow[key][0][0].now,
                moments_slow=slow[key][1], chance=chance[key],
            )  # fmt: skip
            places[caller, service].append(place)
    return tuple(_surest(several) for _, several in sorted(places.items()))


def _whoever_calls(times: Mapping[Place, Times]) -> dict[tuple[bool, str, str], Times]:
    pooled: dict[tuple[bool, str, str], list[tuple[Span, float]]] = defaultdict(list)
    for (caller, service, operation), several in times.items():
        pooled[bool(caller), service, operation].extend(several)
    return dict(pooled)


def _dwelling(usual: Times, current: Times) -> tuple[tuple[Counts, float], int]:
    """Count the traces with slow spans, now and before, and the moments of now with one."""
    half = float(np.median([t for _, t in usual]))
    limit = max(SLOWER * half, half + LEAST_GAP_S)
    slow, late = ([s for s, t in times if t > limit] for times in (current, usual))
    counted = _counted(slow, [s for s, _ in current], late, [s for s, _ in usual])
    return counted, _moments(slow)


def _surest(several: Sequence[Slowness]) -> Slowness:
    """Return what speaks for a place: its operation that is least likely so slow by chance."""
    return min(several, key=lambda p: (p.chance, p.before_s - p.now_s))


def _level(times: Times) -> float:
    """Return the upper quartile: it sees trouble that began in the middle of the time looked at."""
    return max(LEAST_S, float(np.quantile([t for _, t in times], 0.75)))


def _own_times(forest: _Forest) -> dict[Place, Times]:
    """Per span what no callee accounts for; of a client's span it is the way to its callee."""
    times: dict[Place, list[tuple[Span, float]]] = defaultdict(list)
    for span in forest.spans:
        below = forest.below(span)
        own = max(0.0, span.duration_s - math.fsum(c.duration_s for c in below))
        way = _is_client(span, below)
        caller, service = (span.service, below[0].service) if way else ("", span.service)
        times[caller, service, span.operation].append((span, own))
    return dict(times)
