"""Scale a Deployment to a number of replicas."""

from typing import ClassVar

from bot.domain.action import ActionFacts
from tools.clients.scaling import ScalesWorkload, scale_facts


class ScaleDeployment(ScalesWorkload):
    """Changes how many pods a Deployment wants."""

    kind = "Deployment"
    facts: ClassVar[ActionFacts] = scale_facts(kind)
