"""What changed between two answers to the same case, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

NEAR = 0.005  # confidences nearer than this read the same
SHOWN = 5

Json = Mapping[str, Any]


def differences(old: Json, new: Json) -> tuple[str, ...]:
    """Return one line per difference that a reader would care about; none: the same diagnosis."""
    return tuple(_differences(old, new))


def _differences(old: Json, new: Json) -> Iterator[str]:
    before, after = old.get("diagnosis") or {}, new.get("diagnosis") or {}
    for name in ("status", "cause", "object"):
        if before.get(name) != after.get(name):
            yield f"{name}: {_said(before.get(name))} → {_said(after.get(name))}"
    was, now = _share(before.get("confidence")), _share(after.get("confidence"))
    if abs(was - now) > NEAR:
        yield f"confidence: {was:.0%} → {now:.0%}"
    yield from _ranking(old, new)
    yield from _evidence(old, new)
    if (a := _actions(old)) != (b := _actions(new)):
        yield f"proposals: {_listed(a)} → {_listed(b)}"


def _ranking(old: Json, new: Json) -> Iterator[str]:
    before, after = _hypotheses(old), _hypotheses(new)
    for name in [n for n in after if n not in before][:SHOWN]:
        yield f"new hypothesis: {name} ({after[name]:.0%})"
    for name in [n for n in before if n not in after][:SHOWN]:
        yield f"no longer a hypothesis: {name} (was {before[name]:.0%})"


def _evidence(old: Json, new: Json) -> Iterator[str]:
    before, after = _statements(old), _statements(new)
    for line in [s for s in after if s not in before][:SHOWN]:
        yield f"new evidence: {line}"
    for line in [s for s in before if s not in after][:SHOWN]:
        yield f"evidence gone: {line}"


def _hypotheses(answer: Json) -> dict[str, float]:
    rows = [h for h in answer.get("hypotheses") or () if isinstance(h, Mapping)]
    return {f"{h.get('cause')} of {h.get('object')}": float(h.get("confidence") or 0) for h in rows}


def _statements(answer: Json) -> list[str]:
    rows = [e for e in answer.get("evidence") or () if isinstance(e, Mapping)]
    return [str(e.get("statement")) for e in rows]


def _actions(answer: Json) -> list[str]:
    rows = [p for p in answer.get("proposals") or () if isinstance(p, Mapping)]
    return [str(p.get("title")) for p in rows]


def _said(value: Any) -> str:
    return "none" if value is None else str(value)


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"


def _share(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
