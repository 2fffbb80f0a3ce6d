"""Log lines become templates with counts."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.snapshot import Source
from tools.read.logs.templates import Entry, level_of, mask, message_of, templates

AT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
SOURCE = Source(system="loki", query="{}")


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("order 4711 took 12.5ms", "order <*> took <*>ms"),
        ("user 3f2b8c1a-1111-2222-3333-444455556666 gone", "user <*> gone"),
        ("2026-01-01T12:00:00.123Z GET /cart", "<*> GET /cart"),
        ("connect to 10.0.0.7:5432 refused", "connect to <*> refused"),
        ("commit deadbeef42 at 0xff12", "commit <*> at <*>"),
        ("http2 stream reset", "http2 stream reset"),
        ("request 77 failed: status=503", "request <*> failed: status=503"),
        ("plain words stay", "plain words stay"),
    ],
)
def test_what_varies_is_masked(line: str, masked: str) -> None:
    assert mask(line) == masked


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ('{"level":"error","msg":"x"}', "error"),
        ("[WARN] slow", "warning"),
        ("level=info done", "info"),
        ("connection refused by peer", "error"),
        ("hello", ""),
    ],
)
def test_a_line_tells_its_level(line: str, level: str) -> None:
    assert level_of(line) == level


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"level":"error","msg":"pool is empty","id":7}', "pool is empty"),
        ('{"message":"charge failed","error":"timeout"}', "charge failed: timeout"),
        ('time=1 level=error msg="no \\"stock\\" left" id=7', 'no "stock" left'),
        ('level=warn msg="slow" err="deadline exceeded"', "slow: deadline exceeded"),
        ('{"broken": ', '{"broken": '),
        ('{"msg": {"a": 1}}', '{"msg": {"a": 1}}'),
        ("{" * 50_000, "{" * 50_000),
        ("just words", "just words"),
    ],
)
def test_a_structured_line_is_taken_by_its_message(line: str, message: str) -> None:
    assert message_of(line) == message


def test_lines_are_counted_in_the_window_and_before() -> None:
    entries = [
        Entry(at=AT + timedelta(seconds=n), text=f"order {n} failed", service="cart")
        for n in range(5)
    ]
    entries.append(Entry(at=AT, text="order 9 failed", service="cart", baseline=True))
    entries.append(Entry(at=AT, text="stopped since 5", service="cart", baseline=True))
    found, cut = templates(entries, SOURCE, baseline_known=True)
    assert cut == 0
    failed = next(t for t in found if "failed" in t.template)
    assert (failed.count, failed.baseline_count, failed.level) == (5, 1, "error")
    assert (failed.first_at, failed.last_at) == (AT, AT + timedelta(seconds=4))
    stopped = next(t for t in found if "stopped" in t.template)
    assert (stopped.count, stopped.baseline_count) == (0, 1)


def test_an_unknown_baseline_is_not_zero() -> None:
    found, _ = templates([Entry(at=AT, text="x", service="a")], SOURCE, baseline_known=False)
    assert found[0].baseline_count is None


def test_errors_come_first_and_the_rest_is_cut() -> None:
    words = ("alpha", "beta", "gamma", "delta")
    entries = [
        Entry(at=AT, text=" ".join((w, x, y, z, v)), service="a")
        for w in words
        for x in words
        for y in words
        for z in words
        for v in words
    ]
    entries.append(Entry(at=AT, text="fatal: disk is full", service="a"))
    found, cut = templates(entries, SOURCE, baseline_known=True)
    assert found[0].level == "error"
    assert cut == len(entries) - len(found) > 0


def test_examples_carry_no_credentials() -> None:
    entry = Entry(at=AT, text="login with password=hunter22", service="a")
    found, _ = templates([entry], SOURCE, baseline_known=True)
    assert "hunter22" not in found[0].example + found[0].template


def test_hostile_lines_are_cut_and_masked_in_time() -> None:
    import time

    started = time.process_time()
    mask("1" * 100_000)
    mask("a=" * 50_000)
    mask("0x" + "f" * 100_000)
    assert time.process_time() - started < 1.0
