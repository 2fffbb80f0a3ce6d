"""What traces show: where errors begin, what fans out, who is called outside, what waits."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.snapshot import Snapshot, Span

FAN_OUT = 8  # equal calls under one parent from which they are a loop
_MORE = 3.0  # times the calls of a calm trace


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """One operation calls another again and again."""

    service: str
    operation: str
    callee: str
    called: str
    calls: int
    usual: int
    span: Span


def error_text(span: Span) -> str:
    """Return what a failed span says, with its attributes."""
    said = [f"{k}={v}" for k, v in span.attributes.items()]
    return " ".join([span.operation, *said]) if said else ""


def origins(every: Sequence[Span]) -> list[Span]:
    """Return the failed spans that no failed child explains: where the errors begin."""
    children: dict[tuple[str, str], list[Span]] = {}
    for span in every:
        children.setdefault((span.trace_id, span.parent_id or ""), []).append(span)
    return [
        s
        for s in every
        if s.error and not any(c.error for c in children.get((s.trace_id, s.span_id), ()))
    ]


def fan_outs(every: Sequence[Span]) -> list[FanOut]:
    """Return the loops of calls, each pair of operations once, the longest."""
    by_id = {(s.trace_id, s.span_id): s for s in every}
    counts = Counter((s.trace_id, s.parent_id or "", s.service, s.operation) for s in every)
    seen: dict[tuple[str, str, str, str], list[tuple[int, Span]]] = {}
    for (trace, parent_id, callee, called), calls in counts.items():
        parent = by_id.get((trace, parent_id))
        if parent is not None:
            key = (parent.service, parent.operation, callee, called)
            seen.setdefault(key, []).append((calls, parent))
    found = (_loop(key, pairs) for key, pairs in seen.items())
    return [one for one in found if one is not None]


def _loop(key: tuple[str, str, str, str], seen: Sequence[tuple[int, Span]]) -> FanOut | None:
    calls, parent = max(seen, key=lambda pair: pair[0])
    usual = min(n for n, _ in seen) if len(seen) > 1 else 0
    if calls < FAN_OUT or calls < _MORE * usual:
        return None
    return FanOut(
        service=key[0], operation=key[1], callee=key[2], called=key[3],
        calls=calls, usual=usual, span=parent,
    )  # fmt: skip


def telemetry(snapshot: Snapshot) -> frozenset[str]:
    """Return the services that report on themselves: what is not among them is outside."""
    spans = {s.service for s in snapshot.spans}
    series = {s.service for s in snapshot.series}
    return frozenset(spans | series | {t.service for t in snapshot.logs}) - {""}
