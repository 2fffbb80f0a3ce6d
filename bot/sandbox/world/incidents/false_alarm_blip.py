"""A short slow moment some minutes ago, over by itself."""

from bot.sandbox.world import noise
from bot.sandbox.world.background import during
from bot.sandbox.world.incidents import parts
from bot.sandbox.world.incidents.false_alarms import nothing
from bot.sandbox.world.records import Modifiers
from bot.sandbox.world.site import Site
from bot.sandbox.world.truth import Incident, Story


def install(site: Site, onset: float, seed: int) -> Story:
    """Add the blip."""
    service = noise.choice(parts.http_services(site), "blip", seed)
    length = noise.between(40.0, 75.0, "blip", seed, "length")
    strength = during(onset, onset + length)
    parts.add(
        site, service.name, Modifiers(latency_factor=7.0, latency_add_s=0.15), strength, "blip"
    )
    parts.log(site, service.name, "warn", ("stop-the-world pause of {ms} ms",),
              parts.steady(0.15, strength))  # fmt: skip
    return nothing(
        service.name, parts.slow_question(service.name),
        f"{service.name} was slow for {length:.0f} s and recovered by itself",
    )  # fmt: skip


INCIDENT = Incident(
    name="false-alarm-blip", summary="A slow minute that is over.", install=install,
    ages_s=(480.0, 840.0), composable=False,
)  # fmt: skip
