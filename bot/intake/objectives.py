"""Looks how fast error budgets burn, and puts what burns too fast into the inbox.

Two windows must agree: the long one says that it matters, the short one that it still goes on.
Source: Google, The Site Reliability Workbook, "Alerting on SLOs", table 5-8.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from bot.domain.errors import SreBotError
from bot.domain.needs import Fact, Need
from bot.domain.redaction import redact
from bot.domain.signal import Inbox, Origin, Phase, Severity, Signal
from bot.domain.snapshot import Objective, Snapshot
from bot.domain.time import Clock, Window
from bot.supervision import supervised

LOG = logging.getLogger(__name__)
CALM_LOOKS = 3  # looks without burning after which it is over
SAME_S = 10  # wall; two replicas that see it begin within this time say the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """A pair of windows in seconds, and the burn rate that both must exceed."""

    long_s: float
    short_s: float
    rate: float
    severity: Severity


BURNS = (
    Burn(long_s=3600, short_s=300, rate=14.4, severity=Severity.CRITICAL),
    Burn(long_s=21600, short_s=1800, rate=6.0, severity=Severity.HIGH),
)


class Look(Protocol):
    """Reads facts of one environment. Raises: SreBotError."""

    async def __call__(self, needs: Sequence[Need]) -> Snapshot:
        """Return the facts that answer the needs."""
        ...


@dataclass(slots=True)
class _State:
    """What is known of one objective that burned."""

    signal: Signal
    calm: int = 0  # looks in a row without burning


class ObjectiveWatch:
    """Looks at one environment's objectives. `world` is the clock of what is watched."""

    def __init__(
        self, environment: str, look: Look, inbox: Inbox, *, wall: Clock, world: Clock
    ) -> None:
        self._environment, self._look, self._inbox = environment, look, inbox
        self._wall, self._world = wall, world
        self._burning: dict[str, _State] = {}

    def resume(self, firing: Sequence[Signal]) -> None:
        """Take what was told before a restart for told, so that its end is told too."""
        ours = (s for s in firing if s.environment == self._environment)
        self._burning |= {signal.subject: _State(signal) for signal in ours}

    async def run(self, every_s: float) -> None:
        """Look every so many seconds until cancelled; a failure is tried again at the next look."""
        name = f"watching the objectives of {self._environment}"
        await supervised(name, partial(self._looks, every_s), every_s=every_s)

    async def _looks(self, every_s: float) -> None:
        while True:
            try:
                await self.step()
            except SreBotError as error:
                LOG.warning("objectives are not seen: %s", redact(str(error)))
            await asyncio.sleep(every_s)

    async def step(self) -> None:
        """Look once, and tell what began to burn too fast and what no longer does.

        Raises: SreBotError: nothing is taken for told.
        """
        seen = await self._too_fast()
        now = self._wall.now()
        began = {s: self._fired(s, found, now) for s, found in seen.items()}
        new = {s: signal for s, signal in began.items() if self._is_news(s, signal)}
        over = [s for s, state in self._burning.items() if s not in seen and _ends(state)]
        ended = [_over(self._burning[s].signal, now) for s in over]
        if new or ended:
            await self._inbox.put([*new.values(), *ended], now)
        for subject, state in self._burning.items():
            state.calm = 0 if subject in seen else state.calm + 1
        self._burning |= {s: _State(signal) for s, signal in new.items()}
        for subject in over:
            del self._burning[subject]

    def _is_news(self, subject: str, signal: Signal) -> bool:
        """Whether it was not told yet, or is worse than told."""
        known = self._burning.get(subject)
        return known is None or signal.severity > known.signal.severity

    async def _too_fast(self) -> Mapping[str, tuple[Burn, Objective]]:
        """Return by subject what burns too fast in both windows of a pair, the worst pair first."""
        found: dict[str, tuple[Burn, Objective]] = {}
        for burn in BURNS:
            short = await self._rates(burn.short_s)
            hot = {s for s, o in short.items() if (o.burn_rate or 0.0) > burn.rate}
            if not hot - set(found):
                continue  # the long window is asked only when the short one burns
            for subject, objective in (await self._rates(burn.long_s)).items():
                if subject in hot and (objective.burn_rate or 0.0) > burn.rate:
                    found.setdefault(subject, (burn, objective))
        return found

    async def _rates(self, seconds: float) -> Mapping[str, Objective]:
        window = Window.last(seconds, before=self._world.now())
        need = Need(fact=Fact.OBJECTIVES, window=window, reason="error budgets")
        snapshot = await self._look((need,))
        return {self._subject(o): o for o in snapshot.objectives}

    def _subject(self, objective: Objective) -> str:
        return f"objective:{self._environment}:{objective.service}:{objective.signal}"

    def _fired(self, subject: str, found: tuple[Burn, Objective], now: datetime) -> Signal:
        burn, objective = found
        rate, target = objective.burn_rate or 0.0, objective.target_ratio
        return Signal(
            key=f"{subject}:{burn.severity.name}:{int(now.timestamp() // SAME_S)}",
            origin=Origin.OBJECTIVE,
            subject=subject,
            phase=Phase.FIRING,
            title=f"{objective.service} burns its error budget {rate:.1f} times too fast",
            at=now,
            severity=burn.severity,
            environment=self._environment,
            services=(objective.service,),
            text=f"Objective: {target:.4%} good. Over {burn.long_s / 3600:g} h the budget burns "
            f"{rate:.1f} times as fast as it lasts, and in the last {burn.short_s / 60:g} min "
            f"more than {burn.rate:g} times.",
            labels={"objective": objective.signal, "service": objective.service},
            event="burn",
            details={"burn_rate": f"{rate:.2f}", "target": f"{target:g}"},
        )


def _ends(state: _State) -> bool:
    return state.calm + 1 >= CALM_LOOKS


def _over(fired: Signal, now: datetime) -> Signal:
    return Signal(
        key=f"{fired.subject}:over:{int(now.timestamp() // SAME_S)}",
        origin=Origin.OBJECTIVE,
        subject=fired.subject,
        phase=Phase.RESOLVED,
        title=fired.title,
        at=now,
        severity=fired.severity,
        environment=fired.environment,
        services=fired.services,
        labels=fired.labels,
        event="calm",
        began=fired.at,
    )
