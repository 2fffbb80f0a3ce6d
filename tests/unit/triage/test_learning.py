"""What people say of alerts decides what is said of those like them."""

from typing import Any

from bot.domain.incident import Judged
from bot.domain.signal import Severity
from bot.triage.learning import dismissed, learned
from tests.unit.triage.samples import NOW, after, alert


def judged(incident: str, at: float, **changes: Any) -> Judged:
    values: dict[str, Any] = {
        "incident_id": incident, "service": "cart", "title": "cart is slow",
        "severity": Severity.HIGH, "healthy": True, "right": True, "by": "U1", "at": after(at),
    }  # fmt: skip
    return Judged(**{**values, **changes})


def test_a_dismissed_incident_teaches_each_kind_of_alert_once_with_its_worst() -> None:
    alerts = [
        alert("cart", subject="a", title="cart-0 restarted 3 times"),
        alert("cart", subject="b", title="cart-1 restarted 9 times", severity=Severity.CRITICAL),
        alert("store", subject="c"),
    ]
    lessons = dismissed(alerts, by="<@U1>", at=NOW)
    assert [(x.service, x.worst) for x in lessons] == [
        ("cart", Severity.CRITICAL), ("store", Severity.HIGH),
    ]  # fmt: skip
    assert lessons == dismissed(alerts, by="<@U1>", at=NOW)


def test_one_healthy_report_is_no_habit_but_two_are() -> None:
    assert learned("prod", [judged("i1", 0), judged("i1", 5, by="U2")]) == ()
    (lesson,) = learned("prod", [judged("i1", 0), judged("i2", 9)])
    assert (lesson.noise, lesson.at, lesson.by) == (True, after(9), "<@U1>")


def test_what_was_real_once_starts_the_count_anew() -> None:
    verdicts = [judged("i1", 0), judged("i2", 5, healthy=False), judged("i3", 9)]
    (lesson,) = learned("prod", verdicts)
    assert (lesson.noise, lesson.at) == (False, after(5))


def test_a_wrong_cause_teaches_nothing_and_a_wrong_healthy_does() -> None:
    assert learned("prod", [judged("i1", 0, healthy=False, right=False)]) == ()
    (lesson,) = learned("prod", [judged("i1", 0, right=False)])
    assert not lesson.noise
