"""What a quiet trouble is called, and what was seen of it, in plain words."""

from collections.abc import Iterator

from bot.triage.grey.blame import Suspect, Worse
from bot.triage.grey.peers import Odd

MOST_LINES = 8


def title_of(suspect: Suspect) -> str:
    """Return one line: who, what, how much, and what is usual."""
    if suspect.pods:
        odd = suspect.pods[0]
        who = f"pods {odd.name}… of {suspect.service}" if odd.version else (
            f"pod {odd.name} of {suspect.service}")  # fmt: skip
        verb = _amount(odd.failing, odd.here)
        return f"{who}: {verb}, its peers {_level(odd.failing, odd.there)}"
    fact = suspect.facts[0]
    who = f"calls of {fact.service} to {fact.callee}" if fact.callee else fact.service
    return f"{who}: {_amount(fact.failing, fact.here)}, usually {_level(fact.failing, fact.usual)}"


def text_of(suspect: Suspect) -> str:
    """Return what was seen, a line each; nothing says of itself that it is ill."""
    lines = [*_lines(suspect)][:MOST_LINES]
    if suspect.only_for:
        lines.append(f"Only {suspect.only_for} sees it; {_list(suspect.fine_for)} do not.")
    lines.append("No alert told of it yet. Compared with the same hours of the weeks before.")
    return "\n".join(lines)


def _lines(suspect: Suspect) -> Iterator[str]:
    for odd in suspect.pods:
        yield _odd(odd)
    for fact in suspect.facts:
        yield _fact(fact)


def _odd(odd: Odd) -> str:
    who = "pods of version" if odd.version else "pod"
    here, there = (_level(odd.failing, v) for v in (odd.here, odd.there))
    what = "failed requests" if odd.failing else "p99"
    return f"{who} {odd.name}: {what} {here}, its peers {there}"


def _fact(fact: Worse) -> str:
    who = f"{fact.service} → {fact.callee}" if fact.callee else fact.service
    what = "failed requests" if fact.failing else "p99"
    levels = (_level(fact.failing, v) for v in (fact.here, fact.usual))
    return f"{who}: {what} {', usually '.join(levels)}"


def _amount(failing: bool, here: float) -> str:
    return f"{_level(True, here)} fail" if failing else f"p99 {_level(False, here)}"


def _level(failing: bool, value: float) -> str:
    if failing:
        percent = 100.0 * value
        return f"{percent:.1f} %" if percent >= 0.1 or not percent else f"{percent:.2f} %"
    return f"{value:.2g} s" if value < 10 else f"{value:.0f} s"


def _list(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:4])
    return f"{shown} and {len(names) - 4} more" if len(names) > 4 else shown
