"""What a run of simulated days comes to, as a table and in a few lines."""

import statistics

from bot.cli.grey_days import Found, Outcome

LEAST_FOUND = 0.8  # of the degradations, before any alert
MOST_FALSE = 1.0  # signals a week


def good(outcome: Outcome) -> bool:
    """Return whether enough was found first, and little enough was false."""
    first = sum(f.first for f in outcome.found) / max(1, len(outcome.found))
    return first >= LEAST_FOUND and len(outcome.false) <= MOST_FALSE * max(1.0, outcome.weeks)


def lines(outcome: Outcome) -> list[str]:
    """Return the table and what it comes to."""
    head = f"{'degradation':12} {'of':16} {'share':>6} {'ramp':>6} {'told':>8} {'alert':>8}  first"
    found = outcome.found
    count = len(found)
    leads = [f.lead_s for f in found if f.lead_s is not None]
    never = sum(f.told is not None and f.alert is None for f in found)
    out = [head, *map(_row, found)]
    out += [f"false: {t.episode.title}" for t in outcome.false]
    out.append(
        f"found before any alert: {sum(f.first for f in found)} of {count}; by an alert alone or "
        f"later: {count - sum(f.first for f in found)}; right service named: "
        f"{sum(f.named for f in found)} of {sum(f.told is not None for f in found)}"
    )
    if leads:
        out.append(
            f"lead before the first alert: median {statistics.median(leads):.0f} s, "
            f"{min(leads):.0f} to {max(leads):.0f} s; {never} more were never alerted on"
        )
    out.append(
        f"false signals: {len(outcome.false)} in {outcome.weeks:.1f} weeks over "
        f"{outcome.streams} services, calls and pods"
    )
    return out


def _row(found: Found) -> str:
    fault, began = found.fault, found.fault.begins
    told = "never" if found.told is None else f"{found.told.at - began:.0f} s"
    alert = "never" if found.alert is None else f"{found.alert.at - began:.0f} s"
    return (
        f"{fault.kind:12} {fault.service:16} {fault.share:6.1%} {fault.ramp_s:4.0f} s "
        f"{told:>8} {alert:>8}  {'✓' if found.first else '✗'}"
        f"{'' if found.named or found.told is None else ' names ' + _named(found)}"
    )


def _named(found: Found) -> str:
    return found.told.episode.service if found.told else ""
