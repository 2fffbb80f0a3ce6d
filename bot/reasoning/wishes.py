"""From what a person typed to the action they ask for: a strict grammar, no guess, no model.

Only a whole sentence that begins with the verb is a wish: `restart checkout in staging`. What fits
half is a question about the service, and is investigated. Arguments come from these words alone.
"""

import re
from collections.abc import Mapping, Sequence

from bot.domain.diagnosis import Question
from bot.domain.environment import Environment
from bot.domain.errors import Ambiguous, Malformed, UnknownName
from bot.domain.wish import NODES, Verb, Wanted, Wish
from bot.reasoning import names
from bot.reasoning.pages import CAN as PAGES_CAN
from bot.reasoning.pages import page_wish_of
from bot.reasoning.reruns import CAN as RERUNS_CAN
from bot.reasoning.reruns import rerun_wish_of

LONGEST = 300  # characters: nobody asks for an action at greater length
CAN = (
    "`restart checkout in staging`, `restart pod checkout-5d8f`, `scale cart to 4`, "
    "`roll back payments`, `roll back payments to v2.40`, `pause the rollout of checkout`, "
    "`resume the rollout of checkout`, `cordon node-3`, `uncordon node-3`, `drain node-3`, "
    "`delete the failed job nightly`"
)
CANNOT = (
    f"That is nothing I do when asked. What I do: {CAN}; {RERUNS_CAN}; {PAGES_CAN}. "
    "I show a card first, always."
)
ONE = "One thing at a time, please: which one first? For example `restart checkout in staging`."
_POLITE = re.compile(
    r"(?:(?:please|pls|kindly|ok(?:ay)?|hey|hi|hello|now|then|just|go ahead and|can you|could you|"
    r"would you|will you|i want you to|i'd like you to)[,:]?\s+)*",
    re.I,
)
_VERBS: tuple[tuple[Verb, str], ...] = (
    (Verb.RESTART, r"restart|bounce|rolling[ -]restart|do a rolling restart of|re-start"),
    (Verb.ROLL_BACK, r"roll(?:ing)?[ -]?back|revert"),
    (Verb.SCALE, r"scale"),
    (Verb.PAUSE, r"pause|hold"),
    (Verb.RESUME, r"resume|unpause"),
    (Verb.UNCORDON, r"uncordon"),
    (Verb.CORDON, r"cordon"),
    (Verb.DRAIN, r"drain"),
)
_KINDS = "deployment|deploy|statefulset|daemonset|service|pod|node|job|rollout|release"
_WORD = r"[A-Za-z0-9][\w.\-]{0,62}"
_REST = re.compile(
    rf"(?:(?:the|our|my)\s+)?(?:(?:failed\s+)?(?P<before>{_KINDS})\s+(?:of\s+)?(?:the\s+)?)?"
    rf"(?P<name>{_WORD})(?:\s+(?P<after>{_KINDS}|pods|replicas))?"
    r"(?:\s+(?:up|down|out|back))?"
    rf"(?:\s+to\s+(?P<goal>(?:revision\s+|version\s+)?{_WORD})(?:\s+(?:pods?|replicas?|instances?))?)?"
    rf"(?:\s+(?:in|on)\s+(?:the\s+)?(?P<place>{_WORD})(?:\s+(?:environment|env|cluster))?)?"
    r"(?:\s+(?:please|pls|now|again|asap|for me|thanks|thank you))*[.!?]*"
    r"(?:[,;:]?\s*\b(?:because|since|as)\s+(?P<reason>\S.*))?",
    re.I,
)
_DELETE_JOB = re.compile(r"(?:delete|remove)\s+(?=(?:the\s+)?(?:failed\s+)?job\s)", re.I)
_REPLACE_POD = re.compile(r"(?:delete|kill|evict|replace)\s+(?=(?:the\s+)?pod\s)", re.I)
_OTHERS = re.compile(
    r"(?:delete|remove|kill|deploy|redeploy|exec|execute|apply|patch|terminate|destroy|flush|"
    r"shut ?down|fail ?over|upgrade|downgrade|enable|disable|rotate)\s+[^?]+",
    re.I,
)
_SEVERAL = re.compile(rf"{_WORD}\s*(?:,|\band\b|&)\s*(?:the\s+)?{_WORD}.*", re.I)
_EVERYTHING = frozenset({"all", "everything", "every", "both", "them", "these", "those"})
LIVE = frozenset({"pod", "node", "job"})  # kinds whose names only the cluster knows
IT = frozenset({"", "it", "this", "that"})


def wish_of(text: str) -> Wish | None:
    """Return the action that a person asks for, None if the text is anything else.

    Only its first line is read: what is pasted below is not the person's order.
    Raises: Malformed: it asks for something that is not done, or for several things.
    """
    line = _line(text)
    body = line[len(m[0]) :] if (m := _POLITE.match(line)) else line
    named = page_wish_of(body) or rerun_wish_of(body)
    if named is not None:
        return named
    for verb, rest in _begun(body):
        if not rest or rest.partition(" ")[0].lower() in _EVERYTHING:
            raise Malformed(ONE)
        wish = _parsed(verb, rest)
        if wish is None and _SEVERAL.fullmatch(rest) and len(rest.split()) <= 6:
            raise Malformed(ONE)
        return wish
    if _OTHERS.fullmatch(body):
        raise Malformed(CANNOT)
    return None


def _line(text: str) -> str:
    first = text.strip().splitlines()[0].strip() if text.strip() else ""
    if len(first) > LONGEST or first.startswith((">", "```")) or not first.isprintable():
        return ""
    return re.sub(r"\s+", " ", first.replace("`", "")).strip()


def _begun(body: str) -> list[tuple[Verb, str]]:
    """Return the verb that the text begins with, and what follows it."""
    for pattern, verb in ((_DELETE_JOB, Verb.DELETE_JOB), (_REPLACE_POD, Verb.RESTART)):
        if found := pattern.match(body):
            return [(verb, body[found.end() :])]
    for verb, words in _VERBS:
        if found := re.match(rf"(?:{words})(?:\s+(?:up|down|out))?(?=\s|$|[.!?])", body, re.I):
            return [(verb, body[found.end() :].strip(" .!?"))]
    return []


def _parsed(verb: Verb, rest: str) -> Wish | None:
    found = _REST.fullmatch(rest)
    if found is None:
        return None
    kind = (found["before"] or found["after"] or "").lower().rstrip("s")
    name = found["name"].rstrip(".-_")
    if not kind and name.lower() in _KINDS.split("|"):  # "restart the pod": which?
        kind, name = name.lower(), ""
    if verb is Verb.DELETE_JOB:
        kind = "job"
    return Wish(
        verb=verb,
        name=name,
        kind="node" if verb in NODES else kind,
        place=found["place"] or "",
        goal=found["goal"] or "",
        reason=(found["reason"] or "").strip(" ."),
    )


def resolve(
    wish: Wish,
    *,
    environments: Sequence[Environment],
    services: Mapping[str, Sequence[str]],
    default_environment: str,
    previous: Question | None = None,
) -> Wanted | None:
    """Return the wish with names that exist; None if it reads like a question after all.

    Without a place it means the thread's environment, else the default one. Raises: UnknownName
    with the nearest names, Ambiguous, Malformed: each is a question that the asker can answer.
    """
    environment = _environment(wish, environments, previous, default_environment)
    everywhere = {name: () for known in services.values() for name in known}
    if environment is None:
        if wish.place.lower() in everywhere or wish.name.lower() in names.PLAIN:
            return None
        raise UnknownName("environment", wish.place, near=[e.name for e in environments])
    if wish.kind == "page":
        environment = _paged(wish, environment, environments)
    found = _name(wish, environment, services.get(environment.name, ()), previous)
    return Wanted(wish=wish, environment=environment.name, name=found) if found else None


def _name(
    wish: Wish, environment: Environment, here: Sequence[str], previous: Question | None
) -> str:
    """Return what the wish is about, "" if its name is plain English. Raises: as `resolve`."""
    if wish.kind == "page":
        return wish.name
    if wish.name.lower() in IT:
        return _it(wish, previous)
    if wish.kind in LIVE:
        return wish.name.lower()
    return _service(wish.name, environment, here)


def _environment(
    wish: Wish, environments: Sequence[Environment], previous: Question | None, default: str
) -> Environment | None:
    spoken = {a.lower(): e for e in environments for a in (e.name, *e.aliases)}
    if wish.place:
        return spoken.get(wish.place.lower())
    known = {e.name: e for e in environments}
    found = known.get(previous.environment) if previous else None
    return found or known.get(default)


def _paged(wish: Wish, meant: Environment, environments: Sequence[Environment]) -> Environment:
    """Return the environment whose pages are meant: the only one that has any, if none is named."""
    having = [e for e in environments if "pagerduty" in e.connections]
    only = not wish.place and meant not in having and len(having) == 1
    return having[0] if only else meant


def _it(wish: Wish, previous: Question | None) -> str:
    asked = previous.services if previous else ()
    if len(asked) == 1 and wish.kind not in LIVE:
        return asked[0]
    raise Malformed(f"Which {wish.kind or 'service'}? For example `{wish.verb.value} checkout`.")


def _service(name: str, environment: Environment, here: Sequence[str]) -> str:
    """Return the service; "" if the word is plain English. Raises: UnknownName, Ambiguous."""
    aliases = {n: tuple(environment.service_aliases.get(n, ())) for n in here}
    found = names.search(name, aliases)
    if len(found.exact) == 1:
        return found.exact[0]
    for candidates in found.several.values():
        raise Ambiguous("service", name, candidates=candidates[:5])
    if name.lower() in names.PLAIN:
        return ""
    if not here:  # nobody could tell which there are: the live object decides
        return name.lower()
    near = next(iter(found.near.values()), ())
    place = environment.name if near else f"{environment.name} (I know {', '.join(here[:8])})"
    raise UnknownName("service", name, near=near, place=place)
