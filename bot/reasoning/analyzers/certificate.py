"""Certificates that have expired, are about to, or were renewed but never loaded."""

from datetime import datetime, timedelta

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question, SignalRef
from bot.domain.needs import Fact
from bot.domain.snapshot import KubernetesObject, Series, Signal, Snapshot
from bot.reasoning import complaints, needs
from bot.reasoning.claims import GOOD, PROOF, STRONG, at, moment_of, said, seen, watched
from bot.reasoning.picture import Picture, picture_of
from bot.reasoning.wording import duration

NAME = "certificate"
_PRIOR = -2.5
_SOON_S = 3 * 86400.0  # a working renewal would have happened long before
_EXPIRED = r"(certificate|x509|tls|ssl).*expired|expired.*certificate"


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per served certificate that has expired or is about to."""
    picture = picture_of(snapshot)
    served = [
        min(several, key=lambda s: s.times[-1] - s.times[0] if s.times else 0.0)
        for (signal, _, _), several in sorted(picture.index.items(), key=lambda item: item[0][:2])
        if signal == Signal.CERTIFICATE_EXPIRES_IN
    ]
    close = [(s, s.values[-1]) for s in served if s.values and s.values[-1] < _SOON_S]
    if not close:
        return Finding()
    services = [s.service for s, _ in close]
    callers = [c for s in services for c in picture.graph.callers(s)]
    return Finding(
        hypotheses=tuple(_hypothesis(picture, question, s, left) for s, left in close),
        needs=(
            needs.of_services(
                Fact.LOGS, question, [*services, *callers], reason="complaints about TLS"
            ),
        ),
    )


def _hypothesis(picture: Picture, question: Question, series: Series, left: float) -> Hypothesis:
    service, expired = series.service, left <= 0
    ends = moment_of(series.times[-1] + left)
    when = at(ends, picture)
    text = f"the certificate that {service} serves "
    text += f"expired at {when}" if expired else f"expires at {when}, in {duration(left)}"
    evidence = [said(text, STRONG, series.source)]
    evidence += _complaints(picture, service)
    evidence += _symptoms(picture, service, ends) if expired else []
    renewed = _renewed(picture.snapshot, service, ends)
    if renewed is not None:
        body, until = renewed
        words = f"{body.kind} {body.name} was renewed and is valid until {at(until, picture)}"
        evidence.append(said(f"{words}: the process still serves the old one", GOOD, body.source))
    verb = "expired" if expired else "will expire"
    tail = ", though it was renewed: the process has not loaded the new one" if renewed else ""
    return Hypothesis(
        cause="certificate_expired" if expired else "certificate_expiring",
        object=f"certificate/{service}",
        service=service,
        summary=f"The certificate of {service} {verb} at {when}{tail}.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=picture.victims(service),
        onset=ends if expired else None,
        forecast_at=None if expired else ends,
        signal=watched(picture, question, service) or _expiry(series, left),
        hint="rotate_certificate",
    )


def _expiry(series: Series, left: float) -> SignalRef:
    return SignalRef(
        signal=series.signal,
        service=series.service,
        unit="s",
        good=30 * 86400.0,
        bad=left,
        labels={k: v for k, v in series.labels.items() if k == "resource"},
    )


def _complaints(picture: Picture, service: str) -> list[Evidence]:
    near = (service, *picture.graph.callers(service))
    return list(complaints.about(picture, near, _EXPIRED, STRONG))


def _symptoms(picture: Picture, service: str, ended: datetime) -> list[Evidence]:
    """Callers fail from the minute it expired on, if that is the reason."""
    signs = [
        *picture.symptoms.get(service, ()),
        *(s for s in picture.signs if s.peer == service and s.signal == Signal.EDGE_ERROR_RATIO),
    ]
    if not signs:
        source = picture.snapshot.series[0].source
        return [said(f"nobody has trouble with {service}", -GOOD, source)]
    worst = max(signs, key=lambda s: s.shift.size)
    fits = abs(worst.onset - ended) <= timedelta(minutes=10)
    return [seen(worst, picture, PROOF if fits else GOOD)]


def _renewed(
    snapshot: Snapshot, service: str, ends: datetime
) -> tuple[KubernetesObject, datetime] | None:
    """Return cert-manager's Certificate of the service if it outlives what is served."""
    for body in snapshot.kind("Certificate"):
        text = (body.body.get("status") or {}).get("notAfter")
        owner = body.labels.get("app.kubernetes.io/name") or body.name
        if text and service in (owner, body.name, body.name.removesuffix("-tls")):
            until = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
            if until.tzinfo and until > ends + timedelta(hours=1):
                return body, until
    return None
