"""A scenario folder becomes a case; what is malformed in it is skipped or named."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.errors import Malformed
from bot.domain.snapshot import ChangeKind, Signal
from bot.evaluation.rootcausebench.convert import convert, is_folder, load_snapshot
from bot.evaluation.rootcausebench.metrics import meter_of
from tests.fakes.change_incidents import START, write
from tests.fakes.change_scenarios import LOCKS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(LOCKS, tmp_path)


def test_every_kind_of_fact_is_read(folder: Path) -> None:
    facts = load_snapshot(folder)
    assert {c.kind for c in facts.changes} == {ChangeKind.COMMIT, ChangeKind.DEPLOY}
    assert facts.alerts[0].service == "wallet"
    assert {(e.caller, e.callee) for e in facts.edges} == {
        ("gate", "checkout"),
        ("checkout", "wallet"),
    }
    assert facts.window.start == START
    assert all(c.commits for c in facts.changes if c.kind is ChangeKind.DEPLOY)


def test_latency_is_in_seconds_and_a_name_that_says_little_is_kept(folder: Path) -> None:
    facts = load_snapshot(folder)
    latency = next(iter(facts.signal(Signal.LATENCY_P99, "wallet")))
    assert latency.values[0] == pytest.approx(0.06, rel=0.1)
    assert any(s.signal == "db_lock_wait_seconds" for s in facts.series)


def test_patterns_count_the_lines_and_the_lines_give_their_first_moment(folder: Path) -> None:
    facts = load_snapshot(folder)
    line = next(t for t in facts.logs if "could not obtain lock" in t.template)
    assert (line.count, line.baseline_count, line.level) == (300, 0, "error")
    assert line.first_at is not None
    assert line.first_at > START + timedelta(minutes=59)


def test_flag_changes_are_left_out(folder: Path) -> None:
    flags = [{"timestamp": "2026-04-02T09:58:00Z", "flag": "new-ui", "service": "wallet"}]
    (folder / "data" / "context" / "flags.json").write_text(json.dumps(flags))
    assert ChangeKind.FLAG not in {c.kind for c in load_snapshot(folder).changes}


def test_the_truth_does_not_reach_the_facts(folder: Path) -> None:
    before = load_snapshot(folder)
    (folder / "ground_truth.json").write_text("{}")
    moved = folder.rename(folder.with_name("x"))
    assert load_snapshot(moved) == before


@pytest.mark.parametrize("name", ["patterns.json", "traces.json", "logs.ndjson", "metrics.csv"])
def test_a_missing_file_is_only_missing_facts(folder: Path, name: str) -> None:
    (folder / "data" / name).unlink()
    assert load_snapshot(folder).changes


@pytest.mark.parametrize("name", ["alert.json", "patterns.json", "context/commits.json"])
def test_what_is_not_json_is_named(folder: Path, name: str) -> None:
    (folder / "data" / name).write_text("{oops")
    with pytest.raises(Malformed, match=Path(name).name):
        load_snapshot(folder)


def test_broken_lines_rows_and_records_are_skipped(folder: Path) -> None:
    data = folder / "data"
    with (data / "logs.ndjson").open("a") as file:
        file.write('{broken\n[1]\n{"timestamp": "never", "service": null}\n')
    with (data / "metrics.csv").open("a") as file:
        file.write("never,wallet,x,1\n2026-04-02T09:00:00Z,wallet,x,much\n\n")
    (data / "traces.json").write_text('[1, {"service": "a"}, {"start": "x", "duration_ms": "y"}]')
    (data / "context" / "commits.json").write_text(
        '[null, {"sha": ""}, {"sha": "a1", "timestamp": 3}]'
    )
    (data / "context" / "deploys.json").write_text('{"not": "a list"}')
    facts = load_snapshot(folder)
    assert (facts.spans, facts.changes) == ((), ())
    assert facts.series


def test_a_folder_without_any_moment_is_malformed(tmp_path: Path) -> None:
    (tmp_path / "data" / "context").mkdir(parents=True)
    assert is_folder(tmp_path)
    with pytest.raises(Malformed):
        load_snapshot(tmp_path)
    with pytest.raises(Malformed):
        load_snapshot(tmp_path / "nowhere")


def test_a_case_answers_each_kind_of_fact(folder: Path) -> None:
    case = convert(folder)
    assert case.snapshot().changes == load_snapshot(folder).changes


@pytest.mark.parametrize(
    ("name", "values", "signal", "scale"),
    [
        ("http_server_duration_p99_ms", [200.0], Signal.LATENCY_P99, 1e-3),
        ("grpc_request_latency_p95_seconds", [0.2], Signal.LATENCY_P99, 1.0),
        ("charge_error_rate_pct", [70.0], Signal.ERROR_RATIO, 0.01),
        ("error_rate_5xx_ratio", [0.2], Signal.ERROR_RATIO, 1.0),
        ("requests_per_sec", [900.0], Signal.REQUEST_RATE, 1.0),
        ("tls_cert_seconds_until_expiry", [30.0], Signal.CERTIFICATE_EXPIRES_IN, 1.0),
        ("cache_hit_ratio", [0.9], Signal.CACHE_HIT_RATIO, 1.0),
        ("db_query_duration_p99_ms", [9.0], "db_query_duration_p99_ms", 1.0),
        ("widgets", [1.0], "widgets", 1.0),
    ],
)  # fmt: skip
def test_a_metric_is_told_by_its_words(
    name: str, values: list[float], signal: str, scale: float
) -> None:
    meter = meter_of(name, values)
    assert (meter.signal, meter.scale) == (signal, scale)
