"""Shared parts of the false alarms."""

from bot.sandbox.world.truth import HEALTHY, Story


def nothing(service: str, question: str, detail: str) -> Story:
    """Return the story of an alarm behind which nothing is wrong any more."""
    return Story(
        cause=HEALTHY, object="", service=service, symptom_service=service, question=question,
        healthy=True, detail=detail,
    )  # fmt: skip
