"""Freeze windows by the words of people: set, shown and lifted, by administrators, audited."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.conversation import Mark, Notice, Thread
from bot.domain.environment import Environment
from bot.domain.errors import Malformed, UnknownName
from bot.domain.freeze import Freeze, FreezeStore
from bot.domain.people import Actor, Role
from bot.domain.ports import Audit, AuditEntry, Resolver
from bot.domain.time import Clock, Window
from bot.remediation.freeze_words import freeze_of

NOT_YOURS = "only an administrator may"
NONE = "No freeze is on, and none is ahead."


@dataclass(frozen=True, slots=True, kw_only=True)
class Freezing:
    """Between people and the freeze windows."""

    freezes: FreezeStore
    people: Resolver
    audit: Audit
    clock: Clock
    environments: Mapping[str, Environment]

    async def freeze(self, event_id: str, thread: Thread, user: str, words: str) -> Notice:
        """Set a window; says what was set, or why not."""
        try:
            wish = freeze_of(words, self.clock.now())
            environment = self._environment(wish.place) if wish.place else ""
        except (Malformed, UnknownName) as error:
            return Notice(mark=Mark.NONE, text=str(error))
        actor = await self.people.actor(thread.team, user, environment)
        if Role.ADMINISTRATOR not in actor.roles:
            return await self._refused(actor, environment, f"freeze: {wish.reason}", "Not frozen")
        made = await self.set(event_id, environment, wish.window, wish.reason, user)
        text = f"Frozen: nothing runs by itself then; what is approved still passes.\n{made.words}"
        return Notice(mark=Mark.STOPPED, text=text)

    async def set(self, key: str, environment: str, window: Window, reason: str, by: str) -> Freeze:
        """Keep a window, audited first; the same key keeps one."""
        made = Freeze(
            id=f"f{hashlib.sha256(key.encode()).hexdigest()[:6]}",
            environment=environment, window=window, reason=reason, by=by,
        )  # fmt: skip
        there = await self.freezes.freeze(made.id)
        if there is not None:
            return there
        await self._record("frozen", by, environment, made.id, reason, window)
        await self.freezes.add_freeze(made)
        return made

    async def shown(self) -> Notice:
        """Return every window that is on or ahead, a line each."""
        found = await self.freezes.freezes(self.clock.now())
        lines = [f.words for f in found]
        how = f"Lift one: `/sre unfreeze {found[0].id} because …`" if found else ""
        return Notice(mark=Mark.NONE, text="\n".join([*(lines or [NONE]), how]).strip())

    async def on(self) -> tuple[Freeze, ...]:
        """Return the windows that are on now."""
        now = self.clock.now()
        return tuple(f for f in await self.freezes.freezes(now) if f.is_on(now))

    async def lift(self, thread: Thread, user: str, words: str) -> Notice:
        """End a window now; says what became of it."""
        name, _, rest = words.strip().partition(" ")
        reason = rest.strip().removeprefix("because ").strip()
        found = {f.id: f for f in await self.freezes.freezes(self.clock.now())}
        chosen = found.get(name.lower())
        if chosen is None:
            there = ", ".join(f"`{f}`" for f in found) or "none"
            text = (
                f"Which freeze? There are: {there}. For example `/sre unfreeze f1c9a2 because …`."
            )
            return Notice(mark=Mark.NONE, text=text)
        actor = await self.people.actor(thread.team, user, chosen.environment)
        if Role.ADMINISTRATOR not in actor.roles:
            return await self._refused(actor, chosen.environment, f"lift {name}", "Not lifted")
        if not reason:
            return Notice(mark=Mark.NONE, text=f"Why? `/sre unfreeze {chosen.id} because …`.")
        await self.end(chosen, reason, user)
        return Notice(mark=Mark.DONE, text=f"Lifted: {chosen.words}.")

    async def end(self, chosen: Freeze, reason: str, by: str) -> None:
        """End a window now, audited first."""
        await self._record("freeze_lifted", by, chosen.environment, chosen.id, reason)
        await self.freezes.lift_freeze(chosen.id, self.clock.now())

    def _environment(self, place: str) -> str:
        for environment in self.environments.values():
            if place.lower() in {n.lower() for n in (environment.name, *environment.aliases)}:
                return environment.name
        raise UnknownName("environment", place, near=sorted(self.environments))

    async def _refused(self, actor: Actor, environment: str, text: str, what: str) -> Notice:
        await self._record("refused", actor.id, environment, "freeze", text)
        return Notice(mark=Mark.REFUSED, text=f"{what}: {NOT_YOURS}.")

    async def _record(
        self, event: str, by: str, environment: str, subject: str, text: str,
        window: Window | None = None,
    ) -> None:  # fmt: skip
        span = {"from": window.start.isoformat(), "until": window.end.isoformat()} if window else {}
        await self.audit.write(
            AuditEntry(
                at=self.clock.now(), actor=by, event=event, environment=environment,
                subject=subject, text=text, details=json.dumps(span),
            )
        )  # fmt: skip
