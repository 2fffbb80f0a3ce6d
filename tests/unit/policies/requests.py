"""Policy requests for tests: one that may do anything, and a strategy of random ones."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from bot.domain.action import ActionFacts, BlastRadius, Effect, Level, Target
from bot.domain.environment import Tier
from bot.domain.people import SELF, Actor, ActorKind, Role
from bot.domain.policy import Approvals, Conditions, PolicyRequest, Stage

MOMENT = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
NONE = Approvals(count=0, roles=frozenset(), includes_requester=False)

FACTS = ActionFacts(
    name="rollback_deployment",
    summary="Roll a deployment back",
    effect=Effect.ROLLBACK,
    system="kubernetes",
    reversible=True,
    highest_level=Level.L4,
    arguments={},
)
TARGET = Target(
    environment="prod",
    kind="Deployment",
    namespace="shop",
    name="checkout",
    uid="uid-1",
    spec_hash="hash-1",
    service="checkout",
    replicas=12,
)
BLAST = BlastRadius(pods=3, pods_total=12, workload_ratio=0.25, fleet_ratio=0.05)
CONDITIONS = Conditions(
    level=Level.L4,
    confidence=0.95,
    calibrated=True,
    novel=False,
    approved_before_and_verified=True,
    dry_run_ok=True,
    freeze=False,
    breaker_open=False,
    kill_switch=False,
    target_locked=False,
    actions_last_hour=0,
    break_glass=False,
    moment=MOMENT,
)
BEST = PolicyRequest(
    stage=Stage.PROPOSE,
    environment="prod",
    tier=Tier.PRODUCTION,
    action=FACTS,
    actor=SELF,
    requester_id="sre-bot",
    target=TARGET,
    blast_radius=BLAST,
    approvals=NONE,
    conditions=CONDITIONS,
)


def but(request: PolicyRequest = BEST, **changes: Any) -> PolicyRequest:
    """Return the request with fields changed, wherever in it they are."""
    for name, value in changes.items():
        for part in ("", "conditions", "action", "target", "blast_radius", "actor"):
            owner = getattr(request, part) if part else request
            if hasattr(owner, name):
                changed = replace(owner, **{name: value})
                request = replace(request, **{part: changed}) if part else changed
                break
        else:
            raise AttributeError(name)
    return request


def approved(count: int, *roles: Role, requester: bool = False) -> Approvals:
    """Return bound decisions."""
    return Approvals(count=count, roles=frozenset(roles), includes_requester=requester)


def person(*roles: Role, id: str = "U1", kind: ActorKind = ActorKind.PERSON) -> Actor:
    """Return somebody with these roles."""
    return Actor(id=id, team="T1", kind=kind, roles=frozenset(roles))


EFFECTS = [*Effect, Effect.PAGE, Effect.PAGE]
SYSTEMS = ["kubernetes", "flags", "pagerduty"]
ratios = st.floats(0, 1)
roles = st.frozensets(st.sampled_from(Role))
actors = st.builds(
    Actor,
    id=st.sampled_from(["sre-bot", "U1", "U2"]),
    team=st.just("T1"),
    kind=st.sampled_from(ActorKind),
    roles=roles,
)
facts = st.builds(
    ActionFacts,
    name=st.sampled_from(["rollback_deployment", "drop_table", "set_flag"]),
    summary=st.text(max_size=5),
    effect=st.sampled_from(EFFECTS),
    system=st.sampled_from(SYSTEMS),
    reversible=st.booleans(),
    highest_level=st.sampled_from(Level),
    arguments=st.just({}),
)
targets = st.builds(
    Target,
    environment=st.sampled_from(["prod", "prod", "prod", "dev"]),
    kind=st.just("Deployment"),
    namespace=st.just("shop"),
    name=st.just("checkout"),
    uid=st.just("u"),
    spec_hash=st.text(max_size=3),
    service=st.just("checkout"),
    replicas=st.integers(0, 50),
    stateful=st.booleans(),
    gitops_owner=st.sampled_from(["", "", "", "argocd"]),
    is_bot_itself=st.sampled_from([False, False, False, True]),
    pdb_allows=st.none() | st.integers(0, 5),
)
blasts = st.builds(
    BlastRadius,
    pods=st.integers(0, 20),
    pods_total=st.integers(0, 20),
    workload_ratio=ratios,
    fleet_ratio=ratios,
    namespaces=st.integers(0, 3),
    nodes=st.integers(0, 3),
    services=st.just(("checkout",)),
)
rarely = st.sampled_from([False, False, False, True])
mostly = st.sampled_from([True, True, True, False])
conditions = st.builds(
    Conditions,
    level=st.sampled_from(Level),
    confidence=ratios,
    calibrated=st.booleans(),
    novel=rarely,
    approved_before_and_verified=st.booleans(),
    dry_run_ok=mostly,
    freeze=rarely,
    breaker_open=rarely,
    kill_switch=rarely,
    target_locked=rarely,
    actions_last_hour=st.integers(0, 40),
    break_glass=st.booleans(),
    moment=st.just(MOMENT),
)
requests = st.builds(
    PolicyRequest,
    stage=st.sampled_from(Stage),
    environment=st.just("prod"),
    tier=st.sampled_from(Tier),
    action=facts,
    actor=actors,
    requester_id=st.sampled_from(["sre-bot", "U1", "U2"]),
    target=targets,
    blast_radius=blasts,
    approvals=st.builds(
        Approvals, count=st.integers(0, 3), roles=roles, includes_requester=st.booleans()
    ),
    conditions=conditions,
)


EDGES = (0.0, 0.1, 0.1001, 0.25, 0.2501, 0.34, 0.341, 0.5, 0.501, 0.7999999999, 0.8, 0.95, 1.0)


def random_request(chance: random.Random) -> PolicyRequest:
    """Return a random request, often at the edges of the rules."""

    calm = chance.choice([0.1, 1.0])

    def odds(share: float) -> bool:
        return chance.random() < share

    def trouble(share: float) -> bool:
        return odds(share * calm)

    def some_roles() -> frozenset[Role]:
        return frozenset(role for role in Role if odds(0.4))

    def edge() -> float:
        return chance.choice(EDGES) if odds(0.7) else chance.random()

    total = chance.randrange(0, 12)
    return but(
        stage=chance.choice(list(Stage)),
        tier=chance.choice(list(Tier)),
        requester_id=chance.choice(["sre-bot", "U1", "U2"]),
        environment="elsewhere" if trouble(0.1) else "prod",
        approvals=approved(chance.randrange(3), *some_roles(), requester=odds(0.3)),
        actor=Actor(
            id=chance.choice(["sre-bot", "U1"]),
            team="T1",
            kind=chance.choice(list(ActorKind)) if trouble(0.9) else ActorKind.SELF,
            roles=some_roles(),
        ),
        action=replace(
            FACTS,
            name=chance.choice(["rollback_deployment", "set_flag", "drop_table"]),
            effect=chance.choice(EFFECTS),
            system=chance.choice(SYSTEMS),
            reversible=odds(0.7),
            highest_level=chance.choice([*Level, Level.L4, Level.L4]),
        ),
        target=replace(
            TARGET,
            stateful=odds(0.3),
            gitops_owner=chance.choice(["", "", "", "argocd"]),
            is_bot_itself=trouble(0.05),
            pdb_allows=chance.choice([None, None, 0, 1, 5]),
        ),
        blast_radius=BlastRadius(
            pods=chance.randrange(0, 8),
            pods_total=total,
            workload_ratio=edge(),
            fleet_ratio=edge() if trouble(0.4) else 0.05,
            namespaces=chance.choice([0, 1, 2]) if trouble(0.4) else 1,
            nodes=chance.choice([0, 1, 2]) if trouble(0.4) else 0,
        ),
        conditions=replace(
            CONDITIONS,
            level=chance.choice([*Level, Level.L4]),
            confidence=edge(),
            calibrated=odds(0.7),
            novel=trouble(0.2),
            approved_before_and_verified=odds(0.6),
            dry_run_ok=not trouble(0.1),
            freeze=trouble(0.2),
            breaker_open=trouble(0.15),
            kill_switch=trouble(0.05),
            target_locked=trouble(0.15),
            actions_last_hour=chance.choice([4, 5, 9, 10, 29, 30]) if trouble(0.5) else 0,
            break_glass=odds(0.4),
        ),
    )
