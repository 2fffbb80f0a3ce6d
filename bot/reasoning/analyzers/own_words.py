"""Services that say outright what is wrong: new error lines that name a cause."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import LogTemplate, Signal, Snapshot
from bot.reasoning import complaints, needs
from bot.reasoning.claims import GOOD, HINT, at, said, seen, watched
from bot.reasoning.picture import Picture, picture_of
from bot.reasoning.sayings import SAYINGS, Saying, Whose
from bot.reasoning.suspicion import culprits
from bot.reasoning.thresholds import RED

NAME = "own_words"
_PRIOR = -4.0
_NEAR = timedelta(minutes=5)  # a line this near to the onset belongs to it
_EVERYWHERE = 3  # services that say the same: then it is none of them alone


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quote:
    """A line of a service that names a cause."""

    service: str
    template: LogTemplate


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per cause and place that new error lines name."""
    picture = picture_of(snapshot)
    found = [h for saying in SAYINGS for h in _hypotheses(picture, question, saying)]
    return Finding(hypotheses=tuple(found), needs=_needs(picture, question))


def _needs(picture: Picture, question: Question) -> tuple[Need, ...]:
    """What the deepest services with symptoms, and what they use, have to say."""
    if not picture.roots:
        return ()
    near = {c for root in picture.roots for c in picture.graph.callees(root)}
    services = sorted({*picture.roots, *near})
    return (needs.of_services(Fact.LOGS, question, services, reason="what they say themselves"),)


def _hypotheses(picture: Picture, question: Question, saying: Saying) -> Iterator[Hypothesis]:
    quotes = _quotes(picture, saying)
    places: dict[str, list[_Quote]] = {}
    for quote in quotes.values():
        places.setdefault(_place(picture, saying, quote), []).append(quote)
    for place, several in sorted(places.items()):
        if saying.cause == "application_fault" and _changed(picture, place):
            continue  # then the change is the cause, and others name it
        yield _hypothesis(picture, question, saying, (place, several, len(quotes)))


def _quotes(picture: Picture, saying: Saying) -> Mapping[str, _Quote]:
    """The most frequent new line of each service; who only repeats what its callee says is out."""
    found = {}
    for service in sorted({t.service for t in picture.snapshot.logs}):
        fitting = [t for t in complaints.novel(picture, service) if saying.words.search(t.example)]
        if fitting:
            found[service] = _Quote(service=service, template=fitting[0])
    return {
        service: quote
        for service, quote in found.items()
        if not set(found) & set(picture.graph.below(service)) or saying.whose is not Whose.OWN
    }


def _place(picture: Picture, saying: Saying, quote: _Quote) -> str:
    """Whose trouble it is: the one named, the only store in use, or whoever says it."""
    if saying.whose is Whose.OWN:
        return quote.service
    callees = picture.graph.callees(quote.service)
    named = [c for c in sorted(callees) if _names(quote.template.example, c)]
    stores = sorted(
        {
            series.labels["peer"]
            for series in picture.snapshot.series
            if series.signal in (Signal.DB_QUERY_P99, Signal.DB_QUERY_RATE)
            and series.service == quote.service
            and "peer" in series.labels
        }
    )
    choice = named or (stores if saying.whose is Whose.STORE else [])
    return choice[0] if len(choice) == 1 else quote.service


def _names(text: str, service: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(service)}(?![\w-])", text) is not None


def _changed(picture: Picture, service: str) -> bool:
    onset = picture.onset_of(service) or picture.onset
    kinds = {c.kind for c in picture.snapshot.changes}
    return onset is not None and any(
        timing.possible for _, timing in culprits(picture, service, onset, kinds)
    )


def _hypothesis(
    picture: Picture, question: Question, saying: Saying, where: tuple[str, list[_Quote], int]
) -> Hypothesis:
    place, quotes, _ = where
    who = sorted(q.service for q in quotes)
    onset = min((o for s in (*who, place) if (o := picture.onset_of(s))), default=None)
    since = f" since {at(onset, picture)}" if onset else ""
    tells = saying.tells.format(who=place)
    return Hypothesis(
        cause=saying.cause,
        object=f"{saying.kind}/{place}" if saying.kind else picture.object_of(place),
        service=place,
        summary=f"{tells}{since}.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(_evidence(picture, saying, where)),
        explains=tuple(sorted({*picture.victims(place), *who} - {place})),
        onset=onset,
        signal=watched(picture, question, place, *who),
    )


def _evidence(
    picture: Picture, saying: Saying, where: tuple[str, list[_Quote], int]
) -> Iterator[Evidence]:
    place, quotes, speakers = where
    loudest = sorted(quotes, key=lambda q: (-q.template.count, q.service))[:3]
    source = loudest[0].template.source
    for i, quote in enumerate(loudest):
        yield complaints.quoted(picture, quote.template, HINT if i else saying.weight)
    yield from _together(picture, quotes)
    yield from _hurt(picture, sorted(q.service for q in quotes), place)
    if saying.whose is Whose.OWN and speakers >= _EVERYWHERE:
        yield said(f"{speakers} services say so: it is none of them alone", -GOOD, source)
    if saying.whose is not Whose.OWN and place in {q.service for q in quotes}:
        yield said("the lines do not say whom it talks to", -HINT, source)


def _together(picture: Picture, quotes: list[_Quote]) -> list[Evidence]:
    """Whether the lines began when the trouble did."""
    for quote in quotes:
        first, onset = quote.template.first_at, picture.onset_of(quote.service) or picture.onset
        if first is None or onset is None:
            continue
        if abs(first - onset) <= _NEAR:
            text = f"the lines began at {at(first, picture)}, with the trouble"
            return [said(text, GOOD, quote.template.source)]
        if first > onset:
            text = f"the lines began at {at(first, picture)}, after the trouble"
            return [said(text, -HINT, quote.template.source)]
    return []


def _hurt(picture: Picture, who: list[str], place: str) -> list[Evidence]:
    """Whether whoever says it, or has it, serves badly."""
    signs = [s for name in (*who, place) for s in picture.symptoms.get(name, ())]
    if signs:
        return [seen(max(signs, key=lambda s: s.shift.size), picture, GOOD)]
    series = next(
        (s for name in who for signal in sorted(RED) if (s := picture.recent(signal, name))), None
    )
    if series is None:
        return []
    return [said(f"{who[0]} is as fast and reliable as usual", -GOOD, series.source)]
