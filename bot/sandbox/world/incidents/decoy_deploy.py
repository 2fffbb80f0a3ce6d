"""A release asks once per item (N+1); an innocent one lands right at the onset."""

from bot.sandbox.world import noise
from bot.sandbox.world.incidents import parts
from bot.sandbox.world.records import Modifiers
from bot.sandbox.world.site import Site
from bot.sandbox.world.truth import Incident, Story, call

# (service, what it asks, factor on the calls per request, seconds that one more call costs)
CULPRITS = (("checkout", "catalogue", 8.0, 0.045), ("recommendations", "catalogue", 4.5, 0.05),
            ("shipping", "orders-db", 7.0, 0.035),
            ("search", "catalogue-db", 4.0, 0.06))  # fmt: skip
DIFF = (
    "-    {callee} = client.get_many([i.id for i in items])\n"
    "+    {callee} = []\n"
    "+    for item in items:\n"
    "+        {callee}.append(client.get(item.id))"
)
INNOCENT = (
    ("move a banner to the left", "static/layout.css", "-  float: right;\n+  float: left;"),
    ("rename a log field", "logging.py", '-    "req": request_id,\n+    "request_id": request_id,'),
)


def install(site: Site, onset: float, seed: int) -> Story:
    """Release the N+1, and the innocent one 30 to 70 seconds later."""
    known = [c for c in CULPRITS if c[0] in site.topology.by_name]
    name, callee, factor, seconds = known[(seed - 1) % len(known)]
    service = site.service(name)
    work = (f"show details of every entry of {callee}", "handlers/list.py",
            DIFF.replace("{callee}", callee.replace("-", "_")))  # fmt: skip
    version = parts.release(
        site, service, onset - noise.between(25.0, 50.0, "decoy", seed, "lag"), work
    )
    strength = parts.on_version(version)
    modifiers = Modifiers(calls={callee: factor}, call_add_s={callee: seconds})
    parts.add(site, name, modifiers, strength, "n-plus-one")
    text = "GET " + callee + " item {n} in {ms} ms"
    parts.log(site, name, "debug", (text,), parts.steady(0.4, strength))
    others = [s for s, _ in site.topology.callers(name)] or [site.topology.services[0]]
    decoy = others[0] if others[0].name != name else site.service("cart")
    parts.release(
        site, decoy, onset + noise.between(5.0, 30.0, "decoy", seed, "decoy"),
        noise.choice(INNOCENT, "decoy", seed, "innocent"),
    )  # fmt: skip
    symptom = noise.choice(
        [name, decoy.name] if name == "checkout" else [name], "decoy", seed, "who"
    )
    symptom = name if name == "checkout" and decoy.name == "storefront" else symptom
    return Story(
        cause="n_plus_one_queries", object=f"deployment/{name}", service=name,
        symptom_service=symptom, question=parts.slow_question(symptom),
        repairs=(parts.undo(site, name),),
        worsens=(call("scale_deployment", name=name, replicas=service.replicas * 3),),
        detail=f"{name} {version} asks {callee} once per item; {decoy.name}'s release is innocent",
    )  # fmt: skip


INCIDENT = Incident(
    name="decoy-deploy", summary="N+1 after a release, beside an innocent release.", install=install
)
