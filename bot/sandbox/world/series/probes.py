"""What the black-box exporter sees: certificates served, and whether a probe succeeds."""

from collections.abc import Iterator

from bot.sandbox.world.manifests import usual_expiry
from bot.sandbox.world.noise import Floats, Ints
from bot.sandbox.world.series.family import Family, Keep, Labels, Rows, Scope, gather, times_of
from bot.sandbox.world.topology import Service


def families() -> Iterator[Family]:
    """Yield the black-box exporter's families."""
    yield Family(name="probe_ssl_earliest_cert_expiry", kind="gauge",
                 help="Last certificate expiry in unix seconds.", read=_Read(True))  # fmt: skip
    yield Family(name="probe_success", kind="gauge",
                 help="Whether the probe was a success.", read=_Read(False))  # fmt: skip


class _Read:
    def __init__(self, expiry: bool) -> None:
        self.expiry = expiry

    def __call__(self, scope: Scope, keep: Keep, indices: Ints) -> Rows:
        parts: list[tuple[Labels, Floats]] = []
        for service in scope.site.inside():
            labels = {"service_name": service.name, "job": "blackbox",
                      "instance": f"https://{service.name}.shop.svc:8443"}  # fmt: skip
            if service.serves_http and keep(labels):
                parts.append((labels, self._values(scope, service, times_of(indices))))
        return gather(indices, parts)

    def _values(self, scope: Scope, service: Service, times: Floats) -> Floats:
        special = scope.site.gauges.get(("certificate", service.name))
        expires = (
            special(times) if special else times * 0.0 + usual_expiry(scope.site, service.name)
        )
        if self.expiry:
            return expires
        out: Floats = (expires > times).astype(float)
        return out
