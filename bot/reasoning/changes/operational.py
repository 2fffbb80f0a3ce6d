"""What breaks without any change of ours: each trigger with its own evidence in the fault."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.domain.diagnosis import Evidence
from bot.domain.snapshot import LogTemplate, Signal, Snapshot, Source
from bot.reasoning.changes import spans as traces
from bot.reasoning.changes.signature import Signature, novel, rising, shift_of
from bot.reasoning.claims import GOOD, HINT, PROOF, STRONG, said
from bot.reasoning.diffs.reading import Effect
from bot.reasoning.graph import ServiceGraph
from bot.reasoning.picture import picture_of
from bot.reasoning.wording import quantity

PRIOR = -2.0
_SURGE = 1.5  # times the usual requests
_SHOWN = 140


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One operational cause with what speaks for and against it."""

    cause: str
    object: str
    service: str
    summary: str
    hint: str
    evidence: tuple[Evidence, ...]

    @property
    def weight(self) -> float:
        """The sum of the evidence."""
        return sum(e.weight for e in self.evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What every trigger is judged by."""

    snapshot: Snapshot
    signature: Signature
    graph: ServiceGraph
    services: frozenset[str]

    @property
    def first(self) -> str:
        """The first failing service."""
        return self.signature.first


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sentence:
    """A trigger that the logs name outright."""

    cause: str
    kind: str
    words: str
    weight: float
    summary: str
    hint: str


_SENTENCES = (
    _Sentence(
        cause="certificate_expired", kind="certificate",
        words=r"certificate.{0,20} (has |is )?expired|expired.{0,20}certificate"
        r"|cert(ificate)?_?(has_?)?expired|certificate is not (yet )?valid",
        weight=PROOF + HINT, summary="a certificate that {first} depends on expired",
        hint="rotate certificate",
    ),
    _Sentence(
        cause="node_failure", kind="node",
        words=r"node\S* (is )?(not ?ready|unreachable|lost|down|drain|terminat|preempt)"
        r"|nodenotready|\bevict(ed|ion)\b|(memory|disk|pid) ?pressure|spot (instance|interruption)"
        r"|kernel:|\becc\b"
        r"|hardware (error|fault)|machine check|kubelet stopped|host (is )?(down|unreachable)"
        r"|instance .{0,30}(terminated|retired|impaired)|availability zone|\baz\b.{0,20}(outage|"
        r"impair|down)|packet loss|link (is )?down|network partition|i/o error|nvme|ebs .{0,20}"
        r"(degrad|impair|latency)|volume .{0,20}(degrad|impair|detached)",
        weight=STRONG + GOOD, summary="a node or the infrastructure below {first} fails",
        hint="fail over",
    ),
    _Sentence(
        cause="dns_failure", kind="dns",
        words=r"servfail|temporary failure in name resolution|server misbehaving|eai_again"
        r"|dns (timeout|server|resolver|query|lookup)s?.{0,30}(fail|timed? ?out|timeout|unavail)"
        r"|coredns|kube-?dns|resolv(er|conf).{0,30}(timeout|fail|unreach)|i/o timeout.{0,20}:53"
        r"|:53: .{0,40}(timeout|refused)",
        weight=STRONG + HINT, summary="names are not resolved for {first}", hint="fail over",
    ),
    _Sentence(
        cause="dns_failure", kind="dns",
        words=r"no such host|nxdomain|enotfound|name or service not known|could not resolve",
        weight=GOOD + HINT, summary="a name that {first} needs is not resolved", hint="fail over",
    ),
    _Sentence(
        cause="quota_exhausted", kind="quota",
        words=r"quota.{0,20}(exceed|exhaust|reached|limit)|exceeded.{0,30}quota|limit exceeded"
        r"|throttlingexception|provisionedthroughput|requestlimitexceeded|resource_?exhausted"
        r"|slowdown|insufficient (capacity|instance)|insufficientinstancecapacity|daily limit"
        r"|license (limit|expired)|subscription (limit|expired)|usage limit",
        weight=STRONG, summary="a quota that {first} needs is used up", hint="raise the quota",
    ),
    _Sentence(
        cause="bad_input_data", kind="data",
        words=r"(malformed|corrupt\w*|poison\w*|truncated|garbled|invalid|unexpected|unparse?able|bad)"
        r" .{0,30}(record|row|file|feed|payload|input|batch|csv|xml|document|import|encoding|"
        r"byte|utf-?8|character|message|event|line|data)|(feed|import|partner|vendor|supplier|"
        r"upload|batch|file|ingest\w*).{0,50}(malformed|corrupt|invalid|bad|unexpected|missing|"
        r"empty|duplicate)|invalid byte sequence|byte order mark|\bbom\b|poison",
        weight=STRONG + GOOD, summary="{first} is fed data that it cannot take",
        hint="quarantine the data",
    ),
    _Sentence(
        cause="disk_full", kind="disk",
        words=r"no space left|disk (is )?full|enospc|disk quota exceeded|volume (is )?full",
        weight=GOOD, summary="a disk of {first} is full", hint="free or grow the disk",
    ),
    _Sentence(
        cause="clock_skew", kind="node",
        words=r"clock (skew|drift|offset)|ntp|chrony|time (jump|went backwards|is ahead)"
        r"|(issued|token).{0,20}(in the future|used before)|requesttimetooskewed",
        weight=STRONG, summary="a clock is wrong where {first} runs", hint="fix the clock",
    ),
    _Sentence(
        cause="failover_or_maintenance", kind="infrastructure",
        words=r"failover|fail(ed|ing) over|promot(ed|ing).{0,20}(primary|replica|leader)"
        r"|maintenance|leader (election|not available|lost)|not (the )?(leader|primary|master)"
        r"|read-only (transaction|mode|replica)|broker .{0,20}(down|unavailable|lost)"
        r"|replica(tion)? (lag|is behind|broken)|primary (is )?(down|lost|unreachable)|quorum"
        r"|region .{0,30}(outage|impair|unavail)|(outage|incident).{0,30}(region|provider|cloud)",
        weight=STRONG, summary="what {first} runs on fails over or is down", hint="fail over",
    ),
)  # fmt: skip

_HOST = re.compile(
    r"(?:https?://|host=|dial tcp(?:: lookup)? |upstream[ =:]+|lookup )?"
    r"\b((?:[a-z0-9-]+\.)+(?:com|net|io|org|dev|cloud|ai|co|eu|us|uk|de|app|tech|gov|aws))\b",
    re.I,
)
_INSIDE = re.compile(r"(^|\.)(svc|local|internal|cluster|lan|corp|localhost|intra|consul)(\.|$)")
_REFUSED = re.compile(r"\b(40[0134]|422)\b|unauthori|forbidden|bad request|not found|invalid", re.I)
_DOWN = re.compile(
    r"\b(50[0234]|52\d|429)\b|unavailable|time(d )?-?out|deadline|reset|refused|outage|gateway"
    r"|overload|degraded|maintenance|too many|no response|unreachable|fail",
    re.I,
)
_PROVIDER = re.compile(
    r"provider|third.?party|external|vendor|carrier|partner|psp|gateway provider|acquirer"
    r"|status ?page",
    re.I,
)


def triggers(scene: Scene) -> tuple[Trigger, ...]:
    """Return the operational causes that something speaks for."""
    found: list[Trigger] = []
    for look in (_certificates, _named_by_logs, _surge, _external):
        found += look(scene)
    joined: dict[str, Trigger] = {}
    for trigger in found:
        known = joined.get(trigger.cause)
        joined[trigger.cause] = _both(known, trigger) if known else trigger
    return tuple(joined.values())


def _both(one: Trigger, other: Trigger) -> Trigger:
    """Join two sights of the same cause: the clearer one leads, the other adds at half weight."""
    best, rest = (one, other) if one.weight >= other.weight else (other, one)
    echoes = (said(e.statement, 0.5 * e.weight, e.source) for e in rest.evidence if e.supports)
    place = one if one.cause == "certificate_expired" else best
    return replace(
        best,
        object=place.object,
        evidence=(*best.evidence, *list(echoes)[:2]),
    )


def _lines(scene: Scene) -> Iterator[tuple[str, str, Source]]:
    """Yield service, text and source of every novel line, failed span and alert."""
    for template in scene.snapshot.logs:
        if novel(template) or _new(template):
            yield template.service, f"{template.template} {template.example}", template.source
    for span in traces.origins(scene.snapshot.spans):
        yield span.service, traces.error_text(span), span.source
    for alert in scene.snapshot.alerts:
        yield alert.service or "", alert.summary, alert.source


def _new(template: LogTemplate) -> bool:
    return not template.baseline_count and template.count > 0


def _named_by_logs(scene: Scene) -> Iterator[Trigger]:
    lines = list(_lines(scene))
    for sentence in _SENTENCES:
        words = re.compile(sentence.words, re.I)
        hits = [(s, t, source) for s, t, source in lines if words.search(t)]
        if hits:
            service, text, source = min(hits, key=lambda h: h[0] != scene.first)
            quote = _around(text, words)
            heard = said(f'{service} says "{quote}"', sentence.weight, source)
            yield _trigger(scene, sentence, (heard, *_echo(scene, hits)))


def _trigger(scene: Scene, sentence: _Sentence, evidence: tuple[Evidence, ...]) -> Trigger:
    first = scene.first
    return Trigger(
        cause=sentence.cause,
        object=f"{sentence.kind}/{first}",
        service=first,
        summary=f"No change is guilty: {sentence.summary.format(first=first)}.",
        hint=sentence.hint,
        evidence=evidence,
    )


def _echo(scene: Scene, hits: list[tuple[str, str, Source]]) -> tuple[Evidence, ...]:
    """The first failing service must say it itself: what others say in passing is weak."""
    if any(service == scene.first for service, _, _ in hits):
        return ()
    near = scene.graph.below(scene.first)
    if any(service in near for service, _, _ in hits):
        return ()
    return (said(f"{scene.first} itself does not say so", -GOOD, hits[0][2]),)


def _surge(scene: Scene) -> Iterator[Trigger]:
    risen = {
        s: shift
        for s, shift in rising(picture_of(scene.snapshot)).items()
        if max(shift.now, shift.worst) >= _SURGE * max(shift.usual, 1e-9)
    }
    if not risen:
        return
    measured = {s.service for s in scene.snapshot.signal(Signal.REQUEST_RATE)}
    near = scene.graph.above(scene.first) | {scene.first}
    entries = [s for s in sorted(risen) if s in near and not scene.graph.callers(s) - {s}]
    if not entries:  # the calls multiply inside: that is a caller's doing
        return
    service = entries[0]
    shift = risen[service]
    series = next(iter(scene.snapshot.signal(Signal.REQUEST_RATE, service)))
    grown = f"{quantity(shift.usual, '1/s')} → {quantity(max(shift.now, shift.worst), '1/s')}"
    evidence = [
        said(f"requests of {service} went {grown}", STRONG, series.source),
        said(f"nobody of ours calls {service}: users do", GOOD, series.source),
    ]
    if len(risen) == len(measured) > 1:
        evidence.append(said(f"all {len(risen)} services got more", GOOD, series.source))
    evidence += _order(scene, shift.onset, series.source)
    yield Trigger(
        cause="traffic_surge",
        object=f"deployment/{service}",
        service=service,
        summary=f"No change is guilty: {service} gets more requests than it can serve: {grown}.",
        hint="scale up",
        evidence=tuple(evidence),
    )


def _order(scene: Scene, onset: float, source: Source) -> list[Evidence]:
    felt = [
        o.at.timestamp()
        for o in scene.signature.observations
        if o.at is not None and o.effect in (Effect.LATENCY, Effect.ERRORS)
    ]
    if not felt:
        return []
    if onset <= min(felt) + 60:
        return [said("the load rose first, the symptoms followed", GOOD, source)]
    return [said("the load rose only after the symptoms", -STRONG, source)]


def _external(scene: Scene) -> Iterator[Trigger]:
    heard: dict[str, list[tuple[str, Source]]] = {}
    for _, text, source in _lines(scene):
        for host in _hosts(text, scene.services):
            heard.setdefault(host, []).append((text, source))
    for host, texts in sorted(_joined(heard).items()):
        if evidence := _fails(host, texts):
            yield _provider(scene, host, (*evidence, *_measured(scene)))
    if not heard and (measured := tuple(_measured(scene))):
        yield _provider(scene, "provider", measured)


def _fails(host: str, texts: list[tuple[str, Source]]) -> list[Evidence]:
    """What says that a host outside fails, and what says that it only refuses what we send."""
    down = [(t, s) for t, s in texts if _DOWN.search(t)]
    if not down:
        return []
    text, source = down[0]
    evidence = [said(f'{host}, which runs outside: "{_cut(text)}"', PROOF, source)]
    if len({s.system for _, s in down}) > 1:
        evidence.append(said(f"logs and traces both name {host}", HINT, down[-1][1]))
    refused = [s for t, s in texts if _REFUSED.search(t) and not _DOWN.search(t)]
    evidence += [said(f"{host} refuses what we send", -GOOD, s) for s in refused[:1]]
    return evidence


def _joined(heard: dict[str, list[tuple[str, Source]]]) -> dict[str, list[tuple[str, Source]]]:
    """Drop a peer's short name where a whole host name holds it: "psp" of "api.psp.com"."""
    return {
        host: texts
        for host, texts in heard.items()
        if not any(host != other and host in re.split(r"[.-]", other) for other in heard)
    }


def _provider(scene: Scene, host: str, evidence: tuple[Evidence, ...]) -> Trigger:
    return Trigger(
        cause="external_provider_failure",
        object=f"external/{host}",
        service=host if "." in host else scene.first,
        summary=f"No change is guilty: {host}, which we call but don't run, fails.",
        hint="fall back",
        evidence=evidence,
    )


def _hosts(text: str, services: frozenset[str]) -> list[str]:
    found = {m[1].lower() for m in _HOST.finditer(text)}
    found |= {
        m[1].lower() for m in re.finditer(r"peer\.service=([\w.-]+)", text) if m[1] not in services
    }
    names = {s.lower() for s in services}
    return sorted(
        h
        for h in found
        if not _INSIDE.search(h) and h not in names and h.split(".")[0] not in names
    )


def _measured(scene: Scene) -> Iterator[Evidence]:
    """A metric of ours about somebody else's service."""
    for series in scene.snapshot.series:
        if _PROVIDER.search(series.source.query) and (shift := shift_of(series, 1)) is not None:
            worst, usual = quantity(shift.worst, series.unit), quantity(shift.usual, series.unit)
            text = f"{series.signal.replace('_', ' ')} of {series.service} {worst}, usually {usual}"
            yield said(text, STRONG, series.source)
            return


def _certificates(scene: Scene) -> Iterator[Trigger]:
    for series in scene.snapshot.signal(Signal.CERTIFICATE_EXPIRES_IN):
        if series.values and series.values[-1] <= 0 < series.values[0]:
            text = f"the certificate that {series.service} serves expired within this time"
            yield Trigger(
                cause="certificate_expired",
                object=f"certificate/{series.service}",
                service=scene.first,
                summary=f"No change is guilty: the certificate of {series.service} expired.",
                hint="rotate certificate",
                evidence=(said(text, STRONG + GOOD, series.source),),
            )


def _around(text: str, words: re.Pattern[str]) -> str:
    hit = words.search(text)
    start = max(0, (hit.start() if hit else 0) - 50)
    return " ".join(text[start : start + _SHOWN].split())


def _cut(text: str) -> str:
    return " ".join(text.split())[:_SHOWN]
