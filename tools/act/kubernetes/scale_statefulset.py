"""Scale a StatefulSet to a number of replicas; its members keep their volumes."""

from typing import ClassVar

from bot.domain.action import ActionFacts
from tools.clients.scaling import ScalesWorkload, scale_facts


class ScaleStatefulSet(ScalesWorkload):
    """Changes how many pods a StatefulSet wants."""

    kind = "StatefulSet"
    facts: ClassVar[ActionFacts] = scale_facts(kind)
