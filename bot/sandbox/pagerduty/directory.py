"""Who and what a PagerDuty account knows: users, policies, services, priorities."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.sandbox.pagerduty.records import Policy, Service, User, Wrong

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PRIORITIES = {"PRIO0P1": "P1", "PRIO0P2": "P2", "PRIO0P3": "P3", "PRIO0P4": "P4"}
BOT_EMAIL = "sre-bot@sandbox.example"
TOKEN = "sandbox-pagerduty-token"  # noqa: S105 - a make-believe account's
SECRET = "sandbox-pagerduty-webhook-secret"  # noqa: S105 - a make-believe subscription's
_STAFF = (
    ("PROSA01", "Rosa Responder", "rosa@sandbox.example"),
    ("PANIL01", "Anil Approver", "anil@sandbox.example"),
    ("PADA001", "Ada Administrator", "ada@sandbox.example"),
    ("PSREBOT", "sre-bot", BOT_EMAIL),
)


def identity(*words: str) -> str:
    """Return an id as PagerDuty's look: P and six characters, the same for the same words."""
    number = int.from_bytes(hashlib.sha256("/".join(words).encode()).digest()[:6])
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, len(ALPHABET))
        digits += ALPHABET[digit]
    return f"P{digits}"


@dataclass(slots=True, kw_only=True)
class Directory:
    """What rarely changes. All by id."""

    users: Mapping[str, User]
    policies: Mapping[str, Policy]
    services: Mapping[str, Service]
    priorities: Mapping[str, str] = field(default_factory=lambda: dict(PRIORITIES))

    @property
    def names(self) -> dict[str, str]:
        """Return everything's name by its id."""
        names = dict(self.priorities)
        names |= {u.id: u.name for u in self.users.values()}
        names |= {p.id: p.name for p in self.policies.values()}
        return names | {s.id: s.name for s in self.services.values()}

    def by_email(self, email: str) -> User | None:
        """Return the user with an e-mail address."""
        return next((u for u in self.users.values() if u.email.lower() == email.lower()), None)

    def by_key(self, routing_key: str) -> Service:
        """Return the service that a routing key leads to. Raises: Wrong."""
        for service in self.services.values():
            if service.routing_key == routing_key:
                return service
        raise Wrong(400, "Event object is invalid", "Invalid routing key")

    def on_call(self, policy: str, level: int) -> tuple[str, ...]:
        """Return who is called at a level of a policy."""
        levels = self.policies[policy].levels
        return levels[level - 1] if 0 < level <= len(levels) else ()


def service_id(environment: str, service: str) -> str:
    """Return the id of a service of the sandbox in PagerDuty."""
    return identity("service", environment, service)


def directory(services: Mapping[str, Iterable[str]]) -> Directory:
    """Return the sandbox's account: `services` are names by environment.

    One policy: Rosa is called first, then Anil, then Ada.
    """
    users = {id_: User(id=id_, name=name, email=email) for id_, name, email in _STAFF}
    policy = Policy(
        id="PSHOPEP", name="Shop on-call", levels=(("PROSA01",), ("PANIL01",), ("PADA001",))
    )
    made = (
        Service(
            id=service_id(environment, name),
            name=f"{name} ({environment})",
            policy=policy.id,
            routing_key=hashlib.sha256(f"{environment}/{name}".encode()).hexdigest()[:32],
        )
        for environment, names in services.items()
        for name in names
    )
    return Directory(users=users, policies={policy.id: policy}, services={s.id: s for s in made})
