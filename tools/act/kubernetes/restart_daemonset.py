"""Restart a DaemonSet: the pods of all its nodes are replaced, a few at a time."""

from typing import ClassVar

from bot.domain.action import ActionFacts
from tools.clients.restarting import RestartsWorkload, restart_facts


class RestartDaemonSet(RestartsWorkload):
    """Makes new pods from the same template. What it wants stays as it is: nothing to take back."""

    kind = "DaemonSet"
    facts: ClassVar[ActionFacts] = restart_facts(kind)
