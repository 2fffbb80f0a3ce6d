"""Incidents that people confirmed before: what broke here once breaks more easily again."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.diagnosis import HEALTHY, Evidence, Hypothesis
from bot.domain.snapshot import PastIncident, Source

HALF_LIFE = timedelta(days=90)  # systems change: what happened long ago counts for less
MOST = math.log(3)  # a habit makes a cause three times likelier at most: never proof
LEAST = 0.1  # less is not worth a line


def remembering(
    hypotheses: Sequence[Hypothesis], past: Sequence[PastIncident], now: datetime
) -> list[Hypothesis]:
    """Return the hypotheses, with like incidents that a person judged right as evidence.

    Each is worth less the older it is, and all together no more than `MOST` (log-odds): that is a
    prior, and a person who clicks "right" out of habit must not make the bot blind.
    """
    return [_with(h, [p for p in past if _like(p, h) and p.at < now], now) for h in hypotheses]


def _like(past: PastIncident, hypothesis: Hypothesis) -> bool:
    same = (past.cause, past.service) == (hypothesis.cause, hypothesis.service)
    return past.confirmed and same and past.cause != HEALTHY


def _with(hypothesis: Hypothesis, like: Sequence[PastIncident], now: datetime) -> Hypothesis:
    count = math.fsum(0.5 ** ((now - p.at) / HALF_LIFE) for p in like)
    weight = min(MOST, math.log1p(count))
    if weight < LEAST:
        return hypothesis
    last = max(like, key=lambda p: p.at)
    times = "once" if len(like) == 1 else f"{len(like)} times"
    evidence = Evidence(
        statement=f"people confirmed this cause at {hypothesis.service} {times} before, "
        f"last on {last.at:%-d %B %Y}",
        weight=weight,
        source=Source(system="sre-bot", query=f"incidents that were judged right, last {last.id}"),
    )
    return replace(hypothesis, evidence=(*hypothesis.evidence, evidence))
