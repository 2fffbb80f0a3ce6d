"""Weighs one commit against the fault: what it does, where, when, and in which words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.diagnosis import Evidence
from bot.domain.snapshot import Source
from bot.reasoning.changes.effect_words import COMMON, VAGUE, effects_of_text
from bot.reasoning.changes.signature import Observation, Signature
from bot.reasoning.changes.suspects import Landing, Suspect
from bot.reasoning.claims import GOOD, HINT, said
from bot.reasoning.diffs.reading import Effect, Reading
from bot.reasoning.graph import ServiceGraph
from bot.reasoning.wording import duration, listed

SLACK = timedelta(minutes=2)  # an onset is known to within this
SLOW = frozenset({
    Effect.MEMORY_GROWTH, Effect.POOL, Effect.CACHE_MISSES, Effect.DISK, Effect.QUEUE, Effect.LOCKS,
    Effect.AUTHENTICATION, Effect.WRONG_RESULT, Effect.RETRIES,
})  # fmt: skip
"""Effects that may show long after the change: things fill up, expire, or wait for load."""

BURDENS = frozenset({
    Effect.TRAFFIC, Effect.QUERY_FANOUT, Effect.RETRIES, Effect.CACHE_MISSES, Effect.SLOW_QUERY,
    Effect.LOCKS, Effect.POOL, Effect.QUEUE, Effect.SCHEMA, Effect.AUTHENTICATION,
    Effect.WRONG_RESULT,
})  # fmt: skip
"""Effects that a caller has on what it calls: load, messages and credentials."""

LOCAL = frozenset({Effect.CRASH, Effect.MEMORY_GROWTH, Effect.DISK})
"""Effects that show only where the changed code runs."""

LEADS_TO: Mapping[Effect, tuple[Effect, ...]] = {
    Effect.LATENCY: (Effect.QUEUE, Effect.TIMEOUTS),
    Effect.CPU: (Effect.TIMEOUTS, Effect.QUEUE),
    Effect.POOL: (Effect.TIMEOUTS, Effect.QUEUE),
    Effect.LOCKS: (Effect.POOL, Effect.TIMEOUTS),
    Effect.SLOW_QUERY: (Effect.POOL, Effect.TIMEOUTS, Effect.CPU),
    Effect.QUERY_FANOUT: (Effect.SLOW_QUERY, Effect.TIMEOUTS, Effect.TRAFFIC),
    Effect.CACHE_MISSES: (Effect.SLOW_QUERY, Effect.TRAFFIC, Effect.CPU),
    Effect.MEMORY_GROWTH: (Effect.CRASH, Effect.CPU),
    Effect.RETRIES: (Effect.TRAFFIC, Effect.TIMEOUTS),
}
"""What follows from an effect where it goes on: seen for itself, it is a weaker sign."""

_ANYTHING = "dependency_upgrade"  # can do anything, so that something is seen says little
_UNREAD = -1.5  # most changes that no rule knows are innocent
_UNKNOWN = -2.5  # a change whose diff nobody has seen may be suspected, never convicted
_UNSEEN = -2.0  # a definite effect that is not seen speaks against it
_FAR = 0.4  # of what is seen neither where the commit runs nor where the trouble starts
_FAR_MOST = 1.0
_LEAST_SEEN = 0.8
_AFTER = -6.0
_RARE = 3  # commits that share a word before it says little
_WORDS, _WORDS_UNREAD = 2.0, 0.8  # the most that common words may weigh


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One commit's case: the reading that fits best and all that was weighed."""

    suspect: Suspect
    reading: Reading | None
    landing: Landing | None
    evidence: tuple[Evidence, ...]

    @property
    def weight(self) -> float:
        """The sum of the evidence."""
        return sum(e.weight for e in self.evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The fault, the graph, and how many commits use each word."""

    signature: Signature
    graph: ServiceGraph
    uses: Mapping[str, int]
    names: Mapping[str, int]

    def of(self, suspect: Suspect) -> Verdict:
        """Return the case of one commit."""
        reading, deed = self._deed(suspect)
        seen = self.signature.best(reading.effects) if reading else None
        landing, place = self._place(suspect, reading, seen)
        evidence = [*deed, *place, *self._time(suspect, landing, reading)]
        evidence += self._words(suspect, known=reading is not None)
        evidence += self._frames(suspect)
        evidence += self._names(suspect)
        return Verdict(suspect=suspect, reading=reading, landing=landing, evidence=tuple(evidence))

    def _deed(self, suspect: Suspect) -> tuple[Reading | None, list[Evidence]]:
        source = suspect.commit.source
        if suspect.commit.diff is None:
            return None, [said("its diff is not known", _UNKNOWN, source)]
        if suspect.harmless_files:
            return None, [said("it touches nothing that runs in production", -4.6, source)]
        risky = [r for r in suspect.readings if r.weight > 0]
        if not risky:
            return None, self._innocent(suspect)
        where = frozenset(x.service for x in suspect.landings)
        best = max(risky, key=lambda r: (r.weight + self.match(r, where).weight, r.rule))
        deed = said(f"it {best.statement}", min(3.0, best.weight), source)
        match = self.match(best, where)
        if best.mechanism == _ANYTHING and match.weight > 0:
            match = said(match.statement, 0.0, match.source)
        if deed.weight + match.weight < _UNREAD:  # then it may still do something unread
            return None, [said(f"{deed.statement}, but {match.statement}", _UNREAD, source)]
        return best, [deed, match]

    def _innocent(self, suspect: Suspect) -> list[Evidence]:
        source = suspect.commit.source
        harmless = min(suspect.readings, key=lambda r: r.weight, default=None)
        if harmless is not None and harmless.weight < 0:
            return [said(f"it {harmless.statement}", max(-4.6, harmless.weight), source)]
        topic = effects_of_text(suspect.changed) - COMMON
        seen = [e for e in sorted(topic) if self.signature.strength(e) >= GOOD]
        found = [said("it does nothing that is known to break things", _UNREAD, source)]
        if seen:
            found.append(said(f"it is about {_named(seen)}, as the trouble is", HINT, source))
        return found

    def match(self, reading: Reading, services: frozenset[str]) -> Evidence:
        """Weigh whether the effects that a change can have are the ones that are seen."""
        signature = self.signature
        telling = reading.effects - COMMON
        definite = reading.effects - VAGUE
        seen = self._seen(telling, services)
        common = self._seen(definite, services) or self._seen(_follows(reading.effects), services)
        vague = signature.best(reading.effects)
        if seen is not None:
            return said(seen[0].statement, min(3.0, seen[1] + 0.3), seen[0].source)
        if common is not None:
            lost = 0.5 * signature.telling if telling else 0.3 * signature.telling
            return said(common[0].statement, min(3.0, common[1]) - lost, common[0].source)
        if vague is not None and not definite:
            return said(vague.statement, HINT - 0.5 * signature.telling, vague.source)
        return said(
            f"nothing is seen of its {_named(sorted(telling or definite or reading.effects))}",
            _UNSEEN - 0.5 * signature.telling,
            vague.source if vague else _nothing(signature),
        )

    def _seen(
        self, effects: frozenset[Effect], services: frozenset[str]
    ) -> tuple[Observation, float] | None:
        """Return the clearest sight of an effect: far from commit and fault it counts for less."""
        near = services | {self.signature.first}
        found = [
            (o, o.weight if o.service in near else min(_FAR_MOST, _FAR * o.weight))
            for o in self.signature.observations
            if o.effect in effects
            and not (o.effect in LOCAL and services and o.service not in services)
        ]
        best = max(found, key=lambda pair: pair[1], default=None)
        return best if best is not None and best[1] >= _LEAST_SEEN else None

    def _place(
        self, suspect: Suspect, reading: Reading | None, seen: Observation | None
    ) -> tuple[Landing | None, list[Evidence]]:
        scored = [(self._relation(x.service, reading, seen), x) for x in suspect.landings]
        if scored:
            (weight, why), landing = max(scored, key=lambda s: (s[0][0], s[1].at))
            return landing, [said(why, weight, landing.deploy.source)]
        return None, [self._unlanded(suspect)]

    def _relation(
        self, service: str, reading: Reading | None, seen: Observation | None
    ) -> tuple[float, str]:
        first, graph = self.signature.first, self.graph
        where = f"it runs in {service}"
        if service == first:
            return GOOD, f"{where}, where the trouble starts"
        if seen is not None and seen.service == service and seen.effect not in VAGUE:
            return GOOD, f"{where}, where the effect is seen"
        if service in graph.above(first):
            harms = reading is not None and bool(reading.effects & BURDENS)
            text = f"{where}, which calls {first}"
            if harms:
                return GOOD, f"{text} and can harm it"
            return -HINT if reading else 0.0, text
        return self._elsewhere(service, where)

    def _elsewhere(self, service: str, where: str) -> tuple[float, str]:
        first = self.signature.first
        if service in self.graph.below(first):
            return HINT, f"{where}, which {first} depends on"
        if service in self.signature.suffering:
            return -HINT, f"{where}, which suffers too"
        return -3.5 if self.graph.services else -2.0, f"{where}, which has no part in the trouble"

    def _unlanded(self, suspect: Suspect) -> Evidence:
        source, first = suspect.commit.source, self.signature.first
        own = set(first.lower().replace("_", "-").split("-")) | {first.lower()}
        own |= {w.removesuffix("service").removesuffix("svc") for w in own}
        if suspect.path_words & {w for w in own if len(w) > 2}:
            return said(f"it changes {first}, but no deploy of it is known", 0.0, source)
        if suspect.shared:
            return said("it changes shared code, and no deploy of it is known", -HINT, source)
        return said(f"no deploy brought it to {first}", -GOOD, source)

    def _time(
        self, suspect: Suspect, landing: Landing | None, reading: Reading | None
    ) -> list[Evidence]:
        breach, begins = self.signature.breach, self.signature.begins
        if breach is None:
            return []
        moment, source = (
            (landing.at, landing.deploy.source)
            if landing
            else (suspect.commit.at, suspect.commit.source)
        )
        slow = reading is not None and bool(reading.effects & SLOW)
        weight, side = _delay(moment, breach, begins or breach, slow=slow)
        if landing is None and weight > 0:
            weight = 0.0
        gap = duration(abs((breach - moment).total_seconds()))
        verb = "went live" if landing else "was committed"
        return [said(f"it {verb} {gap} {side}", weight, source)]

    def _words(self, suspect: Suspect, *, known: bool) -> list[Evidence]:
        common = sorted(
            (w for w in suspect.words if w in self.signature.words),
            key=lambda w: (self.uses.get(w, 1), -len(w), w),
        )
        weight = sum(_rarity(self.uses.get(w, 1)) for w in common)
        if weight < 0.3 or suspect.harmless_files:
            return []
        most = _WORDS if known else _WORDS_UNREAD
        text = (
            f"{listed(common[:3])} of its diff {'are' if common[1:] else 'is'} met in the trouble"
        )
        return [said(text, min(most, weight), suspect.commit.source)]

    def _frames(self, suspect: Suspect) -> list[Evidence]:
        """A stack trace that passes through a file it changes is next to a confession."""
        hits = [f for f in suspect.commit.files if len(f) > 8 and f in self.signature.text]
        names = [f.rpartition("/")[2] for f in suspect.commit.files]
        hits = hits or [n for n in names if len(n) > 5 and f"/{n}:" in self.signature.text]
        if not hits or suspect.harmless_files:
            return []
        return [said(f"the stack trace passes through {hits[0]}", 2.5, suspect.commit.source)]

    def _names(self, suspect: Suspect) -> list[Evidence]:
        """A name that the trouble speaks of, and that this commit alone put in or took out."""
        if suspect.harmless_files:
            return []
        told = sorted(
            (n for n in suspect.names if self.names.get(n) == 1 and self.signature.speaks_of(n)),
            key=lambda n: (-len(n), n),
        )
        if not told:
            return []
        verb = "adds" if told[0] in suspect.added else "takes out"
        text = f"it {verb} {told[0]}, which the trouble speaks of"
        return [said(text, 2.5, suspect.commit.source)]


def _follows(effects: frozenset[Effect]) -> frozenset[Effect]:
    """Return what effects lead to in their turn."""
    return frozenset(e for effect in effects for e in LEADS_TO.get(effect, ()))


def _delay(
    moment: datetime, breach: datetime, begins: datetime, *, slow: bool
) -> tuple[float, str]:
    if moment > breach + SLACK:
        return _AFTER, "after the trouble began"
    if moment > begins + SLACK:
        return -2.0, "before it was felt, but after the first signs"
    delay = breach - moment
    if slow:
        return (1.0 if delay <= timedelta(hours=3) else 0.0), "before: such a thing shows late"
    for limit, weight in ((10, GOOD), (30, HINT), (120, 0.0)):
        if delay <= timedelta(minutes=limit):
            return weight, "before the trouble began"
    return -1.0, "before the trouble began: a long time"


def _rarity(uses: int) -> float:
    return 0.7 / uses if uses <= _RARE else 0.0


def _named(effects: Sequence[Effect]) -> str:
    return listed([e.value.replace("_", " ") for e in effects], last="or")


def _nothing(signature: Signature) -> Source:
    for one in signature.observations:
        return one.source
    return Source(system="reasoning", query="all of the above")


def trial_of(signature: Signature, graph: ServiceGraph, suspects: Sequence[Suspect]) -> Trial:
    """Return the trial of all suspects: a word or name that many of them use tells nothing."""
    return Trial(
        signature=signature,
        graph=graph,
        uses=Counter(word for s in suspects for word in s.words),
        names=Counter(name for s in suspects for name in s.names),
    )
