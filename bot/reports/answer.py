"""A report as the documented JSON of `sre-bot ask --json` (docs/answer.md)."""

from collections.abc import Sequence
from typing import Any

from bot.domain.action import Proposal
from bot.domain.codec import encode
from bot.domain.diagnosis import Diagnosis, Evidence, Ranked, Report
from bot.domain.snapshot import BlindSpot, Source
from bot.domain.time import Window


def answer(report: Report, proposals: Sequence[Proposal] = ()) -> dict[str, Any]:
    """Return JSON-ready data."""
    diagnosis = report.diagnosis
    best = diagnosis.ranked[0].hypothesis if diagnosis.ranked else None
    return {
        "question": report.question.text,
        "environment": report.question.environment,
        "window": _window(report.question.window),
        "diagnosis": _diagnosis(diagnosis),
        "hypotheses": [_hypothesis(ranked) for ranked in diagnosis.ranked],
        "evidence": [_evidence(n, e) for n, e in enumerate(best.evidence if best else (), start=1)],
        "ruled_out": [
            {"what": r.what, "why": r.why, "source": _source(r.source)} for r in diagnosis.ruled_out
        ],
        "blind_spots": [_blind_spot(spot) for spot in diagnosis.blind_spots],
        "proposals": [_proposal(proposal) for proposal in proposals],
        "budget": {"seconds": report.spent.seconds, "queries": report.spent.queries,
                   "tokens": report.spent.tokens, "money_usd": report.spent.money_usd},
        "timings": {
            "seconds": report.spent.seconds,
            "steps": [{"query": s.source.query, "system": s.source.system, "seconds": s.took_s,
                       "found": s.found} for s in report.steps],
        },
    }  # fmt: skip


def _diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    cause = diagnosis.cause
    return {
        "status": diagnosis.status.value,
        "cause": cause.cause if cause else None,
        "object": cause.object if cause else None,
        "confidence": round(diagnosis.confidence, 4),
        "summary": diagnosis.summary,
        "onset": diagnosis.onset.isoformat() if diagnosis.onset else None,
        "causes": [
            {"cause": r.hypothesis.cause, "object": r.hypothesis.object,
             "confidence": round(r.confidence, 4)}
            for r in diagnosis.causes
        ],
    }  # fmt: skip


def _hypothesis(ranked: Ranked) -> dict[str, Any]:
    found = ranked.hypothesis
    return {
        "cause": found.cause,
        "object": found.object,
        "service": found.service,
        "confidence": round(ranked.confidence, 4),
        "summary": found.summary,
        "analyzer": found.analyzer,
        "evidence": [_evidence(n, e) for n, e in enumerate(found.evidence, start=1)],
    }


def _evidence(number: int, evidence: Evidence) -> dict[str, Any]:
    return {
        "number": number,
        "statement": evidence.statement,
        "supports": evidence.supports,
        "weight": round(evidence.weight, 3),
        **_source(evidence.source),
    }


def _source(source: Source) -> dict[str, Any]:
    return {
        "system": source.system,
        "query": source.query,
        "window": _window(source.window) if source.window else None,
        "link": source.link,
    }


def _window(window: Window) -> dict[str, str]:
    return {"start": window.start.isoformat(), "end": window.end.isoformat()}


def _blind_spot(spot: BlindSpot) -> dict[str, str]:
    return {"system": spot.system, "reason": spot.reason, "wanted": spot.wanted}


def _proposal(proposal: Proposal) -> dict[str, Any]:
    return {
        "title": proposal.title,
        "reason": proposal.reason,
        "action": proposal.call.action,
        "environment": proposal.call.environment,
        "arguments": encode(proposal.call.arguments),
        "trade_off": proposal.trade_off,
        "runbook": proposal.runbook,
        "warnings": list(proposal.warnings),
        "short_term": proposal.short_term,
        "lasting_fix": proposal.lasting_fix,
    }
