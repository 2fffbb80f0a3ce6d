"""A queue that grows: more comes in, less is taken out, or nobody takes anything out."""

from dataclasses import dataclass

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question, SignalRef
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Signal, Snapshot
from bot.reasoning import complaints, needs
from bot.reasoning.claims import GOOD, HINT, STRONG, at, ref, said, seen, watched
from bot.reasoning.picture import Picture, Sign, picture_of
from bot.reasoning.suspicion import EARLY
from bot.reasoning.wording import quantity

NAME = "queues"
_PRIOR = -3.0
_REBALANCE = r"rebalanc|revoked|max\.poll|consumer .*(closed|died|removed)|heartbeat|channel closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Queue:
    """One growing queue, and what was seen on both of its sides."""

    depth: Sign
    resource: str
    readers: tuple[str, ...]  # workloads that take from it, as far as is known
    produced: Sign | None  # more comes in
    consumed: Sign | None  # less is taken out
    gone: Sign | None  # fewer consumers or pods of theirs


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per queue that grew: flooded, slowly read, or not read at all."""
    picture = picture_of(snapshot)
    growing = [s for s in picture.signs if s.signal == Signal.QUEUE_DEPTH and not _drains(s)]
    queues = [_queue(picture, s) for s in growing]
    return Finding(
        hypotheses=tuple(_hypothesis(picture, question, q) for q in queues),
        needs=_needs(question, queues),
    )


def _needs(question: Question, queues: list[_Queue]) -> tuple[Need, ...]:
    readers = {r for q in queues for r in (*q.readers, q.depth.service)}
    if not readers:
        return ()
    logs = needs.of_services(Fact.LOGS, question, readers, reason="why the queue is read slowly")
    return (logs,)


def _drains(sign: Sign) -> bool:
    """Whether it is well below its worst again: a batch that is being worked off."""
    return sign.shift.now < 0.5 * sign.shift.worst


def _queue(picture: Picture, depth: Sign) -> _Queue:
    resource = depth.series.labels.get("resource", "")
    readers = _readers(picture, depth.service)
    own = [s for s in picture.signs if _of_queue(s, depth.service, resource)]
    gone = next((s for s in own if s.signal == Signal.CONSUMERS), None)
    for signal in (Signal.READY_PODS, Signal.RESTARTS):
        gone = gone or next((s for r in readers if (s := picture.sign(signal, r))), None)
    return _Queue(
        depth=depth,
        resource=resource,
        readers=readers,
        produced=next((s for s in own if s.signal == Signal.PRODUCED_RATE), None),
        consumed=next((s for s in own if s.signal == Signal.CONSUMED_RATE), None),
        gone=gone,
    )


def _of_queue(sign: Sign, service: str, resource: str) -> bool:
    same = sign.series.labels.get("resource", "")
    return (resource and same == resource) or (sign.service == service and same in ("", resource))


def _readers(picture: Picture, service: str) -> tuple[str, ...]:
    """The workload of a consumer group's name, else those that call the broker and are ill."""
    if service in picture.workloads and not picture.graph.callers(service):
        return (service,)
    near = picture.graph.callers(service)
    ill = {s.service for s in picture.signs if s.signal in (Signal.READY_PODS, Signal.RESTARTS)}
    return tuple(sorted(near & (ill | set(picture.symptoms))))


def _hypothesis(picture: Picture, question: Question, queue: _Queue) -> Hypothesis:
    depth = queue.depth
    name = queue.resource or depth.service
    cause, why, hint = _kind(queue)
    place = queue.readers[0] if len(queue.readers) == 1 else depth.service
    evidence = [
        seen(depth, picture, GOOD),
        *_inflow(picture, queue),
        *_outflow(picture, queue),
        *_consumers(picture, queue),
        *complaints.about(picture, queue.readers, _REBALANCE, HINT),
    ]
    return Hypothesis(
        cause=cause,
        object=picture.object_of(place),
        service=place,
        summary=f"Messages pile up in {name} since {at(depth.onset, picture)} "
        f"({quantity(depth.shift.usual)} → {quantity(depth.shift.now)}): {why}.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=tuple(sorted({depth.service, *picture.victims(depth.service)} - {place})),
        onset=min(s.onset for s in (depth, queue.gone, queue.consumed, queue.produced) if s),
        signal=_signal(picture, question, queue, place),
        hint=hint,
    )


def _signal(picture: Picture, question: Question, queue: _Queue, place: str) -> SignalRef | None:
    asked = [s for q in question.services for s in picture.symptoms.get(q, ())]
    return watched(picture, question, place) if asked else ref(queue.depth)


def _kind(queue: _Queue) -> tuple[str, str, str]:
    if queue.gone is not None and _fits(queue.gone, queue):
        return "queue_consumers_gone", "fewer read from it than before", "restart"
    if queue.produced is not None and queue.consumed is None:
        return "queue_flooded", "more comes in than its readers can take out", "scale"
    return "queue_consumers_slow", "its readers take out less than comes in", "none"


def _fits(sign: Sign, queue: _Queue) -> bool:
    return sign.onset <= queue.depth.onset + EARLY


def _inflow(picture: Picture, queue: _Queue) -> list[Evidence]:
    flooded = _kind(queue)[0] == "queue_flooded"
    if queue.produced is not None:
        first = _fits(queue.produced, queue)
        weight = STRONG if flooded and first else -HINT
        return [seen(queue.produced, picture, weight)]
    series = picture.recent(Signal.PRODUCED_RATE, queue.depth.service)
    if series is None:
        return []
    return [said("no more comes in than usual", GOOD, series.source)]


def _outflow(picture: Picture, queue: _Queue) -> list[Evidence]:
    if queue.consumed is not None:
        slow = _kind(queue)[0] == "queue_consumers_slow" and _fits(queue.consumed, queue)
        return [seen(queue.consumed, picture, STRONG if slow else GOOD)]
    series = picture.recent(Signal.CONSUMED_RATE, queue.depth.service)
    if series is None:
        return []
    flooded = _kind(queue)[0] == "queue_flooded"
    text = "as much as usual is taken out"
    return [said(text, HINT if flooded else -HINT, series.source)]


def _consumers(picture: Picture, queue: _Queue) -> list[Evidence]:
    if queue.gone is not None:
        return [seen(queue.gone, picture, STRONG if _fits(queue.gone, queue) else -HINT)]
    series = picture.recent(Signal.CONSUMERS, queue.depth.service)
    if series is None:
        return []
    count = quantity(series.values[-1])
    return [said(f"{count} consumers read from it, as usual", HINT, series.source)]
