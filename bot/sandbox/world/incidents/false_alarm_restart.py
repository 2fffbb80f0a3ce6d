"""One pod restarted once some minutes ago; the others carried the load."""

from bot.sandbox.world import noise
from bot.sandbox.world.background import during
from bot.sandbox.world.incidents import parts
from bot.sandbox.world.incidents.false_alarms import nothing
from bot.sandbox.world.records import Modifiers, Restart
from bot.sandbox.world.site import Site
from bot.sandbox.world.truth import Incident, Story


def install(site: Site, onset: float, seed: int) -> Story:
    """Restart one container."""
    service = noise.choice(parts.http_services(site, called=True), "restart", seed)
    pods = sorted(site.workloads[service.name].alive(site.begun), key=lambda p: p.name)
    pod = noise.choice(pods, "restart", seed, "pod")
    down = noise.between(16.0, 26.0, "restart", seed, "down")
    reason, code = noise.choice((("Error", 1), ("Completed", 0)), "restart", seed, "reason")
    pod.restarts.append(Restart(at=onset, back=onset + down, reason=reason, exit_code=code))
    strength = during(onset - 10.0, onset + 5.0)
    parts.add(site, service.name, Modifiers(errors=0.03), strength, "restart")
    parts.log(site, service.name, "info", ("received SIGTERM, draining", "listening on :8080"),
              lambda p, times: 0.2 * strength(p, times) * float(p.name == pod.name))  # fmt: skip
    question = noise.choice(
        (parts.failing_question(service.name), f"is {service.name} ok"), "restart", seed, "ask"
    )
    return nothing(
        service.name, question, f"{pod.name} restarted once ({reason}) and has been fine since"
    )


INCIDENT = Incident(
    name="false-alarm-restart", summary="One restart that is over.", install=install,
    ages_s=(540.0, 900.0), composable=False,
)  # fmt: skip
