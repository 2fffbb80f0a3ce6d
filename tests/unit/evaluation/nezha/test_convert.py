"""A day's folder becomes a case; the pod of the truth never reaches the facts."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.domain.errors import Malformed
from bot.evaluation.benchmark import Options
from bot.evaluation.nezha.benchmark import evaluate
from bot.evaluation.nezha.convert import convert, faults_in, service_of

AT = datetime(2023, 1, 29, 8, 43, 4, tzinfo=UTC)
TRACE = "TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration\n"
LOG = "Timestamp,TimeUnixNano,Node,PodName,Container,TraceID,SpanID,Log\n"
METRIC = "Time,TimeStamp,PodName,CpuUsage(m)\n"
POD = "cart-866bd68c97-xcqfx"


def trace(first: int, at: datetime, count: int) -> str:
    rows = []
    for n in range(first, first + count):
        start = int(at.timestamp() * 1e9) + (n - first) * 1_800_000_000
        rows.append(f"t{n},a,root,web-6f6cfc45b-h5m2n,GET /,{start},0,9000")
        rows.append(f"t{n},b,a,{POD},get,{start},0,5000")
    return TRACE + "\n".join(rows) + "\n"


def log(first: int, count: int, text: str) -> str:
    line = json.dumps({"log": f"16:42:22.382 {text}\n"}).replace('"', '""')
    return LOG + "".join(f'x,1,n,{POD},s,t{n},b,"{line}"\n' for n in range(first, first + count))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fault = {"inject_time": "2023-01-29 08:43:04", "inject_pod": POD, "inject_type": "exception"}
    (tmp_path / "faults.json").write_text(json.dumps([fault]))
    day, free = tmp_path / "2023-01-29", tmp_path / "2023-01-29" / "fault_free_minute"
    for place in (day / "trace", day / "log", day / "metric", free / "trace", free / "log"):
        place.mkdir(parents=True)
    (day / "trace/08_43_trace.csv").write_text(trace(0, AT, 30))
    (day / "log/08_43_log.csv").write_text(log(0, 30, "ERROR  c.Cart#37 no cart 12"))
    later = datetime(2023, 1, 29, 8, 50, tzinfo=UTC)
    (free / "trace/08_50_trace.csv").write_text(trace(100, later, 30))
    (free / "log/08_50_log.csv").write_text(log(100, 30, "INFO  c.Cart#34 found 12"))
    stamp = int(AT.timestamp())
    rows = [f"x,{stamp - 60},{POD},14.0", f"x,{stamp},{POD},NaNa", f"x,{stamp + 9999},{POD},99"]
    (day / f"metric/{POD}_metric.csv").write_text(METRIC + "\n".join(rows) + "\n")
    return tmp_path


def test_the_service_is_the_pod_without_its_hashes() -> None:
    assert service_of(POD) == "cart"
    assert service_of("frontend") == "frontend"
    assert service_of("order-other-service-6cdbf9b4cc-h7mqk") == "order-other-service"


def test_the_fault_free_minute_lies_before_the_window(folder: Path) -> None:
    facts = convert(folder, AT).snapshot()
    start = facts.window.start
    assert sum(s.start < start for s in facts.spans) == 60
    assert sum(s.start >= start for s in facts.spans) == 60
    events = {e for s in facts.spans if s.start >= start for e in s.events}
    assert events == {"error: c.Cart#37"}
    assert [(e.caller, e.callee, e.calls) for e in facts.edges] == [("web", "cart", 30)]


def test_cpu_is_known_up_to_the_end_of_the_window_only(folder: Path) -> None:
    (series,) = convert(folder, AT).snapshot().series
    assert (series.service, series.values) == ("cart", (0.014,))


def test_the_service_is_found(folder: Path) -> None:
    figures = evaluate(folder, Options(failures=True))
    assert (figures["cases"], figures["top1"], figures["avg5"]) == (1, 1.0, 1.0)
    again = evaluate(folder, Options(failures=True))
    figures.pop("timings"), again.pop("timings")
    assert figures == again


def test_another_truth_changes_no_answer(folder: Path) -> None:
    faults = json.loads((folder / "faults.json").read_text())
    faults[0]["inject_pod"] = "web-6f6cfc45b-h5m2n"
    (folder / "faults.json").write_text(json.dumps(faults))
    figures = evaluate(folder, Options(failures=True))
    assert figures["top1"] == 0.0
    assert figures["failures"][0]["answers"][0] == "cart"


@pytest.mark.parametrize("text", ["", "{", "[{}]", '[{"inject_time": 1}]', "3"])
def test_a_wrong_list_of_faults_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "faults.json").write_text(text)
    with pytest.raises(Malformed, match=r"faults\.json"):
        faults_in(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", TRACE, TRACE + "x\n", TRACE + "a,b,c,d,e,f,g,h\n"]
)
def test_a_table_without_spans_is_an_error_that_says_so(folder: Path, text: str) -> None:
    (folder / "2023-01-29/trace/08_43_trace.csv").write_text(text)
    with pytest.raises(Malformed):
        convert(folder, AT)


def test_a_day_without_a_fault_free_minute_has_no_baseline(folder: Path) -> None:
    for path in (folder / "2023-01-29/fault_free_minute").rglob("*.csv"):
        path.unlink()
    assert evaluate(folder, Options())["abstained"] == 1
