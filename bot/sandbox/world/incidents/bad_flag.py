"""A feature flag is switched on, and what it switches on is broken."""

from bot.sandbox.world import background, noise
from bot.sandbox.world.incidents import parts
from bot.sandbox.world.noise import Floats
from bot.sandbox.world.records import Flag, History, Modifiers, Pod
from bot.sandbox.world.site import Site
from bot.sandbox.world.truth import Incident, Story, call

KINDS = ("errors", "slow", "both")


def install(site: Site, onset: float, seed: int) -> Story:
    """Switch the flag on at the onset."""
    flags = [f for f in site.flags.values() if not f.name.startswith("payment-")]
    if not flags:
        flags = [_made(site, seed)]
    flag = noise.choice(flags, "flag", seed)
    flag.served.moments = [(0.0, "off")]
    site.changes[:] = [c for c in site.changes if c["object"] != f"flag/{flag.name}"]
    at = onset - noise.between(2.0, 8.0, "flag", seed, "lag")
    flag.served.put(at, "on")
    background.flag_change(site, flag, "off", "on", at)
    kind = noise.choice(KINDS, "flag", seed, "kind")
    service = site.service(flag.service)
    modifiers = Modifiers(
        errors=0.0 if kind == "slow" else noise.between(0.08, 0.25, "flag", seed, "errors"),
        latency_add_s=0.0 if kind == "errors" else 14.0 * service.median_s + 0.12,
    )
    strength = _On(flag)
    parts.add(site, service.name, modifiers, strength, "flag")
    level, text = ("warn", "feature " + flag.name + ": fallback after {ms} ms")
    if kind != "slow":
        level, text = (
            "error",
            "feature " + flag.name + ": unexpected null in field {word}, request {id}",
        )
    parts.log(site, service.name, level, (text,), parts.steady(0.6, strength))
    symptom = parts.symptom_of(site, service.name, seed)
    ask = parts.failing_question if kind == "errors" else parts.slow_question
    return Story(
        cause="bad_feature_flag", object=f"flag/{flag.name}", service=service.name,
        symptom_service=symptom, question=ask(symptom),
        repairs=(call("set_flag", flag=flag.name, variant="off"),),
        detail=f"{flag.name} was switched on",
    )  # fmt: skip


class _On:
    """1 while the flag is on."""

    def __init__(self, flag: Flag) -> None:
        self.flag = flag

    def __call__(self, _pod: Pod | None, times: Floats) -> Floats:
        """Return the strength."""
        return self.flag.served.equals(times, "on")


def _made(site: Site, seed: int) -> Flag:
    service = noise.choice(parts.http_services(site), "flag", seed, "service")
    flag = Flag(name=f"{service.name}-new-path", service=service.name,
                variants={"on": True, "off": False}, served=History(moments=[(0.0, "off")]),
                description="Use the new code path")  # fmt: skip
    site.flags[flag.name] = flag
    return flag


INCIDENT = Incident(name="bad-flag", summary="A feature flag breaks its service.", install=install)
