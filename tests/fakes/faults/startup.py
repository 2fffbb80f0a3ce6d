"""Faults that keep containers from starting: images, references, commands."""

from tests.fakes.faults.fault import Fault, Place

PULL = ("ErrImagePull", "ImagePullBackOff")
CONFIGURATION = ("CreateContainerConfigError",)


def _bad_image(place: Place) -> None:
    place.roll_container(image=f"{place.registry}/shop/{place.victim}:v9")


def _image_authentication(place: Place) -> None:
    place.roll_container(image=f"{place.registry}/private/{place.victim}:v2")


def _registry_name(place: Place) -> None:
    place.roll_container(image=f"no-such-registry.localhost/shop/{place.victim}:v2")


def _missing_secret(place: Place) -> None:
    reference = {"secretKeyRef": {"name": f"{place.victim}-keys", "key": "api"}}
    place.roll_container(env=[{"name": "API_KEY", "valueFrom": reference}])


def _missing_config_map(place: Place) -> None:
    place.roll_container(envFrom=[{"configMapRef": {"name": f"{place.victim}-limits"}}])


def _crash_loop(place: Place) -> None:
    script = "echo 'panic: nil pointer dereference'; echo 'goroutine 1 [running]:'; sleep 1; exit 2"
    place.roll_container(command=["sh", "-c", script])


def _bad_command(place: Place) -> None:
    place.roll_container(command=["/bin/serve-all"])


STARTUP = (
    Fault(
        name="bad image", cause=("incorrect_image_reference",), label="incorrect_image_reference",
        inject=_bad_image, shows=lambda p: p.waits(*PULL),
    ),
    Fault(
        name="image authentication", cause=("image_pull_unauthorized", "missing_image_pull_secret"),
        label="missing_image_pull_secret",
        inject=_image_authentication, shows=lambda p: p.waits(*PULL),
    ),
    Fault(
        name="registry without a name", cause=("image_registry_dns_failure",),
        label="image_registry_dns_failure",
        inject=_registry_name, shows=lambda p: p.waits(*PULL),
    ),
    Fault(
        name="missing secret", cause=("missing_secret_binding", "missing_secret"),
        label="missing_secret_binding", inject=_missing_secret,
        shows=lambda p: p.waits(*CONFIGURATION),
    ),
    Fault(
        name="missing config map", cause=("missing_config_map",),
        inject=_missing_config_map, shows=lambda p: p.waits(*CONFIGURATION),
    ),
    Fault(
        name="crash loop", cause=("crash_loop", "bad_release", "bad_deploy"),
        inject=_crash_loop, shows=lambda p: p.restarts() >= 2,
    ),
    Fault(
        name="bad command", cause=("command_not_found",),
        inject=_bad_command,
        shows=lambda p: p.waits("RunContainerError", "CrashLoopBackOff"),
    ),
)  # fmt: skip
