"""`sre-bot replay`: the same diagnosis, or what changed and exit code 4."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.cli.test_ask import broken, well

__all__ = ["broken", "well"]


@pytest.fixture
def answered(sre_bot: Run, broken: str) -> Path:
    """Put the answer beside the case, as `record` does."""
    said = sre_bot("replay", broken, "--json")
    path = Path(broken) / "answer.json"
    path.write_text(said.out)
    return path


def test_a_replay_is_the_same_diagnosis(sre_bot: Run, broken: str, answered: Path) -> None:
    said = sre_bot("replay", broken)
    assert said.code == 0
    assert "Against the recorded answer: the same diagnosis." in said.out


def test_a_replay_prints_the_documented_json(sre_bot: Run, broken: str, answered: Path) -> None:
    first, second = (sre_bot("replay", broken, "--json").out for _ in range(2))
    one, two = json.loads(first), json.loads(second)
    assert one.pop("timings")
    assert two.pop("timings")
    one.pop("budget"), two.pop("budget")
    assert one == two
    assert one["diagnosis"]["status"] == "root_cause"


def test_another_diagnosis_than_recorded_is_exit_code_4(
    sre_bot: Run, broken: str, answered: Path
) -> None:
    old = json.loads(answered.read_text())
    old["diagnosis"]["cause"] = "cosmic_rays"
    answered.write_text(json.dumps(old))
    said = sre_bot("replay", broken)
    assert said.code == 4
    assert "cause: cosmic_rays →" in said.out


def test_against_a_file_of_another_version(
    sre_bot: Run, broken: str, answered: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old.json"
    old.write_text(answered.read_text())
    said = sre_bot("replay", broken, "--against", str(old))
    assert (said.code, f"Against {old}: the same diagnosis." in said.out) == (0, True)


@pytest.mark.parametrize("old", ["no-such-version", "--output=x", ""])
def test_against_what_does_not_exist_says_what_is_possible(
    sre_bot: Run, well: str, old: str
) -> None:
    said = sre_bot("replay", well, f"--against={old}")
    assert (said.code, "no such file" in said.err) == ((2, True) if old else (0, False))


def test_a_folder_that_is_no_case_is_named(sre_bot: Run, tmp_path: Path) -> None:
    said = sre_bot("replay", str(tmp_path))
    assert said.code == 1
    assert "case.json" in said.err


def test_record_needs_a_question_and_an_empty_folder(sre_bot: Run, tmp_path: Path) -> None:
    assert sre_bot("record", "--to", str(tmp_path / "x")).code == 2
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    said = sre_bot("record", "why is web slow", "--to", str(tmp_path / "full"))
    assert (said.code, "not empty" in said.err) == (1, True)
