"""Finding names of services and environments in what a person typed, exactly or nearly."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

NEAR = 0.72  # similarity (Ratcliff/Obershelp) from which a word counts as a typo of a name
MOST_NEAR = 3

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,62}")
_SUFFIXES = ("service", "svc", "app", "api", "deployment", "pod", "pods")

_PLAIN_TEXT = """
    4xx 500 502 503 504 5xx a about above after again against ago alert alerts alive all already
    also always am an and another any anybody anyone anything anyway are around as ask at
    availability available away back bad be because been before behaving being better between
    both broken bug but by bye cache can cannot case cause caused causes causing certificate
    certificates change changed changes channel check checks cluster come coming config
    connection connections could cpu crash crashes crashing currently customer customers
    database day days dead degraded deploy deployed deployment deploys did different disk do
    does doing done down dropped dropping each either else end env environment environments
    error errors even ever every everything exhausted expired explain fact fail failed failing
    fails failure failures far fast few find fine fire firing first fix fixed flag for friday
    from full general get gets getting give go goes going gone good got had hanging hangs happen
    happened happening happens has have he health healthy hello help her here hey hi high higher
    his hour hours how i if impact in incident incidents increase increased increasing inside
    into investigate is issue issues it its just keep keeps killed know lag lagging last late
    lately latency leak leaking like little load log logs long look looking looks loop looping
    low lower make many may maybe me memory metrics minute minutes monday month more morning
    most much my namespace near need never new next night no node nodes normal not nothing
    notice now of off often ok okay old on once one only oom open or order other our out outage
    over p50 p95 p99 page particular past people percent please pod pods possible probably
    problem problems production queue quick quickly quiet rate reachable really reason recent
    recently recovered release request requests respond responding response restart restarted
    root run running said same saturated saturation saturday say says second seconds see seeing
    seem seems server service services several she should show side since site slow slower
    slowly slowness so some somebody someone something sometimes soon spike spikes spiking sre
    start started starting state status still stop stopped strange stuck such sudden suddenly
    sunday sure system take takes taking team tell terms than thank thanks that the their them
    then there these they thing things think this those though throughput thursday time timed
    timeout timeouts times timing to today together tonight too total touch traffic trouble try
    trying tuesday two unavailable under unhealthy unreachable until up us usage use user users
    using very wait waiting want was wasn't watch way we wednesday week weird well went were
    what what's whats when where whether which while who whole why will with without work
    working works worse worst would wrong yes yesterday yet you your
"""
PLAIN = frozenset(_PLAIN_TEXT.split())  # words of a question that are no names


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a text names: certain hits in order, words that fit several names, and near misses."""

    exact: tuple[str, ...]
    several: Mapping[str, tuple[str, ...]]
    near: Mapping[str, tuple[str, ...]]
    unknown: tuple[str, ...]


def words(text: str) -> list[str]:
    """Return the words of a text that could be names, as typed, without trailing punctuation."""
    return [w.rstrip(".-_") for w in _WORD.findall(text) if w.rstrip(".-_")]


def search(text: str, names: Mapping[str, Sequence[str]]) -> Found:
    """Look for names (canonical name → aliases) in a text.

    A whole name or alias wins; then a part of one ("payment" for "payment-service"), which may fit
    several; then typos. Source of the similarity: Ratcliff and Obershelp 1988, as in difflib.
    """
    spoken = {_norm(alias): name for name, all_of in names.items() for alias in (name, *all_of)}
    typed, exact = words(text), []
    rest: list[str] = []
    index = 0
    while index < len(typed):
        name, length = _longest(typed, index, spoken)
        if name is not None:
            exact.append(name)
        else:
            rest.append(typed[index])
        index += length
    return _sort_out(tuple(dict.fromkeys(exact)), rest, names, spoken)


def _longest(typed: Sequence[str], at: int, spoken: Mapping[str, str]) -> tuple[str | None, int]:
    """The longest run of up to four words from `at` that is a name ("payment service")."""
    for length in range(min(4, len(typed) - at), 0, -1):
        name = spoken.get(_norm("-".join(typed[at : at + length])))
        if name is not None:
            return name, length
    return None, 1


def _sort_out(
    exact: tuple[str, ...],
    rest: Iterable[str],
    names: Mapping[str, Sequence[str]],
    spoken: Mapping[str, str],
) -> Found:
    certain, several, near, unknown = list(exact), {}, {}, []
    for word in dict.fromkeys(rest):
        if word.lower() in PLAIN or word.replace(".", "").isdigit():
            continue
        single = spoken.get(_norm(word).removesuffix("s"))
        parts = (single,) if single else _by_part(word, names)
        if len(parts) == 1:
            certain.append(parts[0])
        elif parts:
            several[word] = parts
        elif close := near_names(word, spoken):
            near[word] = close
        else:
            unknown.append(word)
    return Found(
        exact=tuple(dict.fromkeys(certain)), several=several, near=near, unknown=tuple(unknown)
    )


def near_names(word: str, spoken: Mapping[str, str]) -> tuple[str, ...]:
    """Return up to three names that the word may be a typo of, the nearest first."""
    wanted = _norm(word)
    close = difflib.get_close_matches(wanted, list(spoken), n=2 * MOST_NEAR, cutoff=NEAR)
    longer = [s for s in spoken if close and s.startswith(close[0] + "-")]
    return tuple(dict.fromkeys(spoken[s] for s in (*close, *longer)))[:MOST_NEAR]


def _by_part(word: str, names: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    wanted = _norm(word)
    if len(wanted) < 3:
        return ()
    return tuple(n for n in names if wanted in {*_norm(n).split("-"), _bare(_norm(n))})


def _norm(name: str) -> str:
    flat = re.sub(r"[\s_.\-]+", "-", name.strip().lower()).strip("-")
    flat = flat.removesuffix("'s")
    return _bare(flat) or flat


def _bare(flat: str) -> str:
    """The name without "-service" and a plural s: people leave them out, or add them."""
    for suffix in _SUFFIXES:
        flat = flat.removesuffix(f"-{suffix}")
    return flat
