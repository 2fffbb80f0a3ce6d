"""Restart a Deployment: all its pods are replaced, a few at a time, as its strategy says."""

from typing import ClassVar

from bot.domain.action import ActionFacts
from tools.clients.restarting import RestartsWorkload, restart_facts


class RestartDeployment(RestartsWorkload):
    """Makes new pods from the same template. What it wants stays as it is: nothing to take back."""

    kind = "Deployment"
    facts: ClassVar[ActionFacts] = restart_facts(kind)
