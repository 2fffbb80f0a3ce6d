"""Containers that do not start, in a whole shop: images, configuration, rights, sandboxes."""

from typing import Any

import pytest

from bot.domain.snapshot import KubernetesObject
from tests.fakes.cluster import event, item, log
from tests.unit.reasoning.analyzers.shop import (
    cause,
    diagnosed,
    running,
    set_of,
    waiting,
    workload,
)

HERE = "deployment/cart"
IMAGE = "registry.example.com/cart:v2"
RESOLVE = f'failed to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}": '


def pulling(
    answer: str, *, image: str = IMAGE, by_event: bool = True, old: str = "", **spec: Any
) -> list[KubernetesObject]:
    """A new pod whose image does not arrive, told by an event or only by its state."""
    cart = workload(image=image, **spec)
    said = f'Failed to pull image "{image}": rpc error: code = Unknown desc = {answer}'
    held = waiting(cart, "ErrImagePull", "" if by_event else said)
    found = [cart, set_of(cart), held, *([event(held, "Failed", said)] if by_event else [])]
    if by_event:
        found.append(event(held, "Failed", "Error: ImagePullBackOff"))
    if old:
        before = workload(image=old)
        found += [set_of(before, "old"), running(before)]
    return found


@pytest.mark.parametrize("by_event", [True, False])
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (RESOLVE + f"{IMAGE}: not found", "incorrect_image_reference"),
        ("manifest for registry.example.com/cart:v2 not found: manifest unknown",
         "incorrect_image_reference"),
        ("repository registry.example.com/cart not found: name unknown",
         "incorrect_image_reference"),
        ('short-name "cart:v2" did not resolve to an alias', "incorrect_image_reference"),
        (RESOLVE + "failed to do request: Head: dial tcp: lookup registry.example.com on "
         "10.0.0.10:53: no such host", "image_registry_dns_failure"),
        (RESOLVE + "dial tcp: lookup registry.example.com on 10.0.0.10:53: read udp "
         "10.1.0.9:4000->10.0.0.10:53: i/o timeout", "image_registry_dns_failure"),
        ("dial tcp: lookup registry.example.com: Temporary failure in name resolution",
         "image_registry_dns_failure"),
        (RESOLVE + "dial tcp 10.0.0.1:443: connect: connection refused",
         "image_registry_unreachable"),
        (RESOLVE + "unexpected status from HEAD request: 503 Service Unavailable",
         "image_registry_unreachable"),
        (RESOLVE + "x509: certificate signed by unknown authority", "image_registry_tls_failure"),
        (RESOLVE + "unexpected status from HEAD request: 429 Too Many Requests",
         "image_registry_rate_limited"),
        ("failed to authorize: failed to fetch anonymous token: unexpected status: 401 "
         "Unauthorized", "missing_image_pull_secret"),
        ("pull access denied, repository does not exist or may require authorization: "
         "authorization failed: no basic auth credentials", "missing_image_pull_secret"),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries",
         "image_platform_mismatch"),
        ("write /var/lib/containerd/x: no space left on device", "node_disk_full"),
    ],
)  # fmt: skip
def test_the_registry_s_answer_is_read(answer: str, expected: str, by_event: bool) -> None:
    assert cause(*pulling(answer, by_event=by_event)) == (expected, HERE)


DENIED = (
    "pull access denied, repository does not exist or may require authorization: server message: "
    "insufficient_scope: authorization failed"
)


def test_a_denied_pull_of_a_misspelt_repository_is_a_wrong_reference() -> None:
    old, new = "registry.example.com/team/cart:v1", "registry.example.com/team/carrt:v1"
    wrong = pulling("denied: requested access to the resource is denied", image=new, old=old)
    assert cause(*wrong) == ("incorrect_image_reference", HERE)


def test_a_denied_pull_from_another_registry_lacks_credentials() -> None:
    old, new = "docker.io/team/cart:v1", "private.example.com/team/cart:v1"
    assert cause(*pulling(DENIED, image=new, old=old)) == ("missing_image_pull_secret", HERE)


def test_an_official_image_needs_no_credentials() -> None:
    assert cause(*pulling(DENIED, image="redis:alpin")) == ("incorrect_image_reference", HERE)


def test_a_mirror_that_refuses_a_private_repository_is_no_proof_of_a_typo() -> None:
    said = "unexpected status from HEAD request to https://mirror.example.org/v2/x: 403 Forbidden"
    private = pulling(said, image="docker.io/acme/vault:v1", old="docker.io/team/cart:v1")
    assert cause(*private) == ("missing_image_pull_secret", HERE)
    assert diagnosed(*private).confidence < 0.9


def test_a_pod_that_lacks_its_peers_pull_secret_is_found() -> None:
    peer = workload("cart", image="docker.io/acme/cart:v1", imagePullSecrets=[{"name": "reg"}])
    broken = pulling(DENIED, image="docker.io/acme/cart:v2")
    found = diagnosed(*broken, running(peer))
    assert found.ranked[0].hypothesis.cause == "missing_image_pull_secret"


def test_a_pull_secret_that_does_not_exist_is_blamed_only_where_credentials_are_the_matter() -> (
    None
):
    def broken(answer: str) -> list[KubernetesObject]:
        found = pulling(answer, imagePullSecrets=[{"name": "regcred"}])
        text = "Unable to retrieve some image pull secrets (regcred); attempting to pull may fail"
        return [*found, event(found[2], "FailedToRetrieveImagePullSecret", text)]

    assert cause(*broken(DENIED))[0] == "missing_image_pull_secret"
    assert cause(*broken(RESOLVE + f"{IMAGE}: not found"))[0] == "incorrect_image_reference"
    assert cause(*broken("lookup r.example.com: no such host"))[0] == "image_registry_dns_failure"


def test_credentials_that_are_there_and_refused_are_told_from_missing_ones() -> None:
    broken = pulling("401 Unauthorized", imagePullSecrets=[{"name": "regcred"}])
    assert cause(*broken, item("Secret", "regcred")) == ("image_pull_unauthorized", HERE)


def test_without_any_answer_the_pull_is_not_explained_with_certainty() -> None:
    cart = workload(image=IMAGE)
    held = waiting(cart, "ImagePullBackOff", f'Back-off pulling image "{IMAGE}"')
    assert diagnosed(cart, set_of(cart), held).confidence < 0.9


@pytest.mark.parametrize("by_event", [True, False])
@pytest.mark.parametrize(
    ("state", "message", "expected"),
    [
        ("CreateContainerConfigError", 'secret "keys" not found', "missing_secret_binding"),
        ("CreateContainerConfigError", 'configmap "settings" not found', "missing_config_map"),
        ("CreateContainerConfigError", "couldn't find key url in Secret shop/keys",
         "missing_secret_key"),
        ("CreateContainerConfigError", "couldn't find key url in ConfigMap shop/settings",
         "missing_config_map_key"),
        ("CreateContainerConfigError", "container has runAsNonRoot and image has non-numeric user "
         "(app), cannot verify user is non-root", "security_context_conflict"),
        ("CreateContainerError", 'failed to generate container spec: failed to generate seccomp '
         'spec opts: cannot load seccomp profile "/x.json"', "security_context_conflict"),
        ("RunContainerError", 'runc create failed: exec: "/app/run": stat /app/run: no such file '
         "or directory: unknown", "command_not_found"),
        ("RunContainerError", 'runc create failed: exec: "/app/run": permission denied: unknown',
         "command_not_executable"),
        ("CreateContainerError", "error mounting \"/a\" to rootfs at \"/etc/x.conf\": not a "
         "directory: unknown: Are you trying to mount a directory onto a file",
         "volume_mount_path_invalid"),
    ],
)  # fmt: skip
def test_the_kubelet_s_words_are_read(
    state: str, message: str, expected: str, by_event: bool
) -> None:
    cart = workload()
    held = waiting(cart, state, "" if by_event else message)
    more = [event(held, "Failed", f"Error: {message}")] if by_event else []
    assert cause(cart, set_of(cart), held, *more) == (expected, HERE)


def test_a_missing_secret_of_a_volume_is_told_by_the_failed_mount() -> None:
    cart = workload()
    held = waiting(cart, "ContainerCreating")
    said = event(
        held, "FailedMount", 'MountVolume.SetUp failed for volume "k" : secret "keys" not found'
    )
    assert cause(cart, set_of(cart), held, said) == ("missing_secret_binding", HERE)


@pytest.mark.parametrize(
    ("reason", "message", "expected"),
    [
        ("FailedAttachVolume", 'Multi-Attach error for volume "pv-1" Volume is already used by '
         "pod(s) cart-old", ("volume_multi_attach", HERE)),
        ("FailedMount", 'MountVolume.SetUp failed for volume "pv-1" : mount failed: exit status 32 '
         "Output: mount.nfs: access denied by server while mounting nas:/x",
         ("volume_mount_permission_denied", HERE)),
        ("FailedMount", 'MountVolume.SetUp failed for volume "d" : mkdir /mnt/d: permission denied',
         ("volume_mount_permission_denied", HERE)),
        ("FailedMount", 'MountVolume.SetUp failed for volume "d" : hostPath type check failed: '
         "/mnt/d is not a directory", ("volume_path_missing", HERE)),
        ("FailedMount", "MountVolume.MountDevice failed: kubernetes.io/csi: driver name "
         "x.csi.example.com not found in the list of registered CSI drivers",
         ("csi_driver_missing", HERE)),
        ("FailedMount", "mount failed: wrong fs type, bad option, bad superblock on /dev/sdb",
         ("volume_filesystem_corrupt", HERE)),
        ("FailedCreatePodSandBox", "Failed to create pod sandbox: plugin type=\"calico\" failed "
         "(add): error getting ClusterInformation: connection is unauthorized",
         ("pod_network_setup_failed", "node/worker-1")),
        ("FailedCreatePodSandBox", "failed to allocate for range 0: no IP addresses available in "
         "range set: 10.1.0.1-10.1.0.254", ("pod_address_exhausted", "node/worker-1")),
        ("FailedCreatePodSandBox", 'failed to get sandbox image "k8s.io/pause:3.9": failed '
         "to pull image", ("sandbox_image_unavailable", "node/worker-1")),
        ("FailedCreatePodSandBox", 'RuntimeHandler "gvisor" not supported',
         ("missing_runtime_handler", HERE)),
    ],
)  # fmt: skip
def test_what_the_pod_waits_for_before_its_containers(
    reason: str, message: str, expected: tuple[str, str]
) -> None:
    cart = workload()
    held = waiting(cart, "ContainerCreating")
    late = event(held, "FailedMount", "Unable to attach or mount volumes: timed out waiting")
    more = [late] if "Mount" in reason else []
    assert cause(cart, set_of(cart), held, event(held, reason, message), *more) == expected


ENDED = {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-01-02T03:03:00Z"}}


def crashing(owner: KubernetesObject) -> KubernetesObject:
    status = {"name": "app", "ready": False, "restartCount": 5, "lastState": ENDED,
              "state": {"waiting": {"reason": "CrashLoopBackOff"}}}  # fmt: skip
    return waiting(owner, "CrashLoopBackOff", phase="Running",
                   status={"containerStatuses": [status]})  # fmt: skip


DATA = [{"name": "d", "mountPath": "/data"}]


@pytest.mark.parametrize(
    ("spec", "line", "expected"),
    [
        ({"mounts": DATA}, "Can't open the append-only file /data/a.aof: Permission denied",
         "volume_mount_permission_denied"),
        ({"mounts": [{**DATA[0], "readOnly": True}]}, "open /data/x.db: read-only file system",
         "volume_mount_permission_denied"),
        ({"mounts": DATA, "securityContext": {"runAsUser": 1000}},
         "java.nio.file.AccessDeniedException: /data/index", "volume_mount_permission_denied"),
        ({}, "exec /app/run: exec format error", "image_platform_mismatch"),
        ({"securityContext": {"runAsUser": 1000}},
         "listen tcp 0.0.0.0:80: bind: permission denied", "security_context_conflict"),
    ],
)  # fmt: skip
def test_what_the_process_may_not_do_is_read_from_its_last_words(
    spec: dict[str, Any], line: str, expected: str
) -> None:
    cart = workload(**spec)
    broken = [cart, set_of(cart), crashing(cart)]
    assert cause(*broken, logs=(log("cart", line),)) == (expected, HERE)


def test_a_read_only_root_is_told_from_a_read_only_volume() -> None:
    cart = workload(mounts=DATA)
    box = cart.body["spec"]["template"]["spec"]["containers"][0]
    box["securityContext"] = {"readOnlyRootFilesystem": True}
    said = log("cart", "open /tmp/cache.lock: read-only file system")
    found = cause(cart, set_of(cart), crashing(cart), logs=(said,))
    assert found == ("security_context_conflict", HERE)


def test_words_of_a_pod_that_serves_are_no_trouble() -> None:
    cart = workload(mounts=DATA)
    said = log("cart", "user 7: permission denied")
    well = [cart, set_of(cart, "old"), running(cart)]
    assert diagnosed(*well, logs=(said,)).causes == ()


def init(state: dict[str, Any], **more: Any) -> list[KubernetesObject]:
    cart = workload()
    status = {"name": "migrate", "restartCount": 4, "state": state, **more}
    held = waiting(cart, "PodInitializing", status={"initContainerStatuses": [status]})
    return [cart, set_of(cart), held]


def test_an_init_container_that_fails_is_named() -> None:
    found = init({"waiting": {"reason": "CrashLoopBackOff"}}, lastState=ENDED)
    assert cause(*found) == ("init_container_failed", HERE)


def test_an_init_container_that_waits_for_long_is_suspected_and_a_short_one_is_not() -> None:
    long = init({"running": {"startedAt": "2026-01-02T01:00:00Z"}})
    short = init({"running": {"startedAt": "2026-01-02T03:03:30Z"}})
    assert diagnosed(*long).ranked[0].hypothesis.cause == "init_container_waits"
    assert diagnosed(*short).causes == ()
