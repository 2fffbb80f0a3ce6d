"""What is wrong with the bot for too long is said once, and taken back once it is over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.app.selfwatch import Facts, SelfWatch
from bot.domain.own_incident import Failed
from bot.domain.signal import Origin, Phase, Severity, Signal
from bot.storage.tallies import OwnAlert, Tally

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
QUIET = Tally(
    investigations={}, executions={}, outcomes={}, decisions={}, incidents={}, inbox_waiting=0,
    inbox_age_s=0.0, dead_letters=0, unsent=0, stopped=False, own_alerts={},
)  # fmt: skip
FINE = Facts(parts={"database": "", "Slack": ""}, away={}, tally=QUIET)
NO_SLACK = replace(FINE, parts={"database": "", "Slack": "Slack: the connection is lost"})


def seen(watch: SelfWatch, facts: Facts, after_s: float) -> list[Signal]:
    """Judge, and take what is said."""
    signals = list(watch.judge(facts, NOON + timedelta(seconds=after_s)))
    watch.said(signals)
    return signals


def test_a_healthy_bot_says_nothing() -> None:
    watch = SelfWatch("a")
    assert [seen(watch, FINE, s) for s in (0, 10, 600)] == [[], [], []]


def test_a_short_trouble_is_not_worth_a_word() -> None:
    watch = SelfWatch("a")
    assert [seen(watch, f, s) for f, s in ((NO_SLACK, 0), (NO_SLACK, 60), (FINE, 70))] == [[]] * 3
    assert seen(watch, NO_SLACK, 130) == []  # it began anew


def test_what_lasts_is_said_once_and_taken_back_once() -> None:
    watch = SelfWatch("a")
    seen(watch, NO_SLACK, 0)
    (said,) = seen(watch, NO_SLACK, 120)
    assert (said.origin, said.phase, said.severity) == (Origin.SELF, Phase.FIRING, Severity.HIGH)
    assert (said.subject, said.services, said.began) == ("self:a:Slack", ("sre-bot",), NOON)
    assert seen(watch, NO_SLACK, 130) == []
    (over,) = seen(watch, FINE, 140)
    assert (over.subject, over.phase, over.title) == (said.subject, Phase.RESOLVED, said.title)
    assert seen(watch, FINE, 150) == []
    assert over.key != said.key


def test_what_was_not_taken_is_said_again() -> None:
    watch = SelfWatch("a")
    watch.judge(NO_SLACK, NOON)
    first, again = (watch.judge(NO_SLACK, NOON + timedelta(seconds=s)) for s in (120, 130))
    assert [s.key for s in first] == [s.key for s in again] != []


def test_alerts_that_wait_are_everybodys_trouble_and_said_under_one_subject() -> None:
    late = replace(FINE, tally=replace(QUIET, inbox_waiting=900, inbox_age_s=300.0))
    (one,), (other,) = seen(SelfWatch("a"), late, 0), seen(SelfWatch("b"), late, 0)
    assert one.subject == other.subject == "self:inbox"
    assert one.key == other.key  # begun in the same second: one row of the inbox
    assert one.severity is Severity.CRITICAL
    assert "900 wait, the oldest for 300 s" in one.text


def test_while_the_database_is_away_nothing_of_it_is_taken_back() -> None:
    watch = SelfWatch("a")
    late = replace(FINE, tally=replace(QUIET, inbox_waiting=9, inbox_age_s=300.0))
    assert len(seen(watch, late, 0)) == 1
    assert seen(watch, replace(FINE, tally=None), 10) == []
    (over,) = seen(watch, FINE, 20)
    assert over.phase is Phase.RESOLVED


def test_a_system_that_answers_nothing_for_five_minutes_is_named() -> None:
    watch = SelfWatch("a")
    assert seen(watch, replace(FINE, away={"metrics": 290.0}), 0) == []
    (said,) = seen(watch, replace(FINE, away={"metrics": 310.0}), 20)
    assert said.title == "I cannot reach metrics"
    assert seen(watch, FINE, 30)[0].phase is Phase.RESOLVED


def test_an_event_loop_that_is_late_for_a_minute_is_said() -> None:
    watch = SelfWatch("a")
    slow = replace(FINE, lag_s=3.0)
    assert seen(watch, slow, 0) == []
    assert seen(watch, slow, 60)[0].title.startswith("I am too slow")


def test_dead_letters_are_a_warning() -> None:
    letters = replace(FINE, tally=replace(QUIET, dead_letters=2))
    (said,) = seen(SelfWatch("a"), letters, 0)
    assert (said.subject, said.severity) == ("self:dead letters", Severity.WARNING)


LOST = Failed(kind="investigate", workflow="inv-1", investigation="inv-1", error="no such field")


def test_work_that_failed_is_said_once_however_much_of_it_fails_and_over_when_none_does() -> None:
    one, more = replace(FINE, failed=(LOST,)), replace(FINE, failed=(LOST, LOST))
    watch = SelfWatch("a")
    (said,) = seen(watch, one, 0)
    assert said.title == "An investigation of mine ended with an error"
    assert "`inv-1`: no such field" in said.text
    assert [seen(watch, more, s) for s in (10, 20, 590)] == [[], [], []]
    assert seen(watch, replace(FINE, tally=None), 595) == []  # nobody knows
    (over,) = seen(watch, FINE, 599)
    assert (over.subject, over.phase) == (said.subject, Phase.RESOLVED)
    assert said.subject == "self:work"  # of all replicas together


def test_work_of_several_kinds_or_of_an_unknown_one_is_called_work() -> None:
    digest = Failed(kind="digest", workflow="digest:C1@now")
    for failed in ((LOST, digest), (Failed(kind="strange", workflow="x"),)):
        (said,) = seen(SelfWatch("a"), replace(FINE, failed=failed), 0)
        assert said.title == "Work of mine ended with an error"


@pytest.mark.parametrize(
    ("kind", "incident", "severity"),
    [
        ("remediate", "", Severity.HIGH),
        ("page-call", "", Severity.HIGH),
        ("incident", "sig-1", Severity.HIGH),
        ("investigate", "sig-1", Severity.HIGH),
        ("investigate", "inc-C1-1.0", Severity.WARNING),  # a person's question
        ("digest", "", Severity.WARNING),
        ("page-note", "sig-1", Severity.WARNING),
        ("strange", "", Severity.WARNING),
    ],
)
def test_only_failed_work_that_somebody_waits_for_is_grave(
    kind: str, incident: str, severity: Severity
) -> None:
    lost = Failed(kind=kind, workflow="w", incident=incident)
    (said,) = seen(SelfWatch("a"), replace(FINE, failed=(lost,)), 0)
    assert said.severity is severity


def test_what_gets_worse_is_said_again_at_once() -> None:
    digest, repair = (Failed(kind=kind, workflow=kind) for kind in ("digest", "remediate"))
    watch = SelfWatch("a")
    (said,) = seen(watch, replace(FINE, failed=(digest,)), 0)
    (worse,) = seen(watch, replace(FINE, failed=(digest, repair)), 10)
    assert (worse.subject, worse.severity) == (said.subject, Severity.HIGH)
    assert worse.key != said.key
    assert seen(watch, replace(FINE, failed=(repair,)), 20) == []


def earlier(at: datetime, *subjects: str) -> Facts:
    """Return a healthy bot of which an earlier life, or another replica, said these."""
    alerts = {subject: OwnAlert(title="I am not ready", at=at) for subject in subjects}
    return replace(FINE, tally=replace(QUIET, own_alerts=alerts))


def test_what_an_earlier_life_said_is_taken_back_but_not_what_another_replica_said() -> None:
    watch = SelfWatch("a")
    facts = earlier(NOON, "self:a:Slack", "self:b:Slack", "self:inbox")
    over = seen(watch, facts, 0)
    assert sorted(s.subject for s in over) == ["self:a:Slack", "self:inbox"]
    assert {s.phase for s in over} == {Phase.RESOLVED}
    assert seen(watch, facts, 10) == []


def test_what_lasts_is_said_again_so_that_others_see_that_it_does() -> None:
    watch = SelfWatch("a")
    seen(watch, NO_SLACK, 0)
    times = [len(seen(watch, NO_SLACK, s)) for s in range(10, 2000, 10)]
    assert sum(times) == 4  # at 120 s, and every ten minutes


def test_what_a_replica_said_that_is_gone_is_taken_back_by_the_others_under_one_key() -> None:
    facts = earlier(NOON, "self:b:Slack")
    assert seen(SelfWatch("a"), facts, 1790) == []
    (one,), (other,) = seen(SelfWatch("a"), facts, 1800), seen(SelfWatch("c"), facts, 1805)
    assert (one.subject, one.phase, one.key) == ("self:b:Slack", Phase.RESOLVED, other.key)


def test_hostile_and_huge_words_are_cut_and_redacted() -> None:
    secret = "-".join(("xoxb", "123456789012", "abcdefghijklmnop"))
    facts = replace(FINE, parts={"database": f"{secret} " * 1000})
    watch = SelfWatch("r" * 500)
    seen(watch, facts, 0)
    (said,) = seen(watch, facts, 200)
    assert secret not in said.text
    assert (len(said.text), len(said.subject), len(said.key) <= 200) == (3_000, 150, True)


@pytest.mark.parametrize("before", range(480, 501))
def test_no_part_of_a_secret_is_told_where_the_words_of_an_error_are_cut(before: int) -> None:
    secret = "_".join(("ghp", "0123456789abcdefghijABCDEFGHIJ"))
    error = f"{'x' * (before - 1)} {secret} is refused"
    (said,) = seen(SelfWatch("a"), replace(FINE, failed=(replace(LOST, error=error),)), 0)
    assert "ghp" not in said.text
