"""The harmless things that happen all the time: releases, settings, flags, small blips."""

import itertools
import json

import numpy as np

from bot.sandbox.world import noise
from bot.sandbox.world.noise import Floats
from bot.sandbox.world.records import Effect, Flag, History, Modifiers, Pod
from bot.sandbox.world.site import Site
from bot.sandbox.world.traffic import DAY

FLAGS = (
    ("new-ranking", "search", "Rank results with the second model"),
    ("for-you-carousel", "recommendations", "Show the carousel on the home page"),
    ("express-checkout", "checkout", "One page instead of three"),
    ("stock-badges", "catalogue", "Show how many are left"),
    ("guest-carts", "cart", "Keep carts of guests for a week"),
    (
        "payment-queue-charges",
        "payment",
        "Take orders and charge later: for when the provider fails",
    ),
)

SMALL_WORK = (
    ("bump structured logging library", "go.mod", "-\tlogging v1.8.2\n+\tlogging v1.8.3"),
    ("correct a spelling in an error text", "messages.yaml", "-unavailabe\n+unavailable"),
    ("add a unit test for empty input", "handler_test.go", "+func TestEmptyInput(t *testing.T) {}"),
    ("remove an unused helper", "format.go", "-func pad(s string) string { return s }"),
    ("update the licence year", "LICENSE", "-Copyright 2025\n+Copyright 2026"),
)


def fill(site: Site) -> None:
    """Write the ordinary past of an environment."""
    _releases(site)
    _flags(site)
    _settings(site)
    _blips(site)


def _releases(site: Site) -> None:
    for workload in site.workloads.values():
        ordered = sorted(workload.revisions, key=lambda r: r.number)
        for before, after in itertools.pairwise(ordered):
            work = noise.choice(SMALL_WORK, *site.key, workload.name, after.hash)
            release(site, workload.name, (_tag(before), _tag(after)), after.created, work)


def _tag(revision: object) -> str:
    image: str = revision.template["spec"]["containers"][0]["image"]  # type: ignore[attr-defined]
    return image.rpartition(":")[2]


def release(
    site: Site, service: str, versions: tuple[str, str], at: float, work: tuple[str, str, str]
) -> None:
    """Enter a commit and its deploy into the change feed. `work` is (summary, file, diff body)."""
    before, after = versions
    sha = f"{noise.number(*site.key, service, after, at):016x}"[:12]
    summary, file, body = work
    link = f"https://git.shop.example/{service}/commit/{sha}"
    diff = f"--- a/{file}\n+++ b/{file}\n@@ -1,6 +1,6 @@\n{body}\n"
    owned = {"service": service, "link": link}
    site.changes.append(
        owned
        | {"id": f"commit-{sha}", "kind": "commit", "object": f"deployment/{service}"}
        | {"at": at - noise.between(400.0, 3000.0, sha), "summary": summary}
        | {"before": None, "after": sha, "diff": diff}
    )
    site.changes.append(
        owned
        | {"id": f"deploy-{service}-{after}-{int(at)}", "kind": "deploy"}
        | {"object": f"deployment/{service}", "at": at, "before": before, "after": after}
        | {"summary": f"Deploy {service} {after}: {summary}", "diff": diff}
    )


def flag_change(site: Site, flag: Flag, before: str, after: str, at: float) -> None:
    """Enter a flag's change into the change feed."""
    site.changes.append({
        "id": f"flag-{flag.name}-{int(at)}", "kind": "flag", "service": flag.service,
        "object": f"flag/{flag.name}", "at": at, "before": before, "after": after,
        "summary": f"Flag {flag.name}: {before} to {after} ({flag.description})",
        "diff": f"defaultVariant: {before} → {after}",
        "link": f"https://flags.shop.example/{site.env}/{flag.name}",
    })  # fmt: skip


def config_change(
    site: Site, service: str, pair: tuple[dict[str, str], dict[str, str]], at: float, why: str
) -> None:
    """Enter a settings change into the change feed. `pair` is the changed keys before and after."""
    before, after = pair
    lines = "\n".join(f"{k}: {before.get(k, '')} → {v}" for k, v in after.items())
    site.changes.append({
        "id": f"config-{service}-{int(at)}", "kind": "config", "service": service,
        "object": f"configmap/{service}-config", "at": at, "before": json.dumps(before),
        "after": json.dumps(after), "summary": f"Settings of {service}: {why}", "diff": lines,
        "link": f"https://git.shop.example/settings/{service}/{int(at)}",
    })  # fmt: skip


def _flags(site: Site) -> None:
    for name, service, description in FLAGS:
        if service not in site.topology.by_name:
            continue
        state = (
            "off" if name.startswith("payment-") else noise.choice(("on", "off"), *site.key, name)
        )
        served = History(moments=[(0.0, state)])
        flag = Flag(
            name=name, service=service, variants={"on": True, "off": False}, served=served,
            version=1 + noise.number(*site.key, name, "version") % 9, description=description,
        )  # fmt: skip
        site.flags[name] = flag
        at = site.begun - noise.between(1.2, 6.0, *site.key, name, "at") * DAY
        other = "off" if state == "on" else "on"
        if not name.startswith("payment-"):
            served.moments = [(0.0, other), (at, state)]
            flag_change(site, flag, other, state, at)


def _settings(site: Site) -> None:
    names = [s.name for s in site.inside()]
    for i in range(3):
        service = noise.choice(names, *site.key, "settings", i)
        at = site.begun - noise.between(1.1, 6.0, *site.key, "settings", i, "at") * DAY
        config_change(
            site, service, ({"LOG_LEVEL": "debug"}, {"LOG_LEVEL": "info"}), at, "less log"
        )


def _blips(site: Site) -> None:
    """Add short slow moments in the past, as every real system has them."""
    names = [s.name for s in site.inside() if s.serves_http]
    for i in range(6):
        service = noise.choice(names, *site.key, "blip", i)
        start = site.begun - noise.between(3.0, 25.0, *site.key, "blip", i, "at") * 3600.0
        end = start + noise.between(30.0, 80.0, *site.key, "blip", i, "length")
        site.effects.append(
            Effect(
                name="blip",
                service=service,
                modifiers=Modifiers(latency_factor=1.9),
                strength=during(start, end),
            )
        )


class during:  # noqa: N801 - reads as a word where it is used
    """A strength of 1 between two moments, on every pod."""

    def __init__(self, start: float, end: float) -> None:
        self.start, self.end = start, end

    def __call__(self, _pod: Pod | None, times: Floats) -> Floats:
        """Return 1 within, 0 outside."""
        inside: Floats = np.asarray((times >= self.start) & (times < self.end), dtype=float)
        return inside
