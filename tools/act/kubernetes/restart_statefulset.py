"""Restart a StatefulSet: its pods are replaced one after the other, the last one first."""

from typing import ClassVar

from bot.domain.action import ActionFacts
from tools.clients.restarting import RestartsWorkload, restart_facts


class RestartStatefulSet(RestartsWorkload):
    """Makes new pods from the same template. What it wants stays as it is: nothing to take back."""

    kind = "StatefulSet"
    facts: ClassVar[ActionFacts] = restart_facts(kind)
