"""A provider outside that refuses us for asking too much."""

import re
from collections.abc import Mapping

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact
from bot.domain.snapshot import LogTemplate, Signal, Snapshot
from bot.reasoning import complaints, needs
from bot.reasoning.calls import amplifications
from bot.reasoning.claims import GOOD, HINT, PROOF, STRONG, at, said, seen, watched
from bot.reasoning.picture import Picture, picture_of
from bot.reasoning.suspicion import EARLY

NAME = "provider_limits"
_PRIOR = -3.0
_REFUSED = re.compile(
    r"(?<![.,:\d])429\b(?![.,:]\d)|too many requests|rate.?limit(ed|ing| exceeded)|"
    r"quota (has been |was )?exceeded|"
    r"throttl(ed|ing)exception|requests? (was |were )?throttled|retry-after|slow ?down|"
    r"exceeded .{0,30}(quota|rate|limit) ",
    re.I,
)
_HOST = re.compile(r"\b(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,})\b(?::\d+)?", re.I)
_OURS = re.compile(r"\.(svc|cluster\.local|local|internal|svc\.cluster\.local)$|\.(java|go|py|js)$")


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per provider whose refusals our services log."""
    picture = picture_of(snapshot)
    refusals = _refusals(picture)
    outside = [r for r in picture.roots if picture.is_outside(r)]
    callers = {c for r in outside for c in picture.graph.callers(r)}
    logs = needs.of_services(Fact.LOGS, question, callers, reason="what the provider answers")
    return Finding(
        hypotheses=tuple(_hypothesis(picture, question, p, t) for p, t in refusals.items()),
        needs=(logs,) if callers else (),
    )


def _refusals(picture: Picture) -> Mapping[str, list[LogTemplate]]:
    """Return the new complaints about rate limits, by the provider that they are about."""
    found: dict[str, list[LogTemplate]] = {}
    for service in sorted({t.service for t in picture.snapshot.logs}):
        for line in complaints.novel(picture, service):
            if _REFUSED.search(line.example):
                provider = _provider(picture, service, line)
                if provider:
                    found.setdefault(provider, []).append(line)
    return dict(sorted(found.items()))


def _provider(picture: Picture, service: str, line: LogTemplate) -> str:
    """Return who refused: a callee outside that is named or ill, else the host in the line."""
    outside = [c for c in sorted(picture.graph.callees(service)) if picture.is_outside(c)]
    text = line.example.lower()
    named = [c for c in outside if c.lower() in text]
    ill = [c for c in outside if c in picture.symptoms]
    hosts = [h for h in _HOST.findall(line.example) if not _OURS.search(h.lower())]
    own = {name.lower() for name in picture.workloads}
    hosts = [h for h in hosts if h.count(".") > 1 or h.lower().partition(".")[0] not in own]
    hosts = [h for h in hosts if h.lower().rpartition(".")[2] not in own]  # a logger's name
    only = outside if len(outside) == 1 else []
    return next(iter((*named, *ill, *hosts, *only)), "")


def _hypothesis(
    picture: Picture, question: Question, provider: str, lines: list[LogTemplate]
) -> Hypothesis:
    callers = tuple(sorted({t.service for t in lines}))
    began = min((t.first_at for t in lines if t.first_at), default=None)
    evidence = [
        complaints.quoted(picture, max(lines, key=lambda t: t.count), PROOF),
        *_more_asked(picture, provider, callers, lines[0]),
        *_others(picture, provider, callers, lines[0]),
        *_hurt(picture, callers, lines[0]),
    ]
    onset = min((o for c in callers if (o := picture.onset_of(c))), default=began)
    victims = {v for c in callers for v in (c, *picture.victims(c))} & set(picture.symptoms)
    since = f" since {at(onset, picture)}" if onset else ""
    return Hypothesis(
        cause="external_rate_limited",
        object=f"external/{provider}",
        service=provider,
        summary=f"{provider} refuses calls of {', '.join(callers)}{since}: we ask more than it "
        "allows (429).",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=tuple(sorted({*victims, *callers})),
        onset=onset,
        signal=watched(picture, question, *callers),
        hint="wait",
    )


def _more_asked(
    picture: Picture, provider: str, callers: tuple[str, ...], line: LogTemplate
) -> list[Evidence]:
    """A limit is reached by asking more: by more users, or more often for each."""
    for caller in callers:
        loud = [a for a in amplifications(picture, caller) if a.peer == provider]
        if loud:
            return [said(f"{caller} asks {provider} more often per request", GOOD, loud[0].source)]
        for sign in (
            picture.sign(Signal.EDGE_RATE, caller, provider),
            picture.sign(Signal.REQUEST_RATE, caller),
        ):
            if sign is not None and (line.first_at is None or sign.onset <= line.first_at + EARLY):
                return [seen(sign, picture, GOOD, "more is asked than before")]
    return []


def _others(
    picture: Picture, provider: str, callers: tuple[str, ...], line: LogTemplate
) -> list[Evidence]:
    """A limit counts per key: who uses another key is served."""
    rest = sorted(picture.graph.callers(provider) - set(callers))
    fine = [c for c in rest if not picture.sign(Signal.EDGE_ERROR_RATIO, c, provider)]
    if not rest:
        return []
    if len(fine) == len(rest):
        text = f"{', '.join(fine)} are served by {provider} as usual"
        return [said(text, HINT, line.source)]
    return [said(f"all callers of {provider} fail", -HINT, line.source)]


def _hurt(picture: Picture, callers: tuple[str, ...], line: LogTemplate) -> list[Evidence]:
    hurt = [s for c in callers for s in picture.symptoms.get(c, ())]
    if hurt:
        return [seen(max(hurt, key=lambda s: s.shift.size), picture, GOOD)]
    measured = [c for c in callers if picture.recent(Signal.ERROR_RATIO, c) is not None]
    if not measured:
        return []
    return [said(f"{', '.join(measured)} serve their users as usual", -STRONG, line.source)]
