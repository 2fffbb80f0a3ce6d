"""A certificate was renewed, but the process still serves the old one, which has expired."""

import numpy as np

from bot.sandbox.world import noise, rollout
from bot.sandbox.world.incidents import parts
from bot.sandbox.world.manifests import iso
from bot.sandbox.world.noise import Floats
from bot.sandbox.world.records import Modifiers, Pod
from bot.sandbox.world.site import NAMESPACE, Site
from bot.sandbox.world.topology import Service
from bot.sandbox.world.traffic import DAY
from bot.sandbox.world.truth import Incident, Story, call


def install(site: Site, onset: float, seed: int) -> Story:
    """Let the old certificate expire at the onset."""
    service = noise.choice(_needed(site), "certificate", seed)
    renewed = onset - noise.between(18.0, 29.0, "certificate", seed) * DAY
    _long_running(site, service, renewed)
    _certificate(site, service, renewed)
    stale = _Stale(renewed, onset)
    parts.add(site, service.name, Modifiers(unreachable=0.96), stale, "certificate")
    site.gauges[("certificate", service.name)] = _Expiry(site, service.name, renewed, onset)
    parts.log(site, service.name, "warn",
              ("http: TLS handshake error from 10.244.{n}.{n}:{n}: remote error: tls: expired "
               "certificate",), parts.steady(1.0, stale))  # fmt: skip
    for caller, _call in site.topology.callers(service.name):
        parts.log(
            site, caller.name, "error",
            ("Get https://" + service.name + ".shop.svc:8443/: tls: failed to verify certificate: "
             "x509: certificate has expired or is not yet valid",),
            _seen_by_callers(site, service.name, stale),
        )  # fmt: skip
    callers = [s.name for s, c in site.topology.callers(service.name) if not c.soft]
    symptom = noise.choice(callers or [service.name], "certificate", seed, "who")
    return Story(
        cause="certificate_expired", object=f"certificate/{service.name}", service=service.name,
        symptom_service=symptom, question=parts.failing_question(symptom),
        repairs=(call("restart_deployment", name=service.name),),
        detail=f"{service.name} serves a certificate that has expired; a new one was issued",
    )  # fmt: skip


def _needed(site: Site) -> list[Service]:
    """Return the services whose loss a caller feels."""
    found = parts.http_services(site, called=True)
    return [s for s in found if any(not c.soft for _, c in site.topology.callers(s.name))]


def _long_running(site: Site, service: Service, renewed: float) -> None:
    workload = site.workloads[service.name]
    moved = renewed - 6.0 * DAY - max(p.created for p in workload.pods)
    for pod in workload.pods:
        pod.created, pod.ready, pod.gone = pod.created + moved, pod.ready + moved, pod.gone + moved
    for revision in workload.revisions:
        revision.created, revision.used = revision.created + moved, revision.used + moved
    workload.scales = [(at + moved, n) for at, n in workload.scales]
    for change in site.changes:
        if change["service"] == service.name and change["kind"] in ("deploy", "commit"):
            change["at"] += moved


def _certificate(site: Site, service: Service, renewed: float) -> None:
    until = renewed + 90.0 * DAY
    status = {"notBefore": iso(renewed), "notAfter": iso(until), "revision": 4,
              "renewalTime": iso(until - 30.0 * DAY),
              "conditions": [{"type": "Ready", "status": "True", "reason": "Ready",
                              "message": "Certificate is up to date and has not expired",
                              "lastTransitionTime": iso(renewed)}]}  # fmt: skip
    body = site.objects[("certificates", service.name)]
    assert body["metadata"]["namespace"] == NAMESPACE  # noqa: S101 - made by the manifests
    body["status"] = status


class _Stale:
    """Rises to 1 after the expiry on pods that were started before the renewal."""

    def __init__(self, renewed: float, expires: float) -> None:
        self.renewed, self.expires = renewed, expires

    def __call__(self, pod: Pod | None, times: Floats) -> Floats:
        """Return the strength: open connections live on for a while."""
        if pod is None or pod.started(float(times[-1])) > self.renewed:
            return times * 0.0
        out: Floats = np.clip((times - self.expires) / 150.0, 0.0, 1.0)
        return out


def _seen_by_callers(site: Site, name: str, stale: _Stale):  # type: ignore[no-untyped-def]
    def rate(_pod: Pod, times: Floats) -> Floats:
        served = [p for p in site.workloads[name].pods if p.gone > times[0]]
        found = [stale(p, times) * p.present(times) for p in served]
        out: Floats = 0.7 * np.max(found, axis=0) if found else times * 0.0
        return out

    return rate


class _Expiry:
    """When the served certificate expires, as a probe sees it."""

    def __init__(self, site: Site, name: str, renewed: float, expires: float) -> None:
        self.site, self.name, self.renewed, self.expires = site, name, renewed, expires

    def __call__(self, times: Floats) -> Floats:
        """Return epoch seconds of the expiry at the times."""
        out = times * 0.0 + round(self.renewed + 90.0 * DAY)
        for pod in self.site.workloads[self.name].pods:
            if pod.started(float(times[-1])) <= self.renewed:
                out = np.where(pod.present(times) > 0, round(self.expires), out)
        return out


def uid(site: Site, name: str) -> str:
    """Return the uid of a certificate."""
    return rollout.uid(*site.key, "certificates", name)


INCIDENT = Incident(
    name="certificate-expired", summary="A process serves an expired certificate.", install=install
)
