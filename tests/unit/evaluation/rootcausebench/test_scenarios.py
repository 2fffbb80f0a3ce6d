"""Incidents of kinds that no development case has: the culprit or none, and never a decoy."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.errors import Malformed
from bot.evaluation.benchmark import Options
from bot.evaluation.rootcausebench import benchmark
from bot.evaluation.rootcausebench.answer import Answer
from bot.evaluation.rootcausebench.grading import Truth, graded, hits_decoy, is_right, truth_of
from tests.fakes.change_incidents import write
from tests.fakes.change_scenarios import SCENARIOS

SHA, OTHER = "a" * 40, "b" * 40


def answer(commit: str, service: str = "x", blast: tuple[str, ...] = ()) -> Answer:
    return Answer(
        commit=commit, commits=(commit,), cause="", service=service, blast_radius=blast,
        remediation="rollback", confidence=0.9,
    )  # fmt: skip


def truth(commit: str = SHA, *decoys: str) -> Truth:
    return Truth(
        commit=commit, service="x", blast_radius=frozenset({"y"}), remediation="rollback",
        decoys=decoys,
    )  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    root = tmp_path_factory.mktemp("scenarios")
    for scenario in SCENARIOS:
        write(scenario, root)
    return benchmark.evaluate(root, Options(failures=True))


def test_most_unknown_incidents_are_solved_and_no_decoy_is_blamed(
    report: dict[str, object],
) -> None:
    assert report["decoy_hits"] == 0, report["failures"]
    assert float(str(report["pass_rate"])) >= 0.85, report["failures"]


def test_none_is_right_wherever_no_commit_is_guilty(report: dict[str, object]) -> None:
    answers = report["answers"]
    assert isinstance(answers, list)
    innocent = [a for a in answers if a["truth"] == "none"]
    assert len(innocent) >= 3
    assert {a["root_cause_commit"] for a in innocent} == {"none"}


def test_without_its_culprit_nobody_is_blamed(tmp_path: Path) -> None:
    for scenario in SCENARIOS:
        if scenario.culprit is not None:
            write(replace(scenario, culprit=None), tmp_path)
    report = benchmark.evaluate(tmp_path, Options(failures=True))
    assert float(str(report["pass_rate"])) >= 0.9, report["failures"]


def test_two_runs_give_the_same(tmp_path: Path) -> None:
    write(SCENARIOS[0], tmp_path)
    one, two = (benchmark.evaluate(tmp_path, Options()) for _ in range(2))
    one.pop("timings"), two.pop("timings")
    assert one == two


def test_no_scenario_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Malformed):
        benchmark.evaluate(tmp_path, Options())


def test_a_shortened_hash_of_seven_digits_is_right() -> None:
    assert is_right(SHA[:7], truth())
    assert not is_right(SHA[:6], truth())
    assert is_right("none", truth("none"))
    assert not is_right("none", truth())


def test_rewards_are_one_nothing_for_a_decoy_and_partial() -> None:
    assert graded(answer(SHA), truth()) == 1.0
    assert graded(answer(OTHER, blast=("y",)), truth(SHA, OTHER)) == 0.0
    assert hits_decoy(answer(OTHER), truth(SHA, OTHER))
    assert graded(answer("none", blast=("y",)), truth()) == pytest.approx(0.5)
    assert graded(answer("none", service="z"), truth()) == pytest.approx(0.1)


def test_an_empty_truth_is_none() -> None:
    assert truth_of([]).commit == "none"
