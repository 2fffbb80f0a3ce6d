"""The signature of a fault: which effects are seen, where, since when, and in which words."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from bot.domain.snapshot import LogTemplate, Series, Signal, Snapshot, Source
from bot.reasoning import series as statistics
from bot.reasoning.changes import spans as traces
from bot.reasoning.changes.effect_words import (
    COMMON,
    VAGUE,
    Meaning,
    effects_of_text,
    meaning_of_signal,
)
from bot.reasoning.changes.words import without, words_of
from bot.reasoning.claims import moment_of
from bot.reasoning.diffs.reading import Effect
from bot.reasoning.graph import ServiceGraph
from bot.reasoning.picture import BREAKDOWNS, Picture, picture_of
from bot.reasoning.thresholds import tolerance_of
from bot.reasoning.wording import noun, quantity

HEARD = 2.0  # weight of a novel complaint that names an effect
FULL = 3.0  # an effect is not seen better than this
_SECOND_HAND = 0.4  # of a complaint about another service
_IN_PASSING = 0.5  # of a common effect where the text names a rarer one
_MORE = 4.0  # times as many lines as before
_LEAST = 3
_BAD_LEVELS = frozenset({"error", "fatal", "critical", "warning", "warn", "severe"})
_OTHERS = re.compile(r"\b(upstream|downstream|dependency|provider|remote|peer)\b", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One effect seen at one service. `weight` in 0..3 as a log likelihood ratio."""

    effect: Effect
    service: str
    weight: float
    statement: str
    source: Source
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a fault looks like. `breach`: since when the first failing service suffers."""

    observations: tuple[Observation, ...]
    complaints: tuple[LogTemplate, ...]
    first: str
    suffering: tuple[str, ...]
    begins: datetime | None
    breach: datetime | None
    words: Mapping[str, int]
    text: str  # all that is complained of, for hosts and frames

    def strength(self, effect: Effect) -> float:
        """Return how clearly an effect is seen, 0..3."""
        return max((o.weight for o in self.observations if o.effect is effect), default=0.0)

    def best(self, effects: Iterable[Effect]) -> Observation | None:
        """Return the clearest observation of any of the effects."""
        wanted = frozenset(effects)
        return max(
            (o for o in self.observations if o.effect in wanted),
            key=lambda o: (o.effect not in VAGUE, o.effect not in COMMON, o.weight),
            default=None,
        )

    def speaks_of(self, name: str) -> bool:
        """Whether a name is met in what is complained of, as a whole, not as an attribute's key."""
        if name not in self.text:
            return False
        return bool(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w=-])", self.text))

    @property
    def telling(self) -> float:
        """Return how clear the clearest effect is that not every fault has."""
        return max((o.weight for o in self.observations if o.effect not in COMMON), default=0.0)


def signature_of(snapshot: Snapshot) -> Signature:
    """Return the signature of what is wrong in a snapshot."""
    graph = ServiceGraph.of(snapshot)
    complaints = tuple(t for t in snapshot.logs if novel(t))
    found = (
        *_of_series(picture_of(snapshot)),
        *_of_logs(complaints, traces.telemetry(snapshot)),
        *_of_spans(snapshot),
        *_of_alerts(snapshot),
    )
    first = _first(snapshot, found, graph)
    failed = {s.service for s in snapshot.spans if s.error} & graph.above(first)
    suffering = tuple(sorted({*_suffering(found, first, graph), *failed} - {first}))
    text = _text(snapshot, complaints)
    moments = [o.at for o in found if o.at is not None and o.weight >= 1.0]
    own = [o.at for o in found if o.at is not None and o.service == first and o.weight >= 1.0]
    return Signature(
        observations=found,
        complaints=complaints,
        first=first,
        suffering=suffering,
        begins=min(moments, default=None),
        breach=min(own, default=min(moments, default=None)),
        words=_words(text, traces.telemetry(snapshot)),
        text=text,
    )


def novel(template: LogTemplate) -> bool:
    """Whether a complaint is new or far more frequent than before."""
    bad = template.level.lower() in _BAD_LEVELS or bool(
        effects_of_text(template.template) - {Effect.TRAFFIC, Effect.LATENCY}
    )
    return bad and template.count >= max(_LEAST, _MORE * (template.baseline_count or 0))


def _of_series(picture: Picture) -> Iterator[Observation]:
    """Read the catalogue's signals as the picture does, any other by its name and own spread."""
    for sign in (*picture.signs, *picture.past):
        if (meaning := meaning_of_signal(sign.signal)) is not None and not sign.peer:
            yield from _moved(sign.series, sign.shift, meaning)
    for several in picture.index.values():
        series = min(several, key=lambda s: s.times[-1] - s.times[0] if s.times else 0.0)
        if tolerance_of(series.signal) is not None or BREAKDOWNS & set(series.labels):
            continue
        meaning = meaning_of_signal(series.signal)
        if meaning is not None and (shift := shift_of(series, meaning.direction)) is not None:
            yield from _moved(series, shift, meaning)


def _moved(series: Series, shift: statistics.Shift, meaning: Meaning) -> Iterator[Observation]:
    now, usual = (quantity(v, series.unit, series.signal) for v in (_extreme(shift), shift.usual))
    for effect in sorted(meaning.effects):
        weight = min(FULL, 1.0 + math.log(max(1.0, shift.size)))
        yield Observation(
            effect=effect,
            service=series.service,
            weight=weight if len(meaning.effects) == 1 or effect not in COMMON else 0.7 * weight,
            statement=f"{noun(series.signal)} of {series.service} {now}, usually {usual}",
            source=series.source,
            at=moment_of(shift.onset),
        )


@lru_cache(maxsize=2048)
def _shift(
    times: tuple[float, ...], values: tuple[float, ...], direction: int
) -> statistics.Shift | None:
    spanned = max(values) - min(values)
    return statistics.shift(
        times,
        values,
        floor=max(0.15 * spanned, 1e-9),
        ratio=0.25 if direction > 0 else 0.15,
        sigmas=6.0,
        direction=direction,
    )


def shift_of(series: Series, direction: int) -> statistics.Shift | None:
    """Return how a series left its usual level in a direction, None if it did not.

    What is so from the first samples on has no calm time before it to compare with.
    """
    if len(series.times) < statistics.LEAST:
        return None
    shift = _shift(series.times, series.values, direction)
    return shift if shift is not None and shift.onset > series.times[2] else None


def _extreme(shift: statistics.Shift) -> float:
    return shift.now if shift.until is None else shift.worst


def _of_logs(complaints: Iterable[LogTemplate], services: frozenset[str]) -> Iterator[Observation]:
    for template in complaints:
        text = f"{template.template} {template.example}"
        second_hand = _about_another(template, services)
        for effect, share in _named(text):
            weight = HEARD + (0.5 if (template.baseline_count or 0) == 0 else 0.0)
            yield Observation(
                effect=effect,
                service=template.service,
                weight=weight * share * (_SECOND_HAND if second_hand else 1.0),
                statement=f'{template.service} logs "{_short(template.example)}" '
                f"{template.count} times, {template.baseline_count or 0} before",
                source=template.source,
                at=template.first_at if not template.baseline_count else None,
            )


def _about_another(template: LogTemplate, services: frozenset[str]) -> bool:
    others = services - {template.service}
    text = template.template.lower()
    return any(o.lower() in text for o in others) or bool(_OTHERS.search(text))


def _named(text: str) -> Iterator[tuple[Effect, float]]:
    effects = effects_of_text(text)
    telling = effects - COMMON
    for effect in sorted(effects):
        yield effect, _IN_PASSING if telling and effect in COMMON else 1.0


def _of_spans(snapshot: Snapshot) -> Iterator[Observation]:
    for span in traces.origins(snapshot.spans):
        text = traces.error_text(span)
        for effect, share in _named(text):
            yield Observation(
                effect=effect,
                service=span.service,
                weight=HEARD * share,
                statement=f'{span.operation} of {span.service} fails: "{_short(text)}"',
                source=span.source,
            )
    for loop in traces.fan_outs(snapshot.spans):
        yield Observation(
            effect=Effect.QUERY_FANOUT,
            service=loop.service,
            weight=FULL,
            statement=f"one {loop.operation} of {loop.service} calls {loop.called} of "
            f"{loop.callee} {loop.calls} times",
            source=loop.span.source,
        )


def _of_alerts(snapshot: Snapshot) -> Iterator[Observation]:
    for alert in snapshot.alerts:
        for effect, share in _named(f"{alert.name} {alert.summary}"):
            yield Observation(
                effect=effect,
                service=alert.service or "",
                weight=HEARD * share,
                statement=f"alert: {_short(alert.summary)}",
                source=alert.source,
            )


def _first(snapshot: Snapshot, found: Iterable[Observation], graph: ServiceGraph) -> str:
    """Return the first failing service: the alert's, unless a callee of it fails by itself."""
    seen = tuple(found)
    alerted = [a.service for a in snapshot.alerts if a.service]
    if alerted:
        return _deeper(alerted[0], seen, graph)
    roots = graph.roots({o.service for o in seen if o.service})
    weights = {r: sum(o.weight for o in seen if o.service == r) for r in roots}
    return max(sorted(weights), key=lambda r: weights[r], default="")


def _deeper(alerted: str, seen: tuple[Observation, ...], graph: ServiceGraph) -> str:
    """Walk down to a callee that fails by its own words, when the alerted one only suffers."""
    own = [o for o in seen if o.service == alerted and o.effect not in COMMON and o.weight >= 1.5]
    if own:
        return alerted
    below = {
        o.service: o.weight
        for o in sorted(seen, key=lambda o: o.weight)
        if o.service in graph.below(alerted) and o.effect not in COMMON and o.weight >= HEARD
    }
    return max(sorted(below), key=lambda s: below[s], default=alerted)


def _suffering(found: Iterable[Observation], first: str, graph: ServiceGraph) -> tuple[str, ...]:
    """Return the other services whose users feel it."""
    felt = VAGUE | {Effect.TIMEOUTS, Effect.CRASH}
    below = graph.below(first)
    return tuple(
        sorted(
            {
                o.service
                for o in found
                if o.effect in felt and o.weight >= 0.7 and o.service not in ("", first)
                and (o.service not in below or first in graph.below(o.service))
            }
        )
    )  # fmt: skip


def _text(snapshot: Snapshot, complaints: Iterable[LogTemplate]) -> str:
    parts = [t.example for t in complaints] + [t.template for t in complaints]
    parts += [traces.error_text(s) for s in snapshot.spans if s.error]
    parts += [a.summary for a in snapshot.alerts]
    return "\n".join(dict.fromkeys(parts))


def _words(text: str, services: frozenset[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for line in text.splitlines():
        for word in without(words_of(line), services):
            counts[word] = counts.get(word, 0) + 1
    return counts


def _short(text: str, most: int = 140) -> str:
    return " ".join(text.split())[:most]


def rising(picture: Picture) -> dict[str, statistics.Shift]:
    """Return the services that get more requests than usual, with how."""
    return {
        s.service: s.shift
        for s in picture.signs
        if s.signal == Signal.REQUEST_RATE and s.shift.now > s.shift.usual
    }
