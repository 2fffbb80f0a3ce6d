"""Images that cannot be pulled: wrong reference, unknown registry, no credentials, platform."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.redaction import redact
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.reasoning.image_names import Reference, before, misspelt, pulled_by, reference
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
from bot.reasoning.relevance import doubts
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, event_text, saw

NAME = "images"
WRONG, SECRET, REFUSED = (
    "incorrect_image_reference", "missing_image_pull_secret", "image_pull_unauthorized",
)  # fmt: skip
# Source: containerd, CRI-O, docker distribution and kubelet (pkg/kubelet/images) error texts.
# The first that fits wins: a name that does not resolve is no question of credentials.
ANSWERS = (
    (
        r"no such host|server misbehaving|name resolution|name or service not known|"
        r"could not resolve host|lookup \S+ (?:on \S+ )?.*(?:i/o timeout|connection refused)",
        "image_registry_dns_failure",
        "the name of the registry {host} does not resolve",
    ),
    (
        r"toomanyrequests|rate limit|429 ",
        "image_registry_rate_limited",
        "{host} limits the rate of pulls",
    ),
    (
        r"no match for platform|no matching manifest for|exec format error|no image found in "
        r"(?:image index|manifest list) for architecture",
        "image_platform_mismatch",
        "the image is not built for the node's architecture",
    ),
    (
        r"no space left on device|disk quota exceeded",
        "node_disk_full",
        "the node has no disk space left for the image",
    ),
    (
        r"x509:|certificate (?:signed by|has expired)|server gave HTTP response to HTTPS client|"
        r"tls: (?!handshake timeout)",
        "image_registry_tls_failure",
        "the registry {host} cannot be talked to by TLS",
    ),
    (
        r"SignatureValidationFailed|signature (?:validation|verification) failed",
        "image_signature_invalid",
        "the image's signature is not accepted",
    ),
    (
        r"not present with pull policy of Never|ErrImageNeverPull",
        "image_pull_policy_mismatch",
        "the node does not have it, and its policy forbids to pull it",
    ),
    (
        r"no basic auth credentials|authentication required|401 |unauthorized|"
        r"failed to fetch (?:anonymous|oauth) token",
        SECRET,
        "the registry refuses the pull without credentials",
    ),
    (
        r"access denied|insufficient_scope|denied: |403 |may require|authorization failed|"
        r"failed to authorize",
        "denied",
        "the registry refuses the pull: no such repository, or no right to it",
    ),
    (
        r"NotFound|not found|manifest unknown|name unknown|does not exist|404 |"
        r"invalid reference format|couldn't parse image|InvalidImageName|"
        r"did not resolve to an alias|repository name must be|unexpected status from HEAD request "
        r"to \S+ 4\d\d",
        WRONG,
        "the registry has no such image or tag",
    ),
    (
        r"i/o timeout|connection refused|network is unreachable|TLS handshake timeout|"
        r"deadline exceeded|Client\.Timeout|no route to host|connection reset|EOF|"
        r"RegistryUnavailable|50[0234] |unexpected status code 5\d\d",
        "image_registry_unreachable",
        "the registry {host} does not answer",
    ),
)
MIRROR = re.compile(r"request to https?://([^/\s:]+)")
MISSING_PULL_SECRET = ("FailedToRetrieveImagePullSecret",)
UNKNOWN = "nobody says why the pull fails"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A pull that fails: the container's state, the registry's words, and what is known of it."""

    cluster: Cluster
    pod: KubernetesObject
    owner: KubernetesObject
    image: str
    state: str
    telling: KubernetesObject | None
    secret: KubernetesObject | None  # the event that a named pull secret does not exist

    @property
    def parts(self) -> Reference:
        """The reference taken apart."""
        return reference(self.image)

    @property
    def said(self) -> str:
        """What the registry or the runtime answered."""
        return f"{self.telling.body['message'] if self.telling else ''}\n{self.state}"

    @property
    def named(self) -> list[str]:
        """The pull secrets that the pod names, by its template or its service account."""
        both = pod_spec(self.owner), pod_spec(self.pod)
        found = (str(s.get("name")) for spec in both for s in items(spec, "imagePullSecrets"))
        return list(dict.fromkeys(found))


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
            image, state = str(status.get("image") or ""), f"{reason} {message}".strip()
            yield from _explain(_pull(cluster, pod, image, state))
            return


def _pull(cluster: Cluster, pod: KubernetesObject, image: str, state: str) -> Pull:
    events = cluster.events(pod, "Failed", "InspectFailed", "ErrImageNeverPull")
    known = [e for e in events if _answer(str(e.body.get("message") or ""))]
    return Pull(
        cluster=cluster,
        pod=pod,
        owner=cluster.owner(pod) or pod,
        image=image,
        state=state,
        telling=latest([e for e in known if image in str(e.body["message"])]) or latest(known),
        secret=latest(cluster.events(pod, *MISSING_PULL_SECRET)),
    )


def _answer(text: str) -> tuple[str, str] | None:
    for pattern, cause, words in ANSWERS:
        if re.search(pattern, text, re.I):
            return cause, words
    return None


def _explain(pull: Pull) -> Iterator[Hypothesis]:
    answer = _answer(pull.said)
    cause, words = answer or ("", UNKNOWN)
    if cause in ("", SECRET, "denied"):
        for candidate, why, evidence in _weighed(pull, cause):
            yield _blame(pull, candidate, why, evidence)
        return
    why = words.format(host=pull.parts.host)
    evidence = [saw(f"the answer means: {why}", PROOF, pull.telling or pull.pod)]
    if cause == WRONG:
        evidence += _compared(pull)
    yield _blame(pull, cause, why, evidence)


def _weighed(pull: Pull, answer: str) -> Iterator[tuple[str, str, list[Evidence]]]:
    """Credentials or a wrong reference: registries hide from strangers which of the two it is."""
    where = pull.telling or pull.pod
    wrong, secret = _compared(pull), _credentials(pull)
    _known(pull, wrong, secret)
    if answer == SECRET:
        secret.append(saw("the registry asks for credentials", STRONG, where))
    elif answer == "denied":
        other = MIRROR.search(pull.said)
        foreign = other is not None and not other[1].endswith(pull.parts.host.split(":")[0])
        text = "no right to it, or no such repository: registries answer alike"
        if other is not None and foreign:
            text = f"{other[1]} only mirrors {pull.parts.host}: it refuses what it does not know"
        wrong.append(saw(text, GOOD if foreign else HINT, where))
        secret.append(saw(text, -HINT if foreign else GOOD, where))
    else:
        wrong.append(saw(UNKNOWN, GOOD, where))
        secret.append(saw(UNKNOWN, 0.0, where))
    yield WRONG, "the registry has no such image or tag", wrong
    cause = REFUSED if pull.named and pull.secret is None and _exist(pull) else SECRET
    why = "its credentials are refused" if cause == REFUSED else "it has no credentials for it"
    yield cause, why, secret


def _known(pull: Pull, wrong: list[Evidence], secret: list[Evidence]) -> None:
    """Add what is known of the place that the image comes from."""
    where = pull.telling or pull.pod
    if pull.parts.is_public:
        text = f"{pull.parts.repository} is public: nobody needs credentials for it"
        wrong.append(saw(text, GOOD, where))
        secret.append(saw(text, -STRONG, where))
    old = before(pull.cluster, pull.owner, pull.image)
    if old is not None and old.place != pull.parts.place and not misspelt(pull.parts, old):
        text = f"it comes from another place than the {old.host}/{old.repository} it had before"
        secret.append(saw(text, GOOD, pull.owner))


def _compared(pull: Pull) -> list[Evidence]:
    """What the same workload ran before tells a typo; what others pulled tells that it exists."""
    old = before(pull.cluster, pull.owner, pull.image)
    known = {one for pod in pull.cluster.all("Pod") for one in pulled_by(pod)}
    found = []
    if old is not None and (part := misspelt(pull.parts, old)):
        weight = GOOD if part == "tag" else STRONG
        text = f"its {part} differs from the {old.repository}:{old.tag} it had before"
        found.append(saw(text, weight, pull.owner))
    if pull.parts in known:
        found.append(saw(f"{pull.image} was pulled elsewhere", -STRONG, pull.pod))
    return found


def _credentials(pull: Pull) -> list[Evidence]:
    found = []
    if pull.secret is not None:
        found.append(saw(event_text(pull.secret), PROOF, pull.secret))
    elif pull.named and not _exist(pull) and pull.cluster.knows("Secret"):
        text = f"no secret {', '.join(pull.named)} in {pull.pod.namespace}"
        found.append(saw(text, STRONG, pull.owner))
    else:
        text = f"pull secrets of the pod: {', '.join(pull.named) or 'none'}"
        found.append(saw(text, HINT if pull.named else GOOD, pull.owner))
    peers = [
        {str(s.get("name")) for s in items(pod_spec(pod), "imagePullSecrets")}
        for pod in pull.cluster.pods
        if any(p.place == pull.parts.place for p in pulled_by(pod))
    ]
    if any(peer - set(pull.named) for peer in peers):
        text = f"other pods of {pull.parts.repository} have a pull secret that it lacks"
        found.append(saw(text, STRONG, pull.pod))
    elif peers and pull.secret is None:
        text = f"other pods run {pull.parts.repository} with the same pull secrets"
        found.append(saw(text, -GOOD, pull.pod))
    return found


def _exist(pull: Pull) -> bool:
    space = pull.pod.namespace
    return all(pull.cluster.find("Secret", name, space) is not None for name in pull.named)


def _blame(pull: Pull, cause: str, why: str, evidence: list[Evidence]) -> Hypothesis:
    weighed = [saw(f"{pull.pod.name} waits: {pull.state} for image {pull.image}", GOOD, pull.pod)]
    if pull.telling is not None:
        weighed.append(saw(event_text(pull.telling, 500), STRONG, pull.telling))
    elif _answer(pull.state):
        weighed.append(saw(f"the kubelet says: {redact(pull.state)[:300]}", GOOD, pull.pod))
    return blame(
        cause,
        pull.owner,
        f"{pull.owner.name} cannot pull {pull.image}: {why}",
        [*weighed, *evidence, *doubts(pull.cluster, pull.pod)],
        analyzer=NAME,
        event=pull.telling,
        hint="rollback",
    )
