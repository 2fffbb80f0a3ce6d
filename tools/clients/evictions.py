"""Evicts a pod, within its disruption budgets, by the Eviction API."""

from typing import Any

from bot.domain.errors import Refused, Unavailable
from tools.clients.diffs import KEY_ANNOTATION
from tools.clients.kubernetes import Kubernetes

BUDGET_RULE = "pod-disruption-budget"


async def evict(
    client: Kubernetes, place: tuple[str, str], uid: str, *, key: str = "", dry_run: bool = False
) -> None:
    """Evict the pod at (namespace, name), only if it still has this uid.

    Raises: Refused: its budgets let no pod go now (rule pod-disruption-budget), or RBAC forbids;
    Conflict: it is another pod by now; UnknownName: it is gone; Unavailable: not known.
    """
    namespace, name = place
    options: dict[str, Any] = {"preconditions": {"uid": uid}}
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    if key:
        metadata["annotations"] = {KEY_ANNOTATION: key}
    if dry_run:
        options["dryRun"] = ["All"]
    body = {
        "apiVersion": await client.api_version("PodDisruptionBudget"),
        "kind": "Eviction",
        "metadata": metadata,
        "deleteOptions": options,
    }
    try:
        await client.create("Pod", namespace, body, below=f"{name}/eviction", dry_run=dry_run)
    except Unavailable as error:
        if "disruption budget" in str(error):
            raise Refused(
                f"the disruption budget of pod {name} lets no pod go now", rule=BUDGET_RULE
            ) from None
        raise
