"""PetShop's files, injections and score on tables made here."""

import json
from pathlib import Path

import numpy as np
import pytest

from bot.domain.errors import Malformed
from bot.evaluation.benchmark import Options
from bot.evaluation.petshop.benchmark import evaluate
from bot.evaluation.petshop.injection import inject, untouched
from bot.evaluation.petshop.table import Table, read_graph, read_table, read_target

PAIRS = (("front", "back"),)
HEAD = "microservice,a,a\nmetric,latency,requests\nstatistic,Average,Sum\nunix_timestamp,,\n"


def quiet(size: int = 600, *, first: float = 0.0) -> Table:
    rng = np.random.default_rng(3)
    keys, columns = [], []
    for service, usual in (("front", 0.2), ("back", 0.05)):
        for metric, statistic, level, noise in (
            ("latency", "Average", usual, 0.03),
            ("requests", "Sum", 300.0, 0.02),
            ("availability", "Average", 100.0, 0.0),
        ):
            keys.append((service, metric, statistic))
            columns.append(level * (1 + noise * rng.standard_normal(size)))
    times = first + 300.0 * np.arange(size)
    return Table(times=times, keys=tuple(keys), values=np.column_stack(columns))


def write(path: Path, table: Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [[name, *(k[i] for k in table.keys)] for i, name in enumerate(("m", "m", "s"))]
    rows.append(["unix_timestamp", *("" for _ in table.keys)])
    rows += [[str(t), *map(str, v)] for t, v in zip(table.times, table.values, strict=True)]
    path.write_text("\n".join(",".join(row) for row in rows) + "\n", encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    low = tmp_path / "some_traffic"
    write(low / "noissue" / "metrics.csv", quiet())
    (low / "graph.csv").write_text(",front,back\nfront,0.0,1.0\nback,0.0,0.0\n", encoding="utf-8")
    window = quiet(5, first=9e8)
    window.values[2:, 0] += 0.2
    window.values[2:, 3] += 0.2
    write(low / "test" / "issue_0" / "metrics.csv", window)
    target = {"node": "front", "metric": "latency", "agg": "Average", "timestamp": 9e8}
    body = {"target": target, "root_cause": {"node": "back", "metric": None}}
    (low / "test" / "issue_0" / "target.json").write_text(json.dumps(body), encoding="utf-8")
    return tmp_path


def test_a_case_is_scored_and_two_runs_agree(shop: Path):
    first, second = (evaluate(shop, Options()) for _ in range(2))
    assert (first["cases"], first["top1"], first["avg5"]) == (1, 1.0, 1.0)
    assert first["injections"]["cases"] == 100
    assert first["untouched"] == {"cases": 100, "answered": 0}
    first.pop("timings")
    second.pop("timings")
    assert json.dumps(first) == json.dumps(second)


def test_an_issue_without_quiet_history_is_scored_too(shop: Path):
    (shop / "some_traffic" / "noissue" / "metrics.csv").unlink()
    found = evaluate(shop, Options())
    assert found["cases"] == 1
    assert "injections" not in found


def test_a_folder_without_issues_is_refused(tmp_path: Path):
    with pytest.raises(Malformed, match="no issue"):
        evaluate(tmp_path, Options())


@pytest.mark.parametrize("text", ["", "a,b\n", HEAD, HEAD + "1,2\n", HEAD.replace(",a,a", ",a")])
def test_a_broken_table_is_named(tmp_path: Path, text: str):
    path = tmp_path / "metrics.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Malformed, match=r"metrics\.csv"):
        read_table(path)


def test_empty_cells_are_gaps(tmp_path: Path):
    path = tmp_path / "metrics.csv"
    path.write_text(HEAD + "300,,2\n0,1,nan\n", encoding="utf-8")
    table = read_table(path)
    assert table.times.tolist() == [0.0, 300.0]
    assert np.isnan(table.values).tolist() == [[False, True], [True, False]]


@pytest.mark.parametrize("text", ["", ",a,b\na,0\n", ",a\na,x\n"])
def test_a_broken_graph_is_named(tmp_path: Path, text: str):
    path = tmp_path / "graph.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Malformed, match=r"graph\.csv"):
        read_graph(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"target": 1}', '{"target": {"node": "a"}}'])
def test_a_broken_target_is_named(tmp_path: Path, text: str):
    path = tmp_path / "target.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Malformed, match=r"target\.json"):
        read_target(path)


def test_baseline_and_window_of_an_injection_do_not_overlap():
    found = inject(quiet(), PAIRS, np.random.default_rng(1))
    assert found is not None
    assert found.baseline.times[-1] < found.window.times[0]


def test_an_untouched_window_is_as_it_was():
    table = quiet()
    found = untouched(table, "front", np.random.default_rng(1))
    at = int(np.searchsorted(table.times, found.window.times[0]))
    assert np.array_equal(found.window.values, table.values[at : at + len(found.window.times)])
