"""Lines that say the same are one template, whatever their order, and nothing else is."""

import random
import time

import pytest

from bot.logs.mining import mine


def grouped(lines: list[str]) -> set[frozenset[str]]:
    groups: dict[int, set[str]] = {}
    for line, index in zip(lines, mine(lines).indices, strict=True):
        groups.setdefault(index, set()).add(line)
    return {frozenset(group) for group in groups.values()}


@pytest.mark.parametrize(
    "lines",
    [
        ["order 1 took 5 ms", "order 22 took 1 ms"],
        ["ask 10.0.0.1:50 to delete blk_1", "ask 10.0.0.1:50 to delete blk_1 blk_2 blk_3"],
        ["task_1 moved from NEW to READY", "task_2 moved from READY to RUNNING"],
        ["sent 451 bytes, 8307 bytes (8.11 KB) back", "sent 0 bytes, 12 bytes back"],
        ["connection from 10.0.0.1 () at noon", "connection from 10.0.0.2 (a.example.com) at noon"],
        ["invalid user root from 1.2.3.4", "invalid user admin from 1.2.3.4"],
        [f"reloaded the rules of {name} now" for name in ("ann", "bob", "cem", "dee", "eva")],
        ["req 113d3a99c3da401fbd62cc2caa5b96d2 done", "req abcdefabcdefabcdef0aabcdefabcdef done"],
    ],
)
def test_these_say_the_same(lines: list[str]) -> None:
    assert len(grouped(lines)) == 1


@pytest.mark.parametrize(
    "lines",
    [
        ["VM 1 paused by request", "VM 2 resumed by request"],
        ['1.2.3.4 "GET /v1/a" took 5', '1.2.3.4 "POST /v1/a" took 5'],
        ["call failed: status=503", "call failed: status=429", "call failed: status=200"],
        ["failure; rhost=1.2.3.4", "failure; rhost=1.2.3.4 user=root", "failure; rhost="],
        ["cannot load com.acme.store.FooException now", "cannot load com.acme.store.BarError now"],
    ],
)
def test_these_do_not_say_the_same(lines: list[str]) -> None:
    assert len(grouped(lines)) == len(lines)


def test_the_order_of_lines_does_not_matter() -> None:
    lines = [f"order {n} of user {u} {w}" for n in range(9) for u in "abc" for w in ("ok", "lost")]
    lines += [f"10.0.0.{n} said {w}" for n in range(5) for w in ("hello there", "good bye")]
    shuffled = list(lines)
    random.Random(7).shuffle(shuffled)
    assert grouped(lines) == grouped(shuffled) == grouped(lines[::-1])


def test_templates_come_in_order_of_first_appearance_and_read_well() -> None:
    found = mine(["b: open (uid=1)", "a failed: key=x, size=3", "b: open (uid=2)"])
    assert found.templates == ("b: open (uid=<*>)", "a failed: key=<*>, size=<*>")
    assert found.indices == [0, 1, 0]


def test_a_template_holds_no_secret() -> None:
    lines = [
        "login with password=hunter22secret ok",
        "Authorization: Bearer abcdefghijklmnopqrstuvwx.yz",
        "using https://ann:s3cretpw@example.com/x",
        "key AKIAABCDEFGHIJKLMNOP in use by ann@example.org",
    ]
    text = " ".join(mine(lines).templates)
    for secret in ("hunter22", "abcdefghijkl", "s3cretpw", "AKIA", "ann@"):
        assert secret not in text


def test_hostile_lines_do_not_slow_or_stop_it() -> None:
    lines = [
        "x" * 1_000_000, "1" * 1_000_000, "a.b" * 400_000, "=" * 500_000, "/a" * 500_000,
        "user " * 200_000, "[" * 1_000_000, "(" * 1_000_000, "<*>" * 300_000, "0x" * 500_000,
        "a:" * 500_000, "1:" * 500_000, '"' * 500_000, "\x1b[" * 500_000, "from A to " * 99_999,
        "", " ", "\n", "a\nb", "\r", "\x00\x01\xff", "\ud800 lone", "次の行 12", "|", "- -", "]",
    ]  # fmt: skip
    started = time.process_time()
    found = mine(lines)
    assert time.process_time() - started < 4.0
    assert len(found.indices) == len(lines)


def test_lines_without_any_pattern_take_bounded_time() -> None:
    source = random.Random(5)
    words = ["".join(source.choice("abcdefghij") for _ in range(6)) for _ in range(3000)]
    lines = ["same start " + " ".join(source.choices(words, k=8)) for _ in range(4000)]
    started = time.process_time()
    mine(lines)
    assert time.process_time() - started < 6.0


def test_nothing_is_mined_from_nothing() -> None:
    assert mine([]).templates == ()


def test_noise_falls_by_four_fifths_and_no_new_error_is_lost() -> None:
    source = random.Random(3)
    lines = [
        source.choice(
            [
                f"served order {source.randrange(9999)} in {source.random() * 90:.1f} ms",
                f"user u{source.randrange(99)} logged in from 10.0.0.{source.randrange(255)}",
                f"cache miss for key session:{source.getrandbits(64):016x}",
                f'"GET /cart/{source.randrange(999)} HTTP/1.1" 200 {source.randrange(9999)}',
                f"slow query took {source.randrange(500)} ms on shard {source.randrange(4)}",
            ]
        )
        for _ in range(400)
    ]
    errors = ["disk quota check failed: EIO", "panic: nil map in checkout", "lease 7 lost to peer"]
    lines += errors
    found = mine(lines)
    assert 1 - len(found.templates) / len(lines) >= 0.8
    assert len({found.indices[lines.index(error)] for error in errors}) == 3
    for error in errors:
        assert found.indices.count(found.indices[lines.index(error)]) == 1
