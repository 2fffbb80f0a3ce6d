"""What the logs complain of: error templates that are new or far more frequent than before."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.domain.diagnosis import Evidence
from bot.domain.snapshot import LogTemplate
from bot.reasoning.claims import at, said
from bot.reasoning.picture import Picture

_MORE = 4.0  # times the count of the window before
_LEAST = 3
_BAD_LEVELS = frozenset({"error", "fatal", "critical", "warning", "warn", "severe"})
_BAD_WORDS = re.compile(
    r"\b(?:error|exception|fail\w*|timed? ?out|refused|denied|expired|exhausted|panic|fatal|"
    r"unavailable|not available|cannot|can't|reset|oom|out of memory)\b",
    re.I,
)
_SHOWN = 160


def novel(picture: Picture, service: str) -> list[LogTemplate]:
    """Return a service's complaints that are new or more frequent, most frequent first."""
    found = [t for t in picture.snapshot.logs if t.service == service and _bad(t) and _new(t)]
    return sorted(found, key=lambda t: (-t.count, t.template))


def about(
    picture: Picture, services: Iterable[str], words: str, weight: float
) -> tuple[Evidence, ...]:
    """Return the most frequent novel complaint that matches `words` as evidence, if any."""
    matching = re.compile(words, re.I)
    found = [
        t for s in sorted(set(services)) for t in novel(picture, s) if matching.search(t.example)
    ]
    if not found:
        return ()
    return (quoted(picture, max(found, key=lambda t: (t.count, t.template)), weight),)


def since(picture: Picture, service: str, moment: datetime, weight: float) -> tuple[Evidence, ...]:
    """Return a complaint not heard before `moment`, as evidence against what changed then."""
    early = moment - timedelta(minutes=1)
    found = [t for t in novel(picture, service) if t.first_at is not None and t.first_at >= early]
    return (quoted(picture, found[0], weight),) if found else ()


def quoted(picture: Picture, template: LogTemplate, weight: float) -> Evidence:
    """Return a log template as evidence, with an example and its count."""
    example = " ".join(template.example.split())[:_SHOWN]
    began = f" since {at(template.first_at, picture)}" if template.first_at else ""
    before = "" if template.baseline_count is None else f", {template.baseline_count} before"
    text = f'{template.service} logs "{example}" {template.count} times{began}{before}'
    return said(text, weight, template.source)


def _bad(template: LogTemplate) -> bool:
    return template.level.lower() in _BAD_LEVELS or bool(_BAD_WORDS.search(template.template))


def _new(template: LogTemplate) -> bool:
    before = template.baseline_count or 0
    return template.count >= max(_LEAST, _MORE * before)
