"""Labelled logs are grouped, scored and repeated, the same every time."""

from pathlib import Path

import pytest

from bot.domain.errors import Malformed
from bot.evaluation.benchmark import Options
from bot.evaluation.loghub.benchmark import evaluate, grouping_accuracy
from bot.evaluation.loghub.repeating import repeated

HEADER = "LineId,Level,Content,EventId,EventTemplate\n"


def system(folder: Path, name: str, rows: list[tuple[str, str]]) -> None:
    table = [f'{n},INFO,"{said}",{event},x' for n, (said, event) in enumerate(rows, 1)]
    log = folder / name / f"{name}_2k.log"
    log.parent.mkdir()
    log.write_text(
        "\n".join(f"2026-01-01 12:00:0{n % 9} INFO app: {r[0]}" for n, r in enumerate(rows))
    )
    log.with_name(f"{name}_2k.log_structured_corrected.csv").write_text(
        HEADER + "\n".join(table) + "\n"
    )


def test_a_line_counts_only_if_its_whole_group_is_right() -> None:
    assert grouping_accuracy([1, 1, 2, 2], ["a", "a", "b", "b"]) == 1.0
    assert grouping_accuracy([1, 1, 2, 3], ["a", "a", "b", "b"]) == 0.5
    assert grouping_accuracy([1, 1, 1, 1], ["a", "a", "b", "b"]) == 0.0
    assert grouping_accuracy([], []) == 0.0


def test_systems_are_scored_on_content_and_on_whole_lines(tmp_path: Path) -> None:
    system(tmp_path, "Shop", [(f"order {n} done", "E1") for n in range(6)] + [("bye", "E2")])
    first = evaluate(tmp_path, Options())
    assert (first["grouping_accuracy"], first["grouping_accuracy_whole_line"]) == (1.0, 1.0)
    assert first["by_system"]["Shop"]["labels"] == 2
    assert first["timings"]["lines_per_s"] > 0
    second = evaluate(tmp_path, Options())
    assert {**first, "timings": 0} == {**second, "timings": 0}


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed):
        evaluate(tmp_path, Options())


def test_labels_that_do_not_fit_the_lines_are_refused(tmp_path: Path) -> None:
    system(tmp_path, "Shop", [("a", "E1"), ("b", "E2")])
    (tmp_path / "Shop" / "Shop_2k.log").write_text("one line\n")
    with pytest.raises(Malformed):
        evaluate(tmp_path, Options())


def test_repeated_lines_have_other_numbers_and_ids_of_the_same_length() -> None:
    lines = ["req 3f2b8c1a-1111-2222-3333-444455556666 took 1234 ms", "at 0xff12 deadbeef42"]
    found = repeated(lines, 3)
    assert found == repeated(lines, 3)
    assert len(found) == len(set(found)) == 6
    assert [len(line) for line in found] == [len(line) for line in lines] * 3
    assert repeated(lines, 1, seed=2) != repeated(lines, 1, seed=3)
