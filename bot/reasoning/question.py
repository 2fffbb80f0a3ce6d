"""From what a person typed to a question about names that exist."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain.diagnosis import Question, Symptom
from bot.domain.environment import Environment
from bot.domain.errors import Ambiguous, Malformed, UnknownName
from bot.domain.time import Window
from bot.reasoning import names, when

LONGEST_TEXT = 2000  # characters that are read: nobody asks a longer question, some paste a log
KEPT_TEXT = 300  # characters that are kept to show

_SYMPTOMS: tuple[tuple[Symptom, re.Pattern[str]], ...] = (
    (
        Symptom.DOWN,
        re.compile(
            r"\b(?:down|unavailable|unreachable|outage|dead|offline|crash\w*|pending|broken|"
            r"not (?:responding|working|starting)|won'?t start|can'?t (?:be )?reach\w*|"
            r"no (?:endpoints|pods))\b",
            re.I,
        ),
    ),
    (
        Symptom.ERRORS,
        re.compile(
            r"\b(?:errors?|erroring|5xx|4xx|50[0-4]|fail\w*|exceptions?|reject\w*|refus\w+)\b", re.I
        ),
    ),
    (
        Symptom.SLOW,
        re.compile(
            r"\b(?:slow\w*|latency|latencies|lag\w*|delay\w*|hang\w*|time?d? ?-?outs?|timing out|"
            r"p9[059]|"
            r"takes? (?:so |too )?long|sluggish|response times?)\b",
            re.I,
        ),
    ),
    (
        Symptom.SATURATED,
        re.compile(
            r"\b(?:memory|oom\w*|full|cpu|disk|saturat\w*|exhaust\w*|leak\w*|throttl\w*|quota|capacity|"
            r"running out|pressure|backlog)\b",
            re.I,
        ),
    ),
)
_GENERAL = re.compile(
    r"\b(?:any|every|all|some|no)(?:thing|body|where)?\b|"
    r"\b(?:wrong|happen\w*|ok(?:ay)?|status|health\w*|check|what'?s up|will|hold|problems?|issues?|"
    r"incidents?|alerts?|why|better|recovered|normal|going on|now)\b",
    re.I,
)
_NAMED_PLACE = re.compile(
    r"\bin\s+(?:the\s+)?`?([A-Za-z][\w\-]{1,40})`?(?=\s*(?:[?.!,;]|$|environment|env\b|cluster|since|now|"
    r"right|today|slow|down|again|for|at\b|is\b|and\b))"
    r"|\b(?:environment|env)\s+`?([A-Za-z][\w\-]{1,40})`?",
    re.I,
)
_NAMED_SERVICE = (
    re.compile(r"`([A-Za-z0-9][\w.\-]{0,62})`"),
    re.compile(r"\bservice\s+(?:called\s+)?([A-Za-z0-9][\w.\-]{1,62})", re.I),
    re.compile(
        r"\b(?:is|are|was|were|does|has|did|do)\s+(?:the\s+|our\s+|my\s+)?([A-Za-z0-9][\w.\-]{1,62})\s+"
        r"(?:so\s+|very\s+|still\s+|really\s+|too\s+|being\s+|service\s+)*"
        r"(?:slow|down|failing|broken|ok|okay|up|healthy|dead|unavailable|not|throwing|returning|timing|"
        r"crash|having|hanging|leaking|fail|wrong|degraded|using|erroring|running)",
        re.I,
    ),
    re.compile(r"\bwrong with\s+(?:the\s+)?([A-Za-z0-9][\w.\-]{1,62})", re.I),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    environments: Sequence[Environment]
    services: Mapping[str, Sequence[str]]
    default: str


def understand(
    text: str,
    *,
    environments: Sequence[Environment],
    services: Mapping[str, Sequence[str]],
    default_environment: str,
    now: datetime,
    previous: Question | None = None,
) -> Question:
    """Return what is asked, resolved to names that exist.

    `services` maps an environment's name to the services there; `now` is aware, and clock times in
    the text are read in its zone. `previous` is the question before in the same thread: what the
    text does not say is kept from it. Raises: UnknownName, with the nearest names; Ambiguous;
    Malformed: no question in it.
    """
    if now.tzinfo is None:
        raise ValueError("`now` must be aware")
    clean = _clean(text)
    known = _Known(environments=environments, services=services, default=default_environment)
    environment = _environment(clean, known, previous)
    asked = _services(_without_place(clean, environment), environment, known)
    symptom = symptom_of(clean)
    window = when.window_of(clean, now)
    says_something = asked or window or symptom is not Symptom.ANY or _GENERAL.search(clean)
    if not (says_something or previous or _environment_named(clean, known)):
        raise Malformed(_HOW_TO_ASK)
    return Question(
        text=clean[:KEPT_TEXT],
        environment=environment.name,
        services=asked or _kept(previous, environment, known),
        symptom=_symptom(symptom, asked, previous),
        asked_at=now.astimezone(UTC),
        window=window or _follow_up(previous, now),
    )


_HOW_TO_ASK = (
    "I didn't find a question in that. Try `why is checkout slow?`, with the name of a service, or "
    "`is anything wrong in staging?`"
)


def symptom_of(text: str) -> Symptom:
    """Return what the words complain of; the worst one wins."""
    return next((s for s, pattern in _SYMPTOMS if pattern.search(text)), Symptom.ANY)


def _clean(text: str) -> str:
    """Drop Slack's markup and control characters; keep the beginning of a long text."""
    head = text[:LONGEST_TEXT]
    head = re.sub(r"<[@#!][^>]{0,80}>|<https?://[^>]{0,500}>|https?://\S{1,500}", " ", head)
    head = "".join(c if c.isprintable() else " " for c in head)
    return re.sub(r"\s+", " ", head).strip()


def _environment(text: str, known: _Known, previous: Question | None) -> Environment:
    named = _environment_named(text, known)
    if named is not None:
        return named
    _refuse_unknown_place(text, known)
    wanted = previous.environment if previous else known.default
    for environment in known.environments:
        if environment.name == wanted:
            return environment
    raise UnknownName("environment", wanted, near=[e.name for e in known.environments])


def _environment_named(text: str, known: _Known) -> Environment | None:
    spoken = {a.lower(): e for e in known.environments for a in (e.name, *e.aliases)}
    hits = {
        spoken[w.lower()].name: spoken[w.lower()] for w in names.words(text) if w.lower() in spoken
    }
    if len(hits) > 1:
        raise Ambiguous("environment", " and ".join(hits), candidates=list(hits))
    return next(iter(hits.values()), None)


def _refuse_unknown_place(text: str, known: _Known) -> None:
    """Refuse "in qa" as a place, unless it is plain English or (nearly) a service."""
    everywhere = {name: () for all_of in known.services.values() for name in all_of}
    for match in _NAMED_PLACE.finditer(text):
        word = match[1] or match[2]
        found = names.search(word, everywhere)
        if found.unknown:
            places = [e.name for e in known.environments]
            raise UnknownName("environment", word, near=places)


def _without_place(text: str, environment: Environment) -> str:
    spoken = {environment.name.lower(), *(a.lower() for a in environment.aliases)}
    return " ".join(w for w in text.split(" ") if w.strip("`?!.,;:()").lower() not in spoken)


def _services(text: str, environment: Environment, known: _Known) -> tuple[str, ...]:
    there = _with_aliases(environment, known)
    if not there:  # nobody could tell which services exist: look at everything
        return ()
    found = names.search(text, there)
    if found.exact:
        return found.exact
    for word, candidates in found.several.items():
        raise Ambiguous("service", word, candidates=candidates[:5])
    for word, near in found.near.items():
        raise UnknownName("service", word, near=near, place=environment.name)
    for word in _spoken_of(text):
        if word in found.unknown:
            raise UnknownName("service", word, place=_place(environment, tuple(there)))
    return ()


def _with_aliases(environment: Environment, known: _Known) -> dict[str, tuple[str, ...]]:
    here = known.services.get(environment.name, ())
    return {name: tuple(environment.service_aliases.get(name, ())) for name in here}


def _spoken_of(text: str) -> list[str]:
    """Words in a place of the sentence where a service's name stands."""
    return [m[1].rstrip(".-_") for pattern in _NAMED_SERVICE for m in pattern.finditer(text)]


def _place(environment: Environment, there: Sequence[str]) -> str:
    if not there:
        return environment.name
    more = ", …" if len(there) > 8 else ""
    return f"{environment.name} (I know {', '.join(sorted(there)[:8])}{more})"


def _kept(previous: Question | None, environment: Environment, known: _Known) -> tuple[str, ...]:
    if previous is None:
        return ()
    here = set(known.services.get(environment.name, ()))
    return tuple(s for s in previous.services if s in here)


def _symptom(said: Symptom, asked: tuple[str, ...], previous: Question | None) -> Symptom:
    if said is Symptom.ANY and previous is not None and asked in ((), previous.services):
        return previous.symptom
    return said


def _follow_up(previous: Question | None, now: datetime) -> Window:
    """A follow-up keeps a past window; one that reached its present reaches today's present."""
    if previous is None:
        return when.usual(now)
    if previous.asked_at - previous.window.end > timedelta(minutes=5):
        return previous.window
    start = min(previous.window.start, when.usual(now).start)
    end = now.astimezone(UTC)
    return Window(start=max(start, end - timedelta(seconds=when.LONGEST_S)), end=max(end, start))
