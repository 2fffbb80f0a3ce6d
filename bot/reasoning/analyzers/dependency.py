"""A dependency that fails its callers: a provider outside, or the deepest service with symptoms."""

import re

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question, RuledOut
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Signal, Snapshot
from bot.reasoning import complaints, needs
from bot.reasoning.claims import GOOD, HINT, STRONG, at, observed, said, seen, source_of, watched
from bot.reasoning.picture import Picture, Sign, picture_of
from bot.reasoning.suspicion import culprits, unique

NAME = "dependency"
_PRIOR = -2.5
_UNEXPLAINED = -1.2  # the deepest service with symptoms and no known kind of cause: never an answer
_VIEWS = (Signal.EDGE_ERROR_RATIO, Signal.EDGE_LATENCY_P99)


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return external failures and unexplained roots; callers of a root are only victims."""
    picture = picture_of(snapshot)
    found, inside = [], []
    for root in picture.roots:
        if picture.is_outside(root):
            found.append(_external(picture, question, root))
        else:
            found.append(_unexplained(picture, question, root))
            inside.append(root)
    return Finding(
        hypotheses=tuple(found),
        ruled_out=_victims(picture, question),
        needs=_needs(question, inside),
    )


def _needs(question: Question, roots: list[str]) -> tuple[Need, ...]:
    if not roots:
        return ()
    by_pod = (
        f"{Signal.ERROR_RATIO}:pod",
        f"{Signal.LATENCY_P99}:pod",
        f"{Signal.REQUEST_RATE}:pod",
    )
    return (
        needs.of_services(Fact.SERIES, question, roots, names=by_pod, reason="one pod or all"),
        needs.of_services(Fact.LOGS, question, roots, reason="what it complains of"),
        needs.of_services(Fact.SPANS, question, roots, reason="where its requests spend time"),
    )


def _external(picture: Picture, question: Question, root: str) -> Hypothesis:
    signs = picture.symptoms[root]
    worst = max(signs, key=lambda s: s.shift.size)
    callers = tuple(sorted({s.service for s in signs}))
    evidence = [
        seen(worst, picture, STRONG),
        said(f"{root} runs outside: nothing of ours changed in it", GOOD, worst.series.source),
        *_callers_changed(picture, root, callers, worst),
        *complaints.about(picture, callers, re.escape(root), HINT),
    ]
    what = "fails" if any(s.signal == Signal.EDGE_ERROR_RATIO for s in signs) else "is slow"
    return Hypothesis(
        cause="external_provider_failure",
        object=f"external/{root}",
        service=root,
        summary=f"{root}, which we call but don't run, {what} since "
        f"{at(worst.onset, picture)}: {observed(worst, picture)}.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=picture.victims(root),
        onset=min(s.onset for s in signs),
        signal=watched(picture, question, *callers, root),
        hint="fall back",
    )


def _callers_changed(
    picture: Picture, root: str, callers: tuple[str, ...], worst: Sign
) -> list[Evidence]:
    """A caller that was changed right before may call wrongly."""
    kinds = {c.kind for c in picture.snapshot.changes}
    close = [
        pair
        for caller in callers
        for pair in culprits(picture, caller, worst.onset, kinds)
        if pair[1].evidence.weight >= GOOD
    ]
    if close:
        return [
            said(
                f"{close[0][1].evidence.statement}: it may call {root} wrongly",
                -GOOD,
                close[0][0].source,
            )
        ]
    if not unique(picture.snapshot.changes):
        return []
    return [
        said(f"nothing changed in {', '.join(callers)} shortly before", HINT, worst.series.source)
    ]


def _unexplained(picture: Picture, question: Question, root: str) -> Hypothesis:
    worst = max(picture.symptoms[root], key=lambda s: s.shift.size)
    return Hypothesis(
        cause="dependency_failure",
        object=picture.object_of(root),
        service=root,
        summary=f"The trouble starts at {root}: {observed(worst, picture)}.",
        analyzer=NAME,
        prior=_UNEXPLAINED,
        evidence=(seen(worst, picture, HINT, "nothing that it calls is worse than usual"),),
        explains=picture.victims(root),
        onset=picture.onset_of(root),
        signal=watched(picture, question, root),
    )


def _victims(picture: Picture, question: Question) -> tuple[RuledOut, ...]:
    """Say of the asked services (or all) that suffer only through a root that they suffer only."""
    found = []
    for root in picture.roots:
        for victim in picture.victims(root):
            if victim in picture.roots or (question.services and victim not in question.services):
                continue
            found.append(
                RuledOut(
                    what=victim,
                    why=f"has trouble only where it depends on {root}",
                    source=source_of(picture),
                )
            )
    return tuple(found[:3])
