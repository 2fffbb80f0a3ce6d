"""Templates are counted, apart for each host that a line of trouble names."""

from bot.logs.tallying import tally, targets


def test_lines_of_one_template_are_counted_together() -> None:
    found = tally(["order 1 done", "hello", "order 2 done"])
    assert [(t.template, t.lines) for t in found] == [("order <*> done", (0, 2)), ("hello", (1,))]


def test_hosts_in_trouble_stay_apart() -> None:
    lines = [f"cannot reach {h}:6379, try {n}" for n in (1, 22) for h in ("cache", "queue")]
    assert sorted(t.lines for t in tally(lines)) == [(0, 2), (1, 3)]


def test_many_hosts_are_one_template() -> None:
    lines = [f"cannot reach host-{c}.example.com:80" for c in "abcdefghijkl"]
    assert len(tally(lines)) == 1


def test_a_line_names_its_targets() -> None:
    assert targets("Get http://cart.shop.svc:80/x: lookup cart.shop.svc: no such host") == {
        "cart.shop.svc"
    }
    assert targets("at 12:30:00 all was well") == frozenset()
