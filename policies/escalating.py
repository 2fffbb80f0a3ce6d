"""When the bot may call a person by itself: telling people is no action, but waking them costs.

Pure. An alert that calls nobody, and of which the evidence says when it will be an outage, does;
nothing else. No kill switch, freeze or breaker stops it: they stop actions, not warnings.
"""

from collections.abc import Iterator
from datetime import timedelta

from bot.domain.environment import Tier
from bot.domain.paging import Escalation
from bot.domain.policy import Reason, Ruling, Verdict

SURE = 0.8  # as for acting by itself
SUPPORTS = 2  # pieces of evidence; one may be a coincidence
SOON = timedelta(hours=6)  # what breaks later can wait for the morning
HOURLY = 3  # calls of the bot's own within an hour; a fourth is said in the thread only
RULE, NOT_YET = "page-with-evidence", "page-not-yet"


def escalation(case: Escalation) -> Ruling:
    """Return AUTONOMOUS if a person is to be called, DENY with every reason if not."""
    reasons = tuple(Reason(rule=rule, text=text) for rule, text in _against(case))
    if reasons:
        return Ruling(verdict=Verdict.DENY, reasons=reasons)
    when = f"{case.breaks_at:%H:%M} UTC" if case.breaks_at else ""
    text = f"it will break at about {when}, and nobody was called yet"
    return Ruling(verdict=Verdict.AUTONOMOUS, reasons=(Reason(rule=RULE, text=text),))


def _against(case: Escalation) -> Iterator[tuple[str, str]]:
    if case.tier is not Tier.PRODUCTION:
        yield "page-production-only", "people are woken for production only"
    if not case.known or case.confidence < SURE or case.supports < SUPPORTS:
        yield "page-needs-evidence", "it takes a cause, 80 % sure, on two pieces of evidence"
    if case.breaks_at is None:
        yield "page-needs-a-forecast", "nothing says that it will become an outage"
    elif case.breaks_at > case.now + SOON:
        yield NOT_YET, "it breaks in more than 6 h: it is in the thread for then"
    if case.answered:
        yield "page-answered", f"{case.answered} has it or was called already"
    if case.called_before:
        yield "page-once", "somebody was called for this incident before"
    if case.calls_last_hour >= HOURLY:
        yield "page-hourly", "I called people 3 times within the last hour"
