"""Images that cannot be pulled: wrong reference, unknown registry, no credentials, platform."""

import re
from collections.abc import Iterator

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.reasoning.kubernetes import (
    IMAGE_PULL,
    Cluster,
    cluster_of,
    items,
    latest,
    pod_spec,
    statuses,
    waiting,
)
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, event_text, saw

NAME = "images"
# Source: containerd, docker distribution and kubelet (pkg/kubelet/images) error texts.
# The first that fits wins: a name that does not resolve is no question of credentials.
ANSWERS = (
    (
        re.compile(r"no such host|server misbehaving|failure in name resolution", re.I),
        "image_registry_dns_failure",
        "the name of the registry {host} does not resolve",
    ),
    (
        re.compile(r"toomanyrequests|rate limit", re.I),
        "image_registry_rate_limited",
        "{host} limits the rate of pulls",
    ),
    (
        re.compile(r"no match for platform|no matching manifest for|exec format error", re.I),
        "image_platform_mismatch",
        "the image is not built for the node's architecture",
    ),
    (
        re.compile(
            r"unauthorized|authorization failed|failed to authorize|access denied|401 |"
            r"authentication required|no basic auth credentials|insufficient_scope|denied:",
            re.I,
        ),
        "missing_image_pull_secret",
        "the registry refuses the pull without credentials",
    ),
    (
        re.compile(
            r"NotFound|not found|manifest unknown|name unknown|does not exist|"
            r"invalid reference format|couldn't parse image|InvalidImageName|"
            r"unexpected status from HEAD request",
            re.I,
        ),
        "incorrect_image_reference",
        "the registry has no such image or tag",
    ),
    (
        re.compile(
            r"i/o timeout|connection refused|network is unreachable|TLS handshake timeout|"
            r"context deadline exceeded|no route to host|EOF$",
            re.I,
        ),
        "image_registry_unreachable",
        "the registry {host} does not answer",
    ),
)
MISSING_PULL_SECRET = ("FailedToRetrieveImagePullSecret",)


def look(snapshot: Snapshot, _question: Question) -> Finding:
    """Return one hypothesis per workload with a container whose image does not arrive."""
    cluster = cluster_of(snapshot)
    found: dict[tuple[str, str], Hypothesis] = {}
    for pod in cluster.pods:
        for hypothesis in _of_pod(cluster, pod):
            found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    return Finding(hypotheses=tuple(found.values()))


def _of_pod(cluster: Cluster, pod: KubernetesObject) -> Iterator[Hypothesis]:
    for status in statuses(pod):
        reason, message = waiting(status)
        if reason in IMAGE_PULL:
            yield _explain(cluster, pod, str(status.get("image") or ""), f"{reason} {message}")
            return


def _explain(cluster: Cluster, pod: KubernetesObject, image: str, state: str) -> Hypothesis:
    owner = cluster.owner(pod) or pod
    events = cluster.events(pod, "Failed", "InspectFailed")
    pulls = [e for e in events if "pull" in str(e.body["message"]).lower()]
    telling = latest([e for e in pulls if len(str(e.body["message"])) > 60]) or latest(pulls)
    text = str(telling.body["message"]) if telling else state
    secret = latest(cluster.events(pod, *MISSING_PULL_SECRET))
    evidence = [saw(f"{pod.name} waits: {state.strip()} for image {image}", GOOD, pod)]
    if telling is not None:
        evidence.append(saw(event_text(telling, 500), STRONG, telling))
    cause, why = _cause(text, image)
    if secret is not None:
        evidence.append(saw(event_text(secret), PROOF, secret))
        cause, why = "missing_image_pull_secret", "the pull secret it names does not exist"
    elif cause == "missing_image_pull_secret":
        evidence.append(_pull_secrets(owner))
    evidence.append(saw(f"the registry's answer means: {why}", STRONG, telling or pod))
    return blame(
        cause,
        owner,
        f"{owner.name} cannot pull {image}: {why}",
        evidence,
        analyzer=NAME,
        event=telling,
        hint="rollback",
    )


def _cause(text: str, image: str) -> tuple[str, str]:
    host = image.partition("/")[0]
    for pattern, cause, why in ANSWERS:
        if pattern.search(text):
            return cause, why.format(host=host)
    return "incorrect_image_reference", "the image reference cannot be pulled"


def _pull_secrets(owner: KubernetesObject) -> Evidence:
    named = [str(s.get("name")) for s in items(pod_spec(owner), "imagePullSecrets")]
    text = f"pull secrets of the pod: {', '.join(named) or 'none'}"
    return saw(text, HINT if named else GOOD, owner)
