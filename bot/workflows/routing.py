"""People's say in triage: where incidents are told, and what is no incident; both audited."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.conversation import Click, Mark, Notice, Thread
from bot.domain.environment import Environment
from bot.domain.errors import Malformed, UnknownName
from bot.domain.incident import Route, RouteStore, State, TriageStore
from bot.domain.people import Actor, ActorKind, Role
from bot.domain.ports import Audit, AuditEntry, Resolver
from bot.domain.time import Clock
from bot.triage.learning import dismissed
from bot.triage.route_words import HOW, route_of
from bot.workflows.maps import Maps

MAY_ROUTE = frozenset({Role.APPROVER, Role.ADMINISTRATOR})
MAY_DISMISS = frozenset({Role.RESPONDER, Role.APPROVER, Role.ADMINISTRATOR})
MOST_ALERTS = 200  # of an incident, that something is learned from


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Between people and triage. `default`: the environment that is meant when none is named."""

    routes: RouteStore
    store: TriageStore
    people: Resolver
    audit: Audit
    clock: Clock
    maps: Maps
    environments: Mapping[str, Environment]
    default: str

    async def route(self, thread: Thread, user: str, words: str) -> Notice:
        """Set or remove a route; says what was set, or why not."""
        try:
            wish = route_of(words)
            environment = self._environment(wish.place or self._of_channel(thread.channel))
        except (Malformed, UnknownName) as error:
            return Notice(mark=Mark.NONE, text=str(error))
        what = f"{wish.service or 'all others'} in {environment}"
        actor = await self.people.actor(thread.team, user, environment)
        if not _may(actor, MAY_ROUTE):
            await self._record("refused", user, environment, wish.service, f"route {what}")
            text = "Not set: only approvers and administrators may."
            return Notice(mark=Mark.REFUSED, text=text)
        details = {"channel": wish.channel}
        await self._record("routed", user, environment, wish.service, f"route {what}", details)
        if not wish.channel:
            found = await self.routes.remove(environment, wish.service)
            text = f"Removed: {what}." if found else f"There was no route for {what}."
            return Notice(mark=Mark.DONE if found else Mark.NONE, text=text)
        await self.routes.set(
            Route(
                environment=environment, service=wish.service, channel=wish.channel, set_by=user,
                at=self.clock.now(),
            )
        )  # fmt: skip
        text = f"Set: incidents of {what} are told in <#{wish.channel}> from now on."
        unknown = wish.service and wish.service not in (await self.maps.place(environment)).services
        text += f" I don't know a service called `{wish.service}` yet." if unknown else ""
        return Notice(mark=Mark.DONE, text=text)

    async def shown(self) -> Notice:
        """Return every route, a line each."""
        lines = [
            f"{route.environment} · {route.service or 'all others'} → <#{route.channel}>"
            for route in await self.routes.all()
        ]
        return Notice(mark=Mark.NONE, text="\n".join([*lines, HOW]))

    async def not_an_incident(self, click: Click) -> Notice:
        """End an incident that was none, and keep quiet about alerts like these from now on."""
        standing = await self.store.incident(click.subject)
        if standing is None:
            return Notice(mark=Mark.REFUSED, text="I don't know that incident any more.")
        incident = standing.incident
        actor = await self.people.actor(click.team, click.user, incident.environment)
        if not _may(actor, MAY_DISMISS):
            await self._record("refused", click.user, incident.environment, incident.id, "dismiss")
            return Notice(mark=Mark.REFUSED, text="Not taken: only responders may say so.")
        if incident.state is State.RESOLVED and incident.quiet:
            return Notice(mark=Mark.NONE, text="Noted already.")
        alerts = await self.store.alerts_of(incident.id, MOST_ALERTS)
        lessons = dismissed(alerts, by=f"<@{click.user}>", at=self.clock.now())
        text = f"not an incident: {len(lessons)} kinds of alerts"
        await self._record("dismissed", click.user, incident.environment, incident.id, text)
        why = f"not an incident, says <@{click.user}>"
        await self.store.dismiss(incident.id, lessons, why)
        self.maps.taught(incident.environment)
        text = "Noted. I stay quiet about alerts like these, unless they get worse or spread."
        return Notice(mark=Mark.NONE, text=text)

    def _environment(self, place: str) -> str:
        for environment in self.environments.values():
            if place.lower() in {n.lower() for n in (environment.name, *environment.aliases)}:
                return environment.name
        raise UnknownName("environment", place, near=sorted(self.environments))

    def _of_channel(self, channel: str) -> str:
        fitting = [e.name for e in self.environments.values() if channel in e.channels]
        return fitting[0] if len(fitting) == 1 else self.default

    async def _record(
        self, event: str, by: str, environment: str, subject: str, text: str,
        details: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        await self.audit.write(
            AuditEntry(
                at=self.clock.now(), actor=by, event=event, environment=environment,
                subject=subject or "all", text=text, details=json.dumps(details or {}),
            )
        )  # fmt: skip


def _may(actor: Actor, roles: frozenset[Role]) -> bool:
    return actor.kind is ActorKind.PERSON and bool(actor.roles & roles)
