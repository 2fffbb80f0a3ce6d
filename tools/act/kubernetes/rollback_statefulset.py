"""Roll a StatefulSet back to an earlier revision, as `kubectl rollout undo` does."""

from typing import ClassVar

from bot.domain.action import ActionFacts
from tools.clients.rolling_back import RollsBackWorkload, rollback_facts


class RollbackStatefulSet(RollsBackWorkload):
    """Makes an earlier pod template the wanted one again; Kubernetes rolls it out."""

    kind = "StatefulSet"
    facts: ClassVar[ActionFacts] = rollback_facts(kind)
