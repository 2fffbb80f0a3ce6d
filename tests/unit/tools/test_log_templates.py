"""Log lines become templates with counts."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.snapshot import Source
from tools.read.logs.templates import Entry, level_of, message_of, templates

AT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
SOURCE = Source(system="loki", query="{}")


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
    words = [a + b + c for a in "abcdefgh" for b in "aeiouy" for c in "klmnprstvw"]
    entries = [Entry(at=AT, text=f"{w} {w} {w} {w}", service="a") for w in words]
    entries.append(Entry(at=AT, text="fatal: disk is full", service="a"))
    found, cut = templates(entries, SOURCE, baseline_known=True)
    assert (found[0].level, found[0].domain) == ("error", "storage")
    assert cut == len(entries) - len(found) > 0


def test_a_new_error_comes_before_a_frequent_old_one() -> None:
    entries = [Entry(at=AT, text=f"order {n} failed", service="a") for n in range(50)]
    entries += [Entry(at=AT, text=f"order {n} failed", service="a", baseline=True) for n in (1, 2)]
    entries.append(Entry(at=AT, text="lease lost, giving up: error", service="a"))
    found, _ = templates(entries, SOURCE, baseline_known=True)
    assert [t.baseline_count for t in found] == [0, 2]


def test_a_stack_trace_is_one_template_with_its_innermost_cause() -> None:
    lines = (
        "ERROR charge failed",
        "java.lang.RuntimeException: wrapped",
        "\tat com.acme.Charge.run(Charge.java:12)",
        "Caused by: java.net.ConnectException: Connection refused",
        "\t... 12 more",
        "INFO next order",
    )
    entries = [
        Entry(at=AT + timedelta(milliseconds=n), text=line, service="pay", pod="pay-1")
        for n, line in enumerate(lines)
    ]
    found, _ = templates(entries, SOURCE, baseline_known=True)
    assert len(found) == 2
    assert "ConnectException: Connection refused" in found[0].example
    assert (found[0].domain, found[0].count) == ("connection", 1)


def test_two_pods_lines_are_not_joined() -> None:
    entries = [
        Entry(at=AT, text="ERROR charge failed", service="pay", pod="pay-1"),
        Entry(at=AT, text="  indented by the other pod", service="pay", pod="pay-2"),
    ]
    assert len(templates(entries, SOURCE, baseline_known=True)[0]) == 2


def test_two_hosts_that_cannot_be_reached_stay_two_templates() -> None:
    entries = [
        Entry(at=AT, text=f"try {n}: dial tcp: lookup {host}: no such host", service="web")
        for n, host in enumerate(("cart", "stock", "cart"))
    ]
    found, _ = templates(entries, SOURCE, baseline_known=True)
    assert sorted((t.count, t.domain) for t in found) == [
        (1, "name resolution"),
        (2, "name resolution"),
    ]


def test_examples_carry_no_credentials() -> None:
    entry = Entry(at=AT, text="login with password=hunter22", service="a")
    found, _ = templates([entry], SOURCE, baseline_known=True)
    assert "hunter22" not in found[0].example + found[0].template


def test_hostile_lines_are_read_in_time() -> None:
    import time

    texts = ("1" * 1_000_000, "a=" * 500_000, "0x" + "f" * 1_000_000, "[" * 1_000_000, "{" * 9_999)
    texts += ("<*>" * 300_000, "/a" * 500_000, "a.b" * 300_000, '"' * 9_999, "\x1b[" * 9_999, "")
    entries = [Entry(at=AT, text=text, service="a") for text in texts]
    started = time.process_time()
    found, _ = templates(entries, SOURCE, baseline_known=True)
    assert time.process_time() - started < 2.0
    assert max(len(t.template) for t in found) < 10_000
