"""Every cause that an analyzer can name has a runbook, and a word for what would end it."""

from bot.reasoning.remedies import CLASSES, class_of
from policies.catalog import load
from tests.architecture.causes import emitted, spoken

RUNBOOKS = load()


def test_every_cause_that_an_analyzer_can_name_has_a_runbook() -> None:
    without = {c: f for c, f in emitted().items() if RUNBOOKS.for_cause(c) is None}
    assert not without, "add them to policies/runbooks, for_people.yaml if nothing may be run"


def test_every_cause_has_a_remediation_class() -> None:
    causes = {*emitted(), *RUNBOOKS.by_cause}
    without = sorted(c for c in causes if class_of(c) not in CLASSES)
    assert not without, "add them to bot/reasoning/remedies.py"


def test_the_collector_of_causes_misses_little() -> None:
    known = {c for c in spoken() if RUNBOOKS.for_cause(c) is not None}
    assert len(emitted()) > 80
    assert len(known - set(emitted())) <= 0.1 * len(known)


def test_a_cause_without_an_action_gets_advice_for_people() -> None:
    for cause, book in RUNBOOKS.by_cause.items():
        assert book.actions or len(RUNBOOKS.advice_for(cause)) > 20, cause


def test_a_runbook_that_takes_a_change_back_says_so_for_its_own_kind_only() -> None:
    reverts = {"rollback_deployment": {"deploy", "commit"}, "revert_config": {"config"}}
    for book in RUNBOOKS.by_cause.values():
        for remedy in book.actions:
            if remedy.action in reverts:
                assert {str(c) for c in remedy.when.change} <= reverts[remedy.action], book.name


def test_what_only_buys_time_is_labelled_with_its_price() -> None:
    buys_time = {"restart_deployment", "restart_pod"}
    for book in RUNBOOKS.by_cause.values():
        for remedy in book.actions:
            up = remedy.action == "scale_deployment" and remedy.options.get("direction") == "up"
            if remedy.action in buys_time or up:
                assert remedy.short_term, f"{book.name}: {remedy.action}"
                assert remedy.trade_off, f"{book.name}: {remedy.action}"
