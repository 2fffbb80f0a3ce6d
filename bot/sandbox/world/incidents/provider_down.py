"""The external payment provider fails, whatever we do; a fallback exists."""

from bot.sandbox.world import noise
from bot.sandbox.world.incidents import parts
from bot.sandbox.world.noise import Floats
from bot.sandbox.world.records import Flag, Modifiers, Pod
from bot.sandbox.world.site import Site
from bot.sandbox.world.topology import Role
from bot.sandbox.world.truth import Incident, Repair, Story, call

FALLBACK = "payment-queue-charges"


def install(site: Site, onset: float, seed: int) -> Story:
    """Break the provider; give its caller a fallback that the flag switches on."""
    provider = _provider(site)
    caller = site.topology.callers(provider)[0][0]
    mode = noise.choice(("errors", "hang", "both"), "provider", seed)
    errors = {"errors": 0.7, "hang": 0.02, "both": 0.4}[mode]
    hang = {"errors": 0.02, "hang": 0.65, "both": 0.4}[mode]
    modifiers = Modifiers(errors=errors, hang_share=hang, latency_factor=2.0)
    parts.add(site, provider, modifiers, parts.since(onset, 40.0), "provider")
    flag = site.flags.get(FALLBACK)
    repairs: tuple[Repair, ...] = ()
    if flag is not None:
        queued = Modifiers(calls={provider: 0.0}, latency_add_s=0.01)
        parts.add(site, caller.name, queued, _On(flag), "fallback")
        repairs = (call("set_flag", flag=FALLBACK, variant="on"),)
    texts = (
        "call to " + provider + " failed: HTTP 503 Service Unavailable, charge {id}",
        "call to " + provider + " failed: timeout after 4000 ms, attempt 2 of 2, charge {id}",
    )
    chosen = texts if mode == "both" else (texts[0] if mode == "errors" else texts[1],)
    parts.log(site, caller.name, "error", chosen, _rate(flag, onset))
    symptom = noise.choice([caller.name, "checkout"], "provider", seed, "who")
    symptom = symptom if symptom in site.topology.by_name else caller.name
    return Story(
        cause="external_provider_failure", object=f"external/{provider}", service=caller.name,
        symptom_service=symptom, question=parts.failing_question(symptom), repairs=repairs,
        worsens=(call("restart_deployment", name=caller.name),),
        detail=f"{provider} is failing by itself ({mode})",
    )  # fmt: skip


def _provider(site: Site) -> str:
    if "payment-provider" in site.topology.by_name:
        return "payment-provider"
    return next(s.name for s in site.topology.services if s.role is Role.EXTERNAL)


class _On:
    """1 while the fallback is on."""

    def __init__(self, flag: Flag) -> None:
        self.flag = flag

    def __call__(self, _pod: Pod | None, times: Floats) -> Floats:
        """Return the strength."""
        return self.flag.served.equals(times, "on")


def _rate(flag: Flag | None, onset: float):  # type: ignore[no-untyped-def]
    failing = parts.since(onset, 40.0)

    def rate(pod: Pod, times: Floats) -> Floats:
        calm = 0.0 if flag is None else flag.served.equals(times, "on")
        return 1.2 * failing(pod, times) * (1.0 - calm)

    return rate


INCIDENT = Incident(name="provider-down", summary="The payment provider fails.", install=install)
