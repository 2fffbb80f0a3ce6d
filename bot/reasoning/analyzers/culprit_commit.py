"""Which commit of many did it, by what its diff does; or none, and what did it instead."""

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question, RuledOut
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Snapshot
from bot.reasoning import needs
from bot.reasoning.changes import operational
from bot.reasoning.changes import spans as traces
from bot.reasoning.changes.signature import Signature, signature_of
from bot.reasoning.changes.suspects import suspects_of
from bot.reasoning.changes.trial import Verdict, trial_of
from bot.reasoning.claims import GOOD, said, source_of, watched, what
from bot.reasoning.graph import ServiceGraph
from bot.reasoning.picture import Picture, picture_of
from bot.reasoning.suspicion import placed

NAME = "culprit_commit"
_PRIOR = -4.5  # one commit of some thirty
_SHOWN = 3  # commits that are worth an accusation
_LEAST = -2.0  # log-odds from which a commit is worth naming at all
_UNREAD = "bad_deploy"  # a specific accusation, though the mechanism is not known
_NOT_YET_THERE = frozenset({"missing_table", "missing_column"})
_CONFIG = (".yaml", ".yml", ".toml", ".ini", ".conf", ".env", ".properties", ".json", ".tf", ".hcl")


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return the likeliest commits, the triggers without a change, and who is innocent."""
    if not placed(snapshot.changes):
        return Finding()
    suspects = suspects_of(snapshot)
    if not suspects:
        return Finding()
    picture, signature = picture_of(snapshot), signature_of(snapshot)
    if not signature.observations:
        return Finding(needs=_needs(question, signature))
    graph = ServiceGraph.of(snapshot)
    trial = trial_of(signature, graph, suspects)
    verdicts = sorted(
        (trial.of(s) for s in suspects), key=lambda v: (-v.weight, v.suspect.commit.id)
    )
    scene = operational.Scene(
        snapshot=snapshot,
        signature=signature,
        graph=graph,
        services=traces.telemetry(snapshot),
    )
    return Finding(
        hypotheses=(
            *_accused(verdicts, picture, question, signature),
            *_triggers(scene, picture, question),
        ),
        ruled_out=_innocent(verdicts),
        needs=_needs(question, signature),
    )


def _accused(
    verdicts: list[Verdict], picture: Picture, question: Question, signature: Signature
) -> list[Hypothesis]:
    """Return one hypothesis a mechanism and service: the commit that fits it best."""
    found: dict[tuple[str, str], Hypothesis] = {}
    for verdict in verdicts[:_SHOWN]:
        if verdict.weight + _PRIOR < _LEAST:
            break
        hypothesis = _hypothesis(verdict, picture, question, signature)
        found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    return list(found.values())


def _hypothesis(
    verdict: Verdict, picture: Picture, question: Question, signature: Signature
) -> Hypothesis:
    runs_in = verdict.landing.service if verdict.landing else signature.first
    service = signature.first or runs_in
    reading, commit = verdict.reading, verdict.suspect.commit
    deed = reading.statement if reading else "changed what now fails"
    return Hypothesis(
        cause=reading.mechanism if reading else _UNREAD,
        object=picture.object_of(runs_in),
        service=service,
        summary=f"{_called(verdict)} broke {service}: it {deed}.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=(*verdict.evidence, *_unheard(picture)),
        explains=_explained(signature, service, runs_in),
        onset=signature.breach,
        change=commit,
        signal=watched(picture, question, service, signature.first),
        hint=_hint(verdict),
    )


def _unheard(picture: Picture) -> tuple[Evidence, ...]:
    """As long as no log and no trace was read, the mechanism is a guess."""
    if picture.snapshot.logs or picture.snapshot.spans:
        return ()
    return (
        said("no log line and no trace of the trouble was read yet", -GOOD, source_of(picture)),
    )


def _called(verdict: Verdict) -> str:
    commit = verdict.suspect.commit
    return f"Commit {(commit.after or commit.id)[:12]}"


def _hint(verdict: Verdict) -> str:
    """Going forward is quicker where the code is right and only its migration is missing."""
    files = verdict.suspect.commit.files
    if files and all(f.lower().endswith(_CONFIG) for f in files):
        return "revert config"
    reading = verdict.reading
    if reading is not None and reading.mechanism in _NOT_YET_THERE and not _migrates(files):
        return "roll forward"
    return "rollback"


def _migrates(files: tuple[str, ...]) -> bool:
    return any("migrat" in f.lower() or f.lower().endswith(".sql") for f in files)


def _explained(signature: Signature, *services: str) -> tuple[str, ...]:
    return tuple(sorted({signature.first, *signature.suffering, *services[1:]} - {"", services[0]}))


def _triggers(scene: operational.Scene, picture: Picture, question: Question) -> list[Hypothesis]:
    return [
        Hypothesis(
            cause=trigger.cause,
            object=trigger.object,
            service=trigger.service,
            summary=trigger.summary,
            analyzer=NAME,
            prior=operational.PRIOR,
            evidence=(*trigger.evidence, *_unheard(picture)),
            explains=_explained(scene.signature, trigger.service),
            onset=scene.signature.breach,
            signal=watched(picture, question, trigger.service, scene.first),
            hint=trigger.hint,
        )
        for trigger in operational.triggers(scene)
    ]


def _innocent(verdicts: list[Verdict]) -> tuple[RuledOut, ...]:
    """Say of the commits that went live and did not do it, why not."""
    found = []
    for verdict in verdicts[1:]:
        against = [e for e in verdict.evidence if not e.supports]
        if verdict.landing is not None and verdict.weight + _PRIOR < 0 and against:
            worst = min(against, key=lambda e: e.weight)
            commit = verdict.suspect.commit
            found.append(RuledOut(what=what(commit), why=worst.statement, source=worst.source))
    return tuple(found[:4])


def _needs(question: Question, signature: Signature) -> tuple[Need, ...]:
    services = {signature.first, *signature.suffering} - {""}
    return (
        needs.of_services(Fact.LOGS, question, services, reason="what fails, in its own words"),
        needs.of_services(Fact.SPANS, question, services, reason="where the errors begin"),
    )
