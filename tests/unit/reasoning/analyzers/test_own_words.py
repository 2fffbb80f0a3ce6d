"""A new error line that names its cause outright is believed, where and when it fits."""

import pytest

from bot.domain.diagnosis import Diagnosis, Status
from bot.domain.snapshot import ChangeKind, LogTemplate, Signal
from tests.unit.reasoning.scenes import NOW, SOURCE, Scene, answer, cause_of, minute, values

OUTRIGHT = [
    ("disk_full", "write /var/lib/app/wal: no space left on device"),
    ("disk_full", "java.io.IOException: No space left on device"),
    ("volume_filesystem_corrupt", "open /data/x: read-only file system"),
    ("volume_filesystem_corrupt", "read error: Input/output error"),
    ("dns_failure", "dial tcp: lookup billing on 10.96.0.10:53: no such host"),
    ("dns_failure", "getaddrinfo EAI_AGAIN billing"),
    ("clock_skew", "JWT rejected: token used before issued"),
    ("clock_skew", "clock skew of 312 s against the issuer"),
    ("permission_denied", "open /data/app.db: permission denied"),
    ("permission_denied", "PermissionError: [Errno 13] Permission denied: 'a.sock'"),
    ("schema_mismatch", 'ERROR: column "vat" does not exist'),
    ("schema_mismatch", "Unknown column 'vat' in 'field list'"),
    ("gc_pressure", "java.lang.OutOfMemoryError: Java heap space"),
    ("gc_pressure", "Reached heap limit Allocation failed - JavaScript heap out of memory"),
    ("application_fault", "panic: runtime error: invalid memory address"),
    ("application_fault", "TypeError: Cannot read properties of undefined"),
]
STORES = [
    ("db_readonly_mode", "cannot execute INSERT in a read-only transaction"),
    ("db_readonly_mode", "The MySQL server is running with the --read-only option"),
    ("db_connection_exhaustion", "FATAL: sorry, too many clients already"),
    ("db_connection_exhaustion", "ERROR 1040 (HY000): Too many connections"),
]
INNOCENT = [
    "payment of 3.99 EUR refused: card expired",
    "user typed an unknown column of the seat map",
    "retrying in 3 s",
    "request body is not valid JSON",
    "disk cache warmed",
]


def line(service: str, text: str, *, before: int | None = 0, at: float = 100) -> LogTemplate:
    return LogTemplate(
        service=service, pod=None, container=None, previous=False, level="error", template=text,
        example=text, count=240, baseline_count=before, first_at=minute(at), last_at=NOW,
        source=SOURCE,
    )  # fmt: skip


def shop(*, ill: bool = True) -> Scene:
    """front → app → store; app fails since minute 100, if ill."""
    scene = Scene()
    scene.service("front", errors=values(0.001, 0.2) if ill else None)
    scene.service("app", errors=values(0.001, 0.3) if ill else None)
    scene.workload("store", "StatefulSet").calls("front", "app")
    scene.add(Signal.DB_QUERY_RATE, "app", values(40), "1/s", peer="store")
    return scene


def told(text: str, *, ill: bool = True, **more) -> Diagnosis:
    scene = shop(ill=ill)
    scene.logs.append(line("app", text, **more))
    return answer(scene, "front")


@pytest.mark.parametrize(("cause", "text"), OUTRIGHT)
def test_what_a_service_says_of_itself_is_its_cause(cause: str, text: str):
    diagnosis = told(text)
    assert cause_of(diagnosis) == (cause, "deployment/app")
    assert diagnosis.confidence < 0.9
    assert "front" in diagnosis.cause.explains


@pytest.mark.parametrize(("cause", "text"), STORES)
def test_what_it_says_of_its_only_store_is_the_stores(cause: str, text: str):
    assert cause_of(told(text)) == (cause, "statefulset/store")


def test_an_expired_certificate_is_of_whom_the_line_names():
    scene = shop().calls("app", "billing")
    scene.logs.append(line("app", "Post https://billing:8443: x509: certificate has expired"))
    assert cause_of(answer(scene, "front")) == ("certificate_expired", "certificate/billing")


@pytest.mark.parametrize("text", INNOCENT)
def test_lines_that_name_no_cause_are_not_believed(text: str):
    assert told(text).status is Status.UNKNOWN


@pytest.mark.parametrize(("_cause", "text"), [*OUTRIGHT, *STORES])
def test_a_line_that_was_always_there_explains_nothing_new(_cause: str, text: str):
    assert told(text, before=230, at=1).status is Status.UNKNOWN


@pytest.mark.parametrize(("_cause", "text"), OUTRIGHT)
def test_a_line_that_hurts_nobody_is_no_incident(_cause: str, text: str):
    assert told(text, ill=False).status is Status.HEALTHY


def test_who_repeats_what_its_callee_says_is_a_victim():
    scene = shop()
    scene.logs.append(line("front", "app answered 500: no space left on device"))
    scene.logs.append(line("app", "write /wal: no space left on device"))
    diagnosis = answer(scene, "front")
    assert [c.hypothesis.object for c in diagnosis.causes] == ["deployment/app"]


def test_what_everybody_says_is_nobodys_own():
    scene = shop()
    for name in ("app", "mail", "cart", "search"):
        scene.logs.append(line(name, "lookup auth: no such host"))
    assert answer(scene, "front").status is Status.UNKNOWN


def test_a_panic_right_after_a_release_is_the_releases():
    scene = shop().change(ChangeKind.DEPLOY, "app", 98)
    scene.logs.append(line("app", "panic: runtime error: invalid memory address"))
    diagnosis = answer(scene, "front")
    assert diagnosis.cause.change is not None
    assert diagnosis.cause.object == "deployment/app"
