"""Whom the message of an incident calls: who answers for where it begins, when it is grave."""

from bot.domain.environment import Environment
from bot.domain.incident import STORM, Face
from bot.domain.signal import Severity

ALL = "*"  # stands for every service without an entry of its own


def on_call(face: Face, environment: Environment | None) -> str:
    """Return the Slack id of whom to mention, "" for nobody.

    A victim's answers only if nobody else does. What many troubles share begins nowhere.
    """
    if environment is None or face.incident.severity < Severity.HIGH:
        return ""
    known, shared = environment.on_call, face.incident.origin == STORM
    victims = () if shared else tuple(m.service for m in face.members)
    order = (face.incident.service, ALL, *victims)
    return next((known[s] for s in order if s in known), "")
